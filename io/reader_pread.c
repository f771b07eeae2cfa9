/*
 * reader_pread.c: the reader without io_uring: threads that each read one request at a time.
 *
 *   submit ──▶ queued ──▶ a thread, by pread ──▶ done ──▶ wait, poll
 *                            │
 *                            └─ too long: given up, the thread too, and another takes its place
 *
 * `lock` guards the lists, `stopping` and what the threads are at. A thread reads by a copy of its
 * request, for one that is given up is the caller's again. When it comes back it finds itself
 * `given_up` and ends; the last such thread of a reader that was destroyed frees it. The threads
 * run with all signals blocked: they are for the program's own.
 */
#include "io/reader_backend.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/mem.h"

struct worker {
    struct pread_reader *reader;
    struct worker *next;
    pthread_t thread;
    struct io_request *q; /* what it reads; NULL: nothing */
    uint64_t begun_ns;
    bool overdue; /* at the last look */
    bool given_up;
};

struct pread_reader {
    struct io_reader base;
    pthread_mutex_t lock;
    pthread_cond_t work;     /* queued is not empty, or stopping */
    pthread_cond_t finished; /* done is not empty, or a thread has nothing more to read */
    struct io_request_list queued;
    struct io_request_list done;
    bool stopping, destroyed;
    struct worker *workers; /* but those given up */
    unsigned lost;          /* of those, how many have not come back */
    int start_errnum;       /* why there is no thread any more */
};

static void note_begun(struct worker *w)
{
    w->begun_ns = w->reader->base.options.timeout_ns ? clock_monotonic_ns() : 0;
    w->overdue = false;
}

static bool begin_attempt(struct worker *w)
{
    struct pread_reader *p = w->reader;
    bool wanted;

    pthread_mutex_lock(&p->lock);
    wanted = !w->given_up;
    note_begun(w);
    pthread_mutex_unlock(&p->lock);
    return wanted;
}

/* w: the thread's, or NULL. Each attempt has its own time; one given up makes no further one, for
 * the descriptor may be another file's by then. */
static void read_whole(const struct io_reader_options *options, struct io_request *q,
                       struct worker *w)
{
    bool complete;

    do {
        ssize_t n = pread(q->fd, (uint8_t *)q->into + q->resume, q->length - q->resume,
                          (off_t)(q->offset + q->resume));

        complete = io_request_outcome(options, q, n < 0 ? -errno : (int)n);
        if (!complete)
            io_nap(io_request_backoff_ns(q));
    } while (!complete && (!w || begin_attempt(w)));
}

void io_request_pread(const struct io_reader_options *options, struct io_request *q)
{
    read_whole(options, q, NULL);
}

static void free_reader(struct pread_reader *p)
{
    pthread_cond_destroy(&p->finished);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

/* Comes back from a read that nobody waits for any more. The lock is held. */
static void come_back(struct pread_reader *p, struct worker *w)
{
    bool last = --p->lost == 0 && p->destroyed;

    pthread_mutex_unlock(&p->lock);
    if (last)
        free_reader(p);
    mem_free(w);
}

static void *read_queued(void *arg)
{
    struct worker *w = arg;
    struct pread_reader *p = w->reader;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct io_request mine, *q;

        while (!p->queued.head && !p->stopping)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stopping)
            break;
        q = w->q = io_request_pop(&p->queued);
        note_begun(w);
        mine = *q;
        pthread_mutex_unlock(&p->lock);
        read_whole(&p->base.options, &mine, w);
        pthread_mutex_lock(&p->lock);
        if (w->given_up) {
            come_back(p, w);
            return NULL;
        }
        w->q = NULL;
        *q = mine;
        io_request_push(&p->done, q);
        pthread_cond_signal(&p->finished);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void pread_submit(struct io_reader *r, struct io_request *q)
{
    struct pread_reader *p = (struct pread_reader *)r;
    bool readable = io_request_begin(q);

    pthread_mutex_lock(&p->lock);
    io_request_push(readable ? &p->queued : &p->done, q);
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static void pread_flush(struct io_reader *r)
{
    (void)r; /* submit has handed everything over */
}

/* EAGAIN is the limit of processes here. */
static int start_worker(struct pread_reader *p)
{
    struct worker *w = mem_zalloc(sizeof *w);
    sigset_t all, before;
    int errnum;

    if (!w)
        return ENOMEM;
    w->reader = p;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errnum = pthread_create(&w->thread, NULL, read_queued, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum) {
        mem_free(w);
        return errnum;
    }
    w->next = p->workers;
    p->workers = w;
    return 0;
}

static int start_code(int errnum)
{
    return errnum == EAGAIN ? ERR_MFILE : err_from_errno(errnum);
}

/* Nobody is left who would read what is queued. */
static void fail_queued(struct pread_reader *p)
{
    struct io_request *q;

    while (!p->workers && (q = io_request_pop(&p->queued))) {
        io_request_fail(q, start_code(p->start_errnum), p->start_errnum);
        io_request_push(&p->done, q);
    }
}

/* Gives up reads that take too long, each with its thread. The lock is held. */
static void expire(struct pread_reader *p)
{
    uint64_t now_ns = clock_monotonic_ns();
    struct worker **link = &p->workers;
    unsigned gone = 0;

    while (*link) {
        struct worker *w = *link;

        if (!w->q || now_ns - w->begun_ns < p->base.options.timeout_ns) {
            link = &w->next;
            continue;
        }
        if (!w->overdue) {
            w->overdue = true;
            link = &w->next;
            continue;
        }
        *link = w->next;
        io_request_give_up(w->q);
        io_request_push(&p->done, w->q);
        w->given_up = true;
        pthread_detach(w->thread);
        p->lost++;
        gone++;
    }
    while (gone-- && !p->stopping) {
        int errnum = start_worker(p);

        if (errnum)
            p->start_errnum = errnum;
    }
    fail_queued(p);
}

/* Waits for `finished`; where that takes long, looks at what the threads are at. */
static void wait_finished(struct pread_reader *p)
{
    uint64_t due_ns;
    struct timespec due;

    if (!p->base.options.timeout_ns) {
        pthread_cond_wait(&p->finished, &p->lock);
        return;
    }
    due_ns = clock_monotonic_ns() + io_reader_patience_ns(&p->base.options);
    due = (struct timespec){.tv_sec = (time_t)(due_ns / 1000000000),
                            .tv_nsec = (long)(due_ns % 1000000000)};
    if (pthread_cond_timedwait(&p->finished, &p->lock, &due) == ETIMEDOUT)
        expire(p);
}

static struct io_request *pread_take(struct io_reader *r, bool wait)
{
    struct pread_reader *p = (struct pread_reader *)r;
    struct io_request *q;

    pthread_mutex_lock(&p->lock);
    fail_queued(p);
    while (wait && !p->done.head)
        wait_finished(p);
    q = io_request_pop(&p->done);
    pthread_mutex_unlock(&p->lock);
    return q;
}

static bool is_reading(const struct pread_reader *p)
{
    for (const struct worker *w = p->workers; w; w = w->next)
        if (w->q)
            return true;
    return false;
}

static bool pread_destroy(struct io_reader *r)
{
    struct pread_reader *p = (struct pread_reader *)r;
    struct worker *w, *next;
    bool none_left;

    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    while (is_reading(p))
        wait_finished(p);
    w = p->workers;
    pthread_mutex_unlock(&p->lock);
    for (; w; w = next) {
        next = w->next;
        pthread_join(w->thread, NULL);
        mem_free(w);
    }
    pthread_mutex_lock(&p->lock);
    p->destroyed = true;
    none_left = p->lost == 0;
    pthread_mutex_unlock(&p->lock);
    if (none_left)
        free_reader(p);
    return none_left;
}

static void init_lock(struct pread_reader *p)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int io_reader_open_pread(const struct io_reader_options *options, struct io_reader **out)
{
    static const struct io_reader_ops ops = {
        .name = "pread",
        .submit = pread_submit,
        .flush = pread_flush,
        .take = pread_take,
        .destroy = pread_destroy,
    };
    struct pread_reader *p = mem_zalloc(sizeof *p);
    int errnum = 0;

    if (!p)
        return ERR_NOMEM;
    p->base.ops = &ops;
    p->base.options = *options;
    init_lock(p);
    for (unsigned i = 0; i < options->threads && !errnum; i++)
        errnum = start_worker(p);
    if (errnum) {
        pread_destroy(&p->base);
        return start_code(errnum);
    }
    *out = &p->base;
    return 0;
}
