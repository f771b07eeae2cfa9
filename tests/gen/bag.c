#include "tests/gen/bag.h"

#include <assert.h>
#include <string.h>

void bag_init(struct bag *b, struct arena *arena, size_t capacity)
{
    *b = (struct bag){.arena = arena, .capacity = capacity};
    b->list = arena_alloc_array(arena, capacity, sizeof *b->list);
    b->failed = b->list == NULL;
}

uint32_t prop_fixed_size(uint16_t type)
{
    switch (type) {
    case T_I16:
        return 2;
    case T_I32:
        return 4;
    case T_BOOL:
        return 1;
    case T_F64:
    case T_I64:
    case T_TIME:
        return 8;
    default:
        return 0;
    }
}

static struct prop spare; /* what a bag that failed writes to */

static struct prop *bag_new(struct bag *b, uint16_t id, uint16_t type)
{
    assert(b->count < BAG_MAX);
    if (!b->failed && b->count == b->capacity) {
        struct prop *grown = arena_alloc_array(b->arena, 2 * b->capacity, sizeof *grown);
        b->failed = grown == NULL;
        if (!b->failed) {
            memcpy(grown, b->list, b->count * sizeof *grown);
            b->list = grown;
            b->capacity *= 2;
        }
    }
    if (b->failed)
        return &spare;
    struct prop *p = &b->list[b->count++];
    *p = (struct prop){.id = id, .type = type};
    return p;
}

void bag_fixed(struct bag *b, uint16_t id, uint16_t type, uint64_t value)
{
    bag_new(b, id, type)->fixed = value;
}

void bag_own(struct bag *b, uint16_t id, uint16_t type, const void *data, size_t size)
{
    struct prop *p = bag_new(b, id, type);
    p->data = data;
    p->size = (uint32_t)size;
}

void bag_data(struct bag *b, uint16_t id, uint16_t type, const void *data, size_t size)
{
    void *copy = arena_alloc(b->arena, size);
    if (copy == NULL) {
        b->failed = true;
        size = 0;
    } else if (size > 0) {
        memcpy(copy, data, size);
    }
    bag_own(b, id, type, copy, size);
}

void bag_text(struct bag *b, uint16_t id, const char *text)
{
    bag_data(b, id, T_TEXT, text, strlen(text));
}

void bag_written(struct bag *b, uint16_t id, uint16_t type, uint64_t bid, uint32_t size)
{
    struct prop *p = bag_new(b, id, type);
    p->fixed = bid;
    p->size = size;
    p->written = true;
}

/* Insertion sort: bags are made nearly in order, but for the named properties at their end. */
void bag_sort(struct bag *b)
{
    for (size_t i = 1; i < b->count; i++) {
        struct prop p = b->list[i];
        size_t k = i;
        for (; k > 0 && b->list[k - 1].id > p.id; k--)
            b->list[k] = b->list[k - 1];
        b->list[k] = p;
    }
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (kept > 0 && b->list[kept - 1].id == b->list[i].id)
            kept--;
        b->list[kept++] = b->list[i];
    }
    b->count = kept;
}

const struct prop *bag_find(const struct bag *b, uint16_t id)
{
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->list[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->count && b->list[low].id == id ? &b->list[low] : NULL;
}

void bag_remove(struct bag *b, uint16_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->list[i].id != id)
            b->list[kept++] = b->list[i];
    }
    b->count = kept;
}
