/* plan.c: see plan.h; plan_load.c makes what is looked up here. */
#include "scanner/ost/plan.h"

#include "io/mem.h"

void ost_plan_done(struct ost_plan *p)
{
    mem_free(p->blocks);
    mem_free(p->nodes);
    mem_free(p->pages);
    *p = (struct ost_plan){0};
}

/* Where a bid would be if bids were spread evenly, which in a file of one age they nearly are. */
static size_t guess(const struct ost_block *blocks, size_t count, uint64_t bid)
{
    uint64_t first = blocks[0].bid, last = blocks[count - 1].bid;

    if (bid <= first || count == 1)
        return 0;
    if (bid >= last)
        return count - 1;
    return (size_t)((double)(bid - first) / (double)(last - first) * (double)(count - 1));
}

/*
 * From the guess in doubling steps until the bid is passed, and from there by halves: two or three
 * cache misses where bids are even, twice a binary search where they are made up to be uneven.
 */
const struct ost_block *ost_plan_block(const struct ost_plan *p, uint64_t bid)
{
    const struct ost_block *blocks = p->blocks;
    size_t low, high, step = 1;

    bid = ost_bid(bid);
    if (p->block_count == 0)
        return NULL;
    low = guess(blocks, p->block_count, bid);
    high = low + 1;
    for (; high < p->block_count && blocks[high].bid <= bid; step *= 2) {
        low = high;
        high = step < p->block_count - high ? high + step : p->block_count;
    }
    for (; low > 0 && blocks[low].bid > bid; step *= 2) {
        high = low;
        low = step < low ? low - step : 0;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (blocks[middle].bid <= bid)
            low = middle;
        else
            high = middle;
    }
    return blocks[low].bid == bid ? &blocks[low] : NULL;
}

const struct ost_node *ost_plan_node(const struct ost_plan *p, uint32_t nid)
{
    const struct ost_node *base = p->nodes;
    size_t count = p->node_count;

    while (count > 1) {
        size_t half = count / 2;

        base += base[half].nid <= nid ? half : 0;
        count -= half;
    }
    return count && base->nid == nid ? base : NULL;
}

const struct ost_plan_page *ost_plan_leaf(const struct ost_plan *p, enum ost_tree tree,
                                          uint64_t key)
{
    const struct ost_plan_tree *t = &p->trees[tree];
    const struct ost_plan_page *base = p->pages + t->leaf_start;
    size_t count = t->leaf_count;

    while (count > 1) {
        size_t half = count / 2;

        base += base[half].first <= key ? half : 0;
        count -= half;
    }
    return count ? base : NULL;
}
