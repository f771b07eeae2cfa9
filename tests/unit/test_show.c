/* test_show.c: manifest lines as tables, JSON and CSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "index/columns.h"
#include "index/show.h"
#include "index/terminal.h"
#include "io/err.h"
#include "io/mem.h"

static struct buf out;

static int collect(void *ctx, const void *data, size_t size)
{
    struct buf *b = ctx;

    buf_append(b, data, size);
    return b->failed ? ERR_NOMEM : 0;
}

static int show_lines(const struct idx_show_options *options, const char *const *lines)
{
    struct idx_show *s;
    int code = idx_show_create(options, collect, &out, &s);

    if (code)
        return code;
    for (; *lines && !code; lines++) {
        struct bytes line = {(const uint8_t *)*lines, strlen(*lines)};

        code = idx_show_line(s, (enum idx_record)idx_record_of_line(line), line);
    }
    if (!code)
        code = idx_show_end(s);
    idx_show_destroy(s);
    return code;
}

static void expect(enum idx_show_format format, unsigned types, unsigned width,
                   const char *const *lines, const char *wanted)
{
    const struct idx_show_options options = {format, types, width};

    buf_reset(&out);
    assert_int_equal(show_lines(&options, lines), 0);
    assert_string_equal(buf_cstr(&out), wanted);
    buf_done(&out);
}

enum {
    T_IMAGE = 1 << RECORD_IMAGE,
    T_FOLDER = 1 << RECORD_FOLDER,
    T_ITEM = 1 << RECORD_ITEM,
    T_FINDING = 1 << RECORD_FINDING,
    T_VERDICT = 1 << RECORD_VERDICT,
};

static const char *const lines[] = {
    "{\"type\":\"image\",\"path\":\"/a b.ost\",\"size\":271360,\"content\":\"ost\"}\n",
    "{\"type\":\"folder\",\"nid\":290,\"items\":0,\"assoc\":0}\n",
    "{\"type\":\"folder\",\"nid\":32802,\"path\":\"Top\\u001b[31m/"
    "\xE5\x8F\x97\",\"role\":\"inbox\","
    "\"rows\":12,\"items\":12,\"assoc\":1}\n",
    "{\"type\":\"item\",\"nid\":2097188,\"folder\":32802,\"kind\":\"mail\",\"subject\":\"Re: a, "
    "\\\"b\\\"\","
    "\"submitted\":\"2021-03-04T05:06:07.5Z\",\"size\":10,\"from\":{\"name\":\"Ann\","
    "\"address\":\"a@x\"},\"to\":[{\"name\":\"B\",\"address\":\"b@x\"},{\"address\":\"c@x\"}],"
    "\"attachments\":[{\"name\":\"n\"},{}],\"partial\":true}\n",
    "{\"type\":\"item\",\"nid\":4,\"failed\":true}\n",
    "{\"type\":\"finding\",\"n\":1,\"code\":\"item_failed\",\"severity\":\"warning\",\"offset\":"
    "512,"
    "\"items\":[4,36],\"text\":\"an item could not be read\"}\n",
    "{\"type\":\"verdict\",\"remedy\":\"none\",\"export_first\":\"unknown\","
    "\"reasons\":[{\"text\":\"one\"},{\"text\":\"two\"}],\"coverage\":{\"verified\":5}}\n",
    NULL,
};

static void tables_are_aligned(void **state)
{
    (void)state;
    expect(SHOW_TABLE, T_FOLDER | T_FINDING, 0, lines,
           "   NID  ITEMS  ROWS  ASSOC  ROLE   PATH\n"
           " 0x122      0            0\n"
           "0x8022     12    12      1  inbox  Top\\u{1b}[31m/\xE5\x8F\x97\n"
           "\n"
           "N  SEVERITY  CODE         OFFSET  BID  NID  TEXT\n"
           "1  warning   item_failed   0x200            an item could not be read\n");
    expect(SHOW_TABLE, T_ITEM, 0, lines,
           "     NID  FOLDER  KIND  DATE              SIZE  ATT  FROM  NOTE     SUBJECT\n"
           "0x200024  0x8022  mail  2021-03-04 05:06    10    2  Ann   partial  Re: a, \"b\"\n"
           "     0x4                                                   failed\n");
}

static void other_records_are_lists(void **state)
{
    (void)state;
    expect(SHOW_TABLE, T_IMAGE | T_VERDICT, 0, lines,
           "image\n"
           "path        /a b.ost\n"
           "size        271360\n"
           "content     ost\n"
           "\n"
           "verdict\n"
           "remedy                      none\n"
           "export_first                unknown\n"
           "reasons                     one; two\n"
           "coverage.verified           5\n");
}

/* Every line of a table for narrow to wide terminals stays within, cut or with columns left out. */
static void tables_fit(void **state)
{
    static const char *const wide[] = {
        "{\"type\":\"item\",\"nid\":2097188,\"folder\":32802,\"kind\":\"appointment\",\"subject\":"
        "\"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E \xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E "
        "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E and a long tail of words that never fit\","
        "\"submitted\":\"2021-03-04T05:06:07.5Z\",\"size\":1234567,"
        "\"from\":{\"name\":\"A person with a rather long name\"},\"partial\":true}\n",
        "{\"type\":\"finding\",\"n\":1,\"code\":\"truncated_while_read\",\"severity\":\"warning\","
        "\"offset\":1099511627776,\"bid\":18446744073709551615,\"nid\":290,"
        "\"text\":\"the file became shorter while it was read, and this goes on and on\"}\n",
        "{\"type\":\"verdict\",\"remedy\":\"none\",\"reasons\":[{\"text\":"
        "\"a reason that is much longer than any terminal of forty columns could hold\"}]}\n",
        NULL};

    (void)state;
    for (unsigned width = 48; width < 220; width++) {
        const struct idx_show_options options = {SHOW_TABLE, SHOW_ALL_TYPES, width};

        buf_reset(&out);
        assert_int_equal(show_lines(&options, wide), 0);
        for (size_t at = 0; at < out.size;) {
            const uint8_t *end = memchr(out.data + at, '\n', out.size - at);
            struct bytes line = {out.data + at, (size_t)(end - out.data) - at};

            if (terminal_width(line) > width)
                fail_msg("%u: %.*s", width, (int)line.size, (const char *)line.data);
            assert_true(!line.size || line.data[line.size - 1] != ' ');
            at += line.size + 1;
        }
        /* what fits is not cut, what does not is, visibly */
        if (width < 80 || width >= 200)
            assert_int_equal(memmem(out.data, out.size, "\xE2\x80\xA6", 3) != NULL, width < 80);
    }
    buf_done(&out);
}

/* Rows beyond those that decide the widths: text is cut, a number pushes its row. */
static void later_rows_keep_the_widths(void **state)
{
    const struct idx_show_options options = {SHOW_TABLE, T_FOLDER, 0};
    struct idx_show *s;
    char line[200];
    int n;

    (void)state;
    assert_int_equal(idx_show_create(&options, collect, &out, &s), 0);
    for (int i = 0; i < SHOW_SAMPLE; i++) {
        n = snprintf(line, sizeof line, "{\"type\":\"folder\",\"nid\":1,\"path\":\"%020d\"}\n", i);
        assert_int_equal(out.size, 0);
        assert_int_equal(
            idx_show_line(s, RECORD_FOLDER, (struct bytes){(uint8_t *)line, (size_t)n}), 0);
    }
    assert_true(out.size > 0);
    buf_reset(&out);
    n = snprintf(line, sizeof line, "{\"type\":\"folder\",\"nid\":65535,\"path\":\"%030d\"}\n", 7);
    assert_int_equal(idx_show_line(s, RECORD_FOLDER, (struct bytes){(uint8_t *)line, (size_t)n}),
                     0);
    assert_string_equal(buf_cstr(&out),
                        "0xffff                            0000000000000000000\xE2\x80\xA6\n");
    assert_int_equal(idx_show_end(s), 0);
    idx_show_destroy(s);
    buf_done(&out);
}

static void json_is_the_lines_of_the_types(void **state)
{
    char wanted[2000];

    (void)state;
    snprintf(wanted, sizeof wanted, "%s%s%s", lines[3], lines[4], lines[5]);
    expect(SHOW_JSON, T_ITEM | T_FINDING, 0, lines, wanted);
}

static void csv_is_rfc4180(void **state)
{
    static const char *const odd[] = {
        "{\"type\":\"folder\",\"nid\":1,\"path\":\"a,b\",\"name\":\"q\\\"q\",\"class\":\"l1\\nl2\","
        "\"role\":\"\\r\",\"rows\":0}\n",
        NULL};
    static const char *const nothing[] = {NULL};

    (void)state;
    expect(SHOW_CSV, T_FOLDER, 80, odd,
           "nid,parent,path,name,class,role,rows,assoc_rows,items,assoc\r\n"
           "1,,\"a,b\",\"q\"\"q\",\"l1\nl2\",\"\r\",0,,,\r\n");
    expect(SHOW_CSV, T_FOLDER, 0, nothing,
           "nid,parent,path,name,class,role,rows,assoc_rows,items,assoc\r\n");
    expect(SHOW_CSV, T_ITEM, 0, lines,
           "nid,folder,assoc,orphan,kind,class,subject,message_id,mih,search_key,mid,change_key,"
           "pcl,submitted,delivered,created,modified,size,flags,from.name,from.address,to,cc,bcc,"
           "attachments,digest.exact,digest.core,digest.body.text,digest.body.html,digest.body.rtf,"
           "digest.state,partial,damage,recovered,failed\r\n"
           "2097188,32802,,,mail,,\"Re: a, \"\"b\"\"\",,,,,,,2021-03-04T05:06:07.5Z,,,,10,,Ann,a@x,"
           "B <b@x>; c@x,,,n; ,,,,,,,true,,,\r\n"
           "4,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,true\r\n");
}

static void csv_of_several_types_shares_columns(void **state)
{
    (void)state;
    expect(
        SHOW_CSV, T_FOLDER | T_FINDING, 0, lines,
        "type,nid,parent,path,name,class,role,rows,assoc_rows,items,assoc,n,count,code,layer,"
        "severity,offset,length,bid,expected,actual,items_more,folders,folders_more,text\r\n"
        "folder,290,,,,,,,,0,0,,,,,,,,,,,,,,\r\n"
        "folder,32802,,Top\x1b[31m/\xE5\x8F\x97,,,inbox,12,,12,1,,,,,,,,,,,,,,\r\n"
        "finding,,,,,,,,,4; 36,,1,,item_failed,,warning,512,,,,,,,,an item could not be read\r\n");
}

static void text_for_terminals_is_tame(void **state)
{
    static const char hostile[] = "a\tb\r\n\x1b]0;x\x07\x7f\xC2\x9B"
                                  "31m\xE2\x80\xAE\xE2\x80\x8B"
                                  "\xE2\x80\xA8\xFF\xED\xA0\x80\xC3\xA9\\";
    struct buf quoted = BUF_INIT;

    (void)state;
    terminal_quote((struct bytes){(const uint8_t *)hostile, sizeof hostile - 1}, &quoted);
    assert_string_equal(buf_cstr(&quoted),
                        "a\\tb\\r\\n\\u{1b}]0;x\\u{7}\\u{7f}\\u{9b}31m\\u{202e}\\u{200b}\\u{2028}"
                        "\\x{ff}\\x{ed}\\x{a0}\\x{80}\xC3\xA9\\");
    buf_done(&quoted);
}

static void types_are_parsed(void **state)
{
    unsigned types = 0;

    (void)state;
    assert_int_equal(idx_show_types("item", &types), 0);
    assert_int_equal(types, T_ITEM);
    assert_int_equal(idx_show_types("finding,item,item", &types), 0);
    assert_int_equal(types, T_ITEM | T_FINDING);
    assert_int_equal(idx_show_types("", &types), ERR_USAGE);
    assert_int_equal(idx_show_types("item,", &types), ERR_USAGE);
    assert_int_equal(idx_show_types("items", &types), ERR_USAGE);
    assert_int_equal(types, T_ITEM | T_FINDING);
}

static void every_column_has_its_type(void **state)
{
    size_t count;

    (void)state;
    for (unsigned type = 0; type < IDX_RECORDS; type++) {
        assert_non_null(idx_csv_columns((enum idx_record)type, &count));
        assert_true(count > 0);
    }
}

static void bad_lines_are_refused_alone(void **state)
{
    const struct idx_show_options options = {SHOW_CSV, T_FOLDER, 0};
    static const char bad[] = "{\"type\":\"folder\",}\n",
                      good[] = "{\"type\":\"folder\",\"nid\":5}\n";
    struct idx_show *s;

    (void)state;
    assert_int_equal(idx_show_create(&options, collect, &out, &s), 0);
    assert_int_equal(
        idx_show_line(s, RECORD_FOLDER, (struct bytes){(const uint8_t *)bad, sizeof bad - 1}),
        ERR_DAMAGED);
    assert_int_equal(out.size, 0);
    assert_int_equal(
        idx_show_line(s, RECORD_FOLDER, (struct bytes){(const uint8_t *)good, sizeof good - 1}), 0);
    assert_non_null(strstr(buf_cstr(&out), "\r\n5,,"));
    idx_show_destroy(s);
    buf_done(&out);
}

static int refuse(void *ctx, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    (void)size;
    return ERR_NOSPACE;
}

static void failed_output_and_memory_are_reported(void **state)
{
    const struct idx_show_options options[] = {{SHOW_TABLE, SHOW_ALL_TYPES, 80},
                                               {SHOW_CSV, SHOW_ALL_TYPES, 0},
                                               {SHOW_JSON, SHOW_ALL_TYPES, 0}};
    struct bytes line = {(const uint8_t *)lines[0], strlen(lines[0])};
    struct idx_show *s;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint64_t nth = 0;
        int code;

        assert_int_equal(idx_show_create(&options[i], refuse, NULL, &s), 0);
        assert_int_equal(idx_show_line(s, RECORD_IMAGE, line), ERR_NOSPACE);
        idx_show_destroy(s);
        do {
            buf_done(&out);
            mem_test_fail(++nth, 0);
            code = show_lines(&options[i], lines);
            mem_test_fail(0, 0);
            assert_true(code == 0 || code == ERR_NOMEM);
        } while (code);
        assert_true(nth > 3);
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_aligned),
        cmocka_unit_test(other_records_are_lists),
        cmocka_unit_test(tables_fit),
        cmocka_unit_test(later_rows_keep_the_widths),
        cmocka_unit_test(json_is_the_lines_of_the_types),
        cmocka_unit_test(csv_is_rfc4180),
        cmocka_unit_test(csv_of_several_types_shares_columns),
        cmocka_unit_test(text_for_terminals_is_tame),
        cmocka_unit_test(types_are_parsed),
        cmocka_unit_test(every_column_has_its_type),
        cmocka_unit_test(bad_lines_are_refused_alone),
        cmocka_unit_test(failed_output_and_memory_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
