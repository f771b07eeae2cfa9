/* reading.c: see reading.h; what becomes of damage is in reading_damage.c. */
#include "scanner/ost/reading.h"

#include <string.h>

#include "io/err.h"
#include "io/sort.h"
#include "scanner/ost/take.h"

/* Blocks held, in chunks. */
enum { HELD_CHUNK = 30 };

struct ost_held {
    struct ost_held *next;
    size_t count;
    struct {
        const struct ost_block *block;
        struct bytes bytes;
    } list[HELD_CHUNK];
};

void ost_reading_begin(struct ost_reading *r, uint32_t nid, uint32_t folder, bool is_item)
{
    r->nid = nid;
    r->folder = folder;
    r->is_item = is_item;
    r->told = 0;
    r->damages = (struct ost_damages){0};
    r->held = NULL;
}

void ost_reading_end(struct ost_reading *r)
{
    for (struct ost_held *h = r->held; h; h = h->next)
        for (size_t i = 0; i < h->count; i++)
            r->blocks->put(r->blocks->ctx, h->list[i].block, h->list[i].bytes);
    r->held = NULL;
}

/* The bytes of a block, held to the end. */
static int hold(struct ost_reading *r, const struct ost_block *block, struct bytes *out)
{
    struct ost_held *h = r->held;
    int rc = 0;

    if (!h || h->count == HELD_CHUNK) {
        h = ost_take(r->arena, 1, sizeof *h, &rc);
        if (!h)
            return rc;
        h->next = r->held;
        h->count = 0;
        r->held = h;
    }
    rc = r->blocks->get(r->blocks->ctx, block, out);
    if (rc)
        return rc;
    h->list[h->count].block = block;
    h->list[h->count++].bytes = *out;
    return 0;
}

/* Extents */

enum { FEW = 16 };

/* Gathers the leaves of a walk; the list grows by doubling in the arena. */
static int gather(struct ost_reading *r, struct ost_datatree *t, struct ost_extent *out)
{
    struct ost_extent e = {0};
    size_t capacity = 0;
    struct ost_leaf leaf;
    int rc;

    while ((rc = ost_datatree_next(t, &leaf)) == 1) {
        /* Behind a part of unknown size nobody knows which leaf is which. */
        if (!leaf.offset_known || (!leaf.block && ost_bid_internal(leaf.bid)))
            break;
        if (e.count == capacity) {
            size_t more = capacity ? capacity * 2 : FEW;
            const struct ost_block **blocks = ost_take(r->arena, more, sizeof *blocks, &rc);

            if (!blocks)
                return rc;
            if (e.count)
                memcpy(blocks, e.blocks, e.count * sizeof *blocks);
            e.blocks = blocks;
            capacity = more;
        }
        e.blocks[e.count++] = leaf.block;
        e.bytes += leaf.block ? leaf.block->inflated : 0;
    }
    if (rc < 0)
        return rc;
    e.lost = t->lost;
    *out = e;
    return 0;
}

/* The block of a value that is a single one and there, as nearly all are; NULL: walk the tree. */
static const struct ost_block *single(struct ost_reading *r, uint64_t root)
{
    uint64_t bid = ost_bid(root);

    return bid && !ost_bid_internal(bid) ? r->blocks->find(r->blocks->ctx, bid) : NULL;
}

int ost_reading_extent(struct ost_reading *r, uint64_t root, struct ost_extent *out)
{
    struct ost_datatree tree;
    int rc;

    ost_datatree_init(&tree, r->variant, r->blocks, root);
    rc = gather(r, &tree, out);
    if (tree.defects.count)
        ost_reading_tree_defects(r, &tree.defects, false, tree.lost);
    ost_datatree_done(&tree);
    return rc;
}

int ost_reading_leaves(struct ost_reading *r, uint64_t root, struct ost_leaves *out)
{
    const struct ost_block *one = single(r, root);
    struct ost_extent extent = {&one, 1, 0, false};
    struct bytes *leaves;
    int rc = one ? 0 : ost_reading_extent(r, root, &extent);

    if (rc)
        return rc;
    leaves = ost_take(r->arena, extent.count, sizeof *leaves, &rc);
    if (!leaves)
        return rc;
    for (size_t i = 0; i < extent.count; i++) {
        leaves[i] = (struct bytes){0};
        rc = extent.blocks[i] ? hold(r, extent.blocks[i], &leaves[i]) : 0;
        if (rc && rc != ERR_DAMAGED)
            return rc;
    }
    *out = ost_leaves_in_memory(leaves, extent.count);
    return 0;
}

void ost_pager_init(struct ost_pager *p, struct ost_reading *r, struct ost_extent extent)
{
    *p = (struct ost_pager){.reading = r, .extent = extent};
}

void ost_pager_done(struct ost_pager *p)
{
    const struct ost_blocks *blocks = p->reading->blocks;

    if (p->held)
        blocks->put(blocks->ctx, p->extent.blocks[p->index], p->bytes);
    p->held = p->lost = false;
}

static int pager_get(void *ctx, size_t index, struct bytes *out)
{
    struct ost_pager *p = ctx;
    const struct ost_blocks *blocks = p->reading->blocks;
    int rc;

    if ((!p->held && !p->lost) || p->index != index) {
        ost_pager_done(p);
        p->index = index;
        rc = ERR_DAMAGED;
        if (p->extent.blocks[index])
            rc = blocks->get(blocks->ctx, p->extent.blocks[index], &p->bytes);
        p->held = rc == 0;
        p->lost = rc == ERR_DAMAGED;
        if (rc)
            return rc;
    }
    if (p->lost)
        return ERR_DAMAGED;
    *out = p->bytes;
    return 0;
}

struct ost_leaves ost_pager_leaves(struct ost_pager *p)
{
    return (struct ost_leaves){
        .count = p->extent.count, .bytes = p->extent.bytes, .get = pager_get, .ctx = p};
}

/* Values */

/* Copies an extent's blocks to `into`. 1, 0: one is lost, or a code. */
static int assemble(struct ost_reading *r, const struct ost_extent *e, uint8_t *into)
{
    for (size_t i = 0; i < e->count; i++) {
        struct bytes bytes;
        int rc = r->blocks->get(r->blocks->ctx, e->blocks[i], &bytes);

        if (rc)
            return rc == ERR_DAMAGED ? 0 : rc;
        if (bytes.size)
            memcpy(into, bytes.data, bytes.size);
        into += bytes.size;
        r->blocks->put(r->blocks->ctx, e->blocks[i], bytes);
    }
    return 1;
}

int ost_reading_value(struct ost_reading *r, uint64_t root, uint64_t most, struct bytes *out)
{
    const struct ost_block *one = single(r, root);
    struct ost_extent extent = {&one, 1, one ? one->inflated : 0, false};
    struct bytes value = {0};
    uint8_t *into;
    int rc = one ? 0 : ost_reading_extent(r, root, &extent);

    if (rc || extent.lost || extent.bytes > most)
        return rc;
    if (extent.count == 1) {
        rc = hold(r, extent.blocks[0], &value);
        if (rc)
            return rc == ERR_DAMAGED ? 0 : rc;
    } else {
        into = ost_take(r->arena, (size_t)extent.bytes, 1, &rc);
        if (!into)
            return rc == ERR_LIMIT ? 0 : rc;
        value = (struct bytes){into, (size_t)extent.bytes};
        rc = assemble(r, &extent, into);
        if (rc < 1)
            return rc;
    }
    *out = value;
    return 1;
}

int ost_reading_stream(struct ost_reading *r, uint64_t root, size_t had, void *ctx,
                       void (*part)(void *ctx, struct bytes part), bool *whole)
{
    struct ost_datatree tree;
    struct ost_leaf leaf;
    struct bytes bytes;
    bool all = true;
    int rc;

    ost_datatree_init(&tree, r->variant, r->blocks, root);
    while ((rc = ost_datatree_next(&tree, &leaf)) == 1) {
        if (had && leaf.block && r->digests->skip(r->digests->ctx, leaf.block)) {
            had--;
            continue;
        }
        rc = leaf.block ? r->blocks->get(r->blocks->ctx, leaf.block, &bytes) : ERR_DAMAGED;
        if (rc == ERR_DAMAGED) {
            all = false;
            continue;
        }
        if (rc)
            break;
        if (all)
            part(ctx, bytes);
        r->blocks->put(r->blocks->ctx, leaf.block, bytes);
    }
    if (tree.defects.count)
        ost_reading_tree_defects(r, &tree.defects, false, tree.lost);
    *whole = all && !tree.lost;
    ost_datatree_done(&tree);
    return rc < 0 ? rc : 0;
}

/* Subnodes */

static int by_nid(const void *a, const void *b)
{
    const struct ost_subnode *x = a, *y = b;

    if (x->nid != y->nid)
        return x->nid < y->nid ? -1 : 1;
    return (x->data > y->data) - (x->data < y->data);
}

/* Sorts a list that is not ascending, and keeps one of each nid. */
static size_t put_in_order(struct ost_subnode *list, size_t count)
{
    bool ordered = true;
    size_t kept = 0;

    for (size_t i = 1; i < count && ordered; i++)
        ordered = list[i].nid > list[i - 1].nid;
    if (ordered)
        return count;
    io_sort(list, count, sizeof *list, by_nid);
    for (size_t i = 0; i < count; i++)
        if (!kept || list[kept - 1].nid != list[i].nid)
            list[kept++] = list[i];
    return kept;
}

static int gather_subnodes(struct ost_reading *r, struct ost_subnode_walk *w,
                           struct ost_subnodes *out)
{
    struct ost_subnode *list = NULL, entry;
    size_t count = 0, capacity = 0;
    unsigned depth;
    int rc;

    while ((rc = ost_subnode_walk_next(w, &entry, &depth)) == 1) {
        if (count == OST_LIMIT_SUBNODES)
            return ERR_LIMIT;
        if (count == capacity) {
            size_t more = capacity ? capacity * 2 : FEW;
            struct ost_subnode *larger = ost_take(r->arena, more, sizeof *larger, &rc);

            if (!larger)
                return rc;
            if (count)
                memcpy(larger, list, count * sizeof *larger);
            list = larger;
            capacity = more;
        }
        list[count++] = entry;
    }
    if (rc < 0)
        return rc;
    *out = (struct ost_subnodes){list, put_in_order(list, count), w->lost};
    return 0;
}

int ost_reading_subnodes(struct ost_reading *r, uint64_t root, struct ost_subnodes *out)
{
    struct ost_subnode_walk walk;
    int rc;

    if (ost_bid(root) == 0) {
        *out = (struct ost_subnodes){0};
        return 0;
    }
    rc = ost_subnode_walk_init(&walk, r->variant, r->blocks, root);
    if (rc)
        return rc;
    rc = gather_subnodes(r, &walk, out);
    if (walk.defects.count)
        ost_reading_tree_defects(r, &walk.defects, true, walk.lost);
    ost_subnode_walk_done(&walk);
    return rc;
}

const struct ost_subnode *ost_subnodes_find(const struct ost_subnodes *s, uint32_t nid)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->list[middle].nid < nid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->count && s->list[low].nid == nid ? &s->list[low] : NULL;
}
