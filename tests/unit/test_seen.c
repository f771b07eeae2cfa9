/* test_seen.c: the set of visited files: growth, identity, paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "io/seen.h"

static void finds_what_was_added_and_nothing_else(void **state)
{
    struct seen s;
    uint32_t id;

    (void)state;
    seen_init(&s);
    assert_int_equal(seen_find(&s, 1, 1), 0);
    for (uint64_t i = 0; i < 20000; i++) {
        assert_int_equal(seen_add(&s, i % 3, i << 32, 0, "x", &id), 0);
        assert_int_equal(id, i + 1);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        assert_int_equal(seen_find(&s, i % 3, i << 32), i + 1);
        assert_int_equal(seen_find(&s, i % 3 + 1, i << 32), 0);
        assert_int_equal(seen_find(&s, i % 3, (i << 32) + 1), 0);
    }
    seen_done(&s);
    assert_int_equal(seen_find(&s, 0, 0), 0);
}

static void paths_are_joined_by_one_slash(void **state)
{
    static const struct {
        const char *root, *expected;
    } cases[] = {
        {"mail", "mail/a/b.ost"},
        {"mail/", "mail/a/b.ost"},
        {"/", "/a/b.ost"},
        {"m//", "m//a/b.ost"},
    };
    struct seen s;
    struct buf path = BUF_INIT;
    uint32_t root, a, b;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seen_init(&s);
        assert_int_equal(seen_add(&s, 1, 1, 0, cases[i].root, &root), 0);
        assert_int_equal(seen_add(&s, 1, 2, root, "a", &a), 0);
        assert_int_equal(seen_add(&s, 1, 3, a, "b.ost", &b), 0);
        seen_path(&s, b, &path);
        assert_string_equal(buf_cstr(&path), cases[i].expected);
        seen_path(&s, root, &path);
        assert_string_equal(buf_cstr(&path), cases[i].root);
        seen_done(&s);
    }
    buf_done(&path);
}

static void a_refused_allocation_changes_nothing(void **state)
{
    struct seen s;
    uint32_t id = 0;
    unsigned refusals = 0;

    (void)state;
    seen_init(&s);
    for (uint64_t i = 0; i < 500; i++) {
        mem_test_fail(1, 1);
        if (seen_add(&s, 7, i, 0, "some longer name", &id) == ERR_NOMEM) {
            refusals++;
            assert_int_equal(seen_find(&s, 7, i), 0);
            mem_test_fail(0, 0);
            assert_int_equal(seen_add(&s, 7, i, 0, "some longer name", &id), 0);
        }
        mem_test_fail(0, 0);
        assert_int_equal(id, i + 1);
    }
    assert_true(refusals > 8);
    for (uint64_t i = 0; i < 500; i++)
        assert_int_equal(seen_find(&s, 7, i), i + 1);
    seen_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added_and_nothing_else),
        cmocka_unit_test(paths_are_joined_by_one_slash),
        cmocka_unit_test(a_refused_allocation_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
