/* nidset.c: see nidset.h. Open addressing, linear probing, at most half full. */
#include "scanner/ref/nidset.h"

#include <assert.h>

#include "io/err.h"
#include "io/mem.h"

enum { CAPACITY_MIN = 64 };

/* Multiplied by 2^32 over the golden ratio, high bits folded down: the low five of a nid are its
 * type and tell nids apart badly. */
static size_t slot_of(const uint32_t *slots, size_t capacity, uint32_t nid)
{
    uint32_t hash = nid * 0x9E3779B1U;
    size_t i = (hash ^ hash >> 15) & (capacity - 1);

    while (slots[i] && slots[i] != nid)
        i = (i + 1) & (capacity - 1);
    return i;
}

static bool grow(struct nidset *s)
{
    size_t capacity = s->capacity ? s->capacity * 2 : CAPACITY_MIN;
    uint32_t *slots = mem_zalloc(capacity * sizeof *slots);

    if (!slots)
        return false;
    for (size_t i = 0; i < s->capacity; i++)
        if (s->slots[i])
            slots[slot_of(slots, capacity, s->slots[i])] = s->slots[i];
    mem_free(s->slots);
    s->slots = slots;
    s->capacity = capacity;
    return true;
}

void nidset_done(struct nidset *s)
{
    mem_free(s->slots);
    *s = NIDSET_INIT;
}

bool nidset_has(const struct nidset *s, uint32_t nid)
{
    return nid && s->capacity && s->slots[slot_of(s->slots, s->capacity, nid)] == nid;
}

int nidset_add(struct nidset *s, uint32_t nid)
{
    assert(nid);
    if (nidset_has(s, nid))
        return ERR_EXISTS;
    if (s->count >= s->capacity / 2 && !grow(s))
        return ERR_NOMEM;
    s->slots[slot_of(s->slots, s->capacity, nid)] = nid;
    s->count++;
    return 0;
}
