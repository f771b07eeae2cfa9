/*
 * test_plan.c: loading both B-trees: whole, damaged page by page, over failing reads and within
 * its memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/plan.h"
#include "tests/support/forge.h"
#include "tests/support/giant.h"

enum { EVENTS_MAX = 64 };

struct seen {
    struct ost_plan_event event;
    struct ost_defects defects;
};

/* An image with both trees, a source over it that can fail, and what loading it told. */
struct setting {
    struct forge_image image;
    struct ost_plan_options options;
    struct ost_plan plan;
    struct seen seen[EVENTS_MAX];
    unsigned count;
    int event_result;

    struct io_source source;
    uint64_t bad_first, bad_end; /* reads that touch these bytes give bad_code */
    int bad_code;
    uint64_t hinted, largest_read;
};

static int source_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    struct setting *t = (struct setting *)((char *)s - offsetof(struct setting, source));

    assert_true(range_fits(offset, size, t->image.size));
    if (offset < t->bad_end && offset + size > t->bad_first)
        return t->bad_code;
    if (size > t->largest_read)
        t->largest_read = size;
    memcpy(into, t->image.data + offset, size);
    return 0;
}

static void source_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    struct setting *t = (struct setting *)((char *)s - offsetof(struct setting, source));

    assert_int_equal(hint, IO_HINT_LEND);
    assert_true(range_fits(offset, length, t->image.size));
    t->hinted += length;
}

static int on_event(void *ctx, const struct ost_plan_event *e)
{
    struct setting *t = ctx;

    assert_true(t->count < EVENTS_MAX);
    assert_true(e->defects->count > 0);
    t->seen[t->count].event = *e;
    t->seen[t->count++].defects = *e->defects;
    return t->event_result;
}

static void setting_init(struct setting *t, enum ost_format format)
{
    static const struct io_source_ops ops = {.read = source_read, .hint = source_hint};

    memset(t, 0, sizeof *t);
    forge_image_init(&t->image, ost_variant_of(format));
    t->source.ops = &ops;
    t->options = (struct ost_plan_options){
        .variant = t->image.variant,
        .memory_bytes = 8 << 20,
        .ctx = t,
        .event = on_event,
    };
}

/* `fill` 0: pages as full as they can be. */
static void setting_trees(struct setting *t, unsigned nodes, unsigned blocks, unsigned fill)
{
    const struct ost_variant *v = t->image.variant;

    t->options.nbt = forge_tree(&t->image, OST_TREE_NBT, nodes, fill ? fill : v->nbt_max);
    t->options.bbt = forge_tree(&t->image, OST_TREE_BBT, blocks, fill ? fill : v->bbt_max);
}

static void setting_done(struct setting *t)
{
    ost_plan_done(&t->plan);
    forge_image_done(&t->image);
}

static int load(struct setting *t)
{
    ost_plan_done(&t->plan);
    t->count = 0;
    t->source.size_bytes = t->image.size;
    return ost_plan_load(&t->source, &t->options, &t->plan);
}

static void assert_blocks(const struct ost_plan *p, unsigned count)
{
    assert_int_equal(p->block_count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct ost_block *b = &p->blocks[i];

        assert_int_equal(b->bid, 4 * (i + 1));
        assert_int_equal(b->offset, b->bid * 1024);
        assert_int_equal(b->flags, 0);
        assert_ptr_equal(ost_plan_block(p, b->bid), b);
        assert_ptr_equal(ost_plan_block(p, b->bid | 1), b);
        assert_null(ost_plan_block(p, b->bid + 2));
    }
    assert_null(ost_plan_block(p, 0));
    assert_null(ost_plan_block(p, 4 * (count + 1)));
}

static void assert_nodes(const struct ost_plan *p, unsigned count)
{
    assert_int_equal(p->node_count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct ost_node *n = &p->nodes[i];

        assert_int_equal(n->nid, 4 * (i + 1));
        assert_int_equal(n->data, 8 * (i + 1));
        assert_int_equal(n->sub, 8 * (i + 1) + 2);
        assert_int_equal(n->parent, 2 * (i + 1));
        assert_ptr_equal(ost_plan_node(p, n->nid), n);
        assert_null(ost_plan_node(p, n->nid + 1));
    }
}

static void trees_of_every_size_load(void **state)
{
    static const unsigned sizes[] = {1, 2, 15, 16, 20, 21, 169, 170, 400, 2000};

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct setting t;

            setting_init(&t, forge_formats[f]);
            setting_trees(&t, sizes[i], sizes[i], 0);
            assert_int_equal(load(&t), 0);
            assert_int_equal(t.count, 0);
            assert_blocks(&t.plan, sizes[i]);
            assert_nodes(&t.plan, sizes[i]);
            assert_int_equal(t.plan.page_count, t.image.page_count);
            assert_int_equal(t.plan.trees[OST_TREE_BBT].lost_pages, 0);
            setting_done(&t);
        }
    }
}

static void deep_trees_load(void **state)
{
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 600, 513, 2); /* 2 entries a page: 10 levels */
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 0);
    assert_blocks(&t.plan, 513);
    assert_nodes(&t.plan, 600);
    assert_int_equal(t.plan.pages[0].level, 9);
    for (unsigned i = 0; i < 513; i++) {
        const struct ost_plan_page *leaf = ost_plan_leaf(&t.plan, OST_TREE_BBT, 4 * (i + 1));

        assert_int_equal(leaf->level, 0);
        assert_int_equal(leaf->tree, OST_TREE_BBT);
        assert_true(i / 2 == 0 || leaf->first == 4 * (i / 2 * 2 + 1));
    }
    setting_done(&t);
}

static void empty_trees_load(void **state)
{
    struct setting t;
    uint8_t page[OST_PAGE_MAX] = {0};

    (void)state;
    setting_init(&t, OST_FORMAT_ANSI);
    forge_counters(t.image.variant, page, OST_TREE_NBT, 0, 0);
    t.options.nbt = forge_add_page(&t.image, page, OST_TREE_NBT, 0);
    forge_counters(t.image.variant, page, OST_TREE_BBT, 0, 0);
    t.options.bbt = forge_add_page(&t.image, page, OST_TREE_BBT, 0);
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 0);
    assert_int_equal(t.plan.block_count + t.plan.node_count, 0);
    assert_null(ost_plan_block(&t.plan, 4));
    assert_null(ost_plan_node(&t.plan, 4));
    setting_done(&t);
}

/* Every gap is read through, or none is. */
static void reads_are_coalesced(void **state)
{
    uint64_t exact;
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 1000, 1000, 0);
    assert_int_equal(load(&t), 0);
    exact = t.source.reads;
    assert_true(exact < t.image.page_count);
    assert_true(t.hinted >= t.image.page_count * 512);
    t.source.reads = 0;
    t.options.gap_bytes = 4096;
    assert_int_equal(load(&t), 0);
    assert_blocks(&t.plan, 1000);
    assert_true(t.source.reads == 6); /* one a level */
    t.options.read_bytes = 4096;
    t.largest_read = 0;
    assert_int_equal(load(&t), 0);
    assert_blocks(&t.plan, 1000);
    assert_int_equal(t.largest_read, 4096);
    setting_done(&t);
}

/* What is missing of 1..count, in keys. */
static unsigned missing_blocks(const struct ost_plan *p, unsigned count, uint64_t *first,
                               uint64_t *last)
{
    unsigned missing = 0;

    for (unsigned i = 0; i < count; i++) {
        if (ost_plan_block(p, 4 * (i + 1)))
            continue;
        *first = missing++ ? *first : 4 * (i + 1);
        *last = 4 * (i + 1);
    }
    return missing;
}

/* Each page in turn is destroyed: its keys and no others are lost, and told. */
static void a_destroyed_page_costs_its_subtree(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        unsigned size = forge_formats[f] == OST_FORMAT_UNICODE4K ? 300 : 100;
        struct setting t;

        setting_init(&t, forge_formats[f]);
        setting_trees(&t, 1, size, 5);
        for (size_t i = 1; i < t.image.page_count; i++) {
            uint8_t kept[OST_PAGE_MAX], *page = forge_page_at(&t.image, t.image.pages[i].offset);
            uint64_t first = 0, last = 0;
            unsigned missing;

            memcpy(kept, page, t.image.variant->page_size);
            memset(page, 0xD1, t.image.variant->page_size);
            assert_int_equal(load(&t), 0);
            missing = missing_blocks(&t.plan, size, &first, &last);
            assert_int_equal(t.count, 1);
            assert_true(t.seen[0].event.lost);
            assert_int_equal(t.seen[0].event.tree, OST_TREE_BBT);
            assert_int_equal(t.seen[0].event.offset, t.image.pages[i].offset);
            assert_int_equal(t.seen[0].event.bid, t.image.pages[i].bid);
            assert_true(missing > 0 && missing == (last - first) / 4 + 1);
            assert_true(t.seen[0].event.first <= first && first <= t.seen[0].event.first + 4);
            assert_true(t.seen[0].event.last >= last);
            assert_int_equal(t.plan.block_count, size - missing);
            assert_int_equal(t.plan.trees[OST_TREE_BBT].lost_pages, 1);
            memcpy(page, kept, t.image.variant->page_size);
        }
        setting_done(&t);
    }
}

/* A bit among the stale bytes after the entries: all is there, and marked. */
static void a_page_with_a_bad_checksum_is_suspect(void **state)
{
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 1, 100, 5);
    forge_page_at(&t.image, t.image.pages[1].offset)[400] ^= 1;
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 1);
    assert_false(t.seen[0].event.lost);
    assert_int_equal(t.seen[0].event.trust, OST_TRUST_SUSPECT);
    assert_int_equal(t.seen[0].defects.list[0].kind, OST_PAGE_CRC);
    assert_int_equal(t.plan.block_count, 100);
    for (unsigned i = 0, marked = 0; i < 100; i++) {
        marked += t.plan.blocks[i].flags == OST_ENTRY_SUSPECT;
        if (i == 99)
            assert_int_equal(marked, 5);
    }
    setting_done(&t);
}

/* A key of the root changed under a bad checksum: the children are sound and nothing is lost. */
static void children_of_a_suspect_page_keep_their_entries(void **state)
{
    struct setting t;
    uint8_t *root;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE4K);
    setting_trees(&t, 1, 100, 50);
    root = forge_page_at(&t.image, t.options.bbt.offset);
    root[t.image.variant->branch_size + 1] ^= 0x80;
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 1);
    assert_true(t.seen[0].event.root);
    assert_int_equal(t.plan.block_count, 100);
    assert_int_equal(t.plan.blocks[99].flags, 0);
    setting_done(&t);
}

static void reseal(struct setting *t, struct ost_bref at)
{
    forge_seal(t->image.variant, forge_page_at(&t->image, at.offset), PTYPE_BBT, at.bid, at.offset);
}

/* Entries in the wrong order under a right checksum: told, and put in order. */
static void unordered_keys_are_sorted(void **state)
{
    struct ost_block a = {.bid = 4, .offset = 4096, .stored = 1, .refs = 2}, b = a;
    struct setting t;
    uint8_t *leaf;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 1, 5, 0);
    leaf = forge_page_at(&t.image, t.options.bbt.offset);
    b.bid = 20;
    forge_block_entry(t.image.variant, leaf, 0, &b);
    forge_block_entry(t.image.variant, leaf, 4, &a);
    forge_block_entry(t.image.variant, leaf, 1, &a); /* 20 4 12 16 4: and 4 twice */
    reseal(&t, t.options.bbt);
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.seen[0].defects.list[0].kind, OST_BTREE_KEY_ORDER);
    assert_false(t.seen[0].event.lost);
    assert_int_equal(t.plan.block_count, 4);
    for (unsigned i = 1; i < 4; i++)
        assert_true(t.plan.blocks[i - 1].bid < t.plan.blocks[i].bid);
    assert_int_equal(t.plan.trees[OST_TREE_BBT].dropped, 1);
    setting_done(&t);
}

/* The same in a branch page: its children are no worse for it. */
static void unordered_branches_lose_nothing(void **state)
{
    struct setting t;
    uint8_t *root;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE4K);
    setting_trees(&t, 1, 100, 50); /* leaves: pages[1] from key 204, pages[2] from key 4 */
    root = forge_page_at(&t.image, t.options.bbt.offset);
    forge_branch(t.image.variant, root, 0, 204, t.image.pages[1]);
    forge_branch(t.image.variant, root, 1, 4, t.image.pages[2]);
    reseal(&t, t.options.bbt);
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.seen[0].defects.list[0].kind, OST_BTREE_KEY_ORDER);
    assert_blocks(&t.plan, 100);
    setting_done(&t);
}

static void keys_outside_their_range_are_left_out(void **state)
{
    struct ost_block far = {.bid = 4000, .offset = 4096, .stored = 1, .refs = 2};
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_ANSI);
    setting_trees(&t, 1, 20, 5);
    /* pages[1] is the second leaf, keys 24 to 40 */
    forge_block_entry(t.image.variant, forge_page_at(&t.image, t.image.pages[1].offset), 4, &far);
    reseal(&t, t.image.pages[1]);
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.seen[0].defects.list[0].kind, OST_BTREE_KEY_RANGE);
    assert_int_equal(t.seen[0].defects.list[0].expected, 43);
    assert_int_equal(t.seen[0].event.dropped, 1);
    assert_int_equal(t.plan.block_count, 19);
    assert_null(ost_plan_block(&t.plan, 4000));
    setting_done(&t);
}

/* Redirects entry i of the root; the root is sealed again. */
static void redirect(struct setting *t, unsigned i, struct ost_bref child)
{
    uint8_t *root = forge_page_at(&t->image, t->options.bbt.offset);
    uint64_t key = ost_id(t->image.variant, root + (size_t)i * t->image.variant->branch_size);

    forge_branch(t->image.variant, root, i, key, child);
    reseal(t, t->options.bbt);
}

static void expect_lost(struct setting *t, enum ost_defect_kind kind, unsigned blocks)
{
    bool found = false;

    assert_int_equal(load(t), 0);
    for (unsigned i = 0; i < t->count; i++)
        found = found || (t->seen[i].event.lost && ost_defects_has(&t->seen[i].defects, kind));
    assert_true(found);
    assert_int_equal(t->plan.block_count, blocks);
}

static void hostile_references_are_refused(void **state)
{
    struct ost_bref good, other;
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 1, 20, 5); /* 4 leaves: pages[1] second, [2] fourth, [3] first, [4] third */
    good = t.image.pages[1];

    redirect(&t, 1, t.options.bbt); /* the root itself: its level does not fit */
    expect_lost(&t, OST_BTREE_LEVEL, 15);
    redirect(&t, 1, t.image.pages[2]); /* a page that another entry names */
    expect_lost(&t, OST_PAGE_TWICE, 10);
    other = (struct ost_bref){good.bid, t.image.size};
    redirect(&t, 1, other);
    expect_lost(&t, OST_PAGE_OUTSIDE, 15);
    other.offset = UINT64_MAX - 511;
    redirect(&t, 1, other);
    expect_lost(&t, OST_PAGE_OUTSIDE, 15);
    other.offset = good.offset + 8;
    redirect(&t, 1, other);
    expect_lost(&t, OST_PAGE_UNALIGNED, 15);
    other = (struct ost_bref){good.bid + 0x1000, good.offset}; /* an older page in its place */
    redirect(&t, 1, other);
    expect_lost(&t, OST_PAGE_BID, 15);
    redirect(&t, 1, t.options.nbt); /* a page of the other tree */
    expect_lost(&t, OST_PAGE_TYPE, 15);
    redirect(&t, 1, good);
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 0);
    t.image.size = 20 * 512; /* cut off: neither root is there */
    expect_lost(&t, OST_PAGE_OUTSIDE, 0);
    assert_int_equal(t.count, 2);
    setting_done(&t);
}

/* A block B-tree whose leaves are the pages of the node B-tree: reading ends when more pages were
 * asked for than the file has room for. */
static void more_pages_than_the_file_are_not_read(void **state)
{
    struct ost_bref parts[2];
    uint8_t page[OST_PAGE_MAX] = {0};
    unsigned wrong = 0, too_many = 0;
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    t.options.nbt = forge_tree(&t.image, OST_TREE_NBT, 600, 15); /* 40 leaves, 4 branches */
    for (unsigned i = 0; i < 2; i++) {
        forge_counters(t.image.variant, page, OST_TREE_BBT, 1, 20);
        for (unsigned k = 0; k < 20; k++)
            forge_branch(t.image.variant, page, k, 4 + 80 * i + 4 * k, t.image.pages[20 * i + k]);
        parts[i] = forge_add_page(&t.image, page, OST_TREE_BBT, 0);
    }
    forge_counters(t.image.variant, page, OST_TREE_BBT, 2, 2);
    for (unsigned i = 0; i < 2; i++)
        forge_branch(t.image.variant, page, i, 4 + 80 * i, parts[i]);
    t.options.bbt = forge_add_page(&t.image, page, OST_TREE_BBT, 0);

    assert_int_equal(load(&t), 0);
    assert_nodes(&t.plan, 600);
    assert_int_equal(t.plan.block_count, 0);
    for (unsigned i = 0; i < t.count; i++) {
        wrong += ost_defects_has(&t.seen[i].defects, OST_PAGE_TYPE);
        too_many += ost_defects_has(&t.seen[i].defects, OST_PAGE_TOO_MANY);
    }
    assert_int_equal(t.count, 40);
    assert_int_equal(wrong, t.image.size / 512 - 44 - 3);
    assert_int_equal(too_many, 40 - wrong);
    assert_true(too_many > 0);
    setting_done(&t);
}

/* A root that claims many levels is not believed. */
static void levels_are_bounded(void **state)
{
    struct setting t;
    uint8_t *root;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 1, 20, 5);
    root = forge_page_at(&t.image, t.options.bbt.offset);
    root[t.image.variant->counters + 3] = OST_LIMIT_BTREE_LEVEL + 1;
    reseal(&t, t.options.bbt);
    expect_lost(&t, OST_BTREE_LEVEL, 0);
    root[t.image.variant->counters + 3] = OST_LIMIT_BTREE_LEVEL;
    reseal(&t, t.options.bbt);
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.count, 4); /* its leaves are not of the level below */
    assert_int_equal(t.plan.block_count, 0);
    setting_done(&t);
}

/* Each page in turn cannot be read, within larger reads that can. */
static void unreadable_bytes_cost_their_page(void **state)
{
    static const int codes[] = {ERR_IO, ERR_RANGE};
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 1, 60, 5);
    t.options.gap_bytes = 1 << 20;
    for (size_t i = 1; i <= 12; i++) { /* the leaves */
        t.bad_first = t.image.pages[i].offset + 100;
        t.bad_end = t.bad_first + 1;
        t.bad_code = codes[i % 2];
        assert_int_equal(load(&t), 0);
        assert_int_equal(t.count, 1);
        assert_int_equal(t.seen[0].defects.list[0].kind, OST_PAGE_UNREADABLE);
        assert_int_equal(t.seen[0].defects.list[0].actual, -t.bad_code);
        assert_int_equal(t.plan.block_count, 55);
    }
    t.bad_code = ERR_NOMEM; /* that is no page's fault */
    assert_int_equal(load(&t), ERR_NOMEM);
    setting_done(&t);
}

static void the_caller_can_stop(void **state)
{
    atomic_bool cancel = true;
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 10, 60, 5);
    t.options.cancel = &cancel;
    assert_int_equal(load(&t), ERR_CANCELLED);
    cancel = false;
    assert_int_equal(load(&t), 0);
    forge_page_at(&t.image, t.image.pages[0].offset)[0] ^= 1;
    t.event_result = ERR_LIMIT;
    assert_int_equal(load(&t), ERR_LIMIT);
    assert_null(t.plan.blocks);
    setting_done(&t);
}

static void failing_allocations_are_clean(void **state)
{
    unsigned failures = 0;
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_ANSI);
    setting_trees(&t, 100, 100, 10);
    for (;; failures++) {
        int rc;

        mem_test_fail(failures + 1, 0);
        rc = load(&t);
        mem_test_fail(0, 0);
        if (rc == 0)
            break;
        assert_int_equal(rc, ERR_NOMEM);
        assert_null(t.plan.blocks);
    }
    assert_true(failures > 10);
    assert_blocks(&t.plan, 100);
    setting_done(&t);
}

static void memory_is_bounded(void **state)
{
    uint64_t need;
    struct setting t;

    (void)state;
    setting_init(&t, OST_FORMAT_UNICODE);
    setting_trees(&t, 300, 300, 0);
    assert_int_equal(load(&t), 0);
    need = t.plan.peak_bytes;
    t.options.memory_bytes = need;
    assert_int_equal(load(&t), 0);
    assert_int_equal(t.plan.peak_bytes, need);
    t.options.memory_bytes = need - 1;
    assert_int_equal(load(&t), ERR_LIMIT);
    t.options.memory_bytes = 0;
    assert_int_equal(load(&t), ERR_LIMIT);
    setting_done(&t);
}

/* 48 bytes a block while loading, 24 after, pages and buffers beside. */
static void large_trees_stay_within_their_formula(void **state)
{
    enum { BLOCKS = 200000 };

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        const struct ost_variant *v = ost_variant_of(forge_formats[f]);
        unsigned fill = v->bbt_max;
        struct ost_plan_options options;
        struct ost_plan plan;
        struct giant g;

        giant_init(&g, v, BLOCKS, fill);
        options = giant_options(&g);
        options.memory_bytes = ost_plan_memory(v, BLOCKS, 0);
        assert_true(options.memory_bytes < 48 * BLOCKS + BLOCKS / fill * 250 + (4 << 20));
        assert_int_equal(ost_plan_load(&g.source, &options, &plan), 0);
        assert_int_equal(plan.block_count, BLOCKS);
        for (unsigned i = 0; i < BLOCKS; i++)
            if (plan.blocks[i].bid != 4 * (i + (uint64_t)1))
                fail();
        assert_int_equal(plan.memory_bytes, 24 * BLOCKS + 24 * plan.page_count);
        ost_plan_done(&plan);
    }
    assert_int_equal(sizeof(struct ost_block), 24);
    assert_int_equal(sizeof(struct ost_node), 32);
}

/* 10 million blocks, though their pages be but half full: loaded within 512 MiB, held in 256. */
static void ten_million_blocks_take_half_a_gibibyte(void **state)
{
    enum { BLOCKS = 10000000 };
    const struct ost_variant *v = ost_variant_of(OST_FORMAT_UNICODE);
    struct ost_plan_options options;
    struct ost_plan plan;
    struct giant g;

    (void)state;
    giant_init(&g, v, BLOCKS, v->bbt_max / 2);
    options = giant_options(&g);
    options.memory_bytes = UINT64_C(512) << 20;
    assert_int_equal(ost_plan_load(&g.source, &options, &plan), 0);
    assert_int_equal(plan.block_count, BLOCKS);
    assert_int_equal(plan.blocks[BLOCKS - 1].bid, UINT64_C(4) * BLOCKS);
    print_message("10 million blocks: %llu MiB at most, %llu MiB held\n",
                  (unsigned long long)(plan.peak_bytes >> 20),
                  (unsigned long long)(plan.memory_bytes >> 20));
    assert_true(plan.memory_bytes < UINT64_C(256) << 20);
    ost_plan_done(&plan);
}

/* Look-ups in bids that no even spread explains. */
static void lookups_find_uneven_bids(void **state)
{
    enum { COUNT = 1000 };
    static struct ost_block blocks[COUNT];
    struct ost_plan p = {.blocks = blocks};

    (void)state;
    for (unsigned shape = 0; shape < 4; shape++) {
        for (unsigned i = 0; i < COUNT; i++) {
            uint64_t k = i + 1;

            blocks[i].bid = shape == 0   ? 4 * k
                            : shape == 1 ? 2 * k * k * k * k * k
                            : shape == 2 ? (i < 500 ? 4 * k : (UINT64_C(1) << 63) + 4 * k)
                                         : UINT64_MAX - 1 - 8 * (COUNT - k);
        }
        for (p.block_count = 0; p.block_count <= COUNT; p.block_count += 1 + p.block_count / 3) {
            for (size_t i = 0; i < COUNT; i++) {
                const struct ost_block *b = ost_plan_block(&p, blocks[i].bid);

                assert_ptr_equal(b, i < p.block_count ? &blocks[i] : NULL);
                assert_null(ost_plan_block(&p, blocks[i].bid - 2));
            }
            assert_null(ost_plan_block(&p, 0));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_of_every_size_load),
        cmocka_unit_test(deep_trees_load),
        cmocka_unit_test(empty_trees_load),
        cmocka_unit_test(reads_are_coalesced),
        cmocka_unit_test(a_destroyed_page_costs_its_subtree),
        cmocka_unit_test(a_page_with_a_bad_checksum_is_suspect),
        cmocka_unit_test(children_of_a_suspect_page_keep_their_entries),
        cmocka_unit_test(unordered_keys_are_sorted),
        cmocka_unit_test(unordered_branches_lose_nothing),
        cmocka_unit_test(keys_outside_their_range_are_left_out),
        cmocka_unit_test(hostile_references_are_refused),
        cmocka_unit_test(more_pages_than_the_file_are_not_read),
        cmocka_unit_test(levels_are_bounded),
        cmocka_unit_test(unreadable_bytes_cost_their_page),
        cmocka_unit_test(the_caller_can_stop),
        cmocka_unit_test(failing_allocations_are_clean),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(lookups_find_uneven_bids),
        cmocka_unit_test(large_trees_stay_within_their_formula),
        cmocka_unit_test(ten_million_blocks_take_half_a_gibibyte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
