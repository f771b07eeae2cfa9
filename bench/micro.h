/*
 * micro.h: the operations that bench-micro times, each alone, over one image's own material.
 *
 * Threads: one.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <stddef.h>
#include <stdint.h>

#include "bench/mapped.h"
#include "index/hash.h"
#include "io/buf.h"
#include "io/file.h"

enum { MICRO_RESULTS = 40 };

struct micro_result {
    const char *name, *each; /* what is timed, and what one of it is */
    uint64_t ops, bytes;     /* in `ns` */
    uint64_t ns;             /* of the round with the least */
};

struct micro {
    const char *folder; /* for what is written */
    unsigned rounds;
    uint64_t least_ns;   /* a round goes on that long at least */
    uint64_t most_bytes; /* of the image's blocks */
    struct io_file file;
    struct mapped image;
    struct micro_result results[MICRO_RESULTS];
    unsigned count;
};

/* One pass over all there is: how many operations, of how many bytes. */
struct micro_pass {
    uint64_t ops, bytes;
};

/* Times passes: a round goes on until micro.least_ns are over. What `run` returned other than 0
 * ends it with that result. */
int micro_time(struct micro *m, const char *name, const char *each,
               int (*run)(void *ctx, struct micro_pass *pass), void *ctx);

/* A result that was timed otherwise; the least of several of the same name counts. */
void micro_add(struct micro *m, const struct micro_result *r);

int micro_blocks(struct micro *m);  /* checksums, hashes, ciphers, inflating */
int micro_objects(struct micro *m); /* property contexts and tables */
int micro_items(struct micro *m);   /* digests, records, the container */

#endif
