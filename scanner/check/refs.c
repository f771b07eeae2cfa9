/*
 * refs.c: see refs.h.
 *
 * cRef is 1 + the references from nodes and from all internal blocks, reachable or not. A count
 * that is too low for what was found is damage for certain: no lost block could make the references
 * fewer. One that is too high proves something only where no block or page was lost that may have
 * held the missing references; if one was, a block that nothing names is taken for its, and one
 * that only some name is a warning.
 *
 * Blocks that nothing names, with a count that agrees, wait for deletion. What only they name is
 * unreachable: found by taking their references away, and those of what then has none left.
 */
#include "scanner/check/refs.h"

#include "io/err.h"

struct counts {
    struct chk_state *state;
    uint16_t *refs;  /* by block; stays at its most */
    uint64_t lost;   /* internal blocks that may have held references */
    bool pages_lost; /* pages of the trees that may have held any number of them */
    bool unnamed;    /* there is a block that nothing names */
};

static void count(struct counts *c, uint32_t block, bool maybe)
{
    if (block == CHK_NO_BLOCK)
        return;
    if (maybe)
        c->state->status[block] |= CHK_MAYBE;
    else if (c->refs[block]++ == 0)
        c->state->status[block] |= CHK_NAMED;
    else if (c->refs[block] == 0)
        c->refs[block] = UINT16_MAX;
}

static void count_inner(struct counts *c, const struct chk_inner *inner)
{
    const uint32_t *edges = chk_links_edges(&c->state->links, inner);
    size_t n = (size_t)inner->data_count + inner->sub_count;
    bool unproven = chk_kind_unproven(c->state, (enum chk_kind)inner->kind);

    for (size_t i = 0; i < n; i++) {
        count(c, edges[i], inner->doubted);
        if (unproven)
            count(c, edges[i], true);
    }
}

static void count_node(struct counts *c, size_t i)
{
    const struct chk_state *s = c->state;
    const struct ost_node *n = &s->plan.nodes[i];
    bool maybe = chk_node_doubted(s, i);

    if (n->data)
        count(c, chk_bids_find(&s->bids, n->data), maybe);
    if (n->sub)
        count(c, chk_bids_find(&s->bids, n->sub), maybe);
}

static int note(struct chk_state *s, size_t i, uint16_t found, bool certain)
{
    const struct ost_block *b = &s->plan.blocks[i];
    struct chk_note n =
        chk_note_at(F_bbt_ref_count, ost_plan_leaf(&s->plan, OST_TREE_BBT, b->bid)->offset);

    n.length = s->variant->page_size;
    n.bid = b->bid;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID;
    chk_note_expect(&n, found + 1u, b->refs);
    if (!certain)
        n.severity = SEVERITY_WARNING;
    chk_note_about(&n, CHK_ON_BLOCK, i);
    return chk_notes_add(&s->notes, &n);
}

static int judge(struct counts *c, size_t i)
{
    struct chk_state *s = c->state;
    uint16_t said = s->plan.blocks[i].refs, found = c->refs[i];
    bool maybe = s->status[i] & CHK_MAYBE;

    c->unnamed = c->unnamed || (found == 0 && !maybe);
    said = (uint16_t)(said - (said > 0));
    if (found == said && !maybe)
        return 0;
    if (chk_block_doubted(s, i)) {
        s->result.unjudged++;
        return 0;
    }
    if (found > said)
        return note(s, i, found, !maybe);
    if (found == said)
        return 0;
    if (maybe || c->pages_lost || (c->lost && found == 0)) {
        s->result.unjudged++;
        return 0;
    }
    return note(s, i, found, !c->lost);
}

static void take_away(struct counts *c, uint32_t block, uint32_t *stack, size_t *depth)
{
    if (block == CHK_NO_BLOCK || c->refs[block] == 0 || c->refs[block] == UINT16_MAX)
        return;
    if (--c->refs[block] > 0)
        return;
    c->state->result.unreachable++;
    stack[(*depth)++] = block;
}

/* `inner_of`: by block. Each block comes onto the stack once. */
static void find_unreachable(struct counts *c, const uint32_t *inner_of, uint32_t *stack)
{
    struct chk_state *s = c->state;
    size_t depth = 0;

    for (size_t i = 0; i < s->plan.block_count; i++) {
        if (c->refs[i] || (s->status[i] & CHK_MAYBE))
            continue;
        s->result.unreferenced++;
        stack[depth++] = (uint32_t)i;
    }
    while (depth > 0) {
        uint32_t at = inner_of[stack[--depth]];
        const struct chk_inner *inner;
        const uint32_t *edges;

        if (at == CHK_NO_BLOCK)
            continue;
        inner = chk_links_inner(&s->links, at);
        if (inner->doubted)
            continue;
        edges = chk_links_edges(&s->links, inner);
        for (size_t k = 0; k < (size_t)inner->data_count + inner->sub_count; k++)
            take_away(c, edges[k], stack, &depth);
    }
}

static int note_unreferenced(struct chk_state *s)
{
    struct chk_note n = {.code = F_block_unreferenced, .severity = SEVERITY_INFO};

    n.actual = s->result.unreferenced + s->result.unreachable;
    n.has = CHK_NOTE_ACTUAL;
    return chk_notes_add(&s->notes, &n);
}

/* Only where all references are known: else what was lost would be told again. */
static int unreachable(struct counts *c)
{
    struct chk_state *s = c->state;
    uint64_t size = s->plan.block_count * sizeof(uint32_t);
    uint32_t *inner_of = NULL, *stack = NULL;
    int rc = 0;

    if (!c->unnamed || c->lost || c->pages_lost)
        return 0;
    inner_of = chk_take(&s->budget, size, &rc);
    if (!rc)
        stack = chk_take(&s->budget, size, &rc);
    for (size_t i = 0; i < s->plan.block_count && !rc; i++)
        inner_of[i] = CHK_NO_BLOCK;
    for (size_t i = 0; i < s->links.inner.count && !rc; i++)
        inner_of[chk_links_inner(&s->links, i)->block] = (uint32_t)i;
    if (!rc)
        find_unreachable(c, inner_of, stack);
    if (!rc && s->result.unreferenced)
        rc = note_unreferenced(s);
    chk_give(&s->budget, inner_of, size);
    chk_give(&s->budget, stack, size);
    return rc;
}

int chk_refs(struct chk_state *s)
{
    struct counts c = {.state = s};
    uint64_t size = s->plan.block_count * sizeof *c.refs;
    int rc;

    c.lost = s->links.lost;
    c.pages_lost = chk_tainted(&s->taint, OST_TREE_NBT) || chk_tainted(&s->taint, OST_TREE_BBT);
    c.refs = chk_take_zero(&s->budget, size, &rc);
    if (!c.refs)
        return rc;
    for (size_t i = 0; i < s->links.inner.count; i++)
        count_inner(&c, chk_links_inner(&s->links, i));
    for (size_t i = 0; i < s->plan.node_count; i++)
        count_node(&c, i);
    for (size_t i = 0; i < s->plan.block_count && !rc; i++)
        rc = judge(&c, i);
    if (!rc)
        rc = unreachable(&c);
    chk_give(&s->budget, c.refs, size);
    return rc;
}
