/*
 * test_native_text.c: stored text on its whole way: a tiny image, the native engine, view, digests
 * and record. 8-bit text in every code page that mail was written in has the digests of the same
 * text in UTF-16; what cannot be converted is told, and kept beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "index/record.h"
#include "scanner/engine_native.h"
#include "tests/support/digests.h"
#include "tests/support/enginelog.h"
#include "tests/support/forge.h"
#include "tests/support/tinyimage.h"

enum { SUBJECT = 0x0037, NID = 0x200024 };

enum said_by { MESSAGE, INTERNET, STORE, NOBODY };

struct read {
    struct digest_bench bench;
    struct idx_digests digests;
    struct buf line;
    bool whole;
    char subject[256];
    unsigned items;
};

static int on_item(void *ctx, const struct ost_item *item)
{
    struct read *r = ctx;
    struct idx_view view;

    r->items++;
    r->digests = digest_of(&r->bench, item);
    assert_int_equal(idx_view_make(r->bench.text, &r->bench.arena, item, &view), 0);
    assert_non_null(view.subject.data);
    assert_true(view.subject.size < sizeof r->subject);
    memcpy(r->subject, view.subject.data, view.subject.size);
    r->subject[view.subject.size] = '\0';
    r->whole = view.subject.whole;
    buf_reset(&r->line);
    idx_record_item(&r->line, item, &view, &r->digests, NULL);
    return 0;
}

/* An image of one message with that subject, read. Where its code page stands depends on `by`. */
static void read_subject(struct read *r, enum ost_format format, uint16_t type, struct bytes text,
                         uint32_t page, enum said_by by)
{
    const struct forge_prop store[] = {{0x66C3, OST_I32, page, NULL, 0}};
    const struct forge_prop message[] = {
        {0x001A, OST_STRING8, 0, "IPM.Note", 8},
        {SUBJECT, type, 0, text.data, text.size},
        {0x1000, type, 0, text.data, text.size},
        {(uint16_t)(by == INTERNET ? 0x3FDE : 0x3FFD), OST_I32, page, NULL, 0}};
    const struct engine_sink sink = {.ctx = r, .item = on_item};
    struct engine_job job = {.memory_bytes = 1 << 20, .hasher = &enginelog_hasher};
    struct io_source *source;
    struct tiny t;

    tiny_init(&t, format);
    tiny_node(&t, 0x21, tiny_pc(&t, store, by == STORE), 0, 0);
    tiny_node(&t, NID, tiny_pc(&t, message, by <= INTERNET ? 4 : 3), 0, 0x122);
    tiny_finish(&t);
    job.header = &t.header;
    r->items = 0;
    assert_int_equal(io_source_open_mem(t.data, t.size, &source), 0);
    assert_int_equal(native_run_source(&job, &sink, source), 0);
    assert_int_equal(r->items, 1);
    io_source_close(source);
    tiny_done(&t);
}

static void read_init(struct read *r)
{
    *r = (struct read){0};
    digest_bench_init(&r->bench, IDX_XXH3);
}

static void read_done(struct read *r)
{
    digest_bench_done(&r->bench);
    buf_done(&r->line);
}

static struct bytes of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* UTF-16LE of UTF-8 of the basic plane. */
static struct bytes wide(const char *text, uint8_t *out)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t n = 0;

    while (*p) {
        unsigned c = *p++;

        if (c >= 0xE0) {
            c = (c & 0xF) << 12 | (p[0] & 0x3Fu) << 6 | (p[1] & 0x3F);
            p += 2;
        } else if (c >= 0xC0) {
            c = (c & 0x1F) << 6 | (*p++ & 0x3F);
        }
        put_le16(out + 2 * n++, (uint16_t)c);
    }
    return (struct bytes){out, 2 * n};
}

/* Bytes and what they are, of Microsoft's tables. */
static const struct {
    uint32_t page;
    const char *stored, *text;
} vectors[] = {
    {874, "\xA1\xE0\x80", "กเ€"},
    {932, "\x93\xFA\x96\x7B\\\x81\x60\xB1\x87\x40", "日本\\～ｱ①"},
    {936, "\xC4\xE3\xBA\xC3\x81\x40", "你好丂"},
    {949, "\xC7\xD1\xB1\xB9\x81\x41", "한국갂"},
    {950, "\xA4\xA4\xA4\xE5\xA3\xE1", "中文€"},
    {1250, "\x8A\x9D\xB9\xE8\xF8\x80", "Šťąčř€"},
    {1251, "\xCF\xF0\xE8\xA8\xB8\x88", "ПриЁё€"},
    {1252, "\x80\x8C\x9F\xE4\xDF", "€ŒŸäß"},
    {1253, "\xA2\xC1\xF9\x80", "ΆΑω€"},
    {1254, "\xD0\xDD\xFE\x80", "Ğİş€"},
    {1255, "\xE9\xF9\xA4\x80", "יש₪€"},
    {1256, "\xC7\xED\x81\x80", "ايپ€"},
    {1257, "\xC0\xE0\xFE\x80", "Ąąž€"},
    {1258, "\xD0\xFE\x80\xF5", "Đ₫€ơ"},
    {28605, "\xA4\xBD", "€œ"},
    {20866, "\xF0\xD2", "Пр"},
    {65001, "\xC3\xA9\xE2\x82\xAC", "é€"},
};

static void every_code_page_is_the_same_text(void **state)
{
    struct read narrow, unicode;

    (void)state;
    read_init(&narrow);
    read_init(&unicode);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t utf16[64];

        read_subject(&unicode, OST_FORMAT_UNICODE4K, OST_UNICODE, wide(vectors[i].text, utf16), 0,
                     NOBODY);
        assert_string_equal(unicode.subject, vectors[i].text);
        for (unsigned by = MESSAGE; by <= STORE; by++) {
            /* an Internet code page is one of Windows only where Windows says it in mail */
            if (by == INTERNET && vectors[i].page > 10000)
                continue;
            read_subject(&narrow, OST_FORMAT_ANSI, OST_STRING8, of(vectors[i].stored),
                         vectors[i].page, (enum said_by)by);
            assert_true(narrow.whole);
            assert_string_equal(narrow.subject, vectors[i].text);
            /* 3FFD, 3FDE and 66C3 are in no digest */
            assert_int_equal(digest_difference(&narrow.digests, &unicode.digests), 0);
            assert_null(memmem(narrow.line.data, narrow.line.size, "_hex", 4));
        }
    }
    read_done(&unicode);
    read_done(&narrow);
}

/* Vietnamese marks stand apart in 1258 and are composed by NFC, Hebrew points are not. */
static void marks_are_composed(void **state)
{
    struct read narrow, unicode;
    uint8_t utf16[16];

    (void)state;
    read_init(&narrow);
    read_init(&unicode);
    read_subject(&unicode, OST_FORMAT_UNICODE, OST_UNICODE, wide("Việt", utf16), 0, NOBODY);
    read_subject(&narrow, OST_FORMAT_ANSI, OST_STRING8, of("Vi\xEA\xF2t"), 1258, MESSAGE);
    assert_int_equal(digest_difference(&narrow.digests, &unicode.digests), 0);
    read_done(&unicode);
    read_done(&narrow);
}

/* Bytes that the page has no character for, and pages that nobody knows: what can be read is, and
 * the record has the bytes beside it. Such an item has digests, of its bytes. */
static void what_is_unknown_is_told(void **state)
{
    struct read r;
    struct idx_digests other;

    (void)state;
    read_init(&r);
    read_subject(&r, OST_FORMAT_ANSI, OST_STRING8, of("a\x81z"), 1252, MESSAGE);
    assert_string_equal(r.subject, "a\xEF\xBF\xBDz");
    assert_false(r.whole);
    assert_non_null(memmem(r.line.data, r.line.size, "\"subject_hex\":\"61817a\"", 22));
    read_subject(&r, OST_FORMAT_ANSI, OST_STRING8, of("a\xE9"), 4711, MESSAGE);
    other = r.digests;
    assert_string_equal(r.subject, "a\xC3\xA9");
    assert_false(r.whole);
    assert_non_null(memmem(r.line.data, r.line.size, "\"subject_hex\":\"61e9\"", 20));
    /* as such it is not taken for the text of a page that is known */
    read_subject(&r, OST_FORMAT_ANSI, OST_STRING8, of("a\xE9"), 1252, MESSAGE);
    assert_true(r.whole);
    assert_true(digest_difference(&r.digests, &other) & D_EXACT);
    /* ASCII is ASCII in any */
    read_subject(&r, OST_FORMAT_ANSI, OST_STRING8, of("plain"), 4711, MESSAGE);
    assert_true(r.whole);
    /* without a page at all: 1252 */
    read_subject(&r, OST_FORMAT_ANSI, OST_STRING8, of("\x80"), 0, NOBODY);
    assert_string_equal(r.subject, "€");
    read_done(&r);
}

static void lone_surrogates_pass_through(void **state)
{
    static const uint8_t texts[4][6] = {{0x00, 0xD8, 'x', 0, 'y', 0},
                                        {'x', 0, 'y', 0, 0xFF, 0xDB},
                                        {'x', 0, 0x00, 0xDC, 'y', 0},
                                        {0x00, 0xDC, 0x00, 0xD8, 'x', 0}};
    struct idx_digests all[4];
    struct read r;

    (void)state;
    read_init(&r);
    for (unsigned i = 0; i < 4; i++) {
        char hex[64];

        read_subject(&r, OST_FORMAT_UNICODE, OST_UNICODE, (struct bytes){texts[i], 6}, 0, NOBODY);
        assert_true(r.whole);
        all[i] = r.digests;
        for (unsigned k = 0; k < i; k++)
            assert_true(digest_difference(&all[k], &all[i]) & D_EXACT);
        memcpy(hex, "\"subject_hex\":\"", 15);
        hex_encode(texts[i], 6, hex + 15);
        assert_non_null(memmem(r.line.data, r.line.size, hex, 27));
    }
    /* whole pairs are one character, and need no bytes beside them */
    read_subject(&r, OST_FORMAT_UNICODE, OST_UNICODE,
                 (struct bytes){(uint8_t *)"\x3D\xD8\0\xDE", 4}, 0, NOBODY);
    assert_string_equal(r.subject, "😀");
    assert_null(memmem(r.line.data, r.line.size, "_hex", 4));
    read_done(&r);
}

/* The marker of a prefix is no part of the subject, in either form of text. */
static void subject_prefixes_are_left_out(void **state)
{
    static const uint8_t marked[] = {1, 0, 5, 0, 'R', 0, 'E', 0, ':', 0, ' ', 0, 'a', 0};
    struct read unicode, narrow, plain;

    (void)state;
    read_init(&unicode);
    read_init(&narrow);
    read_init(&plain);
    read_subject(&unicode, OST_FORMAT_UNICODE, OST_UNICODE, (struct bytes){marked, sizeof marked},
                 0, NOBODY);
    read_subject(&narrow, OST_FORMAT_ANSI, OST_STRING8, of("\x01\x05RE: a"), 1252, MESSAGE);
    read_subject(&plain, OST_FORMAT_ANSI, OST_STRING8, of("RE: a"), 1252, MESSAGE);
    assert_string_equal(unicode.subject, "RE: a");
    assert_string_equal(narrow.subject, "RE: a");
    assert_string_equal(plain.subject, "RE: a");
    /* the body, the same bytes here, has no such marker */
    assert_int_equal(digest_difference(&unicode.digests, &narrow.digests), 0);
    assert_true(digest_difference(&plain.digests, &narrow.digests) & D_BODY);
    read_done(&plain);
    read_done(&narrow);
    read_done(&unicode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_page_is_the_same_text),
        cmocka_unit_test(marks_are_composed),
        cmocka_unit_test(what_is_unknown_is_told),
        cmocka_unit_test(lone_surrogates_pass_through),
        cmocka_unit_test(subject_prefixes_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
