/*
 * run.h: the libpff engine with its bounds in the caller's hands. Internal to ref/ and its tests.
 */
#ifndef SCANNER_REF_RUN_H
#define SCANNER_REF_RUN_H

#include <stdint.h>

#include "scanner/engine.h"

struct ref_bounds {
    uint64_t size_bytes;   /* larger images are declined */
    uint64_t wall_ns;      /* from spawn to end */
    uint64_t cpu_seconds;  /* the child's */
    uint64_t memory_bytes; /* the child's address space */
    uint64_t item_bytes;   /* one item in our own memory */
    unsigned percent;      /* the share of items that is read (sample.h) */
};

/* The bounds that an image of this size gets (pff.c says why). */
struct ref_bounds ref_bounds_of(uint64_t size_bytes, uint64_t memory_bytes);

/* engine_libpff.run is this with ref_bounds_of. */
int ref_run(const struct engine_job *job, const struct engine_sink *sink,
            const struct ref_bounds *bounds);

#endif
