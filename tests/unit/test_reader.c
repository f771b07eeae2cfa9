/* test_reader.c: the reader's promises, each on io_uring and on pread threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/mem.h"
#include "tests/support/pattern.h"
#include "tests/support/reader_fixture.h"

enum { DIRECT_BYTES = 16384 };

static void many_reads_give_the_content(void **state)
{
    struct reader_fixture *f = *state;

    make_reader(f);
    assert_null(io_reader_note(f->reader));
    read_many(f);
}

static void one_place_in_the_kernel_is_enough(void **state)
{
    struct reader_fixture *f = *state;

    f->options.depth = 1;
    make_reader(f);
    read_many(f);
}

static void short_reads_are_continued(void **state)
{
    struct reader_fixture *f = *state;

    f->faults.short_bytes = 1000;
    make_reader(f);
    read_many(f);
    assert_true(atomic_load(&f->faults.calls) > 2 * READER_MANY);
}

static void passing_errors_are_retried(void **state)
{
    struct reader_fixture *f = *state;

    make_reader(f);
    f->faults.every = 3;
    f->faults.every_errno = EAGAIN;
    read_many(f);
    f->faults.every_errno = EINTR;
    f->faults.short_bytes = 1777;
    read_many(f);
}

static void lasting_errors_end_the_retries(void **state)
{
    static const int errors[] = {EAGAIN, EINTR};
    struct reader_fixture *f = *state;
    uint8_t into[100];

    make_reader(f);
    for (size_t i = 0; i < 2; i++) {
        struct io_request q = request(f, 0, sizeof into, into);
        uint64_t began_ns = clock_monotonic_ns();

        atomic_store(&f->faults.calls, 0);
        f->faults.every = 1;
        f->faults.every_errno = errors[i];
        assert_int_equal(read_one(f, &q), ERR_SYS);
        assert_int_equal(q.errnum, errors[i]);
        assert_int_equal(q.received, 0);
        assert_int_equal(atomic_load(&f->faults.calls), IO_READER_RETRIES_MAX + 1);
        assert_true(clock_monotonic_ns() - began_ns > 50000000); /* not all at once */
        f->faults.every = 0;
        q = request(f, 5, sizeof into, into);
        read_one(f, &q);
        assert_whole(&q);
    }
}

static void others_go_on_while_one_is_retried(void **state)
{
    struct reader_fixture *f = *state;
    uint8_t into[2][100];
    struct io_request q[2];

    make_reader(f);
    f->faults.every = 2; /* alternately: each gets through in time */
    f->faults.every_errno = EAGAIN;
    for (int i = 0; i < 2; i++) {
        q[i] = request(f, 100, 100, into[i]);
        io_reader_submit(f->reader, &q[i]);
    }
    for (int i = 0; i < 2; i++)
        assert_whole(io_reader_wait(f->reader));
}

static void a_bad_range_fails_alone(void **state)
{
    static const struct {
        uint64_t offset;
        uint32_t length;
        int result;
        uint32_t received;
    } rows[] = {
        {0, 40960, 0, 40960},        {30000, 20000, ERR_IO, 10960},
        {40960, 10, ERR_IO, 0},      {45055, 10, ERR_IO, 0},
        {45056, 10, 0, 10},          {40959, 1, 0, 1},
        {40000, 60000, ERR_IO, 960},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct reader_fixture *f = *state;
    struct io_request q[ROWS];
    uint8_t *memory = mem_alloc_array(ROWS, 65536);

    f->faults.bad_from = 40960;
    f->faults.bad_to = 45056;
    make_reader(f);
    for (size_t i = 0; i < ROWS; i++) {
        q[i] = request(f, rows[i].offset, rows[i].length, memory + i * 65536);
        io_reader_submit(f->reader, &q[i]);
    }
    for (size_t i = 0; i < ROWS; i++)
        assert_non_null(io_reader_wait(f->reader));
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(q[i].result, rows[i].result);
        assert_int_equal(q[i].errnum, rows[i].result ? EIO : 0);
        assert_int_equal(q[i].received, rows[i].received);
        assert_true(pattern_matches(q[i].offset, q[i].into, q[i].received));
    }
    mem_free(memory);
}

static int as_planned(void *ctx, const struct io_request *r, uint64_t offset, int outcome)
{
    (void)r;
    (void)offset;
    (void)outcome;
    return *(int *)ctx;
}

static void errors_of_devices_and_systems_have_their_codes(void **state)
{
    static const int rows[][2] = {
        {EIO, ERR_IO},     {ENODATA, ERR_IO},   {EBADMSG, ERR_IO}, {EUCLEAN, ERR_IO},
        {EILSEQ, ERR_IO},  {ETIMEDOUT, ERR_IO}, {ESTALE, ERR_IO},  {ENOMEM, ERR_NOMEM},
        {EINVAL, ERR_SYS}, {ENOLINK, ERR_IO},
    };
    struct reader_fixture *f = *state;
    uint8_t into[10];
    int outcome;

    f->options.test_outcome = as_planned;
    f->options.test_ctx = &outcome;
    make_reader(f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct io_request q = request(f, 0, sizeof into, into);

        outcome = -rows[i][0];
        assert_int_equal(read_one(f, &q), rows[i][1]);
        assert_int_equal(q.errnum, rows[i][0]);
    }
}

static void the_end_of_the_file_is_a_range_error(void **state)
{
    static const uint64_t impossible[] = {UINT64_MAX, (uint64_t)INT64_MAX - 10, 1ULL << 63};
    struct reader_fixture *f = *state;
    uint8_t into[100];
    struct io_request q;

    make_reader(f);
    q = request(f, READER_FILE_SIZE - 100, 100, into);
    read_one(f, &q);
    assert_whole(&q);
    q = request(f, READER_FILE_SIZE - 60, 100, into);
    assert_int_equal(read_one(f, &q), ERR_RANGE);
    assert_int_equal(q.received, 60);
    assert_true(pattern_matches(q.offset, into, 60));
    q = request(f, READER_FILE_SIZE, 1, into);
    assert_int_equal(read_one(f, &q), ERR_RANGE);
    assert_int_equal(q.received, 0);
    for (size_t i = 0; i < 3; i++) {
        q = request(f, impossible[i], 100, into);
        assert_int_equal(read_one(f, &q), ERR_RANGE);
        assert_int_equal(q.received, 0);
        assert_int_equal(into[0], 0xAA);
    }
    q = request(f, 0, 10, into);
    q.fd = 1 << 20;
    assert_int_equal(read_one(f, &q), ERR_SYS);
    assert_int_equal(q.errnum, EBADF);
}

static void flush_starts_reads_and_poll_finds_them(void **state)
{
    struct reader_fixture *f = *state;
    uint8_t into[100];
    struct io_request q;
    struct io_request *found = NULL;

    make_reader(f);
    assert_null(io_reader_poll(f->reader));
    q = request(f, 1, 100, into);
    f->faults.sleep_us = f->backend == IO_BACKEND_PREAD ? 20000 : 0;
    io_reader_submit(f->reader, &q);
    io_reader_flush(f->reader);
    if (f->backend == IO_BACKEND_PREAD)
        assert_null(io_reader_poll(f->reader));
    for (int i = 0; i < 5000 && !found; i++) {
        found = io_reader_poll(f->reader);
        if (!found)
            usleep(1000);
    }
    assert_ptr_equal(found, &q);
    assert_whole(&q);
}

static void destroying_waits_for_what_is_in_flight(void **state)
{
    struct reader_fixture *f = *state;
    struct io_request *requests = mem_alloc_array(READER_MANY, sizeof *requests);
    uint8_t *memory = mem_alloc_array(READER_MANY, READER_MANY_BYTES);

    f->faults.sleep_us = 2000;
    for (int flushed = 0; flushed < 2; flushed++) {
        make_reader(f);
        for (size_t i = 0; i < READER_MANY; i++) {
            requests[i] = request(f, i * 100, READER_MANY_BYTES, memory + i * READER_MANY_BYTES);
            io_reader_submit(f->reader, &requests[i]);
        }
        if (flushed)
            io_reader_flush(f->reader);
        atomic_store(&f->faults.calls, 0);
        io_reader_destroy(f->reader);
        f->reader = NULL;
        assert_true(atomic_load(&f->faults.calls) < READER_MANY / 2); /* the others were dropped */
        memset(memory, 0, (size_t)READER_MANY * READER_MANY_BYTES);
        usleep(10000);
        assert_int_equal(memory[0], 0);
        assert_memory_equal(memory, memory + 1, (size_t)READER_MANY * READER_MANY_BYTES - 1);
    }
    mem_free(memory);
    mem_free(requests);
}

static void failing_allocations_leave_nothing(void **state)
{
    struct reader_fixture *f = *state;
    uint64_t nth = 0;
    int code;

    assert_int_equal(io_pool_create(4, 4096, 4096, &f->options.pool), 0);
    do {
        mem_test_fail(++nth, 0);
        code = io_reader_create(&f->options, &f->reader);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
    } while (code);
    assert_true(nth > 1);
    read_many(f);
    io_reader_destroy(f->reader);
    f->reader = NULL;
    io_pool_destroy(f->options.pool);
}

static void pool_buffers_are_read_into(void **state)
{
    struct reader_fixture *f = *state;

    f->faults.short_bytes = 5000;
    assert_int_equal(io_pool_create(8, 12000, 4096, &f->options.pool), 0);
    make_reader(f);
    assert_null(io_reader_note(f->reader));
    read_into_pool(f, 9000);
    io_reader_destroy(f->reader);
    f->reader = NULL;
    io_pool_destroy(f->options.pool);
}

static int reopen_direct(struct reader_fixture *f)
{
    char path[4096];
    struct fault fault;

    io_file_close(&f->file);
    snprintf(path, sizeof path, "%s/image", f->folder);
    assert_int_equal(io_file_open(path, IO_FILE_DIRECT, &f->file, &fault), 0);
    return f->file.direct && DIRECT_BYTES % f->file.align_bytes == 0;
}

/* What direct reads at every aligned place give: all of the file, and a short one at its end. */
static void direct_reads_give_the_content(void **state)
{
    static const int limits[] = {0, 5000, 4097, 8192};
    struct reader_fixture *f = *state;
    uint8_t *into = mem_aligned(4096, DIRECT_BYTES);

    make_reader(f);
    if (!reopen_direct(f)) {
        print_message("skipped: no direct reads in %s\n", f->folder);
        mem_free(into);
        skip();
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        f->faults.short_bytes = limits[i];
        for (uint64_t at = 0; at < READER_FILE_SIZE; at += DIRECT_BYTES) {
            struct io_request q = request(f, at, DIRECT_BYTES, into);
            uint64_t there =
                READER_FILE_SIZE - at < DIRECT_BYTES ? READER_FILE_SIZE - at : DIRECT_BYTES;

            assert_int_equal(read_one(f, &q), there < DIRECT_BYTES ? ERR_RANGE : 0);
            assert_int_equal(q.received, there);
            assert_true(pattern_matches(at, into, there));
        }
    }
    mem_free(into);
}

/* A direct read that gives less than one block, again and again, though the file goes on. */
static void direct_reads_that_get_nowhere_end(void **state)
{
    struct reader_fixture *f = *state;
    uint8_t *into = mem_aligned(4096, DIRECT_BYTES);
    struct io_request q;

    make_reader(f);
    if (!reopen_direct(f)) {
        print_message("skipped: no direct reads in %s\n", f->folder);
        mem_free(into);
        skip();
    }
    f->faults.short_bytes = (int)f->file.align_bytes - 1;
    q = request(f, 0, DIRECT_BYTES, into);
    assert_int_equal(read_one(f, &q), ERR_IO);
    assert_int_equal(q.received, f->file.align_bytes - 1);
    mem_free(into);
}

static void a_shrinking_file_ends_earlier(void **state)
{
    struct reader_fixture *f = *state;
    uint8_t into[5000];
    char path[4096];
    struct io_request q;

    make_reader(f);
    snprintf(path, sizeof path, "%s/image", f->folder);
    assert_int_equal(truncate(path, 3333), 0);
    q = request(f, 0, 5000, into);
    assert_int_equal(read_one(f, &q), ERR_RANGE);
    assert_int_equal(q.received, 3333);
    assert_true(pattern_matches(0, into, 3333));
}

#define BOTH(name) READER_CASE(name, URING), READER_CASE(name, PREAD)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(many_reads_give_the_content),
        BOTH(one_place_in_the_kernel_is_enough),
        BOTH(short_reads_are_continued),
        BOTH(passing_errors_are_retried),
        BOTH(lasting_errors_end_the_retries),
        BOTH(others_go_on_while_one_is_retried),
        BOTH(a_bad_range_fails_alone),
        BOTH(errors_of_devices_and_systems_have_their_codes),
        BOTH(the_end_of_the_file_is_a_range_error),
        BOTH(flush_starts_reads_and_poll_finds_them),
        BOTH(destroying_waits_for_what_is_in_flight),
        BOTH(failing_allocations_leave_nothing),
        BOTH(pool_buffers_are_read_into),
        BOTH(direct_reads_give_the_content),
        BOTH(direct_reads_that_get_nowhere_end),
        BOTH(a_shrinking_file_ends_earlier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
