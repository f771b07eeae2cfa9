/* planbag.c: see planbag.h. */
#include "scanner/ost/planbag.h"

#include <assert.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/variant.h"

enum { CHUNK_LEAST = OST_PAGE_MAX * 4 };

struct plan_chunk {
    struct plan_chunk *next;
    size_t used, capacity; /* bytes */
    _Alignas(16) unsigned char data[];
};

void *plan_take(struct plan_budget *b, uint64_t size, int *rc)
{
    uint64_t before = atomic_fetch_add_explicit(&b->used, size, memory_order_relaxed);
    uint64_t peak = atomic_load_explicit(&b->peak, memory_order_relaxed);
    void *p = NULL;

    if (before > b->limit || size > b->limit - before)
        *rc = ERR_LIMIT;
    else if (!(p = mem_alloc(size ? size : 1)))
        *rc = ERR_NOMEM;
    if (!p) {
        atomic_fetch_sub_explicit(&b->used, size, memory_order_relaxed);
        return NULL;
    }
    while (before + size > peak && !atomic_compare_exchange_weak(&b->peak, &peak, before + size))
        ;
    return p;
}

void plan_give(struct plan_budget *b, void *p, uint64_t size)
{
    if (p)
        atomic_fetch_sub_explicit(&b->used, size, memory_order_relaxed);
    mem_free(p);
}

/* Small bags get small chunks. */
void *plan_bag_reserve(struct plan_bag *b, unsigned count, int *rc)
{
    size_t need = count * b->element_size;
    struct plan_chunk *c = b->chunks;

    if (!c || c->capacity - c->used < need) {
        size_t capacity = c ? c->capacity * 2 : CHUNK_LEAST;

        if (capacity > PLAN_CHUNK_BYTES)
            capacity = PLAN_CHUNK_BYTES;
        c = plan_take(b->budget, sizeof *c + capacity, rc);
        if (!c)
            return NULL;
        c->next = b->chunks;
        c->used = 0;
        c->capacity = capacity;
        b->chunks = c;
    }
    assert(need <= c->capacity - c->used);
    return c->data + c->used;
}

struct plan_run plan_bag_commit(struct plan_bag *b, unsigned count)
{
    struct plan_run run = {b->chunks->data + b->chunks->used, count};

    b->chunks->used += count * b->element_size;
    b->element_count += count;
    return run;
}

void plan_bag_done(struct plan_bag *b)
{
    while (b->chunks) {
        struct plan_chunk *next = b->chunks->next;

        plan_give(b->budget, b->chunks, sizeof *b->chunks + b->chunks->capacity);
        b->chunks = next;
    }
    b->element_count = 0;
}

void plan_gather(const struct plan_run *runs, size_t count, size_t element_size, void *out)
{
    unsigned char *at = out;

    for (size_t i = 0; i < count; i++) {
        size_t bytes = runs[i].count * element_size;

        if (bytes)
            memcpy(at, runs[i].start, bytes);
        at += bytes;
    }
}
