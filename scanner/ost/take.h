/*
 * take.h: memory from an arena, telling its limit from an exhausted heap.
 *
 * Threads: as the arena's.
 */
#ifndef SCANNER_OST_TAKE_H
#define SCANNER_OST_TAKE_H

#include <stddef.h>

#include "io/arena.h"
#include "io/err.h"

/* Room for count elements, or NULL and *code: ERR_LIMIT (the arena's) or ERR_NOMEM. */
static inline void *ost_take(struct arena *a, size_t count, size_t size, int *code)
{
    void *p = arena_alloc_array(a, count, size);
    size_t left = a->limit_bytes - a->used_bytes;

    /* The arena rounds up to 16 bytes. */
    if (!p)
        *code = left < 16 || count > (left - 15) / (size ? size : 1) ? ERR_LIMIT : ERR_NOMEM;
    return p;
}

#endif
