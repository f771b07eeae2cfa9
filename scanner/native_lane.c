/*
 * native_lane.c: see native_lane.h.
 *
 * An item is looked at when the sweep has passed the furthest of its blocks that is known, which at
 * first are the roots of its node. Its trees are walked: what they name may lie further on, then it
 * is looked at again there; else it is read, at its place in the order.
 *
 *   chunk ─▶ window ─┬─▶ items that are due: walk, read
 *                    └─▶ (leaves the window) blocks that no item has settled ─▶ carry
 *
 * A walk may meet a block that has not passed: further on (AHEAD), or in a region before this one
 * that another lane is at (LATER): that item waits until all regions up to this one are swept.
 */
#include "scanner/native_lane.h"

#include <assert.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/state.h"
#include "scanner/ost/block.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/message.h"
#include "scanner/ost/reach.h"

enum {
    RING_BYTES = 64 << 20, /* of decoded blocks; taken as they are needed */
    SEEN_MOST = 1 << 20,
    MISSING_MOST = 1 << 16,
    FIRST = 64,
};

/* ---- blocks at hand ---- */

uint64_t native_region_of(const struct native_shared *s, uint64_t offset)
{
    uint64_t region;

    if (offset < s->view.region_first)
        return 0;
    region = (offset - s->view.region_first) / s->view.region_bytes;
    return region < s->view.regions ? region : s->view.regions - 1;
}

static uint32_t index_of(const struct native_lane *l, const struct ost_block *block)
{
    return (uint32_t)(block - l->run.plan.blocks);
}

static bool is_clean(const struct native_lane *l, const struct ost_block *block)
{
    return l->shared->view.status[index_of(l, block)] & CHK_CLEAN;
}

static const uint8_t *place(void *ctx, const struct ost_block *block, bool *clean)
{
    const struct native_lane *l = ctx;
    uint32_t size = ost_block_extent(l->run.variant, block->stored);

    for (unsigned i = l->window_count; i-- > 0;) {
        const struct chk_chunk *c = l->window[i].chunk;

        if (block->offset < c->offset || !l->window[i].bytes ||
            !range_fits(block->offset - c->offset, size, c->length))
            continue;
        *clean = is_clean(l, block);
        return l->window[i].bytes + (block->offset - c->offset);
    }
    return NULL;
}

static bool copy(void *ctx, const struct ost_block *block, uint8_t *into, uint32_t extent_bytes,
                 bool *clean)
{
    const struct native_lane *l = ctx;

    if (!native_carry_get(l->shared->carry, index_of(l, block), into, extent_bytes) &&
        !(l->settling &&
          native_fetch_get(l->shared->fetch, index_of(l, block), into, extent_bytes)))
        return false;
    *clean = is_clean(l, block);
    return true;
}

/* Why a block cannot be had yet: NATIVE_AHEAD, NATIVE_LATER, or 0. */
static int not_passed(const struct native_lane *l, const struct ost_block *block)
{
    uint64_t region = native_region_of(l->shared, block->offset);

    if (region > l->region || (region == l->region && block->offset > l->position))
        return NATIVE_AHEAD;
    if (region == l->region)
        return 0;
    return atomic_load_explicit(&l->shared->regions[region].swept, memory_order_acquire)
               ? 0
               : NATIVE_LATER;
}

/* Adds to a list; where there is no memory for it, or it is long enough, it stays as it is. */
static void remember(uint32_t **list, size_t *count, size_t *room, size_t most, uint32_t block)
{
    if (*count == *room && *room < most) {
        size_t more = *room ? 2 * *room : FIRST;
        uint32_t *grown = mem_realloc(*list, more * sizeof *grown);

        if (grown) {
            *list = grown;
            *room = more;
        }
    }
    if (*count < *room)
        (*list)[(*count)++] = block;
}

/* A block that has passed and is nowhere any more. While nothing was dropped there is none that
 * matters: what no item was thought to need is read when one does. */
static bool is_dropped(const struct native_lane *l, const struct ost_block *block)
{
    const struct native_shared *s = l->shared;
    uint32_t index = index_of(l, block);
    bool clean;

    if (l->by_itself || !native_carry_full(s->carry) || place((void *)(uintptr_t)l, block, &clean))
        return false;
    return !native_carry_has(s->carry, index) && !native_streams_has(s->streams, index) &&
           !(l->settling && native_fetch_knows(s->fetch, index));
}

/* What is remembered of the item at hand helps to forget its blocks: where there is no room for
 * it, they are carried on. */
void native_lane_seen(struct native_lane *l, uint32_t block)
{
    remember(&l->seen, &l->seen_count, &l->seen_room, SEEN_MOST, block);
}

static void see(struct native_lane *l, const struct ost_block *block)
{
    int reason = not_passed(l, block);

    if (block->offset > l->highest)
        l->highest = block->offset;
    l->later = l->later || reason == NATIVE_LATER;
    native_lane_seen(l, index_of(l, block));
    if (reason || !is_dropped(l, block))
        return;
    l->dropped = true;
    remember(&l->missing, &l->missing_count, &l->missing_room, MISSING_MOST, index_of(l, block));
}

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    struct native_lane *l = ctx;
    const struct ost_block *block = native_find_block(l->shared, bid);

    if (block && l->walking)
        see(l, block);
    return block;
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct native_lane *l = ctx;
    int rc = l->walking ? not_passed(l, block) : 0;

    /* Walks go around what is missing, to learn of all that is. It may have gone since it was seen.
     */
    if (!rc && l->walking && is_dropped(l, block)) {
        l->dropped = true;
        rc = ERR_DAMAGED;
    }
    return rc ? rc : l->inner->get(l->inner->ctx, block, decoded);
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    struct native_lane *l = ctx;

    l->inner->put(l->inner->ctx, block, decoded);
}

/* ---- what leaves the window ---- */

bool native_is_settled(const struct native_shared *s, uint32_t block)
{
    return atomic_load_explicit(&s->settled[block / 64], memory_order_relaxed) >> (block % 64) & 1;
}

static bool may_be_needed(const struct native_shared *s, uint32_t block)
{
    uint64_t reach;

    return !native_is_settled(s, block) &&
           native_bind_owner(s->bind, block, &reach) != NATIVE_OTHER;
}

/* The bytes of a block that leaves the window; NULL: it is none, or they could not be read. */
static const uint8_t *extent_leaving(const struct native_lane *l, const struct chk_item *item)
{
    const uint8_t *bytes = l->window[0].bytes;
    size_t count;

    if (item->kind != CHK_ITEM_BLOCK)
        return NULL;
    if (item->had)
        return native_ahead_kept(l->run.ahead, &count)[item->had - 1].extent;
    return bytes ? bytes + (item->offset - l->window[0].chunk->offset) : NULL;
}

static void leave_window(struct native_lane *l)
{
    const struct chk_chunk *c = l->window[0].chunk;

    for (size_t i = 0; i < c->count; i++) {
        const struct chk_item *item = &c->items[i];
        const uint8_t *extent = extent_leaving(l, item);

        if (!extent || native_lane_digest(l, item->index) || !may_be_needed(l->shared, item->index))
            continue;
        native_carry_put(l->shared->carry, item->index, extent, item->length);
        if (l->seat.streams)
            native_seat_carried(&l->seat, item->index);
    }
    l->window_count--;
    memmove(&l->window[0], &l->window[1], l->window_count * sizeof l->window[0]);
}

bool native_settle_block(struct native_shared *s, uint32_t block)
{
    enum { OWN_REFS = 2 };

    if (s->view.plan->blocks[block].refs > OWN_REFS)
        return false;
    atomic_fetch_or_explicit(&s->settled[block / 64], UINT64_C(1) << (block % 64),
                             memory_order_relaxed);
    return true;
}

/* No item needs the blocks of the one that was read, but those that others share. */
static void settle_blocks(struct native_lane *l)
{
    struct native_shared *s = l->shared;

    for (size_t i = 0; i < l->seen_count; i++) {
        uint32_t block = l->seen[i];
        bool clean;

        if (native_settle_block(s, block) && !place(l, &l->run.plan.blocks[block], &clean))
            native_carry_drop(s->carry, block);
    }
}

/* ---- items ---- */

static const struct native_lanes *lanes(const struct native_lane *l)
{
    return l->shared->job->lanes;
}

/* Hands an item to the region that its blocks reach into. */
static int post(struct native_lane *l, struct native_due due)
{
    struct native_shared *s = l->shared;
    uint64_t number = native_region_of(s, due.order);
    struct native_region *r = &s->regions[number];
    int rc;

    if (number == l->region)
        return native_dues_push(&l->heap, due);
    pthread_mutex_lock(&s->mutex);
    rc = native_dues_add(r->begun ? &r->late : &r->posted, due);
    pthread_mutex_unlock(&s->mutex);
    return rc;
}

static int make_late(struct native_lane *l, struct native_due due)
{
    struct native_shared *s = l->shared;
    int rc;

    assert(!l->settling); /* or it would never be read */
    pthread_mutex_lock(&s->mutex);
    rc = native_dues_add(&s->regions[l->region].late, due);
    pthread_mutex_unlock(&s->mutex);
    return rc;
}

static int read_item(struct native_lane *l, const struct native_due *due)
{
    const struct ost_node *node = &l->run.plan.nodes[due->node];
    int rc = 0;

    if (!l->has_run)
        rc = lanes(l)->run(l->out, l->region);
    l->has_run = !rc;
    if (!rc)
        rc = lanes(l)->next(l->out, due->order, node->nid);
    if (!rc)
        rc = native_read_item(&l->run, node, due->order);
    settle_blocks(l);
    return rc;
}

int native_lane_walk(struct native_lane *l, const struct native_due *due)
{
    const struct ost_node *node = &l->run.plan.nodes[due->node];
    uint64_t charged = ost_sourceblocks_charged(l->run.blocks), reach;
    int rc;

    l->highest = 0;
    l->seen_count = 0;
    l->missing_first = l->missing_count;
    l->later = l->dropped = false;
    l->walking = l->run.reading.quiet = true;
    rc = ost_reach(l->run.variant, &l->view, node->data, node->sub, &reach);
    l->walking = l->run.reading.quiet = false;
    if (!rc && l->highest > due->order)
        rc = NATIVE_AHEAD;
    if (!rc && l->later)
        rc = NATIVE_LATER;
    if (!rc && l->dropped)
        rc = NATIVE_DROPPED;
    if (!rc)
        return 0;
    charged = ost_sourceblocks_charged(l->run.blocks) - charged;
    ost_sourceblocks_refund(l->run.blocks, charged);
    l->partial += charged;
    if (l->partial > l->shared->allowance)
        atomic_store(&l->shared->exhausted, true);
    return rc;
}

uint64_t native_lane_foretell(const struct native_lane *l, const struct native_due *due)
{
    const struct ost_node *node = &l->run.plan.nodes[due->node];
    const uint64_t roots[] = {node->data, node->sub};
    uint64_t far = 0;

    for (unsigned i = 0; i < 2; i++) {
        const struct ost_block *block = native_find_block(l->shared, roots[i]);
        uint64_t reach;

        if (block && native_bind_owner(l->shared->bind, index_of(l, block), &reach) == NATIVE_ITEM)
            far = reach > far ? reach : far;
    }
    return far;
}

int native_lane_put_off(struct native_lane *l, struct native_due due, int end)
{
    uint64_t far;

    if (end == NATIVE_LATER)
        return make_late(l, due);
    if (end == NATIVE_AHEAD) {
        due.order = l->highest;
        due.likely = false;
        return post(l, due);
    }
    if (end != NATIVE_DROPPED)
        return end;
    far = native_lane_foretell(l, &due);
    if (far > due.order) {
        due.order = far;
        due.likely = true;
        return post(l, due);
    }
    /* What was foretold as it was gathered is so no more. */
    if (l->settling)
        return native_dues_push(&l->heap, due);
    return make_late(l, due);
}

int native_lane_take(struct native_lane *l, struct native_due due)
{
    int rc;

    l->missing_count = 0;
    rc = native_lane_walk(l, &due);
    /* What was there as it was gathered went with an item before it: it is read by itself. */
    if (rc == NATIVE_DROPPED && l->settling) {
        l->by_itself = true;
        rc = native_lane_walk(l, &due);
        l->by_itself = false;
    }
    if (rc)
        return native_lane_put_off(l, due, rc);
    /* Its trees are not what they seemed to be: its place has passed. */
    if (due.likely && l->highest != due.order) {
        atomic_store(&l->shared->exhausted, true);
        return 0;
    }
    return read_item(l, &due);
}

/* The next item due up to the position. */
static bool next_due(struct native_lane *l, struct native_due *out)
{
    const struct native_due *a = l->due < l->due_end ? &l->shared->dues[l->due] : NULL;
    const struct native_due *b = l->heap.count ? &l->heap.list[0] : NULL;

    if (b && (!a || native_due_precedes(b, a)))
        a = b;
    if (!a || a->order > l->position)
        return false;
    if (a == b)
        *out = native_dues_pop(&l->heap);
    else
        *out = l->shared->dues[l->due++];
    return true;
}

static int take_dues(struct native_lane *l)
{
    struct native_due due;
    int rc = 0;

    while (!rc && !atomic_load_explicit(&l->shared->exhausted, memory_order_relaxed) &&
           next_due(l, &due))
        rc = native_cancelled(&l->run) ? ERR_CANCELLED : native_lane_take(l, due);
    return rc;
}

/* ---- regions ---- */

size_t native_due_from(const struct native_shared *s, uint64_t offset)
{
    size_t low = 0, high = s->due_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->dues[middle].order < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t region_start(const struct native_shared *s, uint64_t region)
{
    return region ? s->view.region_first + region * s->view.region_bytes : 0;
}

int native_lane_begin(struct native_lane *l, uint64_t region)
{
    struct native_shared *s = l->shared;
    struct native_region *r = &s->regions[region];
    struct native_dues posted;
    int rc = 0;

    l->region = region;
    l->position = region_start(s, region);
    l->settling = l->has_run = false;
    l->window_count = 0;
    l->due = native_due_from(s, region_start(s, region));
    l->due_end = region + 1 < s->view.regions ? native_due_from(s, region_start(s, region + 1))
                                              : s->due_count;
    pthread_mutex_lock(&s->mutex);
    r->begun = true;
    s->begun++;
    posted = r->posted;
    r->posted = (struct native_dues){0};
    pthread_mutex_unlock(&s->mutex);
    for (size_t i = 0; i < posted.count && !rc; i++)
        rc = native_dues_push(&l->heap, posted.list[i]);
    mem_free(posted.list);
    return rc;
}

static void pass(struct native_shared *s, uint64_t offset)
{
    uint64_t passed = s->passed;

    while (passed < offset && !atomic_compare_exchange_weak(&s->passed, &passed, offset))
        ;
}

int native_lane_chunk(struct native_lane *l, const struct chk_chunk *chunk, const uint8_t *bytes,
                      const struct chk_links *links, size_t first)
{
    int rc;

    l->window[l->window_count].chunk = chunk;
    l->window[l->window_count++].bytes = bytes;
    l->position = chunk->items[chunk->count - 1].offset;
    native_bind_links(l->shared->bind, links, first);
    native_lane_digest_chunk(l, links, first);
    pass(l->shared, l->position);
    rc = take_dues(l);
    if (l->window_count == CHK_TAP_WINDOW)
        leave_window(l);
    return rc;
}

int native_lane_end(struct native_lane *l)
{
    struct native_shared *s = l->shared;
    int rc;

    l->position = l->region + 1 < s->view.regions ? region_start(s, l->region + 1) - 1 : UINT64_MAX;
    rc = take_dues(l);
    while (l->window_count)
        leave_window(l);
    atomic_store_explicit(&s->regions[l->region].swept, true, memory_order_release);
    return rc;
}

/* ---- a lane ---- */

static int on_item(void *ctx, const struct ost_item *item)
{
    const struct native_lane *l = ctx;

    return lanes(l)->item(l->out, item);
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    const struct native_lane *l = ctx;

    return lanes(l)->failed(l->out, nid, folder, assoc);
}

static int on_finding(void *ctx, const struct finding *f)
{
    const struct native_lane *l = ctx;

    return lanes(l)->finding(l->out, f);
}

static int open_blocks(struct native_lane *l, struct io_source *source)
{
    struct native_shared *s = l->shared;
    const struct ost_sourceblocks_options options = {
        .source = source,
        .at_hand = &l->at_hand,
        .plan = &l->run.plan,
        .crypt = s->job->engine->header->crypt,
        .exact = true,
        .memory_bytes = RING_BYTES,
        .allowance_bytes = s->allowance,
        .ctx = &l->run.reading,
        .trouble = ost_reading_block_trouble,
    };
    int rc = ost_sourceblocks_create(&options, &l->run.blocks);

    if (rc)
        return rc;
    l->inner = ost_sourceblocks_view(l->run.blocks);
    l->view = (struct ost_blocks){l, find, get, put, native_lane_knows};
    l->run.reading = (struct ost_reading){
        .variant = l->run.variant,
        .blocks = &l->view,
        .arena = &l->run.scratch,
        .ctx = &l->run,
        .finding = native_tell,
    };
    return native_lane_open_seat(l);
}

int native_lane_create(struct native_shared *s, struct io_source *source, void *kit,
                       struct native_lane **out)
{
    struct native_lane *l = mem_zalloc(sizeof *l);
    int rc;

    if (!l)
        return ERR_NOMEM;
    l->shared = s;
    s->lanes++;
    l->source = source;
    l->run = s->run;
    l->job = *s->job->engine;
    l->run.job = &l->job;
    l->run.blocks = NULL;
    l->run.reading = (struct ost_reading){0};
    l->at_hand = (struct ost_at_hand){l, place, copy};
    l->sink =
        (struct engine_sink){.ctx = l, .item = on_item, .failed = on_failed, .finding = on_finding};
    l->run.sink = &l->sink;
    arena_init(&l->run.scratch, (size_t)l->run.memory_bytes / 2);
    rc = open_blocks(l, source);
    if (!rc)
        rc = s->job->lanes->join(s->job->lanes->ctx, kit, &l->out, &l->job.hasher);
    if (rc)
        native_lane_destroy(l);
    else
        *out = l;
    return rc;
}

int native_lane_destroy(struct native_lane *l)
{
    struct native_shared *s = l->shared;

    s->lanes--;
    if (l->out)
        s->job->lanes->leave(s->job->lanes->ctx, l->out);
    if (l->run.blocks) {
        atomic_fetch_add(&s->charged, ost_sourceblocks_charged(l->run.blocks));
        if (ost_sourceblocks_exhausted(l->run.blocks))
            atomic_store(&s->exhausted, true);
    }
    ost_reading_end(&l->run.reading);
    native_seat_done(&l->seat);
    ost_sourceblocks_destroy(l->run.blocks);
    arena_done(&l->run.scratch);
    native_dues_done(&l->heap);
    mem_free(l->seen);
    mem_free(l->missing);
    mem_free(l);
    return 0;
}
