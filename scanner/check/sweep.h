/*
 * sweep.h: every block and allocation page of an image, read once in order of offset.
 *
 * Threads: chk_sweep runs one for each source of the job, itself among them, and those of the crew
 * that join.
 */
#ifndef SCANNER_CHECK_SWEEP_H
#define SCANNER_CHECK_SWEEP_H

#include <pthread.h>

#include "scanner/check/order.h"
#include "scanner/check/state.h"

/* What a sweep adds to the state beside the blocks' status, notes and links. */
struct chk_swept {
    uint64_t free_bytes;     /* of the allocation maps that were good */
    uint64_t maps, bad_maps; /* allocation maps read; not good */
    uint64_t unused_bytes, unused_spans;
    uint64_t obsolete, obsolete_first; /* PMap, FMap, FPMap pages not good; the lowest offset */
    uint64_t unknown_first;            /* lowest expected place of a map that may be elsewhere; 0 */
    uint64_t padded, padded_first;
    uint64_t read_bytes;   /* in chunks, */
    uint64_t gap_bytes;    /* and what lies between their items */
    uint64_t source_bytes; /* all that came from the lanes' sources meanwhile */
};

/* What the lanes of one sweep share. */
struct chk_sweep {
    struct chk_state *state;
    const struct chk_order *order;
    const struct chk_sink *sink;
    const struct chk_tap *tap;    /* may be NULL */
    uint64_t spans, judged_spans; /* of the file; of what the header calls the file */
    uint64_t spans_a_region, regions;
    size_t chunk_bytes;
    _Atomic uint64_t done_bytes;
    _Atomic int result;
    _Atomic uint64_t unknown_first; /* UINT64_MAX: none */

    pthread_mutex_t mutex;  /* over what follows */
    pthread_cond_t changed; /* a region or other work ended */
    uint64_t next_region;
    unsigned busy;          /* lanes at a region or other work */
    struct chk_swept swept; /* of the lanes that have left */
};

/* How the file is cut into regions; to be called first. */
void chk_sweep_init(struct chk_sweep *sweep, struct chk_state *s, const struct chk_sink *sink);
int chk_sweep_run(struct chk_sweep *sweep, const struct chk_order *order, struct chk_swept *out);
void chk_sweep_done(struct chk_sweep *sweep);

/* For lanes. */
int chk_sweep_stopped(const struct chk_sweep *sweep);
void chk_sweep_progress(struct chk_sweep *sweep, uint64_t bytes, bool tells);

#endif
