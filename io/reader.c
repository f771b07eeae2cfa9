/*
 * reader.c: see reader.h. The choice of a backend, and the life of one request, which is the same
 * over both:
 *
 *   begin ──▶ read at offset + resume ──▶ outcome ──▶ complete: result, errnum, received
 *                  ▲                         │
 *                  └──── (wait a little) ────┘  short, EAGAIN, EINTR
 *
 * A short read is continued after its last byte; with O_DIRECT, where the next read must be
 * aligned, from the last boundary before it. The end of a file is short too and need not be
 * aligned: there the file's size decides, for a direct read at the boundary would bring the same
 * bytes for ever. Whatever brings nothing new counts as a retry, so every request comes to an end.
 *
 * A read that hangs in the kernel (a network share whose server has gone, a dying disk) cannot be
 * taken back: cancelling wakes no read that waits for a device. So a backend forgets it, and from
 * then on knows it by number alone, for the request is the caller's again; what it may still write
 * to is kept. How long reads have taken is looked at when a wait has lasted a quarter of the limit,
 * or a second: where others complete, nobody waits for the one that hangs. One is given up at the
 * second look that finds it overdue, for at the first the whole process may have stood still.
 */
#include "io/reader_backend.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "io/file.h"
#include "io/mem.h"
#include "io/patient.h"
#include "io/rate.h"

enum { NAP_FIRST_NS = 50000, NAP_DOUBLINGS = 5, PATIENCE_NS = 1000000000 };

/* What readers that were destroyed have left to reads that are stuck. */
static _Atomic(struct io_abandoned *) left;

static const struct io_reader_options *test_hooks;

bool io_request_fail(struct io_request *q, int code, int errnum)
{
    q->result = code;
    q->errnum = errnum;
    return true;
}

bool io_request_begin(struct io_request *q)
{
    q->result = 0;
    q->errnum = 0;
    q->received = 0;
    q->resume = 0;
    q->retries = 0;
    q->stuck = false;
    if (q->offset <= (uint64_t)INT64_MAX - q->length)
        return true;
    io_request_fail(q, ERR_RANGE, 0);
    return false;
}

void io_request_give_up(struct io_request *q)
{
    io_request_fail(q, ERR_IO, ETIMEDOUT);
    q->received = 0;
    q->stuck = true;
}

uint64_t io_reader_patience_ns(const struct io_reader_options *options)
{
    return options->timeout_ns / 4 < PATIENCE_NS ? options->timeout_ns / 4 + 1 : PATIENCE_NS;
}

/* What block devices and file systems answer for bytes they cannot give is all one to us. */
static int read_code(int errnum)
{
    switch (errnum) {
    case ENODATA: /* medium error */
    case EILSEQ:  /* protection information */
    case EBADMSG: /* checksum of the file system */
    case EUCLEAN: /* structure of the file system */
    case ENOLINK: /* transport */
    case ETIMEDOUT:
        return ERR_IO;
    default:
        return err_from_errno(errnum);
    }
}

static bool retry(struct io_request *q, int code, int errnum)
{
    if (q->retries == IO_READER_RETRIES_MAX)
        return io_request_fail(q, code, errnum);
    q->retries++;
    return false;
}

static bool file_ends_at(int fd, uint64_t offset)
{
    struct stat st;

    return patient_fstat(SHARE_UNKNOWN, fd, &st) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size <= offset;
}

static bool advance(struct io_request *q, uint32_t bytes)
{
    uint32_t end = q->resume + bytes;
    bool progress = end > q->received;

    assert(bytes <= q->length - q->resume);
    if (progress) {
        q->received = end;
        q->retries = 0;
    }
    if (q->received == q->length)
        return true;
    q->resume = q->received - q->received % io_file_direct_align(q->fd);
    if (q->resume == q->received)
        return false;
    if (file_ends_at(q->fd, q->offset + q->received))
        return io_request_fail(q, ERR_RANGE, 0);
    return progress ? false : retry(q, ERR_IO, 0);
}

bool io_request_outcome(const struct io_reader_options *options, struct io_request *q, int outcome)
{
    if (options->test_outcome)
        outcome = options->test_outcome(options->test_ctx, q, q->offset + q->resume, outcome);
    if (outcome == -EAGAIN || outcome == -EINTR)
        return retry(q, ERR_SYS, -outcome);
    if (outcome < 0)
        return io_request_fail(q, read_code(-outcome), -outcome);
    if (outcome == 0)
        return io_request_fail(q, ERR_RANGE, 0);
    return advance(q, (uint32_t)outcome);
}

uint64_t io_request_backoff_ns(const struct io_request *q)
{
    unsigned doublings;

    if (q->retries <= IO_READER_RETRIES_FREE)
        return 0;
    doublings = q->retries - IO_READER_RETRIES_FREE - 1;
    return (uint64_t)NAP_FIRST_NS << (doublings < NAP_DOUBLINGS ? doublings : NAP_DOUBLINGS);
}

void io_nap(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000U), .tv_nsec = (long)(ns % 1000000000U)};

    if (ns)
        nanosleep(&t, NULL);
}

void io_reader_setup_note(int errnum, int disabled, char note[IO_READER_NOTE_SIZE])
{
    char cause[128];

    if (errnum == ENOSYS)
        snprintf(cause, sizeof cause, "the kernel has no io_uring");
    else if (errnum == EPERM && (disabled == 1 || disabled == 2))
        snprintf(cause, sizeof cause, "io_uring is switched off (kernel.io_uring_disabled=%d)",
                 disabled);
    else if (errnum == EPERM || errnum == EACCES)
        snprintf(cause, sizeof cause, "io_uring is forbidden by seccomp or a security module (%s)",
                 strerrorname_np(errnum));
    else if (errnum == ENOMEM)
        snprintf(cause, sizeof cause, "io_uring does not fit the memlock limit (RLIMIT_MEMLOCK)");
    else
        snprintf(cause, sizeof cause, "io_uring cannot be set up (%s)", strerror(errnum));
    snprintf(note, IO_READER_NOTE_SIZE, "%s: reading by pread", cause);
}

void io_reader_register_note(int errnum, uint64_t buffer_bytes, uint64_t limit_bytes,
                             char note[IO_READER_NOTE_SIZE])
{
    char cause[128];

    if (errnum == ENOMEM || errnum == EPERM)
        snprintf(cause, sizeof cause, "RLIMIT_MEMLOCK is %llu bytes, the buffers need %llu",
                 (unsigned long long)limit_bytes, (unsigned long long)buffer_bytes);
    else
        snprintf(cause, sizeof cause, "%s", strerror(errnum));
    snprintf(note, IO_READER_NOTE_SIZE,
             "buffers are not registered with the kernel (%s): io_uring reads into plain buffers",
             cause);
}

static struct io_reader_options with_defaults(const struct io_reader_options *options)
{
    struct io_reader_options o = *options;

    if (test_hooks) {
        o.test_outcome = test_hooks->test_outcome;
        o.test_lost = test_hooks->test_lost;
        o.test_submit = test_hooks->test_submit;
        o.test_ctx = test_hooks->test_ctx;
        o.test_setup = test_hooks->test_setup;
    }
    if (!o.depth)
        o.depth = IO_READER_DEPTH_DEFAULT;
    assert(o.depth <= IO_READER_DEPTH_MAX);
    if (!o.threads)
        o.threads = o.depth < IO_READER_THREADS_DEFAULT ? o.depth : IO_READER_THREADS_DEFAULT;
    return o;
}

int io_reader_create(const struct io_reader_options *options, struct io_reader **out)
{
    struct io_reader_options o = with_defaults(options);
    char note[IO_READER_NOTE_SIZE] = "";
    struct io_reader *r;
    int code = ERR_UNSUPPORTED;

    if (o.backend != IO_BACKEND_PREAD)
        code = io_reader_open_uring(&o, &r, note);
    if (code == ERR_UNSUPPORTED)
        code = io_reader_open_pread(&o, &r);
    if (code)
        return code;
    memcpy(r->note, note, sizeof note);
    *out = r;
    return 0;
}

void io_reader_destroy(struct io_reader *r)
{
    struct io_abandoned *first = r ? r->abandoned : NULL, *last = first;

    if (!r)
        return;
    if (r->ops->destroy(r)) {
        for (struct io_abandoned *next; first; first = next) {
            next = first->next;
            mem_free(first->memory);
            mem_free(first);
        }
    } else if (first) {
        while (last->next)
            last = last->next;
        last->next = atomic_load(&left);
        while (!atomic_compare_exchange_weak(&left, &last->next, first))
            ;
    }
}

void io_reader_abandon(struct io_reader *r, void *memory)
{
    struct io_abandoned *a = memory ? mem_alloc(sizeof *a) : NULL;

    if (!a)
        return; /* without a note of it, it is kept as well */
    *a = (struct io_abandoned){.next = r->abandoned, .memory = memory};
    r->abandoned = a;
}

void io_reader_test_all(const struct io_reader_options *hooks)
{
    test_hooks = hooks;
}

const char *io_reader_backend(const struct io_reader *r)
{
    return r->ops->name;
}

const char *io_reader_note(const struct io_reader *r)
{
    return r->note[0] ? r->note : NULL;
}

void io_reader_submit(struct io_reader *r, struct io_request *request)
{
    assert(request->length > 0 && r->outstanding < IO_READER_OUTSTANDING_MAX);
    io_rate_wait(request->length);
    r->outstanding++;
    r->ops->submit(r, request);
}

void io_reader_flush(struct io_reader *r)
{
    r->ops->flush(r);
}

static struct io_request *take(struct io_reader *r, bool wait)
{
    struct io_request *q;

    if (!r->outstanding)
        return NULL;
    q = r->ops->take(r, wait);
    if (q)
        r->outstanding--;
    return q;
}

struct io_request *io_reader_wait(struct io_reader *r)
{
    return take(r, true);
}

struct io_request *io_reader_poll(struct io_reader *r)
{
    return take(r, false);
}

bool io_reader_is_tested(const struct io_reader *r)
{
    return r->options.test_outcome || r->options.test_lost;
}

size_t io_reader_outstanding(const struct io_reader *r)
{
    return r->outstanding;
}
