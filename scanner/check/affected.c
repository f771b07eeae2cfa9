/*
 * affected.c: see affected.h.
 *
 * References are turned around once, into the owners of each block; from a block they are then
 * followed upwards, breadth first, to the nodes. A block shared by many nodes leads to all of them;
 * what would go on for too long is cut off, for one note and for all together, as are lists at
 * CHK_AFFECTED_MAX.
 */
#include "scanner/check/affected.h"

#include <string.h>

#include "io/err.h"
#include "scanner/check/carve.h"
#include "scanner/check/nodes.h"

enum { QUEUE_MOST = 1 << 16, WORK_MOST = 1 << 26 };

static void nids_add(struct chk_nids *set, uint32_t nid)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->list[middle] < nid)
            low = middle + 1;
        else
            high = middle;
    }
    if (set->count == CHK_AFFECTED_MAX || (low < set->count && set->list[low] == nid))
        return;
    memmove(&set->list[low + 1], &set->list[low], (set->count - low) * sizeof *set->list);
    set->list[low] = nid;
    set->count++;
}

/* Calls for every reference: counting, then filling. */
static void each_owner(struct chk_affected *a,
                       void (*take)(struct chk_affected *, uint32_t block, uint32_t owner))
{
    struct chk_state *s = a->state;

    for (size_t i = 0; i < s->links.inner.count; i++) {
        const struct chk_inner *inner = chk_links_inner(&s->links, i);
        const uint32_t *edges = chk_links_edges(&s->links, inner);

        for (size_t k = 0; k < (size_t)inner->data_count + inner->sub_count; k++)
            if (edges[k] != CHK_NO_BLOCK)
                take(a, edges[k], inner->block);
    }
    for (size_t i = 0; i < s->plan.node_count; i++) {
        const struct ost_node *n = &s->plan.nodes[i];
        uint32_t data = n->data ? chk_bids_find(&s->bids, n->data) : CHK_NO_BLOCK;
        uint32_t sub = n->sub ? chk_bids_find(&s->bids, n->sub) : CHK_NO_BLOCK;

        if (data != CHK_NO_BLOCK)
            take(a, data, (uint32_t)i | CHK_OWNER_NODE);
        if (sub != CHK_NO_BLOCK)
            take(a, sub, (uint32_t)i | CHK_OWNER_NODE);
    }
}

static void count_owner(struct chk_affected *a, uint32_t block, uint32_t owner)
{
    (void)owner;
    a->starts[block]++;
    a->owner_count++;
}

/* Starts stand at their ends, and go down as they are filled. */
static void put_owner(struct chk_affected *a, uint32_t block, uint32_t owner)
{
    a->owners[--a->starts[block]] = owner;
}

static int turn_around(struct chk_affected *a)
{
    struct chk_state *s = a->state;
    size_t blocks = s->plan.block_count;
    uint32_t end = 0;
    int rc;

    a->queue_room = blocks < QUEUE_MOST ? blocks : QUEUE_MOST;
    a->visited = chk_take_zero(&s->budget, blocks / 8 + 1, &rc);
    if (!rc)
        a->queue = chk_take(&s->budget, a->queue_room * sizeof *a->queue, &rc);
    if (!rc)
        a->starts = chk_take_zero(&s->budget, (blocks + 1) * sizeof *a->starts, &rc);
    if (rc)
        return rc;
    each_owner(a, count_owner);
    if (a->owner_count > UINT32_MAX)
        return ERR_LIMIT;
    a->owners = chk_take(&s->budget, a->owner_count * sizeof *a->owners, &rc);
    if (rc)
        return rc;
    for (size_t i = 0; i <= blocks; i++) {
        end += i < blocks ? a->starts[i] : 0;
        a->starts[i] = end;
    }
    each_owner(a, put_owner);
    return 0;
}

int chk_affected_init(struct chk_affected *a, struct chk_state *s)
{
    int rc;

    memset(a, 0, sizeof *a);
    a->state = s;
    a->work = WORK_MOST;
    rc = turn_around(a);
    if (!rc)
        return 0;
    chk_affected_done(a);
    return rc == ERR_LIMIT ? 0 : rc;
}

void chk_affected_done(struct chk_affected *a)
{
    struct chk_budget *b = &a->state->budget;
    size_t blocks = a->state->plan.block_count;

    chk_give(b, a->visited, blocks / 8 + 1);
    chk_give(b, a->queue, a->queue_room * sizeof *a->queue);
    chk_give(b, a->owners, a->owner_count * sizeof *a->owners);
    chk_give(b, a->starts, (blocks + 1) * sizeof *a->starts);
    a->visited = NULL;
    a->queue = a->owners = a->starts = NULL;
}

/* The folder whose table or other part a node is, or 0. */
static uint32_t folder_of(const struct chk_state *s, const struct ost_node *n)
{
    uint32_t base = n->nid & ~UINT32_C(0x1F);

    switch (chk_nid_type(n->nid)) {
    case CHK_NID_FOLDER:
    case CHK_NID_SEARCH:
        return n->nid;
    case CHK_NID_MESSAGE:
    case CHK_NID_ASSOC:
        return n->parent;
    case CHK_NID_QUEUE:
    case CHK_NID_CRITERIA:
    case CHK_NID_HIERARCHY:
    case CHK_NID_CONTENTS:
    case CHK_NID_ASSOC_CONTENTS:
    case CHK_NID_SEARCH_CONTENTS:
    case CHK_NID_MID_INDEX:
    case CHK_NID_ASSOC_MID_INDEX:
        break;
    default:
        return 0;
    }
    if (ost_plan_node(&s->plan, base | CHK_NID_FOLDER))
        return base | CHK_NID_FOLDER;
    return ost_plan_node(&s->plan, base | CHK_NID_SEARCH) ? base | CHK_NID_SEARCH : 0;
}

static void add_node(struct chk_affected *a, size_t i)
{
    const struct ost_node *n = &a->state->plan.nodes[i];
    uint32_t folder = folder_of(a->state, n);

    if (n->flags & CHK_ENTRY_STALE)
        return;
    if (chk_nid_is_message(n->nid))
        nids_add(&a->items, n->nid);
    if (folder && chk_nid_is_folder(folder))
        nids_add(&a->folders, folder);
    if (!folder && a->nid != n->nid) {
        a->nid = n->nid;
        a->others++;
    }
}

static void enqueue(struct chk_affected *a, uint32_t block)
{
    if ((a->visited[block / 8] >> block % 8 & 1) || a->queued == a->queue_room)
        return;
    a->visited[block / 8] |= (uint8_t)(1u << block % 8);
    a->queue[a->queued++] = block;
}

/* Whether there is work left; one of it is taken. */
static bool spend(struct chk_affected *a)
{
    return a->work > 0 && a->work--;
}

static void add_owner(struct chk_affected *a, uint32_t owner)
{
    if (owner & CHK_OWNER_NODE)
        add_node(a, owner & ~CHK_OWNER_NODE);
    else
        enqueue(a, owner);
}

static size_t lower_block(const struct ost_plan *p, uint64_t bid)
{
    size_t low = 0, high = p->block_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p->blocks[middle].bid < bid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t lower_dangling(const struct chk_links *l, uint64_t bid)
{
    const struct chk_dangling *d = l->dangling.data;
    size_t low = 0, high = l->dangling.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (d[middle].bid < bid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t lower_node(const struct ost_plan *p, uint64_t nid)
{
    size_t low = 0, high = p->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p->nodes[middle].nid < nid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_block_keys(struct chk_affected *a, const struct chk_event *e)
{
    const struct chk_state *s = a->state;
    const struct chk_dangling *d = s->links.dangling.data;

    for (size_t i = lower_block(&s->plan, e->first);
         i < s->plan.block_count && s->plan.blocks[i].bid <= e->last && spend(a); i++)
        enqueue(a, (uint32_t)i);
    for (size_t i = lower_dangling(&s->links, e->first);
         i < s->links.dangling.count && d[i].bid <= e->last && spend(a); i++)
        add_owner(a, d[i].owner);
}

static void add_node_keys(struct chk_affected *a, const struct chk_event *e)
{
    const struct ost_plan *p = &a->state->plan;

    for (size_t i = lower_node(p, e->first);
         i < p->node_count && p->nodes[i].nid <= e->last && spend(a); i++)
        add_node(a, i);
}

static void add_subject(struct chk_affected *a, const struct chk_note *note)
{
    const struct chk_state *s = a->state;
    const struct chk_dangling *d = s->links.dangling.data;

    switch ((enum chk_subject)note->kind) {
    case CHK_ON_NOTHING:
        break;
    case CHK_ON_BLOCK:
        enqueue(a, note->subject);
        break;
    case CHK_ON_NODE:
        add_node(a, note->subject);
        break;
    case CHK_ON_KEYS:
        if (chk_taint_get(&s->taint, note->subject)->tree == OST_TREE_BBT)
            add_block_keys(a, chk_taint_get(&s->taint, note->subject));
        else
            add_node_keys(a, chk_taint_get(&s->taint, note->subject));
        break;
    case CHK_ON_MISSING:
        for (size_t i = note->subject;
             i < s->links.dangling.count && d[i].bid == note->bid && spend(a); i++)
            add_owner(a, d[i].owner);
        break;
    case CHK_ON_CUT:
        for (size_t i = 0; i < s->plan.block_count; i++)
            if (s->status[i] & CHK_CUT)
                enqueue(a, (uint32_t)i);
        break;
    }
}

void chk_affected_find(struct chk_affected *a, const struct chk_note *note)
{
    a->items.count = a->folders.count = 0;
    a->nid = 0;
    a->others = 0;
    a->queued = 0;
    if (!a->starts)
        return;
    add_subject(a, note);
    for (size_t i = 0; i < a->queued && spend(a); i++)
        for (uint32_t k = a->starts[a->queue[i]]; k < a->starts[a->queue[i] + 1] && spend(a); k++)
            add_owner(a, a->owners[k]);
    for (size_t i = 0; i < a->queued; i++)
        a->visited[a->queue[i] / 8] = 0;
    if (a->others != 1 || a->items.count || a->folders.count)
        a->nid = 0;
}
