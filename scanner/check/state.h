/*
 * state.h: what the parts of one structural check share.
 *
 * While the blocks pass, all of it is read only but the status of a block, which the thread that
 * has the block writes; afterwards it belongs to one thread.
 */
#ifndef SCANNER_CHECK_STATE_H
#define SCANNER_CHECK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/check/bids.h"
#include "scanner/check/budget.h"
#include "scanner/check/check.h"
#include "scanner/check/links.h"
#include "scanner/check/note.h"
#include "scanner/check/taint.h"

/* The status of a block; its kind (enum chk_kind) stands above. */
enum {
    CHK_READ = 1,   /* its extent was read and judged */
    CHK_SOUND = 2,  /* its bytes are what was written */
    CHK_SIZED = 4,  /* its trailer agrees with the B-tree about its sizes */
    CHK_MAYBE = 8,  /* a block that is in doubt names it */
    CHK_CUT = 16,   /* it lies beyond the end of a truncated file */
    CHK_NAMED = 32, /* a node or block that is not in doubt names it */
    CHK_CLEAN = 64, /* nothing is wrong with its trailer */
    CHK_HAD = 128,  /* it is one of the tap's `had` */
    CHK_KIND_SHIFT = 8,
};

struct chk_had;

struct chk_state {
    const struct chk_job *job;
    const struct ost_variant *variant;
    uint64_t file_size;
    uint64_t eof;     /* where the image ends: what the header says, at most file_size */
    bool header_sure; /* the header's roots and sizes have a right checksum */
    bool next_block_sure;
    bool truncated;
    uint64_t next_bid; /* no block ever had this bid, or one above */
    struct chk_budget budget;
    struct chk_notes notes;
    struct chk_taint taint;
    struct ost_plan plan;
    struct chk_bids bids;
    uint16_t *status; /* by block */
    const struct chk_had *had; /* the tap's, ascending by block */
    size_t had_count;
    struct chk_links links;
    uint64_t helped_bytes; /* read by the crew for the plan */
    struct chk_result result;
};

static inline enum chk_kind chk_kind_of(const struct chk_state *s, size_t block)
{
    return (enum chk_kind)(s->status[block] >> CHK_KIND_SHIFT);
}

/* Whether what the block B-tree says of a block may be the doing of a damaged page. */
static inline bool chk_block_doubted(const struct chk_state *s, size_t block)
{
    return chk_tainted(&s->taint, OST_TREE_BBT) &&
           chk_taint_key(&s->taint, OST_TREE_BBT, s->plan.blocks[block].bid);
}

static inline bool chk_node_doubted(const struct chk_state *s, size_t node)
{
    return chk_tainted(&s->taint, OST_TREE_NBT) &&
           chk_taint_key(&s->taint, OST_TREE_NBT, s->plan.nodes[node].nid);
}

/* What is only known from sources of this kind of block: findings about it are no corruption. */
static inline bool chk_kind_unproven(const struct chk_state *s, enum chk_kind kind)
{
    return s->variant->format == OST_FORMAT_UNICODE4K &&
           (kind == CHK_KIND_XX || kind == CHK_KIND_SI);
}

#endif
