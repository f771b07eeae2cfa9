/*
 * sweep.c: see sweep.h.
 *
 *   spans of allocation maps ──> shares of some MiB ──> threads, each with its own source
 *
 * A share is whole spans, so a thread sees an allocation map before what it maps, and compares the
 * two as they pass with the bitmap of one span in hand. What each thread found is put together at
 * the end. The state machine of a thread: take a share; chunk after chunk of it is announced, read,
 * and gone through item by item; a span begins with its allocation map and ends with the next.
 *
 * A block that is not there is judged when all others of its span have passed: where another one
 * is, or none can be, its place is wrong (extent_overlap and its kin, at the page that names it),
 * else it was overwritten (block_bid by another, block_lost by anything else).
 *
 * An extent counts as used only if the block is there and its entry is not in doubt: else a wrong
 * entry would be told again as an overlap or as free space in use.
 */
#include "scanner/check/sweep.h"

#include <pthread.h>
#include <string.h>

#include "io/err.h"
#include "scanner/check/carve.h"
#include "scanner/check/chunk.h"
#include "scanner/check/span.h"
#include "scanner/check/verify.h"
#include "scanner/ost/crc.h"
#include "scanner/ost/page.h"

enum {
    SHARE_BYTES = 4 * 1024 * 1024,
    CHUNK_BYTES = 256 * 1024,
    CHUNK_LEAST = 128 * 1024, /* any block fits */
    GAP_BYTES = 16 * 1024,
    CHUNKS_AHEAD = 16,
};

struct shared {
    struct chk_state *state;
    const struct chk_order *order;
    const struct chk_sink *sink;
    uint64_t spans, judged_spans; /* of the file; of what the header calls the file */
    uint64_t spans_a_share;
    size_t chunk_bytes;
    _Atomic uint64_t next_span;
    _Atomic uint64_t done_bytes;
    _Atomic int result;
    _Atomic uint64_t unknown_first; /* UINT64_MAX: none */
};

struct worker {
    struct shared *shared;
    struct io_source *source;
    bool tells; /* progress */
    struct chk_verify verify;
    struct chk_swept swept;
    struct chk_span span;
    bool span_open;
    struct chk_array lost; /* struct lost: of the span */
    uint8_t *buffer;
    size_t buffer_bytes;
    struct chk_chunk *chunks; /* a ring of CHUNKS_AHEAD */
};

/* Only of the first map of K the place was ever seen. */
static bool is_proven(const struct worker *w, uint64_t k)
{
    return w->shared->state->variant->has_pmaps || k == 0;
}

/* A block that is not where its entry says, until its whole span has passed. */
struct lost {
    uint32_t index;
    bool other;   /* another block is there, with its own right checksum */
    uint64_t bid; /* its bid */
    bool changed; /* the block is there but for its checksum; its entry is in doubt */
};

/* An extent in use that the map calls free; `bytes` of it. */
static int note_unmapped(struct worker *w, const struct chk_item *item, uint64_t length,
                         uint64_t bytes)
{
    const struct chk_state *s = w->shared->state;
    struct chk_note n = chk_note_at(F_amap_bit_clear, item->offset);
    uint8_t valid = s->job->header->amap_valid;

    if (!is_proven(w, w->span.k) || !s->header_sure || (valid != 1 && valid != 2))
        return 0;
    n.length = length;
    n.actual = bytes;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_ACTUAL;
    if (item->kind == CHK_ITEM_BLOCK) {
        n.bid = s->plan.blocks[item->index].bid;
        n.has |= CHK_NOTE_BID;
        chk_note_about(&n, CHK_ON_BLOCK, item->index);
    }
    return chk_notes_add(&w->verify.notes, &n);
}

/* Where a block should be and is not, another may be, or none can be: then its place is wrong. */
static enum finding_code judge_lost(const struct worker *w, const struct lost *l)
{
    const struct chk_state *s = w->shared->state;
    const struct ost_block *b = &s->plan.blocks[l->index];

    switch (chk_span_test(&w->span, b->offset, ost_block_extent(s->variant, b->stored))) {
    case CHK_PUT_OVERLAP:
        return F_extent_overlap;
    case CHK_PUT_ON_ALLOC_PAGE:
        return F_extent_on_alloc_page;
    case CHK_PUT_ACROSS:
        if (s->variant->has_pmaps)
            return F_extent_crosses_amap;
        break;
    case CHK_PUT_GOOD:
        break;
    }
    return l->other ? F_block_bid : F_block_lost;
}

/* A block that was freed keeps its trailer until that is overwritten too: one with a wrong checksum
 * is damaged only if its place is still its own. */
static bool is_still_there(const struct worker *w, const struct lost *l)
{
    const struct chk_state *s = w->shared->state;
    const struct ost_block *b = &s->plan.blocks[l->index];
    uint32_t length = ost_block_extent(s->variant, b->stored);

    return !(b->flags & CHK_ENTRY_FREE) &&
           chk_span_test(&w->span, b->offset, length) == CHK_PUT_GOOD &&
           !chk_span_calls_free(&w->span, b->offset, length);
}

static int note_lost(struct worker *w)
{
    const struct lost *list = w->lost.data;
    int rc = 0;

    for (size_t i = 0; i < w->lost.count && !rc; i++)
        if (!list[i].changed)
            rc = chk_verify_lost(&w->verify, list[i].index, judge_lost(w, &list[i]), list[i].bid);
        else if (is_still_there(w, &list[i]))
            rc = chk_verify_lost(&w->verify, list[i].index, F_block_crc, 0);
    w->lost.count = 0;
    return rc;
}

static int add_lost(struct worker *w, size_t index, const uint8_t *extent, bool changed)
{
    struct chk_state *s = w->shared->state;
    const struct ost_block *b = &s->plan.blocks[index];
    struct ost_block_trailer t = ost_block_trailer(s->variant, extent, b->stored);
    uint32_t extent_bytes = ost_block_extent(s->variant, b->stored);
    int rc = 0;
    struct lost *to = chk_array_reserve(&s->budget, &w->lost, sizeof *to, 1, &rc);

    if (!to)
        return rc;
    *to = (struct lost){(uint32_t)index,
                        t.bid && ost_block_extent(s->variant, t.stored) == extent_bytes &&
                            ost_crc_passes(t.crc, ost_crc(extent, t.stored)),
                        t.bid, changed};
    w->lost.count++;
    return 0;
}

static int end_span(struct worker *w)
{
    uint64_t unused;
    int rc = 0;

    if (!w->span_open)
        return 0;
    w->span_open = false;
    rc = note_lost(w);
    if (w->span.known) {
        unused = chk_span_unused(&w->span);
        w->swept.free_bytes += chk_span_free(&w->span);
        w->swept.unused_bytes += unused;
        w->swept.unused_spans += unused > 0;
    }
    return rc;
}

static int begin_span(struct worker *w, uint64_t k)
{
    int rc = end_span(w);

    chk_span_begin(&w->span, w->shared->state->variant, k);
    w->span_open = true;
    return rc;
}

static void layout_unknown(struct worker *w, uint64_t offset)
{
    uint64_t first = w->shared->unknown_first;

    while (offset < first &&
           !atomic_compare_exchange_weak(&w->shared->unknown_first, &first, offset))
        ;
}

static int note_map(struct worker *w, uint64_t offset, const struct ost_defects *d,
                    enum ost_trust trust)
{
    static const enum finding_code codes[] = {
        [OST_PAGE_TYPE] = F_page_type,     [OST_PAGE_TYPE_REPEAT] = F_page_type,
        [OST_PAGE_SIG] = F_page_signature, [OST_PAGE_BID] = F_page_bid,
        [OST_PAGE_CRC] = F_amap_crc,       [OST_PAGE_CONSTANT] = F_page_constant};
    const struct chk_state *s = w->shared->state;
    bool lost = trust == OST_TRUST_NONE;
    int rc = 0;

    if (lost && !s->header_sure)
        return 0;
    for (unsigned i = 0; i < d->count && !rc; i++) {
        struct chk_note n = chk_note_at(lost ? F_amap_lost : codes[d->list[i].kind], offset);

        n.length = s->variant->page_size;
        n.has |= CHK_NOTE_LENGTH;
        if (!lost)
            chk_note_expect(&n, d->list[i].expected, d->list[i].actual);
        n.detail = lost ? NULL : "allocation map";
        if (s->header_sure && s->job->header->amap_valid != 1 && s->job->header->amap_valid != 2)
            n.severity = SEVERITY_WARNING;
        rc = chk_notes_add(&w->verify.notes, &n);
        if (lost)
            break;
    }
    return rc;
}

static int take_map(struct worker *w, uint64_t offset, const uint8_t *page)
{
    const struct chk_state *s = w->shared->state;
    struct ost_defects defects = {.count = 0};
    uint64_t k = (offset - s->variant->amap_first) / s->variant->amap_spacing;
    enum ost_trust trust;
    int rc = begin_span(w, k);

    if (rc)
        return rc;
    if (k >= w->shared->judged_spans)
        return 0;
    w->swept.maps++;
    ost_page_check(s->variant, page, PTYPE_AMAP, offset, offset, &defects);
    trust = ost_page_trust(&defects);
    if (defects.count && !is_proven(w, k))
        layout_unknown(w, offset);
    else if (defects.count)
        rc = note_map(w, offset, &defects, trust);
    if (trust == OST_TRUST_SOUND && !(defects.count && !is_proven(w, k)))
        chk_span_map(&w->span, page);
    else
        w->swept.bad_maps++;
    return rc;
}

static int take_alloc(struct worker *w, const struct chk_item *item, const uint8_t *page)
{
    const struct ost_variant *v = w->shared->state->variant;
    struct ost_defects defects = {.count = 0};

    if (item->index == PTYPE_AMAP)
        return take_map(w, item->offset, page);
    ost_page_check(v, page, (uint8_t)item->index, item->offset, item->offset, &defects);
    if (defects.count && !w->swept.obsolete++)
        w->swept.obsolete_first = item->offset;
    return 0;
}

/* What is wrong with the place of a block is said of the page whose entry names it. */
static int note_place(struct worker *w, const struct chk_item *item, uint64_t length,
                      enum finding_code code)
{
    struct chk_note n = chk_note_at(code, item->offset);

    if (item->kind == CHK_ITEM_BLOCK)
        return chk_verify_lost(&w->verify, item->index, code, 0);
    n.length = length;
    n.has |= CHK_NOTE_LENGTH;
    return chk_notes_add(&w->verify.notes, &n);
}

/* The span of an extent, whose map may have been impossible to read. */
static int enter_span(struct worker *w, uint64_t offset)
{
    const struct ost_variant *v = w->shared->state->variant;
    uint64_t k = (offset - v->amap_first) / v->amap_spacing;

    return w->span_open && w->span.k == k ? 0 : begin_span(w, k);
}

/* An extent that is what its entry says. */
static int use(struct worker *w, const struct chk_item *item, uint64_t length)
{
    const struct ost_variant *v = w->shared->state->variant;
    uint64_t unmapped;
    int rc = enter_span(w, item->offset);

    if (rc)
        return rc;
    switch (chk_span_put(&w->span, item->offset, length, &unmapped)) {
    case CHK_PUT_OVERLAP:
        return note_place(w, item, length, F_extent_overlap);
    case CHK_PUT_ON_ALLOC_PAGE:
        return note_place(w, item, length, F_extent_on_alloc_page);
    case CHK_PUT_ACROSS:
        if (v->has_pmaps)
            rc = note_place(w, item, length, F_extent_crosses_amap);
        break;
    case CHK_PUT_GOOD:
        break;
    }
    return rc || !unmapped ? rc : note_unmapped(w, item, length, unmapped);
}

static int take_page(struct worker *w, const struct chk_item *item)
{
    const struct chk_state *s = w->shared->state;
    const struct ost_plan_page *p = &s->plan.pages[item->index];

    if (p->trust == OST_TRUST_NONE || chk_taint_key(&s->taint, p->tree, p->first))
        return 0;
    return use(w, item, s->variant->page_size);
}

static int take_block(struct worker *w, const struct chk_item *item, const uint8_t *extent)
{
    const struct chk_state *s = w->shared->state;
    enum ost_trust trust;
    int rc = chk_verify_block(&w->verify, item->index, extent, &trust);

    if (!rc)
        rc = enter_span(w, item->offset);
    if (rc)
        return rc;
    if (chk_block_doubted(s, item->index)) {
        bool changed = trust == OST_TRUST_SUSPECT && (s->status[item->index] & CHK_SIZED);

        return changed ? add_lost(w, item->index, extent, true) : 0;
    }
    if (trust == OST_TRUST_NONE)
        return add_lost(w, item->index, extent, false);
    return use(w, item, item->length);
}

static int take_item(struct worker *w, const struct chk_item *item, const uint8_t *bytes)
{
    switch ((enum chk_item_kind)item->kind) {
    case CHK_ITEM_PAGE:
        return take_page(w, item);
    case CHK_ITEM_ALLOC:
        return take_alloc(w, item, bytes);
    case CHK_ITEM_BLOCK:
        break;
    }
    return take_block(w, item, bytes);
}

static bool costs_an_item(int code)
{
    return code == ERR_IO || code == ERR_RANGE;
}

static int unread(struct worker *w, const struct chk_item *item, int code)
{
    struct chk_note n = chk_note_at(F_read_failed, item->offset);

    if (item->kind == CHK_ITEM_BLOCK)
        return chk_verify_unread(&w->verify, item->index, code);
    if (item->index == PTYPE_AMAP)
        w->swept.bad_maps++;
    n.length = item->length;
    n.has |= CHK_NOTE_LENGTH;
    n.detail = err_text(code);
    return chk_notes_add(&w->verify.notes, &n);
}

/* After a read that failed: what can be had is had item by item. */
static int take_one_by_one(struct worker *w, const struct chk_chunk *chunk)
{
    int rc = 0;

    for (size_t i = 0; i < chunk->count && !rc; i++) {
        const struct chk_item *item = &chunk->items[i];

        rc = item->length ? io_source_read(w->source, item->offset, w->buffer, item->length) : 0;
        if (costs_an_item(rc))
            rc = unread(w, item, rc);
        else if (!rc)
            rc = take_item(w, item, w->buffer);
    }
    return rc;
}

static int take_chunk(struct worker *w, const struct chk_chunk *chunk)
{
    const uint8_t *bytes = NULL;
    int rc = 0;

    if (chunk->length)
        rc = io_source_lend(w->source, chunk->offset, chunk->length, w->buffer, &bytes);
    if (costs_an_item(rc))
        return take_one_by_one(w, chunk);
    w->swept.read_bytes += chunk->length;
    for (size_t i = 0; i < chunk->count && !rc; i++) {
        const struct chk_item *item = &chunk->items[i];

        rc = take_item(w, item, item->length ? bytes + (item->offset - chunk->offset) : NULL);
    }
    return rc;
}

static int stopped(const struct shared *shared)
{
    const atomic_bool *cancel = shared->state->job->cancel;

    if (shared->result)
        return shared->result;
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed) ? ERR_CANCELLED : 0;
}

static void progress(struct worker *w, uint64_t bytes)
{
    struct shared *shared = w->shared;
    uint64_t done = atomic_fetch_add(&shared->done_bytes, bytes) + bytes;

    if (w->tells && shared->sink->progress)
        shared->sink->progress(shared->sink->ctx, done);
}

/* Chunks are found CHUNKS_AHEAD before they are read, and announced then. */
static int sweep_share(struct worker *w, uint64_t k, uint64_t k_end)
{
    struct chk_cursor cursor;
    size_t found = 0, taken = 0;
    bool more = true;
    int rc = 0;

    chk_cursor_init(&cursor, w->shared->state, w->shared->order, k, k_end);
    for (;;) {
        struct chk_chunk *c = &w->chunks[taken % CHUNKS_AHEAD];

        while (more && found - taken < CHUNKS_AHEAD) {
            struct chk_chunk *next = &w->chunks[found % CHUNKS_AHEAD];

            more = chk_cursor_next(&cursor, w->buffer_bytes, GAP_BYTES, next);
            if (more && next->length)
                io_source_hint(w->source, IO_HINT_LEND, next->offset, next->length);
            found += more;
        }
        if (taken == found)
            break;
        rc = stopped(w->shared);
        if (!rc)
            rc = take_chunk(w, c);
        if (rc)
            return rc;
        progress(w, c->length);
        taken++;
    }
    return end_span(w);
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct shared *shared = w->shared;
    int rc = 0, none = 0;

    while (!rc && !shared->result) {
        uint64_t k = atomic_fetch_add(&shared->next_span, shared->spans_a_share);
        uint64_t end = k + shared->spans_a_share;

        if (k >= shared->spans)
            break;
        rc = sweep_share(w, k, end < shared->spans ? end : shared->spans);
    }
    if (rc)
        atomic_compare_exchange_strong(&shared->result, &none, rc);
    return NULL;
}

static int worker_init(struct worker *w, struct shared *shared, unsigned i)
{
    struct chk_state *s = shared->state;
    int rc;

    *w = (struct worker){.shared = shared, .source = s->job->sources[i], .tells = i == 0};
    rc = chk_verify_init(&w->verify, s);
    if (rc)
        return rc;
    w->buffer_bytes = shared->chunk_bytes;
    w->buffer = chk_take(&s->budget, w->buffer_bytes, &rc);
    if (!rc)
        w->chunks = chk_take(&s->budget, CHUNKS_AHEAD * sizeof *w->chunks, &rc);
    return rc;
}

static void worker_done(struct worker *w)
{
    struct chk_budget *budget = &w->shared->state->budget;

    chk_give(budget, w->buffer, w->buffer_bytes);
    chk_give(budget, w->chunks, CHUNKS_AHEAD * sizeof *w->chunks);
    chk_array_done(budget, &w->lost, sizeof(struct lost));
    chk_verify_done(&w->verify);
}

static void first_of(uint64_t *first, uint64_t *count, uint64_t more_first, uint64_t more)
{
    if (more && (!*count || more_first < *first))
        *first = more_first;
    *count += more;
}

static int worker_merge(struct worker *w, struct chk_swept *out)
{
    const struct chk_swept *s = &w->swept;

    out->free_bytes += s->free_bytes;
    out->maps += s->maps;
    out->bad_maps += s->bad_maps;
    out->unused_bytes += s->unused_bytes;
    out->unused_spans += s->unused_spans;
    out->read_bytes += s->read_bytes;
    first_of(&out->obsolete_first, &out->obsolete, s->obsolete_first, s->obsolete);
    first_of(&out->padded_first, &out->padded, w->verify.padded_first, w->verify.padded);
    return chk_verify_merge(&w->verify);
}

/* Runs `count` workers, the first in this thread. */
static int run(struct worker *workers, pthread_t *threads, unsigned count)
{
    struct shared *shared = workers[0].shared;
    unsigned started = 1;
    int none = 0;

    for (; started < count; started++)
        if (pthread_create(&threads[started], NULL, work, &workers[started]))
            break;
    if (started < count)
        atomic_compare_exchange_strong(&shared->result, &none, ERR_SYS);
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    return shared->result;
}

int chk_sweep(struct chk_state *s, const struct chk_order *order, const struct chk_sink *sink,
              struct chk_swept *out)
{
    struct shared shared = {
        .state = s,
        .order = order,
        .sink = sink,
        .spans = ost_amap_count(s->variant, s->file_size),
        .judged_spans = ost_amap_count(s->variant, s->eof),
        .spans_a_share = SHARE_BYTES / s->variant->amap_spacing + 1,
        .chunk_bytes = s->job->chunk_bytes ? s->job->chunk_bytes : CHUNK_BYTES,
        .unknown_first = UINT64_MAX,
    };
    unsigned count = s->job->source_count, made = 0;
    struct worker *workers;
    pthread_t threads[CHK_SOURCES_MAX];
    int rc = 0;

    if (shared.chunk_bytes < CHUNK_LEAST)
        shared.chunk_bytes = CHUNK_LEAST;
    workers = chk_take_zero(&s->budget, count * sizeof *workers, &rc);
    if (!workers)
        return rc;
    for (; made < count && !rc; made++)
        rc = worker_init(&workers[made], &shared, made);
    if (!rc)
        rc = run(workers, threads, count);
    *out = (struct chk_swept){0};
    for (unsigned i = 0; i < made && !rc; i++)
        rc = worker_merge(&workers[i], out);
    for (unsigned i = 0; i < made; i++)
        worker_done(&workers[i]);
    chk_give(&s->budget, workers, count * sizeof *workers);
    out->unknown_first = shared.unknown_first;
    return rc;
}
