/* test_namemap.c: names of local property ids, and malformed streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/namemap.h"
#include "tests/support/guard.h"

enum { ENTRY = 8 };

static void put_entry(uint8_t *at, uint32_t value, unsigned set, bool text, uint16_t index)
{
    put_le32(at, value);
    put_le16(at + 4, (uint16_t)(set << 1 | text));
    put_le16(at + 6, index);
}

static const uint8_t guids[32] = {0xA1, 0xA2, [15] = 0xAF, 0xB1, 0xB2, [31] = 0xBF};
static const uint8_t strings[] = {4, 0, 0, 0, 'h', 0, 'i', 0, 0, 0, 0, 0};

static int one(struct ost_namemap *m, uint32_t value, unsigned set, bool text, uint16_t index)
{
    uint8_t entry[ENTRY];

    put_entry(entry, value, set, text, index);
    return ost_namemap_init(m, (struct bytes){guids, sizeof guids}, (struct bytes){entry, ENTRY},
                            (struct bytes){strings, sizeof strings});
}

static void names_are_read(void **state)
{
    static const uint8_t none[16], mapi[3] = {0x28, 0x03, 0x02}, strings_set[3] = {0x29, 3, 2};
    uint8_t entries[6 * ENTRY];
    struct ost_namemap m;
    const struct ost_name *n;

    (void)state;
    put_entry(entries, 0x8201, 3, false, 0);
    put_entry(entries + 8, 0, 4, true, 1);
    put_entry(entries + 16, 8, 2, true, 2); /* a text of no characters */
    put_entry(entries + 24, 7, 1, false, 3);
    put_entry(entries + 32, 7, 0, false, 0x7FFF);
    put_entry(entries + 40, 9, 0, false, 3); /* 3 has a name */
    assert_int_equal(ost_namemap_init(&m, (struct bytes){guids, sizeof guids},
                                      (struct bytes){entries, sizeof entries},
                                      (struct bytes){strings, sizeof strings}),
                     0);
    n = ost_namemap_find(&m, 0x8000);
    assert_false(n->is_text);
    assert_int_equal(n->number, 0x8201);
    assert_memory_equal(n->guid, guids, 16);
    n = ost_namemap_find(&m, 0x8001);
    assert_true(n->is_text);
    assert_int_equal(n->text.size, 4);
    assert_memory_equal(n->text.data, "h\0i\0", 4);
    assert_ptr_not_equal(n->text.data, strings + 4); /* a copy */
    assert_memory_equal(n->guid, guids + 16, 16);
    n = ost_namemap_find(&m, 0x8002);
    assert_int_equal(n->text.size, 0);
    assert_memory_equal(n->guid, strings_set, 3);
    n = ost_namemap_find(&m, 0x8003);
    assert_int_equal(n->number, 7);
    assert_memory_equal(n->guid, mapi, 3);
    n = ost_namemap_find(&m, 0xFFFF);
    assert_memory_equal(n->guid, none, 16);
    assert_null(ost_namemap_find(&m, 0x8004));
    assert_null(ost_namemap_find(&m, 0x7FFF));
    assert_null(ost_namemap_find(&m, 0));
    assert_int_equal(m.left_out, 1);
    ost_namemap_done(&m);
    assert_null(ost_namemap_find(&m, 0x8000)); /* an all-zero map has none */
}

static bool is_left_out(uint32_t value, unsigned set, bool text, uint16_t index)
{
    struct ost_namemap m;
    bool left_out;

    assert_int_equal(one(&m, value, set, text, index), 0);
    left_out = m.left_out == 1 && m.count == 0;
    ost_namemap_done(&m);
    return left_out;
}

static void malformed_entries_are_left_out(void **state)
{
    (void)state;
    assert_false(is_left_out(0, 4, true, 0));
    assert_true(is_left_out(1, 5, false, 0)); /* a set beyond the GUIDs */
    assert_true(is_left_out(1, 0x7FFF, false, 0));
    assert_true(is_left_out(9, 4, true, 0)); /* no room for the size */
    assert_true(is_left_out(UINT32_MAX, 4, true, 0));
    assert_true(is_left_out(2, 4, true, 0));      /* a size beyond the strings */
    assert_true(is_left_out(0, 4, true, 0x8000)); /* an index beyond the ids */
    assert_true(is_left_out(1, 4, true, 0));
}

static int text_of_size(uint32_t size, size_t room, bool *read)
{
    uint8_t entry[ENTRY];
    struct ost_namemap m;
    struct guard g;
    int rc;

    guard_init(&g, 4 + room);
    put_le32(g.data, size);
    put_entry(entry, 0, 0, true, 0);
    rc = ost_namemap_init(&m, (struct bytes){0}, (struct bytes){entry, ENTRY},
                          (struct bytes){g.data, g.size});
    *read = !rc && m.count == 1;
    ost_namemap_done(&m);
    guard_done(&g);
    return rc;
}

static void texts_stay_inside(void **state)
{
    bool read;

    (void)state;
    assert_int_equal(text_of_size(6, 6, &read), 0);
    assert_true(read);
    assert_int_equal(text_of_size(8, 6, &read), 0);
    assert_false(read);
    assert_int_equal(text_of_size(5, 6, &read), 0); /* half a character */
    assert_false(read);
    assert_int_equal(text_of_size(UINT32_MAX - 1, 6, &read), 0);
    assert_false(read);
    assert_int_equal(text_of_size(OST_LIMIT_NAME_BYTES, 4096, &read), 0);
    assert_true(read);
    assert_int_equal(text_of_size(OST_LIMIT_NAME_BYTES + 2, 4096, &read), 0);
    assert_false(read);
}

static void many_entries_take_no_more_than_ids(void **state)
{
    enum { COUNT = 200000 };
    uint8_t *entries = mem_zalloc(COUNT * ENTRY);
    struct ost_namemap m;

    (void)state;
    assert_non_null(entries);
    for (unsigned i = 0; i < COUNT; i++)
        put_entry(entries + i * ENTRY, i, 0, false, (uint16_t)i);
    assert_int_equal(ost_namemap_init(&m, (struct bytes){0}, (struct bytes){entries, COUNT * ENTRY},
                                      (struct bytes){0}),
                     0);
    assert_int_equal(m.count, 0x8000);
    assert_int_equal(ost_namemap_find(&m, 0xFFFF)->number, 0x7FFF);
    ost_namemap_done(&m);
    mem_free(entries);
}

static void memory_can_fail(void **state)
{
    struct ost_namemap m;
    uint64_t nth = 0;
    int rc;

    (void)state;
    do {
        mem_test_fail(++nth, 0);
        rc = one(&m, 0, 4, true, 0);
        mem_test_fail(0, 0);
        if (rc)
            assert_null(m.by_id);
    } while (rc == ERR_NOMEM);
    assert_int_equal(rc, 0);
    assert_int_equal(nth, 4);
    ost_namemap_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read),    cmocka_unit_test(malformed_entries_are_left_out),
        cmocka_unit_test(texts_stay_inside), cmocka_unit_test(many_entries_take_no_more_than_ids),
        cmocka_unit_test(memory_can_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
