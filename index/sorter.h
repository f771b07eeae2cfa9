/*
 * sorter.h: sorting more records of one size than memory holds.
 *
 * Records come out in the order of their bytes (memcmp over the whole record), so the outcome
 * depends on the records alone: not on memory, not on lanes, not on the order they came in. Equal
 * records all come out. What does not fit into memory becomes sorted runs in a spill file.
 *
 * Threads: sorter_add may be called by several threads, each with a lane of its own; everything
 * else by one.
 * Memory: `memory_bytes` over all lanes (but never less than a few records a lane), taken as
 * records come; from sorter_start on, where anything was spilled, only what the merge reads
 * through, within the same bound.
 * Errors: ERR_NOMEM, those of io/spill.h with the details in sorter_fault. After one only reset and
 * destroy are left.
 */
#ifndef INDEX_SORTER_H
#define INDEX_SORTER_H

#include <stddef.h>
#include <stdint.h>

#include "io/err.h"

struct sorter_options {
    size_t record_bytes; /* at least 8 */
    uint64_t memory_bytes;
    unsigned lanes;
    const char *temp_dir; /* spill.h */
};

struct sorter;

int sorter_create(const struct sorter_options *options, struct sorter **out); /* ERR_NOMEM */
void sorter_destroy(struct sorter *s);                                        /* NULL is allowed */

int sorter_add(struct sorter *s, unsigned lane, const void *record);
uint64_t sorter_count(const struct sorter *s); /* records added; once no other thread adds */

/* Nothing is added any more. */
int sorter_start(struct sorter *s);
/* The next record: 1 (valid until the next call), 0 at the end, or a code. */
int sorter_next(struct sorter *s, const uint8_t **record);

/* Empty and ready for sorter_add again. Memory is kept. */
int sorter_reset(struct sorter *s);

uint64_t sorter_spilled_bytes(const struct sorter *s);
const struct fault *sorter_fault(const struct sorter *s);

#endif
