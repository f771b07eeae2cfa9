/* test_page.c: pages and B-tree pages, sound and broken field by field, in all variants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "scanner/ost/btree.h"
#include "scanner/ost/crc.h"
#include "scanner/ost/page.h"
#include "tests/support/forge.h"
#include "tests/support/guard.h"

enum { OFFSET = 0x32A000, BID = 0x12345 };

static const struct ost_variant *variant;
static struct guard room;

static uint8_t *page(void)
{
    return room.data;
}

/* A leaf of the block B-tree with as many entries as it can hold, keys 4, 8, 12 ... */
static void forge_full_leaf(void)
{
    memset(page(), 0, room.size);
    forge_counters(variant, page(), OST_TREE_BBT, 0, variant->bbt_max);
    for (unsigned i = 0; i < variant->bbt_max; i++) {
        struct ost_block b = {.bid = 4 * (i + 1),
                              .offset = 0x10000 + i,
                              .stored = (uint16_t)(100 + i),
                              .inflated = (uint16_t)(variant->deflates ? 900 + i : 100 + i),
                              .refs = (uint16_t)(i + 2)};

        forge_block_entry(variant, page(), i, &b);
    }
    forge_seal(variant, page(), PTYPE_BBT, BID, OFFSET);
}

static void begin(enum ost_format format)
{
    variant = ost_variant_of(format);
    guard_init(&room, variant->page_size);
    forge_full_leaf();
}

static struct ost_defects check(void)
{
    struct ost_defects d = {0};

    ost_page_check(variant, page(), PTYPE_BBT, BID, OFFSET, &d);
    return d;
}

static void assert_only(const struct ost_defects *d, enum ost_defect_kind kind, uint32_t at,
                        uint64_t expected, uint64_t actual)
{
    assert_int_equal(d->count, 1);
    assert_int_equal(d->list[0].kind, kind);
    assert_int_equal(d->list[0].at, at);
    assert_int_equal(d->list[0].expected, expected);
    assert_int_equal(d->list[0].actual, actual);
}

static void each_trailer_field(void)
{
    struct ost_page_trailer good = ost_page_trailer(variant, page());
    uint32_t t = variant->page_trailer;
    struct ost_defects d = check();

    assert_int_equal(d.count, 0);
    assert_int_equal(good.bid, BID);
    assert_int_equal(ost_page_trust(&d), OST_TRUST_SOUND);

    page()[t] ^= 1; /* ptype: one of the two still says it */
    d = check();
    assert_only(&d, OST_PAGE_TYPE, t, PTYPE_BBT, PTYPE_NBT);
    assert_int_equal(ost_page_trust(&d), OST_TRUST_SOUND);
    page()[t + 1] ^= 1; /* ptypeRepeat as well: a page of the other tree */
    d = check();
    assert_int_equal(ost_page_trust(&d), OST_TRUST_NONE);
    page()[t] ^= 1;
    d = check();
    assert_only(&d, OST_PAGE_TYPE_REPEAT, t + 1, PTYPE_BBT, PTYPE_NBT);
    page()[t + 1] ^= 1;

    page()[t + 2] ^= 0x80; /* wSig */
    d = check();
    assert_only(&d, OST_PAGE_SIG, t + 2, good.sig, good.sig ^ 0x80u);
    assert_int_equal(ost_page_trust(&d), OST_TRUST_SOUND);
    page()[variant->page_bid] ^= 0x10; /* bid as well: an older page */
    d = check();
    assert_int_equal(ost_page_trust(&d), OST_TRUST_NONE);
    page()[t + 2] ^= 0x80;
    d = check();
    assert_only(&d, OST_PAGE_BID, variant->page_bid, BID, BID ^ 0x10);
    assert_int_equal(ost_page_trust(&d), OST_TRUST_SOUND);
    page()[variant->page_bid] ^= 0x10;

    page()[variant->page_crc] ^= 2; /* dwCRC */
    d = check();
    assert_only(&d, OST_PAGE_CRC, variant->page_crc, good.crc, good.crc ^ 2);
    assert_int_equal(ost_page_trust(&d), OST_TRUST_SUSPECT);
    page()[t + 2] ^= 0x80; /* and the signature */
    d = check();
    assert_int_equal(ost_page_trust(&d), OST_TRUST_NONE);
    forge_seal(variant, page(), PTYPE_BBT, BID, OFFSET);

    if (variant->page_constant) {
        page()[variant->page_constant + 7] = 1;
        d = check();
        assert_only(&d, OST_PAGE_CONSTANT, variant->page_constant, 1, 1 | 1ull << 56);
        assert_int_equal(ost_page_trust(&d), OST_TRUST_SOUND);
    }
}

/* Each byte under the checksum, and no other, changes it. */
static void each_byte(void)
{
    for (uint32_t i = 0; i < variant->page_trailer; i++) {
        struct ost_defects d;

        page()[i] ^= (uint8_t)(1u << i % 8);
        d = check();
        assert_true(ost_defects_has(&d, OST_PAGE_CRC));
        assert_int_equal(d.count, 1);
        page()[i] ^= (uint8_t)(1u << i % 8);
    }
}

static void entries_of_a_leaf(void)
{
    struct ost_defects d = {0};
    struct ost_btree b;
    struct ost_block last;
    unsigned i = variant->bbt_max - 1u;

    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_BBT, &d, &b), 0);
    ost_btree_check_keys(&b, (struct ost_btree_range){4, 4u * variant->bbt_max, true}, &d);
    assert_int_equal(d.count, 0);
    assert_int_equal(b.count, variant->bbt_max);
    last = ost_btree_block(&b, i);
    assert_int_equal(last.bid, 4 * (i + 1));
    assert_int_equal(last.offset, 0x10000 + i);
    assert_int_equal(last.stored, 100 + i);
    assert_int_equal(last.inflated, (variant->deflates ? 900 : 100) + i);
    assert_int_equal(last.refs, i + 2);
    assert_int_equal(last.flags, 0);
    page()[(size_t)i * variant->bbt_size] |= 1; /* the reserved bit names nothing */
    assert_int_equal(ost_btree_block(&b, i).bid, 4 * (i + 1));
}

static void counters(void)
{
    uint32_t c = variant->counters, w = variant->wide_counters ? 2 : 1;
    struct ost_defects d = {0};
    struct ost_btree b = {.count = 77};

    page()[c] = (uint8_t)(variant->bbt_max + 1); /* cEnt */
    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_BBT, &d, &b), ERR_DAMAGED);
    assert_only(&d, OST_BTREE_COUNT, c, variant->bbt_max, variant->bbt_max + 1u);
    assert_int_equal(b.count, 77);
    page()[c] = (uint8_t)variant->bbt_max;

    d = (struct ost_defects){0};
    page()[c + w]++; /* cEntMax */
    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_BBT, &d, &b), 0);
    assert_only(&d, OST_BTREE_MAX, c + w, variant->bbt_max, variant->bbt_max + 1u);
    page()[c + w]--;

    d = (struct ost_defects){0};
    page()[c + 2 * w]--; /* cbEnt */
    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_BBT, &d, &b), ERR_DAMAGED);
    assert_only(&d, OST_BTREE_ENTRY_SIZE, c + 2 * w, variant->bbt_size, variant->bbt_size - 1u);
    page()[c + 2 * w]++;

    d = (struct ost_defects){0};
    page()[c] = 0; /* no entries, below the root */
    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_BBT, &d, &b), 0);
    ost_btree_check_keys(&b, (struct ost_btree_range){4, 9, true}, &d);
    assert_only(&d, OST_BTREE_EMPTY, c, 1, 0);
    d = (struct ost_defects){0};
    ost_btree_check_keys(&b, (struct ost_btree_range){0, UINT64_MAX, false}, &d);
    assert_int_equal(d.count, 0);
}

static void keys(void)
{
    struct ost_btree_range all = {4, UINT64_MAX, true}, part = {8, 4u * variant->bbt_max - 1, true};
    struct ost_defects d = {0};
    struct ost_btree b;

    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_BBT, &d, &b), 0);
    ost_btree_check_keys(&b, part, &d);
    assert_int_equal(d.count, 2);
    assert_true(ost_defects_has(&d, OST_BTREE_KEY_FIRST));
    assert_true(ost_defects_has(&d, OST_BTREE_KEY_RANGE));

    d = (struct ost_defects){0};
    forge_id(variant, page() + 2u * variant->bbt_size, 8); /* as the key before */
    ost_btree_check_keys(&b, all, &d);
    assert_only(&d, OST_BTREE_KEY_ORDER, 2u * variant->bbt_size, 8, 8);
    forge_id(variant, page() + 2u * variant->bbt_size, 12);

    d = (struct ost_defects){0};
    part.first = 4;
    part.exact = true;
    ost_btree_check_keys(&b, part, &d);
    assert_only(&d, OST_BTREE_KEY_RANGE, (variant->bbt_max - 1u) * variant->bbt_size, part.last,
                part.last + 1);
}

static void nodes_and_branches(void)
{
    struct ost_node n = {.nid = 0x2223, .data = 0x104, .sub = 0x10A, .parent = 0x122}, back;
    struct ost_bref child = {.bid = 0x99, .offset = 0x7000};
    struct ost_defects d = {0};
    struct ost_btree b;

    memset(page(), 0, room.size);
    forge_counters(variant, page(), OST_TREE_NBT, 0, variant->nbt_max);
    forge_node_entry(variant, page(), variant->nbt_max - 1u, &n);
    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_NBT, &d, &b), 0);
    back = ost_btree_node(&b, variant->nbt_max - 1u);
    assert_memory_equal(&back, &n, sizeof n);
    if (variant->id_size == 8) {
        page()[4] = 1; /* upper half of the first nid */
        ost_btree_check_keys(&b, (struct ost_btree_range){0, UINT64_MAX, false}, &d);
        assert_true(ost_defects_has(&d, OST_BTREE_NID_HIGH));
    }

    d = (struct ost_defects){0};
    forge_counters(variant, page(), OST_TREE_NBT, 3, variant->branch_max);
    forge_branch(variant, page(), variant->branch_max - 1u, 0x2223, child);
    assert_int_equal(ost_btree_open(variant, page(), OST_TREE_NBT, &d, &b), 0);
    assert_int_equal(d.count, 0);
    assert_int_equal(b.level, 3);
    assert_int_equal(ost_btree_key(&b, b.count - 1u), 0x2223);
    assert_int_equal(ost_btree_child(&b, b.count - 1u).bid, child.bid);
    assert_int_equal(ost_btree_child(&b, b.count - 1u).offset, child.offset);
}

static void in_all_variants(void (*test)(void))
{
    for (unsigned i = 0; i < 3; i++) {
        begin(forge_formats[i]);
        test();
        guard_done(&room);
    }
}

static void trailer_fields_are_checked(void **state)
{
    (void)state;
    in_all_variants(each_trailer_field);
}

static void every_byte_is_under_the_checksum(void **state)
{
    (void)state;
    in_all_variants(each_byte);
}

static void leaf_entries_are_read(void **state)
{
    (void)state;
    in_all_variants(entries_of_a_leaf);
}

static void counters_are_checked(void **state)
{
    (void)state;
    in_all_variants(counters);
}

static void keys_are_checked(void **state)
{
    (void)state;
    in_all_variants(keys);
}

static void nodes_and_branches_are_read(void **state)
{
    (void)state;
    in_all_variants(nodes_and_branches);
}

/* AMap and kin: the bid is the page's offset, and there is no signature. */
static void allocation_pages_have_no_signature(void **state)
{
    uint8_t amap[OST_PAGE_MAX] = {0xFF};
    struct ost_defects d = {0};

    (void)state;
    variant = ost_variant_of(OST_FORMAT_UNICODE);
    forge_seal(variant, amap, PTYPE_AMAP, 0x4400, 0x4400);
    ost_page_check(variant, amap, PTYPE_AMAP, 0x4400, 0x4400, &d);
    assert_int_equal(d.count, 0);
    amap[variant->page_trailer + OFF_PT_SIG] = 1;
    ost_page_check(variant, amap, PTYPE_AMAP, 0x4400, 0x4400, &d);
    assert_only(&d, OST_PAGE_SIG, variant->page_trailer + OFF_PT_SIG, 0, 1);
}

static void every_defect_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OST_DEFECT_KINDS; i++)
        assert_non_null(ost_defect_name(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trailer_fields_are_checked),
        cmocka_unit_test(every_byte_is_under_the_checksum),
        cmocka_unit_test(leaf_entries_are_read),
        cmocka_unit_test(counters_are_checked),
        cmocka_unit_test(keys_are_checked),
        cmocka_unit_test(nodes_and_branches_are_read),
        cmocka_unit_test(allocation_pages_have_no_signature),
        cmocka_unit_test(every_defect_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
