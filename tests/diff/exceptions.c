/* exceptions.c: see exceptions.h. */
#include "tests/diff/exceptions.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { COLUMNS = 8, PROOF_BYTES = 64, SHOWN_MOST = 40 };

enum column { IMAGE, NID, KEY, COUNT, NATIVE, LIBPFF, PROOF, REASON };

struct exception {
    char *column[COLUMNS];
    unsigned line;
    uint64_t used;   /* in the image at hand */
    uint64_t images; /* that it applied to */
};

/* The list */

static char *read_text(const char *path)
{
    struct buf text = BUF_INIT;
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t n;

    assert_non_null(file);
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_append(&text, piece, n);
    fclose(file);
    buf_putc(&text, '\0');
    assert_false(text.failed);
    return (char *)text.data;
}

static void add_line(struct judge *j, char *line, unsigned number)
{
    struct exception e = {.line = number};
    char *rest = line;

    for (unsigned i = 0; i < COLUMNS; i++) {
        e.column[i] = strsep(&rest, "\t");
        if (!e.column[i] || !e.column[i][0])
            fail_msg("line %u of the exceptions has not %d columns", number, COLUMNS);
    }
    assert_null(rest);
    j->list = realloc(j->list, (j->count + 1) * sizeof *j->list);
    assert_non_null(j->list);
    j->list[j->count++] = e;
}

void judge_init(struct judge *j, const char *path)
{
    char *rest, *line;
    unsigned number = 0;

    *j = (struct judge){.text = read_text(path)};
    rest = j->text;
    while ((line = strsep(&rest, "\n")) != NULL) {
        number++;
        if (line[0] && line[0] != '#')
            add_line(j, line, number);
    }
}

void judge_done(struct judge *j)
{
    free(j->list);
    buf_done(&(struct buf){.data = (uint8_t *)j->text});
}

/* Matching */

static bool is_zero(struct bytes value)
{
    if (!value.data || !fact_type(value))
        return false;
    value = fact_bytes(value);
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i])
            return false;
    return true;
}

static bool says(const char *expected, struct bytes value)
{
    char text[COMPARE_TEXT];

    if (strcmp(expected, "*") == 0)
        return true;
    if (strcmp(expected, "zero") == 0)
        return is_zero(value);
    compare_text(value, text);
    return strcmp(expected, text) == 0;
}

static bool applies(const struct exception *e, const char *image)
{
    return fnmatch(e->column[IMAGE], image, 0) == 0;
}

static bool matches(const struct exception *e, const struct judge *j, const struct difference *d)
{
    return applies(e, j->image) &&
           (strcmp(e->column[NID], "*") == 0 || strtoul(e->column[NID], NULL, 16) == d->nid) &&
           fnmatch(e->column[KEY], d->key, 0) == 0 && says(e->column[NATIVE], d->native) &&
           says(e->column[LIBPFF], d->libpff);
}

/* Proofs */

static bool same_value(struct bytes a, struct bytes b)
{
    return a.data && b.data && a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static bool prove_masked(const struct judge *j, const struct difference *d)
{
    char key[64];

    if (strncmp(d->key, "digest ", 7) != 0)
        return false;
    snprintf(key, sizeof key, FACT_MASKED " %s", d->key + 7);
    return same_value(d->libpff, fact_find(j->native, d->nid, key));
}

static size_t first_of(const struct facts *f, uint32_t nid)
{
    size_t low = 0, high = f->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (f->list[middle].nid < nid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* All that is said of a node is the same, but for the image's form. */
static bool same_node(const struct facts *a, const struct facts *b, uint32_t nid)
{
    size_t x = first_of(a, nid), y = first_of(b, nid), from = x;

    for (; x < a->count && a->list[x].nid == nid; x++, y++)
        if (y >= b->count || b->list[y].nid != nid || strcmp(fact_key(a, x), fact_key(b, y)) != 0 ||
            (!fact_is_of_form(a, x) && !same_value(fact_value(a, x), fact_value(b, y))))
            return false;
    return x > from && (y >= b->count || b->list[y].nid != nid);
}

/* The same for all differences of a node, so asked once. */
static bool prove_plain(struct judge *j, uint32_t nid)
{
    if (!j->plain)
        return false;
    if (!j->proved_any || j->proved_nid != nid)
        j->proved = same_node(j->native, j->plain, nid);
    j->proved_any = true;
    j->proved_nid = nid;
    return j->proved;
}

/* "BID AT HEX; BID AT HEX; ..." */
static bool prove_block(const struct judge *j, const char *place)
{
    while (*place) {
        char *end;
        uint64_t bid = strtoull(place, &end, 16), at = strtoull(end, &end, 16);
        struct bytes block = cells_block(j->witness, bid);
        size_t size = 0;
        unsigned byte;

        for (end++; sscanf(end, "%2x", &byte) == 1; end += 2, size++)
            if (at + size >= block.size || block.data[at + size] != byte)
                return false;
        if (!size || (*end && strncmp(end, "; ", 2) != 0))
            return false;
        place = *end ? end + 2 : end;
    }
    return true;
}

static bool prove(struct judge *j, const struct exception *e, const struct difference *d)
{
    const char *proof = e->column[PROOF];

    if (strcmp(proof, "cell") == 0)
        return d->native.data && !d->libpff.data && strstr(d->key, "recipient ");
    if (strcmp(proof, "masked") == 0)
        return prove_masked(j, d);
    if (strcmp(proof, "plain") == 0)
        return prove_plain(j, d->nid);
    if (strcmp(proof, "crash") == 0)
        return prove_plain(j, d->nid) && !d->libpff.data &&
               j->libpff->codes[F_engine_crashed] == 1 && d->nid > j->last_node;
    if (strcmp(proof, "unopened") == 0)
        return j->libpff->codes[F_engine_open_failed] == 1 &&
               j->witness->file.report.state == OST_HEADER_SUSPECT;
    if (strncmp(proof, "block ", 6) == 0)
        return prove_block(j, proof + 6);
    fail_msg("line %u: there is no proof \"%s\"", e->line, proof);
    return false;
}

static void visit(void *ctx, const struct difference *d)
{
    struct judge *j = ctx;
    unsigned unproved = 0;

    for (size_t i = 0; i < j->count; i++) {
        struct exception *e = &j->list[i];

        if (!matches(e, j, d))
            continue;
        if (!prove(j, e, d)) {
            unproved = e->line;
            continue;
        }
        e->used++;
        j->excused++;
        return;
    }
    if (j->wrong++ >= SHOWN_MOST)
        return;
    if (unproved)
        print_message("not proved by line %u: ", unproved);
    compare_print(j->image, d);
}

static void settle(struct judge *j)
{
    for (size_t i = 0; i < j->count; i++) {
        struct exception *e = &j->list[i];

        if (!applies(e, j->image))
            continue;
        e->images++;
        if (strcmp(e->column[COUNT], "*") != 0 && e->used != strtoull(e->column[COUNT], NULL, 10)) {
            print_message("%s: line %u accounts for %s differences, there are %" PRIu64 "\n",
                          j->image, e->line, e->column[COUNT], e->used);
            j->wrong++;
        }
        e->used = 0;
    }
}

void judge_image(struct judge *j, const char *name, const char *path, const struct facts *native,
                 const struct facts *libpff, const struct facts *plain)
{
    struct compare_counts counts = {0};
    struct cells witness;

    j->image = name;
    j->native = native;
    j->libpff = libpff;
    j->plain = plain;
    j->proved_any = false;
    j->witness = &witness;
    j->last_node = libpff->count ? libpff->list[libpff->count - 1].nid : 0;
    cells_open(&witness, path);
    compare_facts(native, libpff, &counts, visit, j);
    j->wrong += cells_check(&witness, native, &j->cells);
    cells_done(&witness);
    settle(j);
    j->images++;
    j->facts += counts.facts;
    j->alone += counts.alone;
}

void judge_conclude(struct judge *j, bool all)
{
    for (size_t i = 0; i < j->count && all; i++) {
        if (j->list[i].images)
            continue;
        print_message("line %u: there is no image %s\n", j->list[i].line, j->list[i].column[IMAGE]);
        j->wrong++;
    }
    print_message("%" PRIu64 " images, %" PRIu64 " facts compared, %" PRIu64
                  " exceptions, each proved; %" PRIu64
                  " facts of nodes that libpff failed to read; "
                  "%" PRIu64 " cells read a third time\n",
                  j->images, j->facts, j->excused, j->alone, j->cells);
    assert_true(j->images > 0 && j->facts > 0);
    assert_int_equal(j->wrong, 0);
}
