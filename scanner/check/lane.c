/*
 * lane.c: see lane.h.
 *
 * A region is whole spans, so a lane sees an allocation map before what it maps, and compares the
 * two as they pass with the bitmap of one span in hand. The state machine: chunk after chunk of the
 * region is announced, read, gone through item by item, and handed to the tap; a span begins with
 * its allocation map and ends with the next.
 *
 * A block that is not there is judged when all others of its span have passed: where another one
 * is, or none can be, its place is wrong (extent_overlap and its kin, at the page that names it),
 * else it was overwritten (block_bid by another, block_lost by anything else).
 *
 * An extent counts as used only if the block is there and its entry is not in doubt: else a wrong
 * entry would be told again as an overlap or as free space in use.
 */
#include "scanner/check/lane.h"

#include <string.h>

#include "io/err.h"
#include "scanner/check/carve.h"
#include "scanner/ost/crc.h"
#include "scanner/ost/page.h"

enum {
    GAP_BYTES = 16 * 1024,
    GAP_TAP_BYTES = 1024, /* items take far longer than a read more */
    CHUNKS_AHEAD = 16,
    CHUNKS = CHUNKS_AHEAD + CHK_TAP_WINDOW, /* a ring of them */
};

/* Only of the first map of K the place was ever seen. */
static bool is_proven(const struct chk_lane *w, uint64_t k)
{
    return w->sweep->state->variant->has_pmaps || k == 0;
}

/* A block that is not where its entry says, until its whole span has passed. */
struct lost {
    uint32_t index;
    bool other;   /* another block is there, with its own right checksum */
    uint64_t bid; /* its bid */
    bool changed; /* the block is there but for its checksum; its entry is in doubt */
};

/* An extent in use that the map calls free; `bytes` of it. */
static int note_unmapped(struct chk_lane *w, const struct chk_item *item, uint64_t length,
                         uint64_t bytes)
{
    const struct chk_state *s = w->sweep->state;
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
static enum finding_code judge_lost(const struct chk_lane *w, const struct lost *l)
{
    const struct chk_state *s = w->sweep->state;
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
static bool is_still_there(const struct chk_lane *w, const struct lost *l)
{
    const struct chk_state *s = w->sweep->state;
    const struct ost_block *b = &s->plan.blocks[l->index];
    uint32_t length = ost_block_extent(s->variant, b->stored);

    return !(b->flags & CHK_ENTRY_FREE) &&
           chk_span_test(&w->span, b->offset, length) == CHK_PUT_GOOD &&
           !chk_span_calls_free(&w->span, b->offset, length);
}

static int note_lost(struct chk_lane *w)
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

static int add_lost(struct chk_lane *w, size_t index, const uint8_t *extent, bool changed)
{
    struct chk_state *s = w->sweep->state;
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

static int end_span(struct chk_lane *w)
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

static int begin_span(struct chk_lane *w, uint64_t k)
{
    int rc = end_span(w);

    chk_span_begin(&w->span, w->sweep->state->variant, k);
    w->span_open = true;
    return rc;
}

static void layout_unknown(struct chk_lane *w, uint64_t offset)
{
    uint64_t first = w->sweep->unknown_first;

    while (offset < first &&
           !atomic_compare_exchange_weak(&w->sweep->unknown_first, &first, offset))
        ;
}

static int note_map(struct chk_lane *w, uint64_t offset, const struct ost_defects *d,
                    enum ost_trust trust)
{
    static const enum finding_code codes[] = {
        [OST_PAGE_TYPE] = F_page_type,     [OST_PAGE_TYPE_REPEAT] = F_page_type,
        [OST_PAGE_SIG] = F_page_signature, [OST_PAGE_BID] = F_page_bid,
        [OST_PAGE_CRC] = F_amap_crc,       [OST_PAGE_CONSTANT] = F_page_constant};
    const struct chk_state *s = w->sweep->state;
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

static int take_map(struct chk_lane *w, uint64_t offset, const uint8_t *page)
{
    const struct chk_state *s = w->sweep->state;
    struct ost_defects defects = {.count = 0};
    uint64_t k = (offset - s->variant->amap_first) / s->variant->amap_spacing;
    enum ost_trust trust;
    int rc = begin_span(w, k);

    if (rc)
        return rc;
    if (k >= w->sweep->judged_spans)
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

static int take_alloc(struct chk_lane *w, const struct chk_item *item, const uint8_t *page)
{
    const struct ost_variant *v = w->sweep->state->variant;
    struct ost_defects defects = {.count = 0};

    if (item->index == PTYPE_AMAP)
        return take_map(w, item->offset, page);
    ost_page_check(v, page, (uint8_t)item->index, item->offset, item->offset, &defects);
    if (defects.count && !w->swept.obsolete++)
        w->swept.obsolete_first = item->offset;
    return 0;
}

/* What is wrong with the place of a block is said of the page whose entry names it. */
static int note_place(struct chk_lane *w, const struct chk_item *item, uint64_t length,
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
static int enter_span(struct chk_lane *w, uint64_t offset)
{
    const struct ost_variant *v = w->sweep->state->variant;

    if (w->span_open && offset - w->span.offset < v->amap_spacing)
        return 0;
    return begin_span(w, (offset - v->amap_first) / v->amap_spacing);
}

/* An extent that is what its entry says. */
static int use(struct chk_lane *w, const struct chk_item *item, uint64_t length)
{
    const struct ost_variant *v = w->sweep->state->variant;
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

static int take_page(struct chk_lane *w, const struct chk_item *item)
{
    const struct chk_state *s = w->sweep->state;
    const struct ost_plan_page *p = &s->plan.pages[item->index];

    if (p->trust == OST_TRUST_NONE || chk_taint_key(&s->taint, p->tree, p->first))
        return 0;
    return use(w, item, s->variant->page_size);
}

static int take_block(struct chk_lane *w, const struct chk_item *item, const uint8_t *extent)
{
    const struct chk_state *s = w->sweep->state;
    enum ost_trust trust;
    int rc;

    if (chk_verify_sound(&w->verify, item->index, extent))
        return use(w, item, item->length);
    rc = chk_verify_block(&w->verify, item->index, extent, &trust);
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

static int take_item(struct chk_lane *w, const struct chk_item *item, const uint8_t *bytes)
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

static int unread(struct chk_lane *w, const struct chk_item *item, int code)
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

/* An item whose bytes are looked at in the file itself (io/cached.h): what is not plainly sound
 * there, or is to be parsed, is copied first, and read where it cannot be believed. */
static int take_fleeting(struct chk_lane *w, const struct chk_item *item, const uint8_t *bytes)
{
    int rc = 0;

    if (item->kind == CHK_ITEM_BLOCK && chk_verify_sound(&w->verify, item->index, bytes))
        return use(w, item, item->length);
    memcpy(w->spare, bytes, item->length);
    if (io_source_torn(w->source))
        rc = io_source_read(w->source, item->offset, w->spare, item->length);
    if (costs_an_item(rc))
        return unread(w, item, rc);
    return rc ? rc : take_item(w, item, w->spare);
}

/* The bytes of an item that need not be read; or NULL. */
static const uint8_t *had(const struct chk_lane *w, const struct chk_item *item)
{
    return item->had ? w->sweep->state->had[item->had - 1].extent : NULL;
}

/* After a read that failed: what can be had is had item by item. */
static int take_one_by_one(struct chk_lane *w, const struct chk_chunk *chunk)
{
    int rc = 0;

    for (size_t i = 0; i < chunk->count && !rc; i++) {
        const struct chk_item *item = &chunk->items[i];
        const uint8_t *at = had(w, item);

        if (item->length && !at)
            rc = io_source_read(w->source, item->offset, w->spare, item->length);
        if (costs_an_item(rc))
            rc = unread(w, item, rc);
        else if (!rc)
            rc = take_item(w, item, at ? at : w->spare);
    }
    return rc;
}

static int take_chunk(struct chk_lane *w, const struct chk_chunk *chunk)
{
    const struct chk_tap *tap = w->sweep->tap;
    size_t first = w->verify.links.inner.count;
    const uint8_t *bytes = NULL;
    bool fleeting = false;
    int rc = 0;

    w->spare = w->buffers + w->taken % w->buffer_count * w->buffer_bytes;
    if (chunk->length && tap)
        rc = io_source_lend(w->source, chunk->offset, chunk->length, w->spare, &bytes);
    else if (chunk->length)
        rc = io_source_look(w->source, chunk->offset, chunk->length, w->spare, &bytes, &fleeting);
    if (costs_an_item(rc)) {
        bytes = NULL;
        rc = take_one_by_one(w, chunk);
    } else if (!rc) {
        w->swept.read_bytes += chunk->length;
        if (chunk->item_bytes < chunk->length)
            w->swept.gap_bytes += chunk->length - chunk->item_bytes;
        for (size_t i = 0; i < chunk->count && !rc; i++) {
            const struct chk_item *item = &chunk->items[i];
            const uint8_t *at = had(w, item);

            if (!at && item->length)
                at = bytes + (item->offset - chunk->offset);
            rc = fleeting && at ? take_fleeting(w, item, at) : take_item(w, item, at);
        }
    }
    return rc || !tap ? rc : tap->chunk(w->tap, chunk, bytes, &w->verify.links, first);
}

/* Chunks are found CHUNKS_AHEAD before they are read, and announced then. */
int chk_lane_sweep(struct chk_lane *w, uint64_t k, uint64_t k_end)
{
    struct chk_cursor cursor;
    uint64_t gap = w->sweep->tap ? GAP_TAP_BYTES : GAP_BYTES;
    size_t found = w->taken;
    bool more = true;
    int rc = 0;

    chk_cursor_init(&cursor, w->sweep->state, w->sweep->order, k, k_end);
    for (;;) {
        const struct chk_chunk *c = &w->chunks[w->taken % CHUNKS];

        while (more && found - w->taken < CHUNKS_AHEAD) {
            struct chk_chunk *next = &w->chunks[found % CHUNKS];

            more = chk_cursor_next(&cursor, w->buffer_bytes, gap, next);
            if (more && next->length)
                io_source_hint(w->source, IO_HINT_LEND, next->offset, next->length);
            found += more;
        }
        if (w->taken == found)
            break;
        rc = chk_sweep_stopped(w->sweep);
        if (!rc)
            rc = take_chunk(w, c);
        if (rc)
            return rc;
        chk_sweep_progress(w->sweep, c->length, w->tells);
        w->taken++;
    }
    return end_span(w);
}

int chk_lane_init(struct chk_lane *w, struct chk_sweep *sweep, struct io_source *source)
{
    struct chk_state *s = sweep->state;
    int rc;

    *w = (struct chk_lane){.sweep = sweep, .source = source, .source_before = source->bytes_read};
    rc = chk_verify_init(&w->verify, s);
    if (rc)
        return rc;
    w->buffer_bytes = sweep->chunk_bytes;
    w->buffer_count = sweep->tap ? CHK_TAP_WINDOW : 1;
    w->buffers = chk_take(&s->budget, w->buffer_count * w->buffer_bytes, &rc);
    if (!rc)
        w->chunks = chk_take(&s->budget, CHUNKS * sizeof *w->chunks, &rc);
    if (rc)
        chk_lane_done(w);
    return rc;
}

void chk_lane_done(struct chk_lane *w)
{
    struct chk_budget *budget = &w->sweep->state->budget;

    chk_give(budget, w->buffers, w->buffer_count * w->buffer_bytes);
    chk_give(budget, w->chunks, CHUNKS * sizeof *w->chunks);
    chk_array_done(budget, &w->lost, sizeof(struct lost));
    chk_verify_done(&w->verify);
}

static void first_of(uint64_t *first, uint64_t *count, uint64_t more_first, uint64_t more)
{
    if (more && (!*count || more_first < *first))
        *first = more_first;
    *count += more;
}

int chk_lane_merge(struct chk_lane *w, struct chk_swept *out)
{
    const struct chk_swept *s = &w->swept;

    out->free_bytes += s->free_bytes;
    out->maps += s->maps;
    out->bad_maps += s->bad_maps;
    out->unused_bytes += s->unused_bytes;
    out->unused_spans += s->unused_spans;
    out->read_bytes += s->read_bytes;
    out->gap_bytes += s->gap_bytes;
    out->source_bytes += w->source->bytes_read - w->source_before;
    first_of(&out->obsolete_first, &out->obsolete, s->obsolete_first, s->obsolete);
    first_of(&out->padded_first, &out->padded, w->verify.padded_first, w->verify.padded);
    return chk_verify_merge(&w->verify);
}
