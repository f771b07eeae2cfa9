/* test_rtf.c: compressed RTF: the specification's examples, the format's corners, hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/rtf.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/crc.h"

/* The examples of [MS-OXRTFCP]. */
static const uint8_t simple[] = {0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a,
                                 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00,
                                 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a,
                                 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77,
                                 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0};
static const uint8_t crossing[] = {0x1a, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x4c, 0x5a,
                                   0x46, 0x75, 0xe2, 0xd4, 0x4b, 0x51, 0x41, 0x00, 0x04, 0x20,
                                   0x57, 0x58, 0x59, 0x5a, 0x0d, 0x6e, 0x7d, 0x01, 0x0e, 0xb0};
static const char simple_text[] = "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";
static const char crossing_text[] = "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}";

enum { LIMIT = 1 << 20, COMPRESSED = 0x75465A4C, PLAIN = 0x414C454D };

/* The stream in memory of exactly its size. */
static int decompress(const void *data, size_t size, size_t limit, struct buf *out)
{
    uint8_t *copy = malloc(size ? size : 1);
    int rc;

    assert_non_null(copy);
    if (size)
        memcpy(copy, data, size);
    buf_reset(out);
    rc = idx_rtf_decompress((struct bytes){copy, size}, limit, out);
    free(copy);
    return rc;
}

static size_t make(uint8_t *stream, uint32_t type, uint32_t raw, const void *content, size_t size)
{
    put_le32(stream, (uint32_t)size + 12);
    put_le32(stream + 4, raw);
    put_le32(stream + 8, type);
    put_le32(stream + 12, type == COMPRESSED ? ost_crc(content, size) : 0);
    memcpy(stream + 16, content, size);
    return 16 + size;
}

static void gives(int rc, const struct buf *out, const char *text)
{
    assert_int_equal(rc, 0);
    assert_int_equal(out->size, strlen(text));
    assert_memory_equal(out->data, text, out->size);
}

static void examples_of_the_specification(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    gives(decompress(simple, sizeof simple, LIMIT, &out), &out, simple_text);
    gives(decompress(crossing, sizeof crossing, LIMIT, &out), &out, crossing_text);
    buf_done(&out);
}

static void stored_without_compression(void **state)
{
    uint8_t stream[64];
    struct buf out = BUF_INIT;
    size_t n = make(stream, PLAIN, 6, "{\\rtf}", 6);

    (void)state;
    gives(decompress(stream, n, LIMIT, &out), &out, "{\\rtf}");
    put_le32(stream + 4, 7);
    assert_int_equal(decompress(stream, n, LIMIT, &out), ERR_DAMAGED);
    assert_int_equal(out.size, 6);
    put_le32(stream + 4, 5);
    assert_int_equal(decompress(stream, n, LIMIT, &out), ERR_DAMAGED);
    assert_int_equal(out.size, 5);
    buf_done(&out);
}

static void damage_is_said_and_the_rest_kept(void **state)
{
    uint8_t stream[sizeof simple + 1];
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t n = 0; n < sizeof simple; n++)
        assert_int_equal(decompress(simple, n, LIMIT, &out), ERR_DAMAGED);
    assert_memory_equal(out.data, simple_text, out.size);
    assert_true(out.size > 30);
    memcpy(stream, simple, sizeof simple);
    stream[sizeof simple] = 0;
    assert_int_equal(decompress(stream, sizeof stream, LIMIT, &out), ERR_DAMAGED);
    for (size_t bit = 0; bit < 8 * sizeof simple; bit++) {
        memcpy(stream, simple, sizeof simple);
        stream[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(decompress(stream, sizeof simple, LIMIT, &out), 0);
    }
    memcpy(stream, simple, sizeof simple);
    stream[12] ^= 1;
    assert_int_equal(decompress(stream, sizeof simple, LIMIT, &out), ERR_DAMAGED);
    assert_int_equal(out.size, strlen(simple_text));
    buf_done(&out);
}

/* 4096 literals fill the ring; a reference then reaches across its end. */
static void references_wrap_around_the_ring(void **state)
{
    static uint8_t content[8192], stream[8300];
    struct buf out = BUF_INIT;
    size_t n = 0, literals = 4096 - 207 + 2;

    (void)state;
    for (size_t i = 0; i < literals; i += 8) {
        size_t run = literals - i < 8 ? literals - i : 8;

        content[n++] = (uint8_t)(run < 8 ? 3U << run : 0);
        for (size_t k = 0; k < run; k++)
            content[n++] = (uint8_t)('a' + (i + k) % 26);
    }
    assert_true(literals % 8 == 3);
    content[n++] = 4094 >> 4; /* four bytes: two before the end of the ring, two after it */
    content[n++] = (4094 & 15) << 4 | 2;
    content[n++] = 6 >> 4; /* the place written next: the end */
    content[n++] = (6 & 15) << 4;
    n = make(stream, COMPRESSED, (uint32_t)literals + 4, content, n);
    assert_int_equal(decompress(stream, n, LIMIT, &out), 0);
    assert_int_equal(out.size, literals + 4);
    assert_memory_equal(out.data + literals, out.data + literals - 4, 4);
    buf_done(&out);
}

static void sizes_are_bounded(void **state)
{
    uint8_t stream[64];
    struct buf out = BUF_INIT;
    size_t n;

    (void)state;
    assert_int_equal(decompress(simple, sizeof simple, 42, &out), ERR_LIMIT);
    gives(decompress(simple, sizeof simple, 43, &out), &out, simple_text);
    /* a size that no stream of this length can have takes no memory of that size */
    buf_done(&out);
    n = make(stream, COMPRESSED, 0xFFFFFFFF, "\0abcdefgh", 9);
    assert_int_equal(decompress(stream, n, SIZE_MAX, &out), ERR_DAMAGED);
    assert_true(out.capacity < 1024);
    assert_int_equal(out.size, 8);
    n = make(stream, COMPRESSED, 0, "\1\x0C\xF0", 3);
    gives(decompress(stream, n, 0, &out), &out, "");
    n = make(stream, 0x12345678, 0, "", 0);
    assert_int_equal(decompress(stream, n, LIMIT, &out), ERR_DAMAGED);
    buf_done(&out);
}

static void appends_and_fails_cleanly(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    buf_puts(&out, "before ");
    assert_int_equal(idx_rtf_decompress((struct bytes){crossing, sizeof crossing}, LIMIT, &out), 0);
    assert_int_equal(out.size, 7 + strlen(crossing_text));
    assert_memory_equal(out.data, "before {\\rtf1", 13);
    buf_done(&out);
    mem_test_fail(1, 0);
    assert_int_equal(decompress(simple, sizeof simple, LIMIT, &out), ERR_NOMEM);
    mem_test_fail(0, 0);
    assert_true(out.failed);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_specification),
        cmocka_unit_test(stored_without_compression),
        cmocka_unit_test(damage_is_said_and_the_rest_kept),
        cmocka_unit_test(references_wrap_around_the_ring),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(appends_and_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
