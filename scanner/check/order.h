/*
 * order.h: the blocks and B-tree pages of a plan in order of their places.
 *
 * Memory: 8 bytes an entry, and as many again while they are sorted.
 * Threads: read by many once made.
 */
#ifndef SCANNER_CHECK_ORDER_H
#define SCANNER_CHECK_ORDER_H

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

/*
 * Room for all entries of a plan over a file of that size; none are in it. ERR_LIMIT, ERR_NOMEM.
 */
int chk_order_init(struct chk_order *o, struct chk_budget *budget, const struct ost_plan *plan,
                   uint64_t file_size);
/* Adds an entry that lies at that offset, aligned and inside the file. */
void chk_order_add(struct chk_order *o, const struct ost_plan *plan, size_t entry, uint64_t offset);
int chk_order_sort(struct chk_order *o, struct chk_budget *budget);
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
