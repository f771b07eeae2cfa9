/*
 * arena.c: see arena.h. A list of blocks, the newest in use. A reset keeps one block large enough
 * for what was used (bounded by keep_bytes), so that steady work settles on a single block.
 */
#include "io/arena.h"

#include <stdbool.h>
#include <string.h>

#include "io/mem.h"

struct arena_block {
    struct arena_block *next;
    size_t capacity;
    size_t used;
    _Alignas(16) unsigned char data[];
};

enum { ARENA_BLOCK_MIN = 64 * 1024, ARENA_KEEP = 4 * 1024 * 1024 };

void arena_init(struct arena *a, size_t limit_bytes)
{
    *a = (struct arena){.limit_bytes = limit_bytes, .keep_bytes = ARENA_KEEP};
}

static void free_blocks(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;

        mem_free(b);
        b = next;
    }
}

void arena_done(struct arena *a)
{
    free_blocks(a->blocks);
    a->blocks = NULL;
    a->used_bytes = 0;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    a->used_bytes = 0;
    if (!keep)
        return;
    if (keep->capacity > a->keep_bytes) {
        free_blocks(keep);
        a->blocks = NULL;
        return;
    }
    free_blocks(keep->next);
    keep->next = NULL;
    keep->used = 0;
}

static bool grow(struct arena *a, size_t need)
{
    size_t capacity = a->blocks ? a->blocks->capacity * 2 : ARENA_BLOCK_MIN;
    struct arena_block *b;

    if (capacity > ARENA_KEEP)
        capacity = ARENA_KEEP;
    if (capacity < need)
        capacity = need;
    b = mem_alloc(sizeof *b + capacity);
    if (!b)
        return false;
    b->next = a->blocks;
    b->capacity = capacity;
    b->used = 0;
    a->blocks = b;
    return true;
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
    size_t need;
    void *p;

    if (__builtin_add_overflow(size_bytes ? size_bytes : 1, (size_t)15, &need))
        return NULL;
    need &= ~(size_t)15;
    if (need > a->limit_bytes || a->used_bytes > a->limit_bytes - need)
        return NULL;
    if ((!a->blocks || a->blocks->capacity - a->blocks->used < need) && !grow(a, need))
        return NULL;
    p = a->blocks->data + a->blocks->used;
    a->blocks->used += need;
    a->used_bytes += need;
    return p;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size_bytes)
{
    size_t total;

    if (__builtin_mul_overflow(count, size_bytes, &total))
        return NULL;
    return arena_alloc(a, total);
}

void *arena_copy(struct arena *a, const void *data, size_t size_bytes)
{
    void *p = arena_alloc(a, size_bytes);

    if (p && size_bytes)
        memcpy(p, data, size_bytes);
    return p;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return arena_copy(a, text, strlen(text) + 1);
}
