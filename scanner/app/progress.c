/*
 * progress.c: see progress.h. The drawing thread sleeps on a condition with a time limit, so that
 * stopping is at once; the same mutex guards the terminal line against results in between.
 */
#include "scanner/app/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/buf.h"
#include "io/clock.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/app/tty.h"

enum { TERMINAL_EVERY_MS = 200, PLAIN_EVERY_MS = 5000 };

struct progress {
    struct progress_counters *counters;
    pthread_t thread;
    bool drawing; /* the thread runs */
    bool terminal;
    bool line_shown;
    bool stop;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    uint64_t started_ns;
};

static void describe(const struct progress *p, struct buf *out)
{
    const struct progress_counters *c = p->counters;
    uint64_t done = c->bytes_done, found = c->bytes_found;
    double elapsed = (double)(clock_monotonic_ns() - p->started_ns) / 1e9;
    double rate = elapsed > 0 ? (double)done / elapsed : 0;

    buf_printf(out, "%s/%s", tty_bytes(done), tty_bytes(found));
    buf_printf(out, " %s/s", tty_bytes((uint64_t)rate));
    if (c->found_all && rate > 0 && found > done)
        buf_printf(out, " %s left", tty_duration((uint64_t)((double)(found - done) / rate * 1e9)));
    buf_printf(out, " images %" PRIuFAST64 "/%" PRIuFAST64 "%s", c->images_done, c->images_found,
               c->found_all ? "" : "+");
    buf_printf(out, " items %" PRIuFAST64 " findings %" PRIuFAST64, c->items, c->findings);
}

static void clear_line(struct progress *p)
{
    if (p->line_shown)
        fputs("\r\033[K", stderr);
    p->line_shown = false;
}

static void draw(struct progress *p)
{
    struct buf text = BUF_INIT;
    size_t width = tty_columns(STDERR_FILENO);

    describe(p, &text);
    if (!text.failed && p->terminal) {
        size_t shown = text.size < width ? text.size : width - 1;

        fprintf(stderr, "\r\033[K%.*s", (int)shown, (const char *)text.data);
        p->line_shown = true;
    } else if (!text.failed) {
        fprintf(stderr, "ostscan: %.*s\n", (int)text.size, (const char *)text.data);
    }
    fflush(stderr);
    buf_done(&text);
}

static void *drawing_thread(void *arg)
{
    struct progress *p = arg;
    uint64_t every_ns = (p->terminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS) * UINT64_C(1000000);

    pthread_mutex_lock(&p->mutex);
    while (!p->stop) {
        uint64_t until = clock_monotonic_ns() + every_ns;
        struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};

        pthread_cond_timedwait(&p->wake, &p->mutex, &at);
        if (!p->stop && clock_monotonic_ns() >= until)
            draw(p);
    }
    clear_line(p);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

int progress_start(enum progress_mode mode, bool quiet, struct progress_counters *counters,
                   struct progress **out)
{
    struct progress *p = mem_zalloc(sizeof *p);
    pthread_condattr_t attributes;

    if (!p)
        return ERR_NOMEM;
    p->counters = counters;
    p->terminal = tty_is(STDERR_FILENO);
    p->started_ns = clock_monotonic_ns();
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (mode == PROGRESS_ALWAYS || (mode == PROGRESS_AUTO && !quiet)) {
        if (pthread_create(&p->thread, NULL, drawing_thread, p) != 0) {
            progress_stop(p);
            return ERR_SYS;
        }
        p->drawing = true;
    }
    *out = p;
    return 0;
}

void progress_stop(struct progress *p)
{
    if (!p)
        return;
    if (p->drawing) {
        pthread_mutex_lock(&p->mutex);
        p->stop = true;
        pthread_cond_signal(&p->wake);
        pthread_mutex_unlock(&p->mutex);
        pthread_join(p->thread, NULL);
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    mem_free(p);
}

void progress_pause(struct progress *p)
{
    pthread_mutex_lock(&p->mutex);
    clear_line(p);
}

void progress_resume(struct progress *p)
{
    fflush(stdout);
    pthread_mutex_unlock(&p->mutex);
}
