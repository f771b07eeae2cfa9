/*
 * seen.c: see seen.h. Entries in the order of their ids, their names one after the other in one
 * buffer, and an open-addressed table of ids that is never more than half full. A path is written
 * from its end, so the chain of parents needs no stack however long it is.
 */
#include "io/seen.h"

#include <assert.h>
#include <string.h>

#include "io/mem.h"

struct seen_entry {
    uint64_t device;
    uint64_t inode;
    size_t name; /* in names */
    uint32_t parent;
};

enum { SEEN_FIRST = 64 };

void seen_init(struct seen *s)
{
    *s = (struct seen){.names = BUF_INIT};
}

void seen_done(struct seen *s)
{
    mem_free(s->entries);
    mem_free(s->slots);
    buf_done(&s->names);
    seen_init(s);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The slot that holds the pair, or the free one where it belongs. */
static size_t slot_of(const struct seen *s, uint64_t device, uint64_t inode)
{
    size_t mask = s->slot_count - 1;
    size_t at = (size_t)mix(inode ^ mix(device + 1)) & mask;

    while (s->slots[at]) {
        const struct seen_entry *e = &s->entries[s->slots[at] - 1];

        if (e->inode == inode && e->device == device)
            break;
        at = (at + 1) & mask;
    }
    return at;
}

uint32_t seen_find(const struct seen *s, uint64_t device, uint64_t inode)
{
    return s->slot_count ? s->slots[slot_of(s, device, inode)] : 0;
}

static int grow_entries(struct seen *s)
{
    uint32_t capacity = s->capacity ? s->capacity * 2 : SEEN_FIRST;
    struct seen_entry *entries;
    size_t bytes;

    if (s->count == UINT32_MAX - 1)
        return ERR_LIMIT;
    if (capacity < s->capacity)
        capacity = UINT32_MAX - 1;
    if (__builtin_mul_overflow((size_t)capacity, sizeof *entries, &bytes))
        return ERR_NOMEM;
    entries = mem_realloc(s->entries, bytes);
    if (!entries)
        return ERR_NOMEM;
    s->entries = entries;
    s->capacity = capacity;
    return 0;
}

static int grow_slots(struct seen *s)
{
    size_t count = s->slot_count ? s->slot_count * 2 : (size_t)2 * SEEN_FIRST;
    uint32_t *slots = mem_alloc_array(count, sizeof *slots);

    if (!slots)
        return ERR_NOMEM;
    memset(slots, 0, count * sizeof *slots);
    mem_free(s->slots);
    s->slots = slots;
    s->slot_count = count;
    for (uint32_t id = 1; id <= s->count; id++) {
        const struct seen_entry *e = &s->entries[id - 1];

        s->slots[slot_of(s, e->device, e->inode)] = id;
    }
    return 0;
}

int seen_add(struct seen *s, uint64_t device, uint64_t inode, uint32_t parent, const char *name,
             uint32_t *id)
{
    size_t name_size = strlen(name) + 1;
    size_t at = s->names.size;
    size_t slot;
    int r;

    if (s->count == s->capacity && (r = grow_entries(s)) < 0)
        return r;
    if (s->count >= s->slot_count / 2 && (r = grow_slots(s)) < 0)
        return r;
    if (!buf_reserve(&s->names, name_size)) {
        s->names.failed = false;
        return ERR_NOMEM;
    }
    slot = slot_of(s, device, inode);
    assert(!s->slots[slot]);
    buf_append(&s->names, name, name_size);
    s->entries[s->count++] =
        (struct seen_entry){.device = device, .inode = inode, .name = at, .parent = parent};
    s->slots[slot] = s->count;
    *id = s->count;
    return 0;
}

static const char *name_of(const struct seen *s, uint32_t id)
{
    return (const char *)s->names.data + s->entries[id - 1].name;
}

/* Only a whole path can end in a slash ("/", "mail/"); then none is put between. */
static bool slash_above(const struct seen *s, uint32_t id)
{
    uint32_t parent = s->entries[id - 1].parent;
    const char *above;
    size_t length;

    if (!parent)
        return false;
    above = name_of(s, parent);
    length = strlen(above);
    return !length || above[length - 1] != '/';
}

void seen_path(const struct seen *s, uint32_t id, struct buf *out)
{
    size_t size = 0;

    for (uint32_t i = id; i; i = s->entries[i - 1].parent)
        size += strlen(name_of(s, i)) + slash_above(s, i);
    buf_reset(out);
    if (!buf_reserve(out, size))
        return;
    out->size = size;
    for (uint32_t i = id; i; i = s->entries[i - 1].parent) {
        size_t length = strlen(name_of(s, i));

        size -= length;
        memcpy(out->data + size, name_of(s, i), length);
        if (slash_above(s, i))
            out->data[--size] = '/';
    }
}
