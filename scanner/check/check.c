/*
 * check.c: see check.h.
 *
 *   header ─> plan (both B-trees) ─> sweep (each block once) ─> trees, nodes, references ─>
 * findings
 *
 * One damage must not be told again by what rests on it. So everything that is compared carries,
 * besides what it says, whether it can be believed; where the two sides of a comparison differ, the
 * finding is on the side that is known to be damaged already, and so is not made again:
 *
 *   in doubt                     because                          not judged then
 *   keys of a B-tree (taint.h)   a page that may hold them is     references to them, the entries
 *                                lost or changed                  themselves, their places and
 * counts the roots                    no header checksum is right      what lies where they lead a
 * block's references         it is lost or changed, or its    reference counts that lack some
 *     (links.h: doubted,         entry is in doubt                (refs.c)
 *     partial, lost)
 *   a block's size               its trailer disagrees            totals of data trees above it
 *   a span's allocation          its map is lost or changed       use against allocation there
 *   all that lies beyond a cut   the file is truncated            everything there
 *
 * What FORMAT.md knows from sources or synthetic files alone is never corrupt: the kinds of
 * blocks of 4k images that were never seen (state.h), their allocation maps but the first
 * (sweep.c), and any image of a version that was never seen (below).
 */
#include "scanner/check/check.h"

#include <string.h>

#include "io/err.h"
#include "scanner/check/affected.h"
#include "scanner/check/carve.h"
#include "scanner/check/nodes.h"
#include "scanner/check/order.h"
#include "scanner/check/refs.h"
#include "scanner/check/share.h"
#include "scanner/check/state.h"
#include "scanner/check/sweep.h"
#include "scanner/check/tap.h"
#include "scanner/check/trees.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/block.h"
#include "scanner/ost/page.h"

enum { BASE_BYTES = 64 << 20, A_BLOCK = 48, A_NODE = 32 };

static bool reported(const struct ost_header_report *r, enum finding_code code)
{
    for (unsigned i = 0; i < r->finding_count; i++)
        if (r->findings[i].code == code)
            return true;
    return false;
}

/* Versions of which real files were seen. */
static bool is_known_version(uint16_t version)
{
    return version == 14 || version == 21 || version == 23 || version == 36;
}

static int note_header(struct chk_state *s)
{
    const struct ost_header_report *r = s->job->report;
    int rc = 0;

    for (unsigned i = 0; i < r->finding_count && !rc; i++) {
        const struct finding *f = &r->findings[i];
        struct chk_note n = {
            .offset = f->offset,
            .length = f->length,
            .bid = f->bid,
            .expected = f->expected,
            .actual = f->actual,
            .detail = f->detail,
            .code = (uint16_t)f->code,
            .severity = (uint8_t)f->severity,
            .has =
                (uint8_t)((f->has_offset ? CHK_NOTE_OFFSET : 0) | (f->has_bid ? CHK_NOTE_BID : 0) |
                          (f->has_expected ? CHK_NOTE_EXPECTED : 0) |
                          (f->has_actual ? CHK_NOTE_ACTUAL : 0)),
        };

        if (f->code == F_file_truncated)
            chk_note_about(&n, CHK_ON_CUT, 0);
        if (f->code == F_file_truncated && !s->header_sure)
            n.severity = SEVERITY_WARNING;
        rc = chk_notes_add(&s->notes, &n);
    }
    return rc;
}

static void read_header(struct chk_state *s)
{
    const struct ost_header *h = s->job->header;
    const struct ost_header_report *r = s->job->report;
    bool partial = !reported(r, F_header_crc_partial), full = !reported(r, F_header_crc_full);
    bool has_full = h->format == OST_FORMAT_UNICODE || h->format == OST_FORMAT_UNICODE4K;

    s->header_sure = partial || (has_full && full);
    s->next_block_sure = has_full ? full : partial;
    s->truncated = s->header_sure && h->eof > s->file_size;
    s->eof = s->header_sure && h->eof < s->file_size ? h->eof : s->file_size;
    s->notes.budget = &s->budget;
    s->notes.most = is_known_version(h->version) || !s->header_sure ||
                            s->job->report->state == OST_HEADER_UNUSABLE
                        ? SEVERITY_CORRUPT
                        : SEVERITY_WARNING;
}

static void run_parts(void *ctx, unsigned count,
                      void (*part)(void *arg, unsigned i, struct io_source *source), void *arg)
{
    chk_share(ctx, count, part, arg);
}

static int plan_event(void *ctx, const struct ost_plan_event *event)
{
    struct chk_state *s = ctx;
    int rc = chk_taint_event(&s->taint, event);

    return rc || !s->job->tap ? rc : s->job->tap->event(s->job->tap->ctx, event);
}

static int load_plan(struct chk_state *s)
{
    unsigned threads = chk_share_threads(s->job);
    struct ost_plan_options options = {
        .variant = s->variant,
        .nbt = s->job->header->nbt,
        .bbt = s->job->header->bbt,
        .memory_bytes = s->budget.limit - s->budget.used,
        .gap_bytes = s->variant->page_size,
        .cancel = s->job->cancel,
        .ctx = s,
        .event = plan_event,
        .parts = threads < OST_PLAN_PARTS_MAX ? threads : OST_PLAN_PARTS_MAX,
        .run_parts = run_parts,
    };
    int rc;

    s->taint.budget = &s->budget;
    s->taint.notes = &s->notes;
    s->taint.variant = s->variant;
    s->taint.file_size = s->file_size;
    s->taint.eof = s->truncated ? s->job->header->eof : s->file_size;
    s->taint.header_sure = s->header_sure;
    rc = ost_plan_load(s->job->sources[0], &options, &s->plan);
    if (rc)
        return rc;
    chk_taint_settle(&s->taint, &s->plan);
    if (s->budget.peak < s->budget.used + s->plan.peak_bytes)
        s->budget.peak = s->budget.used + s->plan.peak_bytes;
    return chk_budget_count(&s->budget, s->plan.memory_bytes);
}

/* What the formula allows is only known when it is known how many blocks and nodes there are. Until
 * then as many are allowed as the file has room for. */
static void set_limit(struct chk_state *s, uint64_t blocks, uint64_t nodes)
{
    uint64_t limit = BASE_BYTES + blocks * A_BLOCK + nodes * A_NODE;

    s->budget.limit =
        s->job->memory_bytes > UINT64_MAX - limit ? UINT64_MAX : s->job->memory_bytes + limit;
}

static int note_extent(struct chk_state *s, size_t i, enum finding_code code)
{
    const struct ost_block *b = &s->plan.blocks[i];
    struct chk_note n = chk_note_at(code, ost_plan_leaf(&s->plan, OST_TREE_BBT, b->bid)->offset);

    n.length = s->variant->page_size;
    n.bid = b->bid;
    n.actual = b->offset;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID | CHK_NOTE_ACTUAL;
    chk_note_about(&n, CHK_ON_BLOCK, i);
    return chk_notes_add(&s->notes, &n);
}

/* Blocks and pages on their way into the order of the sweep. */
struct placing {
    struct chk_state *state;
    uint64_t end; /* of what allocation maps cover */
    struct placed {
        uint64_t allocated_bytes, verified_bytes, misplaced;
        uint64_t apart[5]; /* of the next thread's in the cache */
    } parts[CHK_SOURCES_MAX];
};

/* Whether a block can be where its entry says. */
static bool is_place_good(const struct placing *p, const struct ost_block *b)
{
    const struct ost_variant *v = p->state->variant;

    return (b->offset & (v->unit - 1)) == 0 && b->offset >= v->amap_first && b->offset < p->end &&
           range_fits(b->offset, ost_block_extent(v, b->stored), p->state->file_size);
}

static bool place(void *ctx, size_t entry, uint64_t *offset)
{
    const struct placing *p = ctx;
    const struct chk_state *s = p->state;
    const struct ost_plan_page *page;

    if (entry < s->plan.block_count) {
        *offset = s->plan.blocks[entry].offset;
        return is_place_good(p, &s->plan.blocks[entry]);
    }
    page = &s->plan.pages[entry - s->plan.block_count];
    *offset = page->offset;
    return page->trust != OST_TRUST_NONE && page->offset >= s->variant->amap_first &&
           page->offset < p->end;
}

static void count_placed(void *ctx, unsigned part, size_t entry, bool placed)
{
    struct placing *p = ctx;
    struct placed *to = &p->parts[part];
    const struct chk_state *s = p->state;
    const struct ost_variant *v = s->variant;

    if (entry < s->plan.block_count) {
        const struct ost_block *b = &s->plan.blocks[entry];

        to->misplaced += !placed;
        if (!(b->flags & CHK_ENTRY_CARVED))
            to->allocated_bytes += ost_block_extent(v, b->stored);
        return;
    }
    to->allocated_bytes += v->page_size;
    if (s->plan.pages[entry - s->plan.block_count].trust != OST_TRUST_NONE)
        to->verified_bytes += v->page_size;
}

static int judge_place(struct placing *p, size_t i)
{
    struct chk_state *s = p->state;
    const struct ost_variant *v = s->variant;
    const struct ost_block *b = &s->plan.blocks[i];

    if (is_place_good(p, b))
        return 0;
    s->links.lost += ost_bid_internal(b->bid);
    if (chk_block_doubted(s, i))
        return 0;
    if (s->truncated &&
        range_fits(b->offset, ost_block_extent(v, b->stored), s->job->header->eof)) {
        s->status[i] |= CHK_CUT;
        return 0;
    }
    return note_extent(s, i, b->offset % v->unit ? F_extent_unaligned : F_extent_out_of_range);
}

static int make_order(struct chk_state *s, struct chk_order *order)
{
    const struct ost_variant *v = s->variant;
    struct placing p = {
        .state = s,
        .end = ost_amap_offset(v, ost_amap_count(v, s->file_size)),
    };
    const struct chk_order_source from = {
        .plan = &s->plan,
        .file_size = s->file_size,
        .parts = chk_share_threads(s->job),
        .run = {s, run_parts},
        .ctx = &p,
        .place = place,
        .tell = count_placed,
    };
    uint64_t misplaced = 0;
    int rc = chk_order_make(order, &s->budget, &from);

    for (unsigned i = 0; i < from.parts; i++) {
        s->result.allocated_bytes += p.parts[i].allocated_bytes;
        s->result.verified_bytes += p.parts[i].verified_bytes;
        misplaced += p.parts[i].misplaced;
    }
    for (size_t i = 0; i < s->plan.block_count && misplaced && !rc; i++)
        rc = judge_place(&p, i);
    return rc;
}

static int note_field(struct chk_state *s, enum finding_code code, uint64_t offset,
                      uint64_t expected, uint64_t actual)
{
    struct chk_note n = chk_note_at(code, offset);

    n.length = s->variant->id_size;
    n.has |= CHK_NOTE_LENGTH;
    chk_note_expect(&n, expected, actual);
    return chk_notes_add(&s->notes, &n);
}

/* The header's counters and totals against what was found. */
static int check_counters(struct chk_state *s, const struct chk_swept *swept)
{
    const struct ost_variant *v = s->variant;
    const struct ost_header *h = s->job->header;
    bool ansi = v->format == OST_FORMAT_ANSI;
    uint64_t maps = ost_amap_count(v, h->eof), bid = 0,
             page = h->nbt.bid > h->bbt.bid ? h->nbt.bid : h->bbt.bid;
    int rc = 0;

    for (size_t i = s->plan.block_count; i-- > 0 && !bid;)
        if (!chk_block_doubted(s, i))
            bid = s->plan.blocks[i].bid;
    if (s->next_block_sure && bid >= h->bid_next_block)
        rc = note_field(s, F_header_counter_lag, ansi ? OFF_A_BID_NEXT_B : OFF_U_BID_NEXT_B,
                        (bid | BID_INTERNAL | BID_RESERVED) + 1, h->bid_next_block);
    if (!s->header_sure || rc)
        return rc;
    if (page >= h->bid_next_page)
        rc = note_field(s, F_header_counter_lag, ansi ? OFF_A_BID_NEXT_P : OFF_U_BID_NEXT_P,
                        page + 1, h->bid_next_page);
    if (!rc && maps && h->amap_last != ost_amap_offset(v, maps - 1))
        rc = note_field(s, F_amap_last_wrong, ansi ? OFF_A_AMAP_LAST : OFF_U_AMAP_LAST,
                        ost_amap_offset(v, maps - 1), h->amap_last);
    if (!rc && (h->eof < v->amap_first || (h->eof - v->amap_first) % v->amap_spacing))
        rc = note_field(s, F_eof_off_span, ansi ? OFF_A_EOF : OFF_U_EOF, ost_amap_offset(v, maps),
                        h->eof);
    if (!rc && !s->truncated && swept->bad_maps == 0 && swept->free_bytes != h->amap_free)
        rc = note_field(s, F_amap_free_total, ansi ? OFF_A_AMAP_FREE : OFF_U_AMAP_FREE,
                        swept->free_bytes, h->amap_free);
    return rc;
}

static int note_sum(struct chk_state *s, enum finding_code code, uint64_t offset, uint64_t sum)
{
    struct chk_note n = chk_note_at(code, offset);

    n.actual = sum;
    n.has = CHK_NOTE_ACTUAL | (offset ? CHK_NOTE_OFFSET : 0);
    return chk_notes_add(&s->notes, &n);
}

static int note_sums(struct chk_state *s, const struct chk_swept *swept)
{
    bool whole = !s->truncated && !chk_tainted(&s->taint, OST_TREE_BBT) &&
                 !chk_tainted(&s->taint, OST_TREE_NBT);
    int rc = 0;

    if (whole && swept->unused_bytes) {
        s->result.unused_bytes = swept->unused_bytes;
        rc = note_sum(s, F_alloc_unused, 0, swept->unused_bytes);
    }
    if (!rc && swept->obsolete)
        rc = note_sum(s, F_alloc_page_obsolete, swept->obsolete_first, swept->obsolete);
    if (!rc && swept->padded)
        rc = note_sum(s, F_block_padding, swept->padded_first, swept->padded);
    if (!rc && swept->unknown_first != UINT64_MAX) {
        struct chk_note n = chk_note_at(F_alloc_layout_unknown, swept->unknown_first);

        rc = chk_notes_add(&s->notes, &n);
    }
    return rc;
}

/* The density list is advice that many programs do not keep: at most information. */
static int check_density_list(struct chk_state *s)
{
    const struct ost_variant *v = s->variant;
    struct ost_defects defects = {.count = 0};
    uint8_t page[OST_PAGE_MAX];
    struct chk_note n;

    if (!range_fits(v->density_list, v->page_size, s->file_size) ||
        io_source_read(s->job->sources[0], v->density_list, page, v->page_size))
        return 0;
    ost_page_check(v, page, PTYPE_DLIST, s->job->header->bid_next_page, v->density_list, &defects);
    if (!defects.count)
        return 0;
    n = chk_note_at(F_density_list_stale, v->density_list);
    n.length = v->page_size;
    n.has |= CHK_NOTE_LENGTH;
    return chk_notes_add(&s->notes, &n);
}

/* Blocks that the sweep need not read. */
static void ask_had(struct chk_state *s)
{
    s->had = s->job->tap->had(s->job->tap->ctx, &s->had_count);
    for (size_t i = 0; i < s->had_count; i++)
        s->status[s->had[i].block] |= CHK_HAD;
}

/* Whoever wants the blocks too learns where they are. */
static int tell_plan(struct chk_state *s, const struct chk_sweep *sweep)
{
    const struct chk_view view = {
        .plan = &s->plan,
        .bids = &s->bids,
        .status = s->status,
        .file_size = s->file_size,
        .regions = sweep->regions,
        .region_first = s->variant->amap_first,
        .region_bytes = sweep->spans_a_region * s->variant->amap_spacing,
    };

    const struct chk_tap *tap = s->job->tap;
    int rc = tap ? tap->planned(tap->ctx, &view) : 0;

    if (!rc && tap && tap->had)
        ask_had(s);
    return rc;
}

static uint64_t source_bytes(const struct chk_state *s)
{
    uint64_t bytes = s->helped_bytes;

    for (unsigned i = 0; i < s->job->source_count; i++)
        bytes += s->job->sources[i]->bytes_read;
    return bytes;
}

static void sum_up(struct chk_state *s, const struct chk_swept *swept)
{
    s->result.read_bytes = swept->read_bytes;
    s->result.gap_bytes = swept->gap_bytes;
    if (swept->source_bytes > swept->read_bytes)
        s->result.again_bytes = swept->source_bytes - swept->read_bytes;
}

static int sweep(struct chk_state *s, const struct chk_sink *sink)
{
    struct chk_order order = {0};
    struct chk_sweep sweep;
    struct chk_swept swept;
    int rc;

    chk_sweep_init(&sweep, s, sink);
    rc = tell_plan(s, &sweep);
    if (!rc)
        rc = make_order(s, &order);
    s->result.plan_bytes = source_bytes(s);
    if (!rc)
        rc = chk_sweep_run(&sweep, &order, &swept);
    chk_sweep_done(&sweep);
    chk_order_done(&order, &s->budget);
    if (!rc)
        rc = check_counters(s, &swept);
    if (!rc)
        rc = note_sums(s, &swept);
    if (!rc)
        sum_up(s, &swept);
    return rc;
}

/* A reference to a bid that was never handed out is wrong itself; of any other, the entry of the
 * block is missing. */
static void find_next_bid(struct chk_state *s)
{
    for (size_t i = s->plan.block_count; i-- > 0 && !s->next_bid;)
        if (!chk_block_doubted(s, i))
            s->next_bid = s->plan.blocks[i].bid + 1;
    if (s->next_block_sure && s->next_bid < s->job->header->bid_next_block)
        s->next_bid = s->job->header->bid_next_block;
}

/* Entries that the block B-tree should have, on pages that are not in doubt. */
static int note_missing(struct chk_state *s)
{
    const struct chk_dangling *d = s->links.dangling.data;
    int rc = 0;

    chk_links_sort(&s->links);
    for (size_t i = 0; i < s->links.dangling.count && !rc; i++) {
        const struct ost_plan_page *leaf = ost_plan_leaf(&s->plan, OST_TREE_BBT, d[i].bid);
        struct chk_note n;

        if ((i && d[i - 1].bid == d[i].bid) || chk_taint_key(&s->taint, OST_TREE_BBT, d[i].bid))
            continue;
        n = chk_note_at(F_block_missing, leaf->offset);
        n.length = s->variant->page_size;
        n.bid = d[i].bid;
        n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID;
        chk_note_about(&n, CHK_ON_MISSING, i);
        rc = chk_notes_add(&s->notes, &n);
    }
    return rc;
}

static bool has_root(const struct chk_state *s, enum ost_tree tree)
{
    return s->plan.pages[s->plan.trees[tree].page_start].trust != OST_TRUST_NONE;
}

/* Nodes that were carved, judged now that it is known what their blocks are. */
static int tell_recovered(struct chk_state *s, const struct chk_carve *carved,
                          const struct chk_sink *sink)
{
    int rc = 0;

    for (size_t i = 0; i < s->plan.node_count && carved->nodes && !rc; i++) {
        const struct ost_node *n = &s->plan.nodes[i];
        bool good;

        if (!(n->flags & CHK_ENTRY_CARVED))
            continue;
        good = chk_carve_judge(s, carved, i);
        s->result.recovered += good;
        s->result.maybe_stale += !good;
        s->result.nodes += good;
        s->result.items += good && chk_nid_is_message(n->nid);
        s->result.folders += good && chk_nid_is_folder(n->nid);
        if (sink->recovered)
            rc = sink->recovered(sink->ctx, n, !good);
    }
    if (!rc && s->result.recovered)
        rc = note_sum(s, F_nodes_recovered, 0, s->result.recovered);
    if (!rc && s->result.maybe_stale)
        rc = note_sum(s, F_nodes_maybe_stale, 0, s->result.maybe_stale);
    return rc;
}

static int check_plan(struct chk_state *s, const struct chk_sink *sink)
{
    uint64_t swept;
    int rc = chk_bids_init(&s->bids, &s->budget, &s->plan);

    if (rc)
        return rc;
    find_next_bid(s);
    s->status = chk_take_zero(&s->budget, s->plan.block_count * sizeof *s->status, &rc);
    if (!rc)
        rc = sweep(s, sink);
    swept = source_bytes(s);
    if (!rc)
        rc = check_density_list(s);
    if (!rc)
        rc = chk_trees(s);
    if (!rc)
        rc = chk_nodes(s);
    if (!rc)
        rc = note_missing(s);
    s->result.again_bytes += source_bytes(s) - swept;
    return rc ? rc : chk_refs(s);
}

static int check_image(struct chk_state *s, const struct chk_sink *sink)
{
    struct chk_carve carved = {0};
    int rc = load_plan(s);

    if (rc)
        return rc;
    s->result.blocks = s->plan.block_count;
    s->result.nodes = s->plan.node_count;
    s->result.pages = s->plan.page_count;
    s->result.complete = has_root(s, OST_TREE_NBT) && has_root(s, OST_TREE_BBT);
    if (chk_carve_wanted(&s->taint))
        rc = chk_carve(s, &carved);
    set_limit(s, s->plan.block_count, s->plan.node_count);
    if (!rc)
        rc = check_plan(s, sink);
    if (!rc)
        rc = tell_recovered(s, &carved, sink);
    chk_carve_done(&carved, &s->budget);
    return rc;
}

/* An image without roots is carved; one without a header is none. */
static bool can_be_read(const struct chk_state *s)
{
    return s->job->report->state != OST_HEADER_UNUSABLE ||
           (s->variant && reported(s->job->report, F_root_out_of_range));
}

static int tell(struct chk_state *s, const struct chk_sink *sink, struct chk_affected *a,
                const struct chk_note *n)
{
    struct finding f = chk_note_finding(n);

    if (a) {
        chk_affected_find(a, n);
        f.items = a->items.list;
        f.item_count = a->items.count;
        f.folders = a->folders.list;
        f.folder_count = a->folders.count;
    }
    if (a && a->nid && !f.has_nid) {
        f.has_nid = true;
        f.nid = a->nid;
    }
    s->result.corrupt += f.severity == SEVERITY_CORRUPT;
    s->result.warnings += f.severity == SEVERITY_WARNING;
    s->result.infos += f.severity == SEVERITY_INFO;
    return sink->finding(sink->ctx, &f);
}

static int tell_all(struct chk_state *s, const struct chk_sink *sink)
{
    struct chk_affected *a = NULL;
    bool subjects = false;
    int rc = 0;

    chk_notes_sort(&s->notes);
    for (size_t i = 0; i < s->notes.list.count; i++)
        subjects = subjects || chk_notes_get(&s->notes, i)->kind != CHK_ON_NOTHING;
    if (subjects && s->status) {
        a = chk_take(&s->budget, sizeof *a, &rc);
        if (a)
            rc = chk_affected_init(a, s);
        if (rc)
            goto out;
    }
    for (size_t i = 0; i < s->notes.list.count && !rc; i++)
        if (!(chk_notes_get(&s->notes, i)->has & CHK_NOTE_DROPPED))
            rc = tell(s, sink, a, chk_notes_get(&s->notes, i));
    if (a)
        chk_affected_done(a);
out:
    chk_give(&s->budget, a, sizeof *a);
    return rc;
}

int chk_run(const struct chk_job *job, const struct chk_sink *sink, struct chk_result *out)
{
    struct chk_state s = {
        .job = job,
        .variant = ost_variant_of(job->header->format),
        .file_size = job->sources[0]->size_bytes,
    };
    int rc;

    assert(job->source_count > 0 && job->source_count <= CHK_SOURCES_MAX);
    chk_budget_init(&s.budget, 0);
    if (s.variant)
        set_limit(&s, s.file_size / s.variant->bbt_size, s.file_size / s.variant->nbt_size);
    else
        set_limit(&s, 0, 0);
    read_header(&s);
    rc = note_header(&s);
    if (!rc && can_be_read(&s))
        rc = check_image(&s, sink);
    if (!rc)
        rc = tell_all(&s, sink);
    if (!rc) {
        s.result.peak_bytes = s.budget.peak;
        *out = s.result;
    }
    chk_links_done(&s.links, &s.budget);
    chk_give(&s.budget, s.status, s.plan.block_count * sizeof *s.status);
    chk_bids_done(&s.bids, &s.budget);
    chk_notes_done(&s.notes);
    chk_taint_done(&s.taint);
    ost_plan_done(&s.plan);
    return rc;
}
