/* test_text.c: UTF-16, code pages, NFC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <iconv.h>
#include <utf8proc.h>

#include "index/codepage.h"
#include "index/text.h"
#include "index/utf16.h"
#include "io/err.h"
#include "io/mem.h"

static struct bytes of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static void is(const struct buf *b, const char *text)
{
    assert_false(b->failed);
    assert_int_equal(b->size, strlen(text));
    assert_memory_equal(b->data, text, b->size);
}

static void utf16(const void *data, size_t size, const char *expected, bool expect_whole)
{
    uint8_t *copy = malloc(size ? size : 1);
    struct buf b = BUF_INIT;
    bool whole = true;

    assert_non_null(copy);
    memcpy(copy, data, size);
    idx_text_utf16((struct bytes){copy, size}, &b, &whole);
    is(&b, expected);
    assert_int_equal(whole, expect_whole);
    buf_done(&b);
    free(copy);
}

static void utf16_becomes_wtf8(void **state)
{
    (void)state;
    utf16("", 0, "", true);
    utf16("a\0", 2, "a", true);
    utf16("a\0b\0c\0d\0e\0\xE9\0f\0g\0h\0i\0", 20,
          "abcde\xC3\xA9"
          "fghi",
          true);
    utf16("\x7F\0\x80\0\xFF\x07\0\x08\xFF\xFF", 10, "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF",
          true);
    utf16("\x3D\xD8\0\xDE", 4, "\xF0\x9F\x98\x80", true);
    utf16("\xFF\xDB\xFF\xDF", 4, "\xF4\x8F\xBF\xBF", true);
    /* lone: high before text, high at the end, low, two highs and a low */
    utf16("\x00\xD8x\0", 4, "\xED\xA0\x80x", true);
    utf16("x\0\xFF\xDB", 4, "x\xED\xAF\xBF", true);
    utf16("\x00\xDCx\0", 4, "\xED\xB0\x80x", true);
    utf16("\x3D\xD8\x3D\xD8\0\xDE", 6, "\xED\xA0\xBD\xF0\x9F\x98\x80", true);
    utf16("a\0b", 3, "a", false);
    utf16("b", 1, "", false);
}

static void string8(struct idx_text *t, uint32_t page, const char *stored, const char *expected,
                    bool expect_whole)
{
    struct buf b = BUF_INIT;
    bool whole = true;

    idx_text_string8(t, of(stored), page, &b, &whole);
    is(&b, expected);
    assert_int_equal(whole, expect_whole);
    buf_done(&b);
}

static void code_pages(void **state)
{
    struct idx_text *t;

    (void)state;
    assert_int_equal(idx_text_create(&t), 0);
    for (int round = 0; round < 2; round++) { /* descriptors are used again */
        string8(t, 1252, "plain", "plain", true);
        string8(t, 1252, "\x80uro", "\xE2\x82\xACuro", true);
        string8(t, 1250, "\xB9", "\xC4\x85", true);
        string8(t, 1251, "\xCF\xF0", "\xD0\x9F\xD1\x80", true);
        string8(t, 1253, "\xC1", "\xCE\x91", true);
        string8(t, 1254, "\xFE", "\xC5\x9F", true);
        string8(t, 1255, "\xE0", "\xD7\x90", true);
        string8(t, 1256, "\xC7", "\xD8\xA7", true);
        string8(t, 1257, "\xE0", "\xC4\x85", true);
        string8(t, 1258, "\xD0", "\xC4\x90", true);
        string8(t, 874, "\xA1", "\xE0\xB8\x81", true);
        string8(t, 437, "\x81", "\xC3\xBC", true);
        string8(t, 932, "\x93\xFA\x96\x7B\\", "\xE6\x97\xA5\xE6\x9C\xAC\\", true);
        string8(t, 936, "\xC4\xE3", "\xE4\xBD\xA0", true);
        string8(t, 949, "\xB0\xA1", "\xEA\xB0\x80", true);
        string8(t, 950, "\xA4\xA4", "\xE4\xB8\xAD", true);
        string8(t, 28605, "\xA4", "\xE2\x82\xAC", true);
        string8(t, 20866, "\xF0", "\xD0\x9F", true);
        string8(t, 50220, "a\x1B$B\x46\x7C\x1B(Bb",
                "a\xE6\x97\xA5"
                "b",
                true);
        string8(t, 65000, "a+AOk-b",
                "a\xC3\xA9"
                "b",
                true);
        string8(t, 65001, "a\xC3\xA9", "a\xC3\xA9", true);
        string8(t, 54936, "\x81\x30\x81\x30", "\xC2\x80", true);
    }
    idx_text_destroy(t);
    idx_text_destroy(NULL);
}

static void what_a_page_does_not_define(void **state)
{
    struct idx_text *t;

    (void)state;
    assert_int_equal(idx_text_create(&t), 0);
    string8(t, 1252,
            "a\x81"
            "b",
            "a\xEF\xBF\xBD"
            "b",
            false);
    string8(t, 65001, "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", false);
    string8(t, 932, "x\x93", "x\xEF\xBF\xBD", false); /* half a character at the end */
    string8(t, 20127, "\xE9", "\xEF\xBF\xBD", false);
    string8(t, 4711, "plain", "plain", true); /* unknown: as 1252 */
    string8(t, 4711, "\xE9", "\xC3\xA9", false);
    idx_text_destroy(t);
}

static void long_text_needs_several_steps(void **state)
{
    enum { N = 100000 };
    struct buf in = BUF_INIT, out = BUF_INIT;
    struct idx_text *t;
    bool whole = true;

    (void)state;
    assert_int_equal(idx_text_create(&t), 0);
    for (int i = 0; i < N; i++)
        buf_puts(&in, i % 1000 ? "\xB1" : "\xFF"); /* 874: two bytes become three; FF is none */
    idx_text_string8(t, (struct bytes){in.data, in.size}, 874, &out, &whole);
    assert_int_equal(out.size, N * 3);
    assert_false(whole);
    assert_memory_equal(out.data, "\xEF\xBF\xBD\xE0\xB8\x91", 6);
    assert_memory_equal(out.data + out.size - 3, "\xE0\xB8\x91", 3);
    buf_done(&in);
    buf_done(&out);
    idx_text_destroy(t);
}

static void nfc(const char *in, const char *expected)
{
    struct buf b = BUF_INIT;

    buf_puts(&b, "^"); /* it appends, at any alignment */
    idx_text_nfc(of(in), &b);
    assert_false(b.failed);
    assert_int_equal(b.size, 1 + strlen(expected));
    assert_memory_equal(b.data + 1, expected, strlen(expected));
    buf_done(&b);
}

static void nfc_composes(void **state)
{
    (void)state;
    nfc("", "");
    nfc("only ASCII, and more of it", "only ASCII, and more of it");
    nfc("Ko\xCC\x88rper", "K\xC3\xB6rper");
    nfc("\xC3\xB6", "\xC3\xB6");
    nfc("q\xCC\x88", "q\xCC\x88");
    nfc("\xCC\x88x", "\xCC\x88x");                               /* nothing to combine with */
    nfc("a\xCC\xA3\xCC\x87", "\xE1\xBA\xA1\xCC\x87");            /* two marks, in order */
    nfc("a\xCC\x87\xCC\xA3", "\xE1\xBA\xA1\xCC\x87");            /* and not */
    nfc("\xE2\x84\xAB", "\xC3\x85");                             /* angstrom sign */
    nfc("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8", "\xEA\xB0\x81"); /* jamo */
    nfc("\xEA\xB0\x80\xE1\x86\xA8", "\xEA\xB0\x81");             /* syllable and jamo */
    nfc("\xE3\x81\x8B\xE3\x82\x99", "\xE3\x81\x8C");             /* ka and voiced mark */
    nfc("\xE0\xA5\x98", "\xE0\xA4\x95\xE0\xA4\xBC"); /* a composition that is excluded */
    nfc("\xEF\xAC\x81", "\xEF\xAC\x81");             /* fi: no compatibility forms */
    nfc("\xF0\x9D\x85\x9E", "\xF0\x9D\x85\x97\xF0\x9D\x85\xA5");
}

static void nfc_leaves_lone_surrogates_alone(void **state)
{
    (void)state;
    nfc("\xED\xA0\x80", "\xED\xA0\x80");
    nfc("o\xED\xA0\x80\xCC\x88", "o\xED\xA0\x80\xCC\x88");
    nfc("o\xCC\x88\xED\xB0\x80o\xCC\x88", "\xC3\xB6\xED\xB0\x80\xC3\xB6");
    nfc("\xFF\xC3", "\xFF\xC3"); /* no UTF-8 at all */
}

static size_t encode(uint32_t c, char *out)
{
    uint8_t pair[4];
    struct buf b = BUF_INIT;
    size_t n = 2;

    if (c < 0x10000) {
        put_le16(pair, (uint16_t)c);
    } else {
        put_le16(pair, (uint16_t)(0xD800 + ((c - 0x10000) >> 10)));
        put_le16(pair + 2, (uint16_t)(0xDC00 + ((c - 0x10000) & 0x3FF)));
        n = 4;
    }
    idx_text_utf16((struct bytes){pair, n}, &b, NULL);
    memcpy(out, b.data, b.size);
    n = b.size;
    buf_done(&b);
    return n;
}

/* Each code point behind letters that combine with much, against the library on the whole text. */
static void nfc_shortcuts_hide_nothing(void **state)
{
    static const char *const before[] = {
        "",
        "a",
        "\xE1\x84\x80",
        "\xEA\xB0\x80",
        "\xE3\x81\x8B",
        "\xD8\xA7",
        "\xE0\xA7\x87",
        "a\xCC\xA3",
        "\xCE\xA5",
        "\xD0\x98",
    };
    struct buf b = BUF_INIT;

    (void)state;
    for (uint32_t c = 1; c < 0x20000; c += c == 0xD7FF ? 0x801 : 1) {
        for (size_t k = 0; k < sizeof before / sizeof *before; k++) {
            size_t at = strlen(before[k]), n;
            char text[16];
            utf8proc_uint8_t *expected;

            memcpy(text, before[k], at);
            n = at + encode(c, text + at);
            text[n] = '\0';
            buf_reset(&b);
            idx_text_nfc((struct bytes){(uint8_t *)text, n}, &b);
            expected = utf8proc_NFC((const utf8proc_uint8_t *)text);
            assert_int_equal(b.size, strlen((char *)expected));
            assert_memory_equal(b.data, expected, b.size);
            free(expected);
        }
    }
    buf_done(&b);
}

/* Every unit, alone and among others: all ways write the same, and tell the same of it. */
static void ways_agree(void **state)
{
    enum { LONGEST = 70 };
    utf16_way ways[UTF16_WAYS];
    unsigned count = utf16_ways(ways);
    uint8_t text[2 * LONGEST], expected[3 * LONGEST], got[3 * LONGEST];

    (void)state;
    for (uint32_t unit = 0; unit < 0x10000; unit++) {
        size_t units = 1 + unit % LONGEST, at = unit / LONGEST % units;
        bool plain, as_plain;
        uint8_t *end;

        for (size_t i = 0; i < units; i++)
            put_le16(text + 2 * i, (uint16_t)(i % 5 ? 'a' : i % 3 ? 0x430 : 0x4E00 + i));
        put_le16(text + 2 * at, (uint16_t)unit);
        end = ways[0](text, units, expected, &plain);
        assert_int_equal(plain, utf16_is_plain(unit));
        for (unsigned w = 1; w < count; w++) {
            assert_ptr_equal(ways[w](text, units, got, &as_plain) - got + expected, end);
            assert_memory_equal(got, expected, (size_t)(end - expected));
            assert_int_equal(as_plain, plain);
        }
    }
}

/* Text of every length and mixture: strides and the one pass give what single steps do. */
static void strides_change_nothing(void **state)
{
    static const uint16_t units[] = {'a',    ' ',    0x7F,   0x80,   0xE9,   0x301,
                                     0x3B1,  0x44F,  0x7FF,  0x800,  0x4E2D, 0xD83D,
                                     0xDE00, 0xD800, 0xFFFD, 0xAC00, 0x11A8, 0};
    enum { LONGEST = 80, KINDS = sizeof units / sizeof *units };
    struct buf one = BUF_INIT, whole = BUF_INIT, nfc = BUF_INIT, canonical = BUF_INIT;
    utf16_way ways[UTF16_WAYS];
    unsigned way_count = utf16_ways(ways);
    uint32_t random = 1;
    struct idx_text *t;

    (void)state;
    assert_int_equal(idx_text_create(&t), 0);
    for (unsigned round = 0; round < 20000; round++) {
        size_t count = round % LONGEST, mixed = round % 7;
        uint8_t text[2 * LONGEST];
        bool complete = true;

        for (size_t i = 0; i < count; i++) {
            random = random * 1664525 + 1013904223;
            put_le16(text + 2 * i, units[(random >> 16) % 8 < mixed ? (random >> 24) % KINDS : 0]);
        }
        buf_reset(&one);
        buf_reset(&whole);
        buf_reset(&nfc);
        buf_reset(&canonical);
        for (size_t i = 0, n; i < count; i += n) {
            bool high = i + 1 < count && (text[2 * i + 1] & 0xFC) == 0xD8;

            n = high && (text[2 * i + 3] & 0xFC) == 0xDC ? 2 : 1;
            idx_text_utf16((struct bytes){text + 2 * i, 2 * n}, &one, NULL);
        }
        idx_text_utf16((struct bytes){text, 2 * count}, &whole, NULL);
        for (unsigned w = 0; w < way_count; w++) {
            uint8_t *stored = malloc(2 * count + 1), *room = malloc(3 * count + 1);
            bool plain;

            assert_true(stored && room);
            memcpy(stored, text, 2 * count);
            assert_int_equal(ways[w](stored, count, room, &plain) - room, one.size);
            assert_true(!one.size || memcmp(one.data, room, one.size) == 0);
            free(stored);
            free(room);
        }
        assert_int_equal(one.size, whole.size);
        assert_true(!one.size || memcmp(one.data, whole.data, one.size) == 0);
        idx_text_nfc((struct bytes){whole.data, whole.size}, &nfc);
        idx_text_canonical(t, (struct bytes){text, 2 * count}, true, 0, &canonical, &complete);
        assert_true(complete);
        assert_int_equal(nfc.size, canonical.size);
        assert_true(!nfc.size || memcmp(nfc.data, canonical.data, nfc.size) == 0);
    }
    buf_done(&one);
    buf_done(&whole);
    buf_done(&nfc);
    buf_done(&canonical);
    idx_text_destroy(t);
}

/* The pages whose ASCII is taken in strides map it to itself. */
static void ascii_is_ascii(void **state)
{
    (void)state;
    for (int page = 0; page < IDX_CODEPAGES; page++) {
        iconv_t cd = iconv_open("UTF-8", idx_codepages[page].iconv);
        size_t same = 0;

        assert_true(cd != (iconv_t)-1);
        assert_int_equal(idx_codepage_find(idx_codepages[page].number), page);
        for (char c = 1; c > 0 && idx_codepages[page].ascii; c++) {
            char in = c, out[8], *from = &in, *to = out;
            size_t left = 1, room = sizeof out;

            iconv(cd, &from, &left, &to, &room);
            iconv(cd, NULL, NULL, &to, &room); /* some pages hold a letter back for its mark */
            same += to == out + 1 && out[0] == c;
            if (c == 0x7F)
                break;
        }
        assert_int_equal(same, idx_codepages[page].ascii ? 127 : 0);
        iconv_close(cd);
    }
    assert_int_equal(idx_codepage_find(0), -1);
    assert_int_equal(idx_codepage_find(1200), -1);
    assert_int_equal(idx_codepage_find(UINT32_MAX), -1);
}

static void knows_utf8(void **state)
{
    (void)state;
    assert_true(idx_text_is_utf8(of("")));
    assert_true(idx_text_is_utf8(of("plain and \xC3\xA9\xE2\x82\xAC\xF4\x8F\xBF\xBF")));
    assert_false(idx_text_is_utf8(of("\xED\xA0\x80")));
    assert_false(idx_text_is_utf8(of("\xC0\x80")));
    assert_false(idx_text_is_utf8(of("\xE0\x80\x80")));
    assert_false(idx_text_is_utf8(of("\xF4\x90\x80\x80")));
    assert_false(idx_text_is_utf8(of("abc\xC3")));
    assert_false(idx_text_is_utf8(of("\x80")));
}

static void trims_terminators(void **state)
{
    struct bytes t;

    (void)state;
    t = idx_text_trim((struct bytes){(const uint8_t *)"a\0\0\0", 4}, true);
    assert_int_equal(t.size, 2);
    t = idx_text_trim((struct bytes){(const uint8_t *)"a\0\0", 3}, true);
    assert_int_equal(t.size, 3);
    t = idx_text_trim((struct bytes){(const uint8_t *)"a\0\0", 3}, false);
    assert_int_equal(t.size, 1);
    t = idx_text_trim((struct bytes){(const uint8_t *)"\0\0", 2}, true);
    assert_int_equal(t.size, 0);
}

static void memory_failure_is_noted(void **state)
{
    struct buf b = BUF_INIT;
    struct idx_text *t;

    (void)state;
    mem_test_fail(1, 1);
    assert_int_equal(idx_text_create(&t), ERR_NOMEM);
    mem_test_fail(0, 0);
    assert_int_equal(idx_text_create(&t), 0);
    mem_test_fail(1, 1);
    idx_text_nfc(of("o\xCC\x88"), &b);
    assert_true(b.failed);
    buf_reset(&b);
    idx_text_string8(t, of("\xE9"), 1252, &b, NULL);
    assert_true(b.failed);
    buf_reset(&b);
    idx_text_utf16((struct bytes){(const uint8_t *)"a\0", 2}, &b, NULL);
    assert_true(b.failed);
    mem_test_fail(0, 0);
    buf_done(&b);
    idx_text_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf16_becomes_wtf8),
        cmocka_unit_test(code_pages),
        cmocka_unit_test(what_a_page_does_not_define),
        cmocka_unit_test(long_text_needs_several_steps),
        cmocka_unit_test(nfc_composes),
        cmocka_unit_test(nfc_leaves_lone_surrogates_alone),
        cmocka_unit_test(nfc_shortcuts_hide_nothing),
        cmocka_unit_test(ways_agree),
        cmocka_unit_test(strides_change_nothing),
        cmocka_unit_test(ascii_is_ascii),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(trims_terminators),
        cmocka_unit_test(memory_failure_is_noted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
