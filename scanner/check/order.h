/*
 * order.h: the blocks and B-tree pages of a plan in order of their places.
 *
 * Memory: 8 bytes an entry, and while they are sorted the largest bucket (order.c) once a thread.
 * Threads: made by those that the caller lends (run); read by many once made.
 */
#ifndef SCANNER_CHECK_ORDER_H
#define SCANNER_CHECK_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/check/budget.h"
#include "scanner/ost/plan.h"

/* A key is the number of an entry's first unit (variant->unit) in the file, and in its low bits the
 * entry: an index in the plan's blocks or, from block_count on, in its pages. */
struct chk_order {
    uint64_t *keys; /* ascending */
    size_t count, capacity;
    unsigned bits; /* of the entry */
};

struct chk_order_source {
    const struct ost_plan *plan;
    uint64_t file_size;
    unsigned parts; /* 1 to CREW_RUN_MAX */
    struct {
        void *ctx;
        /* Calls part(arg, i, …) for each i below count, at once where it can. */
        void (*parts)(void *ctx, unsigned count,
                      void (*part)(void *arg, unsigned i, struct io_source *source), void *arg);
    } run;
    void *ctx;
    /* Whether an entry belongs into the order, and its place: aligned, inside the file. Asked
     * twice for each, with the same answer. */
    bool (*place)(void *ctx, size_t entry, uint64_t *offset);
    /* Told of each once, and of the answer. Both by `parts` threads at once. */
    void (*tell)(void *ctx, unsigned part, size_t entry, bool placed);
};

/* ERR_LIMIT, ERR_NOMEM. */
int chk_order_make(struct chk_order *o, struct chk_budget *budget,
                   const struct chk_order_source *from);
void chk_order_done(struct chk_order *o, struct chk_budget *budget);

static inline uint64_t chk_order_unit(const struct chk_order *o, size_t i)
{
    return o->keys[i] >> o->bits;
}
static inline size_t chk_order_entry(const struct chk_order *o, size_t i)
{
    return (size_t)(o->keys[i] & (((uint64_t)1 << o->bits) - 1));
}
/* The first position whose unit is not below that. */
size_t chk_order_from(const struct chk_order *o, uint64_t unit);

#endif
