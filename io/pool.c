/*
 * pool.c: see pool.h. The free buffers are a stack, so that the buffer given back last, still in
 * the processor's cache, is taken first. `out` marks what is with a taker: a buffer given back
 * twice would be handed to two owners, and must stop the program instead.
 */
#include "io/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/err.h"
#include "io/mem.h"

struct io_pool {
    pthread_mutex_t lock;
    pthread_cond_t given;
    uint8_t *base;
    size_t buffer_bytes;
    size_t count;
    size_t n_free;
    uint32_t *free_stack; /* indices; the first n_free are valid */
    bool *out;
    bool stopped;
};

static void pool_free(struct io_pool *p)
{
    mem_free(p->base);
    mem_free(p->free_stack);
    mem_free(p->out);
    mem_free(p);
}

int io_pool_create(size_t count, size_t size_bytes, size_t align, struct io_pool **out)
{
    size_t rounded, total;
    struct io_pool *p;

    assert(count > 0 && size_bytes > 0 && align > 0 && (align & (align - 1)) == 0);
    if (count > UINT32_MAX || __builtin_add_overflow(size_bytes, align - 1, &rounded))
        return ERR_NOMEM;
    rounded &= ~(align - 1);
    if (__builtin_mul_overflow(rounded, count, &total))
        return ERR_NOMEM;
    p = mem_zalloc(sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->buffer_bytes = rounded;
    p->count = count;
    p->n_free = count;
    p->base = mem_aligned(align < sizeof(void *) ? sizeof(void *) : align, total);
    p->free_stack = mem_alloc_array(count, sizeof *p->free_stack);
    p->out = mem_zalloc(count * sizeof *p->out);
    if (!p->base || !p->free_stack || !p->out) {
        pool_free(p);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        p->free_stack[i] = (uint32_t)(count - 1 - i);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->given, NULL);
    *out = p;
    return 0;
}

void io_pool_destroy(struct io_pool *p)
{
    if (!p)
        return;
    assert(p->n_free == p->count);
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->lock);
    pool_free(p);
}

static void *take(struct io_pool *p, bool wait)
{
    void *buffer = NULL;

    pthread_mutex_lock(&p->lock);
    while (wait && !p->n_free && !p->stopped)
        pthread_cond_wait(&p->given, &p->lock);
    if (p->n_free && !p->stopped) {
        uint32_t i = p->free_stack[--p->n_free];

        p->out[i] = true;
        buffer = p->base + i * p->buffer_bytes;
    }
    pthread_mutex_unlock(&p->lock);
    return buffer;
}

void *io_pool_take(struct io_pool *p)
{
    return take(p, true);
}

void *io_pool_try_take(struct io_pool *p)
{
    return take(p, false);
}

void io_pool_give(struct io_pool *p, void *buffer)
{
    size_t i = io_pool_index(p, buffer);

    assert(p->base + i * p->buffer_bytes == buffer);
    pthread_mutex_lock(&p->lock);
    assert(p->out[i]);
    p->out[i] = false;
    p->free_stack[p->n_free++] = (uint32_t)i;
    pthread_cond_signal(&p->given);
    pthread_mutex_unlock(&p->lock);
}

void io_pool_stop(struct io_pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    pthread_cond_broadcast(&p->given);
    pthread_mutex_unlock(&p->lock);
}

size_t io_pool_buffer_size(const struct io_pool *p)
{
    return p->buffer_bytes;
}

size_t io_pool_count(const struct io_pool *p)
{
    return p->count;
}

void *io_pool_base(const struct io_pool *p)
{
    return p->base;
}

size_t io_pool_index(const struct io_pool *p, const void *address)
{
    size_t i = (size_t)((const uint8_t *)address - p->base) / p->buffer_bytes;

    assert((const uint8_t *)address >= p->base && i < p->count);
    return i;
}
