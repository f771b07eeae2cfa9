/*
 * plan.h: both B-trees of an image in memory: where every block lies, and what every node names.
 *
 * The trees are read level by level, each level's pages in ascending order of offset by coalesced
 * reads announced ahead, and every page is verified. A page that is lost costs its subtree alone:
 * an event says which keys those were. A page that is the right one but fails its checksum is used
 * when its shape is right, and its entries are marked OST_ENTRY_SUSPECT.
 *
 * Memory: 24 bytes a block and 32 a node (btree.h) and 24 a B-tree page, exactly sized; while a
 * tree is loaded its entries exist twice. All of it is counted against memory_bytes. Ownership: a
 * loaded plan owns its arrays until ost_plan_done. Threads: one loads, or those that the caller
 * lends (run_parts); a loaded plan may be read by many.
 */
#ifndef SCANNER_OST_PLAN_H
#define SCANNER_OST_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/source.h"
#include "scanner/ost/btree.h"
#include "scanner/ost/defect.h"
#include "scanner/ost/header.h"
#include "scanner/ost/variant.h"

enum { OST_PLAN_PARTS_MAX = 16 };

/* A page of a B-tree, as its parent names it. */
struct ost_plan_page {
    uint64_t offset;
    uint64_t first; /* lowest key that it may hold */
    uint8_t tree;   /* enum ost_tree */
    uint8_t level;
    uint8_t trust;    /* enum ost_trust; NONE: lost, with all below it */
    uint8_t spare[5]; /* 0 */
};

struct ost_plan_tree {
    size_t page_start, page_count; /* its slice of pages: level by level from the root, by key */
    size_t leaf_start, leaf_count; /* the leaves' slice of pages */
    uint64_t lost_pages;           /* with defects that cost their subtree */
    uint64_t dropped;              /* entries outside their page's range, or a key twice */
};

struct ost_plan {
    const struct ost_variant *variant;
    struct ost_block *blocks; /* ascending, distinct bids */
    size_t block_count;
    struct ost_node *nodes; /* ascending, distinct nids */
    size_t node_count;
    struct ost_plan_page *pages;
    size_t page_count;
    struct ost_plan_tree trees[2]; /* by enum ost_tree */
    uint64_t memory_bytes;         /* held now */
    uint64_t peak_bytes;           /* held at most while loading */
};

/* A page with defects. */
struct ost_plan_event {
    enum ost_tree tree;
    unsigned level; /* its level, of a root as it says itself (0 when it cannot be told) */
    bool root;
    uint64_t offset, bid; /* as its parent names it */
    uint64_t first, last; /* keys that it may hold by its parent, both included */
    bool lost;            /* none of it is in the plan: the keys first to last are missing */
    bool parent_suspect;  /* what its parent says of it may be what is wrong */
    enum ost_trust trust;
    unsigned dropped; /* entries left out: their keys are outside first to last */
    const struct ost_defects *defects;
};

struct ost_plan_options {
    const struct ost_variant *variant;
    struct ost_bref nbt, bbt;
    uint64_t memory_bytes;     /* the most heap that loading and the result may take */
    size_t read_bytes;         /* the most a read takes; 0: 256 KiB */
    uint64_t gap_bytes;        /* unwanted bytes that are read through between two pages */
    uint64_t ahead_bytes;      /* announced to the source ahead of reading; 0: 4 MiB */
    const atomic_bool *cancel; /* may be NULL */
    void *ctx;
    /* May be NULL. Non-zero ends the loading with that result. In the order of levels and, in
     * each, of offsets; never two at once. */
    int (*event)(void *ctx, const struct ost_plan_event *event);
    /* Levels of many pages are read in up to `parts` parts (at most OST_PLAN_PARTS_MAX).
     * run_parts calls part(arg, i, source) for each i below count, at once where it can, each with
     * a source of its own over the same bytes, and returns when all have returned. NULL: one. */
    unsigned parts;
    void (*run_parts)(void *ctx, unsigned count,
                      void (*part)(void *arg, unsigned i, struct io_source *source), void *arg);
};

/*
 * Loads both trees from an image. Damage is told by events, and what is left is the plan; the
 * result is 0, or a code that leaves *out untouched: ERR_LIMIT (memory_bytes is too little),
 * ERR_NOMEM, ERR_CANCELLED, what `event` returned, a code of the source that is about more than
 * one page.
 */
int ost_plan_load(struct io_source *source, const struct ost_plan_options *options,
                  struct ost_plan *out);
void ost_plan_done(struct ost_plan *p); /* an all-zero plan is allowed */

/* The entry, or NULL. The reserved bit of a bid is ignored. */
const struct ost_block *ost_plan_block(const struct ost_plan *p, uint64_t bid);
const struct ost_node *ost_plan_node(const struct ost_plan *p, uint32_t nid);

/* The leaf page in whose range the key falls, lost or not; NULL in a tree without leaves. */
const struct ost_plan_page *ost_plan_leaf(const struct ost_plan *p, enum ost_tree tree,
                                          uint64_t key);

/* Bytes that loading takes at most for that many entries in pages on average half full. */
uint64_t ost_plan_memory(const struct ost_variant *v, uint64_t blocks, uint64_t nodes);

#endif
