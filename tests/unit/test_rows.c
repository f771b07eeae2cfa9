/* test_rows.c: contents rows: kept in memory and in a file, lost, and malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/rows.h"
#include "tests/support/forge.h"
#include "tests/support/tinyread.h"

enum { FOLDER = 0x8022, TABLE = 0x802E, OTHER = 0x8042, OTHER_TABLE = 0x804E };

static const struct tiny_row some[] = {
    {0x10024, 77, "key-a", "list-a"},
    {0x10004, 0, "key-b", NULL},
    {0x10044, 99, NULL, NULL},
    {0, 5, "none", NULL}, /* a row of no item */
};

/* Nodes for the items that the rows name; their content does not matter. */
static void add_items(struct tiny *t, uint32_t first, unsigned count, uint32_t folder)
{
    for (unsigned i = 0; i < count; i++)
        tiny_node(t, first + 32 * i, 0, 0, folder);
}

static int load(struct tinyread *x, struct ost_rows *rows, uint32_t table, uint32_t folder,
                uint64_t *count, bool *lost)
{
    *lost = false;
    ost_reading_begin(&x->reading, table, folder, false);
    return ost_rows_load(rows, &x->reading, tinyread_roots(x, table), folder, count, lost);
}

static const struct ost_prop *prop(struct ost_props props, uint16_t id)
{
    return ost_props_find(props, id, 0);
}

static void expect_text(struct ost_props props, uint16_t id, const char *text)
{
    const struct ost_prop *p = prop(props, id);

    if (!text) {
        assert_null(p);
        return;
    }
    assert_non_null(p);
    assert_int_equal(p->type, OST_BINARY);
    assert_int_equal(p->value.size, strlen(text));
    assert_memory_equal(p->value.data, text, p->value.size);
}

static void check_rows(struct tinyread *x, struct ost_rows *rows)
{
    struct ost_props none = {0};

    for (size_t i = 0; i < 3; i++) {
        size_t row = ost_rows_find(rows, some[i].id, FOLDER);
        struct ost_props props;

        assert_int_not_equal(row, SIZE_MAX);
        assert_int_equal(ost_rows_props(rows, row, &x->reading, none, &props), 0);
        expect_text(props, 0x65E2, some[i].key);
        expect_text(props, 0x65E3, some[i].list);
        assert_int_equal(prop(props, 0x3008) != NULL, some[i].time != 0);
        if (some[i].time)
            assert_int_equal(le64(prop(props, 0x3008)->value.data), some[i].time);
    }
}

static void rows_are_kept_and_found(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned tree = 0; tree < 2; tree++) {
            for (unsigned tight = 0; tight < 2; tight++) { /* no room for values: from a file */
                struct tinyread x;
                struct ost_rows *rows;
                uint64_t count;
                bool lost;

                tiny_init(&x.tiny, forge_formats[f]);
                tiny_contents(&x.tiny, TABLE, some, 4, tree ? 0x3F : 0);
                add_items(&x.tiny, 0x10004, 3, FOLDER);
                tinyread_open(&x, UINT64_MAX);
                assert_int_equal(ost_rows_create(&x.plan, tight ? 0 : 1 << 20, &rows), 0);
                assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
                assert_int_equal(count, 3);
                assert_false(lost);
                ost_rows_seal(rows);
                check_rows(&x, rows);
                assert_int_equal(x.finding_count, 0);
                ost_rows_destroy(rows);
                tinyread_done(&x);
            }
        }
    }
}

/* The list of rows is not there yet when the first table has none. */
static void a_first_table_may_be_empty(void **state)
{
    struct tinyread x;
    struct ost_rows *rows;
    uint64_t count = 7;
    bool lost = true;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    tiny_contents(&x.tiny, TABLE, NULL, 0, 0);
    add_items(&x.tiny, 0x10004, 1, FOLDER);
    tinyread_open(&x, UINT64_MAX);
    assert_int_equal(ost_rows_create(&x.plan, 1 << 20, &rows), 0);
    assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
    assert_int_equal(count, 0);
    assert_false(lost);
    ost_rows_seal(rows);
    assert_int_equal(ost_rows_find(rows, 0x10004, FOLDER), SIZE_MAX);
    ost_rows_destroy(rows);
    tinyread_done(&x);
}

static void a_row_belongs_to_its_folder(void **state)
{
    static const struct tiny_row other[] = {{0x10024, 5, NULL, NULL}, {0x10064, 6, NULL, NULL}};
    struct tinyread x;
    struct ost_rows *rows;
    uint64_t count;
    bool lost;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    tiny_contents(&x.tiny, TABLE, some, 4, 0);
    tiny_contents(&x.tiny, OTHER_TABLE, other, 2, 0);
    add_items(&x.tiny, 0x10004, 3, FOLDER);
    add_items(&x.tiny, 0x10064, 1, OTHER);
    tinyread_open(&x, UINT64_MAX);
    assert_int_equal(ost_rows_create(&x.plan, 1 << 20, &rows), 0);
    assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
    assert_int_equal(load(&x, rows, OTHER_TABLE, OTHER, &count, &lost), 0);
    ost_rows_seal(rows);
    /* the other folder's row of 0x10024, which is not in it, is told and not kept */
    assert_int_equal(count, 2);
    assert_int_equal(x.finding_count, 1);
    assert_int_equal(x.findings[0].code, F_row_without_item);
    assert_int_equal(x.findings[0].nid, 0x10024);
    assert_int_equal(ost_rows_find(rows, 0x10024, OTHER), SIZE_MAX);
    assert_int_not_equal(ost_rows_find(rows, 0x10024, FOLDER), SIZE_MAX);
    assert_int_not_equal(ost_rows_find(rows, 0x10064, OTHER), SIZE_MAX);
    assert_int_equal(ost_rows_find(rows, 0x10004, OTHER), SIZE_MAX);
    assert_int_equal(ost_rows_find(rows, 0x10005, FOLDER), SIZE_MAX);
    ost_rows_destroy(rows);
    tinyread_done(&x);
}

static void what_the_item_has_is_not_repeated(void **state)
{
    static const uint8_t bytes[8];
    const struct ost_prop own[] = {{0x3008, OST_TIME, NULL, {bytes, 8}},
                                   {0x65E3, OST_BINARY, NULL, {bytes, 1}}};
    struct ost_props have = {own, 2}, props;
    struct tinyread x;
    struct ost_rows *rows;
    uint64_t count;
    bool lost;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    tiny_contents(&x.tiny, TABLE, some, 4, 0);
    add_items(&x.tiny, 0x10004, 3, FOLDER);
    tinyread_open(&x, UINT64_MAX);
    assert_int_equal(ost_rows_create(&x.plan, 1 << 20, &rows), 0);
    assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
    ost_rows_seal(rows);
    assert_int_equal(
        ost_rows_props(rows, ost_rows_find(rows, 0x10024, FOLDER), &x.reading, have, &props), 0);
    assert_int_equal(props.count, 1);
    assert_int_equal(props.list[0].id, 0x65E2);
    ost_rows_destroy(rows);
    tinyread_done(&x);
}

/* A table over several leaves of heap and matrix, its values in no order; one leaf can be lost. */
enum { LARGE_ROWS = 270, BITMAP = 60, ROW = 61 };

static void large_table(struct tiny *t, uint64_t *leaf)
{
    static const struct forge_column columns[] = {{0x67F2, OST_I32, 0, 4, 0},
                                                  {0x3008, OST_TIME, 4, 8, 1},
                                                  {0x65E2, OST_BINARY, 12, 4, 2},
                                                  {0x65E3, OST_BINARY, 16, 4, 3}};
    struct forge_heap *h = forge_heap_new(t->v->format, OST_HEAP_TABLE);
    static uint8_t matrix[LARGE_ROWS * ROW + 8192];
    struct ost_subnode entry = {.nid = 0x3F};
    uint32_t keys[LARGE_ROWS], info;
    size_t at = 0, per_leaf = t->v->data_max / ROW * ROW;

    info = forge_tcinfo(h, columns, 4, BITMAP, ROW, 0x3F);
    for (unsigned i = 0; i < LARGE_ROWS; i++) {
        char text[24];

        if (i % 75 == 74)
            forge_heap_leaf(h);
        keys[i] = forge_heap_add(h, text, (size_t)snprintf(text, sizeof text, "key %u", i));
    }
    forge_heap_finish(h, info);
    memset(matrix, 0, sizeof matrix);
    for (unsigned i = 0; i < LARGE_ROWS; i++) {
        if (at % t->v->data_max == per_leaf) /* rows never cross a leaf */
            at += t->v->data_max - per_leaf;
        forge_cell(matrix + at, &columns[0], BITMAP, 0x10004 + 32 * i);
        forge_cell(matrix + at, &columns[2], BITMAP, keys[i * 7 % LARGE_ROWS]);
        at += ROW;
    }
    *leaf = t->next_bid + 4; /* the second of the heap's */
    entry.data = tiny_heap(t, h);
    tiny_node(t, TABLE, entry.data, 0, 0);
    entry.data = tiny_value(t, matrix, at);
    t->nodes[0].sub = tiny_subnodes(t, &entry, 1);
    add_items(t, 0x10004, LARGE_ROWS, FOLDER);
}

static void large_tables_are_read_leaf_by_leaf(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned turn = 0; turn < 4; turn++) {
            unsigned with_key = 0, bad = 0, broken = turn & 1;
            struct tinyread x;
            struct ost_rows *rows;
            uint64_t count, leaf;
            bool lost;

            tiny_init(&x.tiny, forge_formats[f]);
            large_table(&x.tiny, &leaf);
            if (broken)
                memset(tiny_at(&x.tiny, leaf), 0, x.tiny.v->data_max + x.tiny.v->block_trailer);
            tinyread_open(&x, UINT64_MAX);
            assert_int_equal(ost_rows_create(&x.plan, turn & 2 ? 0 : 1 << 20, &rows), 0);
            assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
            assert_int_equal(count, LARGE_ROWS);
            assert_false(lost); /* all rows are there, if not all values */
            ost_rows_seal(rows);
            for (unsigned i = 0; i < LARGE_ROWS; i++) {
                struct ost_props none = {0}, props;
                char text[24];

                tinyread_again(&x);
                snprintf(text, sizeof text, "key %u", i * 7 % LARGE_ROWS);
                assert_int_equal(ost_rows_props(rows, ost_rows_find(rows, 0x10004 + 32 * i, FOLDER),
                                                &x.reading, none, &props),
                                 0);
                if (props.count) {
                    with_key++;
                    expect_text(props, 0x65E2, text);
                }
                bad += tinyread_damages(&x, F_property_failed);
            }
            assert_int_equal(bad, broken ? 75 : 0);
            assert_int_equal(with_key, LARGE_ROWS - bad);
            ost_rows_destroy(rows);
            tinyread_done(&x);
        }
    }
}

/* A heap whose items all have the same bytes, the most that a heap has room for: rows that name
 * one item share it, items beyond what the heap holds are damage, and so bounded. */
static void values_take_no_more_than_their_heap(void **state)
{
    enum { SIZE = 3000, OVERLAPPING = 20 };
    static const struct forge_column columns[] = {{0x67F2, OST_I32, 0, 4, 0},
                                                  {0x65E2, OST_BINARY, 12, 4, 1}};
    static uint8_t value[SIZE], matrix[2 * OVERLAPPING * ROW];
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_TABLE);
    uint32_t info, hids[OVERLAPPING], rows_hid;
    struct ost_rows *rows;
    struct tinyread x;
    unsigned bad = 0;
    uint64_t count;
    bool lost;

    (void)state;
    memset(matrix, 0, sizeof matrix);
    info = forge_tcinfo(h, columns, 2, BITMAP, ROW, 0);
    rows_hid = forge_heap_add(h, matrix, sizeof matrix);
    hids[0] = forge_heap_add(h, value, SIZE);
    for (unsigned i = 1; i < OVERLAPPING; i++)
        hids[i] = forge_heap_add(h, NULL, 0);
    forge_heap_finish(h, info);
    put_le32(forge_heap_at(h, info) + 14, rows_hid);
    for (unsigned i = 0; i < 2 * OVERLAPPING; i++) {
        forge_cell(forge_heap_at(h, rows_hid) + i * ROW, &columns[0], BITMAP, 0x10004 + 32 * i);
        forge_cell(forge_heap_at(h, rows_hid) + i * ROW, &columns[1], BITMAP,
                   i < OVERLAPPING ? hids[0] : hids[i - OVERLAPPING]);
    }
    /* every second of the empty ones goes back to where the long one begins */
    for (unsigned i = 1; i < OVERLAPPING; i += 2) {
        uint8_t *entry =
            h->leaves[0].data + h->leaves[0].map + 4 + 2 * (size_t)((hids[i] >> 5) - 1);

        put_le16(entry + 2, (uint16_t)(le16(entry) - SIZE));
    }
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    tiny_node(&x.tiny, TABLE, tiny_heap(&x.tiny, h), 0, 0);
    add_items(&x.tiny, 0x10004, 2 * OVERLAPPING, FOLDER);
    tinyread_open(&x, UINT64_MAX);
    assert_int_equal(ost_rows_create(&x.plan, 0, &rows), 0);
    assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
    assert_int_equal(count, 2 * OVERLAPPING);
    ost_rows_seal(rows);
    for (unsigned i = 0; i < 2 * OVERLAPPING; i++) {
        struct ost_props none = {0}, props;

        tinyread_again(&x);
        assert_int_equal(ost_rows_props(rows, ost_rows_find(rows, 0x10004 + 32 * i, FOLDER),
                                        &x.reading, none, &props),
                         0);
        if (i < OVERLAPPING) {
            assert_int_equal(props.count, 1);
            assert_int_equal(props.list[0].value.size, SIZE);
        }
        bad += tinyread_damages(&x, F_property_failed);
    }
    assert_true(bad >= OVERLAPPING - 4);
    ost_rows_destroy(rows);
    tinyread_done(&x);
}

/* A value too long for a heap lies in a subnode of the table: there, whole over several blocks; of
 * a subnode that is not there, or whose block is not, damage of that row alone. */
static void long_values_lie_in_subnodes(void **state)
{
    enum { LONG = 20000, ROWS = 4 };
    static const struct forge_column columns[] = {{0x67F2, OST_I32, 0, 4, 0},
                                                  {0x65E2, OST_BINARY, 12, 4, 1}};
    static const uint32_t nids[ROWS] = {0x3F, 0x5F, 0x7F, 0x9F}; /* the last is not there */
    static uint8_t value[LONG];

    (void)state;
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 7 + i / 251);
    for (unsigned f = 0; f < 3; f++) {
        struct forge_heap *h = forge_heap_new(forge_formats[f], OST_HEAP_TABLE);
        uint8_t matrix[ROWS * ROW] = {0};
        struct ost_subnode subnodes[3];
        struct ost_rows *rows;
        struct tinyread x;
        uint64_t count;
        bool lost;

        tiny_init(&x.tiny, forge_formats[f]);
        for (unsigned i = 0; i < ROWS; i++) {
            forge_cell(matrix + i * ROW, &columns[0], BITMAP, 0x10004 + 32 * i);
            forge_cell(matrix + i * ROW, &columns[1], BITMAP, nids[i]);
        }
        for (unsigned i = 0; i < 2; i++)
            subnodes[i] = (struct ost_subnode){
                .nid = nids[i], .data = tiny_value(&x.tiny, value, i == 1 ? 5 : LONG)};
        subnodes[2] = (struct ost_subnode){.nid = nids[2], .data = 0x70000};
        forge_heap_finish(
            h, forge_tcinfo(h, columns, 2, BITMAP, ROW, forge_heap_add(h, matrix, sizeof matrix)));
        tiny_node(&x.tiny, TABLE, tiny_heap(&x.tiny, h), tiny_subnodes(&x.tiny, subnodes, 3), 0);
        add_items(&x.tiny, 0x10004, ROWS, FOLDER);
        tinyread_open(&x, UINT64_MAX);
        assert_int_equal(ost_rows_create(&x.plan, 1 << 20, &rows), 0);
        assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
        assert_int_equal(count, ROWS);
        ost_rows_seal(rows);
        for (unsigned i = 0; i < ROWS; i++) {
            struct ost_props none = {0}, props;

            tinyread_again(&x);
            assert_int_equal(ost_rows_props(rows, ost_rows_find(rows, 0x10004 + 32 * i, FOLDER),
                                            &x.reading, none, &props),
                             0);
            assert_int_equal(props.count, i < 2);
            assert_int_equal(tinyread_damages(&x, F_property_failed), i >= 2);
            if (i < 2) {
                assert_int_equal(props.list[0].value.size, i == 1 ? 5 : LONG);
                assert_memory_equal(props.list[0].value.data, value, props.list[0].value.size);
            }
        }
        ost_rows_destroy(rows);
        tinyread_done(&x);
    }
}

static void lost_rows_are_told(void **state)
{
    struct tinyread x;
    struct ost_rows *rows;
    uint64_t count, leaf;
    bool lost;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    large_table(&x.tiny, &leaf);
    /* the heap has four leaves and an XBLOCK; the matrix follows */
    memset(tiny_at(&x.tiny, 4 * 4 + 8), 0, 8192);
    tinyread_open(&x, UINT64_MAX);
    assert_int_equal(ost_rows_create(&x.plan, 1 << 20, &rows), 0);
    assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), 0);
    assert_true(lost);
    assert_true(count > 0 && count < LARGE_ROWS);
    assert_int_equal(tinyread_told(&x, F_table_failed), 1);
    ost_rows_destroy(rows);
    tinyread_done(&x);
}

static void rows_without_end_are_a_limit(void **state)
{
    struct tiny_row rows[40];
    struct ost_rows *kept;
    struct tinyread x;
    uint64_t count;
    bool lost;

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        rows[i] = (struct tiny_row){.id = 0x10004}; /* the same, and more of them than nodes */
    tiny_init(&x.tiny, OST_FORMAT_UNICODE);
    tiny_contents(&x.tiny, TABLE, rows, 40, 0);
    add_items(&x.tiny, 0x10004, 3, FOLDER);
    tinyread_open(&x, UINT64_MAX);
    assert_int_equal(ost_rows_create(&x.plan, 1 << 20, &kept), 0);
    assert_int_equal(load(&x, kept, TABLE, FOLDER, &count, &lost), ERR_LIMIT);
    ost_rows_seal(kept);
    assert_int_equal(ost_rows_find(kept, 0x10004, FOLDER), SIZE_MAX);
    ost_rows_destroy(kept);
    tinyread_done(&x);
}

static void no_table_is_damage(void **state)
{
    static const struct forge_prop props[] = {{0x3001, OST_UNICODE, 0, NULL, 0}};
    struct tinyread x;
    struct ost_rows *rows;
    uint64_t count = 7;
    bool lost;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_UNICODE4K);
    tiny_node(&x.tiny, TABLE, tiny_pc(&x.tiny, props, 1), 0, 0);
    tinyread_open(&x, UINT64_MAX);
    assert_int_equal(ost_rows_create(&x.plan, 1 << 20, &rows), 0);
    assert_int_equal(load(&x, rows, TABLE, FOLDER, &count, &lost), ERR_DAMAGED);
    assert_int_equal(count, 7);
    ost_rows_seal(rows);
    assert_int_equal(ost_rows_find(rows, 0x10004, FOLDER), SIZE_MAX);
    ost_rows_destroy(rows);
    ost_rows_destroy(NULL);
    tinyread_done(&x);
}

static void memory_can_fail(void **state)
{
    uint64_t nth = 0, count, leaf;
    struct tinyread x;
    bool lost;
    int rc;

    (void)state;
    tiny_init(&x.tiny, OST_FORMAT_ANSI);
    large_table(&x.tiny, &leaf);
    tinyread_open(&x, UINT64_MAX);
    do {
        struct ost_rows *rows = NULL;

        mem_test_fail(++nth, 0);
        rc = ost_rows_create(&x.plan, 1 << 20, &rows);
        if (!rc)
            rc = load(&x, rows, TABLE, FOLDER, &count, &lost);
        mem_test_fail(0, 0);
        tinyread_again(&x);
        if (rows && rc) {
            ost_rows_seal(rows);
            assert_int_equal(ost_rows_find(rows, 0x10004, FOLDER), SIZE_MAX);
        }
        ost_rows_destroy(rows);
    } while (rc == ERR_NOMEM);
    assert_int_equal(rc, 0);
    assert_true(nth > 4);
    tinyread_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_kept_and_found),
        cmocka_unit_test(a_first_table_may_be_empty),
        cmocka_unit_test(a_row_belongs_to_its_folder),
        cmocka_unit_test(what_the_item_has_is_not_repeated),
        cmocka_unit_test(large_tables_are_read_leaf_by_leaf),
        cmocka_unit_test(values_take_no_more_than_their_heap),
        cmocka_unit_test(long_values_lie_in_subnodes),
        cmocka_unit_test(lost_rows_are_told),
        cmocka_unit_test(rows_without_end_are_a_limit),
        cmocka_unit_test(no_table_is_damage),
        cmocka_unit_test(memory_can_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
