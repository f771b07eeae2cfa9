/* test_pc.c: property contexts: every type, order, and what a bad property costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/pc.h"
#include "tests/support/forge.h"
#include "tests/support/forgeheap.h"
#include "tests/support/guard.h"

struct fixture {
    struct forge_heap *heap;
    struct ost_heap view;
    struct arena arena;
    struct ost_pc pc;
};

static int read_pc(struct fixture *x)
{
    arena_init(&x->arena, 1 << 20);
    assert_int_equal(ost_heap_open(x->heap->v->format, forge_heap_leaves(x->heap), &x->view), 0);
    return ost_pc_read(&x->view, &x->arena, &x->pc);
}

static void done(struct fixture *x)
{
    arena_done(&x->arena);
    mem_free(x->heap);
}

static int read_props(struct fixture *x, enum ost_format format, const struct forge_prop *props,
                      size_t count)
{
    x->heap = forge_heap_new(format, OST_HEAP_PROPERTIES);
    forge_pc(x->heap, props, count);
    return read_pc(x);
}

static const struct ost_pc_entry *entry(const struct fixture *x, uint16_t id)
{
    static struct ost_pc_entry found;

    for (size_t i = 0; i < x->pc.count; i++) {
        if (x->pc.list[i].id == id) {
            found = ost_pc_at(&x->pc, i);
            return &found;
        }
    }
    return NULL;
}

static void check(const struct fixture *x, uint16_t id, enum ost_pc_state state, const void *data,
                  size_t size)
{
    const struct ost_pc_entry *e = entry(x, id);

    assert_non_null(e);
    assert_int_equal(e->state, state);
    assert_int_equal(e->prop.value.size, size);
    if (size)
        assert_memory_equal(e->prop.value.data, data, size);
}

static void every_type_has_its_width(void **state)
{
    static const struct forge_prop props[] = {
        {0x0001, OST_I16, 0xFFFF1234, NULL, 0}, /* upper bytes are not always zero */
        {0x0002, OST_I32, 0x12345678, NULL, 0},
        {0x0003, OST_F32, 0x3F800000, NULL, 0},
        {0x0004, OST_ERROR, 0x80040102, NULL, 0},
        {0x0005, OST_BOOL, 0xFFFFFF01, NULL, 0},
        {0x0006, OST_F64, 0, "12345678", 8},
        {0x0007, OST_CURRENCY, 0, "12345678", 8},
        {0x0008, OST_APPTIME, 0, "12345678", 8},
        {0x0009, OST_I64, 0, "12345678", 8},
        {0x000A, OST_TIME, 0, "12345678", 8},
        {0x000B, OST_GUID, 0, "1234567812345678", 16},
        {0x000C, OST_UNICODE, 0, "a\0b\0", 4},
        {0x000D, OST_STRING8, 0, "ab", 2},
        {0x000E, OST_BINARY, 0, "abc", 3},
        {0x000F, OST_OBJECT, 0, "12345678", 8},
        {0x0010, OST_MULTI | OST_I32, 0, "12345678abcd", 12},
        {0x0011, OST_MULTI | OST_UNICODE, 0, "\1\0\0\0\x8\0\0\0a\0", 10},
        {0x0012, OST_UNICODE, 0, NULL, 0},   /* HNID 0: empty */
        {0x0013, OST_TIME, 0, NULL, 0},      /* the same of a fixed type */
        {0x0014, OST_BINARY, 0x3F, NULL, 0}, /* a subnode */
        {0x0015, OST_BINARY, 0, "", 0},      /* an empty item */
        {0x0016, OST_I64, 0, "", 0},         /* the same of a fixed type */
        {0x0017, OST_SERVERID, 0, "srv", 3},
    };

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct fixture x;

        assert_int_equal(read_props(&x, forge_formats[f], props, sizeof props / sizeof *props), 0);
        assert_int_equal(x.pc.count, sizeof props / sizeof *props);
        assert_false(x.pc.damaged);
        assert_false(x.pc.unordered);
        check(&x, 0x0001, OST_PC_VALUE, "\x34\x12", 2);
        check(&x, 0x0002, OST_PC_VALUE, "\x78\x56\x34\x12", 4);
        check(&x, 0x0003, OST_PC_VALUE, "\0\0\x80\x3F", 4);
        check(&x, 0x0004, OST_PC_VALUE, "\x02\x01\x04\x80", 4);
        check(&x, 0x0005, OST_PC_VALUE, "\x01", 1);
        for (uint16_t id = 6; id <= 10; id++)
            check(&x, id, OST_PC_VALUE, "12345678", 8);
        for (uint16_t id = 11; id <= 17; id++)
            check(&x, id, OST_PC_VALUE, props[id - 1].data, props[id - 1].size);
        check(&x, 0x0012, OST_PC_VALUE, NULL, 0);
        check(&x, 0x0013, OST_PC_VALUE, NULL, 0);
        check(&x, 0x0014, OST_PC_SUBNODE, NULL, 0);
        assert_int_equal(entry(&x, 0x0014)->subnode, 0x3F);
        check(&x, 0x0015, OST_PC_VALUE, NULL, 0);
        check(&x, 0x0016, OST_PC_VALUE, NULL, 0);
        check(&x, 0x0017, OST_PC_VALUE, "srv", 3);
        done(&x);
    }
}

static void a_bad_property_costs_itself(void **state)
{
    static const struct forge_prop props[] = {
        {0x1000, OST_UNICODE, 0x7FE0, NULL, 0}, /* no such item */
        {0x1001, OST_I64, 0, "1234567", 7},     /* not its width */
        {0x1002, OST_GUID, 0, "12345678", 8},
        {0x1003, OST_BINARY, 0x40000, NULL, 0}, /* no such leaf */
        {0x1004, OST_UNICODE, 0, "o\0k\0", 4},
    };
    struct fixture x;

    (void)state;
    assert_int_equal(read_props(&x, OST_FORMAT_UNICODE, props, 5), 0);
    assert_int_equal(x.pc.count, 5);
    for (uint16_t id = 0x1000; id < 0x1004; id++)
        check(&x, id, OST_PC_BAD, NULL, 0);
    check(&x, 0x1004, OST_PC_VALUE, "o\0k\0", 4);
    done(&x);
}

static void unknown_types_are_kept(void **state)
{
    static const struct forge_prop props[] = {
        {0x0000, 0x0000, 0, NULL, 0}, /* names nothing */
        {0x2000, 0x0000, 0, NULL, 0},
        {0x2001, 0x0000, 0x12345678, NULL, 0}, /* looks like a subnode, or is the value */
        {0x2002, 0x0077, 0x7FE0, NULL, 0},     /* no such item: then it is the value */
        {0x2003, 0x0077, 0, "abc", 3},
        {0x2004, 0x2102, 0, "odd", 3}, /* binary with a bit of unknown meaning */
        {0x2005, 0x2003, 0x01020304, NULL, 0},
        {0x2006, 0x2077, 0, "abc", 3},
    };
    struct fixture x;

    (void)state;
    assert_int_equal(read_props(&x, OST_FORMAT_UNICODE, props, 8), 0);
    assert_int_equal(x.pc.count, 7);
    assert_false(x.pc.unordered);
    check(&x, 0x2000, OST_PC_VALUE, NULL, 0);
    check(&x, 0x2001, OST_PC_GUESS, "\x78\x56\x34\x12", 4);
    assert_int_equal(entry(&x, 0x2001)->subnode, 0x12345678);
    check(&x, 0x2002, OST_PC_VALUE, "\xE0\x7F\0\0", 4);
    check(&x, 0x2003, OST_PC_VALUE, "abc", 3);
    check(&x, 0x2004, OST_PC_VALUE, "odd", 3);
    assert_int_equal(entry(&x, 0x2004)->prop.type, OST_BINARY);
    check(&x, 0x2005, OST_PC_VALUE, "\x04\x03\x02\x01", 4);
    assert_int_equal(entry(&x, 0x2005)->prop.type, OST_I32);
    assert_int_equal(entry(&x, 0x2006)->prop.type, 0x2077);
    done(&x);
}

static void ids_are_put_in_order(void **state)
{
    static const struct forge_prop props[] = {
        {0x3000, OST_I32, 1, NULL, 0}, {0x1000, OST_I32, 2, NULL, 0}, {0x3000, OST_I32, 3, NULL, 0},
        {0x2000, OST_I32, 4, NULL, 0}, {0x1000, OST_I32, 5, NULL, 0},
    };
    struct fixture x;

    (void)state;
    assert_int_equal(read_props(&x, OST_FORMAT_ANSI, props, 5), 0);
    assert_true(x.pc.unordered);
    assert_int_equal(x.pc.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(x.pc.list[i].id, 0x1000 * (i + 1));
    check(&x, 0x1000, OST_PC_VALUE, "\2\0\0\0", 4); /* the first of each */
    check(&x, 0x3000, OST_PC_VALUE, "\1\0\0\0", 4);
    done(&x);
}

/* Values that are elsewhere go along with their properties, more of them than are expected. */
static void what_is_open_is_put_in_order_too(void **state)
{
    enum { COUNT = 60 };
    struct forge_prop props[COUNT];
    struct fixture x;

    (void)state;
    for (unsigned i = 0; i < COUNT; i++)
        props[i] = (struct forge_prop){(uint16_t)(0x1000 + i * 7 % 50),
                                       i % 3 ? OST_UNICODE : OST_I32, i * 32 + 0x1F, NULL, 0};
    assert_int_equal(read_props(&x, OST_FORMAT_UNICODE, props, COUNT), 0);
    assert_int_equal(x.pc.count, 50);
    for (unsigned i = 0; i < 50; i++) {
        struct ost_pc_entry e = ost_pc_at(&x.pc, i * 7 % 50);

        assert_int_equal(e.prop.id, props[i].id);
        assert_int_equal(e.state, i % 3 ? OST_PC_SUBNODE : OST_PC_VALUE);
        if (i % 3)
            assert_int_equal(e.subnode, i * 32 + 0x1F);
        else
            assert_int_equal(le32(e.prop.value.data), i * 32 + 0x1F);
    }
    done(&x);
}

static int open_with(uint8_t client, uint8_t key, uint8_t data, bool empty)
{
    struct fixture x = {.heap = forge_heap_new(OST_FORMAT_UNICODE, client)};
    uint32_t root = empty ? 0 : forge_heap_add(x.heap, "\1\0\3\0\0\0\0\0", 8);
    int rc;

    forge_heap_finish(x.heap, forge_bth_header(x.heap, key, data, 0, root));
    rc = read_pc(&x);
    done(&x);
    return rc;
}

static void no_property_context_is_damage(void **state)
{
    struct fixture x = {.heap = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_PROPERTIES)};

    (void)state;
    assert_int_equal(open_with(OST_HEAP_PROPERTIES, 2, 6, false), 0);
    assert_int_equal(open_with(OST_HEAP_TABLE, 2, 6, false), ERR_DAMAGED);
    assert_int_equal(open_with(OST_HEAP_PROPERTIES, 4, 6, false), ERR_DAMAGED);
    assert_int_equal(open_with(OST_HEAP_PROPERTIES, 2, 4, false), ERR_DAMAGED);
    assert_int_equal(open_with(OST_HEAP_PROPERTIES, 4, 4, true), 0); /* empty: nothing is read */
    forge_heap_add(x.heap, "x", 1);
    forge_heap_finish(x.heap, 0x7FE0); /* hidUserRoot names no item */
    assert_int_equal(read_pc(&x), ERR_DAMAGED);
    done(&x);
}

static void repeated_references_do_not_multiply(void **state)
{
    struct fixture x = {.heap = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_PROPERTIES)};
    uint8_t index[6 * 300], leaf[8 * 100];
    uint32_t hid;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        put_le16(leaf + 8 * i, (uint16_t)(i + 1));
        put_le16(leaf + 8 * i + 2, OST_I32);
        put_le32(leaf + 8 * i + 4, i);
    }
    hid = forge_heap_add(x.heap, leaf, sizeof leaf);
    for (unsigned i = 0; i < 300; i++) {
        put_le16(index + 6 * i, (uint16_t)i);
        put_le32(index + 6 * i + 2, hid);
    }
    hid = forge_heap_add(x.heap, index, sizeof index);
    forge_heap_finish(x.heap, forge_bth_header(x.heap, 2, 6, 1, hid));
    assert_int_equal(read_pc(&x), 0);
    assert_true(x.pc.damaged);
    assert_int_equal(x.pc.count, 100);
    assert_true(x.arena.used_bytes < 64 * x.view.leaves.bytes);
    done(&x);
}

static void memory_that_is_refused_is_told_from_a_limit(void **state)
{
    static const struct forge_prop props[] = {{0x1000, OST_I32, 1, NULL, 0}};
    struct fixture x;

    (void)state;
    assert_int_equal(read_props(&x, OST_FORMAT_UNICODE, props, 1), 0);
    arena_done(&x.arena);
    arena_init(&x.arena, 24);
    assert_int_equal(ost_pc_read(&x.view, &x.arena, &x.pc), ERR_LIMIT);
    arena_init(&x.arena, 1 << 20);
    mem_test_fail(1, 0);
    assert_int_equal(ost_pc_read(&x.view, &x.arena, &x.pc), ERR_NOMEM);
    mem_test_fail(0, 0);
    done(&x);
}

static void object_references_need_their_bytes(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint32_t nid, size;

    (void)state;
    assert_false(ost_object_ref((struct bytes){bytes, 7}, &nid, &size));
    assert_true(ost_object_ref((struct bytes){bytes, 8}, &nid, &size));
    assert_int_equal(nid, 0x04030201);
    assert_int_equal(size, 0x08070605);
}

/* Every cut of a property context, its last byte before a guard page. */
static void no_cut_is_read_past(void **state)
{
    static const struct forge_prop props[] = {{0x1000, OST_UNICODE, 0, "a\0b\0", 4},
                                              {0x1001, OST_I32, 7, NULL, 0},
                                              {0x1002, OST_TIME, 0, "12345678", 8}};
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_PROPERTIES);
    struct bytes leaf;
    struct guard g;

    (void)state;
    forge_pc(h, props, 3);
    for (size_t size = 1; size <= h->leaves[0].size; size++) {
        struct ost_heap view;
        struct arena arena;
        struct ost_pc pc;

        guard_init(&g, size);
        memcpy(g.data, h->leaves[0].data, size);
        leaf = (struct bytes){g.data, size};
        arena_init(&arena, 1 << 20);
        if (!ost_heap_open(OST_FORMAT_UNICODE, ost_leaves_in_memory(&leaf, 1), &view))
            (void)ost_pc_read(&view, &arena, &pc);
        arena_done(&arena);
        guard_done(&g);
    }
    mem_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_width),
        cmocka_unit_test(a_bad_property_costs_itself),
        cmocka_unit_test(unknown_types_are_kept),
        cmocka_unit_test(ids_are_put_in_order),
        cmocka_unit_test(what_is_open_is_put_in_order_too),
        cmocka_unit_test(no_property_context_is_damage),
        cmocka_unit_test(repeated_references_do_not_multiply),
        cmocka_unit_test(memory_that_is_refused_is_told_from_a_limit),
        cmocka_unit_test(object_references_need_their_bytes),
        cmocka_unit_test(no_cut_is_read_past),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
