/*
 * native_stream.c: see native_stream.h.
 *
 *   leaf passes ─┬─ it is due ────▶ digested, and after it those at hand or carried that are due
 * then └─ not yet ──────▶ carried ─▶ (is it due now?)
 *
 *   open ─┬─▶ whole: the digest is known          taken by any number of readers
 *         └─▶ stopped: a prefix, and its state ─▶ gone: taken by one
 *
 * Who finds the leaf due claims its stream, takes it as far as it goes, gives it back, and looks
 * once more: a leaf may have been carried meanwhile by a thread that found it claimed. So a leaf
 * that is carried and due is never left behind.
 */
#include "scanner/native_stream.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"
#include "scanner/check/state.h"
#include "scanner/ost/block.h"

enum {
    STATE_BYTES = 1024, /* of a hasher */
    STATES_MOST = 4096,
    /* Of the memory: what is had of the trees takes three times as much again here at most. */
    TREES_PART = 5,
    STATES_PART = 5,
    EXTENT_MOST = 65536 + 1024,
};

enum phase { OPEN, WHOLE, STOPPED, GONE };

/* Leaves that are neighbours in the plan and in a stream. */
struct place {
    uint32_t block, count;
    uint32_t stream, leaf;
    uint64_t high; /* the highest offset of any leaf up to its last */
};

struct stream {
    _Atomic uint32_t due;         /* block: the leaf to be digested next; CHK_NO_BLOCK: none */
    _Atomic uint32_t digested;    /* leaves */
    _Atomic uint32_t carried;     /* leaves put into the carry; some may have been dropped there */
    _Atomic uint32_t unconfirmed; /* internal blocks that did not pass yet */
    atomic_bool wrong;            /* one of them is not what it was */
    atomic_uchar phase;
    atomic_bool claimed;
    /* Of the thread that has claimed it: */
    uint32_t span, in_span; /* of `due` */
    uint64_t bytes;
    void *state; /* of OPEN with a leaf digested, and STOPPED */
    struct ost_digest digest;
};

struct native_streams {
    const struct ost_plan *plan;
    const uint16_t *status;
    struct ost_hasher hasher;
    uint8_t crypt;
    struct native_trees trees;
    struct stream *list;  /* by tree */
    struct place *places; /* ascending by block */
    size_t place_count;
    atomic_uint states;
    unsigned states_most;
};

/* ---- leaves ---- */

static const struct place *search(const struct native_streams *s, uint32_t block)
{
    size_t low = 0, high = s->place_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->places[middle].block + s->places[middle].count <= block)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->place_count && s->places[low].block <= block ? &s->places[low] : NULL;
}

static bool covers(const struct place *p, uint32_t block)
{
    return block >= p->block && block - p->block < p->count;
}

/* Blocks mostly pass as they stand in the plan. */
static const struct place *place_of(struct native_seat *t, uint32_t block)
{
    const struct native_streams *s = t->streams;
    const struct place *p = &s->places[t->last];

    if (covers(p, block))
        return p;
    if (block > p->block && (t->last + 1 == s->place_count || block < p[1].block))
        return NULL;
    p = search(s, block);
    if (p)
        t->last = (size_t)(p - s->places);
    return p;
}

static bool is_had(const struct stream *st, const struct place *p, uint32_t block)
{
    return p->leaf + (block - p->block) < atomic_load(&st->digested) && !atomic_load(&st->wrong) &&
           atomic_load(&st->phase) != GONE;
}

bool native_streams_has(const struct native_streams *s, uint32_t block)
{
    const struct place *p = s ? search(s, block) : NULL;

    return p && is_had(&s->list[p->stream], p, block);
}

bool native_streams_need(const struct native_streams *s, uint32_t block, uint64_t *need)
{
    const struct place *p = s ? search(s, block) : NULL;

    if (!p || atomic_load_explicit(&s->list[p->stream].phase, memory_order_relaxed) != OPEN)
        return false;
    *need = p->high;
    return true;
}

/* ---- digesting ---- */

static bool begins_with(struct bytes b, size_t at, const char *text)
{
    size_t size = strlen(text);

    return b.size >= at + size && !memcmp(b.data + at, text, size);
}

/* Text in UTF-16 of a Latin alphabet. */
static bool is_wide_text(struct bytes b)
{
    enum { LOOK = 32 };

    for (size_t i = 0; i < LOOK; i++)
        if (b.size < LOOK || (i % 2 ? b.data[i] != 0 : b.data[i] == 0))
            return false;
    return true;
}

/* What is more likely a heap, a body, or other text in an item than the data of an attachment. */
static bool is_likely_body(struct bytes b)
{
    size_t at = begins_with(b, 0, "\xEF\xBB\xBF") ? 3 : 0;

    while (at < b.size && at < 64 && strchr(" \t\r\n", b.data[at]) && b.data[at])
        at++;
    return begins_with(b, 2, "\xEC") || begins_with(b, at, "<") || begins_with(b, 8, "LZFu") ||
           begins_with(b, 8, "MELA") || is_wide_text(b);
}

static void stop(struct stream *st)
{
    atomic_store(&st->due, CHK_NO_BLOCK);
    atomic_store(&st->phase, st->state ? STOPPED : GONE);
}

static bool begin_state(struct native_streams *s, struct stream *st)
{
    if (atomic_fetch_add(&s->states, 1) < s->states_most)
        st->state = s->hasher.begin(s->hasher.ctx);
    if (!st->state)
        atomic_fetch_sub(&s->states, 1);
    return st->state;
}

static void end_state(struct native_streams *s, struct stream *st)
{
    s->hasher.end(st->state, &st->digest);
    st->state = NULL;
    atomic_fetch_sub(&s->states, 1);
    atomic_store(&st->phase, WHOLE);
}

/* Goes on to the next leaf. */
static void step(struct native_streams *s, struct stream *st)
{
    const struct native_tree *tree = &s->trees.list[st - s->list];
    const struct native_span *span = &s->trees.spans[tree->first + st->span];
    uint32_t due = CHK_NO_BLOCK;

    if (++st->in_span == span->count) {
        st->span++;
        st->in_span = 0;
        span++;
    }
    if (st->span < tree->spans)
        due = span->block + st->in_span;
    else
        end_state(s, st);
    atomic_fetch_add(&st->digested, 1);
    atomic_store(&st->due, due);
}

/* The leaf that is due, where its stored bytes lie. */
static void digest(struct native_seat *t, struct stream *st, const struct ost_block *b,
                   const uint8_t *extent, bool clean)
{
    struct native_streams *s = t->streams;
    struct bytes decoded = {extent, b->inflated};

    if (clean && !ost_block_plain(t->decoder, b)) {
        decoded.data = t->bytes + EXTENT_MOST;
        clean = !ost_block_decode(t->decoder, b, extent, t->bytes + EXTENT_MOST, NULL);
    }
    if (!clean || (!st->state && (is_likely_body(decoded) || !begin_state(s, st)))) {
        stop(st);
        return;
    }
    s->hasher.update(st->state, decoded.data, decoded.size);
    st->bytes += decoded.size;
    step(s, st);
}

/* The bytes of a block that has passed, if they are at hand or carried; one that is not clean stays
 * there, for whoever reads it. */
static const uint8_t *bytes_of(struct native_seat *t, struct stream *st, uint32_t block,
                               bool *clean)
{
    const struct ost_block *b = &t->streams->plan->blocks[block];
    const uint8_t *extent = t->at_hand->place(t->at_hand->ctx, b, clean);
    bool carried = atomic_load(&st->carried);

    if (extent && *clean && carried) /* it may be both while it leaves the window */
        native_carry_drop(t->carry, block);
    if (extent || !carried || !native_carry_has(t->carry, block))
        return extent;
    *clean = t->streams->status[block] & CHK_CLEAN; /* what is carried was judged before */
    if (!*clean)
        return t->bytes;
    if (!native_carry_take(t->carry, block, t->bytes,
                           ost_block_extent(t->streams->plan->variant, b->stored)))
        return NULL;
    atomic_fetch_sub(&st->carried, 1);
    return t->bytes;
}

/* Takes a stream as far as it goes. False: another thread is at it. */
static bool advance(struct native_seat *t, struct stream *st)
{
    uint32_t due;

    do {
        const uint8_t *extent;
        bool clean = false;

        if (atomic_exchange(&st->claimed, true))
            return false;
        while ((due = atomic_load(&st->due)) != CHK_NO_BLOCK &&
               (extent = bytes_of(t, st, due, &clean)))
            digest(t, st, &t->streams->plan->blocks[due], extent, clean);
        atomic_store(&st->claimed, false);
    } while (due != CHK_NO_BLOCK && atomic_load(&st->carried) &&
             native_carry_has(t->carry, atomic_load(&st->due)));
    return true;
}

/* ---- a thread's ---- */

bool native_seat_pass(struct native_seat *t, uint32_t block)
{
    const struct place *p = place_of(t, block);
    struct stream *st;

    if (!p)
        return false;
    st = &t->streams->list[p->stream];
    if (atomic_load(&st->due) == block)
        advance(t, st);
    return is_had(st, p, block);
}

void native_seat_carried(struct native_seat *t, uint32_t block)
{
    const struct place *p = place_of(t, block);
    struct stream *st;

    if (!p)
        return;
    st = &t->streams->list[p->stream];
    atomic_fetch_add(&st->carried, 1);
    if (atomic_load(&st->due) == block)
        advance(t, st);
}

/* Whether an internal block says, now that it has passed, what it said before. */
static bool is_same(const struct native_streams *s, const struct native_node *n,
                    const struct chk_inner *inner, const uint32_t *edges)
{
    if (inner->kind != (n->level == 1 ? CHK_KIND_X : CHK_KIND_XX) || inner->doubted ||
        inner->partial || inner->mismatch || inner->total != n->total ||
        inner->data_count != n->edges || !(s->status[n->block] & CHK_CLEAN))
        return false;
    for (uint32_t i = 0; i < n->spans; i++) {
        const struct native_span *span = &s->trees.spans[n->first + i];

        for (uint32_t k = 0; k < span->count; k++)
            if (*edges++ != span->block + k)
                return false;
    }
    return true;
}

void native_seat_confirm(struct native_seat *t, const struct chk_links *links, size_t first)
{
    const struct native_streams *s = t->streams;

    for (size_t i = first; i < links->inner.count; i++) {
        const struct chk_inner *inner = chk_links_inner(links, i);
        const struct native_node *n = native_trees_node(&s->trees, inner->block);
        struct stream *st;

        if (!n)
            continue;
        st = &s->list[n->tree];
        if (is_same(s, n, inner, chk_links_edges(links, inner)))
            atomic_fetch_sub(&st->unconfirmed, 1);
        else
            atomic_store(&st->wrong, true);
    }
}

static struct stream *stream_of(struct native_seat *t, uint32_t root)
{
    const struct native_tree *tree = native_trees_find(&t->streams->trees, root);
    struct stream *st = tree ? &t->streams->list[tree - t->streams->trees.list] : NULL;

    return st && !atomic_load(&st->unconfirmed) && !atomic_load(&st->wrong) ? st : NULL;
}

const struct native_tree *native_seat_whole(struct native_seat *t, uint32_t root, bool *busy)
{
    struct stream *st = stream_of(t, root);

    *busy = st && atomic_load(&st->phase) == OPEN && !advance(t, st);
    return st && atomic_load(&st->phase) == WHOLE ? &t->streams->trees.list[st - t->streams->list]
                                                  : NULL;
}

/* Of a stream that is claimed. */
static bool hand_over(struct native_streams *s, struct stream *st, struct ost_digested *out)
{
    if (!st->state)
        return false;
    *out = (struct ost_digested){.bytes = st->bytes,
                                 .leaves = atomic_load(&st->digested),
                                 .hasher = &s->hasher,
                                 .state = st->state};
    st->state = NULL;
    stop(st);
    atomic_fetch_sub(&s->states, 1);
    return true;
}

bool native_seat_take(struct native_seat *t, uint32_t root, struct ost_digested *out)
{
    struct stream *st = stream_of(t, root);
    bool had;

    if (st && atomic_load(&st->phase) == WHOLE) {
        *out = (struct ost_digested){.bytes = st->bytes,
                                     .leaves = atomic_load(&st->digested),
                                     .whole = true,
                                     .digest = st->digest};
        return true;
    }
    if (!st || atomic_exchange(&st->claimed, true))
        return false;
    had = hand_over(t->streams, st, out);
    atomic_store(&st->claimed, false);
    return had;
}

int native_seat_init(struct native_seat *t, struct native_streams *streams,
                     struct native_carry *carry, const struct ost_at_hand *at_hand)
{
    *t = (struct native_seat){.streams = streams, .carry = carry, .at_hand = at_hand};
    t->bytes = mem_alloc(2 * EXTENT_MOST);
    if (!t->bytes)
        return ERR_NOMEM;
    return ost_decoder_create(streams->plan->variant, streams->crypt, &t->decoder);
}

void native_seat_done(struct native_seat *t)
{
    mem_free(t->bytes);
    ost_decoder_destroy(t->decoder);
    *t = (struct native_seat){0};
}

/* ---- streams ---- */

static int by_block(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->block > y->block) - (x->block < y->block);
}

/* A block that two places have is nobody's: its count of references is wrong. */
static void leave_alone(struct native_streams *s)
{
    uint64_t end = 0;
    uint32_t last = 0;

    for (size_t i = 0; i < s->place_count; i++) {
        const struct place *p = &s->places[i];

        if (p->block < end) {
            stop(&s->list[p->stream]);
            stop(&s->list[last]);
        }
        if (p->block + (uint64_t)p->count > end) {
            end = p->block + (uint64_t)p->count;
            last = p->stream;
        }
    }
}

static uint64_t highest_of(const struct native_streams *s, const struct native_span *span)
{
    uint64_t highest = 0;

    for (uint32_t k = 0; k < span->count; k++)
        if (s->plan->blocks[span->block + k].offset > highest)
            highest = s->plan->blocks[span->block + k].offset;
    return highest;
}

static void open_stream(struct native_streams *s, uint32_t number)
{
    const struct native_tree *tree = &s->trees.list[number];
    struct stream *st = &s->list[number];
    uint64_t high = 0;
    uint32_t leaf = 0;

    atomic_init(&st->due, s->trees.spans[tree->first].block);
    atomic_init(&st->unconfirmed, tree->nodes);
    for (uint32_t i = 0; i < tree->spans; i++) {
        const struct native_span *span = &s->trees.spans[tree->first + i];
        uint64_t highest = highest_of(s, span);

        high = highest > high ? highest : high;
        s->places[s->place_count++] = (struct place){span->block, span->count, number, leaf, high};
        leaf += span->count;
    }
}

static uint64_t spans_of_trees(const struct native_trees *t)
{
    uint64_t spans = 0;

    for (size_t i = 0; i < t->count; i++)
        spans += t->list[i].spans;
    return spans;
}

uint64_t native_streams_memory(const struct native_streams *s)
{
    if (!s)
        return 0;
    return s->trees.memory_bytes + s->trees.count * sizeof *s->list +
           s->place_count * sizeof *s->places + s->states_most * (uint64_t)STATE_BYTES;
}

uint64_t native_streams_largest(const struct native_streams *s)
{
    uint64_t largest = 0;

    for (size_t i = 0; s && i < s->trees.count; i++)
        if (s->trees.list[i].leaf_bytes > largest)
            largest = s->trees.list[i].leaf_bytes;
    return largest;
}

const struct native_trees *native_streams_trees(const struct native_streams *s)
{
    return &s->trees;
}

static bool fill(struct native_streams *s, uint64_t memory)
{
    const struct native_trees *t = &s->trees;
    uint64_t spans = spans_of_trees(t), states = memory / STATES_PART / STATE_BYTES;

    static_assert(sizeof *s->places <= 3 * sizeof *t->spans, "see TREES_PART");
    static_assert(sizeof *s->list <= 3 * sizeof *t->list, "see TREES_PART");
    s->states_most = states < STATES_MOST ? (unsigned)states : STATES_MOST;
    if (!t->count)
        return false;
    s->list = mem_zalloc(t->count * sizeof *s->list);
    s->places = mem_alloc_array((size_t)spans, sizeof *s->places);
    if (!s->list || !s->places)
        return false;
    for (size_t i = 0; i < t->count; i++)
        open_stream(s, (uint32_t)i);
    io_sort(s->places, s->place_count, sizeof *s->places, by_block);
    leave_alone(s);
    return true;
}

int native_streams_create(const struct native_streams_options *o, struct native_streams **out)
{
    struct native_trees_options trees = o->trees;
    struct native_streams *s = mem_zalloc(sizeof *s);
    int rc;

    *out = NULL;
    if (!s)
        return 0;
    s->plan = o->trees.plan;
    s->status = o->status;
    s->hasher = *o->hasher;
    s->crypt = o->crypt;
    trees.memory_bytes = o->trees.memory_bytes / TREES_PART;
    rc = native_trees_read(&trees, &s->trees);
    if (!rc && fill(s, o->trees.memory_bytes)) {
        *out = s;
        return 0;
    }
    native_streams_destroy(s);
    return rc == ERR_NOMEM ? 0 : rc;
}

void native_streams_destroy(struct native_streams *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->list && i < s->trees.count; i++)
        if (s->list[i].state)
            s->hasher.abort(s->list[i].state);
    mem_free(s->list);
    mem_free(s->places);
    native_trees_done(&s->trees);
    mem_free(s);
}
