/*
 * native_digest.c: large values digested as they pass in a lane, and what its reader makes of that.
 * See native_lane.h and native_stream.h.
 *
 * A whole value need be neither walked nor read: it costs of the image's allowance what that would.
 */
#include "scanner/native_lane.h"

static uint32_t root_of(const struct native_lane *l, uint64_t root)
{
    const struct ost_block *block = native_find_block(l->shared, ost_bid(root));

    return block ? (uint32_t)(block - l->run.plan.blocks) : CHK_NO_BLOCK;
}

/* All internal blocks of a tree. */
static void see_nodes(struct native_lane *l, const struct native_tree *tree)
{
    const struct native_trees *trees = native_streams_trees(l->shared->streams);
    const struct native_node *root = native_trees_node(trees, tree->root);

    native_lane_seen(l, tree->root);
    for (uint32_t i = 0; root->level == 2 && i < root->spans; i++)
        for (uint32_t k = 0; k < trees->spans[root->first + i].count; k++)
            native_lane_seen(l, trees->spans[root->first + i].block + k);
}

bool native_lane_knows(void *ctx, uint64_t root, uint64_t *highest)
{
    struct native_lane *l = ctx;
    const struct native_tree *tree;
    bool busy;

    if (!l->seat.streams || !l->walking)
        return false;
    tree = native_seat_whole(&l->seat, root_of(l, root), &busy);
    /* It is looked at again when all is swept; then it is not waited for. */
    l->later = l->later || (busy && !l->settling);
    if (!tree || !ost_sourceblocks_spend(l->run.blocks, tree->nodes, tree->node_bytes))
        return false;
    see_nodes(l, tree);
    if (tree->highest > l->highest)
        l->highest = tree->highest;
    *highest = tree->highest;
    return true;
}

static bool take(void *ctx, uint64_t root, struct ost_digested *out)
{
    struct native_lane *l = ctx;
    uint32_t block = root_of(l, root);
    const struct native_tree *tree;

    if (!native_seat_take(&l->seat, block, out))
        return false;
    if (!out->whole)
        return true;
    tree = native_trees_find(native_streams_trees(l->shared->streams), block);
    return ost_sourceblocks_spend(l->run.blocks, tree->nodes + (uint64_t)tree->leaves,
                                  tree->node_bytes + tree->leaf_bytes);
}

static bool skip(void *ctx, const struct ost_block *leaf)
{
    return ost_sourceblocks_spend(((struct native_lane *)ctx)->run.blocks, 1, leaf->inflated);
}

int native_lane_open_seat(struct native_lane *l)
{
    struct native_shared *s = l->shared;

    if (!s->streams)
        return 0;
    l->digests = (struct ost_digests){l, take, skip};
    l->run.reading.digests = &l->digests;
    return native_seat_init(&l->seat, s->streams, s->carry, &l->at_hand);
}

void native_lane_digest_chunk(struct native_lane *l, const struct chk_links *links, size_t first)
{
    const struct chk_chunk *c = l->window[l->window_count - 1].chunk;

    if (!l->seat.streams)
        return;
    native_seat_confirm(&l->seat, links, first);
    for (size_t i = 0; l->window[l->window_count - 1].bytes && i < c->count; i++)
        if (c->items[i].kind == CHK_ITEM_BLOCK)
            native_seat_pass(&l->seat, c->items[i].index);
}
