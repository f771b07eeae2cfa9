/*
 * chunk.h: what a sweep reads at once: neighbours in the file, in order.
 *
 * Threads: a cursor belongs to one.
 */
#ifndef SCANNER_CHECK_CHUNK_H
#define SCANNER_CHECK_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/check/order.h"
#include "scanner/check/state.h"
#include "scanner/ost/amap.h"

enum chk_item_kind { CHK_ITEM_BLOCK, CHK_ITEM_PAGE, CHK_ITEM_ALLOC };

struct chk_item {
    uint64_t offset;
    uint32_t length; /* 0: a B-tree page, which was read before */
    uint32_t index;  /* of the block; of the page in the plan; PTYPE_* of an allocation page */
    uint8_t kind;    /* enum chk_item_kind */
    uint32_t had;    /* one more than its place in the tap's `had`; 0: it is to be read */
};

enum { CHK_CHUNK_ITEMS = 2048 };

struct chk_chunk {
    uint64_t offset, length; /* to be read; length 0: nothing */
    uint64_t item_bytes;     /* of the items to be read; more than length where they overlap */
    size_t count;
    struct chk_item items[CHK_CHUNK_ITEMS];
};

/* Goes through the items of some spans of allocation maps. */
struct chk_cursor {
    const struct chk_state *state;
    const struct chk_order *order;
    uint64_t k, k_end;
    struct ost_alloc_page pages[OST_ALLOC_PAGES_MAX]; /* of span k */
    unsigned page, page_count;
    uint64_t span_end;
    size_t key, key_end;
    uint64_t entry_at; /* where the entry of `key` lies; UINT64_MAX: none is left */
};

void chk_cursor_init(struct chk_cursor *c, const struct chk_state *s, const struct chk_order *o,
                     uint64_t k, uint64_t k_end);
/* The next chunk, whose bytes are at most `bytes` unless one item has more; false: no more. */
bool chk_cursor_next(struct chk_cursor *c, uint64_t bytes, uint64_t gap, struct chk_chunk *out);

#endif
