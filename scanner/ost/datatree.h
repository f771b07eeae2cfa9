/*
 * datatree.h: XBLOCK and XXBLOCK, and the leaves of a data tree in order.
 *
 * FORMAT.md section 6 ([MS-PST] 2.2.2.8.3.2). A value's root bid names a data block (the value), an
 * XBLOCK (list of data blocks) or an XXBLOCK (list of XBLOCKs). Levels only descend, so no tree of
 * them can be endless; an XXBLOCK that names one XBLOCK again and again is stopped by its total
 * (below 4 GiB), and a leaf without bytes that is not the last ends the value.
 *
 * Threads: an iterator belongs to one thread.
 */
#ifndef SCANNER_OST_DATATREE_H
#define SCANNER_OST_DATATREE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/ost/blocks.h"
#include "scanner/ost/defect.h"
#include "scanner/ost/variant.h"

struct ost_xblock {
    const uint8_t *bids;
    uint32_t total; /* lcbTotal: decoded bytes below */
    uint16_t count;
    uint8_t level;   /* 1: of data blocks; 2: of XBLOCKs */
    uint8_t id_size; /* of an entry */
};

/* The view of a decoded block. Adds OST_TREE_* defects. ERR_DAMAGED (out untouched) when it is no
 * XBLOCK, or its entries go beyond it. */
int ost_xblock_open(const struct ost_variant *v, struct bytes decoded, struct ost_defects *defects,
                    struct ost_xblock *out);
uint64_t ost_xblock_bid(const struct ost_xblock *x, unsigned i); /* reserved bit clear */

/* Part of a value, in order. */
struct ost_leaf {
    uint64_t bid;
    const struct ost_block *block; /* NULL: lost. Its size is block->inflated */
    uint64_t offset;               /* in the value; lost leaves are taken to be full */
    bool offset_known;             /* false after a lost XBLOCK: what it covered is not known */
};

struct ost_datatree {
    const struct ost_variant *variant;
    const struct ost_blocks *blocks;
    struct ost_defects defects; /* of all blocks so far, each with its block's bid */
    uint64_t root;
    uint64_t offset; /* of the next leaf */
    bool lost;       /* a part is missing */
    bool offset_known;
    bool started;
    unsigned depth;
    struct ost_datatree_frame {
        const struct ost_block *block;
        struct bytes bytes;
        struct ost_xblock view;
        unsigned next;
        uint64_t start; /* offset of its first byte */
    } frames[2];
};

/* A walk over the value of `root` (0: a value without bytes). `blocks` outlives it. */
void ost_datatree_init(struct ost_datatree *t, const struct ost_variant *v,
                       const struct ost_blocks *blocks, uint64_t root);
/* 1: *out is the next leaf, 0: no more, or a code of blocks->get. Damage is in t->defects and
 * t->lost, and the walk goes on beside it. */
int ost_datatree_next(struct ost_datatree *t, struct ost_leaf *out);
/* Gives back what is held; at the end, or to leave earlier. */
void ost_datatree_done(struct ost_datatree *t);

#endif
