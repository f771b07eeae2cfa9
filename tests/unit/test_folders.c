/* test_folders.c: paths of folders, whole, broken, circular and too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "index/folders.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"

enum { ROOT = 0x122 };

static struct idx_folders *folders;

static int setup(void **state)
{
    (void)state;
    assert_int_equal(idx_folders_create(&folders), 0);
    return idx_folders_add(folders, ROOT, ROOT, (struct bytes){(const uint8_t *)"Root", 4});
}

static int teardown(void **state)
{
    (void)state;
    idx_folders_destroy(folders);
    return 0;
}

static void add(uint32_t nid, uint32_t parent, const char *name)
{
    assert_int_equal(
        idx_folders_add(folders, nid, parent, (struct bytes){(const uint8_t *)name, strlen(name)}),
        0);
}

static void path_is(uint32_t nid, enum idx_path kind, const char *wanted)
{
    struct buf out = BUF_INIT;

    buf_puts(&out, "<");
    assert_int_equal(idx_folders_path(folders, nid, &out), kind);
    assert_string_equal(buf_cstr(&out) + 1, wanted);
    buf_done(&out);
}

static void names_are_joined_and_escaped(void **state)
{
    (void)state;
    add(2, 1, "b/c 100%");
    add(1, ROOT, "a");
    add(3, 2, "\xED\xA0\x80");
    add(4, 3, "");
    add(5, 4, "%2F");
    path_is(ROOT, IDX_PATH_WHOLE, "");
    path_is(1, IDX_PATH_WHOLE, "a");
    path_is(2, IDX_PATH_WHOLE, "a/b%2Fc 100%25");
    path_is(3, IDX_PATH_WHOLE, "a/b%2Fc 100%25/\xED\xA0\x80");
    path_is(5, IDX_PATH_WHOLE, "a/b%2Fc 100%25/\xED\xA0\x80//%252F");
    path_is(99, IDX_PATH_ABSENT, "");
    add(1, 5, "again");
    path_is(1, IDX_PATH_WHOLE, "a");
}

static void broken_ways_up_end(void **state)
{
    (void)state;
    add(1, 77, "lost");
    add(2, 1, "below");
    add(3, 5, "x");
    add(4, 3, "y");
    add(5, 4, "z");
    add(6, 5, "beside");
    path_is(2, IDX_PATH_PART, "lost/below");
    path_is(4, IDX_PATH_PART, "z/x/y");
    path_is(6, IDX_PATH_PART, "x/y/z/beside");
    path_is(4, IDX_PATH_PART, "z/x/y");
}

static void depth_is_bounded(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    for (uint32_t i = 1; i <= OST_LIMIT_FOLDER_DEPTH + 1; i++)
        add(1000 + i, i == 1 ? ROOT : 1000 + i - 1, "n");
    assert_int_equal(idx_folders_path(folders, 1000 + OST_LIMIT_FOLDER_DEPTH, &out),
                     IDX_PATH_WHOLE);
    assert_int_equal(out.size, 2 * OST_LIMIT_FOLDER_DEPTH - 1);
    buf_done(&out);
    path_is(1000 + OST_LIMIT_FOLDER_DEPTH + 1, IDX_PATH_ABSENT, "");
}

static void length_is_bounded(void **state)
{
    uint8_t *name = mem_alloc(IDX_PATH_MAX * 4);
    struct buf out = BUF_INIT;

    (void)state;
    memset(name, 'n', IDX_PATH_MAX * 4);
    assert_int_equal(idx_folders_add(folders, 1, ROOT, (struct bytes){name, IDX_PATH_MAX}), 0);
    assert_int_equal(idx_folders_add(folders, 2, ROOT, (struct bytes){name, IDX_PATH_MAX + 1}), 0);
    assert_int_equal(idx_folders_add(folders, 3, ROOT, (struct bytes){name, IDX_PATH_MAX * 4}), 0);
    add(4, 1, "x");
    assert_int_equal(idx_folders_path(folders, 1, &out), IDX_PATH_WHOLE);
    assert_int_equal(out.size, IDX_PATH_MAX);
    path_is(2, IDX_PATH_ABSENT, "");
    path_is(3, IDX_PATH_ABSENT, "");
    path_is(4, IDX_PATH_ABSENT, "");
    buf_done(&out);
    mem_free(name);
}

/* What all paths take together, those that turn out too long among them. */
static void all_are_bounded(void **state)
{
    (void)state;
    add(1, ROOT, "abcd");
    add(2, 1, "ef");
    idx_folders_bound(folders, 12);
    path_is(2, IDX_PATH_WHOLE, "abcd/ef");
    path_is(1, IDX_PATH_WHOLE, "abcd");
    path_is(1, IDX_PATH_ABSENT, "");
    idx_folders_bound(folders, 12);
    path_is(2, IDX_PATH_WHOLE, "abcd/ef");
    path_is(2, IDX_PATH_ABSENT, "");
    path_is(1, IDX_PATH_ABSENT, "");
    path_is(ROOT, IDX_PATH_WHOLE, "");
}

static void many_are_found_again(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    for (uint32_t i = 1; i < 20000; i++) {
        char name[16] = {0};

        name[0] = (char)('a' + i % 26);
        add(i << 5 | 3, ROOT, name);
    }
    for (uint32_t i = 1; i < 20000; i++) {
        buf_reset(&out);
        assert_int_equal(idx_folders_path(folders, i << 5 | 3, &out), IDX_PATH_WHOLE);
        assert_int_equal(out.size, 1);
        assert_int_equal(out.data[0], 'a' + i % 26);
    }
    buf_done(&out);
}

/* Nids that fall near each other when multiplied by 2^32 over the golden ratio, as an image can
 * choose them: they are found in the time that it takes to find any. */
static void chosen_nids_cost_no_more(void **state)
{
    enum { CHOSEN = 300000, SECONDS = 10 };
    clock_t start = clock();
    uint32_t added = 0;

    (void)state;
    for (uint32_t index = 1; added < CHOSEN && index < UINT32_C(1) << 27; index++) {
        uint32_t nid = index << 5 | 2;

        if (nid == ROOT || (nid * UINT32_C(0x9E3779B1) >> 7 & 0x1FFFFF) >= 0x2000)
            continue;
        add(nid, ROOT, "");
        added++;
    }
    assert_int_equal(added, CHOSEN);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < SECONDS);
}

static void failed_memory_is_reported(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        struct idx_folders *f = NULL;
        int code;

        mem_test_fail(nth, 0);
        code = idx_folders_create(&f);
        for (uint32_t i = 1; !code && i < 200; i++)
            code = idx_folders_add(f, i, i == 1 ? 1 : i - 1,
                                   (struct bytes){(const uint8_t *)"name", 4});
        mem_test_fail(0, 0);
        if (f) {
            /* what was refused can be added again */
            assert_int_equal(idx_folders_add(f, 500, 1, (struct bytes){(const uint8_t *)"n", 1}),
                             0);
            idx_folders_destroy(f);
        }
        if (!code) {
            assert_true(nth > 5);
            return;
        }
        assert_int_equal(code, ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_joined_and_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_ways_up_end, setup, teardown),
        cmocka_unit_test_setup_teardown(depth_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(length_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(all_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(many_are_found_again, setup, teardown),
        cmocka_unit_test_setup_teardown(chosen_nids_cost_no_more, setup, teardown),
        cmocka_unit_test(failed_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
