/*
 * links.h: which block names which, gathered while the internal blocks pass.
 *
 * Memory: 24 bytes an internal block and 4 a reference. Threads: a set belongs to one.
 */
#ifndef SCANNER_CHECK_LINKS_H
#define SCANNER_CHECK_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/check/budget.h"

enum chk_kind {
    CHK_KIND_DATA, /* a leaf, or an internal block that could not be read */
    CHK_KIND_X,    /* XBLOCK */
    CHK_KIND_XX,
    CHK_KIND_SL, /* SLBLOCK */
    CHK_KIND_SI,
};

/* An internal block. Its references stand in `edges`: data_count to data trees (of X and XX: their
 * entries), then sub_count to subnode trees (of SI: its entries), each an index in the plan's
 * blocks; of SI then as many nids. References that name no block are left out; those of SI are kept
 * as CHK_NO_BLOCK. */
struct chk_inner {
    uint32_t block; /* index in the plan's blocks */
    uint32_t edges;
    union {
        uint32_t total; /* X, XX: lcbTotal */
        uint32_t first; /* SL: its first and last nid; first > last: no entries */
    };
    uint32_t last;
    uint16_t data_count, sub_count;
    uint8_t kind;  /* enum chk_kind */
    bool doubted;  /* what it says may not be what was written, or it may be long deleted */
    bool partial;  /* not all of its references are there */
    bool mismatch; /* X: total or leaf sizes do not fit; holds if all leaves are as the tree says */
};

/* A reference to a bid that was handed out once, and that the block B-tree does not have. */
struct chk_dangling {
    uint64_t bid;
    uint32_t owner; /* index of a block, or of a node with CHK_OWNER_NODE set */
};

#define CHK_OWNER_NODE UINT32_C(0x80000000)

struct chk_links {
    struct chk_array inner;    /* struct chk_inner */
    struct chk_array edges;    /* uint32_t */
    struct chk_array dangling; /* struct chk_dangling */
    uint64_t lost;             /* internal blocks whose references are not all known */
};

static inline struct chk_inner *chk_links_inner(const struct chk_links *l, size_t i)
{
    return (struct chk_inner *)l->inner.data + i;
}
static inline uint32_t *chk_links_edges(const struct chk_links *l, const struct chk_inner *inner)
{
    return (uint32_t *)l->edges.data + inner->edges;
}

/* Room for the references of one more block. ERR_LIMIT, ERR_NOMEM. */
int chk_links_reserve(struct chk_links *l, struct chk_budget *budget, size_t edges);
/* Adds a block (its place in `edges` is set here) with the references that stand in the room. */
void chk_links_add(struct chk_links *l, struct chk_inner *inner, size_t edges);
uint32_t *chk_links_room(const struct chk_links *l);
/* Orders `dangling` by bid and owner. */
void chk_links_sort(struct chk_links *l);
int chk_links_dangle(struct chk_links *l, struct chk_budget *budget, uint64_t bid, uint32_t owner);
/* Moves all of `from` behind `to`. */
int chk_links_move(struct chk_links *to, struct chk_budget *budget, struct chk_links *from);
void chk_links_done(struct chk_links *l, struct chk_budget *budget);

#endif
