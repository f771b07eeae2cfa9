/*
 * planbag.h: entries of B-tree pages, kept page after page as they are read, then put on end in
 * the order of the pages' keys. Internal to plan_load.c.
 *
 * Nothing grows: a bag is chunks, so no entry is moved before it is gathered, and what is gathered
 * is exactly as large as it must be. All heap is counted in a budget that several bags may share.
 *
 * Threads: a bag belongs to one; a budget to any.
 */
#ifndef SCANNER_OST_PLANBAG_H
#define SCANNER_OST_PLANBAG_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct plan_budget {
    uint64_t limit;
    _Atomic uint64_t used, peak;
};

/* `size` bytes, or NULL with *rc ERR_LIMIT or ERR_NOMEM. */
void *plan_take(struct plan_budget *b, uint64_t size, int *rc);
/* Frees what plan_take gave for that size; NULL is allowed, and counts nothing. */
void plan_give(struct plan_budget *b, void *p, uint64_t size);

/* Where the entries of a page lie in a bag. */
struct plan_run {
    const void *start;
    uint32_t count;
};

struct plan_chunk;

enum { PLAN_CHUNK_BYTES = 1 << 20 }; /* the most a chunk holds */

struct plan_bag {
    struct plan_budget *budget;
    size_t element_size, element_count;
    struct plan_chunk *chunks; /* newest first */
};

/* Room for `count` elements on end; NULL with *rc as of plan_take. */
void *plan_bag_reserve(struct plan_bag *b, unsigned count, int *rc);
/* The first `count` of what was reserved last are filled. */
struct plan_run plan_bag_commit(struct plan_bag *b, unsigned count);
/* Gives all of it back. */
void plan_bag_done(struct plan_bag *b);

/* The elements of all runs in their order, on end; there is room for them. */
void plan_gather(const struct plan_run *runs, size_t count, size_t element_size, void *out);

#endif
