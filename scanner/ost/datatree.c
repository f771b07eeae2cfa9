/*
 * datatree.c: see datatree.h.
 *
 * The walk is a stack of at most two frames, the XXBLOCK's and the XBLOCK's. A frame that is used
 * up compares what lay below it with its total, unless something was lost on the way.
 */
#include "scanner/ost/datatree.h"

#include <assert.h>

#include "io/err.h"

int ost_xblock_open(const struct ost_variant *v, struct bytes decoded, struct ost_defects *defects,
                    struct ost_xblock *out)
{
    const uint8_t *p = decoded.data;
    uint64_t room;

    if (decoded.size < OFF_X_BIDS) {
        ost_defects_add(defects, OST_TREE_SHORT, 0, OFF_X_BIDS, decoded.size);
        return ERR_DAMAGED;
    }
    room = (decoded.size - OFF_X_BIDS) / v->id_size;
    ost_defects_compare(defects, OST_TREE_TYPE, OFF_X_TYPE, BTYPE_DATA, p[OFF_X_TYPE]);
    if (p[OFF_X_LEVEL] != 1 && p[OFF_X_LEVEL] != 2)
        ost_defects_add(defects, OST_TREE_LEVEL, OFF_X_LEVEL, 1, p[OFF_X_LEVEL]);
    if (le16(p + OFF_X_COUNT) > room)
        ost_defects_add(defects, OST_TREE_COUNT, OFF_X_COUNT, room, le16(p + OFF_X_COUNT));
    if (p[OFF_X_TYPE] != BTYPE_DATA || (p[OFF_X_LEVEL] != 1 && p[OFF_X_LEVEL] != 2) ||
        le16(p + OFF_X_COUNT) > room)
        return ERR_DAMAGED;
    *out = (struct ost_xblock){
        .bids = p + OFF_X_BIDS,
        .total = le32(p + OFF_X_TOTAL),
        .count = le16(p + OFF_X_COUNT),
        .level = p[OFF_X_LEVEL],
        .id_size = v->id_size,
    };
    return 0;
}

uint64_t ost_xblock_bid(const struct ost_xblock *x, unsigned i)
{
    const uint8_t *p;

    assert(i < x->count);
    p = x->bids + (size_t)i * x->id_size;
    return ost_bid(x->id_size == 4 ? le32(p) : le64(p));
}

void ost_datatree_init(struct ost_datatree *t, const struct ost_variant *v,
                       const struct ost_blocks *blocks, uint64_t root)
{
    t->variant = v;
    t->blocks = blocks;
    t->defects.count = 0;
    t->defects.bid = 0;
    t->root = ost_bid(root);
    t->offset = 0;
    t->lost = false;
    t->offset_known = true;
    t->started = false;
    t->depth = 0;
}

/* Pushes an XBLOCK; `level` is what it must be, 0 for a root. ERR_DAMAGED: it is lost. */
static int push(struct ost_datatree *t, uint64_t bid, unsigned level)
{
    struct ost_datatree_frame *f = &t->frames[t->depth];
    int rc;

    assert(t->depth < sizeof t->frames / sizeof *t->frames);
    t->defects.bid = bid;
    f->block = t->blocks->find(t->blocks->ctx, bid);
    if (!f->block) {
        ost_defects_add(&t->defects, OST_TREE_DANGLING, 0, 0, bid);
        return ERR_DAMAGED;
    }
    rc = t->blocks->get(t->blocks->ctx, f->block, &f->bytes);
    if (rc == ERR_DAMAGED)
        ost_defects_add(&t->defects, OST_TREE_UNREADABLE, 0, 0, bid);
    if (rc)
        return rc;
    rc = ost_xblock_open(t->variant, f->bytes, &t->defects, &f->view);
    if (!rc && level && f->view.level != level) {
        ost_defects_add(&t->defects, OST_TREE_LEVEL, OFF_X_LEVEL, level, f->view.level);
        rc = ERR_DAMAGED;
    }
    if (rc) {
        t->blocks->put(t->blocks->ctx, f->block, f->bytes);
        return rc;
    }
    f->next = 0;
    f->start = t->offset;
    t->depth++;
    return 0;
}

static void pop(struct ost_datatree *t)
{
    struct ost_datatree_frame *f = &t->frames[--t->depth];

    if (!t->lost) {
        t->defects.bid = f->block->bid;
        ost_defects_compare(&t->defects, OST_TREE_TOTAL, OFF_X_TOTAL, f->view.total,
                            t->offset - f->start);
    }
    t->blocks->put(t->blocks->ctx, f->block, f->bytes);
}

static bool is_last(const struct ost_datatree *t)
{
    for (unsigned i = 0; i < t->depth; i++)
        if (t->frames[i].next < t->frames[i].view.count)
            return false;
    return true;
}

static void lose(struct ost_datatree *t, uint64_t bid, struct ost_leaf *out)
{
    t->lost = true;
    *out = (struct ost_leaf){.bid = bid, .offset = t->offset, .offset_known = t->offset_known};
}

/* Leaves without bytes would let a small file keep us busy for long: nothing follows them. */
static void end_here(struct ost_datatree *t)
{
    t->lost = true;
    for (unsigned i = 0; i < t->depth; i++)
        t->frames[i].next = t->frames[i].view.count;
}

/* A data block, or what should be one. `owner` names it. */
static void take_leaf(struct ost_datatree *t, uint64_t owner, uint64_t bid, struct ost_leaf *out)
{
    uint32_t full = t->variant->data_max;
    const struct ost_block *block = NULL;

    t->defects.bid = owner;
    if (ost_bid_internal(bid))
        ost_defects_add(&t->defects, OST_TREE_CHILD_KIND, 0, 0, bid);
    else if (!(block = t->blocks->find(t->blocks->ctx, bid)))
        ost_defects_add(&t->defects, OST_TREE_DANGLING, 0, 0, bid);
    if (!block) {
        lose(t, bid, out);
        t->offset += full;
        return;
    }
    if (block->inflated != full && !is_last(t)) {
        t->defects.bid = bid;
        ost_defects_add(&t->defects, OST_TREE_LEAF_SIZE, 0, full, block->inflated);
        if (block->inflated == 0)
            end_here(t);
    }
    *out = (struct ost_leaf){
        .bid = bid, .block = block, .offset = t->offset, .offset_known = t->offset_known};
    t->offset += block->inflated;
}

/* The root: 1 a single leaf (or a lost one), 0 its entries are to follow. */
static int start(struct ost_datatree *t, struct ost_leaf *out)
{
    int rc;

    t->started = true;
    if (t->root == 0)
        return 0;
    if (!ost_bid_internal(t->root)) {
        take_leaf(t, t->root, t->root, out);
        return 1;
    }
    rc = push(t, t->root, 0);
    if (rc != ERR_DAMAGED)
        return rc;
    lose(t, t->root, out);
    t->offset_known = false;
    return 1;
}

/* An XBLOCK of an XXBLOCK: 1 it is lost (*out), 0 its entries are next. */
static int descend(struct ost_datatree *t, uint64_t owner, uint64_t bid, struct ost_leaf *out)
{
    int rc = ERR_DAMAGED;

    if (ost_bid_internal(bid)) {
        rc = push(t, bid, 1);
    } else {
        t->defects.bid = owner;
        ost_defects_add(&t->defects, OST_TREE_CHILD_KIND, 0, 0, bid);
    }
    if (rc != ERR_DAMAGED)
        return rc;
    lose(t, bid, out);
    t->offset_known = false;
    return 1;
}

int ost_datatree_next(struct ost_datatree *t, struct ost_leaf *out)
{
    int rc;

    if (!t->started) {
        rc = start(t, out);
        if (rc)
            return rc;
    }
    while (t->depth > 0) {
        struct ost_datatree_frame *f = &t->frames[t->depth - 1];
        uint64_t bid;

        if (f->next == f->view.count || t->offset - f->start > f->view.total) {
            pop(t);
            continue;
        }
        bid = ost_xblock_bid(&f->view, f->next++);
        if (f->view.level == 1) {
            take_leaf(t, f->block->bid, bid, out);
            return 1;
        }
        rc = descend(t, f->block->bid, bid, out);
        if (rc)
            return rc;
    }
    return 0;
}

void ost_datatree_done(struct ost_datatree *t)
{
    while (t->depth > 0) {
        struct ost_datatree_frame *f = &t->frames[--t->depth];

        t->blocks->put(t->blocks->ctx, f->block, f->bytes);
    }
    t->started = true;
    t->root = 0;
}
