/*
 * sweep.c: see sweep.h.
 *
 *   spans of allocation maps ──> regions of some MiB ──> lanes, each a thread with its own source
 *
 * Regions are taken in order. A lane that finds none left, and no other work of the tap, waits as
 * long as another is busy, who may bring some about; then it leaves. What each lane found is put
 * together as it leaves.
 */
#include "scanner/check/sweep.h"

#include <time.h>

#include "io/crew.h"
#include "io/err.h"
#include "scanner/check/lane.h"
#include "scanner/ost/amap.h"

enum {
    REGION_BYTES = 4 * 1024 * 1024,
    CHUNK_BYTES = 512 * 1024,        /* eight of them are half of what a source lends from */
    CHUNKS_BYTES = 32 * CHUNK_BYTES, /* of the job's own threads together */
    TAP_CHUNK_BYTES = 256 * 1024,    /* what a tap makes of it should find it in the cache */
    CHUNK_LEAST = 128 * 1024,        /* any block fits */
    SECOND_NS = 1000000000,
    WAIT_NS = 20000000,
};

int chk_sweep_stopped(const struct chk_sweep *sweep)
{
    const atomic_bool *cancel = sweep->state->job->cancel;

    if (sweep->result)
        return sweep->result;
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed) ? ERR_CANCELLED : 0;
}

/* The sink's calls come from one thread. */
void chk_sweep_progress(struct chk_sweep *sweep, uint64_t bytes, bool tells)
{
    uint64_t done = atomic_fetch_add(&sweep->done_bytes, bytes) + bytes;

    if (tells && sweep->sink->progress)
        sweep->sink->progress(sweep->sink->ctx, done);
}

static void fail(struct chk_sweep *sweep, int rc)
{
    int none = 0;

    if (!rc)
        return;
    atomic_compare_exchange_strong(&sweep->result, &none, rc);
    if (sweep->tap)
        sweep->tap->stop(sweep->tap->ctx, rc);
}

/* One region, or some other work. 1: something was done, 0: there is nothing now, or a code. */
static int step(struct chk_lane *lane, uint64_t region)
{
    struct chk_sweep *sweep = lane->sweep;
    const struct chk_tap *tap = sweep->tap;
    uint64_t k = region * sweep->spans_a_region, end = k + sweep->spans_a_region;
    int rc = 0;

    if (region == sweep->regions)
        return tap ? tap->other(lane->tap) : 0;
    if (tap)
        rc = tap->begin(lane->tap, region);
    if (!rc)
        rc = chk_lane_sweep(lane, k, end < sweep->spans ? end : sweep->spans);
    if (!rc && tap)
        rc = tap->end(lane->tap, region);
    return rc ? rc : 1;
}

/* With the lock held: the next thing to do for a lane. False: nothing now. */
static bool do_next(struct chk_lane *lane)
{
    struct chk_sweep *sweep = lane->sweep;
    int rc = 0;

    sweep->busy++;
    if (sweep->tap) {
        pthread_mutex_unlock(&sweep->mutex);
        rc = step(lane, sweep->regions);
        pthread_mutex_lock(&sweep->mutex);
    }
    if (rc == 0 && sweep->next_region < sweep->regions) {
        uint64_t region = sweep->next_region++;

        pthread_mutex_unlock(&sweep->mutex);
        rc = step(lane, region);
        pthread_mutex_lock(&sweep->mutex);
    }
    sweep->busy--;
    /* Who was waited for may have ended, and left, before the lock was had. */
    if (rc == CHK_TAP_HOLD)
        return !sweep->busy;
    if (rc)
        pthread_cond_broadcast(&sweep->changed);
    fail(sweep, rc < 0 ? rc : 0);
    return rc > 0;
}

/* Waits for a change; whoever may be called away looks up now and then. */
static void wait(struct chk_sweep *sweep, const struct crew *crew)
{
    struct timespec until;

    if (!crew) {
        pthread_cond_wait(&sweep->changed, &sweep->mutex);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    until.tv_sec += until.tv_nsec / SECOND_NS;
    until.tv_nsec %= SECOND_NS;
    pthread_cond_timedwait(&sweep->changed, &sweep->mutex, &until);
}

/* Sweeps until there is nothing left. True: it was called away. */
static bool sweep_on(struct chk_lane *lane, const struct crew *crew)
{
    struct chk_sweep *sweep = lane->sweep;
    bool called = false;

    pthread_mutex_lock(&sweep->mutex);
    while (!sweep->result && !called) {
        if (!do_next(lane)) {
            if (sweep->result || (!sweep->busy && sweep->next_region == sweep->regions))
                break;
            wait(sweep, crew);
        }
        called = crew && crew_called(crew);
    }
    pthread_cond_broadcast(&sweep->changed);
    pthread_mutex_unlock(&sweep->mutex);
    return called;
}

static int leave(struct chk_lane *lane)
{
    struct chk_sweep *sweep = lane->sweep;
    int rc = 0, merged;

    if (lane->tap)
        rc = sweep->tap->leave(lane->tap);
    pthread_mutex_lock(&sweep->mutex);
    merged = chk_lane_merge(lane, &sweep->swept);
    pthread_mutex_unlock(&sweep->mutex);
    chk_lane_done(lane);
    return rc ? rc : merged;
}

/* A thread's whole part. True: it was called away. */
static bool take_part(struct chk_sweep *sweep, struct io_source *source, void *kit, bool tells,
                      const struct crew *crew)
{
    struct chk_lane lane;
    bool called = false;
    int rc = chk_lane_init(&lane, sweep, source);

    if (rc) {
        fail(sweep, rc);
        return false;
    }
    lane.tells = tells;
    if (sweep->tap)
        rc = sweep->tap->join(sweep->tap->ctx, source, kit, &lane.tap);
    fail(sweep, rc);
    if (!rc)
        called = sweep_on(&lane, crew);
    fail(sweep, leave(&lane));
    return called;
}

/* A thread of the job's own; of them the first is the caller's. */
static void work(void *ctx, unsigned i)
{
    struct chk_sweep *sweep = ctx;
    const struct chk_job *job = sweep->state->job;

    take_part(sweep, job->sources[i], i == 0 && job->help ? job->help->kit : NULL, i == 0, NULL);
}

/* One of the crew. */
static bool help(void *ctx, void *kit)
{
    struct chk_sweep *sweep = ctx;
    const struct chk_help *h = sweep->state->job->help;
    struct io_source *source = NULL;
    bool called = false;
    int rc = h->open(h->ctx, kit, &source);

    fail(sweep, rc);
    if (!rc)
        called = take_part(sweep, source, kit, false, h->crew);
    io_source_close(source);
    return called;
}

static void run(struct chk_sweep *sweep)
{
    const struct chk_job *job = sweep->state->job;
    struct crew_job offer = {.ctx = sweep, .work = help, .most = CHK_SOURCES_MAX};
    struct crew *crew = job->help && sweep->regions > 1 ? job->help->crew : NULL;

    if (crew)
        crew_offer(crew, &offer);
    crew_run(job->source_count, work, sweep);
    if (crew)
        crew_withdraw(crew, &offer);
}

/* Many threads get less each: what they take together is within what the check may. */
static size_t chunk_bytes(const struct chk_job *job)
{
    size_t bytes = CHUNKS_BYTES / job->source_count;

    if (job->tap || bytes < TAP_CHUNK_BYTES)
        return TAP_CHUNK_BYTES;
    return bytes < CHUNK_BYTES ? bytes : CHUNK_BYTES;
}

void chk_sweep_init(struct chk_sweep *sweep, struct chk_state *s, const struct chk_sink *sink)
{
    const struct chk_tap *tap = s->job->tap;
    uint64_t region = tap && tap->region_bytes ? tap->region_bytes : REGION_BYTES;

    *sweep = (struct chk_sweep){
        .state = s,
        .sink = sink,
        .tap = tap,
        .spans = ost_amap_count(s->variant, s->file_size),
        .judged_spans = ost_amap_count(s->variant, s->eof),
        .spans_a_region = region / s->variant->amap_spacing + 1,
        .chunk_bytes = s->job->chunk_bytes ? s->job->chunk_bytes : chunk_bytes(s->job),
        .unknown_first = UINT64_MAX,
    };
    sweep->regions = (sweep->spans + sweep->spans_a_region - 1) / sweep->spans_a_region;
    if (sweep->chunk_bytes < CHUNK_LEAST)
        sweep->chunk_bytes = CHUNK_LEAST;
    pthread_mutex_init(&sweep->mutex, NULL);
    pthread_cond_init(&sweep->changed, NULL);
}

void chk_sweep_done(struct chk_sweep *sweep)
{
    pthread_cond_destroy(&sweep->changed);
    pthread_mutex_destroy(&sweep->mutex);
}

int chk_sweep_run(struct chk_sweep *sweep, const struct chk_order *order, struct chk_swept *out)
{
    sweep->order = order;
    run(sweep);
    *out = sweep->swept;
    out->unknown_first = sweep->unknown_first;
    return sweep->result;
}
