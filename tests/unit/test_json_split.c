/* test_json_split.c: objects out of JSON Lines, arrays and pages, however the input is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "index/base64.h"
#include "index/json_split.h"
#include "io/err.h"

static int on_object(void *ctx, struct bytes text)
{
    buf_append(ctx, text.data, text.size);
    buf_putc(ctx, '\n');
    return 0;
}

static int on_envelope(void *ctx, bool more)
{
    buf_puts(ctx, more ? "more\n" : "page\n");
    return 0;
}

static int on_other(void *ctx)
{
    buf_puts(ctx, "other\n");
    return 0;
}

static int split(const char *text, size_t piece, struct buf *out)
{
    const struct json_split_sink sink = {out, on_object, on_envelope, on_other};
    const size_t size = strlen(text);
    struct json_split s;
    int code = 0;

    buf_reset(out);
    json_split_init(&s, &sink);
    for (size_t at = 0; !code && at < size; at += piece) {
        const size_t n = size - at < piece ? size - at : piece;

        code = json_split_take(&s, (struct bytes){(const uint8_t *)text + at, n});
    }
    if (!code)
        code = json_split_end(&s);
    json_split_done(&s);
    return code;
}

static void expect(const char *text, const char *wanted)
{
    struct buf out = BUF_INIT;

    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        assert_int_equal(split(text, piece, &out), 0);
        assert_non_null(buf_cstr(&out));
        assert_string_equal((const char *)out.data, wanted);
    }
    buf_done(&out);
}

static void refuse(const char *text, int wanted)
{
    struct buf out = BUF_INIT;

    for (size_t piece = 1; piece <= strlen(text) + 1; piece += 3)
        if (split(text, piece, &out) != wanted)
            fail_msg("%s: not refused as it should be", text);
    buf_done(&out);
}

static void lines_and_arrays(void **state)
{
    (void)state;
    expect("", "");
    expect("{\"a\":1}\n{\"b\":{\"c\":[]}}\n", "{\"a\":1}\n{\"b\":{\"c\":[]}}\n");
    expect("[{\"a\":1}, {\"b\":\"]}\\\"\"}]", "{\"a\":1}\n{\"b\":\"]}\\\"\"}\n");
    expect("[]", "");
    expect("[1,{\"a\":1}]", "{\"a\":1}\n");
    expect("[\"x\",[{}],{\"a\":1}]", "other\nother\n{\"a\":1}\n");
}

static void envelopes(void **state)
{
    (void)state;
    expect("{\"@odata.context\":\"c\",\"value\":[{\"a\":1},{\"b\":[{}]}]}",
           "{\"a\":1}\n{\"b\":[{}]}\npage\n");
    expect("{\"value\": [] , \"@odata.nextLink\" : \"https://x\"}", "more\n");
    expect("{\"@odata.nextLink\":\"x\",\"value\":[{}]}{\"value\":[{\"z\":0}]}",
           "{}\nmore\n{\"z\":0}\npage\n");
    expect("{\"x\":{\"value\":[1]},\"value\":[{}]}", "{}\npage\n");
    expect("{\"value\":\"no list\"}", "{\"value\":\"no list\"}\n");
    expect("{\"a\":\"value\",\"b\":[{}]}", "{\"a\":\"value\",\"b\":[{}]}\n");
}

static void hostile(void **state)
{
    char deep[80];

    (void)state;
    refuse("{", ERR_DAMAGED);
    refuse("{\"a", ERR_DAMAGED);
    refuse("{\"a\":1]", ERR_DAMAGED);
    refuse("}", ERR_DAMAGED);
    refuse("hello", ERR_DAMAGED);
    refuse("\"text\"", ERR_DAMAGED);
    refuse("{} , {}", ERR_DAMAGED);
    refuse("[{}", ERR_DAMAGED);
    memset(deep, '[', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    refuse(deep, ERR_LIMIT);
}

static void base64(void **state)
{
    static const struct {
        const char *text, *wanted;
    } good[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}};
    static const char *const bad[] = {"Z",    "Zg=",      "Zg",   "Z===",       "Zm9v\n",
                                      " Zg=", "Zg==Zg==", "Z-9v", "\xC3\xA4==", "===="};
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(base64_decode(bytes_text(good[i].text), &out));
        assert_int_equal(out.size, strlen(good[i].wanted));
        if (out.size)
            assert_memory_equal(out.data, good[i].wanted, out.size);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (base64_decode(bytes_text(bad[i]), &out))
            fail_msg("%s is no base 64", bad[i]);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_arrays),
        cmocka_unit_test(envelopes),
        cmocka_unit_test(hostile),
        cmocka_unit_test(base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
