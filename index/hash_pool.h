/*
 * hash_pool.h: hash states that are used again, for streams of which several are open at once.
 *
 * Memory: a state of 1 KiB for each stream open at once, kept to the end. Threads: any; a state
 * belongs to one at a time. Errors: begin is NULL when out of memory.
 */
#ifndef INDEX_HASH_POOL_H
#define INDEX_HASH_POOL_H

#include "index/hash.h"

struct idx_hash_pool;

int idx_hash_pool_create(enum idx_algorithm algorithm, struct idx_hash_pool **out); /* ERR_NOMEM */
/* All states were ended or aborted. NULL is allowed. */
void idx_hash_pool_destroy(struct idx_hash_pool *p);

/* The hasher (item.h) of its states; the pool outlives it. */
struct ost_hasher idx_hash_pool_hasher(struct idx_hash_pool *p);

#endif
