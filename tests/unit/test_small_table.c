/*
 * test_small_table.c: small tables (recipients, attachments) read row by row: cells in the row, on
 * the heap and in subnodes, odd columns, and cells and rows that cannot be had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/ost/props.h"
#include "tests/support/forge.h"
#include "tests/support/tinyread.h"

enum { TABLE = 0x8022, MATRIX = 0x3F, VALUE = 0x5F, ABSENT = 0x7F, BITMAP = 40, ROW = 42 };

/* In no order; one id twice, of which the first counts, and one that is no id. */
static const struct forge_column columns[] = {
    {0x3005, OST_BINARY, 0, 4, 5},  {0x3001, OST_I32, 4, 4, 0},     {0x3003, OST_BINARY, 8, 4, 2},
    {0x3002, OST_BINARY, 12, 4, 1}, {0x3004, OST_BINARY, 16, 4, 3}, {0x3006, OST_BINARY, 20, 4, 6},
    {0x3007, OST_TIME, 24, 8, 7},   {0x3001, OST_I32, 32, 4, 8},    {0, OST_I32, 32, 4, 8},
    {0x3009, 0x0123, 36, 4, 4},
};
static const char text[] = "on the heap";
static const struct ost_namemap names; /* none */
static uint8_t value[9000];

struct table {
    struct tinyread x;
    struct ost_small_table table;
};

/* One row with all cells, or `bit` alone; rows_hnid: 0 for a matrix on the heap. */
static void make(struct table *t, enum ost_format format, uint32_t rows_hnid, bool matrix)
{
    struct forge_heap *h = forge_heap_new(format, OST_HEAP_TABLE);
    struct ost_subnode subnodes[2];
    uint8_t row[ROW] = {0};
    unsigned count = 0;
    uint32_t hid;

    tiny_init(&t->x.tiny, format);
    hid = forge_heap_add(h, text, strlen(text));
    forge_cell(row, &columns[1], BITMAP, 77);
    forge_cell(row, &columns[3], BITMAP, hid);
    forge_cell(row, &columns[2], BITMAP, VALUE);
    forge_cell(row, &columns[4], BITMAP, 0);
    forge_cell(row, &columns[9], BITMAP, hid);
    forge_cell(row, &columns[0], BITMAP, 0x7E0); /* no such item */
    forge_cell(row, &columns[5], BITMAP, ABSENT);
    forge_cell(row, &columns[6], BITMAP, 5);
    if (!rows_hnid)
        rows_hnid = forge_heap_add(h, row, sizeof row);
    forge_heap_finish(h, forge_tcinfo(h, columns, 10, BITMAP, ROW, rows_hnid));
    if (matrix)
        subnodes[count++] =
            (struct ost_subnode){.nid = MATRIX, .data = tiny_value(&t->x.tiny, row, sizeof row)};
    subnodes[count++] =
        (struct ost_subnode){.nid = VALUE, .data = tiny_value(&t->x.tiny, value, sizeof value)};
    tiny_node(&t->x.tiny, TABLE, tiny_heap(&t->x.tiny, h),
              tiny_subnodes(&t->x.tiny, subnodes, count), 0);
    tinyread_open(&t->x, UINT64_MAX);
    assert_int_equal(ost_small_table_open(&t->x.reading, tinyread_roots(&t->x, TABLE), &t->table),
                     0);
}

static void is_bytes(struct ost_props props, uint16_t id, const void *data, size_t size)
{
    const struct ost_prop *p = ost_props_find(props, id, 0);

    assert_non_null(p);
    assert_int_equal(p->value.size, size);
    assert_true(!size || memcmp(p->value.data, data, size) == 0);
}

static void cells_are_found_wherever_they_lie(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 3 + i / 255);
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned in_subnode = 0; in_subnode < 2; in_subnode++) {
            static const uint8_t number[] = {77, 0, 0, 0};
            size_t leaf = 0, n = 0;
            struct ost_props props;
            struct bytes row;
            struct table t;

            make(&t, forge_formats[f], in_subnode ? MATRIX : 0, in_subnode);
            assert_false(t.table.lost);
            assert_true(ost_small_table_next(&t.table, &leaf, &n, &row));
            assert_int_equal(ost_small_table_row(&t.x.reading, &names, &t.table, row, &props), 0);
            is_bytes(props, 0x3001, number, sizeof number);
            is_bytes(props, 0x3002, text, strlen(text));
            is_bytes(props, 0x3003, value, sizeof value);
            is_bytes(props, 0x3004, NULL, 0);
            assert_non_null(ost_props_find(props, 0x3009, 0)); /* of a type that nobody knows */
            /* In ascending order, one of each id; those that cannot be had are damage. */
            for (size_t i = 1; i < props.count; i++)
                assert_true(props.list[i - 1].id < props.list[i].id);
            assert_null(ost_props_find(props, 0x3005, 0));
            assert_null(ost_props_find(props, 0x3006, 0));
            assert_int_equal(tinyread_told(&t.x, F_property_failed), 2);
            assert_int_equal(tinyread_damages(&t.x, F_property_type_unknown), 1);
            assert_false(ost_small_table_next(&t.table, &leaf, &n, &row));
            tinyread_done(&t.x);
        }
    }
}

/* A matrix that is not there, on the heap or as a subnode: rows are missing, and no more. */
static void rows_that_are_not_there(void **state)
{
    static const uint32_t hnids[] = {ABSENT, 0x7E0};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        size_t leaf = 0, n = 0;
        struct bytes row;
        struct table t;

        make(&t, OST_FORMAT_UNICODE, hnids[i], false);
        assert_true(t.table.lost);
        assert_false(ost_small_table_next(&t.table, &leaf, &n, &row));
        tinyread_done(&t.x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_found_wherever_they_lie),
        cmocka_unit_test(rows_that_are_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
