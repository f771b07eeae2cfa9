/*
 * blockring.h: decoded blocks kept in one fixed piece of memory, the oldest given up first.
 *
 * A block is held from the call that hands it out until ost_blockring_put; what is held stays in
 * place, what is not may be overwritten by the next ost_blockring_add. No heap after creation.
 *
 * Memory: `capacity` bytes are reserved; they are touched only as far as held blocks need it, from
 * the first OST_BLOCKRING_SOFT on, so that steady work stays in the processor's cache.
 * Threads: one.
 */
#ifndef SCANNER_OST_BLOCKRING_H
#define SCANNER_OST_BLOCKRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OST_BLOCKRING_SOFT = 1 << 20 };

struct ost_blockring;

/* ERR_NOMEM. capacity: at least OST_BLOCKRING_SOFT (assert), below 4 GiB. */
int ost_blockring_create(size_t capacity, struct ost_blockring **out);
void ost_blockring_destroy(struct ost_blockring *r); /* NULL is allowed; nothing may be held */

/* The block, held, or NULL. */
const uint8_t *ost_blockring_find(struct ost_blockring *r, uint64_t bid);

/* Room for a block of that size, held and found from now on; NULL when held blocks leave none. */
uint8_t *ost_blockring_add(struct ost_blockring *r, uint64_t bid, size_t size);

/* It is not to be found any more; whoever holds it may go on using it. */
void ost_blockring_forget(struct ost_blockring *r, const uint8_t *data);

void ost_blockring_put(struct ost_blockring *r, const uint8_t *data);

/* Whether the data is one of its blocks. */
bool ost_blockring_holds(const struct ost_blockring *r, const uint8_t *data);

#endif
