/*
 * targets.c: see targets.h.
 *
 * The truth lists structures with their covered ranges, in no order. All are sorted; then what lies
 * between the covered ranges of a structure is its padding (or the structure itself, when nothing
 * of it is covered), and what lies between structures is free.
 */
#include "tests/support/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/json_read.h"
#include "io/mem.h"
#include "tests/support/places.h"

const char *const target_kind_names[TARGET_KINDS] = {
    "header",  "amap",       "amap_unproven", "nbt_leaf", "nbt_branch",   "bbt_leaf", "bbt_branch",
    "branch",  "data",       "xblock",        "xxblock",  "slblock",      "siblock",  "internal",
    "trailer", "stale_page", "stale_block",   "pmap",     "density_list", "padding",  "free",
};

static void add(struct targets *t, bool covered, const struct target *one)
{
    struct target_list *l = &t->lists[covered][one->kind];

    if (!one->length)
        return;
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 64;
        l->list = mem_realloc(l->list, l->capacity * sizeof *l->list);
        assert_non_null(l->list);
    }
    l->list[l->count++] = *one;
}

static void allow(struct target *t, enum finding_code code)
{
    t->codes[code / 64] |= UINT64_C(1) << (code % 64);
}

static void allow_named(struct target *t, const struct json_token *name)
{
    for (unsigned code = 0; code < FINDING_CODES; code++)
        if (json_token_is(name, finding_info((enum finding_code)code)->name)) {
            allow(t, (enum finding_code)code);
            return;
        }
    fail_msg("the truth names an unknown finding: %.*s", (int)name->text.size, name->text.data);
}

/* The truth file. */

struct structures {
    struct target_list list; /* whole structures */
    struct target_list ranges;
};

static void append(struct target_list *l, const struct target *one)
{
    struct targets t = {.lists[0][TARGET_HEADER] = *l};
    struct target any = *one;

    any.kind = TARGET_HEADER;
    add(&t, false, &any);
    *l = t.lists[0][TARGET_HEADER];
    l->list[l->count - 1].kind = one->kind;
}

static uint64_t number(struct bytes record, const char *key)
{
    struct json_token token;
    struct bytes value;
    uint64_t n = 0;

    assert_int_equal(json_find(record, key, &value), 1);
    assert_true(json_scalar(value, &token) && json_token_u64(&token, &n));
    return n;
}

static bool is(struct bytes record, const char *key, const char *text)
{
    struct json_token token;
    struct bytes value;

    return json_find(record, key, &value) == 1 && json_scalar(value, &token) &&
           token.kind == JSON_STRING && json_token_is(&token, text);
}

static enum target_kind kind_of(struct bytes record)
{
    for (unsigned kind = 0; kind < TARGET_KINDS; kind++)
        if (is(record, "kind", target_kind_names[kind]))
            return (enum target_kind)kind;
    fail_msg("the truth has a structure of an unknown kind: %.*s", (int)record.size, record.data);
    return TARGET_KINDS;
}

/* [[offset, length, code…]…] */
static void read_ranges(struct structures *s, const struct target *whole, struct bytes covered)
{
    struct json_token token;
    struct json_reader r;

    json_read_start(&r, covered);
    assert_int_equal(json_read_next(&r, &token), 1);
    while (json_read_next(&r, &token) == 1 && token.kind == JSON_ARRAY) {
        struct target range = *whole;

        assert_true(json_read_next(&r, &token) == 1 && json_token_u64(&token, &range.offset));
        assert_true(json_read_next(&r, &token) == 1 && json_token_u64(&token, &range.length));
        while (json_read_next(&r, &token) == 1 && token.kind == JSON_STRING)
            allow_named(&range, &token);
        append(&s->ranges, &range);
    }
}

static void read_record(struct structures *s, struct bytes record)
{
    struct target whole = {0};
    struct bytes covered;

    if (!is(record, "type", "structure"))
        return;
    whole.kind = kind_of(record);
    whole.offset = whole.start = number(record, "offset");
    whole.length = whole.structure = number(record, "length");
    assert_int_equal(json_find(record, "covered", &covered), 1);
    append(&s->list, &whole);
    read_ranges(s, &whole, covered);
}

static int by_offset(const void *a, const void *b)
{
    const struct target *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static void add_gap(struct targets *t, enum target_kind kind, uint64_t from, uint64_t to)
{
    struct target gap = {.kind = kind, .offset = from, .length = to - from};

    assert_true(from <= to);
    add(t, false, &gap);
}

static void sort_out(struct targets *t, struct structures *s, uint64_t size)
{
    uint64_t end = 0;
    size_t next = 0;

    qsort(s->list.list, s->list.count, sizeof *s->list.list, by_offset);
    qsort(s->ranges.list, s->ranges.count, sizeof *s->ranges.list, by_offset);
    for (size_t i = 0; i < s->list.count; i++) {
        const struct target *whole = &s->list.list[i];
        uint64_t at = whole->offset;
        size_t first = next;

        add_gap(t, TARGET_FREE, end, at);
        end = at + whole->length;
        for (; next < s->ranges.count && s->ranges.list[next].offset < end; next++) {
            add_gap(t, TARGET_PADDING, at, s->ranges.list[next].offset);
            add(t, true, &s->ranges.list[next]);
            at = s->ranges.list[next].offset + s->ranges.list[next].length;
        }
        add_gap(t, next > first ? TARGET_PADDING : whole->kind, at, end);
    }
    add_gap(t, TARGET_FREE, end, size);
}

static void read_truth(struct targets *t, FILE *file, uint64_t size)
{
    struct structures s = {0};
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    while ((length = getline(&line, &room, file)) > 0)
        read_record(&s, (struct bytes){(const uint8_t *)line, (size_t)length});
    free(line);
    assert_true(s.ranges.count > 0);
    sort_out(t, &s, size);
    mem_free(s.list.list);
    mem_free(s.ranges.list);
}

/* Images without a truth. */

static void allow_place(struct target *t, enum place_kind kind)
{
    for (unsigned code = 0; code < FINDING_CODES; code++)
        if (place_allows(kind, (enum finding_code)code))
            allow(t, (enum finding_code)code);
}

static void find_out(struct targets *t, const struct ndbfile *f)
{
    static const enum target_kind kinds[PLACE_KINDS] = {
        [PLACE_HEADER] = TARGET_HEADER,     [PLACE_BRANCH] = TARGET_BRANCH,
        [PLACE_NBT_LEAF] = TARGET_NBT_LEAF, [PLACE_BBT_LEAF] = TARGET_BBT_LEAF,
        [PLACE_AMAP] = TARGET_AMAP,         [PLACE_DATA] = TARGET_DATA,
        [PLACE_INTERNAL] = TARGET_INTERNAL, [PLACE_TRAILER] = TARGET_TRAILER,
        [PLACE_PADDING] = TARGET_PADDING,   [PLACE_FREE] = TARGET_FREE,
        [PLACE_OBSOLETE] = TARGET_PMAP,     [PLACE_TAIL] = TARGET_FREE,
    };
    struct places p;

    places_init(&p, f);
    for (unsigned kind = 0; kind < PLACE_KINDS; kind++)
        for (size_t i = 0; i < p.count[kind]; i++) {
            const struct place *at = &p.list[kind][i];
            struct target one = {.kind = kinds[kind],
                                 .offset = at->offset,
                                 .length = at->length,
                                 .start = at->start,
                                 .structure = at->structure};

            allow_place(&one, (enum place_kind)kind);
            add(t, kind < PLACES_COVERED, &one);
        }
    places_done(&p);
}

void targets_init(struct targets *t, const char *path, const struct ndbfile *f)
{
    char truth[4096];
    FILE *file;

    memset(t, 0, sizeof *t);
    assert_in_range(snprintf(truth, sizeof truth, "%s.truth.jsonl", path), 1, sizeof truth - 1);
    file = fopen(truth, "re");
    if (file) {
        read_truth(t, file, f->bytes.size);
        fclose(file);
    } else {
        find_out(t, f);
    }
}

void targets_done(struct targets *t)
{
    for (unsigned covered = 0; covered < 2; covered++)
        for (unsigned kind = 0; kind < TARGET_KINDS; kind++)
            mem_free(t->lists[covered][kind].list);
}
