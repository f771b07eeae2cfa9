/*
 * sweep.h: every block and allocation page of an image, read once in order of offset.
 *
 * Threads: chk_sweep runs one for each source of the job, itself among them.
 */
#ifndef SCANNER_CHECK_SWEEP_H
#define SCANNER_CHECK_SWEEP_H

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
    uint64_t read_bytes;
};

int chk_sweep(struct chk_state *s, const struct chk_order *order, const struct chk_sink *sink,
              struct chk_swept *out);

#endif
