/*
 * crew.c: see crew.h. One lock over the list of jobs; `called` is set by a wake and cleared by the
 * first thread that asks what is new.
 */
#include "io/crew.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "io/err.h"
#include "io/mem.h"

/* One call's threads. What no thread can be had for is done by the caller's, after its own. */

struct hand {
    void (*work)(void *ctx, unsigned i);
    void *ctx;
    unsigned i;
};

static void *start(void *ctx)
{
    const struct hand *h = ctx;

    h->work(h->ctx, h->i);
    return NULL;
}

void crew_run(unsigned count, void (*work)(void *ctx, unsigned i), void *ctx)
{
    struct hand hands[CREW_RUN_MAX];
    pthread_t threads[CREW_RUN_MAX];
    unsigned started = 1;

    assert(count > 0 && count <= CREW_RUN_MAX);
    for (unsigned i = 0; i < count; i++)
        hands[i] = (struct hand){work, ctx, i};
    while (started < count && !pthread_create(&threads[started], NULL, start, &hands[started]))
        started++;
    work(ctx, 0);
    for (unsigned i = started; i < count; i++)
        work(ctx, i);
    for (unsigned i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* A crew. */

struct crew {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job was offered, or a wake */
    pthread_cond_t left;    /* a thread has left a job */
    struct crew_job *jobs;  /* in the order of offering */
    atomic_bool called;
};

int crew_create(struct crew **out)
{
    struct crew *c = mem_zalloc(sizeof *c);

    if (!c)
        return ERR_NOMEM;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->changed, NULL);
    pthread_cond_init(&c->left, NULL);
    *out = c;
    return 0;
}

void crew_destroy(struct crew *c)
{
    if (!c)
        return;
    assert(!c->jobs);
    pthread_cond_destroy(&c->left);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    mem_free(c);
}

void crew_offer(struct crew *c, struct crew_job *job)
{
    struct crew_job **at = &c->jobs;

    pthread_mutex_lock(&c->mutex);
    while (*at)
        at = &(*at)->next;
    job->working = 0;
    job->offered = true;
    job->finished = false;
    job->next = NULL;
    *at = job;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

void crew_withdraw(struct crew *c, struct crew_job *job)
{
    struct crew_job **at = &c->jobs;

    pthread_mutex_lock(&c->mutex);
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job->offered = false;
    while (job->working)
        pthread_cond_wait(&c->left, &c->mutex);
    pthread_mutex_unlock(&c->mutex);
}

static struct crew_job *find(const struct crew *c)
{
    struct crew_job *job = c->jobs;

    while (job && (job->finished || job->working >= job->most))
        job = job->next;
    return job;
}

/* With the lock held, which is given up while the job is worked on. */
static void join(struct crew *c, struct crew_job *job, void *kit)
{
    bool more;

    job->working++;
    pthread_mutex_unlock(&c->mutex);
    more = job->work(job->ctx, kit);
    pthread_mutex_lock(&c->mutex);
    job->working--;
    job->finished = job->finished || !more;
    pthread_cond_broadcast(&c->left);
}

void crew_idle(struct crew *c, void *kit, bool (*over)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&c->mutex);
    for (;;) {
        struct crew_job *job;

        atomic_store(&c->called, false);
        if (over(ctx))
            break;
        job = find(c);
        if (job)
            join(c, job, kit);
        else
            pthread_cond_wait(&c->changed, &c->mutex);
    }
    pthread_mutex_unlock(&c->mutex);
}

void crew_wake(struct crew *c)
{
    pthread_mutex_lock(&c->mutex);
    atomic_store(&c->called, true);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

bool crew_called(const struct crew *c)
{
    return atomic_load_explicit(&c->called, memory_order_relaxed);
}
