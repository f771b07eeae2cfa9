/*
 * evict.h: putting a file out of the page cache, and no other.
 *
 * Threads: any.
 */
#ifndef BENCH_EVICT_H
#define BENCH_EVICT_H

#include <stdint.h>

/* What of it stays resident all the same: another has it mapped, or the file system keeps its files
 * in memory. ERR_SYS, ERR_NOMEM. */
int evict_file(int fd, uint64_t size_bytes, uint64_t *resident_bytes);

#endif
