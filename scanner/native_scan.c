/*
 * native_scan.c: see native_scan.h.
 *
 *   check: plan ──▶ planned: store, names, folders, items by where they are due
 *          sweep ─▶ lanes (native_lane.c): regions ─▶ items
 *                          other work: settle the region in turn, close its slot
 *
 * A region is settled when all up to it are swept: items that were late in it are read, then all of
 * its items are there. Regions are settled one after the other, for an item that is late in one may
 * turn out to reach into the next.
 */
#include "scanner/native_scan.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"
#include "scanner/check/carve.h"
#include "scanner/native_lane.h"

enum {
    REGION_BYTES = 16 << 20,
    REGION_LEAST = 256 << 10,
    REGION_PART = 32,

    FETCH_PART = 8,
    FETCH_LEAST = 128 << 10,

    AHEAD_PART = 64,
    AHEAD_MOST = 4 << 20,

    STREAMS_PART = 8,
    REGIONS_LEAST = 4,           /* that fit into the carry, for several to be swept at once */
    STREAM_BYTES = 128 << 10,    /* values of that size are worth a read ahead of the sweep: */
    STREAM_BYTES_SEEK = 4 << 20, /* where it seeks */
};

/* ---- the plan ---- */

static int on_event(void *ctx, const struct ost_plan_event *e)
{
    struct native_shared *s = ctx;

    return native_plan_event(&s->run, e);
}

/* Bids are never used again: a block that is there under its bid is what was written under it,
 * whatever page its entry was found on. */
const struct ost_block *native_find_block(const struct native_shared *s, uint64_t bid)
{
    uint32_t i = bid ? chk_bids_find(s->view.bids, bid) : CHK_NO_BLOCK;

    return i == CHK_NO_BLOCK ? NULL : &s->view.plan->blocks[i];
}

static bool is_in_use(const struct native_shared *s, uint64_t bid)
{
    const struct ost_block *block = native_find_block(s, bid);

    return bid == 0 || (block && (block->refs > 1 || block->flags & CHK_ENTRY_FREE));
}

/* A carved node is current if its page is allocated and the only one that speaks of its keys
 * (carve.h), and its blocks are named by someone. */
static bool is_current(const struct native_shared *s, const struct ost_node *n)
{
    return !(n->flags & CHK_ENTRY_CARVED) ||
           (!(n->flags & CHK_ENTRY_FREE) && is_in_use(s, n->data) && is_in_use(s, n->sub));
}

/* The nodes without those that may be former ones: they count for nothing. */
static int copy_plan(struct native_shared *s, const struct ost_plan *plan)
{
    struct ost_node *nodes;
    size_t count = 0;

    s->run.plan = *plan;
    nodes = mem_alloc_array(plan->node_count + 1, sizeof *nodes);
    if (!nodes)
        return ERR_NOMEM;
    for (size_t i = 0; i < plan->node_count; i++)
        if (is_current(s, &plan->nodes[i]))
            nodes[count++] = plan->nodes[i];
    if (count == plan->node_count) {
        mem_free(nodes);
        return 0;
    }
    s->own_nodes = s->run.plan.nodes = nodes;
    s->run.plan.node_count = count;
    return 0;
}

static uint64_t offset_of(const struct native_shared *s, uint64_t bid)
{
    const struct ost_block *block = native_find_block(s, bid);

    return block ? block->offset : 0;
}

static int compare(const void *a, const void *b)
{
    return native_due_precedes(a, b) ? -1 : native_due_precedes(b, a);
}

static int list_dues(struct native_shared *s)
{
    const struct ost_plan *plan = &s->run.plan;
    size_t count = 0;

    for (size_t i = 0; i < plan->node_count; i++)
        count += ost_nid_is_message(plan->nodes[i].nid);
    s->dues = mem_alloc_array(count + 1, sizeof *s->dues);
    if (!s->dues)
        return ERR_NOMEM;
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct ost_node *n = &plan->nodes[i];
        uint64_t data, sub;

        if (!ost_nid_is_message(n->nid))
            continue;
        data = offset_of(s, n->data);
        sub = offset_of(s, n->sub);
        s->dues[s->due_count++] =
            (struct native_due){.order = data > sub ? data : sub, .node = (uint32_t)i};
    }
    io_sort(s->dues, s->due_count, sizeof *s->dues, compare);
    return 0;
}

/* Of a block whose item nobody knows yet, that it will be needed near the end; of a large value's,
 * as soon as those before it have passed. */
static uint64_t need_of(const void *ctx, uint32_t block)
{
    const struct native_shared *s = ctx;
    uint64_t passed, reach;

    if (native_streams_need(s->streams, block, &reach))
        return reach;
    switch (native_bind_owner(s->bind, block, &reach)) {
    case NATIVE_ITEM:
        return reach;
    case NATIVE_SHARED:
    case NATIVE_OTHER:
        return 0;
    case NATIVE_UNBOUND:
        break;
    }
    passed = atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)&s->passed, memory_order_relaxed);
    return passed + (s->view.file_size - passed) / 4 * 3;
}

static uint32_t index_of(const struct native_shared *s, uint64_t bid)
{
    const struct ost_block *block = native_find_block(s, bid);

    return block ? (uint32_t)(block - s->view.plan->blocks) : CHK_NO_BLOCK;
}

static uint64_t carry_bytes(const struct native_scan_job *job)
{
    return job->carry_bytes ? job->carry_bytes : job->engine->memory_bytes / 2;
}

static int make_streams(struct native_shared *s, uint64_t memory)
{
    const struct native_scan_job *job = s->job;
    const struct native_streams_options options = {
        .trees = {.plan = s->view.plan,
                  .bids = s->view.bids,
                  .source = s->run.source,
                  .least_bytes = job->seeks ? STREAM_BYTES_SEEK : STREAM_BYTES,
                  .memory_bytes = memory},
        .status = s->view.status,
        .hasher = job->stream_hasher,
        .crypt = job->engine->header->crypt,
    };

    return job->stream_hasher ? native_streams_create(&options, &s->streams) : 0;
}

/* What is carried is bound to items where the memory is not small for that. */
static int make_carry(struct native_shared *s)
{
    uint64_t memory = carry_bytes(s->job);
    uint64_t tables = native_bind_bytes(s->view.plan->block_count);
    int rc = 0;

    s->fetch_bytes = (size_t)(memory / FETCH_PART);
    memory -= s->fetch_bytes;
    rc = make_streams(s, memory / STREAMS_PART);
    if (rc)
        return rc;
    memory -= native_streams_memory(s->streams);
    if (s->fetch_bytes < FETCH_LEAST)
        s->fetch_bytes = FETCH_LEAST;
    if (tables < memory / 4) {
        memory -= tables;
        rc = native_bind_create(s->view.plan, &s->bind);
    }
    for (size_t i = 0; i < s->run.plan.node_count && s->bind; i++) {
        const struct ost_node *n = &s->run.plan.nodes[i];

        native_bind_node(s->bind, index_of(s, n->data), index_of(s, n->sub),
                         ost_nid_is_message(n->nid));
    }
    s->in_turn = s->view.region_bytes > memory / REGIONS_LEAST &&
                 native_streams_largest(s->streams) > memory / 2;
    return rc ? rc : native_carry_create(memory, (struct native_needs){s, need_of}, &s->carry);
}

static int make_tables(struct native_shared *s)
{
    int rc;

    s->regions = mem_zalloc((size_t)s->view.regions * sizeof *s->regions);
    if (!s->regions)
        return ERR_NOMEM;
    rc = make_carry(s);
    return rc ? rc : list_dues(s);
}

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    return native_find_block(ctx, bid);
}

/* What folders and the like were read from nobody waits for in the sweep. */
static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct native_shared *s = ctx;
    const struct ost_blocks *blocks = ost_sourceblocks_view(s->run.blocks);

    native_settle_block(s, (uint32_t)(block - s->view.plan->blocks));
    return blocks->get(blocks->ctx, block, decoded);
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    const struct ost_blocks *blocks =
        ost_sourceblocks_view(((struct native_shared *)ctx)->run.blocks);

    blocks->put(blocks->ctx, block, decoded);
}

static int read_folders(struct native_shared *s)
{
    struct native_run *n = &s->run;
    uint64_t memory = s->job->engine->memory_bytes / AHEAD_PART;
    int rc = native_ahead_create(s->view.plan, n->source,
                                 memory < AHEAD_MOST ? (size_t)memory : AHEAD_MOST, &n->ahead);

    if (!rc)
        rc = native_open_blocks(n);
    if (rc == ERR_UNSUPPORTED) {
        s->idle = true;
        return native_crypt_unknown(n);
    }
    if (rc)
        return rc;
    s->blocks = (struct ost_blocks){.ctx = s, .find = find, .get = get, .put = put};
    n->reading.blocks = &s->blocks;
    rc = native_image(n);
    if (!rc)
        rc = native_folders(n);
    native_ahead_keep(n->ahead);
    if (rc)
        return rc;
    atomic_store(&s->charged, ost_sourceblocks_charged(n->blocks));
    atomic_store(&s->exhausted, ost_sourceblocks_exhausted(n->blocks));
    return 0;
}

static int on_planned(void *ctx, const struct chk_view *view)
{
    struct native_shared *s = ctx;
    int rc;

    s->view = *view;
    /* Blocks of folders lie anywhere: what lies around them is read by the sweep. */
    io_source_hint(s->run.source, IO_HINT_RANDOM, 0, view->file_size);
    rc = copy_plan(s, view->plan);
    s->settled = mem_zalloc((view->plan->block_count / 64 + 1) * sizeof *s->settled);
    if (!rc)
        rc = s->settled ? read_folders(s) : ERR_NOMEM;
    if (rc || s->idle)
        return rc;
    /* A file without room for a block: who knows what its nodes name. */
    if (!view->regions)
        atomic_store(&s->exhausted, true);
    s->allowance = native_allowance(&s->run.plan, view->file_size);
    return make_tables(s);
}

/* A read around what is there costs more than its bytes where each goes to the device. */
static const struct chk_had *on_had(void *ctx, size_t *count)
{
    const struct native_shared *s = ctx;
    const struct io_file *file = s->job->engine->file;

    *count = 0;
    return s->run.ahead && !(file && file->direct) ? native_ahead_kept(s->run.ahead, count) : NULL;
}

/* ---- the sweep ---- */

static int on_join(void *ctx, struct io_source *source, void *kit, void **lane)
{
    struct native_lane *l = NULL;
    struct native_shared *s = ctx;
    int rc = s->idle ? 0 : native_lane_create(s, source, kit, &l);

    io_source_hint(source, IO_HINT_RANDOM, 0, s->view.file_size);

    *lane = l;
    return rc;
}

static int on_leave(void *lane)
{
    return native_lane_destroy(lane);
}

static int on_begin(void *lane, uint64_t region)
{
    return lane ? native_lane_begin(lane, region) : 0;
}

static int on_chunk(void *lane, const struct chk_chunk *chunk, const uint8_t *bytes,
                    const struct chk_links *links, size_t first)
{
    return lane ? native_lane_chunk(lane, chunk, bytes, links, first) : 0;
}

static int on_end(void *lane, uint64_t region)
{
    (void)region;
    return lane ? native_lane_end(lane) : 0;
}

/* Takes the region in turn, if it can be settled now. */
static bool take_turn(struct native_shared *s, uint64_t *region, struct native_dues *late)
{
    bool taken = false;

    pthread_mutex_lock(&s->mutex);
    if (!s->settling && s->settle_turn < s->view.regions &&
        atomic_load(&s->regions[s->settle_turn].swept)) {
        s->settling = taken = true;
        *region = s->settle_turn;
        *late = s->regions[*region].late;
        s->regions[*region].late = (struct native_dues){0};
    }
    pthread_mutex_unlock(&s->mutex);
    return taken;
}

/* Whether what is swept further on might only drop what is needed for the region whose turn it is,
 * which another lane is at: of a large value nothing is digested behind a block that was dropped.
 */
static bool is_far_ahead(struct native_shared *s)
{
    bool far;

    pthread_mutex_lock(&s->mutex);
    far = s->begun > s->settle_turn + (s->in_turn ? 0 : s->lanes);
    pthread_mutex_unlock(&s->mutex);
    return far && (s->in_turn || native_carry_strained(s->carry));
}

static int on_other(void *lane)
{
    struct native_lane *l = lane;
    struct native_shared *s;
    struct native_dues late;
    uint64_t region;
    int rc;

    if (!l)
        return 0;
    s = l->shared;
    if (!take_turn(s, &region, &late))
        return is_far_ahead(s) ? CHK_TAP_HOLD : 0;
    rc = native_lane_settle(l, region, &late);
    mem_free(late.list);
    pthread_mutex_lock(&s->mutex);
    s->settling = false;
    s->settle_turn++;
    pthread_mutex_unlock(&s->mutex);
    if (!rc)
        rc = s->job->lanes->close(l->out, region);
    return rc ? rc : 1;
}

static void on_stop(void *ctx, int code)
{
    const struct native_lanes *lanes = ((struct native_shared *)ctx)->job->lanes;

    lanes->stop(lanes->ctx, code);
}

/* ---- the scan ---- */

static void shared_done(struct native_shared *s)
{
    for (uint64_t i = 0; s->regions && i < s->view.regions; i++) {
        mem_free(s->regions[i].posted.list);
        mem_free(s->regions[i].late.list);
    }
    mem_free(s->regions);
    mem_free(s->dues);
    mem_free(s->settled);
    mem_free(s->own_nodes);
    native_carry_destroy(s->carry);
    native_fetch_destroy(s->fetch);
    native_streams_destroy(s->streams);
    native_bind_destroy(s->bind);
    native_run_done(&s->run);
    native_ahead_destroy(s->run.ahead);
    pthread_mutex_destroy(&s->mutex);
}

/* What is swept before its items are settled takes part of what is carried. */
static uint64_t region_bytes_of(const struct native_scan_job *job)
{
    uint64_t part = carry_bytes(job) / REGION_PART;

    return part < REGION_LEAST ? REGION_LEAST : part < REGION_BYTES ? part : REGION_BYTES;
}

int native_scan(const struct native_scan_job *job, struct chk_result *result, bool *again)
{
    struct native_shared s = {.job = job};
    const struct chk_tap tap = {
        .ctx = &s,
        .region_bytes = job->region_bytes ? job->region_bytes : region_bytes_of(job),
        .event = on_event,
        .planned = on_planned,
        .had = on_had,
        .join = on_join,
        .leave = on_leave,
        .begin = on_begin,
        .chunk = on_chunk,
        .end = on_end,
        .other = on_other,
        .stop = on_stop,
    };
    struct chk_job check = *job->check;
    int rc;

    pthread_mutex_init(&s.mutex, NULL);
    native_run_init(&s.run, job->engine, job->sink, check.sources[0]);
    check.tap = &tap;
    rc = s.run.variant ? chk_run(&check, job->check_sink, result) : ERR_UNSUPPORTED;
    *again = s.exhausted || s.charged > s.allowance;
    if (job->carried && s.carry)
        *job->carried = native_carry_sums(s.carry);
    shared_done(&s);
    return rc;
}
