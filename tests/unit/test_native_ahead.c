/*
 * test_native_ahead.c: blocks that are told of come together when the first of them is asked for,
 * each once; what is there in the end is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/native_ahead.h"
#include "scanner/ost/block.h"
#include "tests/support/fault_source.h"

enum { BLOCKS = 1500, STORED = 1000, PLACE = 1024, ROOM = 8 };

/* Blocks one behind the other, number i at (i + 1) * PLACE, over a source that counts. */
struct image {
    uint8_t bytes[(BLOCKS + 2) * PLACE];
    struct ost_block blocks[BLOCKS];
    struct ost_plan plan;
    struct fault_plan faults;
    struct io_source *source;
    bool cached; /* what the source says */
};

/* The faulty source, and what it says of the page cache. */
struct saying {
    struct io_source base;
    struct io_source *inner;
    const bool *cached;
};

static int saying_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    return io_source_read(((struct saying *)s)->inner, offset, into, size);
}

static void saying_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    io_source_hint(((struct saying *)s)->inner, hint, offset, length);
}

static void saying_close(struct io_source *s)
{
    io_source_close(((struct saying *)s)->inner);
    mem_free(s);
}

static bool saying_cached(const struct io_source *s)
{
    return *((const struct saying *)s)->cached;
}

static void open_image(struct image *m)
{
    static const struct io_source_ops ops = {
        .read = saying_read, .hint = saying_hint, .close = saying_close, .cached = saying_cached};
    struct saying *s = mem_zalloc(sizeof *s);
    struct io_source *inner;

    assert_non_null(s);
    memset(m, 0, sizeof *m);
    for (uint32_t i = 0; i < BLOCKS; i++)
        m->blocks[i] = (struct ost_block){.bid = 8 * (uint64_t)(i + 1),
                                          .offset = (uint64_t)(i + 1) * PLACE,
                                          .stored = STORED,
                                          .inflated = STORED,
                                          .refs = 2};
    m->plan = (struct ost_plan){
        .variant = ost_variant_of(OST_FORMAT_UNICODE), .blocks = m->blocks, .block_count = BLOCKS};
    for (size_t i = 0; i < sizeof m->bytes; i++)
        m->bytes[i] = (uint8_t)(i * 31 + i / 255);
    assert_int_equal(io_source_open_mem(m->bytes, sizeof m->bytes, &inner), 0);
    *s = (struct saying){{.ops = &ops, .size_bytes = inner->size_bytes}, NULL, &m->cached};
    assert_int_equal(fault_source_open(inner, &m->faults, &s->inner), 0);
    m->source = &s->base;
}

static struct native_ahead *open_ahead(const struct image *m)
{
    struct native_ahead *a;

    assert_int_equal(
        native_ahead_create(&m->plan, m->source, (size_t)NATIVE_AHEAD_LISTS * ROOM * PLACE, &a), 0);
    return a;
}

static void expect(const struct image *m, struct native_ahead *a, enum native_ahead_of list,
                   uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        native_ahead_expect(a, list, &m->blocks[i]);
}

static const uint8_t *ask(const struct image *m, struct native_ahead *a, uint32_t block)
{
    const struct ost_at_hand *view = native_ahead_view(a);
    bool clean = true;
    const uint8_t *extent = view->place(view->ctx, &m->blocks[block], &clean);

    assert_false(clean);
    return extent;
}

/* Asks for a block; reads: how many there are then. */
static bool asked(const struct image *m, struct native_ahead *a, uint32_t block, unsigned reads)
{
    const uint8_t *extent = ask(m, a, block);

    assert_int_equal(m->faults.count, reads);
    if (extent)
        assert_memory_equal(extent, m->bytes + m->blocks[block].offset,
                            ost_block_extent(m->plan.variant, STORED));
    return extent != NULL;
}

static void what_is_told_comes_together(void **state)
{
    static struct image m;
    struct native_ahead *a;

    (void)state;
    open_image(&m);
    a = open_ahead(&m);
    expect(&m, a, NATIVE_AHEAD_FOLDERS, 50, 3);
    expect(&m, a, NATIVE_AHEAD_FOLDERS, 10, 3);
    native_ahead_expect(a, NATIVE_AHEAD_FOLDERS, NULL);
    native_ahead_expect(NULL, NATIVE_AHEAD_FOLDERS, &m.blocks[1]);
    assert_false(asked(&m, a, 49, 0)); /* nobody told of it */
    assert_true(asked(&m, a, 51, 2));  /* and 52, 10 to 12 */
    for (uint32_t i = 10; i < 13; i++)
        assert_true(asked(&m, a, i, 2));
    assert_true(asked(&m, a, 50, 3)); /* before it in the order */

    /* A table's: what its folder's list brought is not read again. */
    expect(&m, a, NATIVE_AHEAD_TABLE, 8, 8);
    assert_true(asked(&m, a, 8, 5)); /* 8 and 9, 13 to 15 */
    assert_true(asked(&m, a, 15, 5));
    native_ahead_forget(a, NATIVE_AHEAD_TABLE);
    assert_true(asked(&m, a, 14, 5));
    native_ahead_destroy(a);
    native_ahead_destroy(NULL);
    io_source_close(m.source);
}

/* More than there is room for: window after window, and what was thrown out unasked is not had. */
static void long_lists_come_by_and_by(void **state)
{
    static struct image m;
    struct native_ahead *a;

    (void)state;
    open_image(&m);
    a = open_ahead(&m);
    expect(&m, a, NATIVE_AHEAD_TABLE, 100, 3 * ROOM);
    for (uint32_t i = 0; i < 3 * ROOM; i++)
        assert_true(asked(&m, a, 100 + i, 1 + i / ROOM));
    assert_false(asked(&m, a, 100, 3));
    native_ahead_forget(a, NATIVE_AHEAD_TABLE);

    expect(&m, a, NATIVE_AHEAD_TABLE, 200, 2 * ROOM);
    assert_true(asked(&m, a, 200, 4));
    assert_true(asked(&m, a, 200 + ROOM, 5));
    assert_false(asked(&m, a, 201, 5));
    native_ahead_destroy(a);
    io_source_close(m.source);
}

/* A block that is told of again, as one that many nodes name is, comes once all the same. */
static void what_is_told_twice_comes_once(void **state)
{
    static struct image m;
    struct native_ahead *a;

    (void)state;
    open_image(&m);
    a = open_ahead(&m);
    expect(&m, a, NATIVE_AHEAD_TABLE, 100, ROOM);
    expect(&m, a, NATIVE_AHEAD_TABLE, 200, ROOM / 2);
    expect(&m, a, NATIVE_AHEAD_TABLE, 100, ROOM / 2);
    assert_true(asked(&m, a, 100, 1));
    assert_true(asked(&m, a, 200, 2)); /* which throws the others out */
    assert_false(asked(&m, a, 100, 2));
    native_ahead_forget(a, NATIVE_AHEAD_TABLE);
    expect(&m, a, NATIVE_AHEAD_TABLE, 101, 1);
    assert_false(asked(&m, a, 100, 2));
    assert_true(asked(&m, a, 101, 3));

    /* More than a list begins with. */
    for (unsigned round = 0; round < 3; round++)
        expect(&m, a, NATIVE_AHEAD_FOLDERS, 0, BLOCKS);
    assert_true(asked(&m, a, 1, 4));
    assert_true(asked(&m, a, BLOCKS - 1, 5));
    assert_false(asked(&m, a, 8, 5));
    native_ahead_destroy(a);
    io_source_close(m.source);
}

/* Where reads need not wait nothing is thrown out, and no more than that is read ahead. */
static void what_is_cached_is_not_copied_for_nothing(void **state)
{
    static struct image m;
    const struct chk_had *had;
    struct native_ahead *a;
    size_t count;

    (void)state;
    open_image(&m);
    a = open_ahead(&m);
    m.cached = true;
    expect(&m, a, NATIVE_AHEAD_TABLE, 100, 3 * ROOM);
    for (uint32_t i = 0; i < 3 * ROOM; i++)
        assert_int_equal(asked(&m, a, 100 + i, 1), i < ROOM);
    native_ahead_forget(a, NATIVE_AHEAD_TABLE);
    m.cached = false;
    expect(&m, a, NATIVE_AHEAD_TABLE, 300, 2);
    assert_true(asked(&m, a, 300, 2));
    expect(&m, a, NATIVE_AHEAD_FOLDERS, 301, 1);
    expect(&m, a, NATIVE_AHEAD_FOLDERS, 40, 2);
    assert_true(asked(&m, a, 40, 3));
    native_ahead_keep(a);
    had = native_ahead_kept(a, &count);
    assert_int_equal(count, 4); /* 40, 41, 300, 301 */
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(had[i].block, (i < 2 ? 40 : 298) + i);
        assert_memory_equal(had[i].extent, m.bytes + m.blocks[had[i].block].offset, STORED);
    }
    native_ahead_destroy(a);
    io_source_close(m.source);
}

/* No more than the file has: else one value that many nodes name would be read for each. */
static void no_more_than_the_file_is_read(void **state)
{
    static struct image m;
    struct native_ahead *a;

    (void)state;
    open_image(&m);
    a = open_ahead(&m);
    for (unsigned i = 0; i < BLOCKS; i++) {
        expect(&m, a, NATIVE_AHEAD_TABLE, i % 2 ? 0 : ROOM, ROOM);
        (void)ask(&m, a, i % 2 ? 0 : ROOM);
        native_ahead_forget(a, NATIVE_AHEAD_TABLE);
    }
    assert_int_equal(m.faults.count, BLOCKS / ROOM + 1);
    native_ahead_destroy(a);
    io_source_close(m.source);
}

static void what_cannot_be_read_is_left_alone(void **state)
{
    static struct image m;
    struct native_ahead *a;
    size_t count;

    (void)state;
    open_image(&m);
    a = open_ahead(&m);
    m.faults.bad_from = m.blocks[12].offset + 5;
    m.faults.bad_to = m.faults.bad_from + 1;
    expect(&m, a, NATIVE_AHEAD_FOLDERS, 12, 1);
    expect(&m, a, NATIVE_AHEAD_FOLDERS, 20, 1);
    assert_false(asked(&m, a, 12, 2));
    assert_true(asked(&m, a, 20, 2));
    assert_false(asked(&m, a, 12, 2));
    m.faults.code = ERR_NOMEM;
    expect(&m, a, NATIVE_AHEAD_TABLE, 12, 2);
    assert_false(asked(&m, a, 12, 3));
    assert_false(asked(&m, a, 13, 3)); /* it has given up */
    native_ahead_keep(a);
    (void)native_ahead_kept(a, &count);
    assert_true(count >= 1);
    native_ahead_destroy(a);

    for (uint64_t n = 1; n < 12; n++) {
        mem_test_fail(n, 1);
        if (native_ahead_create(&m.plan, m.source, (size_t)2 * ROOM * PLACE, &a) == 0) {
            expect(&m, a, NATIVE_AHEAD_FOLDERS, 30, 4);
            (void)ask(&m, a, 31);
            native_ahead_keep(a);
            (void)native_ahead_kept(a, &count);
            mem_test_fail(0, 0);
            native_ahead_destroy(a);
        }
        mem_test_fail(0, 0);
    }
    io_source_close(m.source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_comes_together),
        cmocka_unit_test(long_lists_come_by_and_by),
        cmocka_unit_test(what_is_told_twice_comes_once),
        cmocka_unit_test(what_is_cached_is_not_copied_for_nothing),
        cmocka_unit_test(no_more_than_the_file_is_read),
        cmocka_unit_test(what_cannot_be_read_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
