/* test_datatree.c: XBLOCK views and the walk over a value's leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "scanner/ost/datatree.h"
#include "tests/support/blockstore.h"
#include "tests/support/forge.h"

/* A value of two XBLOCKs: leaves 0x104, 0x108 | 0x10C, 0x110; the last is not full. */
enum { XX = 0x202, X1 = 0x206, X2 = 0x20A, LAST = 1000 };

struct value {
    const struct ost_variant *v;
    struct blockstore store;
    uint8_t *xx, *x1, *x2;
    struct ost_datatree t;
    struct ost_leaf leaves[16];
    unsigned count;
};

static void value_init(struct value *x, enum ost_format format)
{
    static uint8_t data[OST_DATA_MAX];
    const uint64_t first[] = {0x105, 0x108}, second[] = {0x10C, 0x110}, both[] = {X1 | 1, X2};
    const struct ost_variant *v = x->v = ost_variant_of(format);
    size_t n;

    blockstore_init(&x->store);
    for (uint64_t bid = 0x104; bid <= 0x10C; bid += 4)
        blockstore_add(&x->store, bid, NULL, v->data_max);
    blockstore_add(&x->store, 0x110, NULL, LAST);
    n = forge_xblock(v, data, 1, 2 * v->data_max, first, 2);
    x->x1 = blockstore_add(&x->store, X1, data, n);
    n = forge_xblock(v, data, 1, v->data_max + LAST, second, 2);
    x->x2 = blockstore_add(&x->store, X2, data, n);
    n = forge_xblock(v, data, 2, 3 * v->data_max + LAST, both, 2);
    x->xx = blockstore_add(&x->store, XX, data, n);
}

static int walk(struct value *x, uint64_t root)
{
    struct ost_leaf leaf;
    int rc;

    x->count = 0;
    ost_datatree_init(&x->t, x->v, &x->store.blocks, root);
    while ((rc = ost_datatree_next(&x->t, &leaf)) > 0) {
        assert_true(x->count < 16);
        x->leaves[x->count++] = leaf;
    }
    ost_datatree_done(&x->t);
    assert_int_equal(x->store.held, 0);
    return rc;
}

static void assert_defect(const struct value *x, enum ost_defect_kind kind, uint64_t bid)
{
    assert_int_equal(x->t.defects.count, 1);
    assert_int_equal(x->t.defects.list[0].kind, kind);
    assert_int_equal(x->t.defects.list[0].bid, bid);
}

static void leaves_come_in_order(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct value x;

        value_init(&x, forge_formats[f]);
        assert_int_equal(walk(&x, XX | 1), 0);
        assert_int_equal(x.t.defects.count, 0);
        assert_int_equal(x.count, 4);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(x.leaves[i].bid, 0x104 + 4 * i);
            assert_int_equal(x.leaves[i].offset, i * x.v->data_max);
            assert_non_null(x.leaves[i].block);
            assert_true(x.leaves[i].offset_known);
        }
        assert_int_equal(x.store.most_held, 2);
        assert_int_equal(walk(&x, X2), 0);
        assert_int_equal(x.count, 2);
        assert_int_equal(walk(&x, 0x110), 0);
        assert_int_equal(x.count, 1);
        assert_int_equal(x.t.defects.count, 0);
        assert_int_equal(walk(&x, 0), 0);
        assert_int_equal(x.count, 0);
        blockstore_done(&x.store);
    }
}

static void broken_headers_lose_their_part(void **state)
{
    struct value x;
    unsigned room;

    (void)state;
    value_init(&x, OST_FORMAT_UNICODE);
    room = 2;

    x.x1[OFF_X_TYPE] = 2; /* the first XBLOCK claims to be of a subnode tree */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_TYPE, X1);
    assert_true(x.t.lost);
    assert_int_equal(x.count, 3); /* the loss, and the leaves of the other */
    assert_null(x.leaves[0].block);
    assert_int_equal(x.leaves[0].bid, X1);
    assert_int_equal(x.leaves[1].bid, 0x10C);
    assert_false(x.leaves[1].offset_known);
    x.x1[OFF_X_TYPE] = 1;

    x.x1[OFF_X_LEVEL] = 2; /* an XXBLOCK below an XXBLOCK: no deeper */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_LEVEL, X1);
    x.x1[OFF_X_LEVEL] = 0;
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_LEVEL, X1);
    x.x1[OFF_X_LEVEL] = 1;

    put_le16(x.x1 + OFF_X_COUNT, (uint16_t)(room + 1)); /* one entry more than there are bytes */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_COUNT, X1);
    assert_int_equal(x.t.defects.list[0].expected, room);
    put_le16(x.x1 + OFF_X_COUNT, (uint16_t)room);

    x.store.entries[4].inflated = 7; /* shorter than a header */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_SHORT, X1);
    blockstore_done(&x.store);
}

static void lost_children_are_told(void **state)
{
    struct value x;

    (void)state;
    value_init(&x, OST_FORMAT_UNICODE4K);

    forge_id(x.v, x.x1 + OFF_X_BIDS, 0x900); /* a leaf that the BBT lacks */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_DANGLING, X1);
    assert_int_equal(x.t.defects.list[0].actual, 0x900);
    assert_int_equal(x.count, 4);
    assert_null(x.leaves[0].block);
    assert_int_equal(x.leaves[1].offset, x.v->data_max);
    assert_true(x.leaves[1].offset_known);

    forge_id(x.v, x.x1 + OFF_X_BIDS, X2); /* a leaf that is an XBLOCK */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_CHILD_KIND, X1);
    forge_id(x.v, x.x1 + OFF_X_BIDS, 0x104);

    forge_id(x.v, x.xx + OFF_X_BIDS, 0x104); /* an XBLOCK that is a leaf */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_CHILD_KIND, XX);
    forge_id(x.v, x.xx + OFF_X_BIDS, XX); /* itself */
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_LEVEL, XX);
    forge_id(x.v, x.xx + OFF_X_BIDS, X1);

    x.store.fail_bid = X2; /* its block is damaged, or cannot be had at all */
    x.store.fail_code = ERR_DAMAGED;
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_UNREADABLE, X2);
    assert_int_equal(x.count, 3);
    x.store.fail_code = ERR_NOMEM;
    assert_int_equal(walk(&x, XX), ERR_NOMEM);
    blockstore_done(&x.store);
}

static void totals_and_leaf_sizes_are_checked(void **state)
{
    struct value x;

    (void)state;
    value_init(&x, OST_FORMAT_ANSI);

    x.xx[OFF_X_TOTAL]++;
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_TOTAL, XX);
    assert_int_equal(x.t.defects.list[0].actual, 3 * x.v->data_max + LAST);
    assert_int_equal(x.t.defects.list[0].expected, 3 * x.v->data_max + LAST + 1);
    x.xx[OFF_X_TOTAL]--;
    x.x2[OFF_X_TOTAL]--;
    assert_int_equal(walk(&x, XX), 0);
    assert_defect(&x, OST_TREE_TOTAL, X2);
    x.x2[OFF_X_TOTAL]++;

    x.store.entries[1].inflated--; /* a leaf in the middle, one byte short */
    assert_int_equal(walk(&x, XX), 0);
    assert_true(ost_defects_has(&x.t.defects, OST_TREE_LEAF_SIZE));
    assert_true(ost_defects_has(&x.t.defects, OST_TREE_TOTAL));
    assert_int_equal(x.t.defects.list[0].bid, 0x108);
    assert_int_equal(x.leaves[2].offset, 2 * x.v->data_max - 1);
    x.store.entries[1].inflated = 0; /* without bytes: the value ends */
    assert_int_equal(walk(&x, XX), 0);
    assert_int_equal(x.count, 2);
    assert_true(x.t.lost);
    blockstore_done(&x.store);
}

/* An XXBLOCK that names one XBLOCK in all its entries is left when its total is passed. */
static void totals_stop_a_bomb(void **state)
{
    static uint8_t data[OST_DATA_MAX];
    uint64_t bids[8000];
    struct value x;
    unsigned leaves = 0;
    struct ost_leaf leaf;
    size_t n;

    (void)state;
    value_init(&x, OST_FORMAT_UNICODE4K);
    for (unsigned i = 0; i < 8000; i++)
        bids[i] = X1;
    n = forge_xblock(x.v, data, 2, 1000000, bids, 8000);
    blockstore_add(&x.store, 0x302, data, n);
    ost_datatree_init(&x.t, x.v, &x.store.blocks, 0x302);
    while (ost_datatree_next(&x.t, &leaf) > 0)
        leaves++;
    assert_int_equal(leaves, 16); /* 8 times two leaves of 65512 bytes pass 1,000,000 */
    assert_true(ost_defects_has(&x.t.defects, OST_TREE_TOTAL));
    ost_datatree_done(&x.t);
    blockstore_done(&x.store);
}

static void a_walk_can_be_left(void **state)
{
    struct ost_leaf leaf;
    struct value x;

    (void)state;
    value_init(&x, OST_FORMAT_UNICODE);
    ost_datatree_init(&x.t, x.v, &x.store.blocks, XX);
    assert_int_equal(ost_datatree_next(&x.t, &leaf), 1);
    assert_int_equal(x.store.held, 2);
    ost_datatree_done(&x.t);
    assert_int_equal(x.store.held, 0);
    assert_int_equal(ost_datatree_next(&x.t, &leaf), 0);
    blockstore_done(&x.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_come_in_order),
        cmocka_unit_test(broken_headers_lose_their_part),
        cmocka_unit_test(lost_children_are_told),
        cmocka_unit_test(totals_and_leaf_sizes_are_checked),
        cmocka_unit_test(totals_stop_a_bomb),
        cmocka_unit_test(a_walk_can_be_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
