/*
 * subnode.c: see subnode.h.
 *
 * Look-up and walk both stand on a frame: one tree, with at most one block held of each level. A
 * tree whose root is an SLBLOCK has no level 1.
 */
#include "scanner/ost/subnode.h"

#include <assert.h>

#include "io/err.h"

static uint16_t entry_size(const struct ost_variant *v, unsigned level)
{
    return level == 0 ? v->sl_size : v->si_size;
}

static const uint8_t *entry_at(const struct ost_sblock *s, unsigned i)
{
    assert(i < s->count);
    return s->entries + (size_t)i * entry_size(s->variant, s->level);
}

static void check_nids(struct ost_sblock *s, struct ost_defects *defects)
{
    s->ordered = true;
    for (unsigned i = 1; i < s->count; i++) {
        uint32_t before = ost_sblock_nid(s, i - 1), nid = ost_sblock_nid(s, i);

        if (nid > before)
            continue;
        s->ordered = false;
        ost_defects_add(defects, OST_SUBNODE_ORDER,
                        s->variant->sub_header + i * entry_size(s->variant, s->level), before, nid);
    }
}

int ost_sblock_open(const struct ost_variant *v, struct bytes decoded, struct ost_defects *defects,
                    struct ost_sblock *out)
{
    const uint8_t *p = decoded.data;
    struct ost_sblock s = {.variant = v};
    uint64_t room;

    if (decoded.size < v->sub_header) {
        ost_defects_add(defects, OST_TREE_SHORT, 0, v->sub_header, decoded.size);
        return ERR_DAMAGED;
    }
    s.level = p[OFF_S_LEVEL];
    s.count = le16(p + OFF_S_COUNT);
    s.entries = p + v->sub_header;
    room = (decoded.size - v->sub_header) / entry_size(v, s.level);
    ost_defects_compare(defects, OST_TREE_TYPE, OFF_S_TYPE, BTYPE_SUBNODE, p[OFF_S_TYPE]);
    if (s.level > 1)
        ost_defects_add(defects, OST_TREE_LEVEL, OFF_S_LEVEL, 0, s.level);
    if (s.count > room)
        ost_defects_add(defects, OST_TREE_COUNT, OFF_S_COUNT, room, s.count);
    if (p[OFF_S_TYPE] != BTYPE_SUBNODE || s.level > 1 || s.count > room)
        return ERR_DAMAGED;
    check_nids(&s, defects);
    *out = s;
    return 0;
}

uint32_t ost_sblock_nid(const struct ost_sblock *s, unsigned i)
{
    return le32(entry_at(s, i));
}

struct ost_subnode ost_sblock_subnode(const struct ost_sblock *s, unsigned i)
{
    const uint8_t *e = entry_at(s, i);
    size_t w = s->variant->id_size;

    assert(s->level == 0);
    return (struct ost_subnode){
        .nid = le32(e),
        .data = ost_bid(ost_id(s->variant, e + w)),
        .sub = ost_bid(ost_id(s->variant, e + 2 * w)),
    };
}

uint64_t ost_sblock_child(const struct ost_sblock *s, unsigned i)
{
    assert(s->level == 1);
    return ost_bid(ost_id(s->variant, entry_at(s, i) + s->variant->id_size));
}

struct place {
    const struct ost_variant *variant;
    const struct ost_blocks *blocks;
    struct ost_defects *defects;
};

static void frame_put(const struct ost_blocks *blocks, struct ost_subnode_frame *f, unsigned level)
{
    if (f->block[level])
        blocks->put(blocks->ctx, f->block[level], f->bytes[level]);
    f->block[level] = NULL;
}

/* Holds a block of the tree at its level, which must be at most `highest`. ERR_DAMAGED: lost. */
static int frame_get(struct place p, struct ost_subnode_frame *f, uint64_t bid, unsigned highest)
{
    const struct ost_block *block = NULL;
    struct ost_sblock view;
    struct bytes bytes;
    int rc;

    p.defects->bid = bid;
    if (!ost_bid_internal(bid))
        ost_defects_add(p.defects, OST_TREE_CHILD_KIND, 0, 0, bid);
    else if (!(block = p.blocks->find(p.blocks->ctx, bid)))
        ost_defects_add(p.defects, OST_TREE_DANGLING, 0, 0, bid);
    if (!block)
        return ERR_DAMAGED;
    rc = p.blocks->get(p.blocks->ctx, block, &bytes);
    if (rc == ERR_DAMAGED)
        ost_defects_add(p.defects, OST_TREE_UNREADABLE, 0, 0, bid);
    if (rc)
        return rc;
    rc = ost_sblock_open(p.variant, bytes, p.defects, &view);
    if (!rc && view.level > highest) {
        ost_defects_add(p.defects, OST_TREE_LEVEL, OFF_S_LEVEL, highest, view.level);
        rc = ERR_DAMAGED;
    }
    if (rc) {
        p.blocks->put(p.blocks->ctx, block, bytes);
        return rc;
    }
    f->block[view.level] = block;
    f->bytes[view.level] = bytes;
    f->view[view.level] = view;
    f->next[view.level] = 0;
    return 0;
}

/* The SLBLOCK of entry i of the frame's SIBLOCK. */
static int frame_child(struct place p, struct ost_subnode_frame *f, unsigned i)
{
    const struct ost_sblock *si = &f->view[1], *sl = &f->view[0];
    uint32_t first = ost_sblock_nid(si, i);
    uint32_t last = i + 1u < si->count ? ost_sblock_nid(si, i + 1) - 1 : UINT32_MAX;
    int rc = frame_get(p, f, ost_sblock_child(si, i), 0);

    if (rc || !si->ordered)
        return rc;
    for (unsigned k = 0; k < sl->count; k++) {
        uint32_t nid = ost_sblock_nid(sl, k);

        if (nid < first || nid > last)
            ost_defects_add(p.defects, OST_SUBNODE_RANGE,
                            p.variant->sub_header + k * p.variant->sl_size,
                            nid < first ? first : last, nid);
    }
    return 0;
}

/* How many entries have a nid up to `nid`, in an ordered view. */
static unsigned count_up_to(const struct ost_sblock *s, uint32_t nid)
{
    unsigned low = 0, high = s->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (ost_sblock_nid(s, middle) <= nid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool find_in_leaf(const struct ost_sblock *sl, uint32_t nid, struct ost_subnode *out)
{
    unsigned from = 0, to = sl->count;

    if (sl->ordered) {
        to = count_up_to(sl, nid);
        from = to > 0 ? to - 1 : 0;
    }
    for (unsigned i = from; i < to; i++) {
        if (ost_sblock_nid(sl, i) == nid) {
            *out = ost_sblock_subnode(sl, i);
            return true;
        }
    }
    return false;
}

int ost_subnode_find(const struct ost_variant *v, const struct ost_blocks *blocks, uint64_t root,
                     uint32_t nid, struct ost_defects *defects, struct ost_subnode *out)
{
    struct place p = {v, blocks, defects};
    struct ost_subnode_frame f = {0};
    unsigned from = 0, to = 0;
    int rc = ost_bid(root) == 0 ? ERR_DAMAGED : frame_get(p, &f, ost_bid(root), 1);

    if (rc)
        return rc == ERR_DAMAGED ? 0 : rc;
    if (!f.block[1]) {
        rc = find_in_leaf(&f.view[0], nid, out);
        goto out;
    }
    to = f.view[1].count;
    if (f.view[1].ordered) {
        to = count_up_to(&f.view[1], nid);
        from = to > 0 ? to - 1 : 0;
    }
    for (unsigned i = from; i < to && !rc; i++) {
        rc = frame_child(p, &f, i);
        if (rc == ERR_DAMAGED)
            rc = 0;
        else if (!rc)
            rc = find_in_leaf(&f.view[0], nid, out);
        frame_put(blocks, &f, 0);
    }
out:
    frame_put(blocks, &f, 0);
    frame_put(blocks, &f, 1);
    return rc;
}

static struct place place_of(struct ost_subnode_walk *w)
{
    return (struct place){w->variant, w->blocks, &w->defects};
}

static int open_tree(struct ost_subnode_walk *w, uint64_t root)
{
    struct ost_subnode_frame *f;
    int rc;

    if (ost_bid(root) == 0)
        return 0;
    if (w->depth == OST_LIMIT_SUBNODE_DEPTH)
        return ERR_LIMIT;
    f = &w->frames[w->depth];
    f->block[0] = f->block[1] = NULL;
    f->sub = 0;
    rc = frame_get(place_of(w), f, ost_bid(root), 1);
    if (rc == ERR_DAMAGED) {
        w->lost = true;
        return 0;
    }
    if (!rc)
        w->depth++;
    return rc;
}

int ost_subnode_walk_init(struct ost_subnode_walk *w, const struct ost_variant *v,
                          const struct ost_blocks *blocks, uint64_t root)
{
    w->variant = v;
    w->blocks = blocks;
    w->defects.count = 0;
    w->defects.bid = 0;
    w->lost = false;
    w->depth = 0;
    return open_tree(w, root);
}

/* The next entry of a frame: 1, 0 at its end, or a code. */
static int frame_next(struct ost_subnode_walk *w, struct ost_subnode_frame *f,
                      struct ost_subnode *out)
{
    int rc;

    for (;;) {
        if (f->block[0] && f->next[0] < f->view[0].count) {
            *out = ost_sblock_subnode(&f->view[0], f->next[0]++);
            f->sub = out->sub;
            return 1;
        }
        frame_put(w->blocks, f, 0);
        if (!f->block[1] || f->next[1] == f->view[1].count)
            return 0;
        rc = frame_child(place_of(w), f, f->next[1]++);
        if (rc == ERR_DAMAGED)
            w->lost = true;
        else if (rc)
            return rc;
    }
}

int ost_subnode_walk_next(struct ost_subnode_walk *w, struct ost_subnode *out, unsigned *depth)
{
    while (w->depth > 0) {
        struct ost_subnode_frame *f = &w->frames[w->depth - 1];
        int rc = frame_next(w, f, out);

        if (rc > 0)
            *depth = w->depth;
        if (rc)
            return rc;
        frame_put(w->blocks, f, 1);
        w->depth--;
    }
    return 0;
}

int ost_subnode_walk_enter(struct ost_subnode_walk *w)
{
    uint64_t sub;

    assert(w->depth > 0);
    sub = w->frames[w->depth - 1].sub;
    w->frames[w->depth - 1].sub = 0;
    return open_tree(w, sub);
}

void ost_subnode_walk_done(struct ost_subnode_walk *w)
{
    for (; w->depth > 0; w->depth--) {
        frame_put(w->blocks, &w->frames[w->depth - 1], 0);
        frame_put(w->blocks, &w->frames[w->depth - 1], 1);
    }
}
