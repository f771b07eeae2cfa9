/*
 * test_patient.c: calls that do not return: an open of a FIFO, which waits until somebody writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

#include "io/clock.h"
#include "io/listing.h"
#include "io/mem.h"
#include "io/patient.h"
#include "tests/support/tempdir.h"

enum { SHARE = 5, OTHER = 6, PATIENCE_NS = 40000000, STILL_NS = 20000000 };
#define LONG_NS ((uint64_t)600 * 1000000000)

static atomic_bool cancelled;
static char fifo[256];
static unsigned before; /* descriptors, when no call was pending */

static unsigned descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int set_up(void **state)
{
    int err = tempdir_set_up(state);

    if (err)
        return err;
    snprintf(fifo, sizeof fifo, "%s", tempdir_path("fifo"));
    before = descriptors();
    return mkfifo(fifo, 0600);
}

static void nap(uint64_t ns)
{
    const struct timespec t = {.tv_nsec = (long)ns};

    nanosleep(&t, NULL);
}

static int open_fifo(uint64_t share)
{
    errno = 0;
    return patient_open(share, fifo, O_RDONLY | O_CLOEXEC);
}

/* Every open that waits for it returns. */
static void let_go(void)
{
    int fd = open(fifo, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    close(fd);
}

static void hangs(uint64_t share)
{
    uint64_t begun_ns = clock_monotonic_ns();

    assert_int_equal(open_fifo(share), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(clock_monotonic_ns() - begun_ns >= PATIENCE_NS);
}

static void is_not_asked(uint64_t share)
{
    assert_int_equal(open_fifo(share), -1);
    assert_int_equal(errno, ETIMEDOUT);
}

/* What a call brings that was given up is closed; that takes its time, and whoever is late still
 * brings one: it is over when nothing was open for a while. */
static void expect_descriptors(void)
{
    const uint64_t begun_ns = clock_monotonic_ns();

    for (unsigned still = 0; still < 10; still++) {
        if (descriptors() != before)
            still = 0;
        assert_true(clock_monotonic_ns() - begun_ns < LONG_NS);
        nap(STILL_NS);
    }
}

static void a_call_that_does_not_return_is_given_up(void **state)
{
    (void)state;
    io_patience(PATIENCE_NS, NULL);
    hangs(SHARE);
    assert_int_equal(descriptors(), before);
    let_go();
    expect_descriptors();
}

/* All that it does not answer would be waited for, one after the other. */
static void a_share_is_not_asked_for_ever(void **state)
{
    struct stat st;

    (void)state;
    io_patience(PATIENCE_NS, NULL);
    for (unsigned i = 0; i < PATIENT_OWED; i++)
        hangs(SHARE);
    io_patience(LONG_NS, NULL);
    /* A call that would go well is not made. */
    assert_int_equal(patient_fstatat(SHARE, AT_FDCWD, tempdir, &st, 0), -1);
    assert_int_equal(errno, ETIMEDOUT);
    is_not_asked(SHARE);
    /* Others are asked; and nobody knows whose the unknown are. */
    assert_int_equal(patient_fstatat(OTHER, AT_FDCWD, tempdir, &st, 0), 0);
    io_patience(PATIENCE_NS, NULL);
    for (unsigned i = 0; i < PATIENT_OWED; i++)
        hangs(SHARE_UNKNOWN);
    io_patience(LONG_NS, NULL);
    assert_int_equal(patient_fstatat(SHARE_UNKNOWN, AT_FDCWD, tempdir, &st, 0), 0);
    let_go();
    expect_descriptors();
    while (patient_fstatat(SHARE, AT_FDCWD, tempdir, &st, 0) != 0)
        nap(STILL_NS);
}

static void *cancel_soon(void *arg)
{
    nap(STILL_NS);
    atomic_store(&cancelled, true);
    return arg;
}

static void the_user_need_not_wait(void **state)
{
    pthread_t thread;

    (void)state;
    io_patience(LONG_NS, &cancelled);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    assert_int_equal(open_fifo(OTHER), -1);
    assert_int_equal(errno, ECANCELED);
    pthread_join(thread, NULL);
    atomic_store(&cancelled, false);
    io_patience(0, NULL);
    let_go();
    expect_descriptors();
}

static void *write_later(void *arg)
{
    nap(STILL_NS);
    let_go();
    return arg;
}

/* Without patience, and where nothing hangs, it is the call itself. */
static void a_plain_call_is_waited_for(void **state)
{
    const struct {
        uint64_t patience_ns, share;
    } ways[] = {{0, SHARE}, {1000000, 0}};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        pthread_t thread;
        int fd;

        io_patience(ways[i].patience_ns, NULL);
        assert_int_equal(pthread_create(&thread, NULL, write_later, NULL), 0);
        fd = open_fifo(ways[i].share);
        assert_true(fd >= 0);
        close(fd);
        pthread_join(thread, NULL);
    }
}

static void calls_say_what_the_kernel_says(uint64_t share)
{
    char *dir = realpath(tempdir, NULL), *real;
    struct stat st, right;
    uint64_t inner = 77;
    struct listing l;
    const struct dirent64 *e;
    struct statfs fs;
    unsigned found = 0;
    int fd, file;

    assert_non_null(dir);
    assert_int_equal(stat(tempdir, &right), 0);
    fd = patient_open_folder(share, AT_FDCWD, tempdir, 0, &st, &inner);
    assert_true(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    assert_int_equal(st.st_ino, right.st_ino);
    assert_int_equal(patient_statfs(share, tempdir, &fs), 0);
    assert_true(inner == io_share_of((uint64_t)fs.f_type, right.st_dev));
    listing_start(&l, fd, share);
    while (listing_next(&l, &e) == 0 && e)
        found += strcmp(e->d_name, "fifo") == 0;
    assert_int_equal(found, 1);
    assert_int_equal(patient_fstatat(share, fd, "fifo", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(patient_fstatat(share, fd, "none", &st, 0), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(patient_open_folder(share, fd, "fifo", 0, &st, &inner), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(patient_open(share, "/nowhere/x", O_RDONLY), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(patient_statfs(share, "/nowhere", &fs), -1);
    assert_int_equal(errno, ENOENT);
    real = patient_realpath(share, tempdir);
    assert_string_equal(real, dir);
    free(real);
    assert_null(patient_realpath(share, "/nowhere/x"));
    assert_int_equal(errno, ENOENT);
    file = patient_open(share, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(patient_fstat(share, file, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(patient_try_read(share, file, 4096, 4096), 4096);
    assert_int_equal(patient_try_read(share, fd, 4096, 4096), -1);
    assert_int_equal(errno, EISDIR);
    patient_close(share, file);
    patient_close(share, fd);
    assert_int_equal(patient_fstat(share, fd, &st), -1);
    assert_int_equal(errno, EBADF);
    free(dir);
}

static void they_say_what_the_kernel_says(void **state)
{

    (void)state;
    io_patience(LONG_NS, NULL);
    calls_say_what_the_kernel_says(0);
    calls_say_what_the_kernel_says(OTHER);
    calls_say_what_the_kernel_says(SHARE_UNKNOWN);
    assert_int_equal(descriptors(), before);
}

static void what_may_hang(void **state)
{
    (void)state;
    assert_int_equal(io_share_of(0xEF53, 9), 0);     /* ext4 */
    assert_int_equal(io_share_of(0x01021994, 9), 0); /* tmpfs */
    assert_int_equal(io_share_of(0x6969, 9), 9);     /* NFS */
    assert_int_equal(io_share_of(0x65735546, 9), 9); /* FUSE */
    assert_int_equal(io_share_of(0, 9), 9);          /* nobody knows */
    assert_true(io_share_of(0x6969, 0) == SHARE_UNKNOWN);
    io_patience_test(true);
    assert_int_equal(io_share_of(0xEF53, 9), 9);
    io_patience_test(false);
}

/* Then they are waited for. */
static void calls_are_made_without_memory(void **state)
{
    (void)state;
    io_patience(LONG_NS, NULL);
    for (unsigned nth = 1; nth < 20; nth++) {
        struct stat st;
        uint64_t inner;
        int fd;

        mem_test_fail(nth, 1);
        fd = patient_open_folder(OTHER, AT_FDCWD, tempdir, 0, &st, &inner);
        assert_true(fd >= 0);
        assert_int_equal(patient_fstat(OTHER, fd, &st), 0);
        assert_int_equal(patient_fstatat(OTHER, fd, "fifo", &st, 0), 0);
        patient_close(OTHER, fd);
        mem_test_fail(0, 0);
    }
    assert_int_equal(descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_does_not_return_is_given_up),
        cmocka_unit_test(a_share_is_not_asked_for_ever),
        cmocka_unit_test(the_user_need_not_wait),
        cmocka_unit_test(a_plain_call_is_waited_for),
        cmocka_unit_test(they_say_what_the_kernel_says),
        cmocka_unit_test(what_may_hang),
        cmocka_unit_test(calls_are_made_without_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tempdir_tear_down);
}
