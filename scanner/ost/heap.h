/*
 * heap.h: the heap-on-node (HN): items addressed by HID in the leaves of a node's data tree.
 *
 * FORMAT.md section 8 ([MS-PST] 2.3.1). A checked view: opening validates block 0, every item is
 * validated when it is asked for, so one bad item costs that item. Nothing is copied.
 *
 * Ownership: a view points into what its ost_leaves hands out, and lives no longer.
 * Threads: a view may be used by one thread at a time (its blocks may be fetched on demand).
 * Errors: ERR_DAMAGED for whatever the bytes do wrong; codes of ost_leaves.get are passed on.
 */
#ifndef SCANNER_OST_HEAP_H
#define SCANNER_OST_HEAP_H

#include <stdint.h>

#include "io/bytes.h"
#include "io/err.h"
#include "scanner/ost/header.h"

/*
 * The decoded leaves of a data tree, in order. get: leaf `index` (below count). The bytes stay good
 * until another leaf is asked for, or longer: ost_heap_item needs no more, trees on a heap (bth.h,
 * pc.h) need all leaves to stay. ERR_DAMAGED: that leaf cannot be had.
 */
struct ost_leaves {
    size_t count;
    uint64_t bytes; /* of all together */
    int (*get)(void *ctx, size_t index, struct bytes *out);
    void *ctx;
};

/* Leaves that all lie in memory: ctx is a struct bytes[count], a lost one has no data. */
struct ost_leaves ost_leaves_in_memory(const struct bytes *leaves, size_t count);

/* Client signatures (bClientSig). */
enum ost_heap_client {
    OST_HEAP_TABLE = 0x7C,
    OST_HEAP_PROPERTIES = 0xBC,
    OST_HEAP_BTH = 0xB5,
    OST_HEAP_SIDE = 0xA5, /* side heap of a contents table (FORMAT.md section 10) */
    OST_HEAP_OLD_SEARCH = 0xAC,
};

struct ost_heap {
    struct ost_leaves leaves;
    uint8_t client;
    uint32_t root;       /* hidUserRoot, 0 for a side heap */
    unsigned index_bits; /* of a HID: 11, in 4k images 14 */
    /* The page map of leaf 0, where that stays in memory: nearly all items of a heap are there. */
    struct {
        const uint8_t *data; /* of the leaf */
        const uint8_t *starts;
        uint32_t map;   /* where the page map stands: where items end at the latest */
        uint32_t count; /* items whose entries are inside; 0: to be looked up by the long way */
    } first;
};

unsigned ost_heap_index_bits(enum ost_format format);

int ost_heap_open(enum ost_format format, struct ost_leaves leaves, struct ost_heap *out);

enum { OST_HID_TYPE_BITS = 5 };

/* Of an item in any leaf. */
int ost_heap_find(const struct ost_heap *h, uint32_t hid, struct bytes *out);

/* The bytes of an item; size 0 for an empty one. hid 0 or of another NID type is ERR_DAMAGED. */
static inline int ost_heap_item(const struct ost_heap *h, uint32_t hid, struct bytes *out)
{
    /* An HID of a later leaf, or of another type, becomes a large number. */
    uint32_t index = (hid >> OST_HID_TYPE_BITS | hid << (32 - OST_HID_TYPE_BITS)) - 1;
    uint32_t start, stop;

    if (index >= h->first.count)
        return ost_heap_find(h, hid, out);
    start = le16(h->first.starts + (size_t)index * 2);
    stop = le16(h->first.starts + (size_t)index * 2 + 2);
    if (start > stop || stop > h->first.map)
        return ERR_DAMAGED;
    *out = (struct bytes){h->first.data + start, stop - start};
    return 0;
}

/* The leaf that holds an item, for passes that go through a heap in block order. */
size_t ost_heap_block_of(const struct ost_heap *h, uint32_t hid);

#endif
