/*
 * mem.h: every heap allocation of the program.
 *
 * The same contracts as malloc/calloc/realloc/free, with two additions: sizes that overflow are
 * refused (mem_alloc_array), and a test can make the n-th allocation fail, or count allocations to
 * assert that a hot path makes none.
 *
 * Threads: any. The test hooks are to be set while no other thread runs.
 */
#ifndef IO_MEM_H
#define IO_MEM_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size_bytes);                     /* uninitialised; NULL when refused */
void *mem_zalloc(size_t size_bytes);                    /* zeroed */
void *mem_alloc_array(size_t count, size_t size_bytes); /* uninitialised; NULL on overflow */
void *mem_realloc(void *old, size_t size_bytes);        /* old stays valid when NULL is returned */
void *mem_aligned(size_t align, size_t size_bytes);     /* size is rounded up to align */
char *mem_strdup(const char *text);
void mem_free(void *ptr); /* NULL is allowed; frees what any function above returned */

/*
 * One heap for all threads, of huge pages in its first 32 MiB, that keeps what is freed for the next
 * allocations: had page by page and given back each time, memory is a third of what a small image
 * costs. Buffers of 1 MiB and more lie outside it, for else a long run would scatter them over ever
 * more of it; freed, they keep 2 MiB and are given again. Once, before threads.
 */
void mem_keep_freed(void);

/* Fails allocation number `nth` (1 = the next) and, if `all_after`, all later ones. 0 disarms. */
void mem_test_fail(uint64_t nth, int all_after);
/* Allocations made by the process so far. */
uint64_t mem_test_count(void);

#endif
