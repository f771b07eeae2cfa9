/*
 * bids.h: finding blocks of a plan by bid at the pace of a sweep.
 *
 * A table cuts the range of bids into equal parts of a few blocks each, so a look-up touches one
 * line of the table and one or two of the blocks: bids are handed out in turn, so they lie dense.
 *
 * Memory: about 2 bytes a block. Threads: read by many once made.
 */
#ifndef SCANNER_CHECK_BIDS_H
#define SCANNER_CHECK_BIDS_H

#include <stdint.h>

#include "scanner/check/budget.h"
#include "scanner/ost/plan.h"

#define CHK_NO_BLOCK UINT32_MAX

struct chk_bids {
    const struct ost_plan *plan;
    uint32_t *starts; /* of part i: the first block in it or behind; one more than parts */
    uint64_t base;
    size_t parts;
    unsigned shift;
};

/* ERR_LIMIT (also for 2^31 blocks or more), ERR_NOMEM. The plan outlives it. */
int chk_bids_init(struct chk_bids *b, struct chk_budget *budget, const struct ost_plan *plan);
void chk_bids_done(struct chk_bids *b, struct chk_budget *budget);

/* The block's index in the plan, or CHK_NO_BLOCK. */
uint32_t chk_bids_find(const struct chk_bids *b, uint64_t bid);

#endif
