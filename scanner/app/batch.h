/*
 * batch.h: the frame of every command that goes over images: discovery, workers, output in order.
 *
 *   discovery (calling thread) ─▶ worklist ─▶ admit ─▶ workers, an image each ─▶ emit, in
 *                                                           ▲                      discovery's
 * order those without one help others (io/crew.h)
 *
 * Shared state: the worklist (its own lock), who is admitted (admit.h, under a lock here), the
 * progress counters (atomics), standard output and error (progress_pause/resume). Order of
 * shutdown: discovery ends or is interrupted, the worklist is closed, workers run out of images and
 * are joined, progress stops.
 *
 * Threads: batch_run is called once, from the main thread; callbacks come from workers, emit from
 * one at a time.
 */
#ifndef SCANNER_APP_BATCH_H
#define SCANNER_APP_BATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/reader.h"
#include "scanner/app/admit.h"
#include "scanner/app/options.h"
#include "scanner/app/progress.h"
#include "scanner/app/worklist.h"

struct batch_callbacks {
    void *ctx;
    int (*start)(void *ctx, void **worker); /* a worker's own state; a code ends the batch */
    void (*stop)(void *worker);
    /* What a worker brings along when it helps another one with its image (batch.crew). */
    void *(*kit)(void *worker);
    /* Deals with an image: what came of it is w->outcome, which `release` frees. */
    void (*image)(void *worker, struct work *w);
    /* Says what is to be said of a path, image or skipped, in the order of discovery; the entry is
     * dropped then. */
    void (*emit)(void *ctx, struct work *w);
    void (*release)(void *outcome);
};

struct batch {
    const struct options *options;
    const char *exclude; /* a folder that is not entered, or NULL */
    const struct batch_callbacks *callbacks;
    enum io_backend io; /* what the probe found to work */
    struct progress_counters counters;
    const atomic_bool *interrupted;
    struct admit *admit;
    pthread_mutex_t admit_mutex;
    struct batch_device *devices; /* of discovery's thread: what is known of each */
    size_t device_count;
    struct worklist *list;
    struct crew *crew;   /* the workers, where they help each other */
    atomic_uint in_hand; /* images being dealt with */
    struct progress *progress;
    size_t emitted; /* … and dropped */
    atomic_bool direct_refused_said;
    atomic_uint working;    /* workers that could start */
    atomic_int start_error; /* of one that could not: an error if none could */
    atomic_int lost_error;  /* for callbacks: an image has no outcome */
};

/* Installs the interrupt, probes which reader works here, and says so where it is not what was
 * asked for. ERR_NOMEM, ERR_MFILE, ERR_SYS. */
int batch_init(struct batch *b, const struct options *options,
               const struct batch_callbacks *callbacks);
void batch_done(struct batch *b);

/* Goes over the images. 0 also when interrupted; ERR_NOMEM, ERR_SYS. */
int batch_run(struct batch *b);

/* Says once, whatever the number of images, that --direct was refused. Any worker. */
void batch_direct_refused(struct batch *b, const char *path);

#endif
