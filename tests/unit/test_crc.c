/* test_crc.c: the checksum of headers, pages and blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scanner/ost/crc.h"

/* The definition, bit by bit. */
static uint32_t crc_slow(const uint8_t *data, size_t size)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return crc;
}

static void check_value(void **state)
{
    static const uint8_t zeros[512];

    (void)state;
    assert_int_equal(ost_crc("123456789", 9), 0x2DFD2D88);
    assert_int_equal(ost_crc(zeros, sizeof zeros), 0);
    assert_int_equal(ost_crc("", 0), 0);
}

static void agrees_with_the_definition(void **state)
{
    static uint8_t data[700];
    uint32_t x = 1;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
    for (size_t start = 0; start < 20; start++)
        for (size_t size = 0; size + start <= sizeof data; size += 7)
            assert_int_equal(ost_crc(data + start, size), crc_slow(data + start, size));
}

static void goes_on_from_a_part(void **state)
{
    const char *text = "123456789";

    (void)state;
    for (size_t cut = 0; cut <= 9; cut++)
        assert_int_equal(ost_crc_more(ost_crc(text, cut), text + cut, 9 - cut), 0x2DFD2D88);
}

/* Low 32 bits of each, xor, folded to 16. */
static void signature_folds_offset_and_bid(void **state)
{
    (void)state;
    assert_int_equal(ost_sig(0, 0), 0);
    assert_int_equal(ost_sig(0x12340000, 0), 0x1234);
    assert_int_equal(ost_sig(0x5600, 0x12340078), 0x1234 ^ 0x5678);
    assert_int_equal(ost_sig(0x500005600ull, 0x900000000ull), 0x5600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_value),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(goes_on_from_a_part),
        cmocka_unit_test(signature_folds_offset_and_bid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
