/*
 * test_check_codes.c: every finding that the structural check can make is made here at least once,
 * on synthetic images of all three variants, each damaged in one place: the code is there, at that
 * place, with the severity of its table, and nothing else is called corrupt. The last test fails
 * when a code was reached by none; it counts what all others did, so they stand in one long file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/block.h"
#include "scanner/ost/crc.h"
#include "tests/gen/run.h"
#include "tests/support/fault_source.h"
#include "tests/support/forge.h"
#include "tests/support/tempdir.h"
#include "tests/support/world.h"

enum { ANSI, UNICODE, K, DEEP, DEEP_K, IMAGES };

#define ANYWHERE UINT64_MAX
#define NOBODY   (UINT64_C(1) << 28) /* a bid that was never handed out */

static const char *folder;
static char paths[IMAGES][256];
static bool reached[FINDING_CODES];

static int make_images(void **state)
{
    static const struct {
        enum gen_format format;
        const char *profile;
        bool compress;
    } kinds[IMAGES] = {
        [ANSI] = {GEN_ANSI, "tiny", false},        [UNICODE] = {GEN_UNICODE, "tiny", false},
        [K] = {GEN_UNICODE4K, "tiny", true},       [DEEP] = {GEN_UNICODE, "deep", false},
        [DEEP_K] = {GEN_UNICODE4K, "deep", false},
    };

    (void)state;
    folder = tempdir_make();
    for (unsigned i = 0; i < IMAGES; i++) {
        struct gen_options o = {.seed = 3, .profile = profile_find(kinds[i].profile)};
        struct gen_summary summary;
        unsigned missed;

        snprintf(paths[i], sizeof paths[i], "%s/%u.ost", folder, i);
        o.items = o.profile->items;
        o.truth = TRUTH_NONE;
        o.image = (struct image_options){.path = paths[i],
                                         .format = kinds[i].format,
                                         .crypt = GEN_CRYPT_PERMUTE,
                                         .compress = kinds[i].compress,
                                         .seed = 3};
        if (gen_run(&o, &summary, &missed))
            return 1;
    }
    return 0;
}

static int remove_images(void **state)
{
    (void)state;
    tempdir_remove(folder);
    return 0;
}

static void mark(void)
{
    size_t count = world_findings.count < IMAGES_FINDINGS ? world_findings.count : IMAGES_FINDINGS;

    assert_int_equal(world_findings.rc, 0);
    for (size_t i = 0; i < count; i++)
        reached[world_findings.findings[i].f.code] = true;
}

static const struct finding *find_at(enum finding_code code, uint64_t offset)
{
    for (size_t i = 0; i < world_findings.count && i < IMAGES_FINDINGS; i++) {
        const struct finding *f = &world_findings.findings[i].f;

        if (f->code == code && (offset == ANYWHERE || (f->has_offset && f->offset == offset)))
            return f;
    }
    return NULL;
}

/* Of the last check: that code, at that offset, as severe as the table says. */
static void assert_found(enum finding_code code, uint64_t offset)
{
    const struct finding *f = find_at(code, offset);

    if (!f || f->severity != finding_info(code)->severity) {
        images_print(&world_findings);
        print_message("wanted %s at %#llx\n", finding_info(code)->name, (unsigned long long)offset);
        fail();
    }
    mark();
}

/* Checks; nothing but what lies at `offset` is called corrupt; the image is whole again. */
static void expect(struct world *w, enum finding_code code, uint64_t offset)
{
    images_check(w->data, w->size, &(struct chk_job){.memory_bytes = 64 << 20, .deep = true},
                 &world_findings);
    assert_found(code, offset);
    if (offset != ANYWHERE && images_corrupt_elsewhere(&world_findings, offset, 1)) {
        images_print(&world_findings);
        print_message("corrupt elsewhere than %#llx\n", (unsigned long long)offset);
        fail();
    }
    world_restore(w);
}

static void expect_header(struct world *w, enum finding_code code, uint64_t offset)
{
    world_seal_header(w);
    expect(w, code, offset);
}

static void expect_page(struct world *w, enum finding_code code, uint64_t page)
{
    world_seal_page(w, page);
    expect(w, code, page);
}

static void expect_block(struct world *w, enum finding_code code, const struct ost_block *b)
{
    world_seal_block(w, b);
    expect(w, code, b->offset);
}

static uint64_t leaf(const struct world *w, enum ost_tree tree)
{
    return w->plan.pages[w->plan.trees[tree].leaf_start + 1].offset;
}

static uint64_t root(const struct world *w, enum ost_tree tree)
{
    return w->plan.pages[w->plan.trees[tree].page_start].offset;
}

static uint8_t *trailer(struct world *w, const struct ost_block *b)
{
    return w->data + b->offset + ost_block_extent(w->v, b->stored) - w->v->block_trailer;
}

static void set_count(struct world *w, uint64_t page, unsigned count)
{
    if (w->v->wide_counters)
        put_le16(w->data + page + w->v->counters, (uint16_t)count);
    else
        w->data[page + w->v->counters] = (uint8_t)count;
}

static unsigned count_of(const struct world *w, uint64_t page)
{
    const uint8_t *at = w->data + page + w->v->counters;

    return w->v->wide_counters ? le16(at) : *at;
}

static uint8_t *level_of(struct world *w, uint64_t page)
{
    return w->data + page + w->v->counters + (w->v->wide_counters ? 5 : 3);
}

/* What a whole image has that is worth a line of information. */
static void whole_images(void **state)
{
    (void)state;
    for (unsigned i = 0; i < IMAGES; i++) {
        struct world w;

        world_open(&w, paths[i]);
        world_check(&w);
        assert_int_equal(world_findings.result.corrupt, 0);
        assert_int_equal(world_findings.result.warnings, 0);
        assert_int_equal(world_findings.result.verified_bytes,
                         world_findings.result.allocated_bytes);
        assert_found(F_block_unreferenced, ANYWHERE);
        assert_found(F_alloc_unused, ANYWHERE);
        if (i == DEEP)
            assert_found(F_subnode_depth, ANYWHERE);
        world_close(&w);
    }
}

static void file_as_a_whole(void **state)
{
    static const uint8_t more[512];
    uint8_t *longer;
    struct world w;

    (void)state;
    world_open(&w, paths[UNICODE]);
    images_check(w.data, 0, NULL, &world_findings);
    assert_found(F_file_empty, ANYWHERE);
    images_check(w.data, 300, NULL, &world_findings);
    assert_found(F_file_too_short, ANYWHERE);
    images_check(w.data, w.size - 512, NULL, &world_findings);
    assert_found(F_file_truncated, w.size - 512);
    longer = malloc(w.size + sizeof more);
    assert_non_null(longer);
    memcpy(longer, w.data, w.size);
    memcpy(longer + w.size, more, sizeof more);
    images_check(longer, w.size + sizeof more, NULL, &world_findings);
    assert_found(F_file_trailing, w.size);
    assert_int_equal(world_findings.result.corrupt, 0);
    free(longer);
    world_close(&w);
}

static void header_fields(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, paths[UNICODE]);
    w.data[0] ^= 1;
    expect(&w, F_magic_wrong, OFF_MAGIC);
    put_le16(w.data + OFF_MAGIC_CLIENT, 0x4141);
    expect_header(&w, F_client_unknown, OFF_MAGIC_CLIENT);
    put_le16(w.data + OFF_MAGIC_CLIENT, 0x4241);
    expect_header(&w, F_content_pab, OFF_MAGIC_CLIENT);
    put_le16(w.data + OFF_VER, 18);
    expect_header(&w, F_version_unknown, OFF_VER);
    w.data[OFF_U_UNIQUE] ^= 1;
    expect(&w, F_header_crc_partial, CRC_PARTIAL_START);
    w.data[OFF_U_BID_NEXT_B] ^= 1;
    expect(&w, F_header_crc_full, CRC_FULL_START);
    w.data[OFF_U_SENTINEL] ^= 1;
    expect_header(&w, F_header_sentinel, OFF_U_SENTINEL);
    w.data[OFF_U_CRYPT] = 7;
    expect_header(&w, F_crypt_unknown, OFF_U_CRYPT);
    put_le64(w.data + OFF_U_BREF_NBT + 8, UINT64_C(1) << 40);
    expect_header(&w, F_root_out_of_range, OFF_U_BREF_NBT + 8);
    w.data[OFF_U_AMAP_VALID] = 0;
    expect_header(&w, F_amap_invalid_flag, OFF_U_AMAP_VALID);
    put_le64(w.data + OFF_U_BID_NEXT_B, 0);
    expect_header(&w, F_header_counter_lag, OFF_U_BID_NEXT_B);
    put_le64(w.data + OFF_U_AMAP_LAST, 0);
    expect_header(&w, F_amap_last_wrong, OFF_U_AMAP_LAST);
    put_le64(w.data + OFF_U_AMAP_FREE, 0);
    expect_header(&w, F_amap_free_total, OFF_U_AMAP_FREE);
    put_le64(w.data + OFF_U_EOF, w.size - 512);
    expect_header(&w, F_eof_off_span, OFF_U_EOF);
    world_close(&w);
}

static void page_trailers(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= K; i++)
        for (unsigned tree = 0; tree < 2; tree++) {
            struct world w;
            uint64_t page;

            world_open(&w, paths[i]);
            page = leaf(&w, (enum ost_tree)tree);
            w.data[page + w.v->page_trailer + OFF_PT_TYPE_REPEAT] ^= 1;
            expect(&w, F_page_type, page);
            w.data[page + w.v->page_trailer + OFF_PT_SIG] ^= 1;
            expect(&w, F_page_signature, page);
            w.data[page + w.v->page_bid] ^= 1;
            expect(&w, F_page_bid, page);
            w.data[page] ^= 1;
            expect(&w, F_page_crc, page);
            memset(w.data + page, 0xA5, w.v->page_size);
            expect(&w, F_btree_page_lost, page);
            if (w.v->page_constant) {
                w.data[page + w.v->page_constant] ^= 1;
                expect(&w, F_page_constant, page);
            }
            world_close(&w);
        }
}

/* A branch page that names children wrongly, its own checksum right. */
static void places_of_pages(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= K; i++) {
        struct world w;
        uint64_t page;
        uint8_t *place, *before;

        world_open(&w, paths[i]);
        page = root(&w, OST_TREE_BBT);
        place = w.data + page + w.v->branch_size + 2u * w.v->id_size;
        before = place - w.v->branch_size;
        forge_id(w.v, place, w.size);
        expect_page(&w, F_btree_page_outside, page);
        forge_id(w.v, place, ost_id(w.v, place) + 4);
        expect_page(&w, F_btree_page_unaligned, page);
        memcpy(place - w.v->id_size, before - w.v->id_size, 2u * w.v->id_size);
        world_seal_page(&w, page);
        world_check(&w);
        assert_found(F_btree_page_twice, page);
        world_restore(&w);
        world_close(&w);
    }
}

static void content_of_pages(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= K; i++) {
        struct world w;
        uint64_t page;
        uint8_t *last;

        world_open(&w, paths[i]);
        page = leaf(&w, OST_TREE_NBT);
        set_count(&w, page, 255);
        expect_page(&w, F_btree_count, page);
        set_count(&w, page, 0);
        expect_page(&w, F_btree_empty, page);
        ++*level_of(&w, page);
        expect_page(&w, F_btree_level, page);
        world_swap(&w, page, w.v->nbt_size, 1);
        expect(&w, F_btree_key_order, page);
        world_swap(&w, page, w.v->nbt_size, 0);
        expect(&w, F_btree_key_first, page);
        last = w.data + page + (count_of(&w, page) - 1) * w.v->nbt_size;
        put_le32(last, 0x7FFFFFE4);
        expect_page(&w, F_btree_key_range, page);
        if (w.v->id_size == 8) {
            put_le32(w.data + page + w.v->nbt_size + 4, 1);
            expect_page(&w, F_btree_nid_high, page);
        }
        world_close(&w);
    }
}

/* Without allocation maps to tell what is free, former pages cannot be told from lost ones. */
static void lost_nodes_are_searched(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, paths[UNICODE]);
    memset(w.data + root(&w, OST_TREE_NBT), 0, w.v->page_size);
    world_check(&w);
    assert_found(F_nodes_recovered, ANYWHERE);
    for (uint64_t k = 0; k < ost_amap_count(w.v, w.size); k++)
        memset(w.data + ost_amap_offset(w.v, k), 0, w.v->page_size);
    for (size_t i = 0; i < w.plan.page_count; i++)
        if (w.plan.pages[i].tree == OST_TREE_NBT)
            memset(w.data + w.plan.pages[i].offset, 0, w.v->page_size);
    world_check(&w);
    assert_found(F_nodes_maybe_stale, ANYWHERE);
    world_restore(&w);
    world_close(&w);
}

static void places_of_blocks(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= UNICODE; i++) {
        const struct ost_node *owner;
        const struct ost_block *b;
        uint64_t page, end;
        uint8_t *at;
        struct world w;

        world_open(&w, paths[i]);
        b = world_data(&w, &owner);
        at = world_entry(&w, OST_TREE_BBT, b->bid, &page) +
             (i == ANSI ? OFF_A_BBT_IB : OFF_U_BBT_IB);
        end = w.v->amap_first + w.v->amap_spacing;
        forge_id(w.v, at, w.size);
        expect_page(&w, F_extent_out_of_range, page);
        forge_id(w.v, at, b->offset + 8);
        expect_page(&w, F_extent_unaligned, page);
        forge_id(w.v, at, world_internal(&w, BTYPE_SUBNODE, 0, 2)->offset);
        expect_page(&w, F_extent_overlap, page);
        forge_id(w.v, at, end);
        expect_page(&w, F_extent_on_alloc_page, page);
        forge_id(w.v, at, end - w.v->unit);
        expect_page(&w, F_extent_crosses_amap, page);
        world_close(&w);
    }
}

/* A block that is all that its entry says, but lies within the bytes of another one. */
static void a_sound_block_in_another(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= UNICODE; i++) {
        const struct ost_block *b, *host = NULL;
        const struct ost_node *owner;
        struct ost_block moved;
        uint32_t extent;
        uint8_t *trailer;
        uint64_t page;
        struct world w;

        world_open(&w, paths[i]);
        b = world_data(&w, &owner);
        extent = ost_block_extent(w.v, b->stored);
        for (size_t k = 0; k < w.plan.block_count && !host; k++)
            if (!(w.plan.blocks[k].bid & BID_INTERNAL) && &w.plan.blocks[k] != b &&
                w.plan.blocks[k].stored >= extent + w.v->unit)
                host = &w.plan.blocks[k];
        assert_non_null(host);
        moved = *b;
        moved.offset = host->offset + w.v->unit;
        memcpy(w.data + moved.offset, w.data + b->offset, extent);
        trailer = w.data + moved.offset + extent - w.v->block_trailer;
        put_le16(trailer + OFF_BT_SIG, ost_sig(moved.offset, moved.bid));
        assert_true(ost_block_sound(w.v, &moved, w.data + moved.offset));
        world_seal_block(&w, host);
        forge_id(w.v,
                 world_entry(&w, OST_TREE_BBT, b->bid, &page) +
                     (i == ANSI ? OFF_A_BBT_IB : OFF_U_BBT_IB),
                 moved.offset);
        expect_page(&w, F_extent_overlap, page);
        world_close(&w);
    }
}

static void allocation_pages(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= K; i++) {
        const struct ost_node *owner;
        const struct ost_block *b;
        uint64_t map, bit;
        struct world w;

        world_open(&w, paths[i]);
        b = world_data(&w, &owner);
        map = ost_amap_offset(w.v, (b->offset - w.v->amap_first) / w.v->amap_spacing);
        bit = (b->offset - map) / w.v->unit;
        w.data[map + w.v->amap_bitmap + bit / 8] ^= 1;
        expect(&w, F_amap_crc, map);
        memset(w.data + map, 0xA5, w.v->page_size);
        expect(&w, F_amap_lost, map);
        w.data[map + w.v->amap_bitmap + bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
        world_seal_page(&w, map);
        expect(&w, F_amap_bit_clear, b->offset);
        w.data[w.v->density_list + 9] ^= 1;
        expect(&w, F_density_list_stale, w.v->density_list);
        if (w.v->has_pmaps) {
            w.data[w.v->amap_first + w.v->page_size + 9] ^= 1;
            expect(&w, F_alloc_page_obsolete, w.v->amap_first + w.v->page_size);
        }
        world_close(&w);
    }
}

/* What FORMAT.md knows of 4k images from sources alone: information, whatever lies there. */
static void unproven_allocation_pages(void **state)
{
    struct world w;
    uint64_t second;

    (void)state;
    world_open(&w, paths[DEEP_K]);
    second = ost_amap_offset(w.v, 1);
    assert_true(second + w.v->page_size <= w.size);
    memset(w.data + second, 0xA5, w.v->page_size);
    expect(&w, F_alloc_layout_unknown, second);
    world_close(&w);
}

static void block_trailers(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= K; i++) {
        const struct ost_node *owner;
        const struct ost_block *b;
        struct world w;

        world_open(&w, paths[i]);
        b = world_data(&w, &owner);
        memset(w.data + b->offset, 0xA5, ost_block_extent(w.v, b->stored));
        expect(&w, F_block_lost, b->offset);
        w.data[b->offset] ^= 1;
        expect(&w, F_block_crc, b->offset);
        trailer(&w, b)[OFF_BT_SIG] ^= 1;
        expect(&w, F_block_signature, b->offset);
        trailer(&w, b)[w.v->block_bid] ^= 8;
        expect(&w, F_block_bid, b->offset);
        trailer(&w, b)[OFF_BT_CB] ^= 1;
        expect(&w, F_block_size, b->offset);
        if (w.v->deflates) {
            trailer(&w, b)[OFF_K_BT_INFLATED] ^= 1;
            expect(&w, F_block_inflated, b->offset);
            trailer(&w, b)[OFF_K_BT_CONST] ^= 1;
            expect(&w, F_block_constant, b->offset);
            trailer(&w, b)[OFF_K_BT_ZERO] ^= 1;
            expect(&w, F_block_constant, b->offset);
        }
        world_close(&w);
    }
}

/* A message's block with room behind its bytes; compressed or not. */
static const struct ost_block *roomy(struct world *w, bool compressed)
{
    for (size_t i = 0; i < w->plan.block_count; i++) {
        const struct ost_block *b = &w->plan.blocks[i];
        uint32_t full = b->stored + w->v->block_trailer;

        if (!ost_bid_internal(b->bid) && b->refs == 2 && full % w->v->unit &&
            (b->stored != b->inflated) == compressed)
            return b;
    }
    fail();
    return NULL;
}

static void content_of_blocks(void **state)
{
    const struct ost_block *b;
    uint64_t page;
    uint8_t *e;
    struct world w;

    (void)state;
    for (unsigned i = ANSI; i <= K; i++) {
        world_open(&w, paths[i]);
        b = roomy(&w, false);
        w.data[b->offset + b->stored] = 1;
        expect(&w, F_block_padding, b->offset);
        world_close(&w);
    }
    world_open(&w, paths[K]);
    b = roomy(&w, true);
    w.data[b->offset + b->stored / 2] ^= 0x55;
    expect_block(&w, F_inflate_failed, b);
    e = world_entry(&w, OST_TREE_BBT, b->bid, &page);
    put_le16(e + OFF_U_BBT_CB, (uint16_t)(b->stored + 1));
    world_seal_page(&w, page);
    put_le16(trailer(&w, b) + OFF_BT_CB, (uint16_t)(b->stored + 1));
    put_le32(trailer(&w, b) + w.v->block_crc, ost_crc(w.data + b->offset, b->stored + 1u));
    expect(&w, F_block_slack, b->offset);
    world_close(&w);
}

static void entries_of_blocks(void **state)
{
    static const size_t refs[] = {OFF_A_BBT_REF, OFF_U_BBT_REF, OFF_K_BBT_REF};

    (void)state;
    for (unsigned i = ANSI; i <= K; i++) {
        const struct ost_node *owner;
        const struct ost_block *b;
        uint64_t page;
        uint8_t *e, *end;
        struct world w;

        world_open(&w, paths[i]);
        b = world_data(&w, &owner);
        e = world_entry(&w, OST_TREE_BBT, b->bid, &page);
        put_le16(e + refs[i], 3);
        expect_page(&w, F_bbt_ref_count, page);
        end = w.data + page + count_of(&w, page) * w.v->bbt_size;
        memmove(e, e + w.v->bbt_size, (size_t)(end - e) - w.v->bbt_size);
        set_count(&w, page, count_of(&w, page) - 1);
        world_seal_page(&w, page);
        world_check(&w);
        assert_found(F_block_missing, page);
        world_restore(&w);
        world_close(&w);
    }
}

static void data_trees(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= UNICODE; i++) {
        const struct ost_block *x;
        uint8_t *p, *last;
        uint64_t first;
        struct world w;

        world_open(&w, paths[i]);
        x = world_internal(&w, BTYPE_DATA, 1, 3);
        p = w.data + x->offset;
        p[OFF_X_TYPE] = 7;
        expect_block(&w, F_xblock_form, x);
        p[OFF_X_LEVEL] = 7;
        expect_block(&w, F_xblock_level, x);
        p[OFF_X_TOTAL] ^= 1;
        expect_block(&w, F_xblock_total, x);
        forge_id(w.v, p + OFF_X_BIDS, NOBODY);
        expect_block(&w, F_xblock_dangling, x);
        forge_id(w.v, p + OFF_X_BIDS, x->bid);
        expect_block(&w, F_xblock_child, x);
        first = ost_id(w.v, p + OFF_X_BIDS);
        last = p + OFF_X_BIDS + (size_t)w.v->id_size * (le16(p + OFF_X_COUNT) - 1u);
        forge_id(w.v, p + OFF_X_BIDS, ost_id(w.v, last));
        forge_id(w.v, last, first);
        expect_block(&w, F_xblock_leaf_size, x);
        world_close(&w);
    }
}

static void subnode_trees(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= UNICODE; i++) {
        const struct ost_block *s;
        uint8_t *p, *e, swap[SL_SIZE_U];
        struct world w;

        world_open(&w, paths[i]);
        s = world_internal(&w, BTYPE_SUBNODE, 0, 2);
        p = w.data + s->offset;
        e = p + w.v->sub_header;
        p[OFF_S_LEVEL] = 7;
        expect_block(&w, F_subnode_form, s);
        memcpy(swap, e, w.v->sl_size);
        memcpy(e, e + w.v->sl_size, w.v->sl_size);
        memcpy(e + w.v->sl_size, swap, w.v->sl_size);
        expect_block(&w, F_subnode_order, s);
        forge_id(w.v, e + w.v->id_size, NOBODY);
        expect_block(&w, F_subnode_dangling, s);
        forge_id(w.v, e + 2u * w.v->id_size, s->bid);
        expect_block(&w, F_subnode_cycle, s);
        forge_id(w.v, e + 2u * w.v->id_size, ost_id(w.v, e + w.v->id_size) & ~(uint64_t)2);
        expect_block(&w, F_subnode_child, s);
        world_close(&w);
    }
}

static void upper_levels(void **state)
{
    const struct ost_block *b;
    uint64_t first;
    uint8_t *last;
    struct world w;

    (void)state;
    world_open(&w, paths[DEEP]);
    b = world_internal(&w, BTYPE_SUBNODE, 1, 2);
    put_le32(w.data + b->offset + w.v->sub_header + w.v->si_size,
             (uint32_t)le32(w.data + b->offset + w.v->sub_header + w.v->si_size) + 0x20);
    expect_block(&w, F_subnode_range, b);
    put_le32(w.data + b->offset + w.v->sub_header + w.v->si_size,
             (uint32_t)le32(w.data + b->offset + w.v->sub_header) + 0x20);
    expect_block(&w, F_subnode_range, b);
    b = world_internal(&w, BTYPE_DATA, 2, 2);
    w.data[b->offset + OFF_X_TOTAL] ^= 1;
    expect_block(&w, F_xblock_total, b);
    /* its last XBLOCK, which is not full, in front */
    first = ost_id(w.v, w.data + b->offset + OFF_X_BIDS);
    last = w.data + b->offset + OFF_X_BIDS +
           (size_t)w.v->id_size * (le16(w.data + b->offset + OFF_X_COUNT) - 1u);
    forge_id(w.v, w.data + b->offset + OFF_X_BIDS, ost_id(w.v, last));
    forge_id(w.v, last, first);
    expect_block(&w, F_xblock_leaf_size, b);
    world_close(&w);

    /* The same of a 4k image was never seen on a real one. */
    world_open(&w, paths[DEEP_K]);
    b = world_internal(&w, BTYPE_DATA, 2, 2);
    w.data[b->offset + OFF_X_TOTAL] ^= 1;
    world_seal_block(&w, b);
    world_check(&w);
    assert_int_equal(world_findings.result.corrupt, 0);
    assert_int_equal(find_at(F_xblock_total, b->offset)->severity, SEVERITY_WARNING);
    world_close(&w);
}

static void nodes(void **state)
{
    (void)state;
    for (unsigned i = ANSI; i <= K; i++) {
        const struct ost_node *owner;
        uint64_t page;
        size_t data, parent;
        uint8_t *e;
        struct world w;

        world_open(&w, paths[i]);
        data = i == ANSI ? OFF_A_NBT_DATA : OFF_U_NBT_DATA;
        parent = i == ANSI ? OFF_A_NBT_PARENT : OFF_U_NBT_PARENT;
        world_data(&w, &owner);
        e = world_entry(&w, OST_TREE_NBT, owner->nid, &page);
        forge_id(w.v, e + data, NOBODY);
        expect_page(&w, F_node_dangling, page);
        forge_id(w.v, e + data, world_internal(&w, BTYPE_SUBNODE, 0, 1)->bid);
        world_seal_page(&w, page);
        world_check(&w);
        assert_found(F_node_kind, page);
        world_restore(&w);
        put_le32(e + parent, 0x1FFFE2);
        expect_page(&w, F_node_parent_missing, page);
        put_le32(e + parent, owner->nid);
        expect_page(&w, F_node_parent_kind, page);
        e = world_entry(&w, OST_TREE_NBT, owner->parent, &page);
        put_le32(e + parent, owner->parent);
        expect_page(&w, F_folder_cycle, page);
        e = world_entry(&w, OST_TREE_NBT, 0x122, &page);
        put_le32(e, 0x123);
        put_le32(e + parent, 0x123);
        world_seal_page(&w, page);
        world_check(&w);
        assert_found(F_root_folder_missing, ANYWHERE);
        world_restore(&w);
        world_close(&w);
    }
}

static int keep_codes(void *ctx, const struct finding *f)
{
    (void)ctx;
    reached[f->code] = true;
    return 0;
}

static void unreadable_bytes(void **state)
{
    const struct ost_node *owner;
    struct chk_sink sink = {.finding = keep_codes};
    struct fault_plan plan = {0};
    struct chk_result result;
    struct io_source *source;
    struct world w;

    (void)state;
    world_open(&w, paths[K]);
    plan.bad_from = world_data(&w, &owner)->offset;
    plan.bad_to = plan.bad_from + 1;
    assert_int_equal(fault_source_open(w.file.source, &plan, &source), 0);
    {
        const struct chk_job job = {.sources = &source,
                                    .source_count = 1,
                                    .header = &w.file.header,
                                    .report = &w.file.report,
                                    .memory_bytes = 64 << 20};

        assert_int_equal(chk_run(&job, &sink, &result), 0);
    }
    assert_true(reached[F_read_failed]);
    assert_int_equal(result.corrupt, 0);
    assert_true(result.verified_bytes < result.allocated_bytes);
    w.file.source = source; /* which owns the other one now */
    world_close(&w);
}

/* The codes of the structural check are those up to the last about nodes; two of them are about
 * files that change while they are read, which those who hold the file notice. */
static void every_code_is_reached(void **state)
{
    unsigned missed = 0;

    (void)state;
    for (unsigned code = 0; code <= F_root_folder_missing; code++) {
        if (reached[code] || code == F_truncated_while_read || code == F_changed_while_read)
            continue;
        print_message("no test reaches %s\n", finding_info((enum finding_code)code)->name);
        missed++;
    }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_images),
        cmocka_unit_test(file_as_a_whole),
        cmocka_unit_test(header_fields),
        cmocka_unit_test(page_trailers),
        cmocka_unit_test(places_of_pages),
        cmocka_unit_test(content_of_pages),
        cmocka_unit_test(lost_nodes_are_searched),
        cmocka_unit_test(places_of_blocks),
        cmocka_unit_test(a_sound_block_in_another),
        cmocka_unit_test(allocation_pages),
        cmocka_unit_test(unproven_allocation_pages),
        cmocka_unit_test(block_trailers),
        cmocka_unit_test(content_of_blocks),
        cmocka_unit_test(entries_of_blocks),
        cmocka_unit_test(data_trees),
        cmocka_unit_test(subnode_trees),
        cmocka_unit_test(upper_levels),
        cmocka_unit_test(nodes),
        cmocka_unit_test(unreadable_bytes),
        cmocka_unit_test(every_code_is_reached),
    };

    return cmocka_run_group_tests(tests, make_images, remove_images);
}
