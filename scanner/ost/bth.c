/*
 * bth.c: see bth.h.
 *
 *   header item: B5 cbKey(1) cbEnt(1) bIdxLevels(1) hidRoot(4)
 *   index item:  (key, hid of child)…      leaf item: (key, data)…
 *
 * Cycles: an index item can name an item above it, but the depth is fixed by bIdxLevels, so a path
 * always ends. The same child may be named again and again; but where every entry has bytes of its
 * own there are no more of them than the heap's bytes have room for, and so many are passed at
 * most.
 */
#include "scanner/ost/bth.h"

#include "io/err.h"

enum { BTH_SIGNATURE = 0xB5, BTH_HEADER = 8, DATA_MOST = 32 };

int ost_bth_open(const struct ost_heap *heap, uint32_t header_hid, struct ost_bth *out)
{
    struct bytes header;
    struct ost_bth tree = {.heap = heap};
    int err = ost_heap_item(heap, header_hid, &header);

    if (err)
        return err;
    if (header.size == 0) {
        *out = (struct ost_bth){.heap = heap, .key_size = 4, .data_size = 4};
        return 0;
    }
    if (header.size < BTH_HEADER || header.data[0] != BTH_SIGNATURE)
        return ERR_DAMAGED;
    tree.key_size = header.data[1];
    tree.data_size = header.data[2];
    tree.levels = header.data[3];
    tree.root = le32(header.data + 4);
    if ((tree.key_size != 2 && tree.key_size != 4 && tree.key_size != 8 && tree.key_size != 16) ||
        tree.data_size == 0 || tree.data_size > DATA_MOST || tree.levels > OST_LIMIT_BTH_LEVELS)
        return ERR_DAMAGED;
    *out = tree;
    return 0;
}

/* Enters the item `hid` one level down; damage leaves it out. */
static void enter(struct ost_bth_iter *it, uint32_t hid)
{
    struct bytes records;
    int err = ost_heap_item(it->tree->heap, hid, &records);

    if (err == ERR_DAMAGED) {
        it->damaged = true;
    } else if (err) {
        it->err = err;
        it->depth = 0;
    } else {
        it->level[it->depth].records = records;
        it->level[it->depth].next = 0;
        it->depth++;
    }
}

void ost_bth_begin(const struct ost_bth *tree, struct ost_bth_iter *it)
{
    *it = (struct ost_bth_iter){
        .tree = tree,
        .steps = tree->heap->leaves.bytes / (tree->key_size + 1u),
    };
    if (tree->root)
        enter(it, tree->root);
}

/* At most `most` records, of those that lie on end. */
static bool next_records(struct ost_bth_iter *it, uint64_t most, struct bytes *out)
{
    const struct ost_bth *t = it->tree;

    while (it->depth) {
        unsigned top = it->depth - 1;
        bool leaf = top == t->levels;
        size_t size = (size_t)t->key_size + (leaf ? t->data_size : 4u);
        struct bytes records = it->level[top].records;
        size_t at = it->level[top].next;
        uint64_t count = leaf ? most : 1;

        if (!range_fits(at, size, records.size)) {
            it->damaged |= at != records.size;
            it->depth--;
            continue;
        }
        if (count > 1 && count > (records.size - at) / size)
            count = (records.size - at) / size;
        if (count > it->steps)
            count = it->steps;
        if (count == 0) {
            it->damaged = true;
            it->depth = 0;
            break;
        }
        it->steps -= count;
        it->level[top].next = at + (size_t)count * size;
        if (leaf) {
            *out = (struct bytes){records.data + at, (size_t)count * size};
            return true;
        }
        enter(it, le32(records.data + at + t->key_size));
    }
    return false;
}

bool ost_bth_next(struct ost_bth_iter *it, const uint8_t **record)
{
    struct bytes records;

    if (!next_records(it, 1, &records))
        return false;
    *record = records.data;
    return true;
}

bool ost_bth_next_run(struct ost_bth_iter *it, struct bytes *records)
{
    return next_records(it, UINT64_MAX, records);
}

uint64_t ost_bth_key(const struct ost_bth *tree, const uint8_t *record)
{
    switch (tree->key_size) {
    case 2:
        return le16(record);
    case 4:
        return le32(record);
    default:
        return le64(record);
    }
}
