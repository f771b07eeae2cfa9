/*
 * progress.h: how far a run is, on standard error.
 *
 * On a terminal one line, rewritten a few times a second and cut to its width; elsewhere a plain
 * line every few seconds. Results that go to a terminal while the line stands are written between
 * progress_pause and progress_resume.
 *
 * Threads: the counters may be added to by any thread; a thread of its own draws.
 */
#ifndef SCANNER_APP_PROGRESS_H
#define SCANNER_APP_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "scanner/app/options.h"

struct progress_counters {
    atomic_uint_fast64_t images_found, images_done;
    atomic_uint_fast64_t bytes_found, bytes_done;
    atomic_uint_fast64_t items, findings;
    atomic_bool found_all; /* discovery has ended: the totals are final */
};

struct progress;

/* Starts drawing as `mode` says; with mode never (or auto, quiet) nothing is drawn. ERR_NOMEM,
 * ERR_SYS. `counters` outlives it. */
int progress_start(enum progress_mode mode, bool quiet, struct progress_counters *counters,
                   struct progress **out);
void progress_stop(struct progress *p); /* removes the line; NULL is allowed */

/* Locks standard output and error for a result and takes the line away, then puts it back. */
void progress_pause(struct progress *p);
void progress_resume(struct progress *p);

#endif
