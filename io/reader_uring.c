/*
 * reader_uring.c: the reader over io_uring (liburing).
 *
 *            stage                enter             reap
 *   queued ─────────▶ staged ─────────▶ in kernel ─────────▶ done ──▶ wait, poll
 *     ▲              (in the SQ)                     │
 *     │ release_due                                  │ short: back to the front of queued
 *     └─────────────────── delayed ◀─────────────────┘ EAGAIN, EINTR again and again
 *
 * staged + in kernel never exceeds the depth, so the submission queue always has a place and the
 * completion queue, twice as large, cannot overflow. `staged` mirrors the submission queue's order:
 * what the kernel says it took is popped from its head. Where the kernel refuses submissions for
 * good, the queue is left as it is, never entered again, and everything not yet taken fails with
 * that error (`broken`); what the kernel already has is still waited for.
 *
 * A request inside the pool's buffers is read with IORING_OP_READ_FIXED. The pool is registered in
 * segments of whole buffers of at most 1 GiB, the kernel's limit for one, so that any pool fits
 * into the smallest table a kernel allows (1,024).
 *
 * Valgrind does not see the kernel write into buffers after a submission, so it is told.
 */
#include "io/reader_backend.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <sys/resource.h>
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(address, size) ((void)0)
#endif

#include "io/clock.h"
#include "io/mem.h"
#include "io/pool.h"

enum { SEGMENT_BYTES = 1 << 30, WAIT_NAP_NS = 1000000 };

struct uring_reader {
    struct io_reader base;
    struct io_uring ring;
    size_t segment_bytes; /* of the registered pool; 0: none is registered */
    struct io_request_list queued, staged, delayed, done;
    unsigned n_staged;
    unsigned in_kernel;
    uint64_t delayed_until_ns;
    unsigned refusals; /* submissions refused in a row */
    int broken;        /* the errno of the last of them */
};

/* The registered segment that holds the request's buffer, or -1. */
static int fixed_segment(const struct uring_reader *u, const struct io_request *q)
{
    const struct io_pool *pool = u->base.options.pool;
    size_t first, total;

    if (!u->segment_bytes)
        return -1;
    total = io_pool_count(pool) * io_pool_buffer_size(pool);
    first = (size_t)((uintptr_t)q->into - (uintptr_t)io_pool_base(pool));
    if (first >= total || q->length > total - first)
        return -1;
    if (first / u->segment_bytes != (first + q->length - 1) / u->segment_bytes)
        return -1;
    return (int)(first / u->segment_bytes);
}

static void stage(struct uring_reader *u, struct io_request *q)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    uint8_t *into = (uint8_t *)q->into + q->resume;
    uint32_t length = q->length - q->resume;
    uint64_t offset = q->offset + q->resume;
    int segment = fixed_segment(u, q);

    assert(sqe);
    if (segment >= 0)
        io_uring_prep_read_fixed(sqe, q->fd, into, length, offset, segment);
    else
        io_uring_prep_read(sqe, q->fd, into, length, offset);
    io_uring_sqe_set_data(sqe, q);
    io_request_push(&u->staged, q);
    u->n_staged++;
}

static void fail_all(struct uring_reader *u, struct io_request_list *list)
{
    struct io_request *q;

    while ((q = io_request_pop(list))) {
        io_request_fail(q, err_from_errno(u->broken), u->broken);
        io_request_push(&u->done, q);
    }
}

/* Stages what may go to the kernel now. */
static void refill(struct uring_reader *u)
{
    if (u->delayed.head && clock_monotonic_ns() >= u->delayed_until_ns) {
        struct io_request *q;

        while ((q = io_request_pop(&u->delayed)))
            io_request_push(&u->queued, q);
    }
    if (u->broken)
        fail_all(u, &u->queued);
    while (u->queued.head && u->n_staged + u->in_kernel < u->base.options.depth)
        stage(u, io_request_pop(&u->queued));
}

static void refused(struct uring_reader *u, int errnum)
{
    bool passing = errnum == EAGAIN || errnum == EBUSY || errnum == ENOMEM;

    if (passing && u->refusals < IO_READER_RETRIES_MAX) {
        if (u->refusals++ >= IO_READER_RETRIES_FREE)
            io_nap(WAIT_NAP_NS);
        return;
    }
    u->broken = errnum;
    u->n_staged = 0;
    fail_all(u, &u->staged);
}

/* Waits for a completion and submits nothing. */
static void wait_only(struct uring_reader *u)
{
    struct io_uring_cqe *cqe;
    int err = io_uring_wait_cqe(&u->ring, &cqe);

    if (err && err != -EINTR)
        io_nap(WAIT_NAP_NS);
}

/* Hands over what is staged and waits for `wait_count` completions. May do less: callers loop. */
static void enter(struct uring_reader *u, unsigned wait_count)
{
    int n = -u->base.options.test_submit_errno;

    if (!u->n_staged) {
        if (wait_count)
            wait_only(u);
        return;
    }
    if (!n)
        n = io_uring_submit_and_wait(&u->ring, wait_count);
    if (n < 0) {
        if (n != -EINTR)
            refused(u, -n);
        return;
    }
    if (n > 0)
        u->refusals = 0;
    assert((unsigned)n <= u->n_staged);
    u->n_staged -= (unsigned)n;
    u->in_kernel += (unsigned)n;
    while (n-- > 0)
        io_request_pop(&u->staged);
}

static void completed(struct uring_reader *u, struct io_request *q, int outcome)
{
    uint64_t backoff_ns;

    u->in_kernel--;
    if (outcome > 0)
        VALGRIND_MAKE_MEM_DEFINED((uint8_t *)q->into + q->resume, outcome);
    if (io_request_outcome(&u->base.options, q, outcome)) {
        io_request_push(&u->done, q);
        return;
    }
    backoff_ns = io_request_backoff_ns(q);
    if (!backoff_ns) {
        io_request_push_front(&u->queued, q);
        return;
    }
    if (!u->delayed.head)
        u->delayed_until_ns = clock_monotonic_ns() + backoff_ns;
    io_request_push(&u->delayed, q);
}

static void reap(struct uring_reader *u)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned count = 0;

    io_uring_for_each_cqe(&u->ring, head, cqe)
    {
        completed(u, io_uring_cqe_get_data(cqe), cqe->res);
        count++;
    }
    io_uring_cq_advance(&u->ring, count);
}

static void uring_submit(struct io_reader *r, struct io_request *q)
{
    struct uring_reader *u = (struct uring_reader *)r;

    io_request_push(io_request_begin(q) ? &u->queued : &u->done, q);
}

static void uring_flush(struct io_reader *r)
{
    struct uring_reader *u = (struct uring_reader *)r;

    reap(u);
    refill(u);
    enter(u, 0);
}

static void nap_until(uint64_t due_ns)
{
    uint64_t now_ns = clock_monotonic_ns();

    if (now_ns < due_ns)
        io_nap(due_ns - now_ns);
}

/*
 * Completions at hand are given out without a system call while the kernel still has half of what
 * it may have; below that it is fed first, so that it does not run dry while the caller works.
 */
static struct io_request *uring_take(struct io_reader *r, bool wait)
{
    struct uring_reader *u = (struct uring_reader *)r;

    reap(u);
    refill(u);
    if (!u->done.head && !wait) {
        enter(u, 0);
        reap(u);
    } else if (u->done.head && u->in_kernel <= r->options.depth / 2) {
        enter(u, 0);
    }
    while (wait && !u->done.head) {
        if (!u->delayed.head)
            enter(u, 1);
        else if (u->n_staged)
            enter(u, 0);
        else
            nap_until(u->delayed_until_ns);
        reap(u);
        refill(u);
    }
    return io_request_pop(&u->done);
}

static void uring_destroy(struct io_reader *r)
{
    struct uring_reader *u = (struct uring_reader *)r;

    for (reap(u); u->in_kernel; reap(u))
        wait_only(u);
    io_uring_queue_exit(&u->ring);
    mem_free(u);
}

static int disabled_setting(void)
{
    FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    int value;

    if (!f)
        return -1;
    if (fscanf(f, "%d", &value) != 1)
        value = -1;
    fclose(f);
    return value;
}

/* False: the kernel lacks an operation that we need, or cannot even say. */
static bool probe(struct io_uring *ring, bool fixed)
{
    struct io_uring_probe *p = io_uring_get_probe_ring(ring);
    bool able = p && io_uring_opcode_supported(p, IORING_OP_READ) &&
                (!fixed || io_uring_opcode_supported(p, IORING_OP_READ_FIXED));

    if (p)
        io_uring_free_probe(p);
    return able;
}

static int register_pool(struct uring_reader *u, char note[IO_READER_NOTE_SIZE])
{
    const struct io_pool *pool = u->base.options.pool;
    size_t buffer_bytes = io_pool_buffer_size(pool);
    size_t total = io_pool_count(pool) * buffer_bytes;
    size_t segment =
        buffer_bytes < SEGMENT_BYTES ? SEGMENT_BYTES / buffer_bytes * buffer_bytes : buffer_bytes;
    size_t count = (total - 1) / segment + 1;
    struct iovec *table = mem_alloc_array(count, sizeof *table);
    struct rlimit limit = {0};
    int err = -u->base.options.test_register_errno;

    if (!table)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t start = i * segment;

        table[i].iov_base = (uint8_t *)io_pool_base(pool) + start;
        table[i].iov_len = total - start < segment ? total - start : segment;
    }
    if (!err)
        err = io_uring_register_buffers(&u->ring, table, (unsigned)count);
    mem_free(table);
    if (err) {
        getrlimit(RLIMIT_MEMLOCK, &limit);
        io_reader_register_note(-err, total, limit.rlim_cur, note);
    } else {
        u->segment_bytes = segment;
    }
    return 0;
}

int io_reader_open_uring(const struct io_reader_options *options, struct io_reader **out,
                         char note[IO_READER_NOTE_SIZE])
{
    static const struct io_reader_ops ops = {
        .name = "uring",
        .submit = uring_submit,
        .flush = uring_flush,
        .take = uring_take,
        .destroy = uring_destroy,
    };
    struct uring_reader *u = mem_zalloc(sizeof *u);
    int err = -options->test_setup_errno;
    int code = 0;

    if (!u)
        return ERR_NOMEM;
    u->base.ops = &ops;
    u->base.options = *options;
    if (!err)
        err = io_uring_queue_init(options->depth, &u->ring, 0);
    if (err) {
        io_reader_setup_note(-err, disabled_setting(), note);
        mem_free(u);
        return ERR_UNSUPPORTED;
    }
    if (!probe(&u->ring, options->pool != NULL)) {
        snprintf(note, IO_READER_NOTE_SIZE,
                 "the kernel's io_uring lacks IORING_OP_READ (Linux 5.6): reading by pread");
        code = ERR_UNSUPPORTED;
    } else if (options->pool) {
        code = register_pool(u, note);
    }
    if (code) {
        io_uring_queue_exit(&u->ring);
        mem_free(u);
        return code;
    }
    *out = &u->base;
    return 0;
}
