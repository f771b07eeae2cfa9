/* test_json_read.c: the strict reader on well-formed, malformed and hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/json_read.h"
#include "io/err.h"

/* Reads all of a text out of a block of exactly its size, so that a sanitizer sees any overrun. */
static int read_all(const char *text, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    struct json_reader r;
    struct json_token t;
    int got;

    assert_non_null(exact);
    memcpy(exact, text, size);
    json_read_start(&r, (struct bytes){exact, size});
    while ((got = json_read_next(&r, &t)) == 1)
        ;
    if (got < 0)
        assert_int_equal(json_read_next(&r, &t), got);
    free(exact);
    return got;
}

#define ALL(text) read_all(text, sizeof(text) - 1)

static void well_formed(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " \t\r\n{ } ",
        "0",
        "-0",
        "1.5e-7",
        "1E+2",
        "\"\"",
        "null",
        "true",
        "false",
        "[1,2,[3,{\"a\":[]}]]",
        "{\"a\":1,\"a\":2}",
        "{\"\":{}}",
        "[ 1 , 2 ]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uD83D\\uDE00\\ud800\"",
        "\"\x7f\xC3\xA9\xF4\x8F\xBF\xBF\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (read_all(texts[i], strlen(texts[i])))
            fail_msg("refused: %s", texts[i]);
    }
}

static void malformed(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:2}",
        "{\"a\":1]",
        "[1}",
        "[]]",
        "{}{}",
        "1 2",
        "00",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "tru",
        "truee",
        "nul",
        "True",
        "\"",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"a\nb\"",
        "\"\x01\"",
        "\"\x1f\"",
        "'a'",
        "\"\xFF\"",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xE6\x97\"",
        "\"\xF4\x90\x80\x80\"",
        "\xEF\xBB\xBF{}",
        "/*c*/1",
        "[1]//",
        "\x0c{}",
        "[\xC2\xA0]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (read_all(texts[i], strlen(texts[i])) != ERR_DAMAGED)
            fail_msg("accepted: %s", texts[i]);
    }
    assert_int_equal(ALL("1\0"), ERR_DAMAGED);
    assert_int_equal(ALL("\"\0\""), ERR_DAMAGED);
    assert_int_equal(ALL("\"\\\0\""), ERR_DAMAGED);
}

static void every_beginning_is_noticed(void **state)
{
    static const char text[] = "{\"a\":[1.5e3,\"\\u00e9\xC3\xA9\",{\"b\":null}],\"c\":true}";

    (void)state;
    assert_int_equal(ALL(text), 0);
    for (size_t size = 0; size < sizeof text - 1; size++)
        assert_int_equal(read_all(text, size), ERR_DAMAGED);
}

static void depth_is_bounded(void **state)
{
    char text[2 * JSON_READ_DEPTH + 2];

    (void)state;
    memset(text, '[', JSON_READ_DEPTH);
    memset(text + JSON_READ_DEPTH, ']', JSON_READ_DEPTH);
    assert_int_equal(read_all(text, 2 * JSON_READ_DEPTH), 0);
    memset(text, '[', sizeof text);
    assert_int_equal(read_all(text, sizeof text), ERR_LIMIT);
    /* each level remembers which bracket closes it */
    assert_int_equal(ALL("[{\"a\":[{\"b\":[]}]}]"), 0);
    assert_int_equal(ALL("[{\"a\":[{\"b\":[]]}]}"), ERR_DAMAGED);
}

static void tokens_come_in_order(void **state)
{
    static const enum json_kind kinds[] = {
        JSON_OBJECT, JSON_KEY,  JSON_ARRAY,       JSON_NUMBER,       JSON_STRING,
        JSON_TRUE,   JSON_NULL, JSON_CLOSE_ARRAY, JSON_CLOSE_OBJECT,
    };
    static const char text[] = "{\"k\":[-1,\"s\",true,null]}";
    struct json_reader r;
    struct json_token t;

    (void)state;
    json_read_start(&r, (struct bytes){(const uint8_t *)text, sizeof text - 1});
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_int_equal(json_read_next(&r, &t), 1);
        assert_int_equal(t.kind, kinds[i]);
    }
    assert_int_equal(json_read_next(&r, &t), 0);
    assert_int_equal(json_read_next(&r, &t), 0);
}

static struct json_token scalar_of(const char *text)
{
    struct json_token t;

    assert_true(json_scalar((struct bytes){(const uint8_t *)text, strlen(text)}, &t));
    return t;
}

static void escapes_are_resolved(void **state)
{
    struct json_token t = scalar_of("\"a\\n\\u00e9\\ud83d\\ude00\\ud800x\\udc00\\/\"");
    static const char wanted[] = "a\n\xC3\xA9\xF0\x9F\x98\x80\xED\xA0\x80x\xED\xB0\x80/";
    struct buf out = BUF_INIT;

    (void)state;
    json_token_text(&t, &out);
    assert_string_equal(buf_cstr(&out), wanted);
    assert_true(json_token_is(&t, wanted));
    assert_false(json_token_is(&t, "a\n"));
    assert_false(json_token_is(&t, ""));
    t = scalar_of("\"\\ud800\\u0041\"");
    assert_true(json_token_is(&t, "\xED\xA0\x80"
                                  "A"));
    t = scalar_of("\"plain\"");
    assert_true(json_token_is(&t, "plain"));
    assert_false(json_token_is(&t, "plai"));
    assert_false(json_token_is(&t, "plainer"));
    t = scalar_of("12");
    assert_false(json_token_is(&t, "12"));
    buf_done(&out);
}

static bool u64_is(const char *text, uint64_t wanted)
{
    struct json_token t = scalar_of(text);
    uint64_t v;

    return json_token_u64(&t, &v) && v == wanted;
}

static bool i64_is(const char *text, int64_t wanted)
{
    struct json_token t = scalar_of(text);
    int64_t v;

    return json_token_i64(&t, &v) && v == wanted;
}

static void numbers_keep_their_range(void **state)
{
    uint64_t u;
    int64_t i;
    struct json_token t;

    (void)state;
    assert_true(u64_is("0", 0));
    assert_true(u64_is("18446744073709551615", UINT64_MAX));
    assert_true(i64_is("9223372036854775807", INT64_MAX));
    assert_true(i64_is("-9223372036854775808", INT64_MIN));
    assert_true(i64_is("-0", 0));
    t = scalar_of("18446744073709551616");
    assert_false(json_token_u64(&t, &u));
    t = scalar_of("-1");
    assert_false(json_token_u64(&t, &u));
    t = scalar_of("1.0");
    assert_false(json_token_u64(&t, &u));
    t = scalar_of("1e2");
    assert_false(json_token_i64(&t, &i));
    t = scalar_of("9223372036854775808");
    assert_false(json_token_i64(&t, &i));
    t = scalar_of("-9223372036854775809");
    assert_false(json_token_i64(&t, &i));
    t = scalar_of("\"1\"");
    assert_false(json_token_u64(&t, &u));
    assert_false(json_token_i64(&t, &i));
}

static void find_in(const char *object, const char *key, int wanted, const char *value)
{
    struct bytes found;

    assert_int_equal(
        json_find((struct bytes){(const uint8_t *)object, strlen(object)}, key, &found), wanted);
    if (wanted != 1)
        return;
    assert_int_equal(found.size, strlen(value));
    assert_memory_equal(found.data, value, found.size);
}

static void members_are_found(void **state)
{
    static const char line[] =
        "{\"a\":{\"x\":[1,{\"b\":0}]} , \"\\u0062\" : [ 2 , 3 ] ,\"c\":\"\\\"\",\"a\":9}\n";

    (void)state;
    find_in(line, "a", 1, "{\"x\":[1,{\"b\":0}]}");
    find_in(line, "b", 1, "[ 2 , 3 ]");
    find_in(line, "c", 1, "\"\\\"\"");
    find_in(line, "x", 0, NULL);
    find_in("{}", "a", 0, NULL);
    find_in("[]", "a", ERR_DAMAGED, NULL);
    find_in("", "a", ERR_DAMAGED, NULL);
    find_in("{\"b\":1", "a", ERR_DAMAGED, NULL);
    find_in("{\"b\":1}}", "a", ERR_DAMAGED, NULL);
    find_in("{\"a\":[1}", "a", ERR_DAMAGED, NULL);
}

static void scalars_stand_alone(void **state)
{
    struct json_token t;

    (void)state;
    assert_false(json_scalar((struct bytes){(const uint8_t *)"[]", 2}, &t));
    assert_false(json_scalar((struct bytes){(const uint8_t *)"1 2", 3}, &t));
    assert_false(json_scalar((struct bytes){(const uint8_t *)"", 0}, &t));
    assert_true(json_scalar((struct bytes){(const uint8_t *)" null ", 6}, &t));
    assert_int_equal(t.kind, JSON_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed),
        cmocka_unit_test(malformed),
        cmocka_unit_test(every_beginning_is_noticed),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(tokens_come_in_order),
        cmocka_unit_test(escapes_are_resolved),
        cmocka_unit_test(numbers_keep_their_range),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(scalars_stand_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
