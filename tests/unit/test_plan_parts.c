/*
 * test_plan_parts.c: B-trees loaded in parts give the same plan and tell the same events in the
 * same order as when they are loaded at once, whatever is wrong with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "scanner/ost/plan.h"
#include "tests/support/forge.h"
#include "tests/support/giant.h"

enum { EVENTS_MAX = 64 };

struct seen {
    struct ost_plan_event event;
    struct ost_defects defects;
};

static void source_hint_none(struct io_source *s, enum io_hint hint, uint64_t offset,
                             uint64_t length)
{
    (void)s;
    (void)hint;
    (void)offset;
    (void)length;
}

/* A giant some of whose pages are zeros, changed or unreadable. */
struct worn {
    struct io_source source;
    struct giant giant;
    uint64_t zeros, changed, unreadable; /* page numbers; those after them at some distance too */
    struct seen seen[EVENTS_MAX];
    unsigned count;
};

static bool is_worn(uint64_t page, uint64_t first)
{
    return page >= first && (page - first) % 700 == 0;
}

static int worn_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    struct worn *w = (struct worn *)s;
    uint32_t page_size = w->giant.variant->page_size;
    int rc = io_source_read(&w->giant.source, offset, into, size);

    for (size_t done = 0; done < size && !rc; done += page_size) {
        uint64_t page = (offset + done) / page_size;

        if (is_worn(page, w->zeros))
            memset((uint8_t *)into + done, 0, page_size);
        if (is_worn(page, w->changed))
            ((uint8_t *)into)[done + page_size / 4] ^= 1;
        if (is_worn(page, w->unreadable))
            rc = ERR_IO;
    }
    return rc;
}

static int note_worn(void *ctx, const struct ost_plan_event *event)
{
    struct worn *w = ctx;

    assert_true(w->count < EVENTS_MAX);
    w->seen[w->count].event = *event;
    w->seen[w->count++].defects = *event->defects;
    return 0;
}

/* The last part first: no part may count on one before it. */
static void run_backwards(void *ctx, unsigned count,
                          void (*part)(void *arg, unsigned i, struct io_source *source), void *arg)
{
    struct worn *w = ctx;

    assert_true(count > 1);
    while (count-- > 0)
        part(arg, count, &w->source);
}

static void load_worn(struct worn *w, const struct ost_variant *v, unsigned parts,
                      struct ost_plan *plan)
{
    static const struct io_source_ops ops = {
        .read = worn_read, .hint = source_hint_none, .close = NULL};
    struct ost_plan_options options;

    memset(w, 0, sizeof *w);
    giant_init(&w->giant, v, 2000 * (uint64_t)v->bbt_max, v->bbt_max);
    w->source.ops = &ops;
    w->source.size_bytes = w->giant.source.size_bytes;
    w->zeros = 100;
    w->changed = 333;
    w->unreadable = 650;
    options = giant_options(&w->giant);
    options.memory_bytes = 64 << 20;
    options.ctx = w;
    options.event = note_worn;
    options.parts = parts;
    options.run_parts = parts ? run_backwards : NULL;
    assert_int_equal(ost_plan_load(&w->source, &options, plan), 0);
}

static void assert_same_event(const struct seen *a, const struct seen *b)
{
    const struct ost_plan_event *x = &a->event, *y = &b->event;

    assert_true(x->tree == y->tree && x->level == y->level && x->root == y->root);
    assert_true(x->offset == y->offset && x->bid == y->bid);
    assert_true(x->first == y->first && x->last == y->last);
    assert_true(x->lost == y->lost && x->parent_suspect == y->parent_suspect);
    assert_true(x->trust == y->trust && x->dropped == y->dropped);
    assert_int_equal(a->defects.count, b->defects.count);
    assert_int_equal(a->defects.list[0].kind, b->defects.list[0].kind);
    assert_int_equal(a->defects.list[0].actual, b->defects.list[0].actual);
}

static void parts_change_nothing(void **state)
{
    static struct worn whole, parted;

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        const struct ost_variant *v = ost_variant_of(forge_formats[f]);
        struct ost_plan one, many;

        load_worn(&whole, v, 0, &one);
        load_worn(&parted, v, 4, &many);
        assert_true(whole.count >= 8 && one.trees[OST_TREE_BBT].lost_pages >= 5);
        assert_int_equal(whole.count, parted.count);
        for (unsigned i = 0; i < whole.count; i++)
            assert_same_event(&whole.seen[i], &parted.seen[i]);
        assert_int_equal(one.block_count, many.block_count);
        assert_memory_equal(one.blocks, many.blocks, one.block_count * sizeof *one.blocks);
        assert_int_equal(one.page_count, many.page_count);
        assert_memory_equal(one.pages, many.pages, one.page_count * sizeof *one.pages);
        assert_memory_equal(one.trees, many.trees, sizeof one.trees);
        ost_plan_done(&one);
        ost_plan_done(&many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
