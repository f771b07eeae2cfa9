/*
 * sort.h: sorting without heap or recursion, so that no input makes it slow or large.
 *
 * Threads: pure function.
 */
#ifndef IO_SORT_H
#define IO_SORT_H

#include <stddef.h>
#include <stdint.h>

enum { IO_SORT_ELEMENT_MAX = 64 };

/* Sorts in place `count` elements of `size` bytes (at most IO_SORT_ELEMENT_MAX) in n log n steps at worst;
 * not stable. compare: <0, 0, >0. */
void io_sort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void io_sort_r(void *base, size_t count, size_t size,
                int (*compare)(const void *, const void *, void *), void *ctx);

/* A key, and what it is the key of. */
struct io_keyed {
    uint64_t key;
    uint64_t value;
};

/* Sorts by key, those of equal keys in the order they had, in a time that grows as the count and as
 * the bits in which keys differ. Returns where the result is: `list`, or `spare` of the same size. */
struct io_keyed *io_sort_keyed(struct io_keyed *list, struct io_keyed *spare, size_t count);

#endif
