/*
 * cells.c: see cells.h.
 *
 *   block 0: heap header ─ hidUserRoot ──> TCINFO: 7C, count, ends of the groups, ..., hnidRows,
 *                                           columns of {tag(4), offset(2), size(1), bit(1)}
 *   hnidRows: a heap item or a subnode: rows of ends[3] bytes, whose last are the bitmap: from
 *   ends[2] on, the highest bit of a byte first. No row crosses the end of a block.
 */
#include "tests/diff/cells.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/diff/compare.h"

enum {
    NID_RECIPIENTS = 0x692,
    TYPE_MASK = 0x1F,
    MEMORY = 256 << 20,
    COLUMNS_AT = 22,
    COLUMN = 8,
};

void cells_open(struct cells *c, const char *path)
{
    struct ost_plan_options options;

    *c = (struct cells){0};
    ndbfile_open(&c->file, path);
    options = ndbfile_options(&c->file);
    assert_int_equal(ost_plan_load(c->file.source, &options, &c->plan), 0);
    arena_init(&c->arena, MEMORY);
    struct ost_sourceblocks_options blocks = {
        .source = c->file.source,
        .plan = &c->plan,
        .crypt = c->file.header.crypt,
        .memory_bytes = MEMORY,
        .allowance_bytes = UINT64_MAX / 2,
        .ctx = &c->reading,
        .trouble = ost_reading_block_trouble,
    };
    assert_int_equal(ost_sourceblocks_create(&blocks, &c->blocks), 0);
    c->reading = (struct ost_reading){
        .variant = c->file.variant,
        .blocks = ost_sourceblocks_view(c->blocks),
        .arena = &c->arena,
    };
    ost_reading_begin(&c->reading, 0, 0, false);
}

void cells_done(struct cells *c)
{
    ost_reading_end(&c->reading);
    ost_sourceblocks_destroy(c->blocks);
    arena_done(&c->arena);
    ost_plan_done(&c->plan);
    ndbfile_close(&c->file);
}

struct bytes cells_block(struct cells *c, uint64_t bid)
{
    const struct ost_block *block = ost_plan_block(&c->plan, bid);
    struct bytes decoded = {0};

    if (block && c->reading.blocks->get(c->reading.blocks->ctx, block, &decoded))
        return (struct bytes){0};
    if (!block)
        return decoded;
    struct bytes copy = {arena_copy(&c->arena, decoded.data, decoded.size), decoded.size};

    c->reading.blocks->put(c->reading.blocks->ctx, block, decoded);
    return copy;
}

/* A table. */
struct grid {
    struct cells *cells;
    struct ost_leaves heap, rows;
    struct bytes own; /* rows that are a heap item */
    struct bytes info;
    unsigned width, bitmap, columns;
};

static struct bytes leaf(const struct ost_leaves *leaves, size_t i)
{
    struct bytes bytes = {0};

    if (i < leaves->count)
        assert_int_equal(leaves->get(leaves->ctx, i, &bytes), 0);
    return bytes;
}

/* A heap item by the block's own page map. */
static struct bytes item_of(struct grid *g, uint32_t hid)
{
    bool k = g->cells->file.header.format == OST_FORMAT_UNICODE4K;
    unsigned index = (hid >> 5) & (k ? 0x3FFF : 0x7FF);
    struct bytes block = leaf(&g->heap, hid >> (k ? 19 : 16));
    const uint8_t *map;

    assert_true(block.size > 4 && index > 0);
    map = block.data + le16(block.data);
    assert_true(map + 6 + 2 * index <= block.data + block.size && index <= le16(map));
    return (struct bytes){block.data + le16(map + 2 + 2 * index),
                          (size_t)le16(map + 4 + 2 * index) - le16(map + 2 + 2 * index)};
}

/* Not by the tree's own order: it is wrong in some real files. */
static bool find_subnode(struct cells *c, uint64_t root, uint32_t nid, struct ost_subnode *out)
{
    struct ost_subnodes list;
    const struct ost_subnode *found;

    assert_int_equal(ost_reading_subnodes(&c->reading, root, &list), 0);
    found = ost_subnodes_find(&list, nid);
    if (found)
        *out = *found;
    return found != NULL;
}

static void open_grid(struct grid *g, struct cells *c, const struct ost_subnode *table)
{
    struct ost_subnode rows;
    uint32_t hnid;

    *g = (struct grid){.cells = c};
    assert_int_equal(ost_reading_leaves(&c->reading, table->data, &g->heap), 0);
    assert_int_equal(leaf(&g->heap, 0).data[2], 0xEC);
    g->info = item_of(g, le32(leaf(&g->heap, 0).data + 4));
    assert_int_equal(g->info.data[0], 0x7C);
    g->columns = g->info.data[1];
    g->bitmap = le16(g->info.data + 6);
    g->width = le16(g->info.data + 8);
    hnid = le32(g->info.data + 14);
    if (hnid & TYPE_MASK) {
        assert_true(find_subnode(c, table->sub, hnid, &rows));
        assert_int_equal(ost_reading_leaves(&c->reading, rows.data, &g->rows), 0);
    } else if (hnid) {
        g->own = item_of(g, hnid);
        g->rows = ost_leaves_in_memory(&g->own, 1);
    }
}

/* The n-th row, or nothing. */
static struct bytes row_of(const struct grid *g, size_t n)
{
    for (size_t i = 0; i < g->rows.count; i++) {
        struct bytes bytes = leaf(&g->rows, i);
        size_t here = bytes.size / g->width;

        if (n < here)
            return (struct bytes){bytes.data + n * g->width, g->width};
        n -= here;
    }
    return (struct bytes){0};
}

/* The column of a property, and whether the row has it. */
static bool exists(const struct grid *g, struct bytes row, unsigned column)
{
    unsigned bit = g->info.data[COLUMNS_AT + COLUMN * column + 7];

    return row.data[g->bitmap + bit / 8] & 0x80 >> bit % 8;
}

static uint16_t id_of(const struct grid *g, unsigned column)
{
    return le16(g->info.data + COLUMNS_AT + COLUMN * column + 2);
}

/* A recipient in the facts: from `at` on, all with the same path. Returns how many they are. */
static size_t check_row(const struct facts *f, size_t at, size_t path, const struct grid *g,
                        struct bytes row, uint64_t *wrong)
{
    const char *first = fact_key(f, at);
    uint32_t nid = f->list[at].nid;
    size_t count = 0, cells = 0;

    for (; at + count < f->count && f->list[at + count].nid == nid &&
           strncmp(fact_key(f, at + count), first, path) == 0;
         count++) {
        uint16_t id = (uint16_t)strtoul(fact_key(f, at + count) + path, NULL, 16);
        bool there = false;

        for (unsigned i = 0; i < g->columns && !there; i++)
            there = id_of(g, i) == id && exists(g, row, i);
        if (!there)
            print_message("%" PRIx32 " %s: its cell does not exist\n", nid,
                          fact_key(f, at + count));
        *wrong += !there;
    }
    for (unsigned i = 0; i < g->columns; i++)
        cells += exists(g, row, i);
    if (cells > count)
        print_message("%" PRIx32 " %.*s: %zu cells exist, %zu were handed out\n", nid, (int)path,
                      first, cells, count);
    *wrong += cells > count ? cells - count : 0;
    return count;
}

static uint32_t number_at(const struct facts *f, uint32_t nid, const char *path, size_t size)
{
    for (size_t i = 0; i < f->count; i++) {
        const char *key = fact_key(f, i);
        char text[COMPARE_TEXT];

        if (f->list[i].nid != nid || strncmp(key, path, size) != 0 || strcmp(key + size, "nid"))
            continue;
        compare_text(fact_value(f, i), text);
        return (uint32_t)strtoul(text, NULL, 16);
    }
    fail_msg("no number of %.*s", (int)size, path);
    return 0;
}

/* The table of recipients of the item that the key's first `size` bytes lead to. */
static struct ost_subnode table_of(struct cells *c, const struct facts *f, uint32_t nid,
                                   const char *key, size_t size)
{
    const struct ost_node *node = ost_plan_node(&c->plan, nid);
    struct ost_subnode at;

    assert_non_null(node);
    at.sub = node->sub;
    /* "attachment N " and "item " in turn */
    for (const char *p = key; p < key + size;) {
        p = strchr(p, ' ') + 1;
        if (p[0] >= '0' && p[0] <= '9')
            p = strchr(p, ' ') + 1;
        assert_true(find_subnode(c, at.sub, number_at(f, nid, key, (size_t)(p - key)), &at));
    }
    assert_true(find_subnode(c, at.sub, NID_RECIPIENTS, &at));
    return at;
}

uint64_t cells_check(struct cells *c, const struct facts *f, uint64_t *total)
{
    const char *open = "";
    uint32_t open_nid = 0;
    size_t open_size = 0, count;
    struct grid grid = {0};
    uint64_t wrong = 0;

    for (size_t i = 0; i < f->count; i += count) {
        const char *key = fact_key(f, i), *word = strstr(key, "recipient ");
        struct ost_subnode table;
        struct bytes row;
        size_t path, size;

        count = 1;
        if (!word || (word > key && word[-1] != ' '))
            continue;
        path = (size_t)(strrchr(key, ' ') + 1 - key);
        size = (size_t)(word - key);
        if (open_nid != f->list[i].nid || open_size != size || memcmp(open, key, size) != 0) {
            table = table_of(c, f, f->list[i].nid, key, size);
            open_grid(&grid, c, &table);
            open = key;
            open_size = size;
            open_nid = f->list[i].nid;
        }
        row = row_of(&grid, strtoul(word + strlen("recipient "), NULL, 10));
        assert_non_null(row.data);
        count = check_row(f, i, path, &grid, row, &wrong);
        *total += count;
    }
    return wrong;
}
