/* test_reach.c: the highest offset among a node's blocks, however deep it lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "scanner/ost/reach.h"
#include "tests/support/forge.h"
#include "tests/support/tinyread.h"

/*
 * data: DATA     sub: OUTER ── entry: data SMALL, sub INNER ── entry: data LIST (XBLOCK) ── LEAF
 * Each is placed in turn as the last.
 */
enum { DATA, SMALL, LEAF, LIST, INNER, OUTER, PARTS };

static uint64_t place(struct tiny *t, unsigned part, const uint64_t *bids)
{
    uint8_t block[64];
    struct ost_subnode inner = {0x3F, bids[LIST], 0}, outer = {0x25, bids[SMALL], bids[INNER]};

    switch (part) {
    case LIST:
        return tiny_block(t, block, forge_xblock(t->v, block, 1, 4, &bids[LEAF], 1), true);
    case INNER:
        return tiny_subnodes(t, &inner, 1);
    case OUTER:
        return tiny_subnodes(t, &outer, 1);
    default:
        return tiny_block(t, "data", 4, false);
    }
}

static uint64_t bid_at(const struct tiny *t, unsigned part, unsigned turn)
{
    unsigned behind = (part + PARTS - turn) % PARTS;

    return (t->next_bid + 4 * (uint64_t)behind) | (part >= LIST ? BID_INTERNAL : 0);
}

static void every_block_counts(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned turn = 0; turn < PARTS; turn++) {
            uint64_t bids[PARTS], highest = 1;
            struct tinyread x;

            tiny_init(&x.tiny, forge_formats[f]);
            for (unsigned part = 0; part < PARTS; part++)
                bids[part] = bid_at(&x.tiny, part, turn);
            for (unsigned i = 0; i < PARTS; i++) {
                unsigned part = (i + turn) % PARTS;

                assert_int_equal(place(&x.tiny, part, bids), bids[part]);
            }
            tinyread_open(&x, UINT64_MAX);
            assert_int_equal(
                ost_reach(x.tiny.v, x.reading.blocks, bids[DATA], bids[OUTER], &highest), 0);
            assert_int_equal(highest, x.tiny.blocks[PARTS - 1].offset);
            assert_int_equal(ost_reach(x.tiny.v, x.reading.blocks, 0, 0, &highest), 0);
            assert_int_equal(highest, 0);
            tinyread_done(&x);
        }
    }
}

static void what_is_lost_is_left_out(void **state)
{
    uint64_t bids[PARTS], highest;
    struct tinyread x;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    for (unsigned part = 0; part < PARTS; part++)
        bids[part] = bid_at(&x.tiny, part, OUTER); /* OUTER first, then DATA, SMALL, LEAF … */
    for (unsigned i = 0; i < PARTS; i++)
        place(&x.tiny, (i + OUTER) % PARTS, bids);
    memset(tiny_at(&x.tiny, bids[INNER]), 1, 64);
    tinyread_open(&x, UINT64_MAX);
    x.reading.quiet = true;
    /* the block of INNER is there, if not what it names */
    assert_int_equal(ost_reach(x.tiny.v, x.reading.blocks, bids[DATA], bids[OUTER], &highest), 0);
    assert_ptr_equal(x.tiny.data + highest, tiny_at(&x.tiny, bids[INNER]));
    assert_int_equal(ost_reach(x.tiny.v, x.reading.blocks, 0x4440, 0x4442, &highest), 0);
    assert_int_equal(highest, 0);
    assert_int_equal(x.finding_count, 0);
    tinyread_done(&x);
}

static bool known(void *ctx, uint64_t root, uint64_t *highest)
{
    uint64_t *k = ctx; /* a root, and what it reaches to */

    if (root != k[0])
        return false;
    *highest = k[1];
    return true;
}

static const struct ost_blocks *inner;

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    (void)ctx;
    return inner->find(inner->ctx, bid);
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    (void)ctx;
    return inner->get(inner->ctx, block, decoded);
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    (void)ctx;
    inner->put(inner->ctx, block, decoded);
}

/* Of a data tree that is known no block is touched. */
static void what_is_known_is_not_walked(void **state)
{
    uint64_t bids[PARTS], highest, k[2];
    const struct ost_blocks blocks = {k, find, get, put, known};
    struct tinyread x;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    for (unsigned part = 0; part < PARTS; part++)
        bids[part] = bid_at(&x.tiny, part, 0);
    for (unsigned part = 0; part < PARTS; part++)
        place(&x.tiny, part, bids);
    k[0] = bids[LIST];
    memset(tiny_at(&x.tiny, bids[LIST]), 1, 64);
    tinyread_open(&x, UINT64_MAX);
    inner = x.reading.blocks;
    for (unsigned i = 0; i < 2; i++) {
        k[1] = i ? 1 << 30 : 1;
        assert_int_equal(ost_reach(x.tiny.v, &blocks, bids[DATA], bids[OUTER], &highest), 0);
        assert_int_equal(highest, i ? k[1] : x.tiny.blocks[OUTER].offset);
        assert_int_equal(x.finding_count, 0);
    }
    tinyread_done(&x);
}

/* A subnode tree whose every entry owns that same tree: ended by depth, and by the allowance. */
static void trees_within_themselves_end(void **state)
{
    struct ost_subnode entries[40];
    struct tinyread x;
    uint64_t bid, highest;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE4K);
    bid = x.tiny.next_bid | BID_INTERNAL;
    for (unsigned i = 0; i < 40; i++)
        entries[i] = (struct ost_subnode){0x25 + 32 * i, 0, bid};
    assert_int_equal(tiny_subnodes(&x.tiny, entries, 40), bid);
    tinyread_open(&x, 1 << 20);
    assert_int_equal(ost_reach(x.tiny.v, x.reading.blocks, 0, bid, &highest), 0);
    assert_int_equal(highest, x.tiny.blocks[0].offset);
    tinyread_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_block_counts),
        cmocka_unit_test(what_is_lost_is_left_out),
        cmocka_unit_test(what_is_known_is_not_walked),
        cmocka_unit_test(trees_within_themselves_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
