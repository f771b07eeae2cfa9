/* test_file.c: what is opened as an image and what is refused, direct reads, identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/file.h"
#include "io/mem.h"
#include "tests/support/pattern.h"
#include "tests/support/tempdir.h"

enum { SIZE = 10000 };

struct place {
    const char *folder;
    char path[4096];
};

static struct place place;

static int set_up(void **state)
{
    (void)state;
    place.folder = tempdir_make();
    snprintf(place.path, sizeof place.path, "%s", pattern_file(place.folder, "image.ost", SIZE));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tempdir_remove(place.folder);
    return 0;
}

static const char *beside(const char *name)
{
    static char path[4200];

    snprintf(path, sizeof path, "%s/%s", place.folder, name);
    return path;
}

static int open_code(const char *path, unsigned flags, int *errnum)
{
    struct io_file f = {0};
    struct fault fault = {0};
    int code = io_file_open(path, flags, &f, &fault);

    assert_int_equal(fault.code, code);
    if (!code)
        io_file_close(&f);
    assert_int_equal(f.fd, 0);
    *errnum = fault.errnum;
    return code;
}

static void a_file_opens_with_its_identity(void **state)
{
    struct io_file f;
    struct io_identity id;
    struct fault fault = {0};
    struct stat st;
    struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = -7, .tv_nsec = 3}};
    int flags;

    (void)state;
    assert_int_equal(io_file_open(place.path, 0, &f, &fault), 0);
    assert_true(f.fd > 2);
    assert_false(f.direct);
    assert_int_equal(f.align_bytes, 1);
    assert_int_equal(io_file_direct_align(f.fd), 1);
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(f.id.device, st.st_dev);
    assert_int_equal(f.id.inode, st.st_ino);
    assert_int_equal(f.id.size_bytes, SIZE);
    assert_int_equal(f.id.mtime_ns, st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
    flags = fcntl(f.fd, F_GETFL);
    assert_int_equal(flags & (O_NONBLOCK | O_ACCMODE), O_RDONLY);
    assert_true(flags & O_NOATIME);
    assert_int_equal(fcntl(f.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(truncate(place.path, 77), 0);
    assert_int_equal(utimensat(AT_FDCWD, place.path, times, 0), 0);
    assert_int_equal(io_file_identity(&f, &id), 0);
    assert_int_equal(id.size_bytes, 77);
    assert_int_equal(id.mtime_ns, -7 * 1000000000LL + 3);
    assert_int_equal(id.inode, f.id.inode);
    io_file_close(&f);
    io_file_close(&f);
    f.fd = 1 << 20;
    assert_true(io_file_identity(&f, &id) < 0);
}

static void what_is_no_image_is_refused(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int errnum, s;

    (void)state;
    assert_int_equal(open_code(beside("missing"), 0, &errnum), ERR_NOENT);
    assert_int_equal(errnum, ENOENT);
    assert_int_equal(open_code(place.folder, 0, &errnum), ERR_UNSUPPORTED);
    assert_int_equal(mkfifo(beside("fifo"), 0600), 0);
    assert_int_equal(open_code(beside("fifo"), 0, &errnum), ERR_UNSUPPORTED);
    assert_int_equal(open_code("/dev/null", 0, &errnum), ERR_UNSUPPORTED);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(strlen(beside("socket")) < sizeof name.sun_path);
    memcpy(name.sun_path, beside("socket"), strlen(beside("socket")));
    assert_int_equal(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(open_code(beside("socket"), 0, &errnum), ERR_UNSUPPORTED);
    close(s);
    assert_int_equal(symlink("image.ost", beside("link")), 0);
    assert_int_equal(open_code(beside("link"), 0, &errnum), ERR_UNSUPPORTED);
    assert_int_equal(errnum, ELOOP);
    assert_int_equal(open_code(beside("link"), IO_FILE_FOLLOW, &errnum), 0);
}

static void a_forbidden_or_leased_file_is_busy(void **state)
{
    int errnum, fd;

    (void)state;
    signal(SIGIO, SIG_IGN);
    fd = open(place.path, O_RDWR | O_CLOEXEC);
    if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0) {
        assert_int_equal(open_code(place.path, 0, &errnum), ERR_BUSY);
        assert_int_equal(errnum, EAGAIN);
        assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    }
    close(fd);
    assert_int_equal(chmod(place.path, 0), 0);
    assert_int_equal(chmod(place.folder, 0755), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    assert_int_equal(open_code(place.path, 0, &errnum), ERR_BUSY);
    assert_int_equal(errnum, EACCES);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void without_the_right_to_it_atime_is_kept_up(void **state)
{
    struct io_file f;
    struct fault fault;

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root can make a file of another owner\n");
        skip();
    }
    assert_int_equal(chmod(place.folder, 0755), 0);
    assert_int_equal(chmod(place.path, 0644), 0);
    assert_int_equal(seteuid(65534), 0);
    assert_int_equal(io_file_open(place.path, 0, &f, &fault), 0);
    assert_int_equal(seteuid(0), 0);
    assert_false(fcntl(f.fd, F_GETFL) & O_NOATIME);
    io_file_close(&f);
}

static void too_many_files_are_told_apart(void **state)
{
    struct rlimit before, none;
    int errnum, code;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    code = open_code(place.path, 0, &errnum);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(code, ERR_MFILE);
}

static void direct_reads_work_or_are_given_up(void **state)
{
    struct io_file f;
    struct fault fault;
    void *buffer;

    (void)state;
    assert_int_equal(io_file_open(place.path, IO_FILE_DIRECT, &f, &fault), 0);
    assert_int_equal(f.direct, (fcntl(f.fd, F_GETFL) & O_DIRECT) != 0);
    assert_int_equal(f.align_bytes, io_file_direct_align(f.fd));
    assert_int_equal(f.align_bytes & (f.align_bytes - 1), 0);
    buffer = mem_aligned(4096, 16384);
    assert_int_equal(pread(f.fd, buffer, 8192, 0), 8192);
    assert_true(pattern_matches(0, buffer, 8192));
    mem_free(buffer);
    io_file_close(&f);
}

static void a_file_system_without_direct_reads_gives_buffered_ones(void **state)
{
    struct io_file f;
    struct fault fault;
    char c;

    (void)state;
    assert_int_equal(open("/proc/self/stat", O_RDONLY | O_DIRECT), -1);
    assert_int_equal(io_file_open("/proc/self/stat", IO_FILE_DIRECT, &f, &fault), 0);
    assert_false(f.direct);
    assert_int_equal(f.align_bytes, 1);
    assert_int_equal(pread(f.fd, &c, 1, 0), 1);
    io_file_close(&f);
}

static void a_descriptor_below_the_standard_ones_is_moved(void **state)
{
    struct io_file f;
    struct fault fault;
    int saved = dup(0);

    (void)state;
    close(0);
    assert_int_equal(io_file_open(place.path, 0, &f, &fault), 0);
    assert_true(f.fd > 2);
    assert_int_equal(fcntl(0, F_GETFD), -1);
    io_file_close(&f);
    if (saved >= 0) {
        assert_int_equal(dup2(saved, 0), 0);
        close(saved);
    }
}

static void failing_allocations_leave_no_descriptor(void **state)
{
    struct io_file f = {0};
    struct fault fault;
    int before = dup(1), after, code, nth = 0;

    (void)state;
    close(before);
    do {
        mem_test_fail((uint64_t)++nth, 0);
        code = io_file_open(place.path, IO_FILE_DIRECT, &f, &fault);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
    } while (code);
    io_file_close(&f);
    after = dup(1);
    assert_int_equal(after, before);
    close(after);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_file_opens_with_its_identity),
        CASE(what_is_no_image_is_refused),
        CASE(a_forbidden_or_leased_file_is_busy),
        CASE(without_the_right_to_it_atime_is_kept_up),
        CASE(too_many_files_are_told_apart),
        CASE(direct_reads_work_or_are_given_up),
        CASE(a_file_system_without_direct_reads_gives_buffered_ones),
        CASE(a_descriptor_below_the_standard_ones_is_moved),
        CASE(failing_allocations_leave_no_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
