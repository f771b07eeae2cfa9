/*
 * lane.h: one thread's part of a sweep: the spans that it reads, verifies and hands on.
 *
 * Threads: a lane belongs to one. Errors: ERR_NOMEM, ERR_LIMIT, ERR_CANCELLED, what the tap says,
 * a code of the source that is about more than one range.
 */
#ifndef SCANNER_CHECK_LANE_H
#define SCANNER_CHECK_LANE_H

#include "scanner/check/chunk.h"
#include "scanner/check/span.h"
#include "scanner/check/sweep.h"
#include "scanner/check/tap.h"
#include "scanner/check/verify.h"

struct chk_lane {
    struct chk_sweep *sweep;
    struct io_source *source;
    uint64_t source_before; /* bytes that had come from it */
    bool tells;             /* progress */
    void *tap;              /* the tap's own */
    struct chk_verify verify;
    struct chk_swept swept;
    struct chk_span span;
    bool span_open;
    struct chk_array lost; /* struct lost: of the span */
    uint8_t *buffers;      /* used in turn: for a tap CHK_TAP_WINDOW of them */
    size_t buffer_count, buffer_bytes;
    uint8_t *spare; /* the one in turn */
    struct chk_chunk *chunks;
    size_t taken; /* chunks so far */
};

int chk_lane_init(struct chk_lane *w, struct chk_sweep *sweep, struct io_source *source);
/* Sweeps the spans from k to before k_end. */
int chk_lane_sweep(struct chk_lane *w, uint64_t k, uint64_t k_end);
/* Gives what was found to the state and adds it to *out. */
int chk_lane_merge(struct chk_lane *w, struct chk_swept *out);
void chk_lane_done(struct chk_lane *w);

#endif
