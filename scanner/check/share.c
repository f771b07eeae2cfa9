/*
 * share.c: see share.h. Threads take parts as long as there are any, so that all are done whoever
 * comes to help, and whoever is called away or can open no source.
 */
#include "scanner/check/share.h"

#include <stdatomic.h>

#include "io/crew.h"

struct shared {
    const struct chk_job *job;
    unsigned count;
    void (*part)(void *arg, unsigned i, struct io_source *source);
    void *arg;
    atomic_uint next;
    atomic_uint_fast64_t helped_bytes;
};

unsigned chk_share_threads(const struct chk_job *job)
{
    const struct chk_help *h = job->help;
    unsigned threads = job->source_count;

    if (h && h->crew && h->threads > threads)
        threads = h->threads;
    return threads < CHK_SOURCES_MAX ? threads : CHK_SOURCES_MAX;
}

/* True: it was called away. */
static bool take_parts(struct shared *s, struct io_source *source, const struct crew *crew)
{
    unsigned i;

    while (!(crew && crew_called(crew)) && (i = atomic_fetch_add(&s->next, 1)) < s->count)
        s->part(s->arg, i, source);
    return atomic_load(&s->next) < s->count;
}

static void work(void *ctx, unsigned i)
{
    struct shared *s = ctx;

    take_parts(s, s->job->sources[i], NULL);
}

static bool help(void *ctx, void *kit)
{
    struct shared *s = ctx;
    const struct chk_help *h = s->job->help;
    struct io_source *source;
    bool called;

    if (h->open(h->ctx, kit, &source))
        return false;
    called = take_parts(s, source, h->crew);
    atomic_fetch_add(&s->helped_bytes, source->bytes_read);
    io_source_close(source);
    return called;
}

void chk_share(struct chk_state *s, unsigned count,
               void (*part)(void *arg, unsigned i, struct io_source *source), void *arg)
{
    const struct chk_job *job = s->job;
    struct shared shared = {.job = job, .count = count, .part = part, .arg = arg};
    struct crew *crew = job->help && count > 1 ? job->help->crew : NULL;
    struct crew_job offer = {.ctx = &shared, .work = help, .most = count - 1};

    if (crew)
        crew_offer(crew, &offer);
    crew_run(job->source_count < count ? job->source_count : count, work, &shared);
    if (crew)
        crew_withdraw(crew, &offer);
    s->helped_bytes += atomic_load(&shared.helped_bytes);
}
