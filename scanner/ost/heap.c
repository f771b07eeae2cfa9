/*
 * heap.c: see heap.h.
 *
 *   leaf 0:            ibHnpm(2) EC client(1) hidUserRoot(4) fill levels(4) │ items … │ page map
 *   leaf 8, 136, …:    ibHnpm(2) fill levels(64)                            │ items … │ page map
 *   other leaves:      ibHnpm(2)                                            │ items … │ page map
 *
 *   page map at ibHnpm: cAlloc(2) cFree(2) rgibAlloc[cAlloc + 1](2 each)
 *   item i, counted from 1, is [rgibAlloc[i-1], rgibAlloc[i])
 *
 * The HID of a 4k image splits 14/13 where the others split 11/16. All real 4k heaps have one leaf
 * and fewer than 2,048 items, so they read the same with both; two independent readers and the
 * arithmetic of 65,512-byte leaves say 14.
 */
#include "scanner/ost/heap.h"

#include "io/err.h"

enum {
    HN_SIGNATURE = 0xEC,
    HN_HEADER = 12,
    HN_OFF_SIGNATURE = 2,
    HN_OFF_CLIENT = 3,
    HN_OFF_ROOT = 4,
    MAP_HEADER = 4,
};

static int memory_get(void *ctx, size_t index, struct bytes *out)
{
    const struct bytes *leaf = (const struct bytes *)ctx + index;

    if (!leaf->data)
        return ERR_DAMAGED;
    *out = *leaf;
    return 0;
}

struct ost_leaves ost_leaves_in_memory(const struct bytes *leaves, size_t count)
{
    struct ost_leaves all = {.count = count, .get = memory_get, .ctx = (void *)(uintptr_t)leaves};

    for (size_t i = 0; i < count; i++)
        all.bytes += leaves[i].size;
    return all;
}

unsigned ost_heap_index_bits(enum ost_format format)
{
    return format == OST_FORMAT_UNICODE4K ? 14 : 11;
}

/* Items lie before their page map: one that reaches into it is no item. */
static void open_first(struct ost_heap *h, struct bytes leaf)
{
    size_t map = le16(leaf.data), room;

    if (!range_fits(map, MAP_HEADER + 2, leaf.size))
        return;
    /* Of n starts, each item takes its own and the next one. */
    room = (leaf.size - map - MAP_HEADER) / 2 - 1;
    h->first.data = leaf.data;
    h->first.starts = leaf.data + map + MAP_HEADER;
    h->first.map = (uint32_t)map;
    h->first.count = le16(leaf.data + map);
    if (h->first.count > room)
        h->first.count = (uint32_t)room;
    if (h->first.count >= 1u << h->index_bits)
        h->first.count = (1u << h->index_bits) - 1;
}

int ost_heap_open(enum ost_format format, struct ost_leaves leaves, struct ost_heap *out)
{
    struct bytes first;
    int err;

    if (!leaves.count)
        return ERR_DAMAGED;
    err = leaves.get(leaves.ctx, 0, &first);
    if (err)
        return err;
    if (first.size < HN_HEADER + MAP_HEADER || first.data[HN_OFF_SIGNATURE] != HN_SIGNATURE)
        return ERR_DAMAGED;
    *out = (struct ost_heap){
        .leaves = leaves,
        .client = first.data[HN_OFF_CLIENT],
        .root = le32(first.data + HN_OFF_ROOT),
        .index_bits = ost_heap_index_bits(format),
    };
    if (leaves.get == memory_get)
        open_first(out, first);
    return 0;
}

size_t ost_heap_block_of(const struct ost_heap *h, uint32_t hid)
{
    return hid >> (OST_HID_TYPE_BITS + h->index_bits);
}

int ost_heap_find(const struct ost_heap *h, uint32_t hid, struct bytes *out)
{
    uint32_t index = hid >> OST_HID_TYPE_BITS & ((1u << h->index_bits) - 1);
    size_t block = ost_heap_block_of(h, hid);
    struct bytes leaf;
    size_t map, entry;
    uint16_t count, start, stop;
    int err;

    if ((hid & ((1u << OST_HID_TYPE_BITS) - 1)) != 0 || index == 0 || block >= h->leaves.count)
        return ERR_DAMAGED;
    err = h->leaves.get(h->leaves.ctx, block, &leaf);
    if (err)
        return err;
    if (leaf.size < 2)
        return ERR_DAMAGED;
    map = le16(leaf.data);
    if (!range_fits(map, MAP_HEADER, leaf.size))
        return ERR_DAMAGED;
    count = le16(leaf.data + map);
    entry = map + MAP_HEADER + (size_t)(index - 1) * 2;
    if (index > count || !range_fits(entry, 4, leaf.size))
        return ERR_DAMAGED;
    start = le16(leaf.data + entry);
    stop = le16(leaf.data + entry + 2);
    /* Items lie before their page map: one that reaches into it is no item. */
    if (start > stop || stop > map)
        return ERR_DAMAGED;
    *out = (struct bytes){leaf.data + start, (size_t)(stop - start)};
    return 0;
}
