/*
 * valuebed.h: an image of nothing but data trees, forged block by block, for tests of what goes
 * through blocks in the order of the file.
 *
 * Blocks lie in the order in which they are added, and so do their bids. Failures fail the running
 * test. Threads: one.
 */
#ifndef TESTS_SUPPORT_VALUEBED_H
#define TESTS_SUPPORT_VALUEBED_H

#include <stddef.h>
#include <stdint.h>

#include "io/source.h"
#include "scanner/check/bids.h"
#include "scanner/check/links.h"
#include "scanner/ost/plan.h"

enum { VALUEBED_BLOCKS = 4096 };

struct valuebed {
    const struct ost_variant *v;
    struct ost_block blocks[VALUEBED_BLOCKS];
    size_t count;
    uint8_t *data;
    size_t size, capacity;
    uint64_t next_bid;
    /* Of one that is opened: */
    struct ost_plan plan;
    struct chk_budget budget;
    struct chk_bids bids;
    struct io_source *source;
    uint16_t status[VALUEBED_BLOCKS]; /* all clean */
};

void valuebed_init(struct valuebed *b, const struct ost_variant *v);
/* Adds a block of decoded bytes, not compressed, and returns its bid; refs: 2. */
uint64_t valuebed_add(struct valuebed *b, const void *bytes, size_t size, bool internal);
/* An XBLOCK or XXBLOCK. */
uint64_t valuebed_list(struct valuebed *b, unsigned level, uint32_t total, const uint64_t *bids,
                       unsigned count);
/* `count` leaves of pseudo-random bytes (the first begins with `begin`, if that is not NULL), the
 * last of `last` bytes; their bids. */
void valuebed_leaves(struct valuebed *b, unsigned seed, unsigned count, size_t last,
                     const char *begin, uint64_t *bids);
/* Leaves and then their XBLOCK, whose bid is returned. */
uint64_t valuebed_value(struct valuebed *b, unsigned seed, unsigned count, size_t last,
                        const char *begin);

/* No more blocks; what is made of them. */
void valuebed_open(struct valuebed *b);
void valuebed_done(struct valuebed *b);

uint32_t valuebed_index(const struct valuebed *b, uint64_t bid);
const uint8_t *valuebed_extent(const struct valuebed *b, uint32_t block);
/* What a sweep gathers of an internal block as it passes. */
void valuebed_links(struct valuebed *b, uint32_t block, struct chk_links *links);

#endif
