/*
 * blockring.c: see blockring.h.
 *
 *   memory:  │ entry │ data … │ entry │ data … │ entry │ free … │ … up to `end`, at most `capacity`
 *                                      ^ head: the next block goes here
 *
 * Entries lie on end from 0 to `end`. To make room the head moves on over entries that nobody
 * holds, joining them, and starts anew behind one that is held or at the end. Two rounds without
 * enough room on end: `end` is moved up, if the capacity allows. So a block is given up after all
 * that were added before it, unless it was held when its turn came.
 *
 * Entries are found through a table of chains by bid. A size is a multiple of 16, the entry's own
 * 32 bytes included, so data is aligned for any integer.
 */
#include "scanner/ost/blockring.h"

#include <assert.h>
#include <stdbool.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/mix.h"

enum { BUCKETS = 4096, ENTRY = 32, ALIGN = 16 };

struct entry {
    uint64_t bid;
    uint32_t size; /* of all */
    uint32_t pins;
    uint32_t next; /* in the chain: place + 1, 0: the last */
    bool listed;   /* in a chain */
};

static_assert(sizeof(struct entry) <= ENTRY, "an entry fits before its data");

struct ost_blockring {
    uint8_t *memory;
    size_t capacity, end, head;
    uint32_t buckets[BUCKETS]; /* place + 1 */
};

static struct entry *entry_at(const struct ost_blockring *r, size_t place)
{
    return (struct entry *)(void *)(r->memory + place);
}

static struct entry *entry_of(const uint8_t *data)
{
    return (struct entry *)(uintptr_t)(data - ENTRY);
}

static size_t bucket_of(const struct ost_blockring *r, uint64_t bid)
{
    return (size_t)io_mix(bid, r) % BUCKETS;
}

int ost_blockring_create(size_t capacity, struct ost_blockring **out)
{
    struct ost_blockring *r = mem_zalloc(sizeof *r);

    assert(capacity >= OST_BLOCKRING_SOFT && capacity < UINT32_MAX);
    if (!r)
        return ERR_NOMEM;
    r->capacity = capacity & ~(size_t)(ALIGN - 1);
    r->memory = mem_alloc(r->capacity);
    if (!r->memory) {
        mem_free(r);
        return ERR_NOMEM;
    }
    r->end = OST_BLOCKRING_SOFT;
    *entry_at(r, 0) = (struct entry){.size = (uint32_t)r->end};
    *out = r;
    return 0;
}

void ost_blockring_destroy(struct ost_blockring *r)
{
    if (!r)
        return;
    mem_free(r->memory);
    mem_free(r);
}

const uint8_t *ost_blockring_find(struct ost_blockring *r, uint64_t bid)
{
    uint32_t at = r->buckets[bucket_of(r, bid)];

    while (at) {
        struct entry *e = entry_at(r, at - 1);

        if (e->bid == bid) {
            e->pins++;
            return r->memory + (at - 1) + ENTRY;
        }
        at = e->next;
    }
    return NULL;
}

static void unlist(struct ost_blockring *r, struct entry *e)
{
    uint32_t place = (uint32_t)((uint8_t *)e - r->memory) + 1;
    uint32_t *link = &r->buckets[bucket_of(r, e->bid)];

    if (!e->listed)
        return;
    while (*link != place)
        link = &entry_at(r, *link - 1)->next;
    *link = e->next;
    e->listed = false;
}

/* Moves the head to `need` bytes on end that nobody holds, at most once round. 0: there are none.*/
static size_t clear(struct ost_blockring *r, size_t need)
{
    size_t start = r->head, at = r->head, walked = 0;

    while (at - start < need) {
        struct entry *e;

        if (walked > r->end + need)
            return 0;
        if (at == r->end) {
            start = at = 0;
            continue;
        }
        e = entry_at(r, at);
        walked += e->size;
        at += e->size;
        if (e->pins) {
            start = at;
            continue;
        }
        unlist(r, e);
        entry_at(r, start)->size = (uint32_t)(at - start);
        entry_at(r, start)->pins = 0;
        entry_at(r, start)->listed = false;
    }
    r->head = start;
    return at - start;
}

/* Takes more of the reserved memory into use. */
static bool extend(struct ost_blockring *r)
{
    size_t more = r->capacity - r->end < r->end ? r->capacity - r->end : r->end;

    if (more < ENTRY)
        return false;
    *entry_at(r, r->end) = (struct entry){.size = (uint32_t)more};
    r->head = r->end;
    r->end += more;
    return true;
}

uint8_t *ost_blockring_add(struct ost_blockring *r, uint64_t bid, size_t size)
{
    size_t need = (ENTRY + size + ALIGN - 1) & ~(size_t)(ALIGN - 1), room;
    uint32_t *bucket = &r->buckets[bucket_of(r, bid)];
    struct entry *e;

    while ((room = clear(r, need)) == 0)
        if (!extend(r))
            return NULL;
    if (room - need >= ENTRY)
        *entry_at(r, r->head + need) = (struct entry){.size = (uint32_t)(room - need)};
    else
        need = room;
    e = entry_at(r, r->head);
    *e = (struct entry){
        .bid = bid, .size = (uint32_t)need, .pins = 1, .next = *bucket, .listed = true};
    *bucket = (uint32_t)r->head + 1;
    r->head += need;
    return (uint8_t *)e + ENTRY;
}

void ost_blockring_forget(struct ost_blockring *r, const uint8_t *data)
{
    unlist(r, entry_of(data));
}

void ost_blockring_put(struct ost_blockring *r, const uint8_t *data)
{
    (void)r;
    assert(entry_of(data)->pins > 0);
    entry_of(data)->pins--;
}

bool ost_blockring_holds(const struct ost_blockring *r, const uint8_t *data)
{
    return data >= r->memory && data < r->memory + r->capacity;
}
