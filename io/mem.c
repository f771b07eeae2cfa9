/*
 * mem.c: see mem.h. The hooks are two relaxed atomics, so the price of testability on the normal
 * path is one increment that nobody shares a decision on.
 */
#include "io/mem.h"

#include <malloc.h>
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAPPED_BYTES = 1 << 20, ROUNDED_BYTES = 16 << 20, MAPPINGS = 512 };
enum { FREE_KEPT_MOST = 2 << 20 };
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
 * Large buffers have mappings of their own, of huge pages where they are long enough. They come
 * again with each image, of a few sizes and seldom filled: in the heap each would lie elsewhere
 * every time, and what was once filled there stay resident, more of it with every image. A freed
 * one keeps its first huge page, as long as there are not many, and waits for the next. The
 * smallest that will do is taken, and a smaller one replaced before there is one more, so there are
 * no more than were once used together.
 */
struct mapping {
    void *at; /* NULL: none */
    size_t size;
    size_t kept; /* of a free one: what stays filled */
    bool used;
};

static struct mapping mappings[MAPPINGS];
static size_t free_kept;       /* of all free ones */
static unsigned mapping_count; /* entries that ever held one, the first of them */
static pthread_mutex_t mapping_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool keeps; /* mem_keep_freed was called */

static bool is_mapped(size_t size)
{
    return keeps && size >= MAPPED_BYTES && size <= PTRDIFF_MAX / 4;
}

/* Of few sizes, that they may take each other's place. */
static size_t mapping_size(size_t size)
{
    size_t rounded = MAPPED_BYTES;

    if (size > ROUNDED_BYTES)
        return (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
    while (rounded < size)
        rounded *= 2;
    return rounded;
}

/* The smallest free one that is large enough; else the smallest free one; else a new entry. */
static struct mapping *choose_mapping(size_t size)
{
    struct mapping *best = NULL;

    for (unsigned i = 0; i < mapping_count; i++) {
        struct mapping *m = &mappings[i];
        bool fits = m->size >= size, best_fits = best && best->size >= size;

        if (!m->used && (!best || (fits == best_fits ? m->size < best->size : fits)))
            best = m;
    }
    if (!best && mapping_count < MAPPINGS)
        best = &mappings[mapping_count++];
    return best;
}

static void *take_mapping(size_t wanted)
{
    const size_t size = mapping_size(wanted);
    void *old = NULL, *at;
    struct mapping *m;

    pthread_mutex_lock(&mapping_mutex);
    m = choose_mapping(size);
    if (m) {
        free_kept -= m->kept;
        m->kept = 0;
    }
    at = m && m->size >= size ? m->at : NULL;
    if (!at) {
        at = advise(aligned_alloc(size < HUGE_PAGE ? size : HUGE_PAGE, size), size);
        old = m ? m->at : NULL;
        if (m)
            *m = (struct mapping){.at = at, .size = at ? size : 0};
    }
    if (m)
        m->used = at != NULL;
    if (m && at) {
        ASAN_POISON_MEMORY_REGION(at, m->size);
        ASAN_UNPOISON_MEMORY_REGION(at, wanted);
    }
    pthread_mutex_unlock(&mapping_mutex);
    free(old);
    return at;
}

/* The mapping that begins there, NULL: there is none; with the lock held. */
static struct mapping *mapping_at(const void *at)
{
    for (unsigned i = 0; i < mapping_count; i++)
        if (mappings[i].at == at && mappings[i].used)
            return &mappings[i];
    return NULL;
}

static bool give_mapping(void *at)
{
    struct mapping *m;

    if (!keeps || !at || (uintptr_t)at % MAPPED_BYTES)
        return false;
    pthread_mutex_lock(&mapping_mutex);
    m = mapping_at(at);
    if (m) {
        m->kept = m->size < HUGE_PAGE ? m->size : HUGE_PAGE;
        if (free_kept + m->kept > FREE_KEPT_MOST)
            m->kept = 0;
        free_kept += m->kept;
        if (m->size > m->kept)
            (void)madvise((char *)at + m->kept, m->size - m->kept, MADV_DONTNEED);
        ASAN_POISON_MEMORY_REGION(at, m->size);
        m->used = false;
    }
    pthread_mutex_unlock(&mapping_mutex);
    return m != NULL;
}

/* It is another allocation from here on, which is not kept. */
static void forget_mapping(const void *at)
{
    struct mapping *m;

    if (!keeps || !at || (uintptr_t)at % MAPPED_BYTES)
        return;
    pthread_mutex_lock(&mapping_mutex);
    m = mapping_at(at);
    if (m) {
        ASAN_UNPOISON_MEMORY_REGION(m->at, m->size);
        *m = (struct mapping){0};
    }
    pthread_mutex_unlock(&mapping_mutex);
}

/* ---- allocations ---- */

void *mem_alloc(size_t size_bytes)
{
    if (refused())
        return NULL;
    if (is_mapped(size_bytes))
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
    if (refused())
        return NULL;
    if (is_mapped(rounded) && align <= HUGE_PAGE)
        return take_mapping(rounded);
    return advise(aligned_alloc(align, rounded ? rounded : align), rounded);
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
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    mallopt(M_TOP_PAD, GROW_BYTES);
    mallopt(M_ARENA_MAX, 1);
    keeps = true;
    heap_on_huge_pages();
}
