/*
 * order.c: see order.h.
 *
 *   entries ── each thread a slice, counted ──> where each slice's share of a bucket begins
 *      └────── each thread the same slice ────> keys by bucket ── each sorted in the cache ──> keys
 *
 * A bucket is a stretch of the file, some hundred entries of it, so it is sorted by digits in the
 * nearest cache; many are in order already, for a file grows from its beginning to its end.
 */
#include "scanner/check/order.h"

#include <assert.h>
#include <string.h>

#include "io/crew.h"
#include "io/err.h"

enum {
    BUCKET_BITS = 12, /* of all buckets */
    BUCKETS = 1 << BUCKET_BITS,
    DIGIT_BITS = 9, /* at most */
    DIGITS = 1 << DIGIT_BITS,
    LEAST_A_PART = 16384, /* less is not worth a thread */
};

struct slice {
    size_t first, end; /* entries */
    uint32_t *buckets; /* how many of it go there, then where the next goes */
    uint64_t *spare;   /* for the largest bucket */
};

struct making {
    struct chk_order *order;
    const struct chk_order_source *from;
    unsigned parts, shift; /* shift: of a key, to its bucket */
    unsigned unit_bits;
    struct slice slices[CREW_RUN_MAX];
    uint32_t *buckets;          /* of all slices */
    size_t starts[BUCKETS + 1]; /* where each bucket begins */
};

static unsigned bits_for(uint64_t values)
{
    return values > 1 ? 64 - (unsigned)__builtin_clzll(values - 1) : 1;
}

static bool key_of(const struct making *m, size_t entry, uint64_t *key)
{
    uint64_t offset;

    if (!m->from->place(m->from->ctx, entry, &offset))
        return false;
    *key = offset >> m->unit_bits << m->order->bits | entry;
    return true;
}

static void count(void *ctx, unsigned part, struct io_source *source)
{
    struct making *m = ctx;
    struct slice *s = &m->slices[part];

    (void)source;
    for (size_t i = s->first; i < s->end; i++) {
        uint64_t key;
        bool placed = key_of(m, i, &key);

        m->from->tell(m->from->ctx, part, i, placed);
        if (placed)
            s->buckets[key >> m->shift]++;
    }
}

/* From how many of each to where they go: bucket by bucket, in each slice by slice. Returns how
 * many the largest has. */
static size_t place_buckets(struct making *m)
{
    size_t at = 0, most = 0;

    for (size_t b = 0; b < BUCKETS; b++) {
        m->starts[b] = at;
        for (unsigned p = 0; p < m->parts; p++) {
            uint32_t n = m->slices[p].buckets[b];

            m->slices[p].buckets[b] = (uint32_t)at;
            at += n;
        }
        most = at - m->starts[b] > most ? at - m->starts[b] : most;
    }
    m->starts[BUCKETS] = m->order->count = at;
    return most;
}

static void scatter(void *ctx, unsigned part, struct io_source *source)
{
    struct making *m = ctx;
    const struct slice *s = &m->slices[part];

    (void)source;
    for (size_t i = s->first; i < s->end; i++) {
        uint64_t key;

        if (key_of(m, i, &key))
            m->order->keys[s->buckets[key >> m->shift]++] = key;
    }
}

static void pass(const uint64_t *from, uint64_t *to, size_t count, unsigned shift, unsigned bits)
{
    uint32_t starts[DIGITS], sum = 0;
    uint64_t digits = (uint64_t)1 << bits;

    memset(starts, 0, digits * sizeof *starts);
    for (size_t i = 0; i < count; i++)
        starts[from[i] >> shift & (digits - 1)]++;
    for (size_t d = 0; d < digits; d++) {
        uint32_t n = starts[d];

        starts[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i] >> shift & (digits - 1)]++] = from[i];
}

/* The bits below `low` are in order already: entries ascend. */
static void sort_bucket(uint64_t *keys, uint64_t *spare, size_t count, unsigned low, unsigned high)
{
    unsigned passes = (high - low + DIGIT_BITS - 1) / DIGIT_BITS;
    unsigned bits = passes ? (high - low + passes - 1) / passes : 0;
    uint64_t *from = keys, *to = spare;
    size_t in_order = 1;

    while (in_order < count && keys[in_order - 1] < keys[in_order])
        in_order++;
    if (in_order >= count)
        return;
    for (unsigned shift = low; shift < high; shift += bits) {
        uint64_t *t = from;

        pass(from, to, count, shift, high - shift < bits ? high - shift : bits);
        from = to;
        to = t;
    }
    if (from != keys)
        memcpy(keys, from, count * sizeof *keys);
}

static void sort_part(void *ctx, unsigned part, struct io_source *source)
{
    struct making *m = ctx;
    size_t first = BUCKETS * (size_t)part / m->parts, end = BUCKETS * (part + 1u) / m->parts;

    (void)source;
    for (size_t b = first; b < end; b++)
        sort_bucket(m->order->keys + m->starts[b], m->slices[part].spare,
                    m->starts[b + 1] - m->starts[b], m->order->bits, m->shift);
}

static void run(struct making *m, void (*part)(void *ctx, unsigned part, struct io_source *source))
{
    m->from->run.parts(m->from->run.ctx, m->parts, part, m);
}

static int make(struct making *m, struct chk_budget *budget)
{
    struct chk_order *o = m->order;
    size_t most;
    int rc = 0;

    for (unsigned p = 0; p < m->parts; p++)
        m->slices[p] = (struct slice){.first = o->capacity * p / m->parts,
                                      .end = o->capacity * (p + 1u) / m->parts,
                                      .buckets = m->buckets + (size_t)BUCKETS * p};
    run(m, count);
    most = place_buckets(m);
    o->keys = chk_take(budget, o->capacity * sizeof *o->keys, &rc);
    if (!rc)
        run(m, scatter);
    for (unsigned p = 0; p < m->parts && !rc; p++)
        m->slices[p].spare = chk_take(budget, most * sizeof *o->keys, &rc);
    if (!rc)
        run(m, sort_part);
    for (unsigned p = 0; p < m->parts; p++)
        chk_give(budget, m->slices[p].spare, most * sizeof *o->keys);
    return rc;
}

static unsigned parts_for(const struct chk_order *o, unsigned parts)
{
    size_t worth = o->capacity / LEAST_A_PART + 1;

    return worth < parts ? (unsigned)worth : parts;
}

int chk_order_make(struct chk_order *o, struct chk_budget *budget,
                   const struct chk_order_source *from)
{
    const struct ost_plan *plan = from->plan;
    unsigned unit_bits = bits_for(from->file_size / plan->variant->unit + 1);
    uint64_t size = 0;
    struct making *m;
    int rc = 0;

    *o = (struct chk_order){.capacity = plan->block_count + plan->page_count};
    o->bits = bits_for(o->capacity);
    if (o->bits + unit_bits > 64 || o->capacity > UINT32_MAX)
        return ERR_LIMIT;
    m = chk_take(budget, sizeof *m, &rc);
    if (!m)
        return rc;
    memset(m, 0, sizeof *m);
    m->order = o;
    m->from = from;
    m->unit_bits = (unsigned)__builtin_ctz(plan->variant->unit);
    m->parts = parts_for(o, from->parts);
    m->shift = o->bits + (unit_bits > BUCKET_BITS ? unit_bits - BUCKET_BITS : 0);
    size = (uint64_t)m->parts * BUCKETS * sizeof *m->buckets;
    m->buckets = chk_take_zero(budget, size, &rc);
    if (!rc)
        rc = make(m, budget);
    chk_give(budget, m->buckets, size);
    chk_give(budget, m, sizeof *m);
    return rc;
}

void chk_order_done(struct chk_order *o, struct chk_budget *budget)
{
    chk_give(budget, o->keys, o->capacity * sizeof *o->keys);
    o->keys = NULL;
    o->count = 0;
}

size_t chk_order_from(const struct chk_order *o, uint64_t unit)
{
    size_t low = 0, high = o->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (chk_order_unit(o, middle) < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
