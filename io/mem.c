/*
 * mem.c: see mem.h. The hooks are two relaxed atomics, so the price of testability on the normal
 * path is one increment that nobody shares a decision on.
 */
#include "io/mem.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAPPED_BYTES = 32 << 20, MAPPINGS = 16 };
enum { LARGE_BYTES = 4 << 20, HUGE_PAGE = 2 << 20, KEPT_BYTES = 16 << 20, GROW_BYTES = 32 << 20 };

static atomic_uint_fast64_t calls;
static atomic_uint_fast64_t fail_at; /* 0: never */
static atomic_int fail_later;

static int refused(void)
{
    uint64_t n = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);

    if (!at || n < at)
        return 0;
    return n == at || atomic_load_explicit(&fail_later, memory_order_relaxed);
}

void mem_test_fail(uint64_t nth, int all_after)
{
    atomic_store(&fail_later, all_after);
    atomic_store(&fail_at, nth ? atomic_load(&calls) + nth : 0);
}

uint64_t mem_test_count(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}

/* Asks for huge pages inside a large allocation, which is then not faulted in 4 KiB at a time. */
static void *advise(void *p, size_t size_bytes)
{
    uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)p + size_bytes) & ~(uintptr_t)(HUGE_PAGE - 1);

    if (p && size_bytes >= LARGE_BYTES)
        (void)madvise((void *)from, end - from, MADV_HUGEPAGE);
    return p;
}

/* ---- mappings of their own ---- */

/*
 * The largest buffers have mappings of their own, of huge pages from the first byte on. They come
 * again with each image, of a few sizes and seldom filled: a freed one keeps its first huge page
 * and waits for the next.
 */
struct mapping {
    void *at;
    size_t size;
    bool used;
};

static struct mapping mappings[MAPPINGS];
static pthread_mutex_t mapping_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool keeps; /* mem_keep_freed was called */

static void *map(size_t size)
{
    return advise(aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1)),
                  size);
}

static void *take_mapping(size_t size)
{
    struct mapping *room = NULL;
    void *old = NULL, *at = NULL;

    pthread_mutex_lock(&mapping_mutex);
    for (unsigned i = 0; i < MAPPINGS && !at; i++) {
        struct mapping *m = &mappings[i];

        if (m->used)
            continue;
        if (m->at && m->size >= size)
            at = m->at;
        if (at || !room || !m->at)
            room = m;
    }
    if (room && !at) {
        old = room->at;
        at = map(size);
        *room = (struct mapping){at, size, false};
    } else if (!room) {
        at = map(size);
    }
    if (room)
        room->used = at != NULL;
    pthread_mutex_unlock(&mapping_mutex);
    free(old);
    return at;
}

/* The mapping that begins there, NULL: there is none; with the lock held. */
static struct mapping *mapping_at(const void *at)
{
    for (unsigned i = 0; i < MAPPINGS; i++)
        if (mappings[i].at == at && mappings[i].used)
            return &mappings[i];
    return NULL;
}

static bool give_mapping(void *at)
{
    struct mapping *m;

    if (!keeps || !at || (uintptr_t)at % HUGE_PAGE)
        return false;
    pthread_mutex_lock(&mapping_mutex);
    m = mapping_at(at);
    if (m) {
        (void)madvise((char *)at + HUGE_PAGE, m->size - HUGE_PAGE, MADV_DONTNEED);
        m->used = false;
    }
    pthread_mutex_unlock(&mapping_mutex);
    return m != NULL;
}

/* It is another allocation from here on, which is not kept. */
static void forget_mapping(const void *at)
{
    struct mapping *m;

    if (!keeps || !at || (uintptr_t)at % HUGE_PAGE)
        return;
    pthread_mutex_lock(&mapping_mutex);
    m = mapping_at(at);
    if (m)
        *m = (struct mapping){0};
    pthread_mutex_unlock(&mapping_mutex);
}

/* ---- allocations ---- */

void *mem_alloc(size_t size_bytes)
{
    if (refused())
        return NULL;
    if (keeps && size_bytes >= MAPPED_BYTES && size_bytes <= PTRDIFF_MAX / 2)
        return take_mapping(size_bytes);
    return advise(malloc(size_bytes ? size_bytes : 1), size_bytes);
}

void *mem_zalloc(size_t size_bytes)
{
    return refused() ? NULL : advise(calloc(1, size_bytes ? size_bytes : 1), size_bytes);
}

void *mem_alloc_array(size_t count, size_t size_bytes)
{
    size_t total;

    if (__builtin_mul_overflow(count, size_bytes, &total))
        return NULL;
    return mem_alloc(total);
}

void *mem_realloc(void *old, size_t size_bytes)
{
    if (refused())
        return NULL;
    forget_mapping(old);
    return realloc(old, size_bytes ? size_bytes : 1);
}

void *mem_aligned(size_t align, size_t size_bytes)
{
    size_t rounded;

    if (__builtin_add_overflow(size_bytes, align - 1, &rounded))
        return NULL;
    rounded -= rounded % align;
    return refused() ? NULL : advise(aligned_alloc(align, rounded ? rounded : align), rounded);
}

char *mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void mem_free(void *ptr)
{
    if (!give_mapping(ptr))
        free(ptr);
}

/*
 * The heap begins anew a little before a huge page's border, and from there on what it grows by at
 * once is asked to be of huge pages: 2 MiB take a fifth of the time to be had at once that they
 * take page by page. No byte behind the border may be touched before that.
 */
static void heap_on_huge_pages(void)
{
    enum { BEFORE = 256 << 10, FORCES_GROWTH = 160 << 10 }; /* more than a first heap holds */
    uintptr_t at = (uintptr_t)sbrk(0);
    uintptr_t border = (at + BEFORE + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    void *first;

    if (sbrk((intptr_t)(border - BEFORE - at)) == (void *)-1)
        return;
    first = malloc(FORCES_GROWTH);
    if (first && (uintptr_t)sbrk(0) > border)
        (void)madvise((void *)border, (uintptr_t)sbrk(0) - border, MADV_HUGEPAGE);
    free(first);
}

void mem_keep_freed(void)
{
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    mallopt(M_TOP_PAD, GROW_BYTES);
    mallopt(M_ARENA_MAX, 1);
    keeps = true;
    heap_on_huge_pages();
}
