/*
 * blocks.h: where a tree of blocks finds its blocks: the B-tree's entry by bid, and the decoded
 * bytes of internal ones. The planned arrays, a carry store and test images each are one.
 */
#ifndef SCANNER_OST_BLOCKS_H
#define SCANNER_OST_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/ost/btree.h"

struct ost_blocks {
    void *ctx;
    /* The entry of a bid, or NULL; valid as long as the tree is walked. */
    const struct ost_block *(*find)(void *ctx, uint64_t bid);
    /* The decoded bytes of a block, block->inflated of them, kept in place until put. Trees hold
     * few at a time: two for a data tree, two for each level of subnode trees. ERR_DAMAGED when
     * the image does not have them (a defect); any other code ends the walk with that code. */
    int (*get)(void *ctx, const struct ost_block *block, struct bytes *decoded);
    /* Called once for each successful get. */
    void (*put)(void *ctx, const struct ost_block *block, struct bytes decoded);
    /* Whether the blocks of a data tree with an internal root are known without walking it: then
     * *highest, the highest offset among them. NULL: of none. */
    bool (*known)(void *ctx, uint64_t root, uint64_t *highest);
};

#endif
