/*
 * pool.h: a fixed number of aligned buffers of one size; the buffers are the credits.
 *
 * A stage that wants to read must hold a buffer; when all are out it waits, and so the slowest
 * stage sets the pace of the fastest without any other signal.
 *
 * Threads: any. Ownership of a buffer goes to the taker until it is given back.
 */
#ifndef IO_POOL_H
#define IO_POOL_H

#include <stddef.h>

struct io_pool;

/* `count` buffers of `size_bytes` (rounded up to `align`, a power of two). ERR_NOMEM. */
int io_pool_create(size_t count, size_t size_bytes, size_t align, struct io_pool **out);
void io_pool_destroy(struct io_pool *p); /* all buffers must be back (assert); NULL is allowed */

void *io_pool_take(struct io_pool *p);     /* waits for a buffer; NULL once the pool is stopped */
void *io_pool_try_take(struct io_pool *p); /* NULL when none is free */
void io_pool_give(struct io_pool *p, void *buffer);

/* Wakes all waiting takers, which get NULL, as do later ones. */
void io_pool_stop(struct io_pool *p);

size_t io_pool_buffer_size(const struct io_pool *p);
size_t io_pool_count(const struct io_pool *p);
/* All buffers lie in one region (for registration): its start, and the index of the buffer that
 * holds an address. */
void *io_pool_base(const struct io_pool *p);
size_t io_pool_index(const struct io_pool *p, const void *address);

#endif
