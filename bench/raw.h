/*
 * raw.h: reading a list of extents as fast as this machine can, and doing nothing with the bytes,
 * or nothing but their checksums and digests.
 *
 * Threads: raw_read runs its own and returns when they are done.
 */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/extents.h"

/* RAW_POOL_BYTES: of a thread, as much as ostscan's readers lend from (io/source_reader.c). */
enum { RAW_POOL_BYTES = 8 << 20, RAW_THREADS_MAX = 2, RAW_DEPTH_MAX = 64 };

/* A way to read. pread has depth 1: one read at a time in each thread. */
struct raw_way {
    bool uring;
    uint32_t piece_bytes;
    unsigned depth;   /* reads in flight in each thread */
    unsigned threads; /* 1 to RAW_THREADS_MAX */
    bool hot;         /* into the buffer that came back last; else round RAW_POOL_BYTES a thread */
    /* The checksum of every so many bytes of a piece is computed when it has come; 0: of none. */
    uint32_t crc_bytes;
    bool digest; /* and all of it is digested with XXH3 */
};

enum { RAW_WAYS_MAX = 128 };

/* All ways whose buffers fit in RAW_POOL_BYTES a thread; returns how many. */
unsigned raw_ways(struct raw_way out[RAW_WAYS_MAX]);

/* Reads at least `most_bytes` of the extents (all, if they have less). *ns: the time it took, of
 * *bytes. ERR_NOMEM, ERR_SYS, ERR_IO, ERR_UNSUPPORTED (no io_uring). */
int raw_read(int fd, const struct extents *e, const struct raw_way *way, uint64_t most_bytes,
             uint64_t *ns, uint64_t *bytes);

#endif
