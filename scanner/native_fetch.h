/*
 * native_fetch.h: dropped blocks of a few items, read again together.
 *
 * They are read in order of offset, neighbours at once, and stay until the next begin. What does
 * not fit, or could not be read, is noted as such: who needs it reads it by itself.
 *
 * Memory: `memory_bytes` and 16 bytes a block, of 2^18 at most. Threads: one at a time uses it.
 */
#ifndef SCANNER_NATIVE_FETCH_H
#define SCANNER_NATIVE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/source.h"
#include "scanner/ost/plan.h"

struct native_fetch;

/* The plan outlives it. ERR_NOMEM. */
int native_fetch_create(const struct ost_plan *plan, size_t memory_bytes,
                        struct native_fetch **out);
void native_fetch_destroy(struct native_fetch *f); /* NULL is allowed */

/* Forgets all; and all but what is still wanted. */
void native_fetch_begin(struct native_fetch *f);
void native_fetch_keep(struct native_fetch *f, const void *ctx,
                       bool (*wanted)(const void *ctx, uint32_t block));
/* Bytes that still fit. */
size_t native_fetch_room(const struct native_fetch *f);

/* Blocks (indices in the plan, which are put in order here) to be had beside those that are there:
 * internal ones first, for they tell of others, then in the order given. 0, ERR_NOMEM, or a code of
 * the source that is about more than a range. */
int native_fetch_read(struct native_fetch *f, struct io_source *source, uint32_t *blocks,
                      size_t count);

/* Whether it was asked for since begin, or too many were; it need not have been had. */
bool native_fetch_knows(const struct native_fetch *f, uint32_t block);
/* Copies it out; false: it is not there. */
bool native_fetch_get(const struct native_fetch *f, uint32_t block, uint8_t *into, uint32_t size);
/* Its extent, in place until the next begin, keep or read; NULL: it is not there. */
const uint8_t *native_fetch_at(const struct native_fetch *f, uint32_t block);
/* Those that are there, one a call, ascending; *place: 0 at first. False: no more. */
bool native_fetch_next(const struct native_fetch *f, size_t *place, uint32_t *block,
                       const uint8_t **extent);

#endif
