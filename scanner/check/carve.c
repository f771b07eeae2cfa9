/*
 * carve.c: see carve.h.
 *
 *   the image, page by page ──> leaf pages with a right trailer and checksum, in lost ranges of
 * keys │ those allocated first, then the newest (highest bid)
 *                                 v
 *        entries whose keys are lost, and not spoken for by a better page ──> sorted into the plan
 *
 * Pages are never changed in place: each commit writes new ones and frees the old, so free space is
 * full of former pages that are right in all but their age. An allocated leaf that the surviving
 * tree does not reach was below a page that is lost; of its range of keys it alone speaks. What an
 * unallocated leaf says is kept for the keys that nobody else speaks for: there the last version
 * was destroyed, and a former one is the best there is.
 *
 * Branch pages are of no use: leaves carry their keys themselves. The signature ties a page to its
 * place, so images within images (an attached file) are not taken for pages.
 */
#include "scanner/check/carve.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/page.h"
#include "io/sort.h"

enum { READ_BYTES = 1024 * 1024 };

struct leaf {
    uint64_t offset, bid;
    uint64_t first, last; /* its keys */
    uint8_t tree;
    bool allocated;
};

struct carved_block {
    struct ost_block block;
    uint32_t rank; /* of its leaf: lower is better */
};

struct carved_node {
    struct ost_node node;
    uint32_t rank;
};

struct range {
    uint64_t first, last;
};

struct carving {
    struct chk_state *state;
    struct chk_carve *out;
    struct io_source *source;
    uint8_t *buffer;
    struct chk_array lost[2];       /* struct range, by tree; ascending, apart */
    struct chk_array known;         /* uint64_t: offsets of pages of the plan, ascending */
    struct chk_array leaves;        /* struct leaf */
    struct chk_array spoken[2];     /* struct range, by tree: of allocated leaves that were taken;
                                     * apart, in runs (speak) */
    struct chk_array blocks, nodes; /* struct carved_block, carved_node */
};

bool chk_carve_wanted(const struct chk_taint *t)
{
    for (size_t i = 0; i < t->events.count; i++)
        if (chk_taint_get(t, i)->lost)
            return true;
    return false;
}

static int by_first(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void merge(struct chk_array *a)
{
    struct range *r = a->data;
    size_t n = 0;

    io_sort(r, a->count, sizeof *r, by_first);
    for (size_t i = 0; i < a->count; i++) {
        if (n && r[i].first <= r[n - 1].last)
            r[n - 1].last = r[i].last > r[n - 1].last ? r[i].last : r[n - 1].last;
        else
            r[n++] = r[i];
    }
    a->count = n;
}

/* Whether one of the ranges, which are ascending and apart, has a key of [first, last]. */
static bool meets_one(const struct range *r, size_t count, uint64_t first, uint64_t last)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (r[middle].last < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && r[low].first <= last;
}

static bool is_lost(const struct carving *c, enum ost_tree tree, uint64_t first, uint64_t last)
{
    return meets_one(c->lost[tree].data, c->lost[tree].count, first, last);
}

/* Ranges spoken for come one by one and are asked for between. They stand in ascending runs, a run
 * for each bit of their number and as long, the longest first: adding one sorts the last of them.
 */
static bool is_spoken_for(const struct carving *c, enum ost_tree tree, uint64_t first,
                          uint64_t last)
{
    const struct range *r = c->spoken[tree].data;
    size_t left = c->spoken[tree].count;

    for (size_t run = SIZE_MAX / 2 + 1; left; run /= 2) {
        if (!(left & run))
            continue;
        if (meets_one(r, run, first, last))
            return true;
        r += run;
        left -= run;
    }
    return false;
}

static int add_range(struct carving *c, struct chk_array *a, uint64_t first, uint64_t last)
{
    int rc = 0;
    struct range *r = chk_array_reserve(&c->state->budget, a, sizeof *r, 1, &rc);

    if (!r)
        return rc;
    *r = (struct range){first, last};
    a->count++;
    return 0;
}

static int speak(struct carving *c, enum ost_tree tree, uint64_t first, uint64_t last)
{
    struct chk_array *a = &c->spoken[tree];
    int rc = add_range(c, a, first, last);
    size_t run = a->count & -a->count;

    if (!rc)
        io_sort((struct range *)a->data + a->count - run, run, sizeof(struct range), by_first);
    return rc;
}

static int find_lost(struct carving *c)
{
    const struct chk_state *s = c->state;
    int rc = 0;

    for (size_t i = 0; i < s->taint.events.count && !rc; i++) {
        const struct chk_event *e = chk_taint_get(&s->taint, i);

        if (e->lost)
            rc = add_range(c, &c->lost[e->tree], e->first, e->last);
    }
    merge(&c->lost[OST_TREE_NBT]);
    merge(&c->lost[OST_TREE_BBT]);
    return rc;
}

static int find_known(struct carving *c)
{
    const struct ost_plan *p = &c->state->plan;
    int rc = 0;
    uint64_t *to = chk_array_reserve(&c->state->budget, &c->known, sizeof *to, p->page_count, &rc);

    if (!to)
        return rc;
    for (size_t i = 0; i < p->page_count; i++)
        if (p->pages[i].trust != OST_TRUST_NONE)
            to[c->known.count++] = p->pages[i].offset;
    io_sort(to, c->known.count, sizeof *to, by_value);
    return 0;
}

static bool is_known(const struct carving *c, uint64_t offset)
{
    const uint64_t *list = c->known.data;
    size_t low = 0, high = c->known.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->known.count && list[low] == offset;
}

/* The allocation maps that are sound. Without memory for them nothing is known to be allocated. */
static int read_maps(struct carving *c)
{
    struct chk_state *s = c->state;
    struct chk_carve *out = c->out;
    uint64_t spans = ost_amap_count(s->variant, s->file_size);
    uint64_t bytes = spans * s->variant->amap_bitmap_size + spans / 8 + 1;
    int rc = spans > UINT64_MAX / OST_PAGE_MAX ? ERR_LIMIT : chk_budget_count(&s->budget, bytes);

    if (rc)
        return rc == ERR_LIMIT ? 0 : rc;
    rc = ost_allocmap_init(&out->map, s->variant, s->file_size, bytes);
    if (rc) {
        chk_budget_uncount(&s->budget, bytes);
        return rc == ERR_LIMIT ? 0 : rc;
    }
    out->has_map = true;
    for (uint64_t k = 0; k < spans; k++) {
        uint64_t offset = ost_amap_offset(s->variant, k);
        struct ost_defects defects = {.count = 0};

        rc = io_source_read(c->source, offset, c->buffer, s->variant->page_size);
        if (rc == ERR_IO || rc == ERR_RANGE)
            continue;
        if (rc)
            return rc;
        ost_page_check(s->variant, c->buffer, PTYPE_AMAP, offset, offset, &defects);
        if (!defects.count)
            ost_allocmap_put(&out->map, k, c->buffer);
    }
    return 0;
}

static bool is_allocated(const struct chk_carve *c, uint64_t offset, uint64_t length)
{
    return c->has_map && ost_allocmap_query(&c->map, offset, length) == OST_ALLOC_USED;
}

/* Whether these bytes are a leaf page, by themselves. */
static bool is_leaf(const struct ost_variant *v, const uint8_t *page, uint64_t offset,
                    struct ost_btree *view, uint64_t *bid)
{
    struct ost_page_trailer t = ost_page_trailer(v, page);
    struct ost_defects defects = {.count = 0};

    if (t.type != PTYPE_BBT && t.type != PTYPE_NBT)
        return false;
    ost_page_check(v, page, t.type, t.bid, offset, &defects);
    if (defects.count || t.bid == 0)
        return false;
    if (ost_btree_open(v, page, t.type == PTYPE_NBT ? OST_TREE_NBT : OST_TREE_BBT, &defects, view))
        return false;
    *bid = t.bid;
    return view->level == 0 && view->count > 0 && !defects.count;
}

static int take_page(struct carving *c, const uint8_t *page, uint64_t offset)
{
    struct chk_state *s = c->state;
    struct ost_btree view;
    struct leaf *leaf;
    uint64_t bid, first, last;
    int rc = 0;

    if (!is_leaf(s->variant, page, offset, &view, &bid) || is_known(c, offset))
        return 0;
    first = ost_btree_key(&view, 0);
    last = ost_btree_key(&view, view.count - 1u);
    if (first > last || !is_lost(c, view.tree, first, last))
        return 0;
    leaf = chk_array_reserve(&s->budget, &c->leaves, sizeof *leaf, 1, &rc);
    if (!leaf)
        return rc;
    *leaf = (struct leaf){
        .offset = offset,
        .bid = bid,
        .first = first,
        .last = last,
        .tree = (uint8_t)view.tree,
        .allocated = is_allocated(c->out, offset, s->variant->page_size),
    };
    c->leaves.count++;
    return 0;
}

/* Pages lie at multiples of their size. */
static int find_leaves(struct carving *c)
{
    struct chk_state *s = c->state;
    const struct ost_variant *v = s->variant;
    const atomic_bool *cancel = s->job->cancel;
    int rc = 0;

    for (uint64_t at = v->amap_first; at < s->file_size && !rc; at += READ_BYTES) {
        uint64_t left = s->file_size - at;
        size_t size = left < READ_BYTES ? (size_t)left : READ_BYTES;

        if (cancel && atomic_load_explicit(cancel, memory_order_relaxed))
            return ERR_CANCELLED;
        rc = io_source_read(c->source, at, c->buffer, size);
        if (rc == ERR_IO || rc == ERR_RANGE) {
            rc = 0;
            continue;
        }
        for (size_t i = 0; i + v->page_size <= size && !rc; i += v->page_align)
            rc = take_page(c, c->buffer + i, at + i);
    }
    return rc;
}

/* The better ones first. */
static int by_rank(const void *a, const void *b)
{
    const struct leaf *x = a, *y = b;

    if (x->allocated != y->allocated)
        return x->allocated ? -1 : 1;
    if (x->bid != y->bid)
        return x->bid > y->bid ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int take_block(struct carving *c, const struct ost_btree *b, unsigned i, uint32_t rank,
                      uint16_t flags)
{
    int rc = 0;
    struct carved_block *to = chk_array_reserve(&c->state->budget, &c->blocks, sizeof *to, 1, &rc);

    if (!to)
        return rc;
    *to = (struct carved_block){ost_btree_block(b, i), rank};
    to->block.flags = flags;
    c->blocks.count++;
    return 0;
}

static int take_node(struct carving *c, const struct ost_btree *b, unsigned i, uint32_t rank,
                     uint32_t flags)
{
    int rc = 0;
    struct carved_node *to = chk_array_reserve(&c->state->budget, &c->nodes, sizeof *to, 1, &rc);

    if (!to)
        return rc;
    *to = (struct carved_node){ost_btree_node(b, i), rank};
    to->node.flags = flags;
    c->nodes.count++;
    return 0;
}

/* Takes the entries of a leaf whose keys were lost. Leaves come better ones first. */
static int take_entries(struct carving *c, const struct leaf *leaf, uint32_t rank)
{
    struct chk_state *s = c->state;
    enum ost_tree tree = (enum ost_tree)leaf->tree;
    bool alone = leaf->allocated && !is_spoken_for(c, tree, leaf->first, leaf->last);
    unsigned flags = CHK_ENTRY_CARVED | (alone ? 0u : (unsigned)CHK_ENTRY_FREE), taken = 0;
    struct ost_btree view;
    uint64_t bid;
    int rc = io_source_read(c->source, leaf->offset, c->buffer, s->variant->page_size);

    if (rc || !is_leaf(s->variant, c->buffer, leaf->offset, &view, &bid))
        return rc == ERR_IO || rc == ERR_RANGE ? 0 : rc;
    for (unsigned i = 0; i < view.count && !rc; i++) {
        uint64_t key = ost_btree_key(&view, i);

        if (!is_lost(c, tree, key, key) || (!alone && is_spoken_for(c, tree, key, key)))
            continue;
        taken++;
        rc = tree == OST_TREE_BBT ? take_block(c, &view, i, rank, (uint16_t)flags)
                                  : take_node(c, &view, i, rank, flags);
    }
    c->out->pages += taken > 0;
    return rc || !alone ? rc : speak(c, tree, leaf->first, leaf->last);
}

static int by_bid(const void *a, const void *b)
{
    const struct carved_block *x = a, *y = b;

    if (x->block.bid != y->block.bid)
        return x->block.bid < y->block.bid ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static int by_nid(const void *a, const void *b)
{
    const struct carved_node *x = a, *y = b;

    if (x->node.nid != y->node.nid)
        return x->node.nid < y->node.nid ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Both sorted: what the plan has stays, of the carved the first of each key is added. */
static int add_blocks(struct carving *c)
{
    struct chk_state *s = c->state;
    const struct carved_block *from = c->blocks.data;
    size_t most = s->plan.block_count + c->blocks.count, n = 0, k = 0;
    struct ost_block *all;
    int rc;

    io_sort(c->blocks.data, c->blocks.count, sizeof *from, by_bid);
    all = chk_take(&s->budget, most * sizeof *all, &rc);
    if (!all)
        return rc;
    for (size_t i = 0; i <= s->plan.block_count; i++) {
        uint64_t below = i < s->plan.block_count ? s->plan.blocks[i].bid : UINT64_MAX;

        for (; k < c->blocks.count && from[k].block.bid < below; k++)
            if (!n || all[n - 1].bid != from[k].block.bid) {
                all[n++] = from[k].block;
                c->out->blocks++;
            }
        if (i < s->plan.block_count)
            all[n++] = s->plan.blocks[i];
        while (k < c->blocks.count && from[k].block.bid == below)
            k++;
    }
    mem_free(s->plan.blocks);
    s->plan.memory_bytes += c->blocks.count * sizeof *all;
    s->plan.blocks = all;
    chk_budget_uncount(&s->budget, s->plan.block_count * sizeof *all);
    s->plan.block_count = n;
    return 0;
}

static int add_nodes(struct carving *c)
{
    struct chk_state *s = c->state;
    const struct carved_node *from = c->nodes.data;
    size_t most = s->plan.node_count + c->nodes.count, n = 0, k = 0;
    struct ost_node *all;
    int rc;

    io_sort(c->nodes.data, c->nodes.count, sizeof *from, by_nid);
    all = chk_take(&s->budget, most * sizeof *all, &rc);
    if (!all)
        return rc;
    for (size_t i = 0; i <= s->plan.node_count; i++) {
        uint64_t below = i < s->plan.node_count ? s->plan.nodes[i].nid : UINT64_MAX;

        for (; k < c->nodes.count && from[k].node.nid < below; k++)
            if (!n || all[n - 1].nid != from[k].node.nid) {
                all[n++] = from[k].node;
                c->out->nodes++;
            }
        if (i < s->plan.node_count)
            all[n++] = s->plan.nodes[i];
        while (k < c->nodes.count && from[k].node.nid == below)
            k++;
    }
    mem_free(s->plan.nodes);
    s->plan.memory_bytes += c->nodes.count * sizeof *all;
    s->plan.nodes = all;
    chk_budget_uncount(&s->budget, s->plan.node_count * sizeof *all);
    s->plan.node_count = n;
    return 0;
}

static int carve(struct carving *c)
{
    const struct leaf *leaves;
    int rc = find_lost(c);

    if (!rc)
        rc = find_known(c);
    if (!rc)
        rc = read_maps(c);
    if (!rc)
        rc = find_leaves(c);
    if (rc)
        return rc;
    if (c->leaves.count > UINT32_MAX)
        return ERR_LIMIT;
    io_sort(c->leaves.data, c->leaves.count, sizeof *leaves, by_rank);
    leaves = c->leaves.data;
    for (size_t i = 0; i < c->leaves.count && !rc; i++)
        rc = take_entries(c, &leaves[i], (uint32_t)i);
    if (!rc && c->blocks.count)
        rc = add_blocks(c);
    if (!rc && c->nodes.count)
        rc = add_nodes(c);
    return rc;
}

int chk_carve(struct chk_state *s, struct chk_carve *out)
{
    struct chk_budget *b = &s->budget;
    struct carving c = {.state = s, .out = out, .source = s->job->sources[0]};
    int rc;

    *out = (struct chk_carve){0};
    c.buffer = chk_take(b, READ_BYTES, &rc);
    if (!rc)
        rc = carve(&c);
    chk_give(b, c.buffer, READ_BYTES);
    for (unsigned tree = 0; tree < 2; tree++) {
        chk_array_done(b, &c.lost[tree], sizeof(struct range));
        chk_array_done(b, &c.spoken[tree], sizeof(struct range));
    }
    chk_array_done(b, &c.known, sizeof(uint64_t));
    chk_array_done(b, &c.leaves, sizeof(struct leaf));
    chk_array_done(b, &c.blocks, sizeof(struct carved_block));
    chk_array_done(b, &c.nodes, sizeof(struct carved_node));
    return rc;
}

void chk_carve_done(struct chk_carve *c, struct chk_budget *budget)
{
    if (!c->has_map)
        return;
    chk_budget_uncount(budget,
                       c->map.spans * c->map.variant->amap_bitmap_size + c->map.spans / 8 + 1);
    ost_allocmap_done(&c->map);
    c->has_map = false;
}

struct judged {
    bool there, allocated;
    bool owned; /* the node alone names it */
};

static struct judged judge_block(const struct chk_state *s, const struct chk_carve *c, uint64_t bid)
{
    uint32_t i = chk_bids_find(&s->bids, bid);
    const struct ost_block *b;

    if (i == CHK_NO_BLOCK || !(s->status[i] & CHK_SIZED))
        return (struct judged){0};
    b = &s->plan.blocks[i];
    if (b->refs < 2 && !(b->flags & CHK_ENTRY_FREE))
        return (struct judged){0}; /* nobody names it any more */
    return (struct judged){
        .there = true,
        .allocated = is_allocated(c, b->offset, ost_block_extent(s->variant, b->stored)),
        .owned = b->refs == 2 && !(b->flags & CHK_ENTRY_FREE) && !(s->status[i] & CHK_NAMED),
    };
}

bool chk_carve_judge(struct chk_state *s, const struct chk_carve *c, size_t node)
{
    static const struct judged none = {.there = true, .allocated = true};
    struct ost_node *n = &s->plan.nodes[node];
    struct judged data = n->data ? judge_block(s, c, n->data) : none;
    struct judged sub = n->sub ? judge_block(s, c, n->sub) : none;
    bool good = data.there && sub.there;

    if (n->flags & CHK_ENTRY_FREE)
        good = good && data.allocated && sub.allocated && (n->data ? data.owned : sub.owned);
    if (!good)
        n->flags |= CHK_ENTRY_STALE;
    return good;
}
