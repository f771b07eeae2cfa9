/* tinyimage.c: see tinyimage.h. */
#include "tests/support/tinyimage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/item.h"
#include "tests/support/forge.h"

enum { CAPACITY = 4 << 20, ROW_BITMAP = 20, ROW_SIZE = 21 };

void tiny_init(struct tiny *t, enum ost_format format)
{
    memset(t, 0, sizeof *t);
    t->v = ost_variant_of(format);
    t->capacity = CAPACITY;
    t->data = mem_zalloc(t->capacity);
    assert_non_null(t->data);
    t->size = t->v->page_size;
    t->next_bid = 4;
}

void tiny_done(struct tiny *t)
{
    mem_free(t->data);
}

uint64_t tiny_block(struct tiny *t, const void *data, size_t size, bool internal)
{
    struct ost_block *b = &t->blocks[t->block_count++];

    assert_true(t->block_count <= TINY_BLOCKS && size <= t->v->data_max);
    *b = (struct ost_block){
        .bid = t->next_bid | (internal ? BID_INTERNAL : 0),
        .offset = (t->size + t->v->unit - 1) & ~(uint64_t)(t->v->unit - 1),
        .stored = (uint16_t)size,
        .inflated = (uint16_t)size,
        .refs = 2,
    };
    t->next_bid += 4;
    assert_true(b->offset + OST_BLOCK_MAX < t->capacity);
    t->size = b->offset + forge_block(t->v, t->data + b->offset, b, data);
    return b->bid;
}

uint64_t tiny_value(struct tiny *t, const void *data, size_t size)
{
    uint8_t xblock[16 + 64 * 8];
    uint64_t bids[64];
    unsigned count = 0;

    if (size == 0)
        return 0;
    for (size_t at = 0; at < size; at += t->v->data_max) {
        size_t part = size - at < t->v->data_max ? size - at : t->v->data_max;

        assert_true(count < 64);
        bids[count++] = tiny_block(t, (const uint8_t *)data + at, part, false);
    }
    if (count == 1)
        return bids[0];
    return tiny_block(t, xblock, forge_xblock(t->v, xblock, 1, (uint32_t)size, bids, count), true);
}

uint64_t tiny_heap(struct tiny *t, struct forge_heap *h)
{
    uint8_t xblock[16 + FORGE_LEAVES * 8];
    uint64_t bids[FORGE_LEAVES] = {0}, bid;
    uint32_t total = 0;

    for (unsigned i = 0; i < h->leaf_count; i++) {
        bids[i] = tiny_block(t, h->list[i].data, h->list[i].size, false);
        total += (uint32_t)h->list[i].size;
    }
    bid = bids[0];
    if (h->leaf_count > 1)
        bid =
            tiny_block(t, xblock, forge_xblock(t->v, xblock, 1, total, bids, h->leaf_count), true);
    mem_free(h);
    return bid;
}

uint64_t tiny_pc(struct tiny *t, const struct forge_prop *props, size_t count)
{
    struct forge_heap *h = forge_heap_new(t->v->format, OST_HEAP_PROPERTIES);

    forge_pc(h, props, count);
    return tiny_heap(t, h);
}

uint64_t tiny_subnodes(struct tiny *t, const struct ost_subnode *entries, unsigned count)
{
    uint8_t block[8 + 300 * 24];
    size_t size = forge_slblock(t->v, block, count);

    assert_true(count <= 300);
    for (unsigned i = 0; i < count; i++)
        forge_sl_entry(t->v, block, i, entries[i].nid, entries[i].data, entries[i].sub);
    return tiny_block(t, block, size, true);
}

void tiny_node(struct tiny *t, uint32_t nid, uint64_t data, uint64_t sub, uint32_t parent)
{
    unsigned at = t->node_count++;

    assert_true(t->node_count <= TINY_NODES);
    for (; at > 0 && t->nodes[at - 1].nid > nid; at--)
        t->nodes[at] = t->nodes[at - 1];
    t->nodes[at] = (struct ost_node){.nid = nid, .data = data, .sub = sub, .parent = parent};
}

static const struct forge_column columns[] = {
    {0x3008, OST_TIME, 4, 8, 1},
    {0x65E2, OST_BINARY, 12, 4, 2},
    {0x65E3, OST_BINARY, 16, 4, 3},
    {0x67F2, OST_I32, 0, 4, 0},
};

void tiny_contents(struct tiny *t, uint32_t nid, const struct tiny_row *rows, unsigned count,
                   uint32_t matrix_nid)
{
    struct forge_heap *h = forge_heap_new(t->v->format, OST_HEAP_TABLE);
    uint8_t matrix[300 * ROW_SIZE] = {0};
    uint32_t rows_hnid = 0;
    uint64_t sub = 0;

    assert_true(count <= 300);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *row = matrix + i * ROW_SIZE;

        forge_cell(row, &columns[3], ROW_BITMAP, rows[i].id);
        if (rows[i].time)
            forge_cell(row, &columns[0], ROW_BITMAP, rows[i].time);
        if (rows[i].key)
            forge_cell(row, &columns[1], ROW_BITMAP,
                       forge_heap_add(h, rows[i].key, strlen(rows[i].key)));
        if (rows[i].list)
            forge_cell(row, &columns[2], ROW_BITMAP,
                       forge_heap_add(h, rows[i].list, strlen(rows[i].list)));
    }
    if (count && matrix_nid) {
        struct ost_subnode entry = {.nid = matrix_nid};

        entry.data = tiny_value(t, matrix, count * ROW_SIZE);
        sub = tiny_subnodes(t, &entry, 1);
        rows_hnid = matrix_nid;
    } else if (count) {
        rows_hnid = forge_heap_add(h, matrix, count * ROW_SIZE);
    }
    forge_heap_finish(h, forge_tcinfo(h, columns, 4, ROW_BITMAP, ROW_SIZE, rows_hnid));
    tiny_node(t, nid, tiny_heap(t, h), sub, 0);
}

uint8_t *tiny_at(struct tiny *t, uint64_t bid)
{
    for (unsigned i = 0; i < t->block_count; i++)
        if (t->blocks[i].bid == bid)
            return t->data + t->blocks[i].offset;
    fail();
    return NULL;
}

static struct ost_bref add_page(struct tiny *t, uint8_t *page, enum ost_tree tree)
{
    struct ost_bref ref = {.bid = t->next_bid++};

    ref.offset = (t->size + t->v->page_align - 1) & ~(uint64_t)(t->v->page_align - 1);
    assert_true(ref.offset + t->v->page_size <= t->capacity);
    memcpy(t->data + ref.offset, page, t->v->page_size);
    forge_seal(t->v, t->data + ref.offset, ost_tree_ptype(tree), ref.bid, ref.offset);
    t->size = ref.offset + t->v->page_size;
    return ref;
}

static uint64_t key_of(const struct tiny *t, enum ost_tree tree, unsigned i)
{
    return tree == OST_TREE_BBT ? t->blocks[i].bid : t->nodes[i].nid;
}

static struct ost_bref add_tree(struct tiny *t, enum ost_tree tree, unsigned count)
{
    unsigned most = tree == OST_TREE_BBT ? t->v->bbt_max : t->v->nbt_max, leaves = 0;
    uint8_t root[OST_PAGE_MAX] = {0};

    for (unsigned first = 0; first < count || first == 0; first += most, leaves++) {
        uint8_t page[OST_PAGE_MAX] = {0};
        unsigned n = count - first < most ? count - first : most;

        assert_true(leaves < t->v->branch_max);
        forge_counters(t->v, page, tree, 0, n);
        for (unsigned i = 0; i < n && tree == OST_TREE_BBT; i++)
            forge_block_entry(t->v, page, i, &t->blocks[first + i]);
        for (unsigned i = 0; i < n && tree == OST_TREE_NBT; i++)
            forge_node_entry(t->v, page, i, &t->nodes[first + i]);
        forge_branch(t->v, root, leaves, n ? key_of(t, tree, first) : 0, add_page(t, page, tree));
    }
    forge_counters(t->v, root, tree, 1, leaves);
    return add_page(t, root, tree);
}

void tiny_finish(struct tiny *t)
{
    t->header = (struct ost_header){
        .content = OST_CONTENT_OST,
        .format = t->v->format,
        .version = 36,
        .unique = 7,
        .nbt = add_tree(t, OST_TREE_NBT, t->node_count),
    };
    t->header.bbt = add_tree(t, OST_TREE_BBT, t->block_count);
}
