/*
 * test_reader_uring.c: what is about io_uring alone: what the reader says and does without it or
 * without registered buffers, and a kernel that takes nothing or takes its time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/reader_fixture.h"

static void set_up_failures_say_why(void **state)
{
    static const struct {
        int errnum;
        int disabled;
        const char *note;
    } rows[] = {
        {ENOSYS, -1, "the kernel has no io_uring: reading by pread"},
        {EPERM, 2, "io_uring is switched off (kernel.io_uring_disabled=2): reading by pread"},
        {EPERM, 1, "io_uring is switched off (kernel.io_uring_disabled=1): reading by pread"},
        {EPERM, 0,
         "io_uring is forbidden by seccomp or a security module (EPERM): reading by pread"},
        {EPERM, -1,
         "io_uring is forbidden by seccomp or a security module (EPERM): reading by pread"},
        {EACCES, 2,
         "io_uring is forbidden by seccomp or a security module (EACCES): reading by pread"},
        {ENOMEM, 0, "io_uring does not fit the memlock limit (RLIMIT_MEMLOCK): reading by pread"},
        {EMFILE, 0, "io_uring cannot be set up (Too many open files): reading by pread"},
    };
    char note[IO_READER_NOTE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        io_reader_setup_note(rows[i].errnum, rows[i].disabled, note);
        assert_string_equal(note, rows[i].note);
    }
}

/* The errno that ctx points to. */
static int refuse(void *ctx)
{
    return *(int *)ctx;
}

static void without_io_uring_reads_go_on_by_pread(void **state)
{
    static int errors[] = {ENOSYS, EPERM, EACCES, ENOMEM, EMFILE, EINVAL};
    static const enum io_backend asked[] = {IO_BACKEND_AUTO, IO_BACKEND_URING};
    struct reader_fixture *f = *state;

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        f->options.backend = asked[i % 2];
        f->options.test_setup = refuse;
        f->options.test_outcome = NULL;
        f->options.test_ctx = &errors[i];
        assert_int_equal(io_reader_create(&f->options, &f->reader), 0);
        assert_string_equal(io_reader_backend(f->reader), "pread");
        assert_non_null(strstr(io_reader_note(f->reader), ": reading by pread"));
        assert_null(strchr(io_reader_note(f->reader), '\n'));
        if (errors[i] == ENOSYS)
            read_many(f);
        io_reader_destroy(f->reader);
        f->reader = NULL;
    }
}

static void auto_takes_io_uring_where_it_can(void **state)
{
    struct reader_fixture *f = *state;

    make_reader(f);
    io_reader_destroy(f->reader);
    f->options.backend = IO_BACKEND_AUTO;
    assert_int_equal(io_reader_create(&f->options, &f->reader), 0);
    assert_string_equal(io_reader_backend(f->reader), "uring");
    assert_null(io_reader_note(f->reader));
}

static void buffers_not_registered_are_plain(void **state)
{
    static const int errors[] = {ENOMEM, EPERM, EOPNOTSUPP};
    struct reader_fixture *f = *state;

    assert_int_equal(io_pool_create(8, 12000, 4096, &f->options.pool), 0);
    for (size_t i = 0; i < 3; i++) {
        const char *note;

        f->options.test_register_errno = errors[i];
        make_reader(f);
        note = io_reader_note(f->reader);
        assert_non_null(strstr(note, "buffers are not registered"));
        assert_int_equal(strstr(note, "RLIMIT_MEMLOCK") != NULL, errors[i] != EOPNOTSUPP);
        read_into_pool(f, 9000);
        io_reader_destroy(f->reader);
        f->reader = NULL;
    }
    io_pool_destroy(f->options.pool);
}

static void the_memlock_limit_is_met_for_real(void **state)
{
    struct reader_fixture *f = *state;
    struct rlimit before, little;
    uid_t user = geteuid();

    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
    little = before;
    little.rlim_cur = 65536;
    assert_int_equal(io_pool_create(8, 1 << 20, 4096, &f->options.pool), 0);
    if (setrlimit(RLIMIT_MEMLOCK, &little) == 0 && (user != 0 || seteuid(65534) == 0)) {
        int code = io_reader_create(&f->options, &f->reader);

        assert_int_equal(user != 0 ? 0 : seteuid(0), 0);
        assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
        assert_int_equal(code, 0);
        assert_non_null(strstr(io_reader_note(f->reader), "MEMLOCK"));
        read_into_pool(f, 9000);
        io_reader_destroy(f->reader);
        f->reader = NULL;
    }
    io_pool_destroy(f->options.pool);
}

static void a_ring_that_takes_nothing_fails_every_read(void **state)
{
    static int errors[][2] = {{EBADF, ERR_SYS}, {EAGAIN, ERR_SYS}};
    struct reader_fixture *f = *state;
    struct io_request q[40];
    uint8_t into[40][10];

    for (size_t e = 0; e < 2; e++) {
        f->options.test_submit = refuse;
        f->options.test_outcome = NULL;
        f->options.test_ctx = &errors[e][0];
        make_reader(f);
        for (size_t i = 0; i < 40; i++) {
            q[i] = request(f, 0, 10, into[i]);
            io_reader_submit(f->reader, &q[i]);
        }
        for (size_t i = 0; i < 40; i++) {
            const struct io_request *back = io_reader_wait(f->reader);

            assert_int_equal(back->result, errors[e][1]);
            assert_int_equal(back->errnum, errors[e][0]);
        }
        q[0] = request(f, 0, 10, into[0]);
        assert_int_equal(read_one(f, &q[0]), errors[e][1]);
        io_reader_destroy(f->reader);
        f->reader = NULL;
    }
}

/* A pipe holds a read in the kernel as long as the test likes. The writer is a process: Valgrind
 * runs no other thread while one waits in io_uring. */
static void destroying_waits_for_the_kernel(void **state)
{
    struct reader_fixture *f = *state;
    uint8_t into[4];
    struct io_request q = request(f, 0, sizeof into, into);
    int ends[2], status;
    pid_t writer;

    make_reader(f);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    q.fd = ends[0];
    io_reader_submit(f->reader, &q);
    io_reader_flush(f->reader);
    assert_null(io_reader_poll(f->reader));
    writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        usleep(30000);
        _exit(write(ends[1], "late", 4) != 4);
    }
    io_reader_destroy(f->reader);
    f->reader = NULL;
    assert_memory_equal(into, "late", 4);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_up_failures_say_why),
        READER_CASE(without_io_uring_reads_go_on_by_pread, URING),
        READER_CASE(auto_takes_io_uring_where_it_can, URING),
        READER_CASE(destroying_waits_for_the_kernel, URING),
        READER_CASE(buffers_not_registered_are_plain, URING),
        READER_CASE(the_memlock_limit_is_met_for_real, URING),
        READER_CASE(a_ring_that_takes_nothing_fails_every_read, URING),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
