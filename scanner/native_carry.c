/*
 * native_carry.c: see native_carry.h.
 *
 * Blocks differ in size and go in any order, so each lies in a chain of cells of one size: nothing
 * can be fragmented. Cells come from slabs taken as they are needed. Blocks are found through a
 * hash table and stand in a heap by need, the furthest on top.
 *
 * Needs change as more becomes known. The one on top is asked for again before it goes; and all are
 * when a part of them has been replaced, for one further down may have become the furthest.
 *
 * The carry is cut into parts by block, each with a lock and a share of the memory of its own, so
 * that threads seldom wait for each other.
 */
#include "scanner/native_carry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"

enum {
    PARTS = 8,
    CELL = 512,
    SLAB_CELLS = 128,                     /* 64 KiB */
    SLAB_BYTES = SLAB_CELLS * (CELL + 8), /* with its part of `chain`, which grows by doubling */
    SLABS_FIRST = 4,
    ENTRY_BYTES = 44, /* with its places in the heap and the hash table */
    BUCKETS_FIRST = 256,
    ENTRIES_FIRST = 128,
    STRAIN_PART = 4,
    ASK_AGAIN_PART = 4, /* when this part of the blocks was replaced */
};

#define NONE UINT32_MAX

struct entry {
    uint64_t need; /* as it was when it was asked for */
    uint32_t block;
    uint32_t cell; /* the first of its chain */
    uint32_t size;
    uint32_t next;  /* in its bucket, or among the unused */
    uint32_t place; /* in the heap */
};

struct part {
    pthread_mutex_t mutex;
    struct native_needs needs;
    uint64_t memory, memory_most;
    uint8_t **slabs;
    uint32_t *chain; /* by cell: the next of its block, or of the free ones */
    uint32_t slab_count, slab_room, slabs_most;
    uint32_t free_cell, free_cells;
    struct entry *entries;
    uint32_t entry_room, unused;
    uint32_t *buckets; /* of entries */
    uint32_t bucket_mask;
    uint32_t *heap; /* of entries */
    uint32_t heap_count;
    uint32_t replaced; /* blocks, since all were asked for */
    struct native_carried sums;
};

struct native_carry {
    atomic_bool full;
    struct part parts[PARTS];
};

static uint32_t mix(uint32_t block)
{
    return (uint32_t)(block * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static struct part *part_of(struct native_carry *c, uint32_t block)
{
    return &c->parts[mix(block) % PARTS];
}

static uint32_t *bucket_of(struct part *p, uint32_t block)
{
    return &p->buckets[mix(block) / PARTS & p->bucket_mask];
}

/* ---- cells ---- */

static uint8_t *cell_at(struct part *p, uint32_t cell)
{
    return p->slabs[cell / SLAB_CELLS] + (size_t)(cell % SLAB_CELLS) * CELL;
}

/* Room for the places of more slabs and of their cells. */
static bool grow_slabs(struct part *p)
{
    uint32_t room = p->slab_room ? 2 * p->slab_room : SLABS_FIRST;
    uint8_t **slabs = mem_realloc(p->slabs, room * sizeof *slabs);
    uint32_t *chain;

    if (!slabs)
        return false;
    p->slabs = slabs;
    chain = mem_realloc(p->chain, (size_t)room * SLAB_CELLS * sizeof *chain);
    if (!chain)
        return false;
    p->chain = chain;
    p->slab_room = room;
    return true;
}

static bool add_slab(struct part *p)
{
    uint32_t first = p->slab_count * SLAB_CELLS;
    uint8_t *slab;

    if (p->slab_count == p->slabs_most || p->memory_most - p->memory < SLAB_BYTES)
        return false;
    if (p->slab_count == p->slab_room && !grow_slabs(p))
        goto none;
    slab = mem_alloc((size_t)SLAB_CELLS * CELL);
    if (!slab)
        goto none;
    p->slabs[p->slab_count++] = slab;
    for (uint32_t i = 0; i < SLAB_CELLS; i++)
        p->chain[first + i] = i + 1 < SLAB_CELLS ? first + i + 1 : p->free_cell;
    p->free_cell = first;
    p->free_cells += SLAB_CELLS;
    p->memory += SLAB_BYTES;
    return true;
none:
    p->slabs_most = p->slab_count;
    return false;
}

static void free_cells(struct part *p, struct entry *e)
{
    uint32_t last = e->cell, count = 1;

    for (; p->chain[last] != NONE; count++)
        last = p->chain[last];
    p->chain[last] = p->free_cell;
    p->free_cell = e->cell;
    p->free_cells += count;
}

static void fill_cells(struct part *p, struct entry *e, const uint8_t *from)
{
    uint32_t left = e->size, *link = &e->cell;

    while (left) {
        uint32_t cell = p->free_cell, n = left < CELL ? left : CELL;

        p->free_cell = p->chain[cell];
        p->free_cells--;
        memcpy(cell_at(p, cell), from, n);
        from += n;
        left -= n;
        *link = cell;
        link = &p->chain[cell];
    }
    *link = NONE;
}

static void read_cells(struct part *p, const struct entry *e, uint8_t *into)
{
    uint32_t left = e->size;

    for (uint32_t cell = e->cell; left; cell = p->chain[cell]) {
        uint32_t n = left < CELL ? left : CELL;

        memcpy(into, cell_at(p, cell), n);
        into += n;
        left -= n;
    }
}

/* ---- the heap ---- */

static void set_place(struct part *p, uint32_t place, uint32_t entry)
{
    p->heap[place] = entry;
    p->entries[entry].place = place;
}

static bool is_further(const struct part *p, uint32_t a, uint32_t b)
{
    return p->entries[a].need > p->entries[b].need;
}

static void sift_up(struct part *p, uint32_t place)
{
    uint32_t entry = p->heap[place];

    while (place > 0 && is_further(p, entry, p->heap[(place - 1) / 2])) {
        set_place(p, place, p->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    set_place(p, place, entry);
}

static void sift_down(struct part *p, uint32_t place)
{
    uint32_t entry = p->heap[place];

    for (;;) {
        uint32_t child = 2 * place + 1;

        if (child + 1 < p->heap_count && is_further(p, p->heap[child + 1], p->heap[child]))
            child++;
        if (child >= p->heap_count || !is_further(p, p->heap[child], entry))
            break;
        set_place(p, place, p->heap[child]);
        place = child;
    }
    set_place(p, place, entry);
}

static void heap_remove(struct part *p, uint32_t place)
{
    uint32_t last = p->heap[--p->heap_count];

    if (place == p->heap_count)
        return;
    set_place(p, place, last);
    sift_up(p, place);
    sift_down(p, p->entries[last].place);
}

/* ---- entries ---- */

static uint32_t find(struct part *p, uint32_t block)
{
    uint32_t i = p->buckets ? *bucket_of(p, block) : NONE;

    while (i != NONE && p->entries[i].block != block)
        i = p->entries[i].next;
    return i;
}

static void rehash(struct part *p)
{
    memset(p->buckets, 0xff, (p->bucket_mask + (size_t)1) * sizeof *p->buckets);
    for (uint32_t i = 0; i < p->heap_count; i++) {
        struct entry *e = &p->entries[p->heap[i]];
        uint32_t *bucket = bucket_of(p, e->block);

        e->next = *bucket;
        *bucket = p->heap[i];
    }
}

static bool grow(struct part *p)
{
    uint32_t room = p->entry_room ? 2 * p->entry_room : ENTRIES_FIRST;
    uint64_t more = (room - p->entry_room) * (uint64_t)ENTRY_BYTES;
    struct entry *entries;
    uint32_t *heap, *buckets;

    if (more > p->memory_most - p->memory)
        return false;
    entries = mem_realloc(p->entries, room * sizeof *entries);
    if (!entries)
        return false;
    p->entries = entries;
    heap = mem_realloc(p->heap, room * sizeof *heap);
    if (!heap)
        return false;
    p->heap = heap;
    buckets = mem_realloc(p->buckets, 2 * (size_t)room * sizeof *buckets);
    if (!buckets)
        return false;
    p->buckets = buckets;
    p->bucket_mask = 2 * room - 1;
    for (uint32_t i = p->entry_room; i < room; i++) {
        entries[i].next = p->unused;
        p->unused = i;
    }
    p->entry_room = room;
    p->memory += more;
    rehash(p);
    return true;
}

static void remove_entry(struct part *p, uint32_t i)
{
    struct entry *e = &p->entries[i];
    uint32_t *link = bucket_of(p, e->block);

    while (*link != i)
        link = &p->entries[*link].next;
    *link = e->next;
    heap_remove(p, e->place);
    free_cells(p, e);
    e->next = p->unused;
    p->unused = i;
}

/* Asks for all needs again. */
static void ask_again(struct part *p)
{
    for (uint32_t i = 0; i < p->heap_count; i++) {
        struct entry *e = &p->entries[p->heap[i]];

        e->need = p->needs.need(p->needs.ctx, e->block);
    }
    for (uint32_t i = p->heap_count / 2; i-- > 0;)
        sift_down(p, i);
    p->replaced = 0;
}

/* The block that is needed last; NULL: there is none. */
static struct entry *furthest(struct part *p)
{
    if (p->replaced > p->heap_count / ASK_AGAIN_PART)
        ask_again(p);
    while (p->heap_count) {
        struct entry *e = &p->entries[p->heap[0]];
        uint64_t need = p->needs.need(p->needs.ctx, e->block);
        bool nearer = need < e->need;

        e->need = need;
        if (!nearer)
            return e;
        sift_down(p, 0);
        if (&p->entries[p->heap[0]] == e)
            return e;
    }
    return NULL;
}

/* Drops the block needed last. False: there is none, or none needed later than that. */
static bool drop_one(struct part *p, uint64_t need)
{
    struct entry *e = furthest(p);

    if (!e || e->need <= need)
        return false;
    p->sums.dropped_bytes += e->size;
    p->replaced++;
    remove_entry(p, p->heap[0]);
    return true;
}

/* Makes room for a block by dropping those needed later than it. False: it is the furthest. */
static bool make_room(struct part *p, uint64_t need, uint32_t cells)
{
    while (p->unused == NONE && !grow(p))
        if (!drop_one(p, need))
            return false;
    while (p->free_cells < cells && add_slab(p))
        ;
    while (p->free_cells < cells)
        if (!drop_one(p, need))
            return false;
    return true;
}

static void put(struct part *p, uint32_t block, const uint8_t *extent, uint32_t size)
{
    uint64_t need = p->needs.need(p->needs.ctx, block);
    uint32_t i = find(p, block), *bucket;
    struct entry *e;

    if (i != NONE || size == 0)
        return;
    if (!make_room(p, need, (size + CELL - 1) / CELL)) {
        p->sums.dropped_bytes += size;
        return;
    }
    p->sums.put_bytes += size;
    i = p->unused;
    e = &p->entries[i];
    p->unused = e->next;
    bucket = bucket_of(p, block);
    *e = (struct entry){.need = need, .block = block, .size = size, .next = *bucket};
    *bucket = i;
    fill_cells(p, e, extent);
    set_place(p, p->heap_count++, i);
    sift_up(p, e->place);
}

void native_carry_put(struct native_carry *c, uint32_t block, const uint8_t *extent, uint32_t size)
{
    struct part *p = part_of(c, block);

    pthread_mutex_lock(&p->mutex);
    put(p, block, extent, size);
    if (p->sums.dropped_bytes && !native_carry_full(c))
        atomic_store(&c->full, true);
    pthread_mutex_unlock(&p->mutex);
}

bool native_carry_full(const struct native_carry *c)
{
    return atomic_load_explicit(&c->full, memory_order_relaxed);
}

bool native_carry_strained(struct native_carry *c)
{
    uint64_t used = 0, most = 0;

    for (unsigned i = 0; i < PARTS && !native_carry_full(c); i++) {
        struct part *p = &c->parts[i];

        pthread_mutex_lock(&p->mutex);
        used += (p->slab_count * (uint64_t)SLAB_CELLS - p->free_cells) * CELL;
        most += p->memory_most;
        pthread_mutex_unlock(&p->mutex);
    }
    return native_carry_full(c) || used > most / STRAIN_PART;
}

bool native_carry_has(struct native_carry *c, uint32_t block)
{
    struct part *p = part_of(c, block);
    bool has;

    pthread_mutex_lock(&p->mutex);
    has = find(p, block) != NONE;
    pthread_mutex_unlock(&p->mutex);
    return has;
}

static bool get(struct native_carry *c, uint32_t block, uint8_t *into, uint32_t size, bool drop)
{
    struct part *p = part_of(c, block);
    uint32_t i;

    pthread_mutex_lock(&p->mutex);
    i = find(p, block);
    if (i != NONE && p->entries[i].size == size)
        read_cells(p, &p->entries[i], into);
    else
        i = NONE;
    if (i != NONE && drop)
        remove_entry(p, i);
    pthread_mutex_unlock(&p->mutex);
    return i != NONE;
}

bool native_carry_get(struct native_carry *c, uint32_t block, uint8_t *into, uint32_t size)
{
    return get(c, block, into, size, false);
}

bool native_carry_take(struct native_carry *c, uint32_t block, uint8_t *into, uint32_t size)
{
    return get(c, block, into, size, true);
}

void native_carry_drop(struct native_carry *c, uint32_t block)
{
    struct part *p = part_of(c, block);
    uint32_t i;

    pthread_mutex_lock(&p->mutex);
    i = find(p, block);
    if (i != NONE)
        remove_entry(p, i);
    pthread_mutex_unlock(&p->mutex);
}

struct native_carried native_carry_sums(const struct native_carry *c)
{
    struct native_carried all = {0};

    for (unsigned i = 0; i < PARTS; i++) {
        all.put_bytes += c->parts[i].sums.put_bytes;
        all.dropped_bytes += c->parts[i].sums.dropped_bytes;
    }
    return all;
}

int native_carry_create(uint64_t memory_bytes, struct native_needs needs, struct native_carry **out)
{
    uint64_t slabs = memory_bytes / PARTS / SLAB_BYTES;
    struct native_carry *c = mem_zalloc(sizeof *c);

    if (!c)
        return ERR_NOMEM;
    for (unsigned i = 0; i < PARTS; i++) {
        struct part *p = &c->parts[i];

        pthread_mutex_init(&p->mutex, NULL);
        p->needs = needs;
        p->memory_most = memory_bytes / PARTS;
        p->slabs_most = slabs < NONE / SLAB_CELLS ? (uint32_t)slabs : NONE / SLAB_CELLS;
        p->free_cell = p->unused = NONE;
    }
    *out = c;
    return 0;
}

void native_carry_destroy(struct native_carry *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < PARTS; i++) {
        struct part *p = &c->parts[i];

        for (uint32_t k = 0; k < p->slab_count; k++)
            mem_free(p->slabs[k]);
        mem_free(p->slabs);
        mem_free(p->chain);
        mem_free(p->entries);
        mem_free(p->heap);
        mem_free(p->buckets);
        pthread_mutex_destroy(&p->mutex);
    }
    mem_free(c);
}
