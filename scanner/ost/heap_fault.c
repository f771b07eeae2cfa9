/* heap_fault.c: see heap_fault.h. */
#include "scanner/ost/heap_fault.h"

#include "io/err.h"
#include "scanner/ost/bth.h"

static bool says(enum finding_code code, enum finding_code *out)
{
    *out = code;
    return true;
}

/* Whether the page map at the end of a leaf lies in it. */
static bool has_map(struct bytes leaf)
{
    enum { MAP_HEADER = 4, ENTRY = 2 };
    size_t map = leaf.size < 2 ? SIZE_MAX : le16(leaf.data);

    return range_fits(map, MAP_HEADER, leaf.size) &&
           range_fits(map + MAP_HEADER, ENTRY * ((uint64_t)le16(leaf.data + map) + 1), leaf.size);
}

bool ost_heap_item_fault(const struct ost_heap *h, uint32_t hid, enum finding_code *out)
{
    size_t block = ost_heap_block_of(h, hid);
    struct bytes leaf, item;

    if (ost_heap_item(h, hid, &item) != ERR_DAMAGED)
        return false;
    if (block >= h->leaves.count)
        return says(F_heap_item_missing, out);
    if (h->leaves.get(h->leaves.ctx, block, &leaf) != 0)
        return false;
    return says(has_map(leaf) ? F_heap_item_missing : F_heap_page_map, out);
}

bool ost_heap_fault(enum ost_format format, struct ost_leaves leaves, uint8_t client,
                    enum finding_code *out)
{
    struct ost_heap heap;
    struct ost_bth tree;
    struct bytes first;

    if (!leaves.count || leaves.get(leaves.ctx, 0, &first) != 0)
        return false;
    if (ost_heap_open(format, leaves, &heap) != 0)
        return says(F_heap_signature, out);
    if (!has_map(first))
        return says(F_heap_page_map, out);
    if (heap.client != client)
        return says(F_heap_client, out);
    if (ost_heap_item_fault(&heap, heap.root, out))
        return true;
    if (client == OST_HEAP_PROPERTIES && ost_bth_open(&heap, heap.root, &tree) == ERR_DAMAGED)
        return says(F_bth_header, out);
    return false;
}
