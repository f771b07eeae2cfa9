/* test_cipher.c: the two encodings of blocks, and the permute cipher's implementations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/ost/cipher.h"
#include "tests/support/guard.h"

static uint8_t permuted(uint8_t b)
{
    uint8_t out;

    ost_permute_by(OST_SIMD_NONE, &out, &b, 1);
    return out;
}

/* The inverse of the published table that begins 41 36 13 62 A8 21 6E BB. */
static void permute_undoes_the_published_table(void **state)
{
    static const uint8_t r[] = {0x41, 0x36, 0x13, 0x62, 0xA8, 0x21, 0x6E, 0xBB};
    uint8_t seen[256] = {0};

    (void)state;
    for (unsigned i = 0; i < sizeof r; i++)
        assert_int_equal(permuted(r[i]), i);
    for (unsigned i = 0; i < 256; i++)
        seen[permuted((uint8_t)i)]++;
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(seen[i], 1);
}

/* [MS-PST] 5.2 gives no vectors: these were made by the loop of the specification in Python. */
static void cyclic_gives_known_bytes(void **state)
{
    static const uint8_t expected[] = {0xE6, 0x42, 0x0A, 0x02, 0xAF, 0xC2, 0xCD, 0xC2, 0x89, 0xE1,
                                       0xB5, 0xFD, 0xA8, 0x53, 0x4E, 0x3E, 0xDE, 0xDE, 0xFE, 0x78,
                                       0x45, 0x3C, 0xE9, 0xFB, 0x16, 0xB6, 0x8D, 0xA2, 0x76, 0x58,
                                       0xEB, 0x5E, 0xCC, 0xDF, 0x2A, 0x72, 0xA8, 0xF7, 0x3C, 0xDF};
    uint8_t data[sizeof expected], again[sizeof expected];

    (void)state;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37);
    ost_cyclic(again, data, sizeof data, 0x123456789ABCull);
    assert_memory_equal(again, expected, sizeof expected);
    ost_cyclic(again, again, sizeof again, 0x123456789ABCull);
    assert_memory_equal(again, data, sizeof data);
}

/* The key counts up with the bytes and wraps at 16 bits. */
static void cyclic_key_wraps(void **state)
{
    static uint8_t data[70000], out[70000], part[8];

    (void)state;
    ost_cyclic(out, data, sizeof data, 0xFFFC);
    ost_cyclic(part, data, sizeof part, 0);
    assert_memory_equal(out + 4, part, sizeof part);
    assert_memory_equal(out, out + 65536, 4464);
}

static void one_length_and_alignment(enum ost_simd simd, const uint8_t *from, size_t size,
                                     size_t shift, uint8_t *guarded_end)
{
    static uint8_t room[800], expected[800];
    uint8_t *to = guarded_end - size;

    ost_permute_by(OST_SIMD_NONE, expected, from, size);
    memset(room, 0xA5, sizeof room);
    ost_permute_by(simd, room + shift, from, size);
    assert_memory_equal(room + shift, expected, size);
    for (size_t i = 0; i < sizeof room; i++)
        if (i < shift || i >= shift + size)
            assert_int_equal(room[i], 0xA5);
    memcpy(to, from, size);
    ost_permute_by(simd, to, to, size);
    assert_memory_equal(to, expected, size);
}

static void every_implementation_agrees(void **state)
{
    static uint8_t data[800];
    struct guard g;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 167 + i / 256);
    guard_init(&g, 1024);
    for (enum ost_simd simd = 0; simd < OST_SIMD_COUNT; simd++) {
        if (!ost_simd_available(simd)) {
            print_message("this processor lacks implementation %d\n", (int)simd);
            continue;
        }
        for (size_t size = 0; size <= 600; size++)
            for (size_t shift = 0; shift < 64; shift++)
                one_length_and_alignment(simd, data + (63 - shift), size, shift, g.data + g.size);
    }
    guard_done(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permute_undoes_the_published_table),
        cmocka_unit_test(cyclic_gives_known_bytes),
        cmocka_unit_test(cyclic_key_wraps),
        cmocka_unit_test(every_implementation_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
