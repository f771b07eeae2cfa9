/* native_ahead.c: see native_ahead.h. */
#include "scanner/native_ahead.h"

#include "io/err.h"
#include "io/mem.h"
#include "io/mix.h"
#include "scanner/native_fetch.h"
#include "scanner/ost/block.h"

enum { FIRST = 1024, LIST_MOST = 1 << 17, WINDOW_MOST = 4096, SLOTS_A_TURN = 2 };

#define NO_TURN SIZE_MAX

struct expected {
    struct native_fetch *fetch;
    struct turn {
        uint32_t block;
        uint32_t slot;
        bool passed; /* brought along, or asked for */
    } * turns;       /* a block has one */
    size_t count, room;
    uint32_t
        *slots; /* by block: its turn, and one more; 0: free; SLOTS_A_TURN for each of `room` */
    bool full;  /* of what was at hand in the kernel, too */
};

struct native_ahead {
    const struct ost_plan *plan;
    struct io_source *source;
    uint64_t bytes_left; /* that may be read so */
    bool failed;         /* whoever asks finds out why */
    struct ost_at_hand view;
    struct expected lists[NATIVE_AHEAD_LISTS];
    struct chk_had *had;
    size_t had_count;
};

static uint32_t extent_of(const struct native_ahead *a, uint32_t block)
{
    return ost_block_extent(a->plan->variant, a->plan->blocks[block].stored);
}

/* ---- what is expected ---- */

/* Where a block is, or would go; there is a free slot. */
static uint32_t slot_of(const struct expected *e, uint32_t block)
{
    const size_t last = SLOTS_A_TURN * e->room - 1;
    size_t slot = io_mix(block, e->slots) & last;

    while (e->slots[slot] && e->turns[e->slots[slot] - 1].block != block)
        slot = (slot + 1) & last;
    return (uint32_t)slot;
}

static void take_slot(struct expected *e, size_t turn)
{
    struct turn *t = &e->turns[turn];

    t->slot = slot_of(e, t->block);
    e->slots[t->slot] = (uint32_t)turn + 1;
}

/* False: it is long enough, or there is no memory for more. */
static bool grow(struct expected *e)
{
    const size_t more = e->room ? 2 * e->room : FIRST;
    struct turn *turns;
    uint32_t *slots;

    if (e->room == LIST_MOST)
        return false;
    turns = mem_realloc(e->turns, more * sizeof *turns);
    if (!turns)
        return false;
    e->turns = turns;
    slots = mem_zalloc(SLOTS_A_TURN * more * sizeof *slots);
    if (!slots)
        return false;
    mem_free(e->slots);
    e->slots = slots;
    e->room = more;
    for (size_t i = 0; i < e->count; i++)
        take_slot(e, i);
    return true;
}

void native_ahead_expect(struct native_ahead *a, enum native_ahead_of list,
                         const struct ost_block *block)
{
    struct expected *e;
    uint32_t index;

    if (!a || !block)
        return;
    e = &a->lists[list];
    index = (uint32_t)(block - a->plan->blocks);
    if ((e->count == e->room && !grow(e)) || e->slots[slot_of(e, index)])
        return;
    e->turns[e->count] = (struct turn){.block = index};
    take_slot(e, e->count++);
}

void native_ahead_forget(struct native_ahead *a, enum native_ahead_of list)
{
    struct expected *e = &a->lists[list];

    for (size_t i = 0; i < e->count; i++)
        e->slots[e->turns[i].slot] = 0;
    e->count = 0;
    e->full = false;
}

/* Of a block that is still to come. */
static size_t turn_of(const struct expected *e, uint32_t block)
{
    uint32_t turn = e->count ? e->slots[slot_of(e, block)] : 0;

    return turn && !e->turns[turn - 1].passed ? turn - 1 : NO_TURN;
}

/* ---- reading ---- */

static const uint8_t *find(const struct native_ahead *a, uint32_t block)
{
    const uint8_t *extent = NULL;

    for (unsigned i = 0; i < NATIVE_AHEAD_LISTS && !extent; i++)
        extent = native_fetch_at(a->lists[i].fetch, block);
    return extent;
}

static bool is_to_come(const struct native_ahead *a, const struct turn *t)
{
    return !t->passed && !find(a, t->block);
}

static size_t window_end(const struct expected *e, size_t from)
{
    return e->count - from < WINDOW_MOST ? e->count : from + WINDOW_MOST;
}

/* Throws out what is there where that makes room for more of what is still to come; but what is at
 * hand in the kernel is not worth a copy then. */
static void make_room(struct native_ahead *a, struct expected *e, size_t from)
{
    size_t wanted = 0, room = native_fetch_room(e->fetch), end = window_end(e, from);

    for (size_t i = from; i < end && wanted <= room; i++)
        if (is_to_come(a, &e->turns[i]))
            wanted += extent_of(a, e->turns[i].block);
    e->full = wanted > room && io_source_cached(a->source);
    if (wanted > room && !e->full)
        native_fetch_begin(e->fetch);
}

/* What is to come from a turn on, as much as there is room for. */
static void read_on(struct native_ahead *a, struct expected *e, size_t from)
{
    uint32_t blocks[WINDOW_MOST];
    size_t count = 0, end = window_end(e, from), left;

    make_room(a, e, from);
    left = native_fetch_room(e->fetch);
    if (left > a->bytes_left)
        left = (size_t)a->bytes_left;
    for (size_t i = from; i < end; i++) {
        struct turn *t = &e->turns[i];
        uint32_t size = extent_of(a, t->block);

        if (is_to_come(a, t)) {
            if (size > a->bytes_left)
                a->bytes_left = 0; /* or it would be looked for again each time */
            if (size > left)
                break;
            left -= size;
            a->bytes_left -= size;
            blocks[count++] = t->block;
        }
        t->passed = true;
    }
    if (count && native_fetch_read(e->fetch, a->source, blocks, count))
        a->failed = true;
}

static const uint8_t *place(void *ctx, const struct ost_block *block, bool *clean)
{
    struct native_ahead *a = ctx;
    uint32_t index = (uint32_t)(block - a->plan->blocks);
    const uint8_t *extent = find(a, index);

    *clean = false;
    for (unsigned i = 0; i < NATIVE_AHEAD_LISTS && !extent && a->bytes_left && !a->failed; i++) {
        struct expected *e = &a->lists[i];
        size_t turn = e->full && io_source_cached(a->source) ? NO_TURN : turn_of(e, index);

        if (turn == NO_TURN)
            continue;
        read_on(a, e, turn);
        e->turns[turn].passed = true;
        extent = native_fetch_at(e->fetch, index);
    }
    return extent;
}

const struct ost_at_hand *native_ahead_view(struct native_ahead *a)
{
    return &a->view;
}

/* ---- what is kept ---- */

/* In order, each once. */
void native_ahead_keep(struct native_ahead *a)
{
    size_t places[NATIVE_AHEAD_LISTS] = {0}, room = 0, place = 0;
    struct chk_had next[NATIVE_AHEAD_LISTS];
    bool there[NATIVE_AHEAD_LISTS];

    for (unsigned i = 0; i < NATIVE_AHEAD_LISTS; i++) {
        struct expected *e = &a->lists[i];

        mem_free(e->turns);
        mem_free(e->slots);
        *e = (struct expected){.fetch = e->fetch};
        for (place = 0; native_fetch_next(e->fetch, &place, &next[i].block, &next[i].extent);)
            room++;
        there[i] = native_fetch_next(e->fetch, &places[i], &next[i].block, &next[i].extent);
    }
    a->had = mem_alloc_array(room + 1, sizeof *a->had);
    while (a->had && (there[0] || there[1])) {
        unsigned i = !there[0] || (there[1] && next[1].block < next[0].block);

        if (!a->had_count || a->had[a->had_count - 1].block != next[i].block)
            a->had[a->had_count++] = next[i];
        there[i] =
            native_fetch_next(a->lists[i].fetch, &places[i], &next[i].block, &next[i].extent);
    }
}

const struct chk_had *native_ahead_kept(const struct native_ahead *a, size_t *count)
{
    *count = a->had_count;
    return a->had;
}

/* ---- its life ---- */

int native_ahead_create(const struct ost_plan *plan, struct io_source *source, size_t memory_bytes,
                        struct native_ahead **out)
{
    struct native_ahead *a = mem_zalloc(sizeof *a);
    int rc = 0;

    if (!a)
        return ERR_NOMEM;
    a->plan = plan;
    a->source = source;
    a->bytes_left = source->size_bytes;
    a->view = (struct ost_at_hand){a, place, NULL};
    for (unsigned i = 0; i < NATIVE_AHEAD_LISTS && !rc; i++)
        rc = native_fetch_create(plan, memory_bytes / NATIVE_AHEAD_LISTS, &a->lists[i].fetch);
    if (rc)
        native_ahead_destroy(a);
    else
        *out = a;
    return rc;
}

void native_ahead_destroy(struct native_ahead *a)
{
    if (!a)
        return;
    for (unsigned i = 0; i < NATIVE_AHEAD_LISTS; i++) {
        native_fetch_destroy(a->lists[i].fetch);
        mem_free(a->lists[i].turns);
        mem_free(a->lists[i].slots);
    }
    mem_free(a->had);
    mem_free(a);
}
