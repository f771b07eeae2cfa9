/*
 * arena.h: bump allocation that is given back all at once.
 *
 * For what lives as long as one item, folder list or image. Memory is kept over arena_reset (up to
 * `keep_bytes`), so a hot path that resets for each item does not touch the heap. `limit_bytes`
 * bounds what may be handed out between resets: hostile input cannot make it grow past that.
 * Owned by one thread.
 */
#ifndef IO_ARENA_H
#define IO_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out since the last reset */
    size_t limit_bytes;
    size_t keep_bytes;
};

void arena_init(struct arena *a, size_t limit_bytes);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);
/* 16-byte aligned, uninitialised; NULL when the heap or the limit refuses. size 0 is allowed. */
void *arena_alloc(struct arena *a, size_t size_bytes);
void *arena_alloc_array(struct arena *a, size_t count, size_t size_bytes);
void *arena_copy(struct arena *a, const void *data, size_t size_bytes);
char *arena_strdup(struct arena *a, const char *text);

#endif
