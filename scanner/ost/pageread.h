/*
 * pageread.h: reading many pages in ascending order by few, larger reads.
 *
 * Pages near each other are read at once; extents to come are announced to the source
 * (IO_HINT_WILLNEED), so one that reads ahead keeps several in flight. Where a large read fails its
 * pages are read one by one, so that a bad sector costs one page.
 *
 * Threads: one.
 */
#ifndef SCANNER_OST_PAGEREAD_H
#define SCANNER_OST_PAGEREAD_H

#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"
#include "io/source.h"

struct ost_pageread {
    struct io_source *source;
    uint32_t page_size;
    uint8_t *buffer;      /* at least a page */
    size_t buffer_bytes;  /* bounds one read */
    uint64_t gap_bytes;   /* unwanted bytes between two pages that are read through */
    uint64_t ahead_bytes; /* announced ahead of what is being read */

    void *ctx;
    uint64_t (*offset_of)(void *ctx, size_t i);
    /* Page i: its bytes (valid during the call), or NULL and ERR_IO or ERR_RANGE. Non-zero ends
     * the reading with that result. */
    int (*page)(void *ctx, size_t i, const uint8_t *page, int code);
};

/*
 * Reads `count` pages whose offsets ascend without overlapping and lie inside the source (assert).
 * 0; what `page` returned; or a code of the source other than ERR_IO and ERR_RANGE.
 */
int ost_pageread_run(const struct ost_pageread *r, size_t count);

#endif
