/*
 * dup_pairs.h: sums for pairs of images, however many pairs there are.
 *
 * Threads: one. Memory: `memory_bytes`; sums beyond it go through a sorter. Errors: sorter.h.
 */
#ifndef INDEX_DUP_PAIRS_H
#define INDEX_DUP_PAIRS_H

#include <stdint.h>

#include "index/sorter.h"

struct dup_pairs;

struct dup_pair_sum {
    uint32_t kept, image; /* numbers in the table */
    uint64_t duplicates, bytes;
};

int dup_pairs_create(uint64_t memory_bytes, const char *temp_dir, struct dup_pairs **out);
void dup_pairs_destroy(struct dup_pairs *p); /* NULL is allowed */
int dup_pairs_add(struct dup_pairs *p, uint32_t kept, uint32_t image, uint64_t bytes);
int dup_pairs_start(struct dup_pairs *p); /* nothing is added any more */
/* The next pair in ascending order: 1; 0 at the end; or a code. */
int dup_pairs_next(struct dup_pairs *p, struct dup_pair_sum *out);
const struct fault *dup_pairs_fault(const struct dup_pairs *p);

/* a + b, or the highest number where that is not to be had. */
uint64_t dup_add(uint64_t a, uint64_t b);

#endif
