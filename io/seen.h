/*
 * seen.h: the files and folders a walk has visited, by device and inode, each with the path by
 * which it was first reached.
 *
 * A path is kept as a name and the id of the folder above, so that a deep tree costs one name a
 * level. Ids start at 1 and stay valid until seen_done; 0 is no entry.
 *
 * Threads: one set belongs to one thread. Errors: ERR_NOMEM; ERR_LIMIT beyond 2^32 - 2 entries.
 */
#ifndef IO_SEEN_H
#define IO_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"
#include "io/err.h"

struct seen_entry;

struct seen {
    struct seen_entry *entries; /* [id - 1] */
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots;   /* ids, 0: free */
    size_t slot_count; /* a power of two, or 0 */
    struct buf names;
};

void seen_init(struct seen *s);
void seen_done(struct seen *s);

/* The id of an entry, or 0. */
uint32_t seen_find(const struct seen *s, uint64_t device, uint64_t inode);

/* Adds what is not in the set yet. `parent` 0: `name` is a whole path. */
int seen_add(struct seen *s, uint64_t device, uint64_t inode, uint32_t parent, const char *name,
             uint32_t *id);

/* Replaces the content of `out` by the path of `id`; out->failed when memory is short. */
void seen_path(const struct seen *s, uint32_t id, struct buf *out);

#endif
