/* budget.c: see budget.h. */
#include "scanner/check/budget.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"

enum { ARRAY_FIRST = 64 };

void chk_budget_init(struct chk_budget *b, uint64_t limit)
{
    atomic_init(&b->limit, limit);
    atomic_init(&b->used, 0);
    atomic_init(&b->peak, 0);
}

int chk_budget_count(struct chk_budget *b, uint64_t size)
{
    uint64_t used = b->used, peak;

    do {
        if (used > b->limit || size > b->limit - used)
            return ERR_LIMIT;
    } while (!atomic_compare_exchange_weak(&b->used, &used, used + size));
    peak = b->peak;
    while (peak < used + size && !atomic_compare_exchange_weak(&b->peak, &peak, used + size))
        ;
    return 0;
}

void chk_budget_uncount(struct chk_budget *b, uint64_t size)
{
    b->used -= size;
}

void *chk_take(struct chk_budget *b, uint64_t size, int *rc)
{
    void *p;

    *rc = size > SIZE_MAX / 2 ? ERR_LIMIT : chk_budget_count(b, size);
    if (*rc)
        return NULL;
    p = mem_alloc(size ? size : 1);
    if (p)
        return p;
    chk_budget_uncount(b, size);
    *rc = ERR_NOMEM;
    return NULL;
}

void *chk_take_zero(struct chk_budget *b, uint64_t size, int *rc)
{
    void *p;

    *rc = size > SIZE_MAX / 2 ? ERR_LIMIT : chk_budget_count(b, size);
    if (*rc)
        return NULL;
    p = mem_zalloc(size ? size : 1);
    if (p)
        return p;
    chk_budget_uncount(b, size);
    *rc = ERR_NOMEM;
    return NULL;
}

void chk_give(struct chk_budget *b, void *p, uint64_t size)
{
    if (p)
        chk_budget_uncount(b, size);
    mem_free(p);
}

void *chk_array_reserve(struct chk_budget *b, struct chk_array *a, size_t element, size_t more,
                        int *rc)
{
    size_t capacity = a->capacity + a->capacity / 2 + ARRAY_FIRST;
    void *data;

    if (a->data && more <= a->capacity - a->count)
        return (char *)a->data + a->count * element;
    if (capacity < a->count + more)
        capacity = a->count + more;
    *rc = chk_budget_count(b, (uint64_t)(capacity - a->capacity) * element);
    if (*rc)
        return NULL;
    data = mem_realloc(a->data, capacity * element);
    if (!data) {
        chk_budget_uncount(b, (uint64_t)(capacity - a->capacity) * element);
        *rc = ERR_NOMEM;
        return NULL;
    }
    a->data = data;
    a->capacity = capacity;
    return (char *)data + a->count * element;
}

void chk_array_done(struct chk_budget *b, struct chk_array *a, size_t element)
{
    chk_give(b, a->data, (uint64_t)a->capacity * element);
    *a = (struct chk_array){0};
}

int chk_array_move(struct chk_budget *b, struct chk_array *to, struct chk_array *from,
                   size_t element)
{
    int rc = 0;
    void *room;

    if (to->count == 0) {
        struct chk_array empty = *to;

        *to = *from;
        *from = empty;
    } else if (from->count) {
        room = chk_array_reserve(b, to, element, from->count, &rc);
        if (!room)
            return rc;
        memcpy(room, from->data, from->count * element);
        to->count += from->count;
    }
    chk_array_done(b, from, element);
    return 0;
}
