/*
 * test_cached.c: looking at a file in the page cache: it shows the file's bytes, holds little of
 * them, and neither a file that is cut nor one that is not in the cache is a way to die or to wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/cached.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/support/pattern.h"
#include "tests/support/tempdir.h"

enum { FILE_SIZE = (24 << 20) + 1234, WINDOW = 4 << 20, STEP = 300000, VIEWS_MOST = 1000 };

struct fixture {
    const char *folder, *path;
    int fd;
    struct io_cached *view;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    f->folder = tempdir_make();
    f->path = pattern_file(f->folder, "image", FILE_SIZE);
    f->fd = open(f->path, O_RDWR | O_CLOEXEC);
    assert_true(f->fd >= 0);
    *state = f;
    return 0;
}

/* In the test itself: before each, the test library sets its own handler of signals. */
static struct fixture *open_view(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(io_cached_open(f->fd, FILE_SIZE, WINDOW, &f->view), 0);
    return f;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    io_cached_close(f->view);
    close(f->fd);
    tempdir_remove(f->folder);
    mem_free(f);
    return 0;
}

/* Resident bytes of files, as the kernel counts them. */
static uint64_t resident_files(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long total, resident, shared;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu %lu", &total, &resident, &shared), 3);
    fclose(f);
    return (uint64_t)shared * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void looks_show_the_file_and_hold_little(void **state)
{
    struct fixture *f = open_view(state);
    uint64_t before = resident_files(), most = 0;

    for (uint64_t at = 0; at < FILE_SIZE; at += STEP) {
        size_t size = FILE_SIZE - at < STEP ? (size_t)(FILE_SIZE - at) : STEP;
        const uint8_t *bytes = io_cached_look(f->view, at, size);
        uint64_t now;

        assert_non_null(bytes);
        assert_true(pattern_matches(at, bytes, size));
        now = resident_files();
        most = now > most ? now : most;
    }
    assert_false(io_cached_torn(f->view));
    assert_true(most - before <= WINDOW + STEP + (5 << 20));
    io_cached_drop(f->view);
    assert_true(resident_files() <= before + (1 << 20));
}

static void looks_may_go_anywhere(void **state)
{
    struct fixture *f = open_view(state);
    uint64_t seed = 5;

    for (unsigned i = 0; i < 500; i++) {
        size_t size = pattern_random(&seed) % 70000 + 1;
        uint64_t at = pattern_random(&seed) % (FILE_SIZE - size + 1);
        const uint8_t *bytes = io_cached_look(f->view, at, size);

        assert_non_null(bytes);
        assert_true(pattern_matches(at, bytes, size));
    }
}

/* The touch gives zeros, and the view is torn; the bytes before the cut are what they were. */
static void a_file_that_is_cut_tears_the_view(void **state)
{
    struct fixture *f = open_view(state);
    uint64_t cut = 5 << 20;
    const uint8_t *bytes = io_cached_look(f->view, cut - 8192, STEP);

    assert_non_null(bytes);
    assert_int_equal(ftruncate(f->fd, (off_t)cut), 0);
    assert_true(pattern_matches(cut - 8192, bytes, 8192));
    assert_false(io_cached_torn(f->view));
    for (size_t i = 8192; i < STEP; i++)
        assert_int_equal(bytes[i], 0);
    assert_true(io_cached_torn(f->view));
    assert_null(io_cached_look(f->view, 0, 4096));
}

static void what_lies_behind_a_cut_is_not_shown(void **state)
{
    struct fixture *f = open_view(state);

    assert_int_equal(ftruncate(f->fd, 1 << 20), 0);
    assert_null(io_cached_look(f->view, 2 << 20, 4096));
    assert_null(io_cached_look(f->view, (1 << 20) - 100, 4096));
    assert_non_null(io_cached_look(f->view, 0, 4096));
}

static bool is_cached(int fd, uint64_t at)
{
    uint8_t byte;
    struct iovec v = {&byte, 1};

    return preadv2(fd, &v, 1, (off_t)at, RWF_NOWAIT) == 1;
}

static void what_is_not_in_the_cache_is_not_waited_for(void **state)
{
    struct fixture *f = open_view(state);

    assert_int_equal(fsync(f->fd), 0);
    assert_int_equal(posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    if (is_cached(f->fd, 8 << 20)) {
        print_message("skipped: %s keeps files in memory\n", f->folder);
        skip();
    }
    assert_null(io_cached_look(f->view, 8 << 20, STEP));
}

/* Of two views of which one is torn the other still shows the file. */
static void views_are_apart(void **state)
{
    struct fixture *f = open_view(state);
    const char *path = pattern_file(f->folder, "other", FILE_SIZE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct io_cached *other;
    const uint8_t *bytes;

    assert_int_equal(io_cached_open(fd, FILE_SIZE, WINDOW, &other), 0);
    bytes = io_cached_look(f->view, 0, STEP);
    assert_non_null(bytes);
    assert_int_equal(ftruncate(f->fd, 0), 0);
    assert_int_equal(bytes[0], 0);
    assert_true(io_cached_torn(f->view));
    bytes = io_cached_look(other, 0, STEP);
    assert_non_null(bytes);
    assert_true(pattern_matches(0, bytes, STEP));
    assert_false(io_cached_torn(other));
    io_cached_close(other);
    close(fd);
}

/* A touch that fails elsewhere is what it always was. */
static void another_failing_touch_still_ends_the_program(void **state)
{
    struct fixture *f = open_view(state);
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        const volatile uint8_t *own;
        struct io_cached *view;

        signal(SIGBUS, SIG_DFL);
        if (io_cached_open(f->fd, FILE_SIZE, WINDOW, &view))
            _exit(3);
        own = mmap(NULL, 4096, PROT_READ, MAP_SHARED, f->fd, 0);
        if (own == MAP_FAILED || ftruncate(f->fd, 0))
            _exit(3);
        _exit(own[0]);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

static void there_is_a_most_of_views(void **state)
{
    struct fixture *f = open_view(state);
    static struct io_cached *views[VIEWS_MOST];
    size_t n = 0;
    int rc = 0;

    while (n < VIEWS_MOST && !(rc = io_cached_open(f->fd, FILE_SIZE, WINDOW, &views[n])))
        n++;
    assert_int_equal(rc, ERR_UNSUPPORTED);
    assert_true(n > 100);
    while (n > 0)
        io_cached_close(views[--n]);
    assert_int_equal(io_cached_open(f->fd, FILE_SIZE, WINDOW, &views[0]), 0);
    io_cached_close(views[0]);
    io_cached_close(NULL);
    assert_int_equal(io_cached_open(f->fd, 0, WINDOW, &views[0]), ERR_UNSUPPORTED);
    mem_test_fail(1, 0);
    assert_int_equal(io_cached_open(f->fd, FILE_SIZE, WINDOW, &views[0]), ERR_NOMEM);
    mem_test_fail(0, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(looks_show_the_file_and_hold_little),
        CASE(looks_may_go_anywhere),
        CASE(a_file_that_is_cut_tears_the_view),
        CASE(what_lies_behind_a_cut_is_not_shown),
        CASE(what_is_not_in_the_cache_is_not_waited_for),
        CASE(views_are_apart),
        CASE(another_failing_touch_still_ends_the_program),
        CASE(there_is_a_most_of_views),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
