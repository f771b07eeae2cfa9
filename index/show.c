/*
 * show.c: see show.h. A table's rows are held back up to SHOW_SAMPLE, from which its widths are
 * made; after that each row goes out at once.
 */
#include "index/show.h"

#include <string.h>

#include "index/columns.h"
#include "index/csv.h"
#include "index/fields.h"
#include "index/table.h"
#include "index/terminal.h"
#include "io/err.h"
#include "io/mem.h"

enum { CSV_COLUMNS_MAX = 128 };

struct idx_show {
    struct idx_show_options options;
    idx_show_write write;
    void *ctx;
    struct buf out, plain, quoted; /* scratch */
    int type;                      /* of the last line, -1 before the first */
    struct idx_table table;        /* of the type at hand, when it has one (columns not NULL) */
    const char *names[CSV_COLUMNS_MAX]; /* of the CSV's columns */
    size_t name_count;
    bool header_out;
};

static bool has_name(const struct idx_show *s, const char *name)
{
    for (size_t i = 0; i < s->name_count; i++)
        if (strcmp(s->names[i], name) == 0)
            return true;
    return false;
}

static void collect_names(struct idx_show *s)
{
    const unsigned types = s->options.types & SHOW_ALL_TYPES;

    if (types & (types - 1))
        s->names[s->name_count++] = "type";
    for (unsigned type = 0; type < IDX_RECORDS; type++) {
        const struct idx_csv_column *columns;
        size_t count;

        if (!(types >> type & 1))
            continue;
        columns = idx_csv_columns((enum idx_record)type, &count);
        for (size_t i = 0; i < count; i++)
            if (!has_name(s, columns[i].name))
                s->names[s->name_count++] = columns[i].name;
    }
}

int idx_show_create(const struct idx_show_options *options, idx_show_write write, void *ctx,
                    struct idx_show **out)
{
    struct idx_show *s = mem_zalloc(sizeof *s);

    if (!s)
        return ERR_NOMEM;
    s->options = *options;
    if (s->options.width && s->options.width < SHOW_WIDTH_MIN)
        s->options.width = SHOW_WIDTH_MIN;
    s->write = write;
    s->ctx = ctx;
    s->type = -1;
    collect_names(s);
    *out = s;
    return 0;
}

void idx_show_destroy(struct idx_show *s)
{
    if (!s)
        return;
    idx_table_done(&s->table);
    buf_done(&s->out);
    buf_done(&s->plain);
    buf_done(&s->quoted);
    mem_free(s);
}

/* What stands in s->out goes to the callback. */
static int emit(struct idx_show *s)
{
    int code = 0;

    if (s->out.failed || s->table.text.failed || s->table.cells.failed)
        return ERR_NOMEM;
    if (s->out.size)
        code = s->write(s->ctx, s->out.data, s->out.size);
    buf_reset(&s->out);
    return code;
}

static void csv_header(struct idx_show *s)
{
    for (size_t i = 0; i < s->name_count; i++) {
        if (i)
            buf_putc(&s->out, ',');
        buf_puts(&s->out, s->names[i]);
    }
    buf_puts(&s->out, "\r\n");
    s->header_out = true;
}

static void csv_value(struct idx_show *s, const char *name, enum idx_record type,
                      const struct idx_fields *f)
{
    size_t count;
    const struct idx_csv_column *columns = idx_csv_columns(type, &count);

    if (strcmp(name, "type") == 0)
        buf_puts(&s->plain, idx_record_name(type));
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            idx_fields_text(f, name, columns[i].form, columns[i].of, &s->plain);
}

static void csv_row(struct idx_show *s, enum idx_record type, const struct idx_fields *f)
{
    if (!s->header_out)
        csv_header(s);
    for (size_t i = 0; i < s->name_count; i++) {
        buf_reset(&s->plain);
        csv_value(s, s->names[i], type, f);
        s->out.failed |= s->plain.failed;
        if (i)
            buf_putc(&s->out, ',');
        csv_field(&s->out, s->plain.data, s->plain.size);
    }
    buf_puts(&s->out, "\r\n");
}

/* How much of a value goes into one line of that room: to the last space, if there is one. */
static size_t line_length(struct bytes rest, size_t room)
{
    size_t taken, n = terminal_fit(rest, room, &taken);
    const uint8_t *space = n < rest.size ? memrchr(rest.data, ' ', n + 1) : NULL;

    return space && space > rest.data ? (size_t)(space - rest.data) : n;
}

/* A value behind its name, in as many lines as it takes. */
static void list_value(struct idx_show *s, const char *name, size_t name_width)
{
    struct bytes rest = {s->quoted.data, s->quoted.size};
    const size_t indent = name_width + 2, width = s->options.width;
    const size_t room = !width ? SIZE_MAX / 2 : width > indent + 8 ? width - indent : 8;
    size_t column = strlen(name);

    buf_puts(&s->out, name);
    while (rest.size) {
        size_t n = line_length(rest, room);

        for (; column < indent; column++)
            buf_putc(&s->out, ' ');
        buf_append(&s->out, rest.data, n);
        buf_putc(&s->out, '\n');
        if (n < rest.size && rest.data[n] == ' ')
            n++;
        rest = (struct bytes){rest.data + n, rest.size - n};
        column = 0;
    }
}

static void list(struct idx_show *s, enum idx_record type, const struct idx_fields *f)
{
    size_t count, name_width = 0;
    const struct idx_csv_column *columns = idx_csv_columns(type, &count);

    buf_puts(&s->out, idx_record_name(type));
    buf_putc(&s->out, '\n');
    for (size_t i = 0; i < count; i++)
        if (strlen(columns[i].name) > name_width)
            name_width = strlen(columns[i].name);
    for (size_t i = 0; i < count; i++) {
        buf_reset(&s->plain);
        buf_reset(&s->quoted);
        idx_fields_text(f, columns[i].name, columns[i].form, columns[i].of, &s->plain);
        terminal_quote((struct bytes){s->plain.data, s->plain.size}, &s->quoted);
        s->out.failed |= s->plain.failed | s->quoted.failed;
        if (s->quoted.size)
            list_value(s, columns[i].name, name_width);
    }
}

/* From one type to another: what was held back, an empty line, a new table. */
static void turn_to(struct idx_show *s, enum idx_record type)
{
    const struct idx_table_column *columns;
    size_t count = 0;

    idx_table_flush(&s->table, &s->out);
    if (s->type >= 0)
        buf_putc(&s->out, '\n');
    s->out.failed |= s->table.text.failed | s->table.cells.failed;
    idx_table_done(&s->table);
    columns = idx_table_columns(type, &count);
    idx_table_init(&s->table, columns, count, s->options.width);
    s->type = (int)type;
}

static void table_row(struct idx_show *s, enum idx_record type, const struct idx_fields *f)
{
    if (s->type != (int)type || !s->table.columns)
        turn_to(s, type);
    if (!s->table.columns) {
        list(s, type, f);
        return;
    }
    idx_table_add(&s->table, f);
    if (s->table.decided || s->table.rows == SHOW_SAMPLE)
        idx_table_flush(&s->table, &s->out);
}

int idx_show_line(struct idx_show *s, enum idx_record type, struct bytes line)
{
    struct idx_fields fields;
    int code;

    if (!(s->options.types >> type & 1))
        return 0;
    if (s->options.format == SHOW_JSON)
        return s->write(s->ctx, line.data, line.size);
    code = idx_fields_parse(line, &fields);
    if (code)
        return ERR_DAMAGED;
    if (s->options.format == SHOW_CSV)
        csv_row(s, type, &fields);
    else
        table_row(s, type, &fields);
    return emit(s);
}

int idx_show_end(struct idx_show *s)
{
    if (s->options.format == SHOW_CSV && !s->header_out)
        csv_header(s);
    if (s->options.format == SHOW_TABLE)
        idx_table_flush(&s->table, &s->out);
    return emit(s);
}

int idx_show_types(const char *text, unsigned *types)
{
    unsigned chosen = 0;

    for (;;) {
        const size_t size = strcspn(text, ",");
        const int type = idx_record_by_name(text, size);

        if (type < 0)
            return ERR_USAGE;
        chosen |= 1u << type;
        if (!text[size])
            break;
        text += size + 1;
    }
    *types = chosen;
    return 0;
}
