/* test_carry.c: what is carried comes back whole; past the budget what is needed last is dropped.
 */
#include <malloc.h>
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

/* What is needed when: here a block's number, or what `scattered` makes of it. */
static uint64_t by_number(const void *ctx, uint32_t block)
{
    (void)ctx;
    return block;
}

static uint64_t scattered(uint32_t block)
{
    return block * UINT64_C(7919) % MANY;
}

/* ctx: whether it is known yet. */
static uint64_t when_known(const void *ctx, uint32_t block)
{
    return *(const bool *)ctx ? scattered(block) : MANY / 2;
}

static struct native_carry *create(uint64_t memory, uint64_t (*need)(const void *, uint32_t),
                                   const void *ctx)
{
    struct native_carry *c;

    assert_int_equal(native_carry_create(memory, (struct native_needs){ctx, need}, &c), 0);
    return c;
}

static void put(struct native_carry *c, uint32_t block, uint32_t size)
{
    static uint8_t bytes[LARGEST];

    fill(bytes, block, size);
    native_carry_put(c, block, bytes, size);
}

static void what_is_put_comes_back(void **state)
{
    struct native_carry *c = create(64 * MIB, by_number, NULL);

    (void)state;
    for (uint32_t b = 0; b < 1000; b++) {
        assert_false(has(c, b, size_of(b)));
        put(c, b, size_of(b));
    }
    for (uint32_t b = 0; b < 1000; b += 3)
        native_carry_drop(c, b);
    native_carry_drop(c, 5000);
    for (uint32_t b = 0; b < 1000; b++)
        assert_int_equal(has(c, b, size_of(b)), b % 3 != 0);
    for (uint32_t b = 0; b < 1000; b++)
        put(c, b, size_of(b)); /* the others stay as they are */
    for (uint32_t b = 0; b < 1000; b++)
        assert_true(has(c, b, size_of(b)));
    assert_false(has(c, 1, size_of(1) + 1));
    assert_int_equal(native_carry_sums(c).dropped_bytes, 0);
    native_carry_destroy(c);
    native_carry_destroy(NULL);
}

enum { SIZE = 4096 };

/* Of equal blocks those needed soonest stay, but for a few at the edge: the carry is in parts, and
 * has tables. */
static void the_nearest_stay(struct native_carry *c, uint32_t room)
{
    unsigned near = 0, far = 0;

    for (uint32_t b = 0; b < MANY; b++) {
        bool there = has(c, b, SIZE);

        assert_int_equal(native_carry_has(c, b), there);
        near += there && scattered(b) < room * 6 / 7;
        far += there && scattered(b) > room;
    }
    assert_int_equal(near, room * 6 / 7);
    assert_int_equal(far, 0);
}

static void the_furthest_go_first(void **state)
{
    static const bool known = true;
    struct native_carry *c = create(16 * MIB, when_known, &known);

    (void)state;
    assert_false(native_carry_full(c));
    for (uint32_t b = 0; b < MANY; b++)
        put(c, b, SIZE);
    assert_true(native_carry_full(c));
    the_nearest_stay(c, 16 * MIB / SIZE);
    assert_true(native_carry_sums(c).put_bytes > native_carry_sums(c).dropped_bytes / 2);
    native_carry_destroy(c);
}

/* What becomes known of blocks that are carried counts. */
static void needs_are_asked_for_again(void **state)
{
    enum { FIRST = 3000 };
    bool known = false;
    struct native_carry *c = create(16 * MIB, when_known, &known);
    unsigned near = 0, far = 0;

    (void)state;
    for (uint32_t b = 0; b < FIRST; b++)
        put(c, b, SIZE);
    assert_false(native_carry_full(c));
    known = true;
    for (uint32_t b = FIRST; b < MANY; b++)
        put(c, b, SIZE);
    for (uint32_t b = 0; b < FIRST; b++) {
        bool there = native_carry_has(c, b);

        near += !there && scattered(b) < 16 * MIB / SIZE * 3 / 4;
        far += there && scattered(b) > 16 * MIB / SIZE;
    }
    assert_int_equal(near, 0);
    assert_int_equal(far, 0);
    native_carry_destroy(c);
}

/* Bytes of the heap in use; always 0 under sanitizers. */
static uint64_t heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

/* Tables included, however small the blocks. */
static void the_memory_is_bounded(void **state)
{
    static const uint32_t sizes[] = {1, 64, 512, 513, 8192};

    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t before = heap();
        struct native_carry *c = create(4 * MIB, by_number, NULL);

        for (uint32_t b = 0; b < MANY; b++)
            put(c, b, sizes[i]);
        assert_true(heap() - before <= 4 * MIB + 16384);
        native_carry_destroy(c);
    }
}

static void without_room_nothing_is_carried(void **state)
{
    struct native_carry *c = create(0, by_number, NULL);

    (void)state;
    put(c, 1, 100);
    assert_false(has(c, 1, 100));
    native_carry_destroy(c);
}

/* Whichever allocation fails, blocks are carried whole or not at all. */
static void without_memory_it_carries_less(void **state)
{
    const struct native_needs needs = {NULL, by_number};
    uint64_t before = mem_test_count(), all;
    struct native_carry *c = create(8 * MIB, by_number, NULL);

    (void)state;
    for (uint32_t b = 0; b < 500; b++)
        put(c, b, size_of(b) % 8192 + 1);
    native_carry_destroy(c);
    all = mem_test_count() - before;
    assert_true(all > 20);
    for (uint64_t n = 1; n <= all; n++) {
        unsigned there = 0;

        mem_test_fail(n, 0);
        if (native_carry_create(8 * MIB, needs, &c) == 0) {
            for (uint32_t b = 0; b < 500; b++)
                put(c, b, size_of(b) % 8192 + 1);
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
            native_carry_put(u->carry, b, bytes, sizeof bytes);
            u->wrong += !native_carry_get(u->carry, b, got, sizeof got) ||
                        memcmp(bytes, got, sizeof got) != 0;
            native_carry_drop(u->carry, b);
        }
    return NULL;
}

static void threads_share_it(void **state)
{
    struct user users[3];
    struct native_carry *c = create(8 * MIB, by_number, NULL);

    (void)state;
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
        cmocka_unit_test(needs_are_asked_for_again),
        cmocka_unit_test(the_memory_is_bounded),
        cmocka_unit_test(without_room_nothing_is_carried),
        cmocka_unit_test(without_memory_it_carries_less),
        cmocka_unit_test(threads_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
