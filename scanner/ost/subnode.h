/*
 * subnode.h: SLBLOCK and SIBLOCK, the subnode tree of a node: look-up by nid, and walking it.
 *
 * FORMAT.md section 6 ([MS-PST] 2.2.2.8.3.3). A tree has one or two levels, so it cannot be
 * endless; but a subnode may own a tree of its own, and nothing in the format keeps it from being
 * one that it lies in: a walk goes down OST_LIMIT_SUBNODE_DEPTH trees and no further.
 *
 * Threads: a walk belongs to one thread; look-ups hold no state.
 */
#ifndef SCANNER_OST_SUBNODE_H
#define SCANNER_OST_SUBNODE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/ost/blocks.h"
#include "scanner/ost/defect.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/variant.h"

struct ost_subnode {
    uint32_t nid;       /* the upper half of its 64 bits is junk in some real files */
    uint64_t data, sub; /* bids, reserved bit clear; 0: none */
};

/* A decoded SLBLOCK (level 0) or SIBLOCK (level 1). */
struct ost_sblock {
    const struct ost_variant *variant;
    const uint8_t *entries;
    uint16_t count;
    uint8_t level;
    bool ordered; /* nids strictly ascend */
};

/* The view of a decoded block. Adds OST_TREE_* and OST_SUBNODE_* defects. ERR_DAMAGED (out
 * untouched) when it is neither, or its entries go beyond it. */
int ost_sblock_open(const struct ost_variant *v, struct bytes decoded, struct ost_defects *defects,
                    struct ost_sblock *out);
uint32_t ost_sblock_nid(const struct ost_sblock *s, unsigned i);
struct ost_subnode ost_sblock_subnode(const struct ost_sblock *s, unsigned i); /* level 0 */
uint64_t ost_sblock_child(const struct ost_sblock *s, unsigned i);             /* level 1 */

/*
 * Finds `nid` in the tree of `root` (0: empty). 1: found, 0: not there, or a code of blocks->get.
 * Damage goes into *defects: with a defect, 0 says only that it was not in what could be read.
 */
int ost_subnode_find(const struct ost_variant *v, const struct ost_blocks *blocks, uint64_t root,
                     uint32_t nid, struct ost_defects *defects, struct ost_subnode *out);

struct ost_subnode_frame {
    const struct ost_block *block[2]; /* by level: SLBLOCK, SIBLOCK; NULL: not held */
    struct bytes bytes[2];
    struct ost_sblock view[2];
    unsigned next[2];
    uint64_t sub; /* of the entry last handed out */
};

/* A walk over the entries of a tree, and of the trees below for which it is told to go down. */
struct ost_subnode_walk {
    const struct ost_variant *variant;
    const struct ost_blocks *blocks;
    struct ost_defects defects; /* of all blocks so far, each with its block's bid */
    bool lost;                  /* a part is missing */
    unsigned depth;             /* trees that are open */
    struct ost_subnode_frame frames[OST_LIMIT_SUBNODE_DEPTH];
};

/* `blocks` outlives the walk. 0, or a code of blocks->get: nothing is held then. */
int ost_subnode_walk_init(struct ost_subnode_walk *w, const struct ost_variant *v,
                          const struct ost_blocks *blocks, uint64_t root);
/* The next entry of the innermost open tree. 1: *out and its tree's depth (1: the first tree);
 * trees that end are closed on the way. 0: all done. Or a code of blocks->get. */
int ost_subnode_walk_next(struct ost_subnode_walk *w, struct ost_subnode *out, unsigned *depth);
/* Opens the tree of the entry last handed out (nothing without one): its entries come next, then
 * the rest. ERR_LIMIT: too deep, nothing opened; a code of blocks->get. */
int ost_subnode_walk_enter(struct ost_subnode_walk *w);
/* Gives back what is held; at the end, or to leave earlier. */
void ost_subnode_walk_done(struct ost_subnode_walk *w);

#endif
