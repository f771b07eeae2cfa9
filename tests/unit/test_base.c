/* test_base.c: the small base of io/: hex, buffers, arenas, failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/arena.h"
#include "io/buf.h"
#include "io/bytes.h"
#include "io/mem.h"

static void hex_goes_both_ways(void **state)
{
    uint8_t bytes[] = {0x00, 0xff, 0x1a}, back[3];
    char text[7];

    (void)state;
    hex_encode(bytes, 3, text);
    assert_string_equal(text, "00ff1a");
    assert_true(hex_decode("00Ff1A", 3, back));
    assert_memory_equal(back, bytes, 3);
    assert_false(hex_decode("0g", 1, back));
    assert_false(hex_decode("g0", 1, back));
}

static void slices_stay_inside(void **state)
{
    uint8_t data[8] = {0};
    struct bytes all = {data, 8}, part;

    (void)state;
    assert_true(bytes_slice(all, 8, 0, &part));
    assert_true(bytes_slice(all, 2, 6, &part));
    assert_ptr_equal(part.data, data + 2);
    assert_false(bytes_slice(all, 2, 7, &part));
    assert_false(bytes_slice(all, 9, 0, &part));
    assert_false(range_fits(1, UINT64_MAX, 100));
}

static void buffer_grows_and_remembers_failure(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i);
    assert_int_equal(b.size, 3890);
    assert_false(b.failed);
    mem_test_fail(1, 1);
    assert_false(buf_reserve(&b, 1 << 20));
    mem_test_fail(0, 0);
    assert_true(b.failed);
    buf_puts(&b, "x");
    assert_int_equal(b.size, 3890);
    buf_reset(&b);
    buf_puts(&b, "x");
    assert_string_equal(buf_cstr(&b), "x");
    buf_done(&b);
}

static void arena_keeps_its_limit_and_memory(void **state)
{
    struct arena a;
    uint64_t before;

    (void)state;
    arena_init(&a, 1 << 20);
    assert_non_null(arena_alloc(&a, 0));
    assert_null(arena_alloc(&a, 1 << 20));
    assert_non_null(arena_alloc(&a, (1 << 20) - 16));
    assert_null(arena_alloc(&a, 1));
    arena_reset(&a);
    before = mem_test_count();
    for (int i = 0; i < 100; i++) {
        assert_non_null(arena_alloc(&a, 5000));
        arena_reset(&a);
    }
    assert_int_equal(mem_test_count(), before);
    assert_null(arena_alloc_array(&a, SIZE_MAX / 2, 4));
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(slices_stay_inside),
        cmocka_unit_test(buffer_grows_and_remembers_failure),
        cmocka_unit_test(arena_keeps_its_limit_and_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
