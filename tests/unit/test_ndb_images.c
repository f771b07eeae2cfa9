/*
 * test_ndb_images.c: the node database of every real image at hand, against what is known of it:
 * each page and block verifies, each tree of blocks is whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/file.h"
#include "io/mem.h"
#include "io/reader.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/block.h"
#include "scanner/ost/datatree.h"
#include "scanner/ost/page.h"
#include "scanner/ost/plan.h"
#include "scanner/ost/subnode.h"
#include "tests/support/ndbfile.h"
#include "tests/support/samples.h"

struct image {
    const char *name;
    unsigned nodes, blocks, xblocks, sblocks, zlib;
    uint64_t stored, inflated, extent; /* sums over blocks; 0: not known */
    unsigned branch_pages, bbt_leaves, nbt_leaves;
};

/* Counted by another program. */
static const struct image samples[] = {
    {SAMPLE_OST, 571, 1469, 9, 292, 888, 2128261, 5000634, 2558976, 2, 12, 6},
    {SAMPLE_OST2, 518, 1009, 2, 224, 586, 1124404, 2634761, 1416192, 2, 8, 5},
};

static const struct image corpus[] = {
    {.name = "aspose-folders-part10.pst", 37, 158, 9, 18, 0},
    {.name = "aspose-notes.pst", 37, 29, 0, 3, 0},
    {.name = "aspose-outlook-part0.pst", 80, 113, 5, 15, 0},
    {.name = "aspose-outlook-part1.pst", 89, 194, 3, 45, 0},
    {.name = "aspose-outlook.pst", 160, 448, 16, 76, 0},
    {.name = "aspose-password.pst", 73, 248, 4, 58, 0},
    {.name = "aspose-test-part1.pst", 147, 752, 27, 165, 0},
    {.name = "atalayerdgn-pturk.pst", 220, 817, 1, 313, 0},
    {.name = "go-pst-32-bit-ansi.pst", 34, 26, 0, 2, 0},
    {.name = "groupdocs-sample.ost", 270, 283, 7, 45, 0},
    {.name = "hiraoka-200-recipients.pst", 52, 70, 4, 4, 0},
    {.name = "hiraoka-contacts-ansi.pst", 56, 45, 0, 2, 0},
    {.name = "hiraoka-cp932-ansi.pst", 48, 43, 1, 2, 0},
    {.name = "hiraoka-hello-cjk.pst", 44, 41, 0, 2, 0},
    {.name = "hiraoka-msg-in-msg-in-msg.pst", 44, 67, 2, 9, 0},
    {.name = "javalibpst-dist-list.pst", 128, 155, 0, 24, 0},
    {.name = "javalibpst-passworded.pst", 130, 138, 0, 21, 0},
    {.name = "outlook-pst-rs-empty.pst", 47, 31, 0, 0, 0},
    {.name = "pstsdk-sample2-ansi.pst", 52, 60, 1, 3, 0},
    {.name = "pstsdk-submessage.pst", 47, 50, 0, 4, 0},
    {.name = "pstsdk-test-ansi.pst", 47, 38, 0, 2, 0},
    {.name = "tghanem-user1-a.pst", 117, 90, 0, 5, 0},
    {.name = "tghanem-user1-b.pst", 128, 123, 1, 10, 0},
};

struct world {
    struct ndbfile file;
    struct ost_plan plan;
    struct ost_decoder *decoder;
    unsigned held; /* decoded blocks not given back */
};

static int print_event(void *ctx, const struct ost_plan_event *e)
{
    (void)ctx;
    for (unsigned i = 0; i < e->defects->count; i++)
        print_message("tree %d level %u page %#llx: %s at %u: %#llx, not %#llx\n", (int)e->tree,
                      e->level, (unsigned long long)e->offset,
                      ost_defect_name(e->defects->list[i].kind), e->defects->list[i].at,
                      (unsigned long long)e->defects->list[i].actual,
                      (unsigned long long)e->defects->list[i].expected);
    return ERR_DAMAGED;
}

static void print_defects(const char *what, uint64_t bid, const struct ost_defects *d)
{
    for (unsigned i = 0; i < d->count; i++)
        print_message(
            "%s %#llx: %s in %#llx at %u: %#llx, not %#llx\n", what, (unsigned long long)bid,
            ost_defect_name(d->list[i].kind), (unsigned long long)d->list[i].bid, d->list[i].at,
            (unsigned long long)d->list[i].actual, (unsigned long long)d->list[i].expected);
}

static void world_open(struct world *w, const char *path)
{
    struct ost_plan_options options;

    memset(w, 0, sizeof *w);
    ndbfile_open(&w->file, path);
    assert_non_null(w->file.variant);
    options = ndbfile_options(&w->file);
    options.event = print_event;
    assert_int_equal(ost_plan_load(w->file.source, &options, &w->plan), 0);
    assert_int_equal(ost_decoder_create(w->file.variant, w->file.header.crypt, &w->decoder), 0);
}

static void world_close(struct world *w)
{
    assert_int_equal(w->held, 0);
    ost_decoder_destroy(w->decoder);
    ost_plan_done(&w->plan);
    ndbfile_close(&w->file);
}

static const uint8_t *extent_of(const struct world *w, const struct ost_block *b)
{
    struct bytes extent = {0};

    assert_true(bytes_slice(w->file.bytes, b->offset, ost_block_extent(w->file.variant, b->stored),
                            &extent));
    return extent.data;
}

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    return ost_plan_block(&((struct world *)ctx)->plan, bid);
}

static int get(void *ctx, const struct ost_block *b, struct bytes *out)
{
    struct world *w = ctx;
    uint8_t *data = mem_alloc(b->inflated ? b->inflated : 1);

    assert_non_null(data);
    assert_int_equal(ost_block_decode(w->decoder, b, extent_of(w, b), data, NULL), 0);
    *out = (struct bytes){data, b->inflated};
    w->held++;
    return 0;
}

static void put(void *ctx, const struct ost_block *b, struct bytes decoded)
{
    (void)b;
    ((struct world *)ctx)->held--;
    mem_free((void *)(uintptr_t)decoded.data);
}

static struct image verify_blocks(struct world *w)
{
    static uint8_t decoded[OST_DATA_MAX];
    struct image sum = {0};

    for (size_t i = 0; i < w->plan.block_count; i++) {
        const struct ost_block *b = &w->plan.blocks[i];
        const uint8_t *extent = extent_of(w, b);
        struct ost_defects defects = {0};
        size_t used;

        ost_block_check(w->file.variant, b, extent, &defects);
        print_defects("block", b->bid, &defects);
        assert_int_equal(defects.count, 0);
        assert_int_equal(ost_block_trust(&defects), OST_TRUST_SOUND);
        assert_true(ost_block_padding_zero(w->file.variant, b->stored, extent));
        assert_int_equal(ost_block_decode(w->decoder, b, extent, decoded, &used), 0);
        assert_int_equal(used, b->stored);
        assert_ptr_equal(ost_plan_block(&w->plan, b->bid | 1), b);
        sum.blocks++;
        sum.zlib += b->stored != b->inflated;
        sum.xblocks += ost_bid_internal(b->bid) && decoded[0] == 1;
        sum.sblocks += ost_bid_internal(b->bid) && decoded[0] == 2;
        sum.stored += b->stored;
        sum.inflated += b->inflated;
        sum.extent += ost_block_extent(w->file.variant, b->stored);
    }
    return sum;
}

static void verify_value(struct world *w, const struct ost_blocks *blocks, uint64_t root)
{
    struct ost_datatree t;
    struct ost_leaf leaf;
    uint64_t end = 0;
    int rc;

    ost_datatree_init(&t, w->file.variant, blocks, root);
    while ((rc = ost_datatree_next(&t, &leaf)) > 0) {
        assert_non_null(leaf.block);
        assert_int_equal(leaf.offset, end);
        end += leaf.block->inflated;
    }
    assert_int_equal(rc, 0);
    print_defects("value", root, &t.defects);
    assert_int_equal(t.defects.count, 0);
    assert_false(t.lost);
    ost_datatree_done(&t);
}

static void verify_subnodes(struct world *w, const struct ost_blocks *blocks, uint64_t root)
{
    static struct ost_subnode_walk walk;
    struct ost_subnode s, found;
    unsigned depth;
    int rc = ost_subnode_walk_init(&walk, w->file.variant, blocks, root);

    assert_int_equal(rc, 0);
    while ((rc = ost_subnode_walk_next(&walk, &s, &depth)) > 0) {
        struct ost_defects defects = {0};

        verify_value(w, blocks, s.data);
        if (depth == 1) {
            assert_int_equal(
                ost_subnode_find(w->file.variant, blocks, root, s.nid, &defects, &found), 1);
            assert_int_equal(found.data, s.data);
            assert_int_equal(
                ost_subnode_find(w->file.variant, blocks, root, s.nid + 1, &defects, &found) > 0 &&
                    found.nid != s.nid + 1,
                0);
            print_defects("find", s.nid, &defects);
            assert_int_equal(defects.count, 0);
        }
        assert_int_equal(ost_subnode_walk_enter(&walk), 0);
    }
    assert_int_equal(rc, 0);
    print_defects("subnodes", root, &walk.defects);
    assert_int_equal(walk.defects.count, 0);
    assert_false(walk.lost);
    ost_subnode_walk_done(&walk);
}

static void verify_nodes(struct world *w)
{
    struct ost_blocks blocks = {.ctx = w, .find = find, .get = get, .put = put};

    for (size_t i = 0; i < w->plan.node_count; i++) {
        const struct ost_node *n = &w->plan.nodes[i];

        assert_ptr_equal(ost_plan_node(&w->plan, n->nid), n);
        verify_value(w, &blocks, n->data);
        verify_subnodes(w, &blocks, n->sub);
    }
    assert_null(ost_plan_node(&w->plan, 0));
    assert_null(ost_plan_block(&w->plan, UINT64_MAX));
}

/* Every AMap is where it is expected; all that the trees use is allocated. */
static void verify_allocation(struct world *w)
{
    const struct ost_variant *v = w->file.variant;
    struct ost_alloc_page pages[OST_ALLOC_PAGES_MAX];
    struct ost_allocmap map;

    assert_int_equal(ost_allocmap_init(&map, v, w->file.bytes.size, 1 << 20), 0);
    assert_int_equal(ost_amap_offset(v, map.spans - 1), w->file.header.amap_last);
    for (uint64_t k = 0; k < map.spans; k++) {
        for (unsigned i = ost_alloc_pages(v, k, pages); i-- > 0;) {
            const uint8_t *page = w->file.bytes.data + pages[i].offset;
            struct ost_defects defects = {0};

            ost_page_check(v, page, pages[i].type, pages[i].offset, pages[i].offset, &defects);
            print_defects("allocation page", pages[i].offset, &defects);
            assert_int_equal(defects.count, 0);
        }
        ost_allocmap_put(&map, k, w->file.bytes.data + ost_amap_offset(v, k));
    }
    for (size_t i = 0; i < w->plan.block_count; i++)
        assert_int_equal(ost_allocmap_query(&map, w->plan.blocks[i].offset,
                                            ost_block_extent(v, w->plan.blocks[i].stored)),
                         OST_ALLOC_USED);
    for (size_t i = 0; i < w->plan.page_count; i++)
        assert_int_equal(ost_allocmap_query(&map, w->plan.pages[i].offset, v->page_size),
                         OST_ALLOC_USED);
    if (v->format == OST_FORMAT_UNICODE4K)
        assert_int_equal(ost_allocmap_free(&map), w->file.header.amap_free);
    ost_allocmap_done(&map);
}

static void verify(const char *path, const struct image *known)
{
    struct image sum;
    struct world w;

    world_open(&w, path);
    sum = verify_blocks(&w);
    if (known->blocks) {
        assert_int_equal(w.plan.node_count, known->nodes);
        assert_int_equal(w.plan.block_count, known->blocks);
        assert_int_equal(sum.xblocks, known->xblocks);
        assert_int_equal(sum.sblocks, known->sblocks);
        assert_int_equal(sum.zlib, known->zlib);
    }
    if (known->stored) {
        assert_int_equal(sum.stored, known->stored);
        assert_int_equal(sum.inflated, known->inflated);
        assert_int_equal(sum.extent, known->extent);
        assert_int_equal(w.plan.trees[OST_TREE_BBT].leaf_count, known->bbt_leaves);
        assert_int_equal(w.plan.trees[OST_TREE_NBT].leaf_count, known->nbt_leaves);
        assert_int_equal(w.plan.page_count,
                         known->bbt_leaves + known->nbt_leaves + known->branch_pages);
    }
    verify_nodes(&w);
    verify_allocation(&w);
    world_close(&w);
}

static void samples_verify_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        verify(sample_or_skip(samples[i].name), &samples[i]);
}

static void enron_verifies_whole(void **state)
{
    static const struct image unknown;

    (void)state;
    verify(sample_or_skip(SAMPLE_ENRON), &unknown);
}

static void corpus_verifies_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof corpus / sizeof *corpus; i++) {
        print_message("%s\n", corpus[i].name);
        verify(corpus_or_skip(corpus[i].name), &corpus[i]);
    }
}

static int keep_event(void *ctx, const struct ost_plan_event *e)
{
    *(struct ost_plan_event *)ctx = *e;
    assert_int_equal(e->defects->count, 3);
    assert_true(ost_defects_has(e->defects, OST_PAGE_SIG));
    assert_true(ost_defects_has(e->defects, OST_PAGE_BID));
    assert_true(ost_defects_has(e->defects, OST_PAGE_CRC));
    return 0;
}

/* Where the header says that the root of the block B-tree is there is another page, of another bid
 * and with a bad checksum; the node B-tree is whole. */
static void damaged_image_keeps_its_nodes(void **state)
{
    struct ost_plan_options options;
    struct ost_plan_event event = {0};
    struct ost_plan plan;
    struct ndbfile f;

    (void)state;
    ndbfile_open(&f, corpus_or_skip("damaged-header-crc.pst"));
    assert_non_null(f.variant);
    options = ndbfile_options(&f);
    options.ctx = &event;
    options.event = keep_event;
    assert_int_equal(ost_plan_load(f.source, &options, &plan), 0);
    assert_int_equal(plan.node_count, 34);
    assert_int_equal(plan.block_count, 0);
    assert_int_equal(event.tree, OST_TREE_BBT);
    assert_true(event.lost && event.root);
    assert_int_equal(event.last, UINT64_MAX);
    ost_plan_done(&plan);
    ndbfile_close(&f);
}

static void same_plan_through(const char *path, enum io_backend backend,
                              const struct ost_plan *known, struct ost_plan_options options)
{
    struct io_reader_options how = {.backend = backend, .depth = 32};
    struct io_source *source;
    struct io_reader *reader;
    struct io_file file;
    struct fault fault;
    struct ost_plan plan;

    assert_int_equal(io_file_open(path, IO_FILE_FOLLOW, &file, &fault), 0);
    assert_int_equal(io_reader_create(&how, &reader), 0);
    assert_int_equal(io_source_open_reader(reader, file.fd, file.id.size_bytes, 1 << 20, &source),
                     0);
    assert_int_equal(ost_plan_load(source, &options, &plan), 0);
    assert_int_equal(plan.block_count, known->block_count);
    assert_int_equal(plan.node_count, known->node_count);
    assert_memory_equal(plan.blocks, known->blocks, plan.block_count * sizeof *plan.blocks);
    assert_memory_equal(plan.nodes, known->nodes, plan.node_count * sizeof *plan.nodes);
    assert_memory_equal(plan.pages, known->pages, plan.page_count * sizeof *plan.pages);
    ost_plan_done(&plan);
    io_source_close(source);
    io_reader_destroy(reader);
    io_file_close(&file);
}

/* Over files with many reads in flight, by either backend and in reads of any size. */
static void readers_give_the_same_plan(void **state)
{
    static const char *const names[] = {SAMPLE_OST, SAMPLE_ENRON};
    static const size_t read_bytes[] = {4096, 65536, 0};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const char *path = sample_or_skip(names[i]);
        struct world w;

        world_open(&w, path);
        for (unsigned k = 0; k < 6; k++) {
            struct ost_plan_options options = ndbfile_options(&w.file);

            options.read_bytes = read_bytes[k / 2];
            options.gap_bytes = k / 2 == 1 ? 65536 : 0;
            same_plan_through(path, k % 2 ? IO_BACKEND_PREAD : IO_BACKEND_AUTO, &w.plan, options);
        }
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_verify_whole),
        cmocka_unit_test(enron_verifies_whole),
        cmocka_unit_test(corpus_verifies_whole),
        cmocka_unit_test(damaged_image_keeps_its_nodes),
        cmocka_unit_test(readers_give_the_same_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
