/* test_bth.c: B-trees on heaps: order, levels, cycles, and what a bad part costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/bth.h"
#include "tests/support/forge.h"
#include "tests/support/forgeheap.h"

/* What an iteration gives: keys in order, whether something was left out. */
struct seen {
    uint64_t keys[64];
    unsigned count;
    bool damaged;
    int err;
};

static int iterate(struct forge_heap *h, uint32_t header, struct seen *seen)
{
    struct ost_bth_iter it;
    struct ost_heap heap;
    struct ost_bth tree;
    const uint8_t *record;
    int rc;

    forge_heap_finish(h, header);
    assert_int_equal(ost_heap_open(h->v->format, forge_heap_leaves(h), &heap), 0);
    rc = ost_bth_open(&heap, header, &tree);
    if (rc)
        return rc;
    *seen = (struct seen){0};
    ost_bth_begin(&tree, &it);
    while (ost_bth_next(&it, &record)) {
        assert_true(seen->count < 64);
        seen->keys[seen->count++] = ost_bth_key(&tree, record);
    }
    seen->damaged = it.damaged;
    seen->err = it.err;
    return 0;
}

static void put_key(uint8_t *at, unsigned size, uint64_t key)
{
    uint8_t bytes[16] = {0};

    put_le64(bytes, key);
    memcpy(at, bytes, size);
}

/* An item of records with those keys; hids: of children, NULL for data of `data` bytes. */
static uint32_t records(struct forge_heap *h, unsigned key_size, unsigned data,
                        const uint64_t *keys, const uint32_t *hids, unsigned count)
{
    uint8_t bytes[2048] = {0};
    size_t size = key_size + (hids ? 4 : data);

    for (unsigned i = 0; i < count; i++) {
        put_key(bytes + i * size, key_size, keys[i]);
        if (hids)
            put_le32(bytes + i * size + key_size, hids[i]);
    }
    return forge_heap_add(h, bytes, count * size);
}

static void all_key_sizes_iterate_in_stored_order(void **state)
{
    static const uint8_t key_sizes[] = {2, 4, 8, 16};
    static const uint64_t keys[] = {5, 3, 0x1234, 9, 9};

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned k = 0; k < 4; k++) {
            for (unsigned data = 1; data <= 32; data += 31) {
                struct forge_heap *h = forge_heap_new(forge_formats[f], OST_HEAP_BTH);
                uint32_t root = records(h, key_sizes[k], data, keys, NULL, 5);
                struct seen s;

                assert_int_equal(
                    iterate(h, forge_bth_header(h, key_sizes[k], (uint8_t)data, 0, root), &s), 0);
                assert_int_equal(s.count, 5);
                assert_memory_equal(s.keys, keys, sizeof keys);
                assert_false(s.damaged);
                mem_free(h);
            }
        }
    }
}

static void levels_are_walked_over_leaves_of_the_heap(void **state)
{
    static const uint64_t low[] = {1, 2}, high[] = {3, 4, 5}, tops[] = {1, 3}, root_key[] = {1};
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE4K, OST_HEAP_BTH);
    uint32_t hids[2], middle, root;
    struct seen s;

    (void)state;
    hids[0] = records(h, 4, 4, low, NULL, 2);
    forge_heap_leaf(h);
    hids[1] = records(h, 4, 4, high, NULL, 3);
    middle = records(h, 4, 0, tops, hids, 2);
    forge_heap_leaf(h);
    root = records(h, 4, 0, root_key, &middle, 1);
    assert_int_equal(iterate(h, forge_bth_header(h, 4, 4, 2, root), &s), 0);
    assert_int_equal(s.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(s.keys[i], i + 1);
    assert_false(s.damaged);
    mem_free(h);
}

static void empty_trees_are_empty(void **state)
{
    struct seen s;

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct forge_heap *h = forge_heap_new(forge_formats[f], OST_HEAP_BTH);
        uint32_t nothing = forge_heap_add(h, NULL, 0);

        /* hidRoot 0; a root of no bytes; and an empty item in place of the header */
        assert_int_equal(iterate(h, forge_bth_header(h, 4, 4, 0, 0), &s), 0);
        assert_int_equal(s.count + s.damaged, 0);
        assert_int_equal(iterate(h, forge_bth_header(h, 4, 4, 0, nothing), &s), 0);
        assert_int_equal(s.count + s.damaged, 0);
        assert_int_equal(iterate(h, nothing, &s), 0);
        assert_int_equal(s.count + s.damaged, 0);
        mem_free(h);
    }
}

static void a_malformed_header_is_damage(void **state)
{
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_BTH);
    struct seen s;
    uint32_t other = forge_heap_add(h, "\xB6\x04\x04\0\0\0\0\0", 8);
    uint32_t cut = forge_heap_add(h, "\xB5\x04\x04\0\0\0\0", 7);

    (void)state;
    assert_int_equal(iterate(h, other, &s), ERR_DAMAGED); /* signature */
    assert_int_equal(iterate(h, cut, &s), ERR_DAMAGED);   /* too short */
    assert_int_equal(iterate(h, 0, &s), ERR_DAMAGED);
    for (unsigned key = 0; key < 256; key++) {
        bool good = key == 2 || key == 4 || key == 8 || key == 16;

        assert_int_equal(iterate(h, forge_bth_header(h, (uint8_t)key, 4, 0, 0), &s),
                         good ? 0 : ERR_DAMAGED);
    }
    assert_int_equal(iterate(h, forge_bth_header(h, 2, 0, 0, 0), &s), ERR_DAMAGED);
    assert_int_equal(iterate(h, forge_bth_header(h, 2, 33, 0, 0), &s), ERR_DAMAGED);
    assert_int_equal(iterate(h, forge_bth_header(h, 2, 6, OST_LIMIT_BTH_LEVELS, 0), &s), 0);
    assert_int_equal(iterate(h, forge_bth_header(h, 2, 6, OST_LIMIT_BTH_LEVELS + 1, 0), &s),
                     ERR_DAMAGED);
    mem_free(h);
}

static void a_bad_child_costs_its_records(void **state)
{
    static const uint64_t low[] = {1, 2}, high[] = {5, 6}, tops[] = {1, 3, 5};
    struct forge_heap *h = forge_heap_new(OST_FORMAT_ANSI, OST_HEAP_BTH);
    uint32_t hids[3] = {0, 0x7FE0, 0};
    struct seen s;

    (void)state;
    hids[0] = records(h, 2, 6, low, NULL, 2);
    hids[2] = records(h, 2, 6, high, NULL, 2);
    assert_int_equal(iterate(h, forge_bth_header(h, 2, 6, 1, records(h, 2, 0, tops, hids, 3)), &s),
                     0);
    assert_int_equal(s.count, 4);
    assert_int_equal(s.keys[2], 5);
    assert_true(s.damaged);
    /* a root that is not there */
    assert_int_equal(iterate(h, forge_bth_header(h, 2, 6, 0, 0x7FE0), &s), 0);
    assert_int_equal(s.count, 0);
    assert_true(s.damaged);
    /* a record cut off at the end of its item */
    assert_int_equal(
        iterate(h, forge_bth_header(h, 2, 6, 0, forge_heap_add(h, "12345678123", 11)), &s), 0);
    assert_int_equal(s.count, 1);
    assert_true(s.damaged);
    mem_free(h);
}

static void cycles_and_repetition_end(void **state)
{
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_BTH);
    uint8_t self[7 * 250];
    struct ost_bth_iter it;
    struct ost_heap heap;
    struct ost_bth tree;
    const uint8_t *record;
    uint32_t hid = 1u << 5; /* the first item is the next to be added */
    uint64_t count = 0;

    (void)state;
    /* 250 references to itself, on eight levels: 250^8 records if nothing ended it */
    for (unsigned i = 0; i < 250; i++) {
        put_le16(self + i * 6, (uint16_t)i);
        put_le32(self + i * 6 + 2, hid);
    }
    assert_int_equal(forge_heap_add(h, self, 250 * 6), hid);
    forge_heap_finish(h, forge_bth_header(h, 2, 4, OST_LIMIT_BTH_LEVELS, hid));
    assert_int_equal(ost_heap_open(OST_FORMAT_UNICODE, forge_heap_leaves(h), &heap), 0);
    assert_int_equal(ost_bth_open(&heap, heap.root, &tree), 0);
    ost_bth_begin(&tree, &it);
    while (ost_bth_next(&it, &record))
        count++;
    assert_true(it.damaged);
    assert_int_equal(it.err, 0);
    assert_true(count <= heap.leaves.bytes / 3);
    mem_free(h);
}

static int get_until(void *ctx, size_t index, struct bytes *out)
{
    struct forge_heap *h = ctx;

    if (index == 1)
        return ERR_IO;
    *out = h->list[index];
    return 0;
}

static void codes_of_the_leaves_end_it(void **state)
{
    static const uint64_t one[] = {1}, tops[] = {1, 2, 3};
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_BTH);
    uint32_t hids[3], header;
    struct ost_bth_iter it;
    struct ost_heap heap;
    struct ost_bth tree;
    const uint8_t *record;

    (void)state;
    hids[0] = hids[2] = records(h, 4, 4, one, NULL, 1);
    hids[1] = 0x10020; /* in the second leaf */
    header = forge_bth_header(h, 4, 4, 1, records(h, 4, 0, tops, hids, 3));
    forge_heap_leaf(h);
    forge_heap_add(h, "12345678", 8);
    forge_heap_finish(h, header);
    assert_int_equal(
        ost_heap_open(OST_FORMAT_UNICODE, (struct ost_leaves){2, 1000, get_until, h}, &heap), 0);
    assert_int_equal(ost_bth_open(&heap, header, &tree), 0);
    ost_bth_begin(&tree, &it);
    assert_true(ost_bth_next(&it, &record));
    assert_false(ost_bth_next(&it, &record));
    assert_int_equal(it.err, ERR_IO);
    assert_false(ost_bth_next(&it, &record));
    mem_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_key_sizes_iterate_in_stored_order),
        cmocka_unit_test(levels_are_walked_over_leaves_of_the_heap),
        cmocka_unit_test(empty_trees_are_empty),
        cmocka_unit_test(a_malformed_header_is_damage),
        cmocka_unit_test(a_bad_child_costs_its_records),
        cmocka_unit_test(cycles_and_repetition_end),
        cmocka_unit_test(codes_of_the_leaves_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
