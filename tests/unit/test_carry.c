/* test_carry.c: what is carried comes back whole; past the budget what is needed last is dropped.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/native_carry.h"

enum { MIB = 1 << 20, LARGEST = 65536, MANY = 20000 };

static uint32_t size_of(uint32_t block)
{
    return block * 7919 % LARGEST + 1;
}

static void fill(uint8_t *into, uint32_t block, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        into[i] = (uint8_t)(block * 31 + i * 7 + i / 256);
}

static bool has(struct native_carry *c, uint32_t block, uint32_t size)
{
    static uint8_t got[LARGEST], want[LARGEST];

    if (!native_carry_get(c, block, got, size))
        return false;
    fill(want, block, size);
    assert_memory_equal(got, want, size);
    return true;
}

static void put(struct native_carry *c, uint32_t block, uint64_t need, uint32_t size)
{
    static uint8_t bytes[LARGEST];

    fill(bytes, block, size);
    native_carry_put(c, block, need, bytes, size);
}

static void what_is_put_comes_back(void **state)
{
    struct native_carry *c;

    (void)state;
    assert_int_equal(native_carry_create(64 * MIB, &c), 0);
    for (uint32_t b = 0; b < 1000; b++) {
        assert_false(has(c, b, size_of(b)));
        put(c, b, b, size_of(b));
    }
    for (uint32_t b = 0; b < 1000; b += 3)
        native_carry_drop(c, b);
    native_carry_drop(c, 5000);
    for (uint32_t b = 0; b < 1000; b++)
        assert_int_equal(has(c, b, size_of(b)), b % 3 != 0);
    for (uint32_t b = 0; b < 1000; b++)
        put(c, b, b, size_of(b)); /* the others stay as they are */
    for (uint32_t b = 0; b < 1000; b++)
        assert_true(has(c, b, size_of(b)));
    assert_false(has(c, 1, size_of(1) + 1));
    assert_int_equal(native_carry_sums(c).dropped_bytes, 0);
    native_carry_destroy(c);
    native_carry_destroy(NULL);
}

/* Of equal blocks those needed soonest stay, but for a few at the edge: the carry is in parts. */
static void the_furthest_go_first(void **state)
{
    enum { SIZE = 4096, ROOM = 16 * MIB / SIZE };
    struct native_carry *c;
    unsigned near = 0, far = 0;

    (void)state;
    assert_int_equal(native_carry_create(16 * MIB, &c), 0);
    for (uint32_t b = 0; b < MANY; b++)
        put(c, b, b * UINT64_C(7919) % MANY, SIZE);
    for (uint32_t b = 0; b < MANY; b++) {
        uint64_t need = b * UINT64_C(7919) % MANY;
        bool there = has(c, b, SIZE);

        near += there && need < ROOM * 9 / 10;
        far += there && need > ROOM * 11 / 10;
    }
    assert_int_equal(near, ROOM * 9 / 10);
    assert_int_equal(far, 0);
    assert_int_equal(native_carry_sums(c).put_bytes - native_carry_sums(c).dropped_bytes > 0, 1);
    native_carry_destroy(c);
}

static void without_room_nothing_is_carried(void **state)
{
    struct native_carry *c;

    (void)state;
    assert_int_equal(native_carry_create(0, &c), 0);
    put(c, 1, 1, 100);
    assert_false(has(c, 1, 100));
    native_carry_destroy(c);
}

/* Whichever allocation fails, blocks are carried whole or not at all. */
static void without_memory_it_carries_less(void **state)
{
    uint64_t before = mem_test_count(), all;
    struct native_carry *c = NULL;

    (void)state;
    assert_int_equal(native_carry_create(8 * MIB, &c), 0);
    for (uint32_t b = 0; b < 500; b++)
        put(c, b, b, size_of(b) % 8192 + 1);
    native_carry_destroy(c);
    all = mem_test_count() - before;
    assert_true(all > 20);
    for (uint64_t n = 1; n <= all; n++) {
        unsigned there = 0;

        mem_test_fail(n, 0);
        if (native_carry_create(8 * MIB, &c) == 0) {
            for (uint32_t b = 0; b < 500; b++)
                put(c, b, b, size_of(b) % 8192 + 1);
            mem_test_fail(0, 0);
            for (uint32_t b = 0; b < 500; b++)
                there += has(c, b, size_of(b) % 8192 + 1);
            assert_true(there > 250);
            native_carry_destroy(c);
        }
        mem_test_fail(0, 0);
    }
}

struct user {
    struct native_carry *carry;
    uint32_t first;
    pthread_t thread;
    unsigned wrong;
};

static void *use(void *arg)
{
    struct user *u = arg;
    uint8_t bytes[600], got[600];

    for (uint32_t turn = 0; turn < 20; turn++)
        for (uint32_t b = u->first; b < u->first + 200; b++) {
            memset(bytes, (int)(b + turn), sizeof bytes);
            native_carry_put(u->carry, b, b, bytes, sizeof bytes);
            u->wrong += !native_carry_get(u->carry, b, got, sizeof got) ||
                        memcmp(bytes, got, sizeof got) != 0;
            native_carry_drop(u->carry, b);
        }
    return NULL;
}

static void threads_share_it(void **state)
{
    struct user users[3];
    struct native_carry *c;

    (void)state;
    assert_int_equal(native_carry_create(8 * MIB, &c), 0);
    for (unsigned i = 0; i < 3; i++) {
        users[i] = (struct user){.carry = c, .first = i * 200};
        assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(users[i].thread, NULL);
        assert_int_equal(users[i].wrong, 0);
    }
    native_carry_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_comes_back),
        cmocka_unit_test(the_furthest_go_first),
        cmocka_unit_test(without_room_nothing_is_carried),
        cmocka_unit_test(without_memory_it_carries_less),
        cmocka_unit_test(threads_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
