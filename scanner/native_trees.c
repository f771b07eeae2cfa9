/*
 * native_trees.c: see native_trees.h.
 *
 *   plan ─▶ likely XBLOCKs ─▶ read ─▶ those full to the last leaf: what is written next to them
 *                                      ─▶ read: XXBLOCKs ─▶ their XBLOCKs that are small ─▶ read
 *
 * Who writes a value takes bids for it one after the other, so its leaves, and its XBLOCK, are
 * neighbours in the plan: before the XBLOCK, behind it, or around it, as programs differ. That says
 * which internal blocks are worth a read, and makes a tree's list of leaves one of a few spans; it
 * decides nothing else. An internal block so large that hardly anything else can be meant is read
 * whatever lies next to it.
 */
#include "scanner/native_trees.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"
#include "scanner/native_fetch.h"
#include "scanner/ost/block.h"
#include "scanner/ost/datatree.h"

enum {
    FETCH_BYTES = 1 << 20, /* read at once */
    SURE_EDGES = 64,       /* a table of subnodes of that size has 21 entries and more */
    NEAR_INTERNAL = 4,     /* internal blocks on each side of an XBLOCK that may be its XXBLOCK */
    NEAR_BLOCKS = 4096,    /* that far away at most */
    EXTENT_MOST = 65536 + 1024,
    FIRST = 64,
    SPANS = 2,        /* of a tree, mostly */
    TREE_BYTES = 256, /* of one of these, in lists that grow by doubling */
    OWN_REFS = 2,
};

struct trees_reading {
    const struct native_trees_options *o;
    const struct ost_variant *variant;
    struct native_trees *t;
    struct native_fetch *fetch;
    struct ost_decoder *decoder;
    uint32_t *wanted; /* blocks to be read */
    size_t wanted_count, wanted_room;
    uint8_t extent[EXTENT_MOST], decoded[EXTENT_MOST];
};

/* Room for `more` elements; false: there is none, for want of memory or by the bound. */
static bool reserve(struct trees_reading *r, void *list, size_t *room, size_t count, size_t more,
                    size_t size)
{
    size_t wanted = *room ? *room : FIRST;
    void **at = list, *grown;

    if (*room - count >= more)
        return true;
    while (wanted - count < more)
        wanted *= 2;
    if ((wanted - *room) * size > r->o->memory_bytes - r->t->memory_bytes)
        return false;
    grown = mem_realloc(*at, wanted * size);
    if (!grown)
        return false;
    *at = grown;
    r->t->memory_bytes += (wanted - *room) * size;
    *room = wanted;
    return true;
}

static const struct ost_block *block_at(const struct trees_reading *r, size_t block)
{
    return &r->o->plan->blocks[block];
}

/* ---- which blocks to read ---- */

static bool is_full_leaf(const struct trees_reading *r, size_t block)
{
    const struct ost_block *b;

    if (block >= r->o->plan->block_count)
        return false;
    b = block_at(r, block);
    return !ost_bid_internal(b->bid) && b->inflated == r->variant->data_max && b->refs == OWN_REFS;
}

/* Entries of a block that is taken for an XBLOCK; 0: it is none that one could use. */
static uint32_t edges_of(const struct trees_reading *r, size_t block)
{
    const struct ost_block *b = block_at(r, block);

    if (!ost_bid_internal(b->bid) || b->flags || b->refs < OWN_REFS || b->inflated < OFF_X_BIDS)
        return 0;
    return (b->inflated - (uint32_t)OFF_X_BIDS) / r->variant->id_size;
}

static bool is_likely(const struct trees_reading *r, size_t block, uint64_t least)
{
    uint32_t edges = edges_of(r, block);

    return edges >= 2 && edges * (uint64_t)r->variant->data_max >= least &&
           (edges >= SURE_EDGES || (block > 0 && is_full_leaf(r, block - 1)) ||
            (block > 1 && is_full_leaf(r, block - 2)) || is_full_leaf(r, block + 1) ||
            is_full_leaf(r, block + 2));
}

/* So large that what is known of them all fits; *count: how many they are. */
static uint64_t least_bytes(const struct trees_reading *r, uint64_t *count)
{
    uint64_t least = r->o->least_bytes, most = r->o->memory_bytes / TREE_BYTES;

    for (;; least *= 2) {
        *count = 0;
        for (size_t i = 0; i < r->o->plan->block_count; i++)
            *count += is_likely(r, i, least);
        if (*count <= most)
            return least;
    }
}

static void want(struct trees_reading *r, size_t block)
{
    if (reserve(r, &r->wanted, &r->wanted_room, r->wanted_count, 1, sizeof *r->wanted))
        r->wanted[r->wanted_count++] = (uint32_t)block;
}

/* With the room at once that they take where all are what they seem. */
static void want_likely(struct trees_reading *r)
{
    struct native_trees *t = r->t;
    uint64_t least, count;

    least = least_bytes(r, &count);
    if (!count || !reserve(r, &r->wanted, &r->wanted_room, 0, (size_t)count, sizeof *r->wanted) ||
        !reserve(r, &t->nodes, &t->node_room, 0, (size_t)count, sizeof *t->nodes) ||
        !reserve(r, &t->list, &t->room, 0, (size_t)count, sizeof *t->list) ||
        !reserve(r, &t->spans, &t->span_room, 0, SPANS * (size_t)count, sizeof *t->spans))
        return;
    for (size_t i = 0; i < r->o->plan->block_count; i++)
        if (is_likely(r, i, least))
            want(r, i);
}

static void want_near(struct trees_reading *r, size_t block, int step)
{
    unsigned found = 0;

    for (size_t i = 1; i <= NEAR_BLOCKS && found < NEAR_INTERNAL; i++) {
        size_t at = step > 0 ? block + i : block - i;

        if (at >= r->o->plan->block_count)
            break;
        if (!ost_bid_internal(block_at(r, at)->bid))
            continue;
        found++;
        if (edges_of(r, at) >= 2 && !native_trees_node(r->t, (uint32_t)at))
            want(r, at);
    }
}

/* An XBLOCK whose last leaf is full belongs to a larger value. */
static void want_roots(struct trees_reading *r)
{
    for (size_t i = 0; i < r->t->node_count; i++)
        if (r->t->nodes[i].full) {
            want_near(r, r->t->nodes[i].block, 1);
            want_near(r, r->t->nodes[i].block, -1);
        }
}

/* Small ones, for they end a value. */
static void want_children(struct trees_reading *r)
{
    for (size_t i = 0; i < r->t->node_count; i++) {
        const struct native_node *n = &r->t->nodes[i];

        for (uint32_t s = 0; n->level == 2 && s < n->spans; s++)
            for (uint32_t k = 0; k < r->t->spans[n->first + s].count; k++)
                if (!native_trees_node(r->t, r->t->spans[n->first + s].block + k))
                    want(r, r->t->spans[n->first + s].block + k);
    }
}

/* ---- nodes ---- */

static int by_block(const void *a, const void *b)
{
    const struct native_node *x = a, *y = b;

    return (x->block > y->block) - (x->block < y->block);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool add_edge(struct trees_reading *r, struct native_node *n, uint32_t block)
{
    struct native_span *last = n->spans ? &r->t->spans[n->first + n->spans - 1] : NULL;

    n->edges++;
    if (last && last->block + last->count == block) {
        last->count++;
        return true;
    }
    if (!reserve(r, &r->t->spans, &r->t->span_room, r->t->span_count, 1, sizeof *r->t->spans))
        return false;
    r->t->spans[r->t->span_count++] = (struct native_span){block, 1};
    n->spans++;
    return true;
}

/* The leaf, or the XBLOCK, that an entry names. False: it is not as it should be. */
static bool take_edge(struct trees_reading *r, struct native_node *n, uint64_t bid, bool last)
{
    uint32_t block = bid ? chk_bids_find(r->o->bids, bid) : CHK_NO_BLOCK;
    const struct ost_block *b;

    if (block == CHK_NO_BLOCK || ost_bid_internal(bid) != (n->level == 2))
        return false;
    b = block_at(r, block);
    if (b->refs != OWN_REFS || b->flags || !b->inflated)
        return false;
    n->full = n->level == 1 && b->inflated == r->variant->data_max;
    return (n->level == 2 || n->full || last) && add_edge(r, n, block);
}

static bool read_node(struct trees_reading *r, struct native_node *n, const struct ost_xblock *x)
{
    uint64_t sum;

    n->level = x->level;
    n->total = x->total;
    for (unsigned i = 0; i < x->count; i++)
        if (!take_edge(r, n, ost_xblock_bid(x, i), i + 1u == x->count))
            return false;
    if (!n->edges || n->level == 2)
        return n->edges > 0;
    sum = (n->edges - 1) * (uint64_t)r->variant->data_max;
    sum += block_at(r, chk_bids_find(r->o->bids, ost_xblock_bid(x, x->count - 1u)))->inflated;
    return sum == n->total;
}

/* Adds what a block that was fetched says, if all is well with it. */
static void add_node(struct trees_reading *r, uint32_t block)
{
    const struct ost_block *b = block_at(r, block);
    uint32_t size = ost_block_extent(r->variant, b->stored);
    struct native_trees *t = r->t;
    struct native_node n = {
        .block = block, .first = (uint32_t)t->span_count, .tree = NATIVE_NO_TREE};
    struct ost_defects defects = {.count = 0};
    struct ost_xblock x;

    if (size > sizeof r->extent || !native_fetch_get(r->fetch, block, r->extent, size) ||
        !ost_block_sound(r->variant, b, r->extent) ||
        ost_block_decode(r->decoder, b, r->extent, r->decoded, NULL) ||
        ost_xblock_open(r->variant, (struct bytes){r->decoded, b->inflated}, &defects, &x))
        return;
    if (!reserve(r, &t->nodes, &t->node_room, t->node_count, 1, sizeof *t->nodes) ||
        !read_node(r, &n, &x))
        t->span_count = n.first;
    else
        t->nodes[t->node_count++] = n;
}

/* As many of the wanted as fit, from the i-th on. */
static size_t batch(const struct trees_reading *r, size_t i)
{
    size_t left = FETCH_BYTES, count = 0;

    for (; i + count < r->wanted_count; count++) {
        size_t size = ost_block_extent(r->variant, block_at(r, r->wanted[i + count])->stored);

        if (size > left)
            break;
        left -= size;
    }
    return count;
}

static int by_offset(const void *a, const void *b, void *ctx)
{
    const struct trees_reading *r = ctx;
    uint64_t x = block_at(r, *(const uint32_t *)a)->offset;
    uint64_t y = block_at(r, *(const uint32_t *)b)->offset;

    return (x > y) - (x < y);
}

/* Reads what is wanted, in order of offset. */
static int read_wanted(struct trees_reading *r)
{
    size_t kept = 0;
    int rc = 0;

    io_sort(r->wanted, r->wanted_count, sizeof *r->wanted, by_number);
    for (size_t i = 0; i < r->wanted_count; i++)
        if (!kept || r->wanted[kept - 1] != r->wanted[i])
            r->wanted[kept++] = r->wanted[i];
    r->wanted_count = kept;
    io_sort_r(r->wanted, kept, sizeof *r->wanted, by_offset, r);
    for (size_t i = 0, count; i < kept && !rc; i += count) {
        count = batch(r, i);
        native_fetch_begin(r->fetch);
        rc = native_fetch_read(r->fetch, r->o->source, r->wanted + i, count);
        for (size_t k = 0; k < count && !rc; k++)
            add_node(r, r->wanted[i + k]);
    }
    r->wanted_count = 0;
    io_sort(r->t->nodes, r->t->node_count, sizeof *r->t->nodes, by_block);
    return rc;
}

/* ---- trees ---- */

static struct native_node *node_at(struct trees_reading *r, uint32_t block)
{
    return (struct native_node *)(uintptr_t)native_trees_node(r->t, block);
}

/* Takes the leaves of an XBLOCK into a tree. */
static void add_leaves(struct trees_reading *r, struct native_tree *tree, struct native_node *n)
{
    const struct ost_block *b = block_at(r, n->block);

    n->tree = (uint32_t)r->t->count;
    tree->nodes++;
    tree->node_bytes += b->inflated;
    tree->leaves += n->edges;
    tree->leaf_bytes += n->total;
    if (b->offset > tree->highest)
        tree->highest = b->offset;
    for (uint32_t s = 0; s < n->spans; s++)
        for (uint32_t k = 0; k < r->t->spans[n->first + s].count; k++) {
            uint64_t offset = block_at(r, r->t->spans[n->first + s].block + k)->offset;

            if (offset > tree->highest)
                tree->highest = offset;
        }
}

/* Whether an XXBLOCK's XBLOCKs are all there, all of them but the last full, and none another's. */
static bool is_whole(struct trees_reading *r, const struct native_node *root, uint32_t *spans)
{
    uint64_t sum = 0;
    bool open = true;

    *spans = 0;
    for (uint32_t s = 0; s < root->spans; s++)
        for (uint32_t k = 0; k < r->t->spans[root->first + s].count; k++) {
            const struct native_node *n = node_at(r, r->t->spans[root->first + s].block + k);

            if (!n || n->level != 1 || n->tree != NATIVE_NO_TREE || !open)
                return false;
            open = n->full;
            sum += n->total;
            *spans += n->spans;
        }
    return sum == root->total;
}

/* One block cannot be two of a tree's: its count of references tells, unless that is wrong, too. */
static void add_large(struct trees_reading *r, struct native_node *root)
{
    struct native_tree tree = {.root = root->block, .nodes = 1};
    struct native_trees *t = r->t;
    uint32_t spans;

    if (!is_whole(r, root, &spans) ||
        !reserve(r, &t->list, &t->room, t->count, 1, sizeof *t->list) ||
        !reserve(r, &t->spans, &t->span_room, t->span_count, spans, sizeof *t->spans))
        return;
    tree.first = (uint32_t)t->span_count;
    tree.node_bytes = block_at(r, root->block)->inflated;
    tree.highest = block_at(r, root->block)->offset;
    root->tree = (uint32_t)t->count;
    for (uint32_t s = 0; s < root->spans; s++)
        for (uint32_t k = 0; k < t->spans[root->first + s].count; k++) {
            struct native_node *n = node_at(r, t->spans[root->first + s].block + k);

            add_leaves(r, &tree, n);
            memcpy(t->spans + t->span_count, t->spans + n->first, n->spans * sizeof *t->spans);
            t->span_count += n->spans;
        }
    tree.spans = (uint32_t)(t->span_count - tree.first);
    t->list[t->count++] = tree;
}

static void add_small(struct trees_reading *r, struct native_node *n)
{
    struct native_tree tree = {.root = n->block, .first = n->first, .spans = n->spans};

    if (n->total < r->o->least_bytes ||
        !reserve(r, &r->t->list, &r->t->room, r->t->count, 1, sizeof tree))
        return;
    add_leaves(r, &tree, n);
    r->t->list[r->t->count++] = tree;
}

static int by_root(const void *a, const void *b)
{
    const struct native_tree *x = a, *y = b;

    return (x->root > y->root) - (x->root < y->root);
}

static void list_trees(struct trees_reading *r)
{
    struct native_trees *t = r->t;
    size_t kept = 0;

    for (size_t i = 0; i < t->node_count; i++)
        if (t->nodes[i].level == 2)
            add_large(r, &t->nodes[i]);
    for (size_t i = 0; i < t->node_count; i++)
        if (t->nodes[i].level == 1 && t->nodes[i].tree == NATIVE_NO_TREE && !t->nodes[i].full)
            add_small(r, &t->nodes[i]);
    for (size_t i = 0; i < t->node_count; i++)
        if (t->nodes[i].tree != NATIVE_NO_TREE) {
            t->nodes[kept] = t->nodes[i];
            t->nodes[kept++].tree = t->list[t->nodes[i].tree].root;
        }
    t->node_count = kept;
    io_sort(t->list, t->count, sizeof *t->list, by_root);
    for (size_t i = 0; i < kept; i++)
        t->nodes[i].tree = (uint32_t)(native_trees_find(t, t->nodes[i].tree) - t->list);
}

static int read_all(struct trees_reading *r)
{
    int rc;

    want_likely(r);
    rc = read_wanted(r);
    if (rc || !r->t->node_count)
        return rc;
    want_roots(r);
    rc = read_wanted(r);
    if (!rc) {
        want_children(r);
        rc = read_wanted(r);
    }
    if (!rc)
        list_trees(r);
    return rc;
}

int native_trees_read(const struct native_trees_options *o, struct native_trees *out)
{
    struct trees_reading *r;
    int rc;

    *out = (struct native_trees){0};
    r = mem_alloc(sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->o = o;
    r->variant = o->plan->variant;
    r->t = out;
    r->fetch = NULL;
    r->decoder = NULL;
    r->wanted = NULL;
    r->wanted_count = r->wanted_room = 0;
    rc = native_fetch_create(o->plan, FETCH_BYTES, &r->fetch);
    if (!rc)
        rc = ost_decoder_create(r->variant, OST_CRYPT_NONE, &r->decoder);
    if (!rc)
        rc = read_all(r);
    native_fetch_destroy(r->fetch);
    ost_decoder_destroy(r->decoder);
    out->memory_bytes -= r->wanted_room * sizeof *r->wanted;
    mem_free(r->wanted);
    mem_free(r);
    if (rc)
        native_trees_done(out);
    return rc;
}

void native_trees_done(struct native_trees *t)
{
    mem_free(t->list);
    mem_free(t->nodes);
    mem_free(t->spans);
    *t = (struct native_trees){0};
}

const struct native_tree *native_trees_find(const struct native_trees *t, uint32_t root)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->list[middle].root < root)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && t->list[low].root == root ? &t->list[low] : NULL;
}

const struct native_node *native_trees_node(const struct native_trees *t, uint32_t block)
{
    size_t low = 0, high = t->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->nodes[middle].block < block)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->node_count && t->nodes[low].block == block ? &t->nodes[low] : NULL;
}
