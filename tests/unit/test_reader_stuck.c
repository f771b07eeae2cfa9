/*
 * test_reader_stuck.c: reads that do not return: by pread one whose thread stands still, by
 * io_uring one whose completion never comes, and a pipe that nobody writes to.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/mem.h"
#include "io/source.h"
#include "tests/support/pattern.h"
#include "tests/support/reader_fixture.h"

enum { BAD_FROM = 400 * 1024, BAD_TO = BAD_FROM + 100, ROOM = 8 << 20, CACHE = 4 << 20 };
static const uint64_t limit_ns = 50000000;

/* Reads that touch [BAD_FROM, BAD_TO) hang until `released`; of those by io_uring no end comes. */
static struct hang {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool released;
    unsigned standing;
} hang = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

static bool is_bad(const struct io_request *q, uint64_t offset)
{
    return offset < BAD_TO && q->offset + q->length > BAD_FROM;
}

static int stand_still(void *ctx, const struct io_request *q, uint64_t offset, int outcome)
{
    const enum io_backend *backend = ctx;

    if (*backend != IO_BACKEND_PREAD || !is_bad(q, offset))
        return outcome;
    pthread_mutex_lock(&hang.lock);
    hang.standing++;
    while (!hang.released)
        pthread_cond_wait(&hang.changed, &hang.lock);
    hang.standing--;
    pthread_cond_broadcast(&hang.changed);
    pthread_mutex_unlock(&hang.lock);
    return outcome;
}

static bool never_comes(void *ctx, const struct io_request *q, uint64_t offset)
{
    (void)ctx;
    return is_bad(q, offset);
}

static void make_hanging(struct reader_fixture *f)
{
    hang.released = false;
    f->options.timeout_ns = limit_ns;
    f->options.test_outcome = stand_still;
    f->options.test_lost = never_comes;
    f->options.test_ctx = &f->backend;
    make_reader(f);
}

/* What hung goes on. */
static void release(void)
{
    pthread_mutex_lock(&hang.lock);
    hang.released = true;
    pthread_cond_broadcast(&hang.changed);
    while (hang.standing)
        pthread_cond_wait(&hang.changed, &hang.lock);
    pthread_mutex_unlock(&hang.lock);
}

static void it_comes_back_and_others_are_read(void **state)
{
    struct reader_fixture *f = *state;
    uint8_t *into = mem_zalloc(3 * 5000);
    struct io_request q[3];
    uint8_t again[300];
    uint64_t begun_ns;

    make_hanging(f);
    q[0] = request(f, 0, 5000, into);
    q[1] = request(f, BAD_FROM - 1000, 5000, into + 5000);
    q[2] = request(f, 600000, 5000, into + 10000);
    begun_ns = clock_monotonic_ns();
    for (int i = 0; i < 3; i++)
        io_reader_submit(f->reader, &q[i]);
    for (int i = 0; i < 3; i++) {
        const struct io_request *back = io_reader_wait(f->reader);

        assert_ptr_not_equal(i < 2 ? back : NULL, &q[1]);
        if (i < 2)
            assert_whole(back);
    }
    assert_true(clock_monotonic_ns() - begun_ns >= limit_ns);
    assert_true(q[1].stuck && q[1].result == ERR_IO && q[1].errnum == ETIMEDOUT && !q[1].received);
    assert_int_equal(io_reader_outstanding(f->reader), 0);
    io_reader_abandon(f->reader, into);
    q[0] = request(f, 90000, 300, again);
    assert_int_equal(read_one(f, &q[0]), 0);
    assert_whole(&q[0]);
    io_reader_destroy(f->reader);
    f->reader = NULL;
    release();
}

/* More than there are threads, and as many as the kernel may have at once. */
static void so_many_that_nothing_is_left_to_read_with(void **state)
{
    enum { HUNG = 40 };
    struct reader_fixture *f = *state;
    uint8_t *into = mem_zalloc(HUNG * 100);
    struct io_request q[HUNG], good;
    uint8_t bytes[500];

    make_hanging(f);
    for (int i = 0; i < HUNG; i++) {
        q[i] = request(f, BAD_FROM, 100, into + i * 100);
        io_reader_submit(f->reader, &q[i]);
    }
    for (int i = 0; i < HUNG; i++)
        assert_true(io_reader_wait(f->reader)->stuck);
    good = request(f, 1000, sizeof bytes, bytes);
    assert_int_equal(read_one(f, &good), 0);
    assert_whole(&good);
    io_reader_abandon(f->reader, into);
    io_reader_destroy(f->reader);
    f->reader = NULL;
    release();
}

/* A read that ends after all: its bytes go where nobody looks, and its end is no other's. */
static void it_may_end_later(void **state)
{
    struct reader_fixture *f = *state;
    uint8_t *into = mem_zalloc(4);
    struct io_request q, good;
    uint8_t bytes[500];
    int ends[2];

    f->options.timeout_ns = limit_ns;
    make_reader(f);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    q = request(f, 0, 4, into);
    q.fd = ends[0];
    io_reader_submit(f->reader, &q);
    assert_ptr_equal(io_reader_wait(f->reader), &q);
    assert_true(q.stuck);
    io_reader_abandon(f->reader, into);
    memset(&q, 0, sizeof q);
    assert_int_equal(write(ends[1], "late", 4), 4);
    for (int i = 0; i < 3; i++) {
        good = request(f, 1000, sizeof bytes, bytes);
        assert_int_equal(read_one(f, &good), 0);
        assert_whole(&good);
    }
    io_reader_destroy(f->reader);
    f->reader = NULL;
    close(ends[0]);
    close(ends[1]);
}

static void expect_bytes(struct io_source *s, uint64_t offset, size_t size)
{
    uint8_t *into = mem_alloc(size);

    assert_non_null(into);
    assert_int_equal(io_source_read(s, offset, into, size), 0);
    assert_true(pattern_matches(offset, into, size));
    mem_free(into);
}

/* Lending is looked at with direct reads alone: the page cache has the file, and is asked first. A
 * source lives on, names the place, and gives the file up when it happens too often. */
static void check_source(struct reader_fixture *f, bool direct, enum io_hint hint)
{
    const bool lend = direct;
    struct io_first_fault first = {.taken = ATOMIC_FLAG_INIT};
    uint8_t *spare = mem_zalloc(ROOM);
    const uint8_t *bytes;
    struct io_source *s;
    struct io_file file = {0};
    struct fault fault;
    uint64_t begun_ns = 0;
    char path[4096];
    int code = 0;

    snprintf(path, sizeof path, "%s/image", f->folder);
    assert_int_equal(io_file_open(path, direct ? IO_FILE_DIRECT : 0, &file, &fault), 0);
    if (direct && !file.direct) {
        io_file_close(&file);
        mem_free(spare);
        return;
    }
    assert_int_equal(io_source_open_reader(f->reader, file.fd, file.id.size_bytes, CACHE, &s), 0);
    s->first = &first;
    io_source_hint(s, hint, 0, file.id.size_bytes);
    for (unsigned i = 0; lend && i < 4; i++)
        io_source_hint(s, IO_HINT_LEND, 300 * 1024 + i * 50000, 50000);
    if (!direct)
        expect_bytes(s, 0, 50000);
    for (unsigned times = 0; times < 5; times++) {
        code = lend && !times ? io_source_lend(s, BAD_FROM - 7, 20, spare, &bytes)
                              : io_source_read(s, BAD_FROM - 7, spare, 20);
        assert_int_equal(code, ERR_IO);
        assert_true(s->fault.offset >= BAD_FROM - 7 && s->fault.offset < BAD_FROM + 13);
        if (!times)
            expect_bytes(s, BAD_TO + 200 * 1024, 30000);
        if (!times)
            begun_ns = clock_monotonic_ns(); /* it is known from here on */
    }
    assert_true(clock_monotonic_ns() - begun_ns < limit_ns);
    for (unsigned i = 0; i < 20 && code == ERR_IO; i++)
        code = io_source_read(s, BAD_FROM + 3 * i, spare, 2);
    /* Direct reads are all of one place here. */
    assert_int_equal(code, direct ? ERR_IO : ERR_TIMEOUT);
    if (!direct) {
        assert_true(first.fault.code == ERR_TIMEOUT && first.fault.offset == s->fault.offset);
        assert_int_equal(io_source_read(s, 0, spare, 10), hint == IO_HINT_RANDOM ? ERR_TIMEOUT : 0);
        begun_ns = clock_monotonic_ns();
        for (unsigned i = 0; i < 50; i++)
            assert_int_equal(io_source_read(s, BAD_FROM, spare, 10), ERR_TIMEOUT);
        assert_true(clock_monotonic_ns() - begun_ns < limit_ns);
    }
    io_source_close(s);
    io_file_close(&file);
    mem_free(spare);
}

static void a_source_gives_a_file_up(void **state)
{
    static const enum io_hint hints[] = {IO_HINT_WILLNEED, IO_HINT_SEQUENTIAL, IO_HINT_RANDOM};
    struct reader_fixture *f = *state;

    make_hanging(f);
    for (size_t i = 0; i < 3; i++) {
        check_source(f, false, hints[i]);
        check_source(f, true, hints[i]);
    }
    io_reader_destroy(f->reader);
    f->reader = NULL;
    release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_CASE(it_comes_back_and_others_are_read, PREAD),
        READER_CASE(it_comes_back_and_others_are_read, URING),
        READER_CASE(so_many_that_nothing_is_left_to_read_with, PREAD),
        READER_CASE(so_many_that_nothing_is_left_to_read_with, URING),
        READER_CASE(it_may_end_later, URING),
        READER_CASE(a_source_gives_a_file_up, PREAD),
        READER_CASE(a_source_gives_a_file_up, URING),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
