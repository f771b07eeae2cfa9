/*
 * test_redact.c: what a key makes of a record: which texts stay, which become tokens, and which
 * tokens are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#include "index/record.h"
#include "index/redact.h"
#include "io/mem.h"

#define KEY "a key of twenty-four bytes"

static struct idx_redactor *redactor;
static struct buf line;

static struct idx_redactor *redactor_of(const char *key)
{
    struct idx_redactor *r = NULL;

    assert_int_equal(idx_redactor_create((struct bytes){(const uint8_t *)key, strlen(key)}, &r), 0);
    return r;
}

static int setup(void **state)
{
    (void)state;
    redactor = redactor_of(KEY);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    idx_redactor_destroy(redactor);
    buf_done(&line);
    return 0;
}

/* The record, redacted, without its '\n'; valid until the next call. */
static const char *redacted(const char *record)
{
    buf_reset(&line);
    buf_printf(&line, "before\n%s\n", record);
    idx_redact_line(redactor, &line, strlen("before\n"));
    assert_true(!line.failed && memcmp(line.data, "before\n", 7) == 0);
    assert_int_equal(line.data[line.size - 1], '\n');
    line.data[line.size - 1] = '\0';
    return (const char *)line.data + strlen("before\n");
}

/* The token of a subject, out of four buffers in turn. */
static const char *token(const char *text)
{
    static char tokens[4][64];
    static unsigned turn;
    char *out = tokens[turn++ % 4], record[512];

    snprintf(record, sizeof record, "{\"type\":\"item\",\"subject\":\"%s\"}", text);
    assert_int_equal(sscanf(redacted(record), "{\"type\":\"item\",\"subject\":\"%40[^\"]\"}", out),
                     1);
    assert_int_equal(strlen(out), 5 + 26);
    return out;
}

static void what_tells_of_nobody_stays(void **state)
{
    static const char *const records[] = {
        "{\"type\":\"item\",\"nid\":7,\"folder\":8,\"assoc\":true,\"kind\":\"mail\",\"class\":"
        "\"IPM.Note\","
        "\"submitted\":\"2021-03-04T05:06:07.5Z\",\"size\":-3,\"flags\":1,\"partial\":true,"
        "\"damage\":[{\"code\":\"block_crc\",\"bid\":4}],\"recovered\":true}",
        "{\"type\":\"verdict\",\"remedy\":\"none\",\"folders\":[{\"nid\":1,\"failed\":2,\"remedy\":"
        "\"none\"}],"
        "\"export_first\":\"unknown\",\"reasons\":[{\"text\":\"a "
        "sentence\",\"codes\":[\"block_crc\"],"
        "\"items\":[1,2]}],\"coverage\":{\"verified\":5}}",
        "{\"type\":\"end\",\"images\":{\"ok\":1},\"complete\":true,\"timing\":{\"seconds\":0.5}}",
        "{\"type\":\"finding\",\"n\":1,\"code\":\"page_id\",\"layer\":\"page\",\"severity\":"
        "\"corrupt\","
        "\"offset\":512,\"expected\":18446744073709551615,\"actual\":2}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        assert_string_equal(redacted(records[i]), records[i]);
}

static void tokens_are_equal_as_texts_are(void **state)
{
    (void)state;
    assert_string_equal(token("Report"), token("Report"));
    assert_string_not_equal(token("Report"), token("Reports"));
    /* equal but for case, for white space and for normal form: not to who looks exactly */
    assert_string_not_equal(token("report"), token("Report"));
    assert_int_equal(strcasecmp(token("report"), token("Report")), 0);
    assert_int_equal(strcasecmp(token("REPORT"), token("Report")), 0);
    assert_string_not_equal(token("REPORT"), token("Report"));
    assert_int_equal(strcasecmp(token(" report\\n"), token("report")), 0);
    assert_string_not_equal(token(" report"), token("report"));
    assert_int_equal(strcasecmp(token("e\\u0301"), token("\xC3\xA9")), 0);
    assert_string_not_equal(token("e\\u0301"), token("\xC3\xA9"));
    /* ASCII alone has case */
    assert_int_not_equal(strcasecmp(token("\xC3\x89"), token("\xC3\xA9")), 0);
    /* an escape is no difference */
    assert_string_equal(token("a\\u0062c"), token("abc"));
    assert_string_equal(redacted("{\"type\":\"item\",\"subject\":\"\"}"),
                        "{\"type\":\"item\",\"subject\":\"\"}");
}

/* Lower case where the text is what is compared, so that a token tells no more than it must. */
static void tokens_of_plain_texts_are_lower_case(void **state)
{
    const char *t = token("plain");

    (void)state;
    assert_int_equal(strncmp(t, "hmac-", 5), 0);
    assert_int_equal(strspn(t + 5, "abcdefghijklmnopqrstuvwxyz234567"), 26);
}

/* What Python's hmac and base64 give for it. */
static void a_token_is_what_the_manual_says(void **state)
{
    (void)state;
    assert_string_equal(token("plain"), "hmac-dtwcbc6dyqvduvj4ijpn2xwstm");
    assert_string_equal(redacted("{\"type\":\"item\",\"digest\":{\"exact\":"
                                 "\"xxh3:00112233445566778899aabbccddeeff\"}}"),
                        "{\"type\":\"item\",\"digest\":{\"exact\":\"xxh3:"
                        "1d868967d44953c17c508714c4b7dda1"
                        "\"}}");
}

static void unknown_texts_are_keyed(void **state)
{
    const char *out =
        redacted("{\"type\":\"verdict\",\"new\":\"Secret\",\"list\":[\"Secret\",{\"deep\":"
                 "[[\"Secret\"]],\"n\":1}],\"text\":\"Secret\"}");

    (void)state;
    assert_null(strstr(out, "Secret"));
    assert_non_null(strstr(out, "\"n\":1"));
    assert_non_null(
        strstr(redacted("{\"type\":\"unheard\",\"path\":\"Secret\"}"), "\"path\":\"hmac-"));
}

static void paths_are_keyed_by_component(void **state)
{
    char first[64], second[64], folder[64], out[512];

    (void)state;
    assert_int_equal(sscanf(redacted("{\"type\":\"image\",\"path\":\"/Data/x/Data.OST.bak\"}"),
                            "{\"type\":\"image\",\"path\":\"/%31[^/]/%*31[^/]/%31[^.].OST.bak\"}",
                            first, second),
                     2);
    assert_string_equal(first, second);
    assert_string_equal(
        redacted("{\"type\":\"skipped\",\"path\":\"../a//\",\"reason\":\"symlink\"}") + 28,
        redacted("{\"type\":\"skipped\",\"path\":\"../a//\",\"reason\":\"symlink\"}") + 28);
    assert_non_null(strstr((const char *)line.data, "\"../hmac-"));
    assert_non_null(strstr((const char *)line.data, "//\",\"reason\":\"symlink\"}"));
    /* a folder's component is its name's token, escapes undone */
    snprintf(folder, sizeof folder, "%s", token("a/b%"));
    snprintf(out, sizeof out, "/%s\"", folder);
    assert_non_null(
        strstr(redacted("{\"type\":\"folder\",\"path\":\"x/a%2Fb%25\",\"name\":\"a/b%\"}"), out));
    snprintf(out, sizeof out, "\"name\":\"%s\"", folder);
    assert_non_null(strstr((const char *)line.data, out));
}

/* Of what is no UTF-8 all bytes count, and none is left. */
static void bytes_beside_a_text_are_keyed(void **state)
{
    char one[256], other[256];

    (void)state;
    snprintf(
        one, sizeof one, "%s",
        redacted(
            "{\"type\":\"image\",\"path\":\"/\xEF\xBF\xBD.ost\",\"path_hex\":\"2fff2e6f7374\"}"));
    snprintf(
        other, sizeof other, "%s",
        redacted(
            "{\"type\":\"image\",\"path\":\"/\xEF\xBF\xBD.ost\",\"path_hex\":\"2ffe2e6f7374\"}"));
    assert_string_not_equal(one, other);
    assert_null(strstr(one, "hex"));
    assert_null(strstr(
        redacted(
            "{\"type\":\"item\",\"subject\":\"\xEF\xBF\xBD\",\"subject_hex\":\"00d8aabbccdd\"}"),
        "aabb"));
    assert_non_null(strstr((const char *)line.data, "\"subject_hex\":\""));
}

static void ids_keep_what_is_compared(void **state)
{
    char a[300], b[300];

    (void)state;
    snprintf(
        a, sizeof a, "%s",
        redacted("{\"type\":\"item\",\"mih\":\"00112233445566778899aabbccddeeff\",\"search_key\":"
                 "\"aabb\",\"mid\":\"010000000000011f\",\"change_key\":\"aabb\",\"pcl\":\"\"}"));
    snprintf(b, sizeof b, "%s", redacted("{\"type\":\"item\",\"mid\":\"0100000000000220\"}"));
    assert_null(strstr(a, "aabb"));
    assert_null(strstr(a, "00112233"));
    assert_non_null(strstr(a, "\"pcl\":\"\""));
    /* the counter is the same in both, the replica is not */
    assert_memory_equal(strstr(a, "\"mid\":\"") + 7, strstr(b, "\"mid\":\"") + 7, 12);
    assert_int_not_equal(memcmp(strstr(a, "\"mid\":\"") + 19, strstr(b, "\"mid\":\"") + 19, 4), 0);
}

static void details_and_sums_are_left_out(void **state)
{
    (void)state;
    assert_string_equal(redacted("{\"type\":\"finding\",\"n\":1,\"code\":\"block_crc\","
                                 "\"expected\":1234567,\"actual\":7,"
                                 "\"text\":\"a block's checksum is wrong: of Secret\"}"),
                        "{\"type\":\"finding\",\"n\":1,\"code\":\"block_crc\",\"text\":\"a block's "
                        "checksum is wrong\"}");
    assert_null(strstr(redacted("{\"type\":\"finding\",\"text\":\"Secret\"}"), "Secret"));
    assert_string_equal(
        redacted("{\"type\":\"image\",\"reason\":\"a block's checksum is wrong: of X\"}"),
        "{\"type\":\"image\",\"reason\":\"a block's checksum is wrong\"}");
    assert_string_equal(redacted("{\"type\":\"image\",\"reason\":\"open: Permission denied\"}"),
                        "{\"type\":\"image\",\"reason\":\"open: Permission denied\"}");
}

static void options_that_name_files_are_keyed(void **state)
{
    const char *out = redacted("{\"type\":\"scan\",\"schema\":1,\"tool\":\"ostscan 0\",\"options\":"
                               "[\"jobs=4\",\"output=/Secret\",\"files-from=Secret\"]}");
    char id[IDX_REDACT_ID], named[IDX_REDACT_ID];

    (void)state;
    assert_null(strstr(out, "Secret"));
    assert_non_null(strstr(out, "[\"jobs=4\",\"output=hmac-"));
    idx_redactor_id(redactor, id);
    idx_redacted_by((struct bytes){(const uint8_t *)out, strlen(out)}, named);
    assert_string_equal(id, named);
    idx_redacted_by((struct bytes){(const uint8_t *)"{}", 2}, named);
    assert_string_equal(named, "");
}

static void another_key_gives_other_tokens(void **state)
{
    struct idx_redactor *mine = redactor;
    char here[64], id[IDX_REDACT_ID], other_id[IDX_REDACT_ID], name[2][IDX_MANIFEST_NAME];

    (void)state;
    snprintf(here, sizeof here, "%s", token("text"));
    idx_redactor_id(redactor, id);
    assert_int_equal(idx_redact_manifest_name(redactor, bytes_text("/tmp/Secret.ost"), name[0]), 0);
    assert_null(strstr(name[0], "Secret"));
    assert_non_null(strstr(name[0], ".ost-"));
    redactor = redactor_of(KEY "!");
    assert_string_not_equal(token("text"), here);
    idx_redactor_id(redactor, other_id);
    assert_string_not_equal(id, other_id);
    assert_int_equal(idx_redact_manifest_name(redactor, bytes_text("/tmp/Secret.ost"), name[1]), 0);
    assert_string_not_equal(name[0], name[1]);
    idx_redactor_destroy(redactor);
    redactor = mine;
}

/* A name of endings alone, as long as names are, fits. */
static void long_names_fit(void **state)
{
    char path[300] = "/tmp/", name[IDX_MANIFEST_NAME];

    (void)state;
    while (strlen(path) < 250)
        strcat(path, ".ost");
    assert_int_equal(idx_redact_manifest_name(redactor, bytes_text(path), name), 0);
    assert_true(strlen(name) > 10 && strcmp(name + strlen(name) - 10, ".jsonl.zst") == 0);
}

/* A list of short names, that tokens make longer, ends where a list of such would have. */
static void lists_stay_in_bounds(void **state)
{
    enum { PEOPLE = 400000 };
    struct buf record = BUF_INIT;
    const char *out, *more;
    uint64_t count = 0;

    (void)state;
    buf_puts(&record, "{\"type\":\"item\",\"to\":[{\"name\":\"a\"}");
    for (int i = 1; i < PEOPLE; i++)
        buf_puts(&record, ",{\"name\":\"a\"}");
    buf_puts(&record, "],\"to_more\":5,\"cc\":[{\"name\":\"a\"}],\"cc_more\":7}");
    out = redacted(buf_cstr(&record));
    /* by bytes: a sanitizer's strstr looks at all of the text each time */
    for (const char *at = out; *at; at++)
        count += *at == '{';
    count -= 2; /* the record's and that of cc */
    assert_true(strlen(out) < IDX_LIST_BYTES_MAX + 1000 && count > 1000 && count < PEOPLE);
    more = strstr(out, "],\"to_more\":");
    assert_non_null(more);
    assert_int_equal(strtoull(more + 12, NULL, 10), PEOPLE - count + 5);
    assert_null(strstr(more + 12, "to_more"));
    assert_non_null(strstr(more, ",\"cc\":[{\"name\":\"hmac-"));
    assert_non_null(strstr(more, "}],\"cc_more\":7}"));
    buf_done(&record);
}

static void every_allocation_may_fail(void **state)
{
    bool failed = true;

    (void)state;
    for (uint64_t n = 1; failed; n++) {
        struct buf text = BUF_INIT;
        struct idx_redactor *r = NULL;

        mem_test_fail(0, 0);
        buf_puts(&text, "{\"type\":\"image\",\"path\":\"/a/b.ost\",\"store_name\":\"x\"}\n");
        mem_test_fail(n, 0);
        failed = idx_redactor_create((struct bytes){(const uint8_t *)KEY, strlen(KEY)}, &r) != 0;
        if (!failed) {
            idx_redact_line(r, &text, 0);
            failed = text.failed;
        }
        mem_test_fail(0, 0);
        idx_redactor_destroy(r);
        buf_done(&text);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_tells_of_nobody_stays),
        cmocka_unit_test(tokens_are_equal_as_texts_are),
        cmocka_unit_test(tokens_of_plain_texts_are_lower_case),
        cmocka_unit_test(a_token_is_what_the_manual_says),
        cmocka_unit_test(unknown_texts_are_keyed),
        cmocka_unit_test(paths_are_keyed_by_component),
        cmocka_unit_test(bytes_beside_a_text_are_keyed),
        cmocka_unit_test(ids_keep_what_is_compared),
        cmocka_unit_test(details_and_sums_are_left_out),
        cmocka_unit_test(options_that_name_files_are_keyed),
        cmocka_unit_test(another_key_gives_other_tokens),
        cmocka_unit_test(long_names_fit),
        cmocka_unit_test(lists_stay_in_bounds),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
