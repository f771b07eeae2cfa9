/* test_heap.c: items of heaps on nodes, and what malformed ones cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/heap.h"
#include "tests/support/forge.h"
#include "tests/support/forgeheap.h"
#include "tests/support/guard.h"

static void items_are_found_in_every_leaf(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct forge_heap *h = forge_heap_new(forge_formats[f], OST_HEAP_PROPERTIES);
        uint32_t hids[FORGE_LEAVES][5];
        struct ost_heap heap;
        struct bytes item;

        for (unsigned leaf = 0; leaf < FORGE_LEAVES; leaf++) {
            for (unsigned i = 0; i < 5; i++)
                hids[leaf][i] = forge_heap_add(h, &"abcdefghij"[leaf % 5], i); /* the first empty */
            if (leaf + 1 < FORGE_LEAVES)
                forge_heap_leaf(h);
        }
        forge_heap_finish(h, 0x1234);
        assert_int_equal(ost_heap_open(forge_formats[f], forge_heap_leaves(h), &heap), 0);
        assert_int_equal(heap.client, OST_HEAP_PROPERTIES);
        assert_int_equal(heap.root, 0x1234);
        for (unsigned leaf = 0; leaf < FORGE_LEAVES; leaf++) {
            for (unsigned i = 0; i < 5; i++) {
                assert_int_equal(ost_heap_item(&heap, hids[leaf][i], &item), 0);
                assert_int_equal(item.size, i);
                assert_memory_equal(item.data, &"abcdefghij"[leaf % 5], i);
                assert_int_equal(ost_heap_block_of(&heap, hids[leaf][i]), leaf);
            }
            assert_int_equal(ost_heap_item(&heap, hids[leaf][4] + 0x20, &item), ERR_DAMAGED);
        }
        mem_free(h);
    }
}

static void a_hid_splits_by_format(void **state)
{
    struct ost_heap u = {.index_bits = 11}, k = {.index_bits = 14};

    (void)state;
    assert_int_equal(ost_heap_block_of(&u, 0x00012345u), 1);
    assert_int_equal(ost_heap_block_of(&k, 0x00092345u), 1);
    assert_int_equal(ost_heap_block_of(&u, 0xFFFFFFE0u), 0xFFFF);
    assert_int_equal(ost_heap_block_of(&k, 0xFFFFFFE0u), 0x1FFF);
}

/* One leaf with items "one" and "three", behind a guard page. */
struct one_leaf {
    struct guard guard;
    size_t map;
    struct bytes leaf;
    struct ost_heap heap;
};

static void one_leaf_init(struct one_leaf *o, size_t cut)
{
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_BTH);

    forge_heap_add(h, "one", 3);
    forge_heap_add(h, "three", 5);
    forge_heap_finish(h, 0x20);
    guard_init(&o->guard, h->leaves[0].size - cut);
    memcpy(o->guard.data, h->leaves[0].data, o->guard.size);
    o->map = h->leaves[0].map;
    o->leaf = (struct bytes){o->guard.data, o->guard.size};
    mem_free(h);
}

static int open_leaf(struct one_leaf *o)
{
    return ost_heap_open(OST_FORMAT_UNICODE, ost_leaves_in_memory(&o->leaf, 1), &o->heap);
}

static void no_heap_is_damage(void **state)
{
    struct one_leaf o;
    struct ost_heap heap;
    struct bytes lost = {0};

    (void)state;
    one_leaf_init(&o, 0);
    assert_int_equal(open_leaf(&o), 0);
    o.guard.data[2] = 0xED; /* signature */
    assert_int_equal(open_leaf(&o), ERR_DAMAGED);
    guard_done(&o.guard);
    /* no leaves, a lost first leaf, and every length too short for a header and a page map */
    assert_int_equal(ost_heap_open(OST_FORMAT_UNICODE, ost_leaves_in_memory(NULL, 0), &heap),
                     ERR_DAMAGED);
    assert_int_equal(ost_heap_open(OST_FORMAT_UNICODE, ost_leaves_in_memory(&lost, 1), &heap),
                     ERR_DAMAGED);
    for (size_t size = 0; size < 16; size++) {
        one_leaf_init(&o, 0);
        o.leaf = (struct bytes){o.guard.data + o.guard.size - size, size};
        memset(o.guard.data + o.guard.size - size, 0xEC, size);
        assert_int_equal(open_leaf(&o), ERR_DAMAGED);
        guard_done(&o.guard);
    }
}

static int item_after(size_t at, bool from_map, uint16_t value, uint32_t hid, size_t cut)
{
    struct one_leaf o;
    struct bytes item;
    int rc;

    one_leaf_init(&o, cut);
    if (at != SIZE_MAX)
        put_le16(o.guard.data + (from_map ? o.map : 0) + at, value);
    rc = open_leaf(&o);
    if (!rc)
        rc = ost_heap_item(&o.heap, hid, &item);
    guard_done(&o.guard);
    return rc;
}

static void a_bad_item_costs_itself(void **state)
{
    (void)state;
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0x40, 0), 0);
    /* HIDs: none, of another type, index 0, past the last, in a leaf that is not there */
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0, 0), ERR_DAMAGED);
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0x41, 0), ERR_DAMAGED);
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0x60, 0), ERR_DAMAGED);
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0x10040, 0), ERR_DAMAGED);
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0xFFFFFFE0, 0), ERR_DAMAGED);
    /* ibHnpm beyond the leaf, at its end, and the page map in the header */
    assert_int_equal(item_after(0, false, 0xFFFF, 0x40, 0), ERR_DAMAGED);
    assert_int_equal(item_after(0, false, 0xFFFE, 0x20, 0), ERR_DAMAGED);
    assert_int_equal(item_after(0, false, 4, 0x40, 0), ERR_DAMAGED);
    /* cAlloc too small for it, and larger than the leaf has room for */
    assert_int_equal(item_after(0, true, 1, 0x40, 0), ERR_DAMAGED);
    assert_int_equal(item_after(0, true, 0xFFFF, 0x60, 0), ERR_DAMAGED);
    assert_int_equal(item_after(0, true, 0xFFFF, 0xFFE0, 0), ERR_DAMAGED);
    /* its end before its start, in the page map, beyond the leaf; the other item is well */
    assert_int_equal(item_after(8, true, 14, 0x40, 0), ERR_DAMAGED);
    assert_int_equal(item_after(8, true, 21, 0x40, 0), ERR_DAMAGED);
    assert_int_equal(item_after(8, true, 0xFFFF, 0x40, 0), ERR_DAMAGED);
    assert_int_equal(item_after(8, true, 0xFFFF, 0x20, 0), 0);
    assert_int_equal(item_after(4, true, 0xFFFF, 0x20, 0), ERR_DAMAGED);
    assert_int_equal(item_after(4, true, 0xFFFF, 0x40, 0), 0);
    /* cut off inside the page map: what it still tells can be had */
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0x40, 1), ERR_DAMAGED);
    assert_int_equal(item_after(SIZE_MAX, false, 0, 0x20, 1), 0);
}

static void a_lost_leaf_costs_its_items(void **state)
{
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE4K, OST_HEAP_BTH);
    uint32_t hids[3];
    struct ost_heap heap;
    struct bytes item;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        hids[i] = forge_heap_add(h, "x", 1);
        if (i < 2)
            forge_heap_leaf(h);
    }
    forge_heap_finish(h, 0);
    h->list[1] = (struct bytes){0};
    assert_int_equal(ost_heap_open(OST_FORMAT_UNICODE4K, forge_heap_leaves(h), &heap), 0);
    assert_int_equal(ost_heap_item(&heap, hids[0], &item), 0);
    assert_int_equal(ost_heap_item(&heap, hids[1], &item), ERR_DAMAGED);
    assert_int_equal(ost_heap_item(&heap, hids[2], &item), 0);
    /* a leaf of one byte has not even the place of its page map */
    h->list[1] = (struct bytes){(const uint8_t *)"x", 1};
    assert_int_equal(ost_heap_item(&heap, hids[1], &item), ERR_DAMAGED);
    mem_free(h);
}

static int failing_get(void *ctx, size_t index, struct bytes *out)
{
    (void)index;
    (void)out;
    return *(int *)ctx;
}

static void codes_of_the_leaves_pass_through(void **state)
{
    int code = ERR_NOMEM;
    struct ost_leaves leaves = {1, 100, failing_get, &code};
    struct ost_heap heap = {.leaves = leaves, .index_bits = 11};
    struct bytes item;

    (void)state;
    assert_int_equal(ost_heap_open(OST_FORMAT_ANSI, leaves, &heap), ERR_NOMEM);
    assert_int_equal(ost_heap_item(&heap, 0x20, &item), ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_found_in_every_leaf),
        cmocka_unit_test(a_hid_splits_by_format),
        cmocka_unit_test(no_heap_is_damage),
        cmocka_unit_test(a_bad_item_costs_itself),
        cmocka_unit_test(a_lost_leaf_costs_its_items),
        cmocka_unit_test(codes_of_the_leaves_pass_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
