/*
 * native_dues.h: items of a scan in the order in which they are due.
 *
 * Threads: a list belongs to one.
 */
#ifndef SCANNER_NATIVE_DUES_H
#define SCANNER_NATIVE_DUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An item, and up to where in the file its blocks reach as far as is known. */
struct native_due {
    uint64_t order;
    uint32_t node;   /* its place in the plan; nodes ascend by nid */
    uint32_t likely; /* `order` is what native_bind.h foretells: blocks further than those seen */
};

/* All zero when empty. */
struct native_dues {
    struct native_due *list;
    size_t count, room;
};

/* By order, then nid. */
bool native_due_precedes(const struct native_due *a, const struct native_due *b);

int native_dues_add(struct native_dues *d, struct native_due due); /* ERR_NOMEM */

/* The list as a heap: the first on top, which is list[0]. */
int native_dues_push(struct native_dues *heap, struct native_due due); /* ERR_NOMEM */
struct native_due native_dues_pop(struct native_dues *heap);

void native_dues_done(struct native_dues *d);

#endif
