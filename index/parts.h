/*
 * parts.h: byte strings one behind the other in a buffer, to be sorted by their bytes.
 *
 * Memory is kept over a reset up to a bound. Owned by one thread. Errors: bytes.failed.
 */
#ifndef INDEX_PARTS_H
#define INDEX_PARTS_H

#include <stddef.h>

#include "io/buf.h"

struct idx_part {
    size_t offset, size;
    unsigned rule; /* the user's */
};

struct idx_parts {
    struct buf bytes;
    struct idx_part *list;
    size_t count, capacity;
};

void idx_parts_done(struct idx_parts *p);
void idx_parts_reset(struct idx_parts *p);

/* Makes a part of what was appended to p->bytes since its size was `offset`. */
void idx_parts_add(struct idx_parts *p, size_t offset, unsigned rule);

/* Sorts the parts from number `first` on: as memcmp does, a prefix before what it begins. */
void idx_parts_sort(struct idx_parts *p, size_t first);

/* Empties b; memory beyond what the parts keep is given back. */
void idx_buf_trim(struct buf *b);

#endif
