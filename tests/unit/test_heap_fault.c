/* test_heap_fault.c: why a heap, or an item of it, cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/heap_fault.h"
#include "scanner/ost/pc.h"
#include "tests/support/forgeheap.h"

enum { SOUND = FINDING_CODES };

static const struct forge_prop props[] = {{0x0037, OST_UNICODE, 0, "s\0", 2},
                                          {0x1000, OST_UNICODE, 0, "b\0", 2}};

static struct forge_heap *forged(void)
{
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_PROPERTIES);

    forge_pc(h, props, 2);
    return h;
}

static unsigned fault_of(struct forge_heap *h, uint8_t client)
{
    enum finding_code code = 0;

    return ost_heap_fault(OST_FORMAT_UNICODE, forge_heap_leaves(h), client, &code) ? code : SOUND;
}

static void a_sound_heap_has_none(void **state)
{
    struct forge_heap *h = forged();

    (void)state;
    assert_int_equal(fault_of(h, OST_HEAP_PROPERTIES), SOUND);
    assert_int_equal(fault_of(h, OST_HEAP_TABLE), F_heap_client);
    mem_free(h);
}

/* Each field of the heap's and the B-tree's header; whoever reads it must have failed, too. */
static void every_field_has_its_code(void **state)
{
    static const struct {
        size_t at; /* in the first leaf */
        uint16_t value;
        enum finding_code code;
    } changes[] = {
        {0, 0xFFFE, F_heap_page_map},         /* ibHnpm */
        {2, 0xBC00 | 0xCE, F_heap_signature}, /* its signature and client */
        {2, 0x7C00 | 0xEC, F_heap_client},
        {4, 0xFFE0, F_heap_item_missing}, /* hidUserRoot */
        {4, 0x0021, F_heap_item_missing},
        {6, 0x0001, F_heap_item_missing}, /* … in a leaf that is not there */
    };

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct forge_heap *h = forged();
        struct arena arena;
        struct ost_heap heap;
        struct ost_pc pc;
        int rc;

        arena_init(&arena, 1 << 20);
        put_le16(h->leaves[0].data + changes[i].at, changes[i].value);
        rc = ost_heap_open(OST_FORMAT_UNICODE, forge_heap_leaves(h), &heap);
        if (!rc)
            rc = ost_pc_read(&heap, &arena, &pc);
        assert_int_equal(rc, ERR_DAMAGED);
        assert_int_equal(fault_of(h, OST_HEAP_PROPERTIES), changes[i].code);
        arena_done(&arena);
        mem_free(h);
    }
}

static void a_bad_tree_header_is_told(void **state)
{
    struct forge_heap *h = forged();

    (void)state;
    forge_heap_at(h, le32(h->leaves[0].data + 4))[0] = 0x5B;
    assert_int_equal(fault_of(h, OST_HEAP_PROPERTIES), F_bth_header);
    mem_free(h);
}

static void a_page_map_must_fit(void **state)
{
    struct forge_heap *h = forged();
    struct ost_heap heap;
    enum finding_code code = 0;

    (void)state;
    assert_int_equal(ost_heap_open(OST_FORMAT_UNICODE, forge_heap_leaves(h), &heap), 0);
    assert_false(ost_heap_item_fault(&heap, 0x20, &code));
    assert_true(ost_heap_item_fault(&heap, 0x7FE0, &code));
    assert_int_equal(code, F_heap_item_missing);
    put_le16(h->leaves[0].data + h->leaves[0].map, 0xFFFF); /* more items than there is room for */
    assert_true(ost_heap_item_fault(&heap, 0x7FE0, &code));
    assert_int_equal(code, F_heap_page_map);
    mem_free(h);
}

/* The block tells of itself. */
static void a_lost_block_says_nothing(void **state)
{
    struct forge_heap *h = forged();
    struct bytes lost[2] = {{0}, {0}};
    struct ost_heap heap;
    enum finding_code code;

    (void)state;
    assert_false(ost_heap_fault(OST_FORMAT_UNICODE, ost_leaves_in_memory(lost, 1),
                                OST_HEAP_PROPERTIES, &code));
    assert_false(ost_heap_fault(OST_FORMAT_UNICODE, ost_leaves_in_memory(lost, 0),
                                OST_HEAP_PROPERTIES, &code));
    lost[0] = h->list[0];
    assert_int_equal(ost_heap_open(OST_FORMAT_UNICODE, ost_leaves_in_memory(lost, 2), &heap), 0);
    assert_false(ost_heap_item_fault(&heap, 0x10020, &code));
    assert_true(ost_heap_item_fault(&heap, 0x20020, &code));
    assert_int_equal(code, F_heap_item_missing);
    mem_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_heap_has_none),     cmocka_unit_test(every_field_has_its_code),
        cmocka_unit_test(a_bad_tree_header_is_told), cmocka_unit_test(a_page_map_must_fit),
        cmocka_unit_test(a_lost_block_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
