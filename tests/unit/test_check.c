/*
 * test_check.c: the structural check over real images, whole and damaged by hand. Damage with right
 * checksums is made by changing a structure and sealing it again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/block.h"
#include "scanner/ost/crc.h"
#include "tests/support/forge.h"
#include "tests/support/samples.h"
#include "tests/support/world.h"

static uint8_t *block_entry(struct world *w, const struct ost_block *b, uint64_t *page)
{
    return world_entry(w, OST_TREE_BBT, b->bid, page);
}

static size_t place_of_offset(const struct ost_variant *v)
{
    return v->format == OST_FORMAT_ANSI ? OFF_A_BBT_IB : OFF_U_BBT_IB;
}

static size_t place_of_refs(const struct ost_variant *v)
{
    return v->format == OST_FORMAT_ANSI        ? OFF_A_BBT_REF
           : v->format == OST_FORMAT_UNICODE4K ? OFF_K_BBT_REF
                                               : OFF_U_BBT_REF;
}

static void whole_image(const char *path)
{
    struct world w;

    world_open(&w, path);
    world_check(&w);
    if (world_findings.result.corrupt || world_findings.result.warnings)
        images_print(&world_findings);
    assert_int_equal(world_findings.result.corrupt, 0);
    assert_int_equal(world_findings.result.warnings, 0);
    assert_true(world_findings.result.complete);
    assert_int_equal(world_findings.result.verified_bytes, world_findings.result.allocated_bytes);
    assert_int_equal(world_findings.result.blocks, w.plan.block_count);
    assert_int_equal(world_findings.result.nodes, w.plan.node_count);
    world_close(&w);
}

static void whole_samples(void **state)
{
    (void)state;
    whole_image(sample_or_skip(SAMPLE_OST));
    assert_int_equal(world_findings.result.unreferenced, 14);
    assert_int_equal(world_findings.result.unreachable, 17);
    assert_int_equal(world_findings.result.unused_bytes, 0);
    assert_int_equal(world_findings.result.inner_blocks, 301);
    whole_image(sample_or_skip(SAMPLE_OST2));
    assert_int_equal(world_findings.result.unreferenced, 2);
    assert_int_equal(world_findings.result.unreachable, 0);
    whole_image(sample_or_skip(SAMPLE_ENRON));
    assert_int_equal(world_findings.result.unused_bytes, 736384);
    assert_non_null(images_find(&world_findings, F_density_list_stale));
    assert_non_null(images_find(&world_findings, F_alloc_unused));
}

static void whole_corpus(void **state)
{
    static const char *const names[] = {
        "aspose-folders-part10.pst", "aspose-notes.pst",           "aspose-outlook-part0.pst",
        "aspose-outlook-part1.pst",  "aspose-outlook.pst",         "aspose-password.pst",
        "aspose-test-part1.pst",     "atalayerdgn-pturk.pst",      "go-pst-32-bit-ansi.pst",
        "groupdocs-sample.ost",      "hiraoka-200-recipients.pst", "hiraoka-contacts-ansi.pst",
        "hiraoka-cp932-ansi.pst",    "hiraoka-hello-cjk.pst",      "hiraoka-msg-in-msg-in-msg.pst",
        "javalibpst-dist-list.pst",  "javalibpst-passworded.pst",  "outlook-pst-rs-empty.pst",
        "pstsdk-sample2-ansi.pst",   "pstsdk-submessage.pst",      "pstsdk-test-ansi.pst",
        "tghanem-user1-a.pst",       "tghanem-user1-b.pst",
    };

    (void)state;
    corpus_or_skip(names[0]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        whole_image(corpus_path(names[i]));
}

static void damaged_corpus(void **state)
{
    struct ndbfile f;

    (void)state;
    ndbfile_open(&f, corpus_or_skip("damaged-header-crc.pst"));
    images_check(f.bytes.data, f.bytes.size, NULL, &world_findings);
    assert_non_null(images_find(&world_findings, F_header_crc_partial));
    assert_non_null(images_find(&world_findings, F_header_crc_full));
    assert_int_equal(images_corrupt_elsewhere(&world_findings, 0, OST_HEADER_SIZE), 0);
    assert_false(world_findings.result.complete);
    ndbfile_close(&f);
    ndbfile_open(&f, corpus_or_skip("damaged-truncated-in-header.pst"));
    images_check(f.bytes.data, f.bytes.size, NULL, &world_findings);
    assert_int_equal(world_findings.result.corrupt, 1);
    assert_non_null(images_find(&world_findings, F_file_too_short));
    ndbfile_close(&f);
}

static void lost_block_names_whom_it_affects(void **state)
{
    const struct ost_node *owner;
    const struct ost_block *b;
    const struct images_finding *f;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    b = world_data(&w, &owner);
    memset(w.data + b->offset, 0xA5, ost_block_extent(w.v, b->stored));
    world_expect(&w, F_block_lost, b->offset, 1);
    f = images_find(&world_findings, F_block_lost);
    assert_int_equal(f->f.item_count, 1);
    assert_int_equal(f->items[0], owner->nid);
    assert_int_equal(f->f.folder_count, 1);
    assert_int_equal(f->folders[0], owner->parent);
    assert_int_equal(f->f.bid, b->bid);
    assert_int_equal(f->f.length, ost_block_extent(w.v, b->stored));
    world_close(&w);
}

static void entries_of_the_block_tree(void **state)
{
    const struct ost_node *owner;
    const struct ost_block *b, *other;
    uint8_t *e;
    uint64_t page;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    b = world_data(&w, &owner);
    other = world_internal(&w, BTYPE_DATA, 1, 2);

    e = block_entry(&w, b, &page);
    put_le16(e + place_of_refs(w.v), 3);
    world_seal_page(&w, page);
    world_expect(&w, F_bbt_ref_count, page, 1);
    put_le16(e + place_of_refs(w.v), 1);
    world_seal_page(&w, page);
    world_expect(&w, F_bbt_ref_count, page, 1);
    assert_int_equal(images_find(&world_findings, F_bbt_ref_count)->f.expected, 2);
    assert_int_equal(images_find(&world_findings, F_bbt_ref_count)->f.actual, 1);

    forge_id(w.v, e + place_of_offset(w.v), w.size);
    world_seal_page(&w, page);
    world_expect(&w, F_extent_out_of_range, page, 1);
    forge_id(w.v, e + place_of_offset(w.v), 512);
    world_seal_page(&w, page);
    world_expect(&w, F_extent_out_of_range, page, 1);
    forge_id(w.v, e + place_of_offset(w.v), b->offset + 8);
    world_seal_page(&w, page);
    world_expect(&w, F_extent_unaligned, page, 1);
    forge_id(w.v, e + place_of_offset(w.v), other->offset);
    world_seal_page(&w, page);
    world_expect(&w, F_extent_overlap, page, 1);
    forge_id(w.v, e + place_of_offset(w.v), w.v->amap_first + w.v->amap_spacing);
    world_seal_page(&w, page);
    world_expect(&w, F_extent_on_alloc_page, page, 1);
    forge_id(w.v, e + place_of_offset(w.v), w.v->amap_first + w.v->amap_spacing - w.v->unit);
    world_seal_page(&w, page);
    world_expect(&w, F_extent_crosses_amap, page, 1);
    world_close(&w);
}

static void pages_of_the_trees(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST));
    for (size_t i = 0; i < w.plan.page_count; i++) {
        uint64_t at = w.plan.pages[i].offset;

        memset(w.data + at, 0, w.v->page_size);
        world_expect(&w, F_btree_page_lost, at, 1);
        memset(w.data + at, 0xFF, 64); /* keys that nothing is below */
        world_expect(&w, F_page_crc, at, 1);
        w.data[at + w.v->page_trailer + OFF_PT_TYPE_REPEAT] ^= 1;
        world_expect(&w, F_page_type, at, 1);
    }
    world_close(&w);
}

/* Both roots, and everything else of the trees. */
static void no_tree_at_all(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST2));
    for (size_t i = 0; i < w.plan.page_count; i++)
        memset(w.data + w.plan.pages[i].offset, 0, w.v->page_size);
    world_check(&w);
    assert_int_equal(world_findings.result.corrupt, 2);
    assert_int_equal(world_findings.result.nodes, world_findings.result.recovered);
    assert_true(world_findings.result.maybe_stale > 0);
    assert_false(world_findings.result.complete);
    world_close(&w);
}

static void keys_of_a_page(void **state)
{
    const struct ost_plan_page *leaf;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    leaf = &w.plan.pages[w.plan.trees[OST_TREE_NBT].leaf_start + 1];
    world_swap(&w, leaf->offset, w.v->nbt_size, 1);
    world_expect(&w, F_btree_key_order, leaf->offset, 1);
    world_swap(&w, leaf->offset, w.v->nbt_size, 0);
    world_expect(&w, F_btree_key_first, leaf->offset, 1);
    w.data[leaf->offset + w.v->counters + 3]++;
    world_seal_page(&w, leaf->offset);
    world_expect(&w, F_btree_level, leaf->offset, 1);
    w.data[leaf->offset + w.v->counters] = 99;
    world_seal_page(&w, leaf->offset);
    world_expect(&w, F_btree_count, leaf->offset, 1);
    world_close(&w);
}

/* A damaged branch page that names a page of another: it is the only one that is wrong. */
static void page_named_twice(void **state)
{
    const struct ost_plan_page *pages[2] = {NULL};
    struct world w;
    uint8_t *entry;
    unsigned n = 0;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    for (size_t i = 0; i < w.plan.page_count && n < 2; i++)
        if (w.plan.pages[i].tree == OST_TREE_BBT && w.plan.pages[i].level == 1)
            pages[n++] = &w.plan.pages[i];
    assert_int_equal(n, 2);
    for (unsigned i = 0; i < 2; i++) {
        entry = w.data + pages[i]->offset + w.v->branch_size - 8; /* ib of its first entry */
        memcpy(entry, w.data + pages[1 - i]->offset + w.v->branch_size - 8, 8);
        world_expect(&w, F_page_crc, pages[i]->offset, 1);
        assert_int_equal(world_findings.result.corrupt, 1);
    }
    world_close(&w);
}

static void missing_entry(void **state)
{
    const struct ost_node *owner;
    const struct ost_block *b;
    const struct images_finding *f;
    uint64_t page;
    uint8_t *e, *end;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    b = world_data(&w, &owner);
    e = block_entry(&w, b, &page);
    end = w.data + page + w.data[page + w.v->counters] * w.v->bbt_size;
    assert_true(e > w.data + page);
    memmove(e, e + w.v->bbt_size, (size_t)(end - e - w.v->bbt_size));
    w.data[page + w.v->counters]--;
    world_seal_page(&w, page);
    world_expect(&w, F_block_missing, page, 1);
    f = images_find(&world_findings, F_block_missing);
    assert_int_equal(f->f.bid, b->bid);
    assert_int_equal(f->f.item_count, 1);
    assert_int_equal(f->items[0], owner->nid);
    world_close(&w);
}

static void allocation_maps(void **state)
{
    const struct ost_node *owner;
    const struct ost_block *b;
    uint64_t map, bit;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    b = world_data(&w, &owner);
    map = ost_amap_offset(w.v, (b->offset - w.v->amap_first) / w.v->amap_spacing);
    bit = (b->offset - map) / w.v->unit;
    w.data[map + w.v->amap_bitmap + bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    world_seal_page(&w, map);
    world_expect(&w, F_amap_bit_clear, b->offset, 1);
    assert_non_null(images_find(&world_findings, F_amap_free_total));

    /* The same is not judged while the header says that the maps are out of date. */
    w.data[map + w.v->amap_bitmap + bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    world_seal_page(&w, map);
    w.data[OFF_U_AMAP_VALID] = 0;
    world_seal_header(&w);
    world_check(&w);
    assert_int_equal(world_findings.result.corrupt, 0);
    assert_non_null(images_find(&world_findings, F_amap_invalid_flag));
    world_restore(&w);

    memset(w.data + map, 0, w.v->page_size);
    world_expect(&w, F_amap_lost, map, 1);
    w.data[map + 9] ^= 1;
    world_expect(&w, F_amap_crc, map, 1);
    world_close(&w);
}

static void data_trees(void **state)
{
    const struct ost_block *x;
    uint8_t *p;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    x = world_internal(&w, BTYPE_DATA, 1, 3);
    p = w.data + x->offset;
    put_le32(p + OFF_X_TOTAL, le32(p + OFF_X_TOTAL) + 1);
    world_seal_block(&w, x);
    world_expect(&w, F_xblock_total, x->offset, 1);
    p[OFF_X_LEVEL] = 7;
    world_seal_block(&w, x);
    world_expect(&w, F_xblock_level, x->offset, 1);
    p[OFF_X_TYPE] = 7;
    world_seal_block(&w, x);
    world_expect(&w, F_xblock_form, x->offset, 1);
    put_le16(p + OFF_X_COUNT, 0xFFFF);
    world_seal_block(&w, x);
    world_expect(&w, F_xblock_form, x->offset, 1);
    put_le64(p + OFF_X_BIDS, UINT64_C(1) << 40);
    world_seal_block(&w, x);
    world_expect(&w, F_xblock_dangling, x->offset, 1);
    put_le64(p + OFF_X_BIDS, x->bid);
    world_seal_block(&w, x);
    world_expect(&w, F_xblock_child, x->offset, 1);
    /* the last leaf, which is not full, first */
    {
        uint64_t last = le64(p + OFF_X_BIDS + 8 * (le16(p + OFF_X_COUNT) - 1));

        put_le64(p + OFF_X_BIDS + 8 * (le16(p + OFF_X_COUNT) - 1), le64(p + OFF_X_BIDS));
        put_le64(p + OFF_X_BIDS, last);
    }
    world_seal_block(&w, x);
    world_expect(&w, F_xblock_leaf_size, x->offset, 1);
    world_close(&w);
}

static void subnode_trees(void **state)
{
    const struct ost_block *s;
    uint8_t *p, swap[24];
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    s = world_internal(&w, BTYPE_SUBNODE, 0, 2);
    p = w.data + s->offset;
    memcpy(swap, p + 8, 24);
    memcpy(p + 8, p + 32, 24);
    memcpy(p + 32, swap, 24);
    world_seal_block(&w, s);
    world_expect(&w, F_subnode_order, s->offset, 1);
    put_le64(p + 16, UINT64_C(1) << 40);
    world_seal_block(&w, s);
    world_expect(&w, F_subnode_dangling, s->offset, 1);
    put_le64(p + 24, s->bid);
    world_seal_block(&w, s);
    world_expect(&w, F_subnode_cycle, s->offset, 1);
    put_le64(p + 24, le64(p + 16) & ~(uint64_t)BID_INTERNAL);
    world_seal_block(&w, s);
    world_expect(&w, F_subnode_child, s->offset, 1);
    put_le64(p + 24, world_internal(&w, BTYPE_DATA, 1, 1)->bid);
    world_seal_block(&w, s);
    world_check(&w);
    assert_non_null(images_find(&world_findings, F_subnode_child));
    world_restore(&w);
    world_close(&w);
}

static void nodes(void **state)
{
    const struct ost_node *owner;
    uint64_t page;
    uint8_t *e;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    world_data(&w, &owner);
    e = world_entry(&w, OST_TREE_NBT, owner->nid, &page);
    put_le64(e + OFF_U_NBT_DATA, UINT64_C(1) << 40);
    world_seal_page(&w, page);
    world_expect(&w, F_node_dangling, page, 1);
    assert_int_equal(images_find(&world_findings, F_node_dangling)->f.nid, owner->nid);
    put_le32(e + OFF_U_NBT_PARENT, 0x1FFFE2);
    world_seal_page(&w, page);
    world_expect(&w, F_node_parent_missing, page, 1);
    put_le32(e + OFF_U_NBT_PARENT, owner->nid);
    world_seal_page(&w, page);
    world_expect(&w, F_node_parent_kind, page, 1);
    e = world_entry(&w, OST_TREE_NBT, owner->parent, &page);
    put_le32(e + OFF_U_NBT_PARENT, owner->parent);
    world_seal_page(&w, page);
    world_expect(&w, F_folder_cycle, page, 1);
    world_close(&w);
}

/* Two folders that are each other's parents: one cycle, told once. */
static void folders_in_a_ring(void **state)
{
    const struct ost_node *child = NULL;
    uint64_t page;
    uint8_t *e;
    struct world w;
    size_t told = 0;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    for (size_t i = 0; i < w.plan.node_count && !child; i++) {
        const struct ost_node *n = &w.plan.nodes[i];

        if ((n->nid & 0x1F) == 2 && n->parent != 0x122 && n->nid != 0x122)
            child = n;
    }
    assert_non_null(child);
    e = world_entry(&w, OST_TREE_NBT, child->parent, &page);
    put_le32(e + OFF_U_NBT_PARENT, child->nid);
    world_seal_page(&w, page);
    world_check(&w);
    for (size_t i = 0; i < world_findings.count; i++)
        told += world_findings.findings[i].f.code == F_folder_cycle;
    assert_int_equal(told, 1);
    assert_int_equal(world_findings.result.corrupt, 1);
    world_close(&w);
}

static void header_counters(void **state)
{
    static const struct {
        size_t at;
        unsigned size;
        enum finding_code code;
    } cases[] = {
        {OFF_U_BID_NEXT_B, 8, F_header_counter_lag},    {OFF_U_BID_NEXT_P, 8, F_header_counter_lag},
        {OFF_U_RGNID + 4 * 4, 4, F_header_counter_lag}, {OFF_U_AMAP_LAST, 8, F_amap_last_wrong},
        {OFF_U_AMAP_FREE, 8, F_amap_free_total},
    };
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST2));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(w.data + cases[i].at, 0, cases[i].size);
        world_seal_header(&w);
        world_check(&w);
        assert_int_equal(world_findings.result.corrupt, 0);
        assert_int_equal(world_findings.result.warnings, 1);
        assert_non_null(images_find(&world_findings, cases[i].code));
        assert_int_equal(images_find(&world_findings, cases[i].code)->f.offset, cases[i].at);
        world_restore(&w);
    }
    world_close(&w);
}

/* A cut at any place is the one damage; what lies before it is checked. */
static void truncated(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    for (unsigned i = 1; i < 16; i++) {
        size_t size = w.size / 16 * i + i;

        images_check(w.data, size, NULL, &world_findings);
        assert_int_equal(world_findings.rc, 0);
        assert_non_null(images_find(&world_findings, F_file_truncated));
        /* a root beyond the cut is told at the header, which names it */
        for (size_t k = 0; k < world_findings.count; k++)
            if (world_findings.findings[k].f.severity == SEVERITY_CORRUPT)
                assert_true(world_findings.findings[k].f.code == F_file_truncated ||
                            world_findings.findings[k].f.code == F_root_out_of_range);
        if (world_findings.result.complete && i > 12)
            assert_true(images_find(&world_findings, F_file_truncated)->f.item_count > 0);
    }
    world_close(&w);
}

/* Of a version that was never seen nothing is known for certain. */
static void unseen_version(void **state)
{
    const struct ost_node *owner;
    const struct ost_block *b;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST2));
    b = world_data(&w, &owner);
    w.data[b->offset] ^= 1;
    put_le16(w.data + OFF_VER, 37);
    world_seal_header(&w);
    world_check(&w);
    assert_non_null(images_find(&world_findings, F_block_crc));
    assert_int_equal(images_find(&world_findings, F_block_crc)->f.severity, SEVERITY_WARNING);
    assert_int_equal(world_findings.result.corrupt, 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_samples),
        cmocka_unit_test(whole_corpus),
        cmocka_unit_test(damaged_corpus),
        cmocka_unit_test(lost_block_names_whom_it_affects),
        cmocka_unit_test(entries_of_the_block_tree),
        cmocka_unit_test(pages_of_the_trees),
        cmocka_unit_test(no_tree_at_all),
        cmocka_unit_test(keys_of_a_page),
        cmocka_unit_test(page_named_twice),
        cmocka_unit_test(missing_entry),
        cmocka_unit_test(allocation_maps),
        cmocka_unit_test(data_trees),
        cmocka_unit_test(subnode_trees),
        cmocka_unit_test(nodes),
        cmocka_unit_test(folders_in_a_ring),
        cmocka_unit_test(header_counters),
        cmocka_unit_test(truncated),
        cmocka_unit_test(unseen_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
