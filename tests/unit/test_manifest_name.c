/* test_manifest_name.c: a name for each path, the same in every run, short enough for a file. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/manifest_name.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/support/tempdir.h"

enum { TAIL = 1 + 16 + 10 }; /* "-<16 hex>.jsonl.zst" */

static const char *root;

/* A temporary folder with `a`, `b` and `link`, which leads to `a`; it is the working directory. */
static int make_root(void **state)
{
    (void)state;
    root = tempdir_make();
    return chdir(root) | mkdir("a", 0700) | mkdir("b", 0700) | symlink("a", "link");
}

static int remove_root(void **state)
{
    (void)state;
    if (chdir("/") < 0)
        return -1;
    tempdir_remove(root);
    return 0;
}

static int make_name(const char *path, char name[IDX_MANIFEST_NAME])
{
    struct buf absolute = BUF_INIT;
    int err = idx_absolute_path(path, 0, &absolute);

    if (!err)
        idx_manifest_name((struct bytes){absolute.data, absolute.size}, name);
    buf_done(&absolute);
    return err;
}

/* The name of `path`; eight are valid at a time. */
static const char *name_of(const char *path)
{
    static char names[8][IDX_MANIFEST_NAME];
    static unsigned turn;
    char *name = names[turn++ % 8];

    assert_int_equal(make_name(path, name), 0);
    assert_in_range(strlen(name), TAIL + 1, IDX_MANIFEST_NAME - 1);
    assert_string_equal(name + strlen(name) - 10, ".jsonl.zst");
    return name;
}

static void name_is_file_and_hash_of_the_absolute_path(void **state)
{
    (void)state;
    /* XXH3-64 of "/a.ost", computed with xxHash alone */
    assert_string_equal(name_of("/a.ost"), "a.ost-15f89e38ce12cda9.jsonl.zst");
    assert_string_equal(name_of("/../a.ost"), "a.ost-15f89e38ce12cda9.jsonl.zst");
}

static void each_folder_gives_another_name(void **state)
{
    const char *a = name_of("a/x.ost"), *b = name_of("b/x.ost"), *y = name_of("a/y.ost");

    (void)state;
    assert_memory_equal(a, "x.ost-", 6);
    assert_memory_equal(b, "x.ost-", 6);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a + 6, y + 6);
}

static void one_path_has_one_name(void **state)
{
    char absolute[PATH_MAX];
    const char *name = name_of("a/x.ost");
    const char *again;

    (void)state;
    snprintf(absolute, sizeof absolute, "%s/a/x.ost", root);
    assert_string_equal(name_of(absolute), name);
    assert_string_equal(name_of("./a/x.ost"), name);
    assert_string_equal(name_of("a//x.ost"), name);
    assert_string_equal(name_of("b/../a/x.ost"), name);
    assert_string_equal(name_of("link/x.ost"), name);
    assert_return_code(chdir("a"), 0);
    assert_string_equal(name_of("x.ost"), name);
    again = name_of("../b/x.ost");
    assert_return_code(chdir(root), 0);
    assert_string_equal(again, name_of("b/x.ost"));
}

/* An image may be named by a symlink: that is the path it was found by. */
static void last_component_is_kept(void **state)
{
    (void)state;
    assert_return_code(close(open("a/real.ost", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    assert_return_code(symlink("real.ost", "a/other.ost"), 0);
    assert_memory_equal(name_of("a/other.ost"), "other.ost-", 10);
    assert_string_not_equal(name_of("a/other.ost") + 9, name_of("a/real.ost") + 8);
}

/* How much of a file name remains that is `ascii` letters, then `middle`, then letters to 255. */
static size_t kept(unsigned ascii, const char *middle)
{
    char path[300] = "a/", *name = path + 2;
    const char *got;
    size_t size;

    memset(name, 'n', 255);
    memcpy(name + ascii, middle, strlen(middle));
    got = name_of(path);
    size = strlen(got) - TAIL;
    assert_memory_equal(got, name, size);
    assert_int_equal(got[size], '-');
    return size;
}

static void long_names_are_cut_between_characters(void **state)
{
    char path[300] = "a/";
    size_t odd;

    (void)state;
    assert_int_equal(kept(100, ""), 200);
    assert_int_equal(kept(198, "\xc3\xa9"), 200); /* ends where the cut is */
    assert_int_equal(kept(199, "\xc3\xa9"), 199); /* across it */
    assert_int_equal(kept(200, "\xc3\xa9"), 200); /* behind it */
    assert_int_equal(kept(197, "\xe2\x82\xac"), 200);
    assert_int_equal(kept(198, "\xe2\x82\xac"), 198);
    assert_int_equal(kept(199, "\xe2\x82\xac"), 199);
    assert_int_equal(kept(196, "\xf0\x9f\x93\xa7"), 200);
    assert_int_equal(kept(197, "\xf0\x9f\x93\xa7"), 197);
    assert_int_equal(kept(199, "\xf0\x9f\x93\xa7"), 199);
    memset(path + 2, 0x80, 255); /* no UTF-8 at all: no reason to cut much more */
    odd = strlen(name_of(path)) - TAIL;
    assert_in_range(odd, 196, 200);
}

static void names_up_to_200_bytes_are_whole(void **state)
{
    char path[300] = "a/";

    (void)state;
    memset(path + 2, 'n', 199);
    assert_int_equal(strlen(name_of(path)), 199 + TAIL);
    path[2 + 199] = 'n';
    assert_int_equal(strlen(name_of(path)), 200 + TAIL);
    path[2 + 200] = 'n';
    assert_int_equal(strlen(name_of(path)), 200 + TAIL);
    assert_int_equal(strlen(name_of(path)) + 1, IDX_MANIFEST_NAME);
}

/* Cut alike, still told apart. */
static void long_names_differ_by_their_hash(void **state)
{
    char path[300] = "a/";
    const char *one, *other;

    (void)state;
    memset(path + 2, 'n', 250);
    one = name_of(path);
    path[240] = 'm';
    other = name_of(path);
    assert_memory_equal(one, other, 200);
    assert_string_not_equal(one, other);
}

static void missing_folder_is_an_error(void **state)
{
    char name[IDX_MANIFEST_NAME] = "untouched";

    (void)state;
    assert_int_equal(make_name("nowhere/x.ost", name), ERR_NOENT);
    assert_string_equal(name, "untouched");
    assert_return_code(symlink("gone", "dangling"), 0);
    assert_int_equal(make_name("dangling/x.ost", name), ERR_NOENT);
    assert_string_equal(name, "untouched");
}

static void failing_allocations(void **state)
{
    char name[IDX_MANIFEST_NAME] = "untouched";
    const char *right = name_of("a/x.ost");
    unsigned nth = 0;
    int err;

    (void)state;
    do {
        assert_string_equal(name, "untouched");
        mem_test_fail(++nth, 0);
        err = make_name("a/x.ost", name);
        mem_test_fail(0, 0);
    } while (err == ERR_NOMEM);
    assert_int_equal(err, 0);
    assert_true(nth > 1);
    assert_string_equal(name, right);
}

#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ROOT(name_is_file_and_hash_of_the_absolute_path),
        WITH_ROOT(each_folder_gives_another_name),
        WITH_ROOT(one_path_has_one_name),
        WITH_ROOT(last_component_is_kept),
        WITH_ROOT(long_names_are_cut_between_characters),
        WITH_ROOT(names_up_to_200_bytes_are_whole),
        WITH_ROOT(long_names_differ_by_their_hash),
        WITH_ROOT(missing_folder_is_an_error),
        WITH_ROOT(failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
