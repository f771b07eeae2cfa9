/*
 * reach.c: see reach.h. The trees are walked through a view of the blocks that remembers the
 * highest offset it gave out.
 */
#include "scanner/ost/reach.h"

#include "io/err.h"
#include "scanner/ost/datatree.h"
#include "scanner/ost/subnode.h"

struct watch {
    const struct ost_blocks *blocks;
    uint64_t highest;
};

static void see(struct watch *w, const struct ost_block *block)
{
    if (block && block->offset > w->highest)
        w->highest = block->offset;
}

static const struct ost_block *watch_find(void *ctx, uint64_t bid)
{
    struct watch *w = ctx;
    const struct ost_block *block = w->blocks->find(w->blocks->ctx, bid);

    see(w, block);
    return block;
}

static int watch_get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    const struct ost_blocks *blocks = ((struct watch *)ctx)->blocks;

    return blocks->get(blocks->ctx, block, decoded);
}

static void watch_put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    const struct ost_blocks *blocks = ((struct watch *)ctx)->blocks;

    blocks->put(blocks->ctx, block, decoded);
}

static bool watch_known(void *ctx, uint64_t root, uint64_t *highest)
{
    const struct ost_blocks *blocks = ((struct watch *)ctx)->blocks;

    return blocks->known && blocks->known(blocks->ctx, root, highest);
}

static int walk_data(const struct ost_variant *v, const struct ost_blocks *blocks, uint64_t root)
{
    struct ost_datatree tree;
    struct ost_leaf leaf;
    uint64_t highest;
    int rc;

    /* A single block: no tree to walk. */
    if (!ost_bid_internal(root)) {
        blocks->find(blocks->ctx, root);
        return 0;
    }
    if (blocks->known(blocks->ctx, root, &highest)) {
        struct watch *w = blocks->ctx;

        w->highest = highest > w->highest ? highest : w->highest;
        return 0;
    }
    ost_datatree_init(&tree, v, blocks, root);
    do
        rc = ost_datatree_next(&tree, &leaf);
    while (rc == 1);
    ost_datatree_done(&tree);
    return rc;
}

static int walk_subnodes(const struct ost_variant *v, const struct ost_blocks *blocks,
                         uint64_t root)
{
    struct ost_subnode_walk walk;
    struct ost_subnode entry;
    unsigned depth;
    int rc = ost_subnode_walk_init(&walk, v, blocks, root);

    if (rc)
        return rc;
    while ((rc = ost_subnode_walk_next(&walk, &entry, &depth)) == 1) {
        rc = walk_data(v, blocks, entry.data);
        if (!rc && entry.sub)
            rc = ost_subnode_walk_enter(&walk);
        /* Too deep to be read by anyone. */
        if (rc && rc != ERR_LIMIT)
            break;
        rc = 0;
    }
    ost_subnode_walk_done(&walk);
    return rc < 0 ? rc : 0;
}

int ost_reach(const struct ost_variant *v, const struct ost_blocks *blocks, uint64_t data,
              uint64_t sub, uint64_t *highest)
{
    struct watch w = {.blocks = blocks};
    const struct ost_blocks watched = {&w, watch_find, watch_get, watch_put, watch_known};
    int rc = data ? walk_data(v, &watched, data) : 0;

    if ((!rc || rc == ERR_LIMIT) && sub)
        rc = walk_subnodes(v, &watched, sub);
    if (rc && rc != ERR_LIMIT)
        return rc;
    *highest = w.highest;
    return 0;
}
