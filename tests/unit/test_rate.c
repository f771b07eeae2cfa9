/* test_rate.c: over any longer while no more is taken than the rate allows, and no less. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/rate.h"

#define SECOND UINT64_C(1000000000)
enum { MB = 1000000 };

static void without_a_bound_nobody_waits(void **state)
{
    struct io_rate r;

    (void)state;
    io_rate_init(&r, 0, 0);
    assert_int_equal(io_rate_take(&r, UINT64_MAX, 1), 0);
    assert_int_equal(io_rate_lend(&r, 4, 2), 0);
    io_rate_return(&r, 0, 3);
    io_rate_wait(UINT64_MAX);
}

/* Takes pieces of any size, waiting as told, for some minutes of a clock of our own. */
static void the_rate_is_kept(void **state)
{
    static const uint64_t rates[] = {5000, 1 * MB, 100 * MB, UINT64_C(10000) * MB};

    (void)state;
    srand(1);
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        uint64_t start = 77 * SECOND, now = start, taken = 0, due;
        struct io_rate r;

        io_rate_init(&r, rates[i], now);
        while (now < start + 100 * SECOND) {
            uint64_t piece = 1 + (uint64_t)rand() % (rates[i] / 4), wait;

            wait = io_rate_take(&r, piece, now);
            taken += piece;
            now += wait + (uint64_t)rand() % 1000;
            assert_int_equal(io_rate_take(&r, 0, now), 0);
        }
        due = (uint64_t)((unsigned __int128)(now - start) * rates[i] / SECOND);
        assert_true(taken <= due + rates[i] / 8 + 65536);
        assert_true(taken >= due - due / 100 - rates[i] / 2);
    }
}

/* A pause saves up no more than a moment's worth. */
static void a_pause_earns_little(void **state)
{
    struct io_rate r;

    (void)state;
    io_rate_init(&r, 8 * MB, 0);
    assert_int_equal(io_rate_take(&r, 1 * MB, 3600 * SECOND), 0);
    assert_int_equal(io_rate_take(&r, 4 * MB, 3600 * SECOND), SECOND / 2 + 1);
    assert_int_equal(io_rate_take(&r, 0, 3600 * SECOND + SECOND / 4), SECOND / 4 + 1);
    /* A clock that stands still, or goes back, gives nothing. */
    assert_int_equal(io_rate_take(&r, 0, 3600 * SECOND + SECOND / 4), SECOND / 4 + 1);
    assert_int_equal(io_rate_take(&r, 0, 5), SECOND / 4 + 1);
    assert_int_equal(io_rate_take(&r, 0, 3600 * SECOND + SECOND / 2), 0);
}

static void what_is_lent_is_missing(void **state)
{
    uint64_t part;
    struct io_rate r;

    (void)state;
    io_rate_init(&r, 8 * MB, 0);
    part = io_rate_lend(&r, 2, 0);
    assert_int_equal(part, 4 * MB);
    assert_int_equal(io_rate_take(&r, 4 * MB, 0), SECOND + 1);
    io_rate_return(&r, part, 0);
    assert_int_equal(io_rate_take(&r, 0, 0), SECOND / 2 + 1);
    /* All of it away: what is left is next to nothing, and no division by it. */
    io_rate_lend(&r, 1, 0);
    assert_true(io_rate_take(&r, 100, 0) > 3600 * SECOND);
    io_rate_return(&r, 8 * MB, 0);
}

struct taker {
    pthread_t thread;
    unsigned pieces;
};

static void *take(void *arg)
{
    const struct taker *t = arg;

    for (unsigned i = 0; i < t->pieces; i++)
        io_rate_wait(10000);
    return NULL;
}

/* Threads together keep it, by the real clock: a bound from below alone. */
static void threads_share_it(void **state)
{
    uint64_t before = clock_monotonic_ns();
    struct taker takers[4];

    (void)state;
    io_rate_limit(4 * MB, 1, NULL);
    for (unsigned i = 0; i < 4; i++) {
        takers[i].pieces = 40;
        assert_int_equal(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(takers[i].thread, NULL);
    /* 1.6 MB, of which 0.5 at once at most. */
    assert_true(clock_monotonic_ns() - before >= SECOND / 5);
    io_rate_limit(0, 1, NULL);
}

static void who_is_called_off_does_not_wait(void **state)
{
    static atomic_bool cancel = true;

    (void)state;
    io_rate_limit(4096, 1, &cancel);
    io_rate_wait(UINT64_C(1) << 40);
    io_rate_limit(0, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_bound_nobody_waits),
        cmocka_unit_test(the_rate_is_kept),
        cmocka_unit_test(a_pause_earns_little),
        cmocka_unit_test(what_is_lent_is_missing),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(who_is_called_off_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
