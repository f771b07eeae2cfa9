/*
 * native_trees.h: the large data trees of an image, known before its blocks pass.
 *
 * The internal blocks that are likely to be an XBLOCK of a large value (by their size, and by the
 * full data blocks that were written with them) are read ahead of the sweep: a thousandth of what
 * they name. A tree is listed when all of it is as it should be by what its blocks and the block
 * B-tree say: each leaf there, full but for the last, named once; the totals right. Anything else,
 * and what is not guessed to be large, is left out: whoever uses the list must do without.
 *
 * Memory: `memory_bytes` at most; what does not fit is left out. Threads: made by one, then read by
 * many. Errors: ERR_NOMEM where not even the means are had; a code of the source that is about more
 * than a range. Damage: such trees are left out.
 */
#ifndef SCANNER_NATIVE_TREES_H
#define SCANNER_NATIVE_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/source.h"
#include "scanner/check/bids.h"
#include "scanner/ost/plan.h"

/* Neighbours in the plan, one after the other in their tree. */
struct native_span {
    uint32_t block, count; /* indices in the plan */
};

/* An internal block: an XBLOCK, or an XXBLOCK. */
struct native_node {
    uint32_t block;
    uint32_t first, spans; /* of what it names, in native_trees.spans */
    uint32_t edges;        /* how many blocks that are */
    uint32_t tree;         /* NATIVE_NO_TREE: of none that is listed */
    uint32_t total;        /* lcbTotal */
    uint8_t level;
    bool full; /* of XBLOCKs: the last leaf too, so there must be more of the value */
};

#define NATIVE_NO_TREE UINT32_MAX

struct native_tree {
    uint32_t root;         /* block */
    uint32_t first, spans; /* of its leaves */
    uint32_t leaves, nodes;
    uint64_t leaf_bytes, node_bytes; /* decoded */
    uint64_t highest;                /* offset of any of its blocks */
};

struct native_trees {
    struct native_tree *list;  /* ascending by root */
    struct native_node *nodes; /* ascending by block */
    struct native_span *spans;
    size_t count, node_count, span_count;
    size_t room, node_room, span_room;
    uint64_t memory_bytes; /* taken */
};

struct native_trees_options {
    const struct ost_plan *plan;
    const struct chk_bids *bids;
    struct io_source *source;
    uint64_t least_bytes; /* of a value; smaller ones are left out */
    uint64_t memory_bytes;
};

int native_trees_read(const struct native_trees_options *o, struct native_trees *out);
void native_trees_done(struct native_trees *t); /* all zero is allowed */

/* The tree of that root, the node of that block, or NULL. */
const struct native_tree *native_trees_find(const struct native_trees *t, uint32_t root);
const struct native_node *native_trees_node(const struct native_trees *t, uint32_t block);

#endif
