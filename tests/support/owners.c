/* owners.c: see owners.h. A node's trees are walked over blocks that remember what was looked up.
 */
#include "tests/support/owners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/reach.h"
#include "scanner/ost/sourceblocks.h"

enum { NODE_STORE = 0x21, NODE_NAMES = 0x61, CACHE = 64 << 20 };

struct watch {
    struct owners *o;
    const struct ost_blocks *blocks;
    uint32_t nid;
};

static bool is_assoc(uint32_t nid)
{
    return (nid & 0x1F) == 8;
}

static bool is_message(uint32_t nid)
{
    return (nid & 0x1F) == 4 || is_assoc(nid);
}

static bool is_table(uint32_t nid)
{
    return (nid & 0x1F) == 0xE || (nid & 0x1F) == 0xF;
}

static void add(struct owners *o, uint32_t block, uint32_t nid)
{
    if (o->link_count == o->link_room) {
        o->link_room = o->link_room ? 2 * o->link_room : 1024;
        o->links = mem_realloc(o->links, o->link_room * sizeof *o->links);
        assert_non_null(o->links);
    }
    o->links[o->link_count++] = (struct owner_link){block, nid};
}

/* Whether a node is the contents table, of either kind, that lists an item. */
static bool is_table_of(uint32_t table, const struct ost_node *item)
{
    uint32_t type = table & 0x1F;

    return (type == (is_assoc(item->nid) ? 0xF : 0xE)) && table >> 5 == item->parent >> 5;
}

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    struct watch *w = ctx;
    const struct ost_block *block = w->blocks->find(w->blocks->ctx, bid);
    const struct ost_plan *plan = &w->o->plan;

    if (!block)
        return NULL;
    if (!w->nid || is_message(w->nid)) {
        add(w->o, (uint32_t)(block - plan->blocks), w->nid);
        return block;
    }
    for (size_t i = 0; i < plan->node_count; i++)
        if (is_message(plan->nodes[i].nid) && is_table_of(w->nid, &plan->nodes[i]))
            add(w->o, (uint32_t)(block - plan->blocks), plan->nodes[i].nid);
    return block;
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    const struct ost_blocks *blocks = ((struct watch *)ctx)->blocks;

    return blocks->get(blocks->ctx, block, decoded);
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    const struct ost_blocks *blocks = ((struct watch *)ctx)->blocks;

    blocks->put(blocks->ctx, block, decoded);
}

static void no_trouble(void *ctx, const struct ost_block_trouble *t)
{
    (void)ctx;
    fail_msg("block %llx of a healthy image", (unsigned long long)t->block->bid);
}

static int by_block(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct owner_link));
}

static void link_nodes(struct owners *o, const struct ost_blocks *blocks)
{
    for (size_t i = 0; i < o->plan.node_count; i++) {
        const struct ost_node *n = &o->plan.nodes[i];
        bool all = n->nid == NODE_STORE || n->nid == NODE_NAMES;
        struct watch w = {.o = o, .blocks = blocks, .nid = all ? 0 : n->nid};
        const struct ost_blocks watched = {.ctx = &w, .find = find, .get = get, .put = put};
        uint64_t highest;

        if (!all && !is_message(n->nid) && !is_table(n->nid))
            continue;
        if (is_message(n->nid))
            o->items[o->item_count++] = n->nid;
        assert_int_equal(ost_reach(o->plan.variant, &watched, n->data, n->sub, &highest), 0);
    }
}

void owners_init(struct owners *o, const struct ndbfile *f)
{
    struct ost_plan_options plan = ndbfile_options(f);
    struct ost_sourceblocks_options options = {
        .source = f->source,
        .plan = &o->plan,
        .crypt = f->header.crypt,
        .memory_bytes = CACHE,
        .allowance_bytes = UINT64_MAX / 2,
        .trouble = no_trouble,
    };
    struct ost_sourceblocks *blocks;
    size_t kept = 0;

    *o = (struct owners){.file = f};
    assert_int_equal(ost_plan_load(f->source, &plan, &o->plan), 0);
    assert_int_equal(ost_sourceblocks_create(&options, &blocks), 0);
    o->items = mem_alloc_array(o->plan.node_count + 1, sizeof *o->items);
    assert_non_null(o->items);
    link_nodes(o, ost_sourceblocks_view(blocks));
    ost_sourceblocks_destroy(blocks);
    assert_true(o->link_count > 0);
    qsort(o->links, o->link_count, sizeof *o->links, by_block);
    for (size_t i = 0; i < o->link_count; i++)
        if (!i || by_block(&o->links[i], &o->links[kept - 1]))
            o->links[kept++] = o->links[i];
    o->link_count = kept;
}

void owners_done(struct owners *o)
{
    ost_plan_done(&o->plan);
    mem_free(o->links);
    mem_free(o->items);
}

static void mark_nid(const struct owners *o, uint32_t nid, bool *touched)
{
    for (size_t i = 0; i < o->item_count; i++)
        touched[i] = touched[i] || !nid || o->items[i] == nid;
}

static bool meets(uint64_t from, uint64_t to, uint64_t offset, uint64_t size)
{
    return from < offset + size && offset < to;
}

/* The first key that is not below a page: that of the next page of its level. */
static uint64_t end_of(const struct owners *o, size_t page)
{
    const struct ost_plan_page *p = &o->plan.pages[page];
    const struct ost_plan_tree *tree = &o->plan.trees[p->tree];

    if (page + 1 < tree->page_start + tree->page_count && p[1].level == p->level)
        return p[1].first;
    return UINT64_MAX;
}

static void mark_page(const struct owners *o, size_t page, bool *touched)
{
    const struct ost_plan_page *p = &o->plan.pages[page];
    uint64_t end = end_of(o, page);

    if (p->tree == OST_TREE_NBT) {
        for (size_t i = 0; i < o->plan.node_count; i++) {
            uint32_t nid = o->plan.nodes[i].nid;

            if (nid < p->first || nid >= end)
                continue;
            if (is_message(nid))
                mark_nid(o, nid, touched);
            if (nid == NODE_NAMES || nid == NODE_STORE)
                mark_nid(o, 0, touched);
            for (size_t k = 0; is_table(nid) && k < o->plan.node_count; k++)
                if (is_message(o->plan.nodes[k].nid) && is_table_of(nid, &o->plan.nodes[k]))
                    mark_nid(o, o->plan.nodes[k].nid, touched);
        }
        return;
    }
    for (size_t i = 0; i < o->link_count; i++) {
        uint64_t bid = o->plan.blocks[o->links[i].block].bid;

        if (bid >= p->first && bid < end)
            mark_nid(o, o->links[i].nid, touched);
    }
}

void owners_mark(const struct owners *o, uint64_t from, uint64_t to, bool *touched)
{
    const struct ost_variant *v = o->plan.variant;

    if (meets(from, to, 0, OST_HEADER_SIZE))
        mark_nid(o, 0, touched);
    for (size_t i = 0; i < o->plan.page_count; i++)
        if (meets(from, to, o->plan.pages[i].offset, v->page_size))
            mark_page(o, i, touched);
    for (size_t i = 0; i < o->link_count; i++) {
        const struct ost_block *b = &o->plan.blocks[o->links[i].block];

        if (meets(from, to, b->offset, ost_block_extent(v, b->stored)))
            mark_nid(o, o->links[i].nid, touched);
    }
}
