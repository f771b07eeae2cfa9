/* test_json.c: what the writer makes of any bytes, read back by the strict reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "index/json.h"
#include "index/json_read.h"
#include "io/bytes.h"
#include "io/mem.h"

#define FFFD "\xEF\xBF\xBD"

static void text_line(struct buf *out, const void *text, size_t size)
{
    struct json j;

    buf_reset(out);
    json_start(&j, out);
    json_object(&j, NULL);
    json_text(&j, "t", text, size);
    json_end_record(&j);
}

static void expect_text(const char *text, size_t size, const char *line)
{
    struct buf out = BUF_INIT;

    text_line(&out, text, size);
    assert_string_equal(buf_cstr(&out), line);
    buf_done(&out);
}

#define EXPECT(text, line) expect_text(text, sizeof(text) - 1, line "\n")

static void text_is_escaped(void **state)
{
    (void)state;
    EXPECT("", "{\"t\":\"\"}");
    EXPECT("plain text of more than eight bytes",
           "{\"t\":\"plain text of more than eight bytes\"}");
    EXPECT("12345678\"", "{\"t\":\"12345678\\\"\"}");
    EXPECT("a\\b/c", "{\"t\":\"a\\\\b/c\"}");
    EXPECT("\b\t\n\f\r", "{\"t\":\"\\b\\t\\n\\f\\r\"}");
    EXPECT("\0\x01\x1f\x7f", "{\"t\":\"\\u0000\\u0001\\u001f\\u007f\"}");
    EXPECT("\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA",
           "{\"t\":\"\xE2\x80\xA7\\u2028\\u2029\xE2\x80\xAA\"}");
    EXPECT("\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80",
           "{\"t\":\"\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80\"}");
}

static void what_is_no_utf8_is_replaced_and_kept(void **state)
{
    (void)state;
    EXPECT("a\xFFz", "{\"t\":\"a" FFFD "z\",\"t_hex\":\"61ff7a\"}");
    /* overlong forms, beyond U+10FFFF: no byte of them begins a sequence */
    EXPECT("\xC0\x80", "{\"t\":\"" FFFD FFFD "\",\"t_hex\":\"c080\"}");
    EXPECT("\xE0\x80\x80", "{\"t\":\"" FFFD FFFD FFFD "\",\"t_hex\":\"e08080\"}");
    EXPECT("\xF4\x90\x80\x80", "{\"t\":\"" FFFD FFFD FFFD FFFD "\",\"t_hex\":\"f4908080\"}");
    /* cut sequences: one mark for what there is */
    EXPECT("\xE6\x97", "{\"t\":\"" FFFD "\",\"t_hex\":\"e697\"}");
    EXPECT("\xF0\x9F\x98z", "{\"t\":\"" FFFD "z\",\"t_hex\":\"f09f987a\"}");
    /* lone surrogates of WTF-8, alone and as a pair that is no pair */
    EXPECT("\xED\xA0\x80", "{\"t\":\"" FFFD "\",\"t_hex\":\"eda080\"}");
    EXPECT("\xED\xBF\xBF.", "{\"t\":\"" FFFD ".\",\"t_hex\":\"edbfbf2e\"}");
    EXPECT("\xED\xA0\xBD\xED\xB8\x80", "{\"t\":\"" FFFD FFFD "\",\"t_hex\":\"eda0bdedb880\"}");
    EXPECT("\xED\x9F\xBF", "{\"t\":\"\xED\x9F\xBF\"}");
}

static void stored_text_keeps_the_stored_bytes(void **state)
{
    struct bytes raw = {(const uint8_t *)"\x00\xd8", 2}, none = {0};
    struct bytes lone = {(const uint8_t *)"\xED\xA0\x80", 3};
    struct bytes umlauts = {(const uint8_t *)"\xC3\xA4\xC3\xB6\xC3\xBC", 6};
    struct buf out = BUF_INIT;
    struct json j;

    (void)state;
    json_start(&j, &out);
    json_object(&j, NULL);
    json_stored(&j, "absent", none, true, none, 10);
    json_stored(&j, "a", lone, true, raw, 10);
    json_stored(&j, "b", umlauts, false, raw, 10);
    json_stored(&j, "c", umlauts, true, raw, 6);
    json_stored(&j, "d", umlauts, true, none, 5);
    json_stored(&j, "e", umlauts, true, none, 0);
    json_stored(&j, "f", lone, true, none, 2);
    json_stored_hex(&j, "g", raw, 2);
    json_stored_hex(&j, "h", raw, 1);
    json_stored_hex(&j, "absent", none, 1);
    json_end_record(&j);
    assert_string_equal(buf_cstr(&out), "{\"a\":\"" FFFD "\",\"a_hex\":\"00d8\","
                                        "\"b\":\"\xC3\xA4\xC3\xB6\xC3\xBC\",\"b_hex\":\"00d8\","
                                        "\"c\":\"\xC3\xA4\xC3\xB6\xC3\xBC\","
                                        "\"d\":\"\xC3\xA4\xC3\xB6\",\"d_size\":6,"
                                        "\"e\":\"\",\"e_size\":6,"
                                        "\"f\":\"\",\"f_size\":3,"
                                        "\"g\":\"00d8\",\"h\":\"00\",\"h_size\":2}\n");
    buf_done(&out);
}

/* Each line must be read by the strict reader and give the text back, or its bytes as hex. */
static void goes_there_and_back(struct buf *line, struct buf *back, const uint8_t *text,
                                size_t size)
{
    struct bytes object, value;
    struct json_token t;
    int got;

    text_line(line, text, size);
    object = (struct bytes){line->data, line->size};
    assert_ptr_equal(memchr(line->data, '\n', line->size), line->data + line->size - 1);
    assert_int_equal(json_find(object, "absent", &value), 0);
    assert_int_equal(json_find(object, "t", &value), 1);
    assert_true(json_scalar(value, &t));
    buf_reset(back);
    json_token_text(&t, back);
    got = json_find(object, "t_hex", &value);
    assert_true(got >= 0);
    if (got) {
        assert_int_equal(value.size, 2 * size + 2);
        buf_reset(back);
        assert_true(buf_reserve(back, size));
        assert_true(hex_decode((const char *)value.data + 1, size, back->data));
        back->size = size;
    }
    assert_int_equal(back->size, size);
    assert_memory_equal(back->data, text, size);
}

static void short_texts_go_there_and_back(void **state)
{
    struct buf line = BUF_INIT, back = BUF_INIT;
    uint8_t text[2];

    (void)state;
    for (unsigned i = 0; i < 0x10000; i++) {
        text[0] = (uint8_t)(i >> 8);
        text[1] = (uint8_t)i;
        goes_there_and_back(&line, &back, text, 2);
        if (i < 0x100)
            goes_there_and_back(&line, &back, text + 1, 1);
    }
    buf_done(&line);
    buf_done(&back);
}

static void random_bytes_go_there_and_back(void **state)
{
    struct buf line = BUF_INIT, back = BUF_INIT;
    uint8_t text[256];
    uint64_t seed = 20240229, total = 0;

    (void)state;
    while (total < 1000000) {
        size_t size = seed >> 40 & 0xff;
        /* half of the texts mostly of ASCII, so that runs of every length occur */
        bool tame = seed >> 50 & 1;

        for (size_t i = 0; i < size; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = (uint8_t)(seed >> 56);
            if (tame && seed >> 48 & 15)
                text[i] = (uint8_t)(0x20 + text[i] % 0x5f);
        }
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        goes_there_and_back(&line, &back, text, size);
        total += size + 1;
    }
    buf_done(&line);
    buf_done(&back);
}

static void values_and_nesting(void **state)
{
    struct buf out = BUF_INIT;
    struct ost_digest digest = {.size = 16}, none = {0};
    struct json j;

    (void)state;
    json_record(&j, &out, "x");
    json_u64(&j, "a", UINT64_MAX);
    json_i64(&j, "b", INT64_MIN);
    json_bool(&j, "c", false);
    json_array(&j, "d");
    json_object(&j, NULL);
    json_close_object(&j);
    json_array(&j, NULL);
    json_close_array(&j);
    json_double(&j, NULL, 0.1);
    json_double(&j, NULL, 1.0 / 3);
    json_double(&j, NULL, -2e300);
    json_double(&j, NULL, 1.0 / 0.0);
    json_cstr(&j, NULL, "\xFF");
    json_close_array(&j);
    json_cstr(&j, "absent", NULL);
    json_hex(&j, "e", "\x01\xAB", 2);
    json_digest(&j, "f", &digest);
    json_digest(&j, "absent", &none);
    json_end_record(&j);
    json_record(&j, &out, "y");
    json_end_record(&j);
    assert_string_equal(buf_cstr(&out),
                        "{\"type\":\"x\",\"a\":18446744073709551615,\"b\":-9223372036854775808,"
                        "\"c\":false,\"d\":[{},[],0.1,0.3333333333333333,-2e+300,\"" FFFD "\"],"
                        "\"e\":\"01ab\",\"f\":\"xxh3:00000000000000000000000000000000\"}\n"
                        "{\"type\":\"y\"}\n");
    buf_done(&out);
}

static void times(void **state)
{
    struct buf out = BUF_INIT;
    struct json j;

    (void)state;
    json_start(&j, &out);
    json_array(&j, NULL);
    json_filetime(&j, NULL, UINT64_C(132593079605000000)); /* 2021-03-04 05:06:00.5 */
    json_filetime(&j, NULL, UINT64_C(116444736000000001)); /* 1970 and 100 ns */
    json_filetime(&j, NULL, 0);
    json_filetime(&j, NULL, UINT64_MAX);
    json_time_ns(&j, NULL, -1);
    json_time_ns(&j, NULL, INT64_C(1614834360000000000));
    json_time(&j, NULL, 0, 120000000, 1);
    json_close_array(&j);
    json_end_line(&j);
    assert_string_equal(buf_cstr(&out),
                        "[\"2021-03-04T05:06:00.5Z\",\"1970-01-01T00:00:00.0000001Z\","
                        "\"1601-01-01T00:00:00Z\",\"+60056-05-28T05:36:10.9551615Z\","
                        "\"1969-12-31T23:59:59.999999999Z\",\"2021-03-04T05:06:00Z\","
                        "\"1970-01-01T00:00:00.1Z\"]\n");
    buf_done(&out);
}

static void failed_memory_is_remembered(void **state)
{
    struct buf out = BUF_INIT;
    int refused = 0;

    (void)state;
    for (uint64_t nth = 1;; nth++) {
        buf_done(&out);
        mem_test_fail(nth, 0);
        text_line(&out,
                  "\xFF some text that needs the buffer to grow more than once, some text "
                  "that needs the buffer to grow more than once",
                  112);
        mem_test_fail(0, 0);
        if (!out.failed)
            break;
        refused++;
    }
    assert_true(refused >= 2);
    assert_int_equal(out.data[out.size - 1], '\n');
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(what_is_no_utf8_is_replaced_and_kept),
        cmocka_unit_test(stored_text_keeps_the_stored_bytes),
        cmocka_unit_test(short_texts_go_there_and_back),
        cmocka_unit_test(random_bytes_go_there_and_back),
        cmocka_unit_test(values_and_nesting),
        cmocka_unit_test(times),
        cmocka_unit_test(failed_memory_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
