/*
 * extents.h: what a check of an image must read: its blocks, B-tree pages and allocation maps,
 * coalesced over the gaps that the check reads through.
 *
 * Ownership: filled by extents_load, ended by extents_done. Threads: one fills; then read by many.
 */
#ifndef BENCH_EXTENTS_H
#define BENCH_EXTENTS_H

#include <stddef.h>
#include <stdint.h>

struct extent {
    uint64_t offset, length;
};

struct extents {
    struct extent *list; /* ascending, disjoint */
    size_t count;
    uint64_t bytes;     /* of the list: gaps included */
    uint64_t allocated; /* of the blocks and pages alone */
    uint64_t blocks, nodes, pages;
    const char *format, *crypt;
};

/* Reads the plan of an open image. ERR_DAMAGED: it is none; codes of the plan and the source. */
int extents_load(int fd, uint64_t size_bytes, uint64_t gap_bytes, struct extents *out);
/* The same of its B-tree pages alone, neighbours as one. */
int extents_load_trees(int fd, uint64_t size_bytes, struct extents *out);
void extents_done(struct extents *e);

#endif
