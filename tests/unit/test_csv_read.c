/* test_csv_read.c: CSV in every form that programs write it, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "index/csv_read.h"
#include "io/err.h"
#include "io/mem.h"

/* Fields in brackets, rows in lines. */
static int on_row(void *ctx, const struct csv_row *row)
{
    struct buf *out = ctx;

    for (size_t i = 0; i < row->count; i++)
        buf_printf(out, "[%.*s]", (int)row->fields[i].size, (const char *)row->fields[i].data);
    buf_putc(out, '\n');
    return 0;
}

static int read_bytes(const void *data, size_t size, struct buf *out)
{
    struct io_source *source;
    int code;

    buf_reset(out);
    assert_int_equal(io_source_open_mem(data, size, &source), 0);
    code = csv_read(source, on_row, out);
    io_source_close(source);
    return code;
}

static void expect_bytes(const void *data, size_t size, const char *rows)
{
    struct buf out = BUF_INIT;

    assert_int_equal(read_bytes(data, size, &out), 0);
    assert_non_null(buf_cstr(&out));
    assert_string_equal((const char *)out.data, rows);
    buf_done(&out);
}

static void expect(const char *text, const char *rows)
{
    expect_bytes(text, strlen(text), rows);
}

static void rows_and_quotes(void **state)
{
    (void)state;
    expect("a,b\n1,2\n", "[a][b]\n[1][2]\n");
    expect("a,b\r\n1,2", "[a][b]\n[1][2]\n");
    expect("a,b\n\"1,\"\"x\"\"\",\"two\r\nlines\"\n", "[a][b]\n[1,\"x\"][two\r\nlines]\n");
    expect("a,b\n\n,\n1,\n", "[a][b]\n[1][]\n");
    expect("a,b\n1\n1,2,3\n", "[a][b]\n[1]\n[1][2][3]\n");
    expect("", "");
}

static void separators_and_preambles(void **state)
{
    (void)state;
    expect("a;b\n1;2,5\n", "[a][b]\n[1][2,5]\n");
    expect("a\tb\n1\t\t3\n", "[a][b]\n[1][][3]\n");
    expect("\"x;y;z\",b\n1,2\n", "[x;y;z][b]\n[1][2]\n");
    expect("#TYPE Selected.System.Management.Automation.PSCustomObject\r\n\"a\",\"b\"\r\n1,2\r\n",
           "[a][b]\n[1][2]\n");
    expect("sep=;\r\na;b\r\n1;2\r\n", "[a][b]\n[1][2]\n");
}

static void encodings(void **state)
{
    static const uint8_t le[] = {0xFF, 0xFE, 'a', 0, ';', 0, 0xE4, 0, '\n', 0};
    static const uint8_t be[] = {0xFE, 0xFF, 0, 'a', 0, ';', 0, 0xE4, 0, '\n'};
    static const uint8_t bare[] = {'a', 0, ',', 0, 'b', 0};
    static const uint8_t latin[] = {'a', ',', 0xE4, 0x80, '\n'};

    (void)state;
    expect("\xEF\xBB\xBF"
           "a,\xC3\xA4\n",
           "[a][\xC3\xA4]\n");
    expect_bytes(le, sizeof le, "[a][\xC3\xA4]\n");
    expect_bytes(be, sizeof be, "[a][\xC3\xA4]\n");
    expect_bytes(bare, sizeof bare, "[a][b]\n");
    expect_bytes(latin, sizeof latin, "[a][\xC3\xA4\xE2\x82\xAC]\n");
}

/* Characters across the pieces that the file is read in, in each encoding. */
static void characters_across_pieces(void **state)
{
    enum { UNITS = 300 * 1024 };
    struct buf utf8 = BUF_INIT, le = BUF_INIT, be = BUF_INIT, want = BUF_INIT;

    (void)state;
    buf_puts(&want, "[x");
    buf_putc(&utf8, 'x');
    buf_append(&le, "\xFF\xFEx\0", 4);
    buf_append(&be, "\xFE\xFF\0x", 4);
    for (int i = 0; i < UNITS / 4; i++) {
        buf_puts(&utf8, "\xF0\x9F\x98\x80");
        buf_append(&le, "\x3D\xD8\x00\xDE", 4);
        buf_append(&be, "\xD8\x3D\xDE\x00", 4);
        buf_puts(&want, "\xF0\x9F\x98\x80");
    }
    buf_puts(&want, "]\n");
    expect_bytes(utf8.data, utf8.size, buf_cstr(&want));
    expect_bytes(le.data, le.size, buf_cstr(&want));
    expect_bytes(be.data, be.size, buf_cstr(&want));
    buf_done(&utf8);
    buf_done(&le);
    buf_done(&be);
    buf_done(&want);
}

static void hostile(void **state)
{
    struct buf in = BUF_INIT, out = BUF_INIT;

    (void)state;
    assert_int_equal(read_bytes("a,b\n\"open", 9, &out), ERR_DAMAGED);
    for (int i = 0; i <= CSV_ROW_FIELDS; i++)
        buf_putc(&in, ',');
    assert_int_equal(read_bytes(in.data, in.size, &out), ERR_LIMIT);
    buf_reset(&in);
    buf_putc(&in, '"');
    assert_true(buf_reserve(&in, CSV_ROW_BYTES + 4096));
    memset(in.data + 1, 'x', CSV_ROW_BYTES + 4095);
    in.size = CSV_ROW_BYTES + 4096;
    assert_int_equal(read_bytes(in.data, in.size, &out), ERR_LIMIT);
    assert_int_equal(read_bytes("\0\0\0\0", 4, &out), 0);
    buf_done(&in);
    buf_done(&out);
}

static void allocations_fail(void **state)
{
    struct buf out = BUF_INIT;
    bool failed = true;

    (void)state;
    assert_true(buf_reserve(&out, 4096));
    for (uint64_t n = 1; failed; n++) {
        int code;
        struct io_source *source;

        assert_int_equal(io_source_open_mem("a,b\n1,\"2\"\n", 10, &source), 0);
        buf_reset(&out);
        mem_test_fail(n, 0);
        code = csv_read(source, on_row, &out);
        mem_test_fail(0, 0);
        io_source_close(source);
        assert_true(code == 0 || code == ERR_NOMEM);
        failed = code != 0;
        assert_true(n < 1000);
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_quotes), cmocka_unit_test(separators_and_preambles),
        cmocka_unit_test(encodings),       cmocka_unit_test(characters_across_pieces),
        cmocka_unit_test(hostile),         cmocka_unit_test(allocations_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
