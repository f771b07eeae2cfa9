/* test_subnode.c: SLBLOCK and SIBLOCK, look-up and nested walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "scanner/ost/subnode.h"
#include "tests/support/blockstore.h"
#include "tests/support/forge.h"

/*
 * SI ── SL1: 0x25, 0x45, 0x65     and 0x45 owns the tree INNER: 0x3F, 0x5F
 *    └─ SL2: 0x85, 0xA5, 0xC5
 */
enum { SI = 0x202, SL1 = 0x206, SL2 = 0x20A, INNER = 0x20E };

struct tree {
    const struct ost_variant *v;
    struct blockstore store;
    uint8_t *si, *sl1, *sl2, *inner;
    struct ost_subnode_walk walk;
};

static void tree_init(struct tree *t, enum ost_format format)
{
    const struct ost_variant *v = t->v = ost_variant_of(format);
    uint8_t data[200];
    size_t n;

    blockstore_init(&t->store);
    n = forge_slblock(v, data, 3);
    for (unsigned i = 0; i < 3; i++)
        forge_sl_entry(v, data, i, 0x25 + 0x20 * i, 0x100 + 4 * i + 1, i == 1 ? INNER | 1 : 0);
    t->sl1 = blockstore_add(&t->store, SL1, data, n);
    n = forge_slblock(v, data, 3);
    for (unsigned i = 0; i < 3; i++)
        forge_sl_entry(v, data, i, 0x85 + 0x20 * i, 0x110 + 4 * i, 0);
    t->sl2 = blockstore_add(&t->store, SL2, data, n);
    n = forge_siblock(v, data, 2);
    forge_si_entry(v, data, 0, 0x25, SL1);
    forge_si_entry(v, data, 1, 0x85, SL2);
    t->si = blockstore_add(&t->store, SI, data, n);
    n = forge_slblock(v, data, 2);
    forge_sl_entry(v, data, 0, 0x3F, 0x120, 0);
    forge_sl_entry(v, data, 1, 0x5F, 0x124, 0);
    t->inner = blockstore_add(&t->store, INNER, data, n);
}

static int find(struct tree *t, uint64_t root, uint32_t nid, struct ost_defects *d,
                struct ost_subnode *out)
{
    int rc;

    *d = (struct ost_defects){0};
    rc = ost_subnode_find(t->v, &t->store.blocks, root, nid, d, out);
    assert_int_equal(t->store.held, 0);
    return rc;
}

static void finds_what_is_there(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct ost_subnode s = {0};
        struct ost_defects d;
        struct tree t;

        tree_init(&t, forge_formats[f]);
        for (uint32_t nid = 0; nid < 0x200; nid++) {
            bool there = nid % 0x20 == 5 && nid >= 0x25 && nid <= 0xC5;

            assert_int_equal(find(&t, SI, nid, &d, &s), there);
            assert_int_equal(d.count, 0);
            if (there)
                assert_int_equal(s.nid, nid);
        }
        assert_int_equal(find(&t, SI, 0x45, &d, &s), 1);
        assert_int_equal(s.data, 0x104);
        assert_int_equal(s.sub, INNER);
        assert_int_equal(find(&t, SL2 | 1, 0xC5, &d, &s), 1);
        assert_int_equal(s.data, 0x118);
        assert_int_equal(find(&t, 0, 0xC5, &d, &s), 0);
        assert_int_equal(d.count, 0);
        blockstore_done(&t.store);
    }
}

/* Walks and goes into every tree; nids and depths as text. */
static int walk(struct tree *t, uint64_t root, uint32_t *nids, unsigned *depths, unsigned *count,
                int *entered)
{
    struct ost_subnode s;
    int rc = ost_subnode_walk_init(&t->walk, t->v, &t->store.blocks, root);

    *count = 0;
    *entered = 0;
    while (!rc && (rc = ost_subnode_walk_next(&t->walk, &s, &depths[*count])) > 0) {
        nids[(*count)++] = s.nid;
        assert_true(*count < 500);
        rc = ost_subnode_walk_enter(&t->walk);
        if (rc == ERR_LIMIT) {
            *entered = rc;
            rc = 0;
        }
    }
    ost_subnode_walk_done(&t->walk);
    assert_int_equal(t->store.held, 0);
    return rc;
}

static void walks_into_nested_trees(void **state)
{
    static const uint32_t expected[] = {0x25, 0x45, 0x3F, 0x5F, 0x65, 0x85, 0xA5, 0xC5};
    static const unsigned expected_depths[] = {1, 1, 2, 2, 1, 1, 1, 1};

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        uint32_t nids[500];
        unsigned depths[500], count;
        int entered;
        struct tree t;

        tree_init(&t, forge_formats[f]);
        assert_int_equal(walk(&t, SI, nids, depths, &count, &entered), 0);
        assert_int_equal(count, 8);
        assert_memory_equal(nids, expected, sizeof expected);
        assert_memory_equal(depths, expected_depths, sizeof expected_depths);
        assert_int_equal(t.walk.defects.count, 0);
        assert_int_equal(entered, 0);
        blockstore_done(&t.store);
    }
}

static void a_tree_within_itself_ends(void **state)
{
    uint32_t nids[500];
    unsigned depths[500], count, deepest = 0;
    int entered;
    struct tree t;

    (void)state;
    tree_init(&t, OST_FORMAT_UNICODE);
    forge_sl_entry(t.v, t.inner, 1, 0x5F, 0x124, INNER); /* owns the tree that it lies in */
    assert_int_equal(walk(&t, SI, nids, depths, &count, &entered), 0);
    assert_int_equal(entered, ERR_LIMIT);
    for (unsigned i = 0; i < count; i++)
        deepest = depths[i] > deepest ? depths[i] : deepest;
    assert_int_equal(deepest, OST_LIMIT_SUBNODE_DEPTH);
    assert_int_equal(count, 6 + 2 * (OST_LIMIT_SUBNODE_DEPTH - 1));
    blockstore_done(&t.store);
}

static void expect(struct tree *t, enum ost_defect_kind kind, uint64_t bid, unsigned entries,
                   bool lost)
{
    uint32_t nids[500];
    unsigned depths[500], count;
    int entered;

    assert_int_equal(walk(t, SI, nids, depths, &count, &entered), 0);
    assert_int_equal(t->walk.defects.count, 1);
    assert_int_equal(t->walk.defects.list[0].kind, kind);
    assert_int_equal(t->walk.defects.list[0].bid, bid);
    assert_int_equal(t->walk.lost, lost);
    assert_int_equal(count, entries);
}

static void broken_blocks_lose_their_part(void **state)
{
    struct tree t;

    (void)state;
    tree_init(&t, OST_FORMAT_UNICODE);
    t.sl2[OFF_S_TYPE] = 1;
    expect(&t, OST_TREE_TYPE, SL2, 5, true);
    t.sl2[OFF_S_TYPE] = 2;
    t.sl2[OFF_S_LEVEL] = 2; /* no such level */
    expect(&t, OST_TREE_LEVEL, SL2, 5, true);
    t.sl2[OFF_S_LEVEL] = 0;
    put_le16(t.sl2 + OFF_S_COUNT, 4); /* more entries than bytes */
    expect(&t, OST_TREE_COUNT, SL2, 5, true);
    put_le16(t.sl2 + OFF_S_COUNT, 3);
    forge_si_entry(t.v, t.si, 1, 0x85, SI); /* a SIBLOCK below a SIBLOCK, itself */
    expect(&t, OST_TREE_LEVEL, SI, 5, true);
    forge_si_entry(t.v, t.si, 1, 0x85, 0x999E);
    expect(&t, OST_TREE_DANGLING, 0x999E, 5, true);
    forge_si_entry(t.v, t.si, 1, 0x85, 0x104); /* a data block */
    expect(&t, OST_TREE_CHILD_KIND, 0x104, 5, true);
    forge_si_entry(t.v, t.si, 1, 0x85, SL2);
    t.store.fail_bid = SL2;
    t.store.fail_code = ERR_DAMAGED;
    expect(&t, OST_TREE_UNREADABLE, SL2, 5, true);
    t.store.fail_bid = 0;
    t.store.entries[1].inflated = 7;
    expect(&t, OST_TREE_SHORT, SL2, 5, true);
    blockstore_done(&t.store);
}

static void order_and_ranges_are_checked(void **state)
{
    struct ost_subnode s;
    struct ost_defects d;
    struct tree t;

    (void)state;
    tree_init(&t, OST_FORMAT_ANSI);
    forge_si_entry(t.v, t.si, 1, 0xA5, SL2); /* its first nid, 0x85, lies before */
    expect(&t, OST_SUBNODE_RANGE, SL2, 8, false);
    assert_int_equal(t.walk.defects.list[0].actual, 0x85);
    assert_int_equal(t.walk.defects.list[0].expected, 0xA5);
    forge_si_entry(t.v, t.si, 1, 0x85, SL2);

    forge_sl_entry(t.v, t.sl1, 0, 0x67, 0x100, 0); /* above the one that follows */
    assert_int_equal(find(&t, SL1, 0x67, &d, &s), 1);
    assert_true(ost_defects_has(&d, OST_SUBNODE_ORDER));
    assert_int_equal(find(&t, SL1, 0x65, &d, &s), 1);
    assert_int_equal(find(&t, SL1, 0x66, &d, &s), 0);
    forge_si_entry(t.v, t.si, 0, 0x90, SL1); /* and so does the SIBLOCK's: all are looked through */
    assert_int_equal(find(&t, SI, 0xC5, &d, &s), 1);
    assert_int_equal(find(&t, SI, 0x45, &d, &s), 1);
    blockstore_done(&t.store);
}

static void codes_of_the_store_are_forwarded(void **state)
{
    uint64_t each[] = {SI, SL1, SL2, INNER};
    uint32_t nids[500];
    unsigned depths[500], count;
    struct ost_subnode s;
    struct ost_defects d;
    int entered;
    struct tree t;

    (void)state;
    tree_init(&t, OST_FORMAT_UNICODE4K);
    t.store.fail_code = ERR_IO;
    for (unsigned i = 0; i < 4; i++) {
        t.store.fail_bid = each[i];
        assert_int_equal(walk(&t, SI, nids, depths, &count, &entered), ERR_IO);
    }
    t.store.fail_bid = SL2;
    assert_int_equal(find(&t, SI, 0x85, &d, &s), ERR_IO);
    assert_int_equal(find(&t, SI, 0x25, &d, &s), 1);
    t.store.fail_code = ERR_DAMAGED;
    assert_int_equal(find(&t, SI, 0x85, &d, &s), 0);
    assert_true(ost_defects_has(&d, OST_TREE_UNREADABLE));
    blockstore_done(&t.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(walks_into_nested_trees),
        cmocka_unit_test(a_tree_within_itself_ends),
        cmocka_unit_test(broken_blocks_lose_their_part),
        cmocka_unit_test(order_and_ranges_are_checked),
        cmocka_unit_test(codes_of_the_store_are_forwarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
