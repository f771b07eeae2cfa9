/* test_sort.c: sorting in place, held against orders that are known, and its steps counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "io/sort.h"

enum { MOST = 20000 };

static uint64_t compared;

static int by_key(const void *a, const void *b)
{
    uint32_t x, y;

    compared++;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static uint64_t rolled = 88172645463325252u;

static uint32_t roll(uint32_t sides)
{
    rolled ^= rolled << 13;
    rolled ^= rolled >> 7;
    rolled ^= rolled << 17;
    return (uint32_t)((rolled >> 16) % sides);
}

enum order { RANDOM, FEW_KEYS, EQUAL, ASCENDING, DESCENDING, ORGAN, NEARLY, SAWTOOTH, ORDERS };

static uint32_t key_of(enum order order, uint32_t i, uint32_t count)
{
    switch (order) {
    case RANDOM:
        return roll(UINT32_MAX);
    case FEW_KEYS:
        return roll(4);
    case EQUAL:
        return 7;
    case ASCENDING:
        return i;
    case DESCENDING:
        return count - i;
    case ORGAN:
        return i < count / 2 ? i : count - i;
    case NEARLY:
        return i % 97 == 5 ? roll(count) : i;
    default:
        return i % 64;
    }
}

static void put(unsigned char *at, size_t size, uint32_t key)
{
    memcpy(at, &key, sizeof key);
    for (size_t i = sizeof key; i < size; i++)
        at[i] = (unsigned char)(key * 31 + i);
}

/* Sorts `count` elements and looks at each: in order, whole, and all of them (by their sum). */
static void sort_and_check(enum order order, uint32_t count, size_t size)
{
    unsigned char *list = mem_alloc(MOST * (size_t)IO_SORT_ELEMENT_MAX);
    unsigned char wanted[IO_SORT_ELEMENT_MAX];
    uint64_t sum = 0;
    uint32_t last = 0, key, log = 1;

    assert_non_null(list);
    for (uint32_t i = 0; i < count; i++) {
        key = key_of(order, i, count);
        sum += key * (uint64_t)key;
        put(list + i * size, size, key);
    }
    compared = 0;
    io_sort(list, count, size, by_key);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&key, list + i * size, sizeof key);
        put(wanted, size, key);
        assert_memory_equal(list + i * size, wanted, size);
        assert_true(key >= last);
        last = key;
        sum -= key * (uint64_t)key;
    }
    assert_true(sum == 0);
    for (uint32_t n = count; n; n /= 2)
        log++;
    assert_true(compared <= 5 * (uint64_t)log * count + 64);
    mem_free(list);
}

static void every_order_is_put_right(void **state)
{
    static const size_t sizes[] = {4, 8, 13, 16, 24, 40, 63, 64};

    (void)state;
    for (int order = 0; order < ORDERS; order++) {
        for (uint32_t count = 0; count < 40; count++)
            sort_and_check((enum order)order, count, sizes[count % 8]);
        for (unsigned i = 0; i < 60; i++)
            sort_and_check((enum order)order, 40 + roll(1500), sizes[i % 8]);
        sort_and_check((enum order)order, MOST, 24);
    }
}

/* An enemy that decides the order only as it is asked for it (McIlroy): quicksorts take n^2 steps.
 */
static uint32_t values[MOST], solid, gas, candidate;

static int hostile(const void *a, const void *b)
{
    uint32_t x, y;

    compared++;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    if (values[x] == gas && values[y] == gas)
        values[x == candidate ? x : y] = solid++;
    if (values[x] == gas)
        candidate = x;
    else if (values[y] == gas)
        candidate = y;
    return (values[x] > values[y]) - (values[x] < values[y]);
}

static void no_order_is_slow(void **state)
{
    uint32_t *list = mem_alloc_array(MOST, sizeof *list);

    (void)state;
    assert_non_null(list);
    gas = MOST;
    solid = 0;
    for (uint32_t i = 0; i < MOST; i++) {
        list[i] = i;
        values[i] = gas;
    }
    compared = 0;
    io_sort(list, MOST, sizeof *list, hostile);
    for (uint32_t i = 1; i < MOST; i++)
        assert_true(values[list[i - 1]] <= values[list[i]]);
    assert_true(compared < (uint64_t)MOST * 15 * 6);
    mem_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_is_put_right),
        cmocka_unit_test(no_order_is_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
