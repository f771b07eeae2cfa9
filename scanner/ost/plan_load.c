/*
 * plan_load.c: loading of plan.h.
 *
 *   refs of level n, in key order ── place check, sort by offset ──> read in offset order
 *        ^                                                              │ verify, view
 *        │                                                              v
 *   gathered by slot <── runs[slot] = {start, count} <── a bag: entries page after page
 *
 * A ref's slot is its rank by key. Pages come in offset order, so their entries go into a bag
 * (planbag.h) as they come, and each slot remembers where its run lies; when the level is read the
 * runs are copied in order of slots into one array of exactly their size. Of branch pages that
 * array is the next level's refs, of leaves it is the result. No array grows, so none is
 * over-allocated.
 *
 * A level of many pages is read in parts, runs of neighbours in the file, each with a source and a
 * bag of its own. A page with anything wrong is left to the end of its level and read again there,
 * one after the other: so events come in the order of offsets, however many parts there were.
 *
 * Levels only descend by one, so a page can be met twice only within a level, where sorting by
 * offset brings the two together.
 *
 * The keys of a branch page that is suspect, or out of order, are no sure word about its children:
 * these get the range of the page itself, and are not measured by its keys. Then leaves may come
 * out of order or twice, which the last step sets right.
 */
#include "scanner/ost/plan.h"

#include <assert.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/page.h"
#include "scanner/ost/pageread.h"
#include "scanner/ost/planbag.h"
#include "io/sort.h"

enum {
    READ_BYTES = 256 * 1024,
    AHEAD_BYTES = 4 * 1024 * 1024,
    PART_PAGES = 256,
    LARGE_LEVEL = 4096
};

/* A reference to a page, from its parent or the header. */
struct ref {
    uint64_t offset, bid;
    uint64_t first, last;
    uint32_t slot;
    bool exact; /* `first` must be the page's first key */
    bool parent_suspect;
    bool deferred; /* left to the end of its level */
};

/* A level while it is read. */
struct load {
    const struct ost_plan_options *options;
    const struct ost_variant *variant;
    struct io_source *source;
    struct plan_budget budget;
    struct ost_plan plan;
    uint8_t *buffer;
    size_t buffer_bytes;
    uint64_t pages_left; /* the file has no room for more */

    enum ost_tree tree;
    unsigned level; /* of the pages being read; of the root once it was read */
    bool at_root;
    struct ref *refs;
    size_t ref_count;
    struct plan_run *runs; /* by slot */
    size_t page_start;     /* pages[page_start + slot] */
};

/* Some pages of a level, on end in the order of offsets, and what is read of them. */
struct part {
    struct load *load;
    size_t first; /* in refs */
    size_t count;
    bool defers; /* leaves pages with defects for later */
    uint8_t *buffer;
    struct plan_bag bag;
    int result;
};

static struct ost_plan_tree *tree_of(struct load *l)
{
    return &l->plan.trees[l->tree];
}

static int tell(struct load *l, const struct ref *r, const struct ost_defects *defects,
                enum ost_trust trust, bool lost, unsigned dropped)
{
    struct ost_plan_event e = {
        .tree = l->tree,
        .level = l->level,
        .root = l->at_root,
        .offset = r->offset,
        .bid = r->bid,
        .first = r->first,
        .last = r->last,
        .lost = lost,
        .parent_suspect = r->parent_suspect,
        .trust = trust,
        .dropped = dropped,
        .defects = defects,
    };

    tree_of(l)->lost_pages += lost;
    tree_of(l)->dropped += dropped;
    if (defects->count == 0 || !l->options->event)
        return 0;
    return l->options->event(l->options->ctx, &e);
}

static int lose(struct load *l, const struct ref *r, const struct ost_defects *defects)
{
    return tell(l, r, defects, OST_TRUST_NONE, true, 0);
}

static void emit_children(const struct ref *r, const struct ost_btree *b, bool sure,
                          struct ref *out)
{
    for (unsigned i = 0; i < b->count; i++) {
        struct ost_bref child = ost_btree_child(b, i);

        out[i] = (struct ref){
            .offset = child.offset,
            .bid = child.bid,
            .first = sure ? ost_btree_key(b, i) : r->first,
            .last = sure && i + 1u < b->count ? ost_btree_key(b, i + 1) - 1 : r->last,
            .exact = sure,
            .parent_suspect = !sure,
        };
    }
}

static bool in_range(const struct ost_btree *b, unsigned i, const struct ref *r)
{
    uint64_t key = ost_btree_key(b, i);

    return key >= r->first && key <= r->last;
}

/* in_place: all keys are in the page's range. */
static unsigned emit_blocks(const struct ref *r, const struct ost_btree *b, bool in_place,
                            uint16_t flags, struct ost_block *out)
{
    unsigned n = 0;

    if (in_place) {
        ost_btree_blocks(b, flags, out);
        return b->count;
    }
    for (unsigned i = 0; i < b->count; i++) {
        if (!in_range(b, i, r))
            continue;
        out[n] = ost_btree_block(b, i);
        out[n++].flags = flags;
    }
    return n;
}

static unsigned emit_nodes(const struct ref *r, const struct ost_btree *b, bool in_place,
                           uint32_t flags, struct ost_node *out)
{
    unsigned n = 0;

    if (in_place) {
        ost_btree_nodes(b, flags, out);
        return b->count;
    }
    for (unsigned i = 0; i < b->count; i++) {
        if (!in_range(b, i, r))
            continue;
        out[n] = ost_btree_node(b, i);
        out[n++].flags = flags;
    }
    return n;
}

static size_t element_size(const struct load *l)
{
    if (l->level > 0)
        return sizeof(struct ref);
    return l->tree == OST_TREE_BBT ? sizeof(struct ost_block) : sizeof(struct ost_node);
}

/* Takes a page's entries into the bag. *left_out: those that no place can be found for. */
static int emit(struct part *p, const struct ref *r, const struct ost_btree *b,
                enum ost_trust trust, const struct ost_defects *defects, unsigned *left_out)
{
    struct load *l = p->load;
    bool suspect = trust == OST_TRUST_SUSPECT;
    uint16_t flags = suspect ? OST_ENTRY_SUSPECT : 0;
    bool sure = !suspect && !ost_defects_has(defects, OST_BTREE_KEY_ORDER) &&
                !ost_defects_has(defects, OST_BTREE_KEY_RANGE);
    unsigned count = b->count;
    int rc = 0;
    void *room = plan_bag_reserve(&p->bag, count, &rc);

    if (!room)
        return rc;
    if (b->level > 0)
        emit_children(r, b, sure, room);
    else if (l->tree == OST_TREE_BBT)
        count = emit_blocks(r, b, defects->count == 0, flags, room);
    else
        count = emit_nodes(r, b, defects->count == 0, flags, room);
    l->runs[r->slot] = plan_bag_commit(&p->bag, count);
    *left_out = b->count - count;
    return 0;
}

/* Compares cLevel with the level being read; the root's makes it. False: the page is lost. */
static bool check_level(struct load *l, const struct ost_btree *b, struct ost_defects *defects)
{
    uint32_t at = l->variant->counters + (l->variant->wide_counters ? 5 : 3);

    if (!l->at_root) {
        ost_defects_compare(defects, OST_BTREE_LEVEL, at, l->level, b->level);
        return b->level == l->level;
    }
    if (b->level > OST_LIMIT_BTREE_LEVEL) {
        ost_defects_add(defects, OST_BTREE_LEVEL, at, OST_LIMIT_BTREE_LEVEL, b->level);
        return false;
    }
    l->level = b->level;
    return true;
}

/* What is wrong with a page, as far as it is a page of this tree. False: it is lost. */
static bool check_page(struct load *l, const struct ref *r, const uint8_t *page,
                       struct ost_btree *view, enum ost_trust *trust, struct ost_defects *defects)
{
    struct ost_btree_range range = {r->first, r->last, r->exact};

    ost_page_check(l->variant, page, ost_tree_ptype(l->tree), r->bid, r->offset, defects);
    *trust = ost_page_trust(defects);
    if (*trust == OST_TRUST_NONE || ost_btree_open(l->variant, page, l->tree, defects, view) ||
        !check_level(l, view, defects))
        return false;
    ost_btree_check_keys(view, range, defects);
    return true;
}

static int on_page(void *ctx, size_t i, const uint8_t *page, int code)
{
    struct part *p = ctx;
    struct load *l = p->load;
    struct ref *r = &l->refs[p->first + i];
    struct ost_plan_page *entry = &l->plan.pages[l->page_start + r->slot];
    struct ost_defects defects;
    enum ost_trust trust;
    struct ost_btree view;
    unsigned dropped = 0;
    bool lost;
    int rc;

    ost_defects_begin(&defects);
    if (l->options->cancel && atomic_load_explicit(l->options->cancel, memory_order_relaxed))
        return ERR_CANCELLED;
    if (page)
        lost = !check_page(l, r, page, &view, &trust, &defects);
    else {
        ost_defects_add(&defects, OST_PAGE_UNREADABLE, 0, 0, (uint64_t) - (int64_t)code);
        lost = true;
    }
    if (p->defers && defects.count) {
        r->deferred = true;
        return 0;
    }
    if (lost)
        return lose(l, r, &defects);
    if (l->at_root)
        p->bag.element_size = element_size(l);
    rc = emit(p, r, &view, trust, &defects, &dropped);
    if (rc)
        return rc;
    entry->trust = (uint8_t)trust;
    entry->level = (uint8_t)l->level;
    return defects.count || dropped ? tell(l, r, &defects, trust, false, dropped) : 0;
}

static uint64_t offset_of(void *ctx, size_t i)
{
    const struct part *p = ctx;

    return p->load->refs[p->first + i].offset;
}

/* Of two that name one page the word of a parent that is not suspect comes first, and counts. */
static int by_offset(const void *a, const void *b)
{
    const struct ref *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->parent_suspect != y->parent_suspect)
        return x->parent_suspect ? 1 : -1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Whether a ref, the next in order of offsets, names a place that can be read. */
static bool place_is_good(const struct load *l, const struct ref *r, const struct ref *before,
                          struct ost_defects *defects)
{
    uint64_t size = l->source->size_bytes;

    if (r->offset % l->variant->page_align)
        ost_defects_add(defects, OST_PAGE_UNALIGNED, 0, l->variant->page_align, r->offset);
    else if (!range_fits(r->offset, l->variant->page_size, size))
        ost_defects_add(defects, OST_PAGE_OUTSIDE, 0, size, r->offset);
    else if (before && before->offset == r->offset)
        ost_defects_add(defects, OST_PAGE_TWICE, 0, 0, r->offset);
    else if (l->pages_left == 0)
        ost_defects_add(defects, OST_PAGE_TOO_MANY, 0, size / l->variant->page_size, 0);
    return defects->count == 0;
}

/* The refs in the order of `sorted`, and where several name one offset, in that of by_offset. */
static void put_in_order(const struct load *l, const struct io_keyed *sorted, struct ref *out)
{
    size_t count = l->ref_count;

    for (size_t i = 0; i < count; i++)
        out[i] = l->refs[sorted[i].value];
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && out[end].offset == out[first].offset; end++)
            ;
        if (end - first > 1)
            io_sort(out + first, end - first, sizeof *out, by_offset);
    }
}

/* Sorts the refs of a large level with the help of memory, if there is any to be had. */
static bool sort_large(struct load *l)
{
    size_t count = l->ref_count;
    uint64_t keys_size = 2 * count * sizeof(struct io_keyed), size = count * sizeof *l->refs;
    struct io_keyed *keys = NULL;
    struct ref *out = NULL;
    int rc = 0;

    if (count < LARGE_LEVEL)
        return false;
    keys = plan_take(&l->budget, keys_size, &rc);
    if (!rc)
        out = plan_take(&l->budget, size, &rc);
    for (size_t i = 0; i < count && !rc; i++)
        keys[i] = (struct io_keyed){l->refs[i].offset, i};
    if (!rc) {
        put_in_order(l, io_sort_keyed(keys, keys + count, count), out);
        plan_give(&l->budget, l->refs, size);
        l->refs = out;
    }
    plan_give(&l->budget, keys, keys_size);
    return !rc;
}

/* Sorts the refs by offset; those that can be read come to the front. */
static int sort_refs(struct load *l, size_t *good)
{
    size_t n = 0;

    if (!sort_large(l))
        io_sort(l->refs, l->ref_count, sizeof *l->refs, by_offset);
    for (size_t i = 0; i < l->ref_count; i++) {
        struct ost_defects defects;
        struct ref r = l->refs[i];
        int rc = 0;

        ost_defects_begin(&defects);
        if (place_is_good(l, &r, n ? &l->refs[n - 1] : NULL, &defects)) {
            l->refs[n++] = r;
            l->pages_left--;
        } else {
            rc = lose(l, &r, &defects);
        }
        if (rc)
            return rc;
    }
    *good = n;
    return 0;
}

/* Enters the level's pages in the plan, in order of slots, as lost until they are read. */
static int add_pages(struct load *l)
{
    struct ost_plan *p = &l->plan;
    uint64_t old_size = p->page_count * sizeof *p->pages;
    int rc = 0;
    struct ost_plan_page *pages =
        plan_take(&l->budget, old_size + l->ref_count * sizeof *p->pages, &rc);

    if (!pages)
        return rc;
    if (p->page_count)
        memcpy(pages, p->pages, old_size);
    plan_give(&l->budget, p->pages, old_size);
    p->pages = pages;
    l->page_start = p->page_count;
    for (size_t i = 0; i < l->ref_count; i++) {
        l->refs[i].slot = (uint32_t)i;
        pages[p->page_count++] = (struct ost_plan_page){
            .offset = l->refs[i].offset,
            .first = l->refs[i].first,
            .tree = (uint8_t)l->tree,
            .level = (uint8_t)l->level,
            .trust = OST_TRUST_NONE,
        };
    }
    return 0;
}

static void read_part(void *ctx, unsigned i, struct io_source *source)
{
    struct part *p = (struct part *)ctx + i;
    struct load *l = p->load;
    struct ost_pageread reading = {
        .source = source,
        .page_size = l->variant->page_size,
        .buffer = p->buffer,
        .buffer_bytes = l->buffer_bytes,
        .gap_bytes = l->options->gap_bytes,
        .ahead_bytes = l->options->ahead_bytes ? l->options->ahead_bytes : AHEAD_BYTES,
        .ctx = p,
        .offset_of = offset_of,
        .page = on_page,
    };

    p->result = ost_pageread_run(&reading, p->count);
}

static struct part part_of(struct load *l, size_t first, size_t count)
{
    return (struct part){
        .load = l,
        .first = first,
        .count = count,
        .buffer = l->buffer,
        .bag = {.budget = &l->budget, .element_size = element_size(l)},
    };
}

/* Reads what the parts left, in order; `last` is that. */
static int read_deferred(struct load *l, const struct part *parts, unsigned count,
                         struct part *last)
{
    size_t end = parts[count - 1].first + parts[count - 1].count, kept = 0;

    for (size_t i = 0; i < end; i++)
        if (l->refs[i].deferred)
            l->refs[kept++] = l->refs[i];
    *last = part_of(l, 0, kept);
    if (kept)
        read_part(last, 0, l->source);
    return last->result;
}

static int read_parts(struct load *l, struct part *parts, unsigned count)
{
    int rc = 0;

    for (unsigned i = 1; i < count && !rc; i++)
        parts[i].buffer = plan_take(&l->budget, l->buffer_bytes, &rc);
    for (unsigned i = 0; i < count; i++)
        parts[i].defers = count > 1;
    if (!rc && count > 1)
        l->options->run_parts(l->options->ctx, count, read_part, parts);
    else if (!rc)
        read_part(parts, 0, l->source);
    for (unsigned i = 0; i < count && !rc; i++)
        rc = parts[i].result;
    for (unsigned i = 1; i < count; i++)
        plan_give(&l->budget, parts[i].buffer, l->buffer_bytes);
    return rc;
}

/* How many parts a level of so many pages is worth. */
static unsigned parts_for(const struct load *l, size_t pages)
{
    size_t most = pages / PART_PAGES;

    if (!l->options->run_parts || l->options->parts < 2 || l->at_root || most < 2)
        return 1;
    return most < l->options->parts ? (unsigned)most : l->options->parts;
}

/* Runs being put on end, each thread a share of them. */
struct gathering {
    const struct plan_run *runs;
    size_t count, element_size;
    unsigned parts;
    unsigned char *all;
};

static void gather_part(void *ctx, unsigned part, struct io_source *source)
{
    const struct gathering *g = ctx;
    size_t first = g->count * part / g->parts, end = g->count * (part + 1u) / g->parts, before = 0;

    (void)source;
    for (size_t i = 0; i < first; i++)
        before += g->runs[i].count;
    plan_gather(g->runs + first, end - first, g->element_size, g->all + before * g->element_size);
}

/* The entries of all runs in key order. */
static int gather(struct load *l, unsigned parts, size_t elements, void **out)
{
    struct gathering g = {
        .runs = l->runs, .count = l->ref_count, .element_size = element_size(l), .parts = parts};
    int rc = 0;

    g.all = plan_take(&l->budget, (uint64_t)elements * g.element_size, &rc);
    if (!g.all)
        return rc;
    if (parts > 1)
        l->options->run_parts(l->options->ctx, parts, gather_part, &g);
    else
        gather_part(&g, 0, l->source);
    *out = g.all;
    return 0;
}

/* Reads the first `good` refs and gives all back; the level's entries, in key order, are *out. */
static int read_refs(struct load *l, size_t good, void **out, size_t *elements)
{
    struct part parts[OST_PLAN_PARTS_MAX + 1];
    unsigned count = parts_for(l, good);
    int rc;

    for (unsigned i = 0; i < count; i++)
        parts[i] = part_of(l, good * i / count, good * (i + 1) / count - good * i / count);
    parts[count] = part_of(l, 0, 0);
    rc = read_parts(l, parts, count);
    if (!rc && count > 1)
        rc = read_deferred(l, parts, count, &parts[count]);
    *elements = 0;
    for (unsigned i = 0; i <= count; i++)
        *elements += parts[i].bag.element_count;
    if (!rc) { /* before the entries exist twice: 48 bytes a page */
        plan_give(&l->budget, l->refs, l->ref_count * sizeof *l->refs);
        l->refs = NULL;
        rc = gather(l, count, *elements, out);
    }
    for (unsigned i = 0; i <= count; i++)
        plan_bag_done(&parts[i].bag);
    return rc;
}

/* Reads the pages that refs name; gives refs back. The level's entries, in key order, are *out. */
static int read_level(struct load *l, void **out, size_t *elements)
{
    size_t good = 0;
    int rc = ERR_LIMIT;

    if (l->ref_count <= UINT32_MAX)
        l->runs = plan_take(&l->budget, l->ref_count * sizeof *l->runs, &rc);
    if (!l->runs)
        return rc;
    memset(l->runs, 0, l->ref_count * sizeof *l->runs);
    rc = add_pages(l);
    if (!rc)
        rc = sort_refs(l, &good);
    if (!rc)
        rc = read_refs(l, good, out, elements);
    if (rc)
        return rc;
    plan_give(&l->budget, l->runs, l->ref_count * sizeof *l->runs);
    l->runs = NULL;
    return 0;
}

static int by_bid(const void *a, const void *b)
{
    const struct ost_block *x = a, *y = b;

    if (x->bid != y->bid)
        return x->bid < y->bid ? -1 : 1;
    return (x->flags > y->flags) - (x->flags < y->flags);
}

static int by_nid(const void *a, const void *b)
{
    const struct ost_node *x = a, *y = b;

    if (x->nid != y->nid)
        return x->nid < y->nid ? -1 : 1;
    return (x->flags > y->flags) - (x->flags < y->flags);
}

/* Orders the leaves' entries; of a key that is there twice the one that is not suspect stays. */
static void settle_blocks(struct load *l, struct ost_block *all, size_t count)
{
    size_t n = 0;

    io_sort(all, count, sizeof *all, by_bid);
    for (size_t i = 0; i < count; i++)
        if (n == 0 || all[n - 1].bid != all[i].bid)
            all[n++] = all[i];
    l->plan.blocks = all;
    l->plan.block_count = n;
    tree_of(l)->dropped += count - n;
}

static void settle_nodes(struct load *l, struct ost_node *all, size_t count)
{
    size_t n = 0;

    io_sort(all, count, sizeof *all, by_nid);
    for (size_t i = 0; i < count; i++)
        if (n == 0 || all[n - 1].nid != all[i].nid)
            all[n++] = all[i];
    l->plan.nodes = all;
    l->plan.node_count = n;
    tree_of(l)->dropped += count - n;
}

static int load_tree(struct load *l, enum ost_tree tree, struct ost_bref root)
{
    struct ost_plan_tree *t = &l->plan.trees[tree];
    void *entries = NULL;
    size_t count = 0;
    int rc = 0;

    l->tree = tree;
    l->level = 0;
    l->at_root = true;
    l->ref_count = 1;
    l->refs = plan_take(&l->budget, sizeof *l->refs, &rc);
    if (!l->refs)
        return rc;
    *l->refs = (struct ref){.offset = root.offset, .bid = root.bid, .last = UINT64_MAX};
    t->page_start = l->plan.page_count;
    for (;;) {
        rc = read_level(l, &entries, &count);
        if (rc)
            return rc;
        l->at_root = false;
        t->leaf_start = l->page_start;
        t->leaf_count = l->ref_count;
        if (l->level == 0)
            break;
        l->refs = entries;
        l->ref_count = count;
        l->level--;
    }
    t->page_count = l->plan.page_count - t->page_start;
    if (tree == OST_TREE_BBT)
        settle_blocks(l, entries, count);
    else
        settle_nodes(l, entries, count);
    return 0;
}

int ost_plan_load(struct io_source *source, const struct ost_plan_options *options,
                  struct ost_plan *out)
{
    struct load l = {
        .options = options,
        .variant = options->variant,
        .source = source,
        .budget.limit = options->memory_bytes,
        .plan.variant = options->variant,
        .buffer_bytes = options->read_bytes ? options->read_bytes : READ_BYTES,
        .pages_left = source->size_bytes / options->variant->page_size,
    };
    int rc = 0;

    assert(l.buffer_bytes >= l.variant->page_size);
    assert(options->parts <= OST_PLAN_PARTS_MAX);
    l.buffer = plan_take(&l.budget, l.buffer_bytes, &rc);
    if (!l.buffer)
        return rc;
    rc = load_tree(&l, OST_TREE_NBT, options->nbt);
    if (!rc)
        rc = load_tree(&l, OST_TREE_BBT, options->bbt);
    mem_free(l.refs);
    mem_free(l.runs);
    plan_give(&l.budget, l.buffer, l.buffer_bytes);
    l.plan.memory_bytes = l.budget.used;
    l.plan.peak_bytes = l.budget.peak;
    if (rc)
        ost_plan_done(&l.plan);
    else
        *out = l.plan;
    return rc;
}

uint64_t ost_plan_memory(const struct ost_variant *v, uint64_t blocks, uint64_t nodes)
{
    uint64_t a_page =
        sizeof(struct ref) + sizeof(struct plan_run) + 2 * sizeof(struct ost_plan_page);
    uint64_t pages = 2 * (blocks / v->bbt_max + nodes / v->nbt_max) + 64;

    return 2 * (blocks * sizeof(struct ost_block) + nodes * sizeof(struct ost_node)) +
           pages * a_page + READ_BYTES + 2 * PLAN_CHUNK_BYTES;
}
