/*
 * raw.c: see raw.h. The extents are cut into pieces; each thread takes runs of TAKE_BYTES of them
 * in order and keeps `depth` reads in flight. Buffers are taken in turn from a pool; a `hot` way
 * has no more of them than its depth asks for, and reads into the one that came back last.
 */
#include "bench/raw.h"

#include <errno.h>
#include <liburing.h>
#include <stdatomic.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#include "index/hash.h"
#include "io/clock.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/crc.h"

enum { TAKE_BYTES = 4 << 20, BUFFER_ALIGN = 4096, BUFFERS_MAX = RAW_POOL_BYTES / (64 << 10) };

struct pieces {
    struct extent *list;
    size_t count;
    size_t at_once;
    _Atomic size_t next;
};

struct thread {
    int fd;
    const struct raw_way *way;
    struct pieces *pieces;
    uint8_t *memory;
    unsigned buffers; /* in it, of a piece each */
    struct io_uring ring;
    size_t at, end; /* the run of pieces in hand */
    uint32_t crc;   /* so that no checksum is for nothing */
    struct idx_hash *hash;
    int result;
};

unsigned raw_ways(struct raw_way out[RAW_WAYS_MAX])
{
    unsigned n = 0;

    for (unsigned threads = 1; threads <= RAW_THREADS_MAX; threads++)
        for (uint32_t size = 64 << 10; size <= 4 << 20; size *= 2) {
            out[n++] = (struct raw_way){.piece_bytes = size, .depth = 1, .threads = threads};
            for (unsigned depth = 1; depth <= RAW_DEPTH_MAX; depth *= 2)
                if ((uint64_t)depth * size <= RAW_POOL_BYTES)
                    out[n++] = (struct raw_way){
                        .uring = true, .piece_bytes = size, .depth = depth, .threads = threads};
        }
    return n;
}

static int cut(const struct extents *e, uint32_t piece, uint64_t most, struct pieces *out,
               uint64_t *bytes)
{
    size_t count = 0;

    for (size_t i = 0; i < e->count; i++)
        count += (size_t)((e->list[i].length + piece - 1) / piece);
    *out = (struct pieces){.list = mem_alloc_array(count + 1, sizeof *out->list)};
    if (!out->list)
        return ERR_NOMEM;
    out->at_once = TAKE_BYTES / piece;
    *bytes = 0;
    for (size_t i = 0; i < e->count && *bytes < most; i++)
        for (uint64_t done = 0; done < e->list[i].length && *bytes < most;) {
            uint64_t left = e->list[i].length - done, n = left < piece ? left : piece;

            out->list[out->count++] = (struct extent){e->list[i].offset + done, n};
            done += n;
            *bytes += n;
        }
    return 0;
}

static const struct extent *take(struct thread *t)
{
    if (t->at == t->end) {
        t->at = atomic_fetch_add(&t->pieces->next, t->pieces->at_once);
        t->end = t->at + t->pieces->at_once;
        if (t->end > t->pieces->count)
            t->end = t->pieces->count;
    }
    if (t->at >= t->end) {
        t->at = t->end;
        return NULL;
    }
    return &t->pieces->list[t->at++];
}

static void check(struct thread *t, const uint8_t *bytes, uint64_t length)
{
    uint32_t step = t->way->crc_bytes;

    for (uint64_t at = 0; step && at < length; at += step)
        t->crc ^= ost_crc(bytes + at, length - at < step ? (size_t)(length - at) : step);
    if (t->way->digest)
        idx_hash_update(t->hash, bytes, (size_t)length);
}

static uint8_t *buffer_at(const struct thread *t, unsigned buffer)
{
    return t->memory + (size_t)buffer * t->way->piece_bytes;
}

static int read_pread(struct thread *t)
{
    const struct extent *x;
    unsigned buffer = 0;

    while ((x = take(t))) {
        uint8_t *into = buffer_at(t, buffer++ % t->buffers);

        for (uint64_t done = 0; done < x->length;) {
            ssize_t n = pread(t->fd, into + done, x->length - done, (off_t)(x->offset + done));

            if (n <= 0)
                return ERR_IO;
            done += (uint64_t)n;
        }
        check(t, into, x->length);
    }
    return 0;
}

/* What is in flight into each buffer. */
struct flight {
    uint64_t offset;
    uint32_t length; /* to come */
    uint32_t whole;
};

static void stage(struct thread *t, struct flight *flights, unsigned buffer)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&t->ring);
    uint8_t *into = buffer_at(t, buffer) + (flights[buffer].whole - flights[buffer].length);

    io_uring_prep_read_fixed(sqe, t->fd, into, flights[buffer].length, flights[buffer].offset, 0);
    io_uring_sqe_set_data64(sqe, buffer);
}

/* Buffers that nothing is read into. */
struct idle {
    unsigned list[BUFFERS_MAX], first, count;
};

static unsigned take_idle(struct idle *i, bool hot)
{
    i->count--;
    if (hot)
        return i->list[i->count];
    i->first = (i->first + 1) % BUFFERS_MAX;
    return i->list[(i->first + BUFFERS_MAX - 1) % BUFFERS_MAX];
}

static void give_idle(struct idle *i, unsigned buffer)
{
    i->list[(i->first + i->count++) % BUFFERS_MAX] = buffer;
}

/* The reads that have come; a short one goes on. */
static int reap(struct thread *t, struct flight *flights, struct idle *idle)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;

    io_uring_for_each_cqe(&t->ring, head, cqe)
    {
        unsigned buffer = (unsigned)io_uring_cqe_get_data64(cqe);
        struct flight *f = &flights[buffer];

        if (cqe->res <= 0)
            return ERR_IO;
        f->offset += (unsigned)cqe->res;
        f->length -= (unsigned)cqe->res;
        seen++;
        if (f->length) {
            stage(t, flights, buffer);
            continue;
        }
        check(t, buffer_at(t, buffer), f->whole);
        give_idle(idle, buffer);
    }
    io_uring_cq_advance(&t->ring, seen);
    return 0;
}

static int read_uring(struct thread *t)
{
    struct flight flights[BUFFERS_MAX];
    struct idle idle = {.count = 0};
    bool more = true;
    int rc = 0;

    for (unsigned i = 0; i < t->buffers; i++)
        give_idle(&idle, i);
    while (!rc) {
        while (more && t->buffers - idle.count < t->way->depth) {
            const struct extent *x = take(t);

            more = x != NULL;
            if (more) {
                unsigned buffer = take_idle(&idle, t->way->hot);

                flights[buffer] =
                    (struct flight){x->offset, (uint32_t)x->length, (uint32_t)x->length};
                stage(t, flights, buffer);
            }
        }
        if (idle.count == t->buffers)
            return 0;
        rc = io_uring_submit_and_wait(&t->ring, 1) < 0 ? ERR_SYS : reap(t, flights, &idle);
    }
    return rc;
}

static int run(void *ctx)
{
    struct thread *t = ctx;

    t->result = t->way->uring ? read_uring(t) : read_pread(t);
    return 0;
}

/* Buffers are there and touched, and registered, before the clock starts: so are ostscan's. */
static int prepare(struct thread *t)
{
    size_t size;
    struct iovec whole;

    t->buffers = t->way->hot ? t->way->depth : RAW_POOL_BYTES / t->way->piece_bytes;
    size = (size_t)t->buffers * t->way->piece_bytes;
    t->memory = mem_aligned(BUFFER_ALIGN, size);
    if (!t->memory)
        return ERR_NOMEM;
    memset(t->memory, 0, size);
    if (t->way->digest && idx_hash_create(IDX_XXH3, &t->hash))
        return ERR_NOMEM;
    if (!t->way->uring)
        return 0;
    if (io_uring_queue_init(t->way->depth, &t->ring, 0) < 0)
        return ERR_UNSUPPORTED;
    whole = (struct iovec){t->memory, size};
    if (io_uring_register_buffers(&t->ring, &whole, 1) == 0)
        return 0;
    io_uring_queue_exit(&t->ring);
    return ERR_UNSUPPORTED;
}

static int run_all(struct thread *threads, unsigned count)
{
    thrd_t ids[RAW_THREADS_MAX];
    unsigned started = 1;
    int rc = 0;

    for (; started < count; started++)
        if (thrd_create(&ids[started], run, &threads[started]) != thrd_success)
            break;
    run(&threads[0]);
    for (unsigned i = 1; i < started; i++)
        thrd_join(ids[i], NULL);
    for (unsigned i = 0; i < started && !rc; i++)
        rc = threads[i].result;
    return started < count ? ERR_SYS : rc;
}

int raw_read(int fd, const struct extents *e, const struct raw_way *way, uint64_t most_bytes,
             uint64_t *ns, uint64_t *bytes)
{
    struct thread threads[RAW_THREADS_MAX] = {0};
    struct pieces pieces;
    unsigned made = 0;
    uint64_t from;
    int rc = cut(e, way->piece_bytes, most_bytes, &pieces, bytes);

    if (rc)
        return rc;
    while (made < way->threads && !rc) {
        threads[made].fd = fd;
        threads[made].way = way;
        threads[made].pieces = &pieces;
        rc = prepare(&threads[made]);
        made += !rc;
    }
    from = clock_monotonic_ns();
    if (!rc)
        rc = run_all(threads, made);
    *ns = clock_monotonic_ns() - from;
    for (unsigned i = 0; i < RAW_THREADS_MAX; i++) {
        if (i < made && way->uring)
            io_uring_queue_exit(&threads[i].ring);
        mem_free(threads[i].memory);
        idx_hash_destroy(threads[i].hash);
    }
    mem_free(pieces.list);
    return rc;
}
