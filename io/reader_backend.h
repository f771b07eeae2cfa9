/*
 * reader_backend.h: what reader.c shares with its two backends; for io/ and its tests alone.
 *
 * A backend starts a request with io_request_begin, reads at offset + resume into into + resume,
 * and gives each raw outcome to io_request_outcome until that says the request is complete.
 *
 * Threads: functions on a request are for whoever holds it; the rest as reader.h says.
 */
#ifndef IO_READER_BACKEND_H
#define IO_READER_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/reader.h"

enum {
    IO_READER_DEPTH_DEFAULT = 64,
    IO_READER_DEPTH_MAX = 4096,
    IO_READER_THREADS_DEFAULT = 8,
    IO_READER_OUTSTANDING_MAX = 65536,
    IO_READER_NOTE_SIZE = 256,
    IO_READER_RETRIES_MAX = 64, /* attempts of one range without progress, then its error */
    IO_READER_RETRIES_FREE = 4, /* of these, made at once; the rest wait longer and longer */
};

struct io_reader_ops {
    const char *name;
    void (*submit)(struct io_reader *r, struct io_request *q);
    void (*flush)(struct io_reader *r);
    /* One complete request; NULL only when `wait` is false. At least one is outstanding. */
    struct io_request *(*take)(struct io_reader *r, bool wait);
    /* Returns whether no read is stuck in the kernel any more. */
    bool (*destroy)(struct io_reader *r);
};

/* Memory that a stuck read was into. */
struct io_abandoned {
    struct io_abandoned *next;
    void *memory;
};

/* Embedded first in each backend's own struct. `options` has its defaults filled in. */
struct io_reader {
    const struct io_reader_ops *ops;
    struct io_reader_options options;
    size_t outstanding;
    struct io_abandoned *abandoned;
    char note[IO_READER_NOTE_SIZE]; /* empty: nothing to say */
};

/* ERR_UNSUPPORTED: set-up or probe failed, and `note` says why. ERR_NOMEM. */
int io_reader_open_uring(const struct io_reader_options *options, struct io_reader **out,
                         char note[IO_READER_NOTE_SIZE]);
int io_reader_open_pread(const struct io_reader_options *options, struct io_reader **out);

/* The sentence for an io_uring set-up that failed with errnum, where kernel.io_uring_disabled is
 * `disabled` (negative: there is no such setting). */
void io_reader_setup_note(int errnum, int disabled, char note[IO_READER_NOTE_SIZE]);
/* The sentence for buffers that could not be registered. */
void io_reader_register_note(int errnum, uint64_t buffer_bytes, uint64_t limit_bytes,
                             char note[IO_READER_NOTE_SIZE]);

/* Clears the second block. False: no file can have such a range; the request is complete. */
bool io_request_begin(struct io_request *q);
/* Judges what a kernel read gave (bytes, or -errno). True: complete, `result` is set; false: read
 * again from `resume` on, after io_request_backoff_ns. */
bool io_request_outcome(const struct io_reader_options *options, struct io_request *q, int outcome);
uint64_t io_request_backoff_ns(const struct io_request *q);
/* How long a wait may last before reads are looked at that take too long. */
uint64_t io_reader_patience_ns(const struct io_reader_options *options);
/* The request is given up. */
void io_request_give_up(struct io_request *q);
/* The request is complete with an error. Always true. */
bool io_request_fail(struct io_request *q, int code, int errnum);
/* Reads q whole by pread, in the calling thread. */
void io_request_pread(const struct io_reader_options *options, struct io_request *q);

void io_nap(uint64_t ns);

/* First in, first out, linked through `next`. */
struct io_request_list {
    struct io_request *head;
    struct io_request *tail;
};

static inline void io_request_push(struct io_request_list *l, struct io_request *q)
{
    q->next = NULL;
    if (l->tail)
        l->tail->next = q;
    else
        l->head = q;
    l->tail = q;
}

static inline void io_request_push_front(struct io_request_list *l, struct io_request *q)
{
    q->next = l->head;
    l->head = q;
    if (!l->tail)
        l->tail = q;
}

static inline struct io_request *io_request_pop(struct io_request_list *l)
{
    struct io_request *q = l->head;

    if (!q)
        return NULL;
    l->head = q->next;
    if (!l->head)
        l->tail = NULL;
    q->next = NULL;
    return q;
}

#endif
