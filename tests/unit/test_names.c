/* test_names.c: the name-to-id map, built entry by entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/buf.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ref/names.h"

static void put_entry(struct buf *b, uint32_t value, unsigned set, unsigned is_text, uint16_t index)
{
    uint8_t entry[8];

    put_le32(entry, value);
    put_le16(entry + 4, (uint16_t)(set << 1 | is_text));
    put_le16(entry + 6, index);
    buf_append(b, entry, sizeof entry);
}

static const uint8_t guids[32] = {0xAA, [16] = 0xBB};
/* At 0 a Cyrillic name, in whose UTF-16 no byte is zero; at 8 one that says it is longer than the
 * rest; at 12 one of odd size. */
static const uint8_t strings[] = {4, 0, 0, 0, 0x16, 0x04, 0x17, 0x04, 99, 0, 0, 0, 1, 0, 0, 0, 'x'};

static struct bytes as_bytes(const struct buf *b)
{
    return (struct bytes){b->data, b->size};
}

static void names_are_found_by_id(void **state)
{
    struct buf entries = BUF_INIT;
    const struct ost_name *name;
    struct names n;

    (void)state;
    put_entry(&entries, 0x8205, 3, 0, 0);
    put_entry(&entries, 0, 4, 1, 1);
    put_entry(&entries, 7, 1, 0, 2);
    put_entry(&entries, 7, 2, 0, 3);
    put_entry(&entries, 7, 0, 0, 0x7FFF);
    put_entry(&entries, 1, 5, 0, 5);  /* a GUID that is not there */
    put_entry(&entries, 8, 3, 1, 6);  /* text beyond the end */
    put_entry(&entries, 12, 3, 1, 7); /* text of odd size */
    put_entry(&entries, 0xFFFFFFFF, 3, 1, 8);
    put_entry(&entries, 1, 3, 0, 0x8000); /* an index that has no id */
    put_entry(&entries, 9, 3, 0, 0);      /* the first one counts */
    assert_int_equal(names_init(&n, (struct bytes){guids, sizeof guids}, as_bytes(&entries),
                                (struct bytes){strings, sizeof strings}),
                     0);
    name = names_find(&n, 0x8000);
    assert_false(name->is_text);
    assert_int_equal(name->number, 0x8205);
    assert_int_equal(name->guid[0], 0xAA);
    name = names_find(&n, 0x8001);
    assert_true(name->is_text);
    assert_int_equal(name->guid[0], 0xBB);
    assert_int_equal(name->text.size, 4);
    assert_memory_equal(name->text.data, strings + 4, 4);
    assert_int_equal(names_find(&n, 0x8002)->guid[0], 0x28);
    assert_int_equal(names_find(&n, 0x8003)->guid[0], 0x29);
    assert_int_equal(names_find(&n, 0xFFFF)->guid[0], 0);
    for (uint16_t id = 0x8004; id < 0x8010; id++)
        assert_null(names_find(&n, id));
    assert_null(names_find(&n, 0x7FFF));
    names_done(&n);
    buf_done(&entries);
}

static void no_map_has_no_names(void **state)
{
    struct names none = {0}, empty;

    (void)state;
    assert_null(names_find(&none, 0x8000));
    assert_int_equal(names_init(&empty, (struct bytes){0}, (struct bytes){0}, (struct bytes){0}),
                     0);
    assert_null(names_find(&empty, 0x8000));
    names_done(&empty);
    names_done(&none);
}

static void failing_allocations_are_told(void **state)
{
    struct bytes all = {strings, sizeof strings};
    struct names n;

    (void)state;
    for (uint64_t nth = 1; nth <= 3; nth++) {
        mem_test_fail(nth, 0);
        assert_int_equal(names_init(&n, all, all, all), ERR_NOMEM);
        mem_test_fail(0, 0);
    }
    assert_int_equal(names_init(&n, all, all, all), 0);
    names_done(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_by_id),
        cmocka_unit_test(no_map_has_no_names),
        cmocka_unit_test(failing_allocations_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
