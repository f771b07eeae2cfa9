/* bids.c: see bids.h. A stray bid far from the others (a damaged entry) must not make the parts
 * coarse: the scale is set by all but the uppermost 1/1024, and what lies above is in the last. */
#include "scanner/check/bids.h"

#include "io/err.h"

enum { BLOCKS_A_PART = 2, STRAY_SHARE = 1024 };

static size_t part_of(const struct chk_bids *b, uint64_t bid)
{
    uint64_t part = (bid - b->base) >> b->shift;

    return part < b->parts ? (size_t)part : b->parts - 1;
}

int chk_bids_init(struct chk_bids *b, struct chk_budget *budget, const struct ost_plan *plan)
{
    size_t count = plan->block_count, next = 0;
    uint64_t range;
    int rc = 0;

    if (count > INT32_MAX || plan->node_count > INT32_MAX)
        return ERR_LIMIT;
    *b = (struct chk_bids){.plan = plan, .parts = count / BLOCKS_A_PART + 1};
    b->starts = chk_take(budget, (b->parts + 1) * sizeof *b->starts, &rc);
    if (!b->starts)
        return rc;
    if (count) {
        b->base = plan->blocks[0].bid;
        range = plan->blocks[count - 1 - count / STRAY_SHARE].bid - b->base;
        while (range >> b->shift >= b->parts)
            b->shift++;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t part = part_of(b, plan->blocks[i].bid); next <= part; next++)
            b->starts[next] = (uint32_t)i;
    while (next <= b->parts)
        b->starts[next++] = (uint32_t)count;
    return 0;
}

void chk_bids_done(struct chk_bids *b, struct chk_budget *budget)
{
    chk_give(budget, b->starts, (b->parts + 1) * sizeof *b->starts);
    b->starts = NULL;
}

uint32_t chk_bids_find(const struct chk_bids *b, uint64_t bid)
{
    const struct ost_block *blocks = b->plan->blocks;
    uint32_t low, high;
    size_t part;

    bid = ost_bid(bid);
    if (bid < b->base)
        return CHK_NO_BLOCK;
    part = part_of(b, bid);
    low = b->starts[part];
    high = b->starts[part + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (blocks[middle].bid < bid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->starts[part + 1] && blocks[low].bid == bid ? low : CHK_NO_BLOCK;
}
