/*
 * reader_pread.c: the reader without io_uring: threads that each read one request at a time.
 *
 *   submit ──▶ queued ──▶ a thread, by pread ──▶ done ──▶ wait, poll
 *
 * `lock` guards the two lists and `stopping`; a request is touched without it by whoever took it
 * from its list. The threads run with all signals blocked: they are for the program's own.
 */
#include "io/reader_backend.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "io/mem.h"

struct pread_reader {
    struct io_reader base;
    pthread_mutex_t lock;
    pthread_cond_t work;     /* queued is not empty, or stopping */
    pthread_cond_t finished; /* done is not empty */
    struct io_request_list queued;
    struct io_request_list done;
    bool stopping;
    unsigned n_threads;
    pthread_t threads[];
};

void io_request_pread(const struct io_reader_options *options, struct io_request *q)
{
    bool complete;

    do {
        ssize_t n = pread(q->fd, (uint8_t *)q->into + q->resume, q->length - q->resume,
                          (off_t)(q->offset + q->resume));

        complete = io_request_outcome(options, q, n < 0 ? -errno : (int)n);
        if (!complete)
            io_nap(io_request_backoff_ns(q));
    } while (!complete);
}

static void *read_queued(void *arg)
{
    struct pread_reader *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct io_request *q;

        while (!p->queued.head && !p->stopping)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stopping)
            break;
        q = io_request_pop(&p->queued);
        pthread_mutex_unlock(&p->lock);
        io_request_pread(&p->base.options, q);
        pthread_mutex_lock(&p->lock);
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

static struct io_request *pread_take(struct io_reader *r, bool wait)
{
    struct pread_reader *p = (struct pread_reader *)r;
    struct io_request *q;

    pthread_mutex_lock(&p->lock);
    while (wait && !p->done.head)
        pthread_cond_wait(&p->finished, &p->lock);
    q = io_request_pop(&p->done);
    pthread_mutex_unlock(&p->lock);
    return q;
}

static void pread_destroy(struct io_reader *r)
{
    struct pread_reader *p = (struct pread_reader *)r;

    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->finished);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

/* EAGAIN is the limit of processes here. */
static int start_threads(struct pread_reader *p, unsigned count)
{
    sigset_t all, before;
    int err = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->n_threads < count && !err) {
        err = pthread_create(&p->threads[p->n_threads], NULL, read_queued, p);
        p->n_threads += !err;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!err)
        return 0;
    return err == EAGAIN ? ERR_MFILE : err_from_errno(err);
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
    struct pread_reader *p = mem_zalloc(sizeof *p + options->threads * sizeof p->threads[0]);
    int code;

    if (!p)
        return ERR_NOMEM;
    p->base.ops = &ops;
    p->base.options = *options;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->finished, NULL);
    code = start_threads(p, options->threads);
    if (code) {
        pread_destroy(&p->base);
        return code;
    }
    *out = &p->base;
    return 0;
}
