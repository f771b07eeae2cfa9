/*
 * native_settle.c: the items of a region that could not be read as it was swept. See native_lane.h.
 *
 *   late items ─▶ some of them: walk, until it is known what was dropped ─▶ fetch ─▶ walk …
 *                          └─▶ read, in order ─▶ the next ones
 *
 * As many items are taken together as what was dropped of them fits; so blocks are read again in
 * order of offset, each once. A walk learns of blocks below one that was dropped only when that has
 * been fetched, so there are as many rounds as levels at most; how much they will bring is guessed
 * by what they brought the last time. Of one item too large for the memory a part is fetched, and
 * the rest read as it is needed.
 */
#include "io/err.h"
#include "scanner/native_lane.h"
#include "scanner/ost/block.h"

enum { GROUP_MOST = 4096, GROWTH_FIRST = 4, GROWTH_MOST = 64 };

/* Walks without reading: as native_lane_walk, and what it cost is given back. */
static int probe(struct native_lane *l, const struct native_due *due)
{
    uint64_t charged = ost_sourceblocks_charged(l->run.blocks);
    int rc = native_lane_walk(l, due);

    if (!rc)
        ost_sourceblocks_refund(l->run.blocks, ost_sourceblocks_charged(l->run.blocks) - charged);
    return rc;
}

static bool goes_on(const struct native_lane *l)
{
    return !atomic_load_explicit(&l->shared->exhausted, memory_order_relaxed);
}

static uint64_t missing_bytes(const struct native_lane *l)
{
    uint64_t bytes = 0;

    for (size_t i = l->missing_first; i < l->missing_count; i++)
        bytes += ost_block_extent(l->run.variant, l->run.plan.blocks[l->missing[i]].stored);
    return bytes;
}

/* Takes items off the heap, as many as there is likely to be room for what they miss. */
static int gather(struct native_lane *l, struct native_dues *group)
{
    uint64_t left = native_fetch_room(l->shared->fetch), missing = 0;
    int rc = 0;

    while (!rc && goes_on(l) && l->heap.count && group->count < GROUP_MOST &&
           (!group->count || missing < left / l->shared->growth)) {
        struct native_due due = native_dues_pop(&l->heap);
        int end = native_cancelled(&l->run) ? ERR_CANCELLED : probe(l, &due);

        missing += missing_bytes(l);
        l->missing_count = 0;
        if (!end || (end == NATIVE_DROPPED && native_lane_foretell(l, &due) <= due.order))
            rc = native_dues_add(group, due);
        else
            rc = native_lane_put_off(l, due, end);
    }
    return rc;
}

/* Puts the items of a group from the i-th on back. */
static int put_back(struct native_lane *l, struct native_dues *group, size_t i)
{
    int rc = 0;

    for (size_t k = i; k < group->count && !rc; k++)
        rc = native_dues_push(&l->heap, group->list[k]);
    group->count = i;
    return rc;
}

/* Puts what the group misses into `missing`. Items for which there is no room go back, but for the
 * first: *cut. */
static int find_missing(struct native_lane *l, struct native_dues *group, bool *cut)
{
    uint64_t left = native_fetch_room(l->shared->fetch), missing = 0;

    l->missing_count = 0;
    for (size_t i = 0; i < group->count; i++) {
        int end = native_cancelled(&l->run) ? ERR_CANCELLED : probe(l, &group->list[i]);

        if (end && end != NATIVE_DROPPED && end != NATIVE_AHEAD && end != NATIVE_LATER)
            return end;
        missing += missing_bytes(l);
        if (i && missing > left) {
            l->missing_count = l->missing_first;
            *cut = true;
            return put_back(l, group, i);
        }
    }
    return 0;
}

/* Fetches what is missing until nothing is. */
static int fetch(struct native_lane *l, struct native_dues *group)
{
    struct native_fetch *f = l->shared->fetch;
    unsigned *growth = &l->shared->growth;
    size_t room = native_fetch_room(f);
    bool cut = false;
    int rc = find_missing(l, group, &cut);

    while (!rc && goes_on(l) && l->missing_count) {
        rc = native_fetch_read(f, l->source, l->missing, l->missing_count);
        if (!rc)
            rc = find_missing(l, group, &cut);
    }
    if (cut && *growth < GROWTH_MOST)
        ++*growth;
    else if (!cut && l->heap.count && native_fetch_room(f) > room / 2 && *growth > 1)
        --*growth;
    return rc;
}

/* Of what was fetched: an item that went back is to be read next. */
static bool is_wanted(const void *ctx, uint32_t block)
{
    return !native_is_settled(ctx, block);
}

/* Reads them in order. One that turns out to be due again before the next ones goes before them. */
static int read_all(struct native_lane *l, struct native_dues *group)
{
    int rc = 0;

    for (size_t i = 0; i < group->count && !rc && goes_on(l); i++) {
        if (l->heap.count && native_due_precedes(&l->heap.list[0], &group->list[i])) {
            rc = put_back(l, group, i);
            break;
        }
        rc = native_cancelled(&l->run) ? ERR_CANCELLED : native_lane_take(l, group->list[i]);
    }
    return rc;
}

static int settle_some(struct native_lane *l, struct native_dues *group)
{
    struct native_shared *s = l->shared;
    int rc = 0;

    group->count = l->missing_count = 0;
    native_fetch_keep(s->fetch, s, is_wanted);
    rc = gather(l, group);
    if (!rc)
        rc = fetch(l, group);
    return rc ? rc : read_all(l, group);
}

int native_lane_settle(struct native_lane *l, uint64_t region, struct native_dues *late)
{
    struct native_shared *s = l->shared;
    struct native_dues group = {0};
    int rc = 0;

    l->region = region;
    l->position = UINT64_MAX;
    l->settling = true;
    l->has_run = false;
    l->window_count = 0;
    l->due = l->due_end = 0;
    for (size_t i = 0; i < late->count && !rc; i++)
        rc = native_dues_push(&l->heap, late->list[i]);
    if (!rc && late->count && !s->fetch) {
        s->growth = GROWTH_FIRST;
        rc = native_fetch_create(s->view.plan, s->fetch_bytes, &s->fetch);
    }
    if (!rc && s->fetch)
        native_fetch_begin(s->fetch);
    while (!rc && goes_on(l) && l->heap.count)
        rc = settle_some(l, &group);
    l->settling = false;
    native_dues_done(&group);
    return rc;
}
