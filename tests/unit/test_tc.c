/* test_tc.c: table contexts: columns, rows, cells, and malformed descriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/tc.h"
#include "tests/support/forge.h"
#include "tests/support/forgeheap.h"

enum { BITMAP = 21, ROW = 23 };

/* One of each size; not sorted by id, as third parties write them. */
static const struct forge_column columns[] = {
    {0x67F2, OST_I32, 0, 4, 0},  {0x3008, OST_TIME, 4, 8, 3},  {0x0E17, OST_I32, 12, 4, 9},
    {0x0001, OST_I16, 16, 2, 4}, {0x0E1B, OST_BOOL, 18, 1, 5}, {0x2001, 0x2102, 4, 4, 6},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

struct fixture {
    struct forge_heap *heap;
    struct ost_heap view;
    struct ost_table table;
};

static int open_columns(struct fixture *x, enum ost_format format, const struct forge_column *list,
                        unsigned count, uint16_t bitmap, uint16_t row)
{
    x->heap = forge_heap_new(format, OST_HEAP_TABLE);
    forge_heap_finish(x->heap, forge_tcinfo(x->heap, list, count, bitmap, row, 0x3F));
    assert_int_equal(ost_heap_open(format, forge_heap_leaves(x->heap), &x->view), 0);
    memset(&x->table, 1, sizeof x->table); /* what is not told must not be taken from before */
    return ost_table_open(&x->view, &x->table);
}

static void columns_and_cells_are_found(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        uint8_t row[ROW] = {0};
        struct bytes bytes = {row, ROW}, cell = {0};
        const struct ost_column *c;
        struct fixture x;

        assert_int_equal(open_columns(&x, forge_formats[f], columns, COLUMNS, BITMAP, ROW), 0);
        assert_int_equal(x.table.column_count, COLUMNS);
        assert_false(x.table.maimed);
        assert_int_equal(x.table.rows_hnid, 0x3F);
        assert_int_equal(x.table.row_size, ROW);
        forge_cell(row, &columns[0], BITMAP, 0x200024);
        forge_cell(row, &columns[2], BITMAP, 77);
        c = ost_table_column(&x.table, OST_TC_ROW_ID, OST_I32);
        assert_non_null(c);
        assert_true(ost_table_cell(&x.table, c, bytes, &cell));
        assert_int_equal(cell.size, 4);
        assert_int_equal(le32(cell.data), 0x200024);
        c = ost_table_column(&x.table, 0x0E17, 0); /* its bit is in the second byte */
        assert_true(ost_table_cell(&x.table, c, bytes, &cell));
        assert_int_equal(le32(cell.data), 77);
        c = ost_table_column(&x.table, 0x3008, OST_TIME);
        assert_false(ost_table_cell(&x.table, c, bytes, &cell)); /* zero, and not there */
        forge_cell(row, &columns[1], BITMAP, 0);
        assert_true(ost_table_cell(&x.table, c, bytes, &cell)); /* zero, and there */
        assert_null(ost_table_column(&x.table, 0x3008, OST_I32));
        assert_null(ost_table_column(&x.table, 0x3009, 0));
        assert_non_null(ost_table_column(&x.table, 0x2001, OST_BINARY)); /* 0x2102 */
        mem_free(x.heap);
    }
}

static void references_are_told_from_values(void **state)
{
    static const struct {
        uint16_t type;
        bool reference;
    } cases[] = {
        {OST_I16, false},     {OST_I32, false},   {OST_BOOL, false},           {OST_F64, false},
        {OST_TIME, false},    {OST_GUID, true},   {OST_UNICODE, true},         {OST_STRING8, true},
        {OST_BINARY, true},   {OST_OBJECT, true}, {OST_MULTI | OST_I32, true}, {OST_I64, false},
        {OST_SERVERID, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ost_column c = {.type = cases[i].type};

        assert_int_equal(ost_table_is_reference(&c), cases[i].reference);
    }
}

static void string_types_match_each_other(void **state)
{
    static const struct forge_column one[] = {{0x001A, OST_STRING8, 0, 4, 0},
                                              {0x001B, OST_UNICODE, 4, 4, 1}};
    struct fixture x;

    (void)state;
    assert_int_equal(open_columns(&x, OST_FORMAT_ANSI, one, 2, 8, 9), 0);
    assert_non_null(ost_table_column(&x.table, 0x001A, OST_UNICODE));
    assert_non_null(ost_table_column(&x.table, 0x001B, OST_STRING8));
    assert_null(ost_table_column(&x.table, 0x001B, OST_BINARY));
    mem_free(x.heap);
}

static unsigned kept(struct forge_column c)
{
    struct fixture x;
    unsigned count;

    assert_int_equal(open_columns(&x, OST_FORMAT_UNICODE, &c, 1, BITMAP, ROW), 0);
    count = x.table.column_count;
    mem_free(x.heap);
    return count;
}

static void a_column_outside_the_row_is_left_out(void **state)
{
    (void)state;
    assert_int_equal(kept((struct forge_column){1, OST_I32, BITMAP - 4, 4, 15}), 1);
    assert_int_equal(kept((struct forge_column){1, OST_I32, BITMAP - 3, 4, 15}), 0); /* cell */
    assert_int_equal(kept((struct forge_column){1, OST_I32, 0xFFFF, 4, 15}), 0);
    assert_int_equal(kept((struct forge_column){1, OST_I32, 0, 4, 16}), 0); /* bit */
    assert_int_equal(kept((struct forge_column){1, OST_I32, 0, 4, 255}), 0);
    assert_int_equal(kept((struct forge_column){1, OST_I32, 0, 0, 0}), 0); /* size */
    assert_int_equal(kept((struct forge_column){1, OST_I32, 0, 255, 0}), 0);
}

static int open_info(uint8_t client, const void *info, size_t size)
{
    struct fixture x = {.heap = forge_heap_new(OST_FORMAT_UNICODE, client)};
    int rc;

    forge_heap_finish(x.heap, forge_heap_add(x.heap, info, size));
    assert_int_equal(ost_heap_open(OST_FORMAT_UNICODE, forge_heap_leaves(x.heap), &x.view), 0);
    rc = ost_table_open(&x.view, &x.table);
    mem_free(x.heap);
    return rc;
}

static void no_table_is_damage(void **state)
{
    uint8_t info[22 + 8] = {0x7C, 1};

    (void)state;
    put_le16(info + 6, BITMAP);
    put_le16(info + 8, ROW);
    assert_int_equal(open_info(OST_HEAP_TABLE, info, sizeof info), 0);
    assert_int_equal(open_info(OST_HEAP_PROPERTIES, info, sizeof info), ERR_DAMAGED);
    assert_int_equal(open_info(OST_HEAP_TABLE, info, 21), ERR_DAMAGED);
    assert_int_equal(open_info(OST_HEAP_TABLE, info, sizeof info - 1), ERR_DAMAGED); /* cCols */
    info[0] = 0xAC;
    assert_int_equal(open_info(OST_HEAP_TABLE, info, sizeof info), ERR_DAMAGED);
    info[0] = 0x7C;
    put_le16(info + 8, BITMAP); /* no bitmap: then also no row of no bytes */
    assert_int_equal(open_info(OST_HEAP_TABLE, info, sizeof info), ERR_DAMAGED);
    put_le16(info + 8, BITMAP - 1);
    assert_int_equal(open_info(OST_HEAP_TABLE, info, sizeof info), ERR_DAMAGED);
    info[1] = 0;
    put_le16(info + 6, 0);
    put_le16(info + 8, 0);
    assert_int_equal(open_info(OST_HEAP_TABLE, info, sizeof info), ERR_DAMAGED);
}

static void rows_never_cross_the_end(void **state)
{
    uint8_t leaf[3 * ROW + ROW - 1] = {0};
    struct fixture x;
    struct bytes row;

    (void)state;
    assert_int_equal(open_columns(&x, OST_FORMAT_UNICODE, columns, COLUMNS, BITMAP, ROW), 0);
    assert_int_equal(ost_table_rows_in(&x.table, sizeof leaf), 3);
    for (size_t n = 0; n < 3; n++) {
        assert_true(ost_table_row(&x.table, (struct bytes){leaf, sizeof leaf}, n, &row));
        assert_ptr_equal(row.data, leaf + n * ROW);
        assert_int_equal(row.size, ROW);
    }
    assert_false(ost_table_row(&x.table, (struct bytes){leaf, sizeof leaf}, 3, &row));
    assert_false(ost_table_row(&x.table, (struct bytes){leaf, sizeof leaf}, SIZE_MAX, &row));
    assert_false(ost_table_row(&x.table, (struct bytes){0}, 0, &row));
    mem_free(x.heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_and_cells_are_found),
        cmocka_unit_test(references_are_told_from_values),
        cmocka_unit_test(string_types_match_each_other),
        cmocka_unit_test(a_column_outside_the_row_is_left_out),
        cmocka_unit_test(no_table_is_damage),
        cmocka_unit_test(rows_never_cross_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
