/*
 * reader.h: many reads in flight, by io_uring or by a pool of pread threads.
 *
 * A reader takes read requests for open files and hands each back when it is complete: all bytes
 * (short reads were continued), or an error for that range alone. EAGAIN and EINTR are retried
 * inside, with a bound; EIO is not.
 *
 * With a time limit a read that does not return by then is given up: it comes back as `stuck`, with
 * ERR_IO and ETIMEDOUT. The kernel may still write into its buffer, whenever the device answers, so
 * such memory is never read, used again or freed by its owner, but left to io_reader_abandon.
 *
 * Ownership: the caller owns request and buffer, and leaves both alone from submit until the
 * request comes back from io_reader_wait. Destroying a reader with requests outstanding drops those
 * that were not begun and waits for the others; none is handed back, all are the caller's again.
 * Threads: a reader belongs to one thread; the pread backend has threads of its own inside.
 */
#ifndef IO_READER_H
#define IO_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/err.h"

enum io_backend {
    IO_BACKEND_AUTO,  /* io_uring where set-up and probe succeed, else pread, saying why */
    IO_BACKEND_URING, /* the same fall-back, said as a warning: the user asked for it */
    IO_BACKEND_PREAD,
};

struct io_reader;

/* One range. Set the first block, submit; the second is filled when it comes back. */
struct io_request {
    int fd;
    uint64_t offset;
    uint32_t
        length; /* above 0; direct files: a multiple of the alignment, as are offset and into */
    void *into;
    void *user; /* the caller's own */

    int result;        /* 0, or a code (enum err); ERR_RANGE when the file ended before the range
                          (as at an unaligned end read directly: `received` tells what there is) */
    int errnum;        /* the errno behind it, 0 without */
    bool stuck;        /* given up by time: `into` is the kernel's for good */
    uint32_t received; /* bytes valid in `into`, also after an error; 0 if stuck */
    struct io_request *next; /* the reader's while in flight, then the caller's */

    uint32_t resume;  /* the reader's own: where in the range the next kernel read starts */
    unsigned retries; /* the reader's own: attempts without progress */
    uint32_t slot;    /* the reader's own */
};

struct io_pool;

struct io_reader_options {
    enum io_backend backend;
    unsigned depth;       /* most requests in flight in the kernel; 1 to 4096, 0: 64 */
    unsigned threads;     /* pread backend: threads; 0: min(depth, 8) */
    uint64_t timeout_ns;  /* for each kernel read, checked now and then; 0: none */
    struct io_pool *pool; /* buffers to register with the kernel, NULL: none; outlives the reader */
    /*
     * For tests: called with the raw outcome of each kernel read (bytes, or -errno) and may change
     * it, e.g. into a short read or -EIO. NULL: none. Called from pread threads.
     */
    int (*test_outcome)(void *ctx, const struct io_request *r, uint64_t offset, int outcome);
    /* For tests: true: this completion of io_uring's never comes. */
    bool (*test_lost)(void *ctx, const struct io_request *r, uint64_t offset);
    void *test_ctx;
    int (*test_setup)(void *ctx);  /* tests: the errno that io_uring's set-up fails with */
    int test_register_errno;       /* tests: registering buffers fails with this errno */
    int (*test_submit)(void *ctx); /* tests: the errno that a submission to io_uring fails with */
};

/*
 * Makes a reader. Where io_uring cannot be used it is a pread reader, and io_reader_note tells why.
 * ERR_NOMEM, ERR_MFILE, ERR_SYS (of the threads).
 */
int io_reader_create(const struct io_reader_options *options, struct io_reader **out);
void io_reader_destroy(struct io_reader *r); /* NULL is allowed */

/* What it became: "uring" or "pread". */
const char *io_reader_backend(const struct io_reader *r);

/*
 * One line for the user when something asked for was not to be had, else NULL: why io_uring is not
 * used ("io_uring is switched off (kernel.io_uring_disabled=2): reading by pread"), or why buffers
 * are not registered (RLIMIT_MEMLOCK). Owned by the reader.
 */
const char *io_reader_note(const struct io_reader *r);

/* Queues r; may hand it to the kernel later, with others. Waits for nothing but the rate (rate.h);
 * never fails: an error surfaces as the request's result. At most 65,536 requests may be
 * outstanding (assert). */
void io_reader_submit(struct io_reader *r, struct io_request *request);

/* Hands over everything queued now, without waiting for more submits or a wait. */
void io_reader_flush(struct io_reader *r);

/* The next completed request in any order, waiting for one; NULL when none is outstanding. */
struct io_request *io_reader_wait(struct io_reader *r);

/* As io_reader_wait, but returns NULL at once when none is complete yet. */
struct io_request *io_reader_poll(struct io_reader *r);

/*
 * Takes over memory (of mem.h; NULL is allowed) that a stuck read was into: freed with the reader
 * if all its stuck reads have returned by then, else kept until the process ends.
 */
void io_reader_abandon(struct io_reader *r, void *memory);

/* Requests submitted and not yet handed back. */
size_t io_reader_outstanding(const struct io_reader *r);

/* Whether a test has a say in what comes of its reads: then none may be done without it. */
bool io_reader_is_tested(const struct io_reader *r);

/* For tests: the hooks of all readers that are made from here on; NULL: their own again. */
void io_reader_test_all(const struct io_reader_options *hooks);

#endif
