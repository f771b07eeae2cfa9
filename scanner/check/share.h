/*
 * share.h: work in parts that are independent of each other, done at once by the job's threads and
 * those of its crew.
 *
 * Threads: the one that called chk_run; a part is one thread's.
 */
#ifndef SCANNER_CHECK_SHARE_H
#define SCANNER_CHECK_SHARE_H

#include "io/source.h"
#include "scanner/check/state.h"

/* How many threads may do parts at once, the caller's among them; whether they have time is not
 * known. */
unsigned chk_share_threads(const struct chk_job *job);

/* Calls part(arg, i, source) for each i below count, with a source of the thread's own, and returns
 * when all have returned. What helpers' sources read is added to s->helped_bytes. */
void chk_share(struct chk_state *s, unsigned count,
               void (*part)(void *arg, unsigned i, struct io_source *source), void *arg);

#endif
