/* test_worklist.c: every path once, in its order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/app/worklist.h"

enum { MANY = 5000 };

static unsigned released;

static void release(void *outcome)
{
    released += *(unsigned *)outcome;
}

static struct worklist *make_list(void)
{
    struct worklist *l = NULL;

    released = 0;
    assert_int_equal(worklist_create(release, &l), 0);
    return l;
}

static int add_image(struct worklist *l, unsigned n)
{
    char path[32];
    struct io_found found = {.path = path, .named = n % 2};

    size_t number;
    int err;

    snprintf(path, sizeof path, "image %u", n);
    err = worklist_add_image(l, &found, &number);

    assert_true(err || number == worklist_count(l) - 1);
    return err;
}

static int add_skipped(struct worklist *l, unsigned n)
{
    char path[32];

    snprintf(path, sizeof path, "other %u", n);
    return worklist_add_skipped(l, path, IO_SKIP_SPECIAL, NULL, NULL);
}

/* Every third is no image. */
static int add_either(struct worklist *l, unsigned n)
{
    return n % 3 == 2 ? add_skipped(l, n) : add_image(l, n);
}

static unsigned number_of(const struct work *w)
{
    unsigned n = UINT32_MAX;

    assert_int_equal(sscanf(w->path, "image %u", &n), 1);
    return n;
}

static void entries_are_copied_whole(void **state)
{
    struct worklist *l = make_list();
    struct fault fault = {.code = ERR_ACCESS, .errnum = 13};
    char path[] = "/a/x.ost", same[] = "/a/y.ost";
    struct io_found found = {.path = path, .size_bytes = 7, .named = true};
    const struct work *w;
    size_t number;

    (void)state;
    assert_int_equal(worklist_add_image(l, &found, &number), 0);
    assert_int_equal(number, 0);
    assert_int_equal(worklist_add_skipped(l, path, IO_SKIP_UNREADABLE, &fault, NULL), 0);
    assert_int_equal(worklist_add_skipped(l, path, IO_SKIP_DUPLICATE, NULL, same), 0);
    memset(path, 'z', sizeof path - 1);
    memset(same, 'z', sizeof same - 1);
    assert_int_equal(worklist_count(l), 3);
    w = worklist_peek(l, 0);
    assert_int_equal(w->kind, WORK_IMAGE);
    assert_string_equal(w->path, "/a/x.ost");
    assert_true(w->named);
    assert_false(w->done);
    assert_null(w->outcome);
    w = worklist_peek(l, 1);
    assert_int_equal(w->kind, WORK_SKIPPED);
    assert_int_equal(w->why, IO_SKIP_UNREADABLE);
    assert_int_equal(w->skip_errnum, 13);
    assert_null(w->same_as);
    w = worklist_peek(l, 2);
    assert_int_equal(w->why, IO_SKIP_DUPLICATE);
    assert_int_equal(w->skip_errnum, 0);
    assert_string_equal(w->same_as, "/a/y.ost");
    worklist_destroy(l);
}

static void entries_are_in_order_and_stay_in_place(void **state)
{
    struct worklist *l = make_list();
    struct work *early = NULL;

    (void)state;
    assert_null(worklist_peek(l, 0));
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(add_either(l, i), 0);
        if (i == 0)
            early = worklist_peek(l, 0);
        assert_non_null(worklist_peek(l, i));
        assert_null(worklist_peek(l, i + 1));
    }
    assert_ptr_equal(worklist_peek(l, 0), early);
    for (unsigned i = 0; i < MANY; i++) {
        const struct work *w = worklist_peek(l, i);

        assert_int_equal(w->kind, i % 3 == 2 ? WORK_SKIPPED : WORK_IMAGE);
        if (i % 3 != 2)
            assert_int_equal(number_of(w), i);
    }
    assert_int_equal(worklist_count(l), MANY);
    for (unsigned i = 2; i < MANY; i += 3)
        assert_int_equal(worklist_peek(l, i)->kind, WORK_SKIPPED);
    worklist_destroy(l);
}

static void outcomes_are_released_once(void **state)
{
    struct worklist *l = make_list();
    unsigned weights[] = {1, 10};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(add_image(l, i), 0);
    worklist_peek(l, 0)->outcome = &weights[0];
    worklist_peek(l, 2)->outcome = &weights[1];
    worklist_destroy(l);
    assert_int_equal(released, 11);
    worklist_destroy(NULL);
}

/* The first goes first, whatever comes behind it, and the others stay where they are. */
static void dropped_ones_are_gone_and_others_stay(void **state)
{
    struct worklist *l = make_list();
    unsigned weights[MANY];
    const struct work *last;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(add_image(l, i), 0);
        weights[i] = i + 1;
        worklist_peek(l, i)->outcome = &weights[i];
        if (i % 2)
            worklist_drop(l);
    }
    assert_int_equal(released, MANY / 2 * (MANY / 2 + 1) / 2);
    assert_int_equal(worklist_count(l), MANY);
    last = worklist_peek(l, MANY - 1);
    for (unsigned i = MANY / 2; i < MANY - 1; i++) {
        assert_int_equal(number_of(worklist_peek(l, i)), i);
        worklist_drop(l);
    }
    assert_ptr_equal(worklist_peek(l, MANY - 1), last);
    assert_int_equal(number_of(last), MANY - 1);
    worklist_destroy(l);
    assert_int_equal(released, MANY * (MANY + 1) / 2);
}

/* Adds until nothing fails, failing each allocation on the way once; the list loses nothing. */
static void nothing_is_lost_when_memory_runs_out(void **state)
{
    struct worklist *l = NULL;
    unsigned failures = 0;

    (void)state;
    mem_test_fail(1, 0);
    assert_int_equal(worklist_create(release, &l), ERR_NOMEM);
    assert_null(l);
    l = make_list();
    for (unsigned i = 0; i < 600; i++) {
        int err = ERR_NOMEM;

        for (unsigned nth = 1; err; nth++) {
            mem_test_fail(nth, 0);
            err = i % 3 == 2 ? worklist_add_skipped(l, "s", IO_SKIP_LOOP, NULL, "t")
                             : add_image(l, i);
            mem_test_fail(0, 0);
            assert_true(err == 0 || err == ERR_NOMEM);
            failures += err != 0;
            assert_int_equal(worklist_count(l), i + !err);
        }
    }
    /* a path each, same_as for each third, a chunk for each 256 and the table of chunks */
    assert_int_equal(failures, 600 + 200 + 3 + 1);
    for (unsigned i = 0; i < 600; i++)
        if (i % 3 != 2)
            assert_int_equal(number_of(worklist_peek(l, i)), i);
    worklist_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_copied_whole),
        cmocka_unit_test(entries_are_in_order_and_stay_in_place),
        cmocka_unit_test(outcomes_are_released_once),
        cmocka_unit_test(dropped_ones_are_gone_and_others_stay),
        cmocka_unit_test(nothing_is_lost_when_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
