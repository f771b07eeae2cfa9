/*
 * blockstore.h: decoded blocks in memory, handed out as a tree of blocks finds them; each behind a
 * guard page, and counted, so that a test sees what is held and can make a read fail.
 */
#ifndef TESTS_SUPPORT_BLOCKSTORE_H
#define TESTS_SUPPORT_BLOCKSTORE_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/blocks.h"
#include "tests/support/guard.h"

enum { BLOCKSTORE_MAX = 64 };

struct blockstore {
    struct ost_blocks blocks; /* to be passed on */
    struct ost_block entries[BLOCKSTORE_MAX];
    struct guard data[BLOCKSTORE_MAX];
    unsigned count;
    unsigned held, most_held; /* gets not yet put, and their most */
    uint64_t fail_bid;        /* get of this one fails with fail_code */
    int fail_code;
};

void blockstore_init(struct blockstore *s);
void blockstore_done(struct blockstore *s); /* asserts that nothing is held */
/* A block with those decoded bytes (NULL: a leaf that is never read, of that size). Returns where
 * its bytes are, to break them. */
uint8_t *blockstore_add(struct blockstore *s, uint64_t bid, const void *data, size_t size);

#endif
