/* test_pool.c: buffers as credits: each out once, taken again when given, and the stop. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/pool.h"

enum { COUNT = 5, TAKERS = 4, ROUNDS = 2000 };

static void buffers_are_aligned_and_apart(void **state)
{
    struct io_pool *p;
    uint8_t *taken[COUNT];

    (void)state;
    assert_int_equal(io_pool_create(COUNT, 5000, 4096, &p), 0);
    assert_int_equal(io_pool_buffer_size(p), 8192);
    assert_int_equal(io_pool_count(p), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        taken[i] = io_pool_take(p);
        assert_non_null(taken[i]);
        assert_int_equal((uintptr_t)taken[i] % 4096, 0);
        memset(taken[i], (int)i + 1, 8192);
        assert_ptr_equal((uint8_t *)io_pool_base(p) + io_pool_index(p, taken[i]) * 8192, taken[i]);
        assert_int_equal(io_pool_index(p, taken[i]), io_pool_index(p, taken[i] + 8191));
    }
    assert_null(io_pool_try_take(p));
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(taken[i][0], i + 1);
        assert_int_equal(taken[i][8191], i + 1);
    }
    io_pool_give(p, taken[2]);
    assert_ptr_equal(io_pool_try_take(p), taken[2]);
    for (size_t i = 0; i < COUNT; i++)
        io_pool_give(p, taken[i]);
    io_pool_destroy(p);
}

static void impossible_sizes_are_refused(void **state)
{
    struct io_pool *p = NULL;

    (void)state;
    assert_int_equal(io_pool_create(2, SIZE_MAX - 100, 4096, &p), ERR_NOMEM);
    assert_int_equal(io_pool_create(SIZE_MAX / 2, 4096, 4096, &p), ERR_NOMEM);
    assert_int_equal(io_pool_create(1 << 20, SIZE_MAX >> 12, 1, &p), ERR_NOMEM);
    assert_null(p);
    io_pool_destroy(NULL);
}

static void failing_allocations_leave_nothing(void **state)
{
    struct io_pool *p = NULL;
    uint64_t nth = 0;
    int code;

    (void)state;
    do {
        mem_test_fail(++nth, 0);
        code = io_pool_create(3, 100, 8, &p);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
    } while (code);
    assert_int_equal(nth, 5);
    io_pool_destroy(p);
}

struct crowd {
    struct io_pool *pool;
    atomic_uint out;
    atomic_uint most;
    atomic_uint nulls;
};

static void *take_and_give(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t *b = io_pool_take(c->pool);
        unsigned out = atomic_fetch_add(&c->out, 1) + 1;
        unsigned most = atomic_load(&c->most);

        while (out > most && !atomic_compare_exchange_weak(&c->most, &most, out))
            ;
        *b = (uintptr_t)b + (unsigned)i; /* two owners at once would be a race */
        assert(*b == (uintptr_t)b + (unsigned)i);
        atomic_fetch_sub(&c->out, 1);
        io_pool_give(c->pool, b);
    }
    return NULL;
}

static void takers_wait_for_credits(void **state)
{
    struct crowd c = {0};
    pthread_t threads[TAKERS];

    (void)state;
    assert_int_equal(io_pool_create(2, 64, 64, &c.pool), 0);
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &c), 0);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&c.most) >= 1 && atomic_load(&c.most) <= 2);
    io_pool_destroy(c.pool);
}

static void *take_until_null(void *arg)
{
    struct crowd *c = arg;

    if (!io_pool_take(c->pool))
        atomic_fetch_add(&c->nulls, 1);
    return NULL;
}

static void stop_wakes_all(void **state)
{
    struct crowd c = {0};
    pthread_t threads[TAKERS];
    void *only;

    (void)state;
    assert_int_equal(io_pool_create(1, 64, 64, &c.pool), 0);
    only = io_pool_take(c.pool);
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_until_null, &c), 0);
    usleep(20000);
    io_pool_stop(c.pool);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&c.nulls), TAKERS);
    io_pool_give(c.pool, only);
    assert_null(io_pool_take(c.pool));
    assert_null(io_pool_try_take(c.pool));
    io_pool_destroy(c.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_are_aligned_and_apart),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(failing_allocations_leave_nothing),
        cmocka_unit_test(takers_wait_for_credits),
        cmocka_unit_test(stop_wakes_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
