/*
 * sort.h: sorting in place without heap or recursion, so that no input makes it slow or large.
 *
 * Threads: pure function.
 */
#ifndef IO_SORT_H
#define IO_SORT_H

#include <stddef.h>

enum { IO_SORT_ELEMENT_MAX = 64 };

/* Sorts `count` elements of `size` bytes (at most IO_SORT_ELEMENT_MAX) in n log n steps at worst;
 * not stable. compare: <0, 0, >0. */
void io_sort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void io_sort_r(void *base, size_t count, size_t size,
                int (*compare)(const void *, const void *, void *), void *ctx);

#endif
