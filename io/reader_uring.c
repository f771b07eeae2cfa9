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
 * The kernel knows a read by the number of its place in `ops` and by that place's generation, which
 * goes up when a read is given up: its place and the request are free then, and its completion,
 * should it come, is of a generation that has passed.
 *
 * A request inside the pool's buffers is read with IORING_OP_READ_FIXED. The pool is registered in
 * segments of whole buffers of at most 1 GiB, the kernel's limit for one, so that any pool fits
 * into the smallest table a kernel allows (1,024).
 *
 * Valgrind does not see the kernel write into buffers after a submission, and the thread sanitizer
 * sees nothing that the kernel does, so both are told when a read is complete: whoever else touches
 * its buffer without having been handed it races with this thread.
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
#ifdef __SANITIZE_THREAD__
void __tsan_write_range(void *address, unsigned long size);
#else
#define __tsan_write_range(address, size) ((void)0)
#endif

#include "io/clock.h"
#include "io/mem.h"
#include "io/pool.h"

enum { SEGMENT_BYTES = 1 << 30, WAIT_NAP_NS = 1000000 };

/* A place for a read that is staged or in the kernel. */
struct op {
    struct io_request *q; /* NULL: free */
    uint64_t begun_ns;    /* 0: not in the kernel */
    bool overdue;         /* at the last look */
    uint32_t generation;
    uint32_t next_free;
};

struct uring_reader {
    struct io_reader base;
    struct io_uring ring;
    size_t segment_bytes; /* of the registered pool; 0: none is registered */
    struct io_request_list queued, staged, delayed, done;
    unsigned n_staged;
    unsigned in_kernel;
    uint64_t delayed_until_ns;
    unsigned lost; /* in the kernel, and given up */
    struct op *ops;
    uint32_t free_op;
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
    struct op *op = &u->ops[u->free_op];

    assert(sqe && u->free_op < u->base.options.depth);
    q->slot = u->free_op;
    u->free_op = op->next_free;
    op->q = q;
    op->begun_ns = 0;
    op->overdue = false;
    if (segment >= 0)
        io_uring_prep_read_fixed(sqe, q->fd, into, length, offset, segment);
    else
        io_uring_prep_read(sqe, q->fd, into, length, offset);
    io_uring_sqe_set_data64(sqe, (uint64_t)op->generation << 32 | q->slot);
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

static void free_op(struct uring_reader *u, struct op *op)
{
    op->q = NULL;
    op->next_free = u->free_op;
    u->free_op = (uint32_t)(op - u->ops);
}

/* Gives up what has been in the kernel for too long. */
static void expire(struct uring_reader *u)
{
    uint64_t now_ns = clock_monotonic_ns();

    for (unsigned i = 0; i < u->base.options.depth; i++) {
        struct op *op = &u->ops[i];

        if (!op->q || !op->begun_ns || now_ns - op->begun_ns < u->base.options.timeout_ns)
            continue;
        if (!op->overdue) {
            op->overdue = true;
            continue;
        }
        io_request_give_up(op->q);
        io_request_push(&u->done, op->q);
        op->generation++;
        free_op(u, op);
        u->in_kernel--;
        u->lost++;
    }
}

static struct __kernel_timespec patience(const struct uring_reader *u)
{
    uint64_t ns = io_reader_patience_ns(&u->base.options);

    return (struct __kernel_timespec){.tv_sec = (int64_t)(ns / 1000000000),
                                      .tv_nsec = (long long)(ns % 1000000000)};
}

/* Waits for a completion and submits nothing. */
static void wait_only(struct uring_reader *u)
{
    struct __kernel_timespec limit = patience(u);
    struct io_uring_cqe *cqe;
    int err = io_uring_wait_cqe_timeout(&u->ring, &cqe, u->base.options.timeout_ns ? &limit : NULL);

    if (err == -ETIME)
        expire(u);
    else if (err && err != -EINTR)
        io_nap(WAIT_NAP_NS);
}

static int submit(struct uring_reader *u, unsigned wait_count)
{
    const struct io_reader_options *options = &u->base.options;
    struct __kernel_timespec limit = patience(u);
    struct io_uring_cqe *cqe;
    int errnum = options->test_submit ? options->test_submit(options->test_ctx) : 0;

    if (errnum)
        return -errnum;
    if (!wait_count || !options->timeout_ns)
        return io_uring_submit_and_wait(&u->ring, wait_count);
    return io_uring_submit_and_wait_timeout(&u->ring, &cqe, wait_count, &limit, NULL);
}

/* The kernel has taken over the first of the staged. */
static void taken(struct uring_reader *u, unsigned count)
{
    uint64_t now_ns = count && u->base.options.timeout_ns ? clock_monotonic_ns() : 1;

    u->n_staged -= count;
    u->in_kernel += count;
    while (count-- > 0)
        u->ops[io_request_pop(&u->staged)->slot].begun_ns = now_ns;
}

/* Hands over what is staged and waits for `wait_count` completions. May do less: callers loop. */
static void enter(struct uring_reader *u, unsigned wait_count)
{
    unsigned left;
    int n;

    if (!u->n_staged) {
        if (wait_count)
            wait_only(u);
        return;
    }
    n = submit(u, wait_count);
    left = io_uring_sq_ready(&u->ring); /* what it returns may be how the wait ended */
    assert(left <= u->n_staged);
    if (left < u->n_staged)
        u->refusals = 0;
    else if (n < 0 && n != -EINTR && n != -ETIME)
        refused(u, -n);
    if (u->n_staged)
        taken(u, u->n_staged - left);
    if (n == -ETIME)
        expire(u);
}

static void completed(struct uring_reader *u, uint64_t number, int outcome)
{
    const struct io_reader_options *options = &u->base.options;
    struct op *op = &u->ops[(uint32_t)number];
    struct io_request *q = op->q;
    uint64_t backoff_ns;

    if (op->generation != (uint32_t)(number >> 32)) {
        u->lost--;
        return;
    }
    assert(q);
    if (options->test_lost && options->test_lost(options->test_ctx, q, q->offset + q->resume))
        return;
    free_op(u, op);
    u->in_kernel--;
    if (outcome > 0) {
        VALGRIND_MAKE_MEM_DEFINED((uint8_t *)q->into + q->resume, outcome);
        __tsan_write_range((uint8_t *)q->into + q->resume, (unsigned long)outcome);
    }
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
        completed(u, io_uring_cqe_get_data64(cqe), cqe->res);
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

static bool uring_destroy(struct io_reader *r)
{
    struct uring_reader *u = (struct uring_reader *)r;
    bool none_left;

    for (reap(u); u->in_kernel; reap(u))
        wait_only(u);
    none_left = u->lost == 0;
    io_uring_queue_exit(&u->ring);
    mem_free(u->ops);
    mem_free(u);
    return none_left;
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

static bool make_ops(struct uring_reader *u)
{
    const unsigned depth = u->base.options.depth;

    u->ops = mem_alloc_array(depth, sizeof *u->ops);
    for (unsigned i = 0; u->ops && i < depth; i++)
        u->ops[i] = (struct op){.next_free = i + 1};
    return u->ops != NULL;
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
    int err = options->test_setup ? -options->test_setup(options->test_ctx) : 0;
    int code = 0;

    if (!u)
        return ERR_NOMEM;
    u->base.ops = &ops;
    u->base.options = *options;
    if (!make_ops(u)) {
        mem_free(u);
        return ERR_NOMEM;
    }
    if (!err)
        err = io_uring_queue_init(options->depth, &u->ring, 0);
    if (err) {
        io_reader_setup_note(-err, disabled_setting(), note);
        mem_free(u->ops);
        mem_free(u);
        return ERR_UNSUPPORTED;
    }
    if (!probe(&u->ring, options->pool != NULL)) {
        snprintf(note, IO_READER_NOTE_SIZE,
                 "the kernel's io_uring lacks IORING_OP_READ (Linux 5.6): reading by pread");
        code = ERR_UNSUPPORTED;
    } else if (options->timeout_ns && !(u->ring.features & IORING_FEAT_EXT_ARG)) {
        snprintf(note, IO_READER_NOTE_SIZE,
                 "the kernel's io_uring has no waits with an end (Linux 5.11): reading by pread");
        code = ERR_UNSUPPORTED;
    } else if (options->pool) {
        code = register_pool(u, note);
    }
    if (code) {
        io_uring_queue_exit(&u->ring);
        mem_free(u->ops);
        mem_free(u);
        return code;
    }
    *out = &u->base;
    return 0;
}
