/*
 * trees.c: see trees.h.
 *
 * Data trees have two levels at most and cannot contain themselves. Subnode trees can, by way of a
 * subnode's own subnode tree: a depth-first walk over the subnode references colours blocks grey
 * while they are open, and a reference to a grey one closes a cycle. It starts at the nodes' trees,
 * so that of a cycle the reference that goes back up is the one found.
 *
 * What a block says that is in doubt is not judged, and a total is not where a part of the sum is
 * in doubt or damaged.
 */
#include "scanner/check/trees.h"

#include <assert.h>

#include "io/err.h"
#include "scanner/ost/block.h"
#include "scanner/ost/limits.h"

enum colour { WHITE, GREY, BLACK };

struct walk {
    struct chk_state *state;
    uint32_t *inner_of; /* by block; CHK_NO_BLOCK */
    uint8_t *colours;   /* by internal block */
    struct frame {
        uint32_t inner;
        uint16_t next, depth; /* depth: of trees within trees */
    } * stack;
};

static const struct ost_block *block_of(const struct chk_state *s, const struct chk_inner *inner)
{
    return &s->plan.blocks[inner->block];
}

static int note(struct chk_state *s, const struct chk_inner *inner, enum finding_code code,
                uint64_t expected, uint64_t actual)
{
    const struct ost_block *b = block_of(s, inner);
    struct chk_note n = chk_note_at(code, b->offset);

    n.length = ost_block_extent(s->variant, b->stored);
    n.bid = b->bid;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID;
    if (chk_kind_unproven(s, (enum chk_kind)inner->kind) && n.severity == SEVERITY_CORRUPT)
        n.severity = SEVERITY_WARNING;
    chk_note_expect(&n, expected, actual);
    chk_note_about(&n, CHK_ON_BLOCK, inner->block);
    return chk_notes_add(&s->notes, &n);
}

static bool is_subnode_tree(const struct chk_inner *inner)
{
    return inner->kind == CHK_KIND_SL || inner->kind == CHK_KIND_SI;
}

/* Takes a reference out. What it names may have been counted for it, or what it was to name. */
static void cut_edge(struct chk_state *s, struct chk_inner *inner, uint32_t *edge)
{
    s->status[*edge] |= CHK_MAYBE;
    *edge = CHK_NO_BLOCK;
    if (!inner->partial && !inner->doubted)
        s->links.lost++;
    inner->partial = true;
}

/* Whether a tree's block may name one of that kind; an internal block that could not be read is
 * taken for anything. */
static bool fits(enum chk_kind owner, bool sub, enum chk_kind child)
{
    switch (owner) {
    case CHK_KIND_XX:
        return child == CHK_KIND_X;
    case CHK_KIND_SI:
        return child == CHK_KIND_SL;
    case CHK_KIND_SL:
        return sub ? child == CHK_KIND_SL || child == CHK_KIND_SI
                   : child == CHK_KIND_X || child == CHK_KIND_XX;
    case CHK_KIND_X:
    case CHK_KIND_DATA:
        break;
    }
    return false;
}

static int check_kinds(struct chk_state *s, struct chk_inner *inner)
{
    uint32_t *edges = chk_links_edges(&s->links, inner);
    size_t count = (size_t)inner->data_count + inner->sub_count;
    int rc = 0;

    if (inner->kind == CHK_KIND_X)
        return 0;
    for (size_t i = 0; i < count && !rc; i++) {
        enum chk_kind child;

        if (edges[i] == CHK_NO_BLOCK)
            continue;
        child = chk_kind_of(s, edges[i]);
        if (child == CHK_KIND_DATA ||
            fits((enum chk_kind)inner->kind, i >= inner->data_count, child))
            continue;
        if (!inner->doubted)
            rc = note(s, inner, is_subnode_tree(inner) ? F_subnode_child : F_xblock_child, 0,
                      s->plan.blocks[edges[i]].bid);
        cut_edge(s, inner, &edges[i]);
    }
    return rc;
}

static const struct chk_inner *inner_at(const struct walk *w, uint32_t block)
{
    uint32_t i = w->inner_of[block];

    return i == CHK_NO_BLOCK ? NULL : chk_links_inner(&w->state->links, i);
}

/* The total of an XXBLOCK, and whether its XBLOCKs but the last are full. */
static int check_xx(struct walk *w, struct chk_inner *inner)
{
    struct chk_state *s = w->state;
    const uint32_t *edges = chk_links_edges(&s->links, inner);
    uint64_t sum = 0, odd = UINT64_MAX, full = 0;
    int rc = 0;

    if (inner->partial || inner->doubted)
        return 0;
    for (unsigned i = 0; i < inner->data_count; i++) {
        const struct chk_inner *x = inner_at(w, edges[i]);
        uint64_t whole;

        if (!x || x->doubted || x->partial || x->mismatch)
            return 0;
        whole = (uint64_t)x->data_count * s->variant->data_max;
        sum += x->total;
        if (i + 1u < inner->data_count && x->total != whole && odd == UINT64_MAX) {
            odd = x->total;
            full = whole;
        }
    }
    if (odd != UINT64_MAX)
        rc = note(s, inner, F_xblock_leaf_size, full, odd);
    if (!rc && sum != inner->total)
        rc = note(s, inner, F_xblock_total, sum, inner->total);
    return rc;
}

/* The nids below each entry of a SIBLOCK are from its own to the next one's. */
static int check_si(struct walk *w, struct chk_inner *inner)
{
    struct chk_state *s = w->state;
    const uint32_t *edges = chk_links_edges(&s->links, inner);
    const uint32_t *nids = edges + inner->sub_count;

    if (inner->doubted)
        return 0;
    for (unsigned i = 0; i < inner->sub_count; i++) {
        const struct chk_inner *sl = edges[i] == CHK_NO_BLOCK ? NULL : inner_at(w, edges[i]);

        if (!sl || sl->doubted || sl->kind != CHK_KIND_SL || sl->first > sl->last)
            continue;
        if (sl->first < nids[i])
            return note(s, inner, F_subnode_range, nids[i], sl->first);
        if (i + 1u < inner->sub_count && sl->last >= nids[i + 1])
            return note(s, inner, F_subnode_range, nids[i + 1], sl->last);
    }
    return 0;
}

/* Goes through what one subnode tree contains. */
static int walk_from(struct walk *w, uint32_t root)
{
    struct chk_state *s = w->state;
    size_t depth = 0;
    int rc = 0;

    if (root == CHK_NO_BLOCK || w->colours[root] != WHITE)
        return 0;
    w->stack[depth++] = (struct frame){root, 0, 1};
    w->colours[root] = GREY;
    while (depth > 0 && !rc) {
        struct frame *f = &w->stack[depth - 1];
        struct chk_inner *inner = chk_links_inner(&s->links, f->inner);
        uint32_t *edge, child;

        if (f->next == inner->sub_count) {
            w->colours[f->inner] = BLACK;
            depth--;
            continue;
        }
        edge = chk_links_edges(&s->links, inner) + inner->data_count + f->next++;
        child = *edge == CHK_NO_BLOCK ? CHK_NO_BLOCK : w->inner_of[*edge];
        if (child == CHK_NO_BLOCK || w->colours[child] == BLACK)
            continue;
        if (w->colours[child] == GREY) {
            if (!inner->doubted)
                rc = note(s, inner, F_subnode_cycle, 0, s->plan.blocks[*edge].bid);
            cut_edge(s, inner, edge);
            continue;
        }
        w->stack[depth] = (struct frame){
            child, 0, (uint16_t)(f->depth + (inner->kind == CHK_KIND_SL && f->depth < UINT16_MAX))};
        w->colours[child] = GREY;
        if (w->stack[depth].depth == OST_LIMIT_SUBNODE_DEPTH + 1 &&
            f->depth < w->stack[depth].depth)
            rc = note(s, chk_links_inner(&s->links, child), F_subnode_depth,
                      OST_LIMIT_SUBNODE_DEPTH, w->stack[depth].depth);
        depth++;
    }
    return rc;
}

static int walk_all(struct walk *w)
{
    struct chk_state *s = w->state;
    int rc = 0;

    for (size_t i = 0; i < s->plan.node_count && !rc; i++) {
        uint32_t block =
            s->plan.nodes[i].sub ? chk_bids_find(&s->bids, s->plan.nodes[i].sub) : CHK_NO_BLOCK;

        if (block != CHK_NO_BLOCK && w->inner_of[block] != CHK_NO_BLOCK &&
            is_subnode_tree(chk_links_inner(&s->links, w->inner_of[block])))
            rc = walk_from(w, w->inner_of[block]);
    }
    for (size_t i = 0; i < s->links.inner.count && !rc; i++)
        if (is_subnode_tree(chk_links_inner(&s->links, i)))
            rc = walk_from(w, (uint32_t)i);
    return rc;
}

/* A note about leaf sizes or the total of an XBLOCK stands only if all its leaves are what the
 * block B-tree says. */
static void settle_totals(struct walk *w)
{
    struct chk_state *s = w->state;

    for (size_t i = 0; i < s->notes.list.count; i++) {
        struct chk_note *n = chk_notes_get(&s->notes, i);
        const struct chk_inner *x;
        const uint32_t *edges;

        if ((n->code != F_xblock_total && n->code != F_xblock_leaf_size) || n->kind != CHK_ON_BLOCK)
            continue;
        x = inner_at(w, n->subject);
        assert(x);
        edges = chk_links_edges(&s->links, x);
        for (unsigned k = 0; k < x->data_count; k++)
            if (!(s->status[edges[k]] & CHK_SIZED))
                n->has |= CHK_NOTE_DROPPED;
    }
}

static int check_all(struct walk *w)
{
    struct chk_state *s = w->state;
    size_t count = s->links.inner.count;
    int rc = 0;

    for (size_t i = 0; i < s->plan.block_count; i++)
        w->inner_of[i] = CHK_NO_BLOCK;
    for (size_t i = 0; i < count; i++)
        w->inner_of[chk_links_inner(&s->links, i)->block] = (uint32_t)i;
    settle_totals(w);
    for (size_t i = 0; i < count && !rc; i++)
        rc = check_kinds(s, chk_links_inner(&s->links, i));
    for (size_t i = 0; i < count && !rc; i++) {
        struct chk_inner *inner = chk_links_inner(&s->links, i);

        if (inner->kind == CHK_KIND_XX)
            rc = check_xx(w, inner);
        else if (inner->kind == CHK_KIND_SI)
            rc = check_si(w, inner);
    }
    return rc ? rc : walk_all(w);
}

int chk_trees(struct chk_state *s)
{
    struct chk_budget *b = &s->budget;
    uint64_t blocks = s->plan.block_count, inner = s->links.inner.count;
    struct walk w = {.state = s};
    int rc;

    w.inner_of = chk_take(b, blocks * sizeof *w.inner_of, &rc);
    if (!rc)
        w.colours = chk_take_zero(b, inner * sizeof *w.colours, &rc);
    if (!rc)
        w.stack = chk_take(b, inner * sizeof *w.stack, &rc);
    if (!rc)
        rc = check_all(&w);
    chk_give(b, w.inner_of, blocks * sizeof *w.inner_of);
    chk_give(b, w.colours, inner * sizeof *w.colours);
    chk_give(b, w.stack, inner * sizeof *w.stack);
    return rc;
}
