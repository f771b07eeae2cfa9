/*
 * test_check_order.c: the order of the sweep: all that has a place is in it once, ascending,
 * whatever the places are and however many threads make it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "io/crew.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/order.h"
#include "tests/support/pattern.h"

enum { ENTRIES = 100000, THREADS = 3 };

struct places {
    uint64_t *offsets; /* by entry; NOWHERE: it has none */
    unsigned told[THREADS];
    unsigned placed[THREADS];
};
#define NOWHERE UINT64_MAX

static bool place(void *ctx, size_t entry, uint64_t *offset)
{
    const struct places *p = ctx;

    *offset = p->offsets[entry];
    return *offset != NOWHERE;
}

static void tell(void *ctx, unsigned part, size_t entry, bool placed)
{
    struct places *p = ctx;

    assert_true(part < THREADS && placed == (p->offsets[entry] != NOWHERE));
    p->told[part]++;
    p->placed[part] += placed;
}

struct part_of {
    void (*part)(void *arg, unsigned i, struct io_source *source);
    void *arg;
};

static void run_part(void *ctx, unsigned i)
{
    const struct part_of *p = ctx;

    p->part(p->arg, i, NULL);
}

static void run_parts(void *ctx, unsigned count,
                      void (*part)(void *arg, unsigned i, struct io_source *source), void *arg)
{
    struct part_of p = {part, arg};

    (void)ctx;
    crew_run(count, run_part, &p);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Makes the order of the first `count` places and compares it with another way to sort. */
static void assert_orders(uint64_t *offsets, size_t count, uint64_t file_size, unsigned threads)
{
    struct ost_plan plan = {.variant = ost_variant_of(OST_FORMAT_UNICODE), .block_count = count};
    struct places p = {.offsets = offsets};
    const struct chk_order_source from = {.plan = &plan,
                                          .file_size = file_size,
                                          .parts = threads,
                                          .run = {NULL, run_parts},
                                          .ctx = &p,
                                          .place = place,
                                          .tell = tell};
    uint64_t *expected = mem_alloc_array(count + 1, sizeof *expected);
    struct chk_budget budget;
    struct chk_order order;
    unsigned told = 0, placed = 0;
    size_t n = 0;

    chk_budget_init(&budget, UINT64_MAX);
    assert_int_equal(chk_order_make(&order, &budget, &from), 0);
    for (size_t i = 0; i < count; i++)
        if (offsets[i] != NOWHERE)
            expected[n++] = (offsets[i] / plan.variant->unit) << order.bits | i;
    qsort(expected, n, sizeof *expected, by_value);
    for (unsigned i = 0; i < THREADS; i++) {
        told += p.told[i];
        placed += p.placed[i];
    }
    assert_int_equal(told, count);
    assert_int_equal(placed, n);
    assert_int_equal(order.count, n);
    if (n)
        assert_memory_equal(order.keys, expected, n * sizeof *expected);
    for (size_t i = 0; i < n; i += 997) {
        size_t at = chk_order_from(&order, chk_order_unit(&order, i));

        assert_true(at <= i && chk_order_unit(&order, at) == chk_order_unit(&order, i));
        assert_int_equal(chk_order_unit(&order, i), offsets[chk_order_entry(&order, i)] / 64);
    }
    chk_order_done(&order, &budget);
    assert_int_equal(budget.used, 0);
    mem_free(expected);
}

static void fill(uint64_t *offsets, size_t count, uint64_t file_size, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        offsets[i] =
            pattern_random(&seed) % 11 == 0 ? NOWHERE : pattern_random(&seed) % file_size / 64 * 64;
}

static void any_places(void **state)
{
    static const uint64_t sizes[] = {64, 100000, 1 << 24, 1ull << 33, 1ull << 45};
    static const size_t counts[] = {0, 1, 2, 1000, ENTRIES};
    uint64_t *offsets = mem_alloc_array(ENTRIES, sizeof *offsets);

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (unsigned threads = 1; threads <= THREADS; threads++) {
                fill(offsets, counts[c], sizes[s], s * 31 + c + 1);
                assert_orders(offsets, counts[c], sizes[s], threads);
            }
    mem_free(offsets);
}

/* In order already; backwards; all at one place, as only a hostile image has them. */
static void sorted_places(void **state)
{
    uint64_t *offsets = mem_alloc_array(ENTRIES, sizeof *offsets);

    (void)state;
    for (unsigned threads = 1; threads <= THREADS; threads++) {
        for (size_t i = 0; i < ENTRIES; i++)
            offsets[i] = i * 8192;
        assert_orders(offsets, ENTRIES, ENTRIES * 8192ull, threads);
        for (size_t i = 0; i < ENTRIES; i++)
            offsets[i] = (ENTRIES - 1 - i) * 8192ull;
        assert_orders(offsets, ENTRIES, ENTRIES * 8192ull, threads);
        for (size_t i = 0; i < ENTRIES; i++)
            offsets[i] = 64;
        assert_orders(offsets, ENTRIES, 1ull << 40, threads);
    }
    mem_free(offsets);
}

static void too_little_memory(void **state)
{
    struct ost_plan plan = {.variant = ost_variant_of(OST_FORMAT_UNICODE), .block_count = ENTRIES};
    struct places p = {.offsets = mem_alloc_array(ENTRIES, sizeof *p.offsets)};
    const struct chk_order_source from = {.plan = &plan,
                                          .file_size = 1 << 30,
                                          .parts = 2,
                                          .run = {NULL, run_parts},
                                          .ctx = &p,
                                          .place = place,
                                          .tell = tell};
    struct chk_budget budget;
    struct chk_order order;

    (void)state;
    fill(p.offsets, ENTRIES, 1 << 30, 3);
    for (uint64_t limit = 0; limit < 700000; limit += 20011) {
        chk_budget_init(&budget, limit);
        assert_int_equal(chk_order_make(&order, &budget, &from), ERR_LIMIT);
        chk_order_done(&order, &budget);
        assert_int_equal(budget.used, 0);
    }
    mem_free(p.offsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_places),
        cmocka_unit_test(sorted_places),
        cmocka_unit_test(too_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
