/*
 * test_native_parts.c: what a scan's lanes are made of: the order of items, the binding of blocks
 * to items, blocks read again together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/bids.h"
#include "scanner/native_bind.h"
#include "scanner/native_dues.h"
#include "scanner/native_fetch.h"
#include "scanner/ost/block.h"
#include "tests/support/fault_source.h"

enum { BLOCKS = 400, STORED = 1000, PLACE = 1024, NONE = CHK_NO_BLOCK };

/* Blocks one behind the other, number i at (i + 1) * PLACE, every tenth internal; those from
 * `shared` on have two references. */
static struct ost_plan make_plan(struct ost_block blocks[BLOCKS], uint32_t shared)
{
    for (uint32_t i = 0; i < BLOCKS; i++)
        blocks[i] = (struct ost_block){.bid = 8 * (uint64_t)(i + 1) + (i % 10 == 9 ? 2 : 0),
                                       .offset = (uint64_t)(i + 1) * PLACE,
                                       .stored = STORED,
                                       .inflated = STORED,
                                       .refs = i < shared ? 2 : 3};
    return (struct ost_plan){
        .variant = ost_variant_of(OST_FORMAT_UNICODE), .blocks = blocks, .block_count = BLOCKS};
}

static void dues_come_in_order(void **state)
{
    struct native_dues heap = {0};
    struct native_due last = {0};

    (void)state;
    srand(3);
    for (uint32_t i = 0; i < 3000; i++) {
        struct native_due due = {.order = (uint64_t)rand() % 50, .node = i * 7919 % 3000};

        assert_int_equal(native_dues_push(&heap, due), 0);
        if (i % 3 == 2)
            native_dues_pop(&heap);
    }
    assert_int_equal(heap.count, 2000);
    while (heap.count) {
        struct native_due due = native_dues_pop(&heap);

        assert_true(heap.count == 1999 || native_due_precedes(&last, &due));
        last = due;
    }
    native_dues_done(&heap);
    assert_null(heap.list);
}

/* One internal block of the links, with its references. */
static void link_blocks(struct chk_links *links, uint32_t block, const uint32_t *edges,
                        size_t count)
{
    struct chk_inner inner = {.block = block, .data_count = (uint16_t)count};
    struct chk_budget budget;

    chk_budget_init(&budget, UINT64_MAX);
    assert_int_equal(chk_links_reserve(links, &budget, count), 0);
    memcpy(chk_links_room(links), edges, count * sizeof *edges);
    chk_links_add(links, &inner, count);
}

static void is_owned(const struct native_bind *b, uint32_t block, enum native_owner owner,
                     uint32_t furthest)
{
    uint64_t reach;

    assert_int_equal(native_bind_owner(b, block, &reach), owner);
    assert_int_equal(reach, (uint64_t)(furthest + 1) * PLACE);
}

/*  item: 5, 9 ── 9: 2, 30, 19 ── 19: 70;  folder: 12, none;  39: 41 without a node */
static void blocks_are_bound_to_items(void **state)
{
    static const uint32_t nine[] = {2, 30, 19, NONE}, nineteen[] = {70, 5}, lost[] = {41, 3};
    struct ost_block blocks[BLOCKS];
    struct ost_plan plan = make_plan(blocks, 300);
    struct chk_links links = {0};
    struct chk_budget budget;
    struct native_bind *b;
    uint64_t reach;

    (void)state;
    assert_int_equal(native_bind_create(&plan, &b), 0);
    native_bind_node(b, 5, 9, true);
    native_bind_node(b, 12, NONE, false);
    native_bind_node(b, NONE, NONE, true);
    is_owned(b, 5, NATIVE_ITEM, 9);
    is_owned(b, 12, NATIVE_OTHER, 12);
    is_owned(b, 70, NATIVE_UNBOUND, 70);

    /* From the bottom up: what is below comes along. */
    link_blocks(&links, 19, nineteen, 1);
    link_blocks(&links, 39, lost, 2);
    native_bind_links(b, &links, 0);
    is_owned(b, 19, NATIVE_UNBOUND, 70);
    is_owned(b, 70, NATIVE_UNBOUND, 70);
    is_owned(b, 3, NATIVE_UNBOUND, 41);
    is_owned(b, 5, NATIVE_ITEM, 9);
    link_blocks(&links, 9, nine, 4);
    native_bind_links(b, &links, 2);
    for (unsigned i = 0; i < 3; i++)
        is_owned(b, nine[i], NATIVE_ITEM, 70);
    is_owned(b, 5, NATIVE_ITEM, 70);
    is_owned(b, 70, NATIVE_ITEM, 70);
    is_owned(b, 12, NATIVE_OTHER, 12);

    /* A reference in a circle changes nothing; what is shared joins nothing. */
    link_blocks(&links, 19, nineteen, 2);
    link_blocks(&links, 9, (const uint32_t[]){350}, 1);
    link_blocks(&links, 359, (const uint32_t[]){70, 12}, 2);
    native_bind_links(b, &links, 3);
    is_owned(b, 5, NATIVE_ITEM, 70);
    is_owned(b, 12, NATIVE_OTHER, 12);
    assert_int_equal(native_bind_owner(b, 350, &reach), NATIVE_SHARED);
    native_bind_destroy(b);
    native_bind_destroy(NULL);

    assert_int_equal(native_bind_owner(NULL, 5, &reach), NATIVE_UNBOUND);
    chk_budget_init(&budget, UINT64_MAX);
    budget.used = UINT64_MAX / 2;
    chk_links_done(&links, &budget);
}

/* ---- fetching ---- */

struct image {
    uint8_t bytes[(BLOCKS + 2) * PLACE];
    struct ost_block blocks[BLOCKS];
    struct ost_plan plan;
    struct fault_plan faults;
    struct io_source *source;
};

static void open_image(struct image *m)
{
    struct io_source *inner;

    memset(m, 0, sizeof *m);
    m->plan = make_plan(m->blocks, BLOCKS);
    for (size_t i = 0; i < sizeof m->bytes; i++)
        m->bytes[i] = (uint8_t)(i * 31 + i / 255);
    assert_int_equal(io_source_open_mem(m->bytes, sizeof m->bytes, &inner), 0);
    assert_int_equal(fault_source_open(inner, &m->faults, &m->source), 0);
}

static bool has(const struct image *m, const struct native_fetch *f, uint32_t block)
{
    uint32_t size = ost_block_extent(m->plan.variant, STORED);
    uint8_t got[2 * PLACE];

    assert_false(native_fetch_get(f, block, got, size + 1));
    if (!native_fetch_get(f, block, got, size))
        return false;
    assert_true(native_fetch_knows(f, block));
    assert_memory_equal(got, m->bytes + m->blocks[block].offset, size);
    return true;
}

static void neighbours_are_read_at_once(void **state)
{
    static struct image m;
    uint32_t wanted[] = {90, 3, 4, 5, 200, 4, 201, 90, 6};
    struct native_fetch *f;

    (void)state;
    open_image(&m);
    assert_int_equal(native_fetch_create(&m.plan, 64 * PLACE, &f), 0);
    assert_int_equal(native_fetch_read(f, m.source, wanted, 9), 0);
    assert_int_equal(m.faults.count, 3); /* 3 to 6, 90, 200 and 201 */
    for (uint32_t i = 0; i < BLOCKS; i++)
        assert_int_equal(has(&m, f, i), (i >= 3 && i <= 6) || i == 90 || i == 200 || i == 201);
    assert_int_equal(native_fetch_room(f), (64 - 7) * PLACE);

    /* What is there is not read again. */
    wanted[0] = 7;
    assert_int_equal(native_fetch_read(f, m.source, wanted, 1), 0);
    assert_int_equal(m.faults.count, 4);
    assert_true(has(&m, f, 5) && has(&m, f, 7) && has(&m, f, 201));
    native_fetch_begin(f);
    assert_false(native_fetch_knows(f, 5));
    assert_int_equal(native_fetch_room(f), 64 * PLACE);
    native_fetch_destroy(f);
    io_source_close(m.source);
}

static bool is_odd(const void *ctx, uint32_t block)
{
    (void)ctx;
    return block % 2;
}

static void what_is_wanted_stays(void **state)
{
    static struct image m;
    uint32_t wanted[40];
    struct native_fetch *f;

    (void)state;
    open_image(&m);
    assert_int_equal(native_fetch_create(&m.plan, 64 * PLACE, &f), 0);
    for (uint32_t i = 0; i < 40; i++)
        wanted[i] = i * 37 % BLOCKS;
    assert_int_equal(native_fetch_read(f, m.source, wanted, 40), 0);
    native_fetch_keep(f, NULL, is_odd);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(has(&m, f, i * 37 % BLOCKS), i * 37 % BLOCKS % 2);
    assert_int_equal(native_fetch_room(f), (64 - 20) * PLACE);
    native_fetch_destroy(f);
    io_source_close(m.source);
}

/* Internal blocks go first; what does not fit, or cannot be read, is known all the same. */
static void what_cannot_be_had_is_known(void **state)
{
    static struct image m;
    uint32_t wanted[] = {10, 11, 12, 9, 19, 50, 51}, bad[] = {99, 100};
    unsigned leaves = 0;
    struct native_fetch *f;

    (void)state;
    open_image(&m);
    assert_int_equal(native_fetch_create(&m.plan, 4 * PLACE, &f), 0);
    assert_int_equal(native_fetch_read(f, m.source, wanted, 7), 0);
    assert_true(has(&m, f, 9) && has(&m, f, 19));
    for (uint32_t i = 10; i <= 51; i++)
        leaves += i != 19 && has(&m, f, i);
    assert_int_equal(leaves, 2);
    assert_true(native_fetch_knows(f, 51) && native_fetch_knows(f, 12));
    assert_false(native_fetch_knows(f, 13));

    native_fetch_begin(f);
    m.faults.bad_from = m.blocks[100].offset + 5;
    m.faults.bad_to = m.faults.bad_from + 1;
    assert_int_equal(native_fetch_read(f, m.source, bad, 2), 0);
    assert_true(native_fetch_knows(f, 99) && native_fetch_knows(f, 100));
    assert_false(has(&m, f, 100));
    m.faults.code = ERR_NOMEM;
    native_fetch_begin(f);
    assert_int_equal(native_fetch_read(f, m.source, bad, 2), ERR_NOMEM);

    /* Beyond the end of the file: nothing is read. */
    native_fetch_begin(f);
    m.blocks[100].offset = sizeof m.bytes;
    m.faults.count = 0;
    assert_int_equal(native_fetch_read(f, m.source, bad + 1, 1), 0);
    assert_int_equal(m.faults.count, 0);
    assert_true(native_fetch_knows(f, bad[1]));
    native_fetch_destroy(f);
    io_source_close(m.source);
}

static void each_allocation_may_fail(void **state)
{
    static struct image m;
    uint32_t wanted[] = {1, 2, 3};
    struct native_fetch *f;
    struct native_bind *b;

    (void)state;
    open_image(&m);
    for (uint64_t n = 1; n <= 3; n++) {
        mem_test_fail(n, 0);
        assert_int_equal(native_bind_create(&m.plan, &b), ERR_NOMEM);
        mem_test_fail(n, 0);
        if (native_fetch_create(&m.plan, 4 * PLACE, &f) == 0) {
            assert_int_equal(native_fetch_read(f, m.source, wanted, 3), ERR_NOMEM);
            mem_test_fail(0, 0);
            assert_int_equal(native_fetch_read(f, m.source, wanted, 3), 0);
            assert_true(has(&m, f, 2));
            native_fetch_destroy(f);
        }
        mem_test_fail(0, 0);
    }
    io_source_close(m.source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dues_come_in_order),          cmocka_unit_test(blocks_are_bound_to_items),
        cmocka_unit_test(neighbours_are_read_at_once), cmocka_unit_test(what_is_wanted_stays),
        cmocka_unit_test(what_cannot_be_had_is_known), cmocka_unit_test(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
