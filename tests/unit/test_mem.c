/*
 * test_mem.c: what mem_keep_freed promises of large buffers.
 *
 * An image's large buffers are of a few sizes, come in no fixed order, and between them lies what
 * is kept to the end of a run. Where they lie must not depend on how many images there were: memory
 * that was once filled stays resident.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/mem.h"

enum { TOGETHER = 8, IMAGES = 200, PLACES = 4096, MIB = 1 << 20 };

static int keep_freed(void **state)
{
    (void)state;
    mem_keep_freed();
    return 0;
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

struct places {
    const void *at[PLACES];
    size_t count;
};

static void note_place(struct places *p, const void *at)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->at[i] == at)
            return;
    assert_true(p->count < PLACES);
    p->at[p->count++] = at;
}

/* Sizes of `least` to 16 MiB, had and freed in any order, by any of the functions. */
static void use_buffers(uint32_t *seed, size_t least, struct places *places)
{
    uint8_t *buffers[TOGETHER];

    for (unsigned i = 0; i < TOGETHER; i++) {
        size_t size = least + next(seed) % (16 * MIB + 1 - least);

        buffers[i] = next(seed) % 2 ? mem_alloc(size) : mem_aligned(4096, size);
        assert_non_null(buffers[i]);
        buffers[i][0] = buffers[i][size - 1] = 1;
        note_place(places, buffers[i]);
    }
    for (unsigned i = 0; i < TOGETHER; i++) {
        unsigned other = i + next(seed) % (TOGETHER - i);

        mem_free(buffers[other]);
        buffers[other] = buffers[i];
    }
}

/* The first of all, so that it is not part of a larger one. */
static void test_the_smallest_is_one(void **state)
{
    uint8_t *first = mem_aligned(4096, MIB), *second = mem_alloc(MIB);

    (void)state;
    assert_non_null(first);
    assert_non_null(second);
    memset(first, 1, MIB);
    memset(second, 2, MIB);
    mem_free(second);
    assert_ptr_equal(mem_alloc(MIB), second);
    mem_free(first);
    mem_free(second);
}

static void test_large_buffers_lie_in_few_places(void **state)
{
    static struct places places;
    void *kept[IMAGES];
    uint32_t seed = 1;

    (void)state;
    use_buffers(&seed, 16 * MIB, &places);
    for (unsigned i = 0; i < IMAGES; i++) {
        use_buffers(&seed, MIB, &places);
        kept[i] = mem_alloc(64 + next(&seed) % 2000);
        assert_non_null(kept[i]);
    }
    /* Once as many as are used together are as large as any, there are no others. */
    assert_int_equal(places.count, TOGETHER);
    for (unsigned i = 0; i < IMAGES; i++)
        mem_free(kept[i]);
}

static void test_a_freed_one_is_given_again(void **state)
{
    uint8_t *large = mem_alloc(6 * MIB), *small = mem_alloc(MIB), *again, *other;

    (void)state;
    assert_non_null(large);
    assert_non_null(small);
    memset(large, 7, 6 * MIB);
    mem_free(small);
    mem_free(large);
    /* The smallest that will do. */
    again = mem_alloc(5 * MIB);
    assert_ptr_equal(again, large);
    other = mem_aligned(64, MIB);
    assert_non_null(other);
    assert_ptr_not_equal(other, large);
    mem_free(again);
    mem_free(other);
}

static void test_one_that_grows_keeps_its_bytes(void **state)
{
    uint8_t *grown = mem_alloc(2 * MIB), *other;

    (void)state;
    memset(grown, 9, 2 * MIB);
    grown = mem_realloc(grown, 40 * MIB);
    assert_non_null(grown);
    other = mem_alloc(2 * MIB);
    memset(other, 5, 2 * MIB);
    memset(grown + 2 * MIB, 3, 38 * MIB);
    for (size_t i = 0; i < 40 * MIB; i += 4096)
        assert_int_equal(grown[i], i < 2 * MIB ? 9 : 3);
    mem_free(grown);
    for (size_t i = 0; i < 2 * MIB; i += 4096)
        assert_int_equal(other[i], 5);
    mem_free(other);
}

static void test_what_cannot_be_is_refused(void **state)
{
    (void)state;
    assert_null(mem_alloc_array(SIZE_MAX / 2, 3));
    mem_test_fail(1, 0);
    assert_null(mem_alloc(2 * MIB));
    mem_test_fail(1, 0);
    assert_null(mem_aligned(64, 2 * MIB));
    mem_test_fail(0, 0);
    mem_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_smallest_is_one),
        cmocka_unit_test(test_large_buffers_lie_in_few_places),
        cmocka_unit_test(test_a_freed_one_is_given_again),
        cmocka_unit_test(test_one_that_grows_keeps_its_bytes),
        cmocka_unit_test(test_what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, keep_freed, NULL);
}
