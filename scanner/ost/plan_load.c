/*
 * plan_load.c: loading of plan.h.
 *
 *   refs of level n, in key order ── place check, sort by offset ──> read in offset order
 *        ^                                                              │ verify, view
 *        │                                                              v
 *   gathered by slot <── runs[slot] = {start, count} <── a bag: entries page after page
 *
 * A ref's slot is its rank by key. Pages come in offset order, so their entries go into a bag of
 * chunks as they come, and each slot remembers where its run lies; when the level is read the runs
 * are copied in order of slots into one array of exactly their size. Of branch pages that array is
 * the next level's refs, of leaves it is the result. No array grows, so none is over-allocated.
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
#include "scanner/ost/sort.h"

enum { READ_BYTES = 256 * 1024, AHEAD_BYTES = 4 * 1024 * 1024, CHUNK_BYTES = 1024 * 1024 };

struct budget {
    uint64_t limit, used, peak;
};

/* A reference to a page, from its parent or the header. */
struct ref {
    uint64_t offset, bid;
    uint64_t first, last;
    uint32_t slot;
    bool exact; /* `first` must be the page's first key */
    bool parent_suspect;
};

struct run {
    const void *start;
    uint32_t count;
};

struct chunk {
    struct chunk *next;
    size_t used, capacity; /* bytes */
    _Alignas(16) unsigned char data[];
};

/* A level while it is read. */
struct load {
    const struct ost_plan_options *options;
    const struct ost_variant *variant;
    struct io_source *source;
    struct budget budget;
    struct ost_plan plan;
    uint8_t *buffer;
    size_t buffer_bytes;
    uint64_t pages_left; /* the file has no room for more */

    enum ost_tree tree;
    unsigned level; /* of the pages being read; of the root once it was read */
    bool at_root;
    struct ref *refs;
    size_t ref_count;
    struct run *runs;     /* by slot */
    size_t page_start;    /* pages[page_start + slot] */
    struct chunk *chunks; /* newest first */
    size_t element_size, element_count;
};

static void *take(struct budget *b, uint64_t size, int *rc)
{
    void *p;

    if (size > b->limit - b->used) {
        *rc = ERR_LIMIT;
        return NULL;
    }
    p = mem_alloc(size ? size : 1);
    if (!p) {
        *rc = ERR_NOMEM;
        return NULL;
    }
    b->used += size;
    if (b->used > b->peak)
        b->peak = b->used;
    return p;
}

static void give(struct budget *b, void *p, uint64_t size)
{
    if (p)
        b->used -= size;
    mem_free(p);
}

static void drop_chunks(struct load *l)
{
    while (l->chunks) {
        struct chunk *next = l->chunks->next;

        give(&l->budget, l->chunks, sizeof *l->chunks + l->chunks->capacity);
        l->chunks = next;
    }
}

/* Room for `count` elements on end in the bag; small bags get small chunks. */
static void *bag_reserve(struct load *l, unsigned count, int *rc)
{
    size_t need = count * l->element_size;
    struct chunk *c = l->chunks;

    if (!c || c->capacity - c->used < need) {
        size_t capacity = c ? c->capacity * 2 : OST_PAGE_MAX * 4;

        if (capacity > CHUNK_BYTES)
            capacity = CHUNK_BYTES;
        c = take(&l->budget, sizeof *c + capacity, rc);
        if (!c)
            return NULL;
        c->next = l->chunks;
        c->used = 0;
        c->capacity = capacity;
        l->chunks = c;
    }
    assert(need <= c->capacity - c->used);
    return c->data + c->used;
}

static void bag_commit(struct load *l, uint32_t slot, unsigned count)
{
    l->runs[slot] = (struct run){l->chunks->data + l->chunks->used, count};
    l->chunks->used += count * l->element_size;
    l->element_count += count;
}

/* All runs in order of slots; gives the bag and the runs back. */
static int bag_gather(struct load *l, void **out)
{
    int rc = 0;
    unsigned char *all = take(&l->budget, (uint64_t)l->element_count * l->element_size, &rc),
                  *at = all;

    if (!all)
        return rc;
    for (size_t i = 0; i < l->ref_count; i++) {
        size_t bytes = l->runs[i].count * l->element_size;

        if (bytes)
            memcpy(at, l->runs[i].start, bytes);
        at += bytes;
    }
    drop_chunks(l);
    *out = all;
    return 0;
}

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

static unsigned emit_blocks(const struct ref *r, const struct ost_btree *b, uint16_t flags,
                            struct ost_block *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->count; i++) {
        if (!in_range(b, i, r))
            continue;
        out[n] = ost_btree_block(b, i);
        out[n++].flags = flags;
    }
    return n;
}

static unsigned emit_nodes(const struct ref *r, const struct ost_btree *b, uint32_t flags,
                           struct ost_node *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->count; i++) {
        if (!in_range(b, i, r))
            continue;
        out[n] = ost_btree_node(b, i);
        out[n++].flags = flags;
    }
    return n;
}

static void set_element_size(struct load *l)
{
    if (l->level > 0)
        l->element_size = sizeof(struct ref);
    else
        l->element_size =
            l->tree == OST_TREE_BBT ? sizeof(struct ost_block) : sizeof(struct ost_node);
}

/* Takes a page's entries into the bag. *left_out: those that no place can be found for. */
static int emit(struct load *l, const struct ref *r, const struct ost_btree *b,
                enum ost_trust trust, const struct ost_defects *defects, unsigned *left_out)
{
    bool suspect = trust == OST_TRUST_SUSPECT;
    uint16_t flags = suspect ? OST_ENTRY_SUSPECT : 0;
    bool sure = !suspect && !ost_defects_has(defects, OST_BTREE_KEY_ORDER) &&
                !ost_defects_has(defects, OST_BTREE_KEY_RANGE);
    unsigned count = b->count;
    int rc = 0;
    void *room = bag_reserve(l, count, &rc);

    if (!room)
        return rc;
    if (b->level > 0)
        emit_children(r, b, sure, room);
    else if (l->tree == OST_TREE_BBT)
        count = emit_blocks(r, b, flags, room);
    else
        count = emit_nodes(r, b, flags, room);
    bag_commit(l, r->slot, count);
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
    set_element_size(l);
    return true;
}

static int on_page(void *ctx, size_t i, const uint8_t *page, int code)
{
    struct load *l = ctx;
    const struct ref *r = &l->refs[i];
    struct ost_btree_range range = {r->first, r->last, r->exact};
    struct ost_defects defects = {0};
    struct ost_plan_page *entry = &l->plan.pages[l->page_start + r->slot];
    enum ost_trust trust;
    struct ost_btree view;
    unsigned dropped = 0;
    int rc;

    if (l->options->cancel && atomic_load_explicit(l->options->cancel, memory_order_relaxed))
        return ERR_CANCELLED;
    if (!page) {
        ost_defects_add(&defects, OST_PAGE_UNREADABLE, 0, 0, (uint64_t) - (int64_t)code);
        return lose(l, r, &defects);
    }
    ost_page_check(l->variant, page, ost_tree_ptype(l->tree), r->bid, r->offset, &defects);
    trust = ost_page_trust(&defects);
    if (trust == OST_TRUST_NONE || ost_btree_open(l->variant, page, l->tree, &defects, &view) ||
        !check_level(l, &view, &defects))
        return lose(l, r, &defects);
    ost_btree_check_keys(&view, range, &defects);
    rc = emit(l, r, &view, trust, &defects, &dropped);
    if (rc)
        return rc;
    entry->trust = (uint8_t)trust;
    entry->level = (uint8_t)l->level;
    return tell(l, r, &defects, trust, false, dropped);
}

static uint64_t offset_of(void *ctx, size_t i)
{
    return ((struct load *)ctx)->refs[i].offset;
}

static int by_offset(const void *a, const void *b)
{
    const struct ref *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
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

/* Sorts the refs by offset; those that can be read come to the front. */
static int sort_refs(struct load *l, size_t *good)
{
    size_t n = 0;

    ost_sort(l->refs, l->ref_count, sizeof *l->refs, by_offset);
    for (size_t i = 0; i < l->ref_count; i++) {
        struct ost_defects defects = {0};
        struct ref r = l->refs[i];
        int rc = 0;

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
    struct ost_plan_page *pages = take(&l->budget, old_size + l->ref_count * sizeof *p->pages, &rc);

    if (!pages)
        return rc;
    if (p->page_count)
        memcpy(pages, p->pages, old_size);
    give(&l->budget, p->pages, old_size);
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

/* Reads the pages that refs name; gives refs back. The level's entries, in key order, are *out. */
static int read_level(struct load *l, void **out)
{
    struct ost_pageread reading = {
        .source = l->source,
        .page_size = l->variant->page_size,
        .buffer = l->buffer,
        .buffer_bytes = l->buffer_bytes,
        .gap_bytes = l->options->gap_bytes,
        .ahead_bytes = l->options->ahead_bytes ? l->options->ahead_bytes : AHEAD_BYTES,
        .ctx = l,
        .offset_of = offset_of,
        .page = on_page,
    };
    size_t good = 0;
    int rc = ERR_LIMIT;

    l->element_count = 0;
    set_element_size(l);
    if (l->ref_count <= UINT32_MAX)
        l->runs = take(&l->budget, l->ref_count * sizeof *l->runs, &rc);
    if (!l->runs)
        return rc;
    memset(l->runs, 0, l->ref_count * sizeof *l->runs);
    rc = add_pages(l);
    if (!rc)
        rc = sort_refs(l, &good);
    if (!rc)
        rc = ost_pageread_run(&reading, good);
    if (rc)
        return rc;
    give(&l->budget, l->refs, l->ref_count * sizeof *l->refs);
    l->refs = NULL;
    rc = bag_gather(l, out);
    give(&l->budget, l->runs, l->ref_count * sizeof *l->runs);
    l->runs = NULL;
    return rc;
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

    ost_sort(all, count, sizeof *all, by_bid);
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

    ost_sort(all, count, sizeof *all, by_nid);
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
    int rc = 0;

    l->tree = tree;
    l->level = 0;
    l->at_root = true;
    l->ref_count = 1;
    l->refs = take(&l->budget, sizeof *l->refs, &rc);
    if (!l->refs)
        return rc;
    *l->refs = (struct ref){.offset = root.offset, .bid = root.bid, .last = UINT64_MAX};
    t->page_start = l->plan.page_count;
    for (;;) {
        rc = read_level(l, &entries);
        if (rc)
            return rc;
        l->at_root = false;
        t->leaf_start = l->page_start;
        t->leaf_count = l->ref_count;
        if (l->level == 0)
            break;
        l->refs = entries;
        l->ref_count = l->element_count;
        l->level--;
    }
    t->page_count = l->plan.page_count - t->page_start;
    if (tree == OST_TREE_BBT)
        settle_blocks(l, entries, l->element_count);
    else
        settle_nodes(l, entries, l->element_count);
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
    l.buffer = take(&l.budget, l.buffer_bytes, &rc);
    if (!l.buffer)
        return rc;
    rc = load_tree(&l, OST_TREE_NBT, options->nbt);
    if (!rc)
        rc = load_tree(&l, OST_TREE_BBT, options->bbt);
    drop_chunks(&l);
    mem_free(l.refs);
    mem_free(l.runs);
    give(&l.budget, l.buffer, l.buffer_bytes);
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
    uint64_t a_page = sizeof(struct ref) + sizeof(struct run) + 2 * sizeof(struct ost_plan_page);
    uint64_t pages = 2 * (blocks / v->bbt_max + nodes / v->nbt_max) + 64;

    return 2 * (blocks * sizeof(struct ost_block) + nodes * sizeof(struct ost_node)) +
           pages * a_page + READ_BYTES + 2 * CHUNK_BYTES;
}
