/*
 * csv_read.c: see csv_read.h. The grammar is libcsv's; around it stand what it leaves open: the
 * encoding, the separator, bounds.
 */
#include "index/csv_read.h"

#include <csv.h>
#include <string.h>
#include <strings.h>

#include "io/err.h"
#include "io/mem.h"

enum { IN_FIELD = 2 /* of csv_parser's pstate */, GROWTH = 256 * 1024 };

struct reading {
    struct csv_parser parser;
    struct buf text;   /* of the row's fields */
    struct buf spans;  /* size_t end of each in it */
    struct buf fields; /* struct bytes */
    size_t count;
    uint64_t rows;
    int code;
    int (*row)(void *ctx, const struct csv_row *row);
    void *ctx;
};

/* libcsv's own buffer holds one field. */
static void *bounded(void *old, size_t size)
{
    return size > CSV_ROW_BYTES ? NULL : mem_realloc(old, size);
}

static void on_field(void *field, size_t size, void *ctx)
{
    struct reading *r = ctx;

    if (r->code)
        return;
    if (r->count == CSV_ROW_FIELDS || r->text.size + size > CSV_ROW_BYTES) {
        r->code = ERR_LIMIT;
        return;
    }
    buf_append(&r->text, field, size);
    buf_append(&r->spans, &r->text.size, sizeof r->text.size);
    r->count++;
}

static bool is_blank(const struct reading *r)
{
    return !r->text.size;
}

static void on_row(int terminator, void *ctx)
{
    struct reading *r = ctx;
    size_t from = 0;

    (void)terminator;
    buf_reset(&r->fields);
    for (size_t i = 0; !r->code && i < r->count; i++) {
        struct bytes field;
        size_t end;

        memcpy(&end, r->spans.data + i * sizeof end, sizeof end);
        field = (struct bytes){end > from ? r->text.data + from : (const uint8_t *)"", end - from};
        buf_append(&r->fields, &field, sizeof field);
        from = end;
    }
    if (r->text.failed || r->spans.failed || r->fields.failed)
        r->code = ERR_NOMEM;
    if (!r->code && !is_blank(r)) {
        const struct csv_row row = {++r->rows, (const struct bytes *)r->fields.data, r->count};

        r->code = r->row(r->ctx, &row);
    }
    buf_reset(&r->text);
    buf_reset(&r->spans);
    r->count = 0;
}

static size_t line_size(struct bytes in)
{
    const uint8_t *end = in.size ? memchr(in.data, '\n', in.size) : NULL;

    return end ? (size_t)(end - in.data) + 1 : in.size;
}

/* What stands before the header. */
static struct bytes skip_preamble(struct bytes in)
{
    while (in.size >= 5 && (memcmp(in.data, "#TYPE", 5) == 0 ||
                            strncasecmp((const char *)in.data, "sep=", 4) == 0)) {
        size_t line = line_size(in);

        in = (struct bytes){in.data + line, in.size - line};
    }
    return in;
}

static uint8_t separator_of(struct bytes in)
{
    static const uint8_t separators[] = {',', ';', '\t'};
    size_t counts[3] = {0}, best = 0;
    bool quoted = false;

    for (size_t i = 0; i < in.size && (quoted || in.data[i] != '\n' || !i); i++) {
        quoted ^= in.data[i] == '"';
        for (size_t s = 0; s < 3; s++)
            counts[s] += !quoted && in.data[i] == separators[s];
    }
    for (size_t s = 1; s < 3; s++)
        if (counts[s] > counts[best])
            best = s;
    return separators[best];
}

/* White space in fields is the reader's business, but for the tab as separator it must not go. */
static int no_space(unsigned char c)
{
    return c == ' ';
}

static int code_of(struct reading *r)
{
    if (r->code)
        return r->code;
    switch (csv_error(&r->parser)) {
    case CSV_SUCCESS:
        return 0;
    case CSV_ENOMEM:
        return r->parser.entry_size >= CSV_ROW_BYTES / 2 ? ERR_LIMIT : ERR_NOMEM;
    case CSV_ETOOBIG:
        return ERR_LIMIT;
    default:
        return ERR_DAMAGED;
    }
}

static int parse(struct reading *r, struct text_input *in)
{
    struct bytes piece;
    bool first = true;
    int got;

    while ((got = text_input_next(in, &piece)) == 1) {
        if (first) {
            piece = skip_preamble(piece);
            csv_set_delim(&r->parser, separator_of(piece));
        }
        first = false;
        if (csv_parse(&r->parser, piece.data, piece.size, on_field, on_row, r) != piece.size ||
            r->code)
            return code_of(r);
    }
    if (got < 0)
        return got;
    /* Its own check for this comes only with a strictness that refuses quotes within fields. */
    if (r->parser.pstate == IN_FIELD && r->parser.quoted)
        return ERR_DAMAGED;
    if (csv_fini(&r->parser, on_field, on_row, r) != 0)
        return r->code ? r->code : ERR_DAMAGED;
    return r->code;
}

int csv_read(struct io_source *source, int (*row)(void *ctx, const struct csv_row *row), void *ctx)
{
    struct reading r = {.row = row, .ctx = ctx};
    struct text_input in = {0};
    int code;

    if (csv_init(&r.parser, 0) != 0)
        return ERR_NOMEM;
    csv_set_realloc_func(&r.parser, bounded);
    csv_set_free_func(&r.parser, mem_free);
    csv_set_blk_size(&r.parser, GROWTH); /* it grows by that much, not by a factor */
    csv_set_space_func(&r.parser, no_space);
    code = text_input_init(&in, source);
    if (!code)
        code = parse(&r, &in);
    text_input_done(&in);
    csv_free(&r.parser);
    buf_done(&r.text);
    buf_done(&r.spans);
    buf_done(&r.fields);
    return code;
}
