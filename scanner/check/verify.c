/*
 * verify.c: see verify.h.
 *
 * A block's trailer repeats what the block B-tree says of it. Where the two differ in one field and
 * the checksum is right, the trailer is damaged; where only the checksum is wrong, the content is;
 * where neither, another block lies there or none, and that is the tree's doing if the
 * entry is in doubt (taint.h).
 * Of an entry in doubt nothing is noted here.
 *
 * A block that is not there is not noted here: who sees its neighbours can tell whether the tree
 * names a wrong place (sweep.c). An entry with a wrong size betrays itself where the trailer is
 * found all the same: with the trailer's size the checksum is right.
 *
 * Internal blocks are decoded and their references looked up at once. What a damaged or doubtful
 * block names is kept as a maybe: it excuses, and proves nothing.
 */
#include "scanner/check/verify.h"

#include <string.h>

#include "io/err.h"
#include "scanner/check/carve.h"
#include "scanner/ost/crc.h"
#include "scanner/ost/datatree.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/subnode.h"

enum { DECODED_BYTES = 65536 };

static const enum finding_code codes[OST_DEFECT_KINDS] = {
    [OST_BLOCK_SIZE] = F_block_size,         [OST_BLOCK_SIG] = F_block_signature,
    [OST_BLOCK_BID] = F_block_bid,           [OST_BLOCK_CRC] = F_block_crc,
    [OST_BLOCK_INFLATED] = F_block_inflated, [OST_BLOCK_CONSTANT] = F_block_constant,
    [OST_BLOCK_ZERO] = F_block_constant,
};

/* Of a decoded block that says it is of a data tree, of a subnode tree. */
static const enum finding_code data_codes[OST_DEFECT_KINDS] = {
    [OST_TREE_SHORT] = F_xblock_form,
    [OST_TREE_TYPE] = F_xblock_form,
    [OST_TREE_LEVEL] = F_xblock_level,
    [OST_TREE_COUNT] = F_xblock_form,
};
static const enum finding_code subnode_codes[OST_DEFECT_KINDS] = {
    [OST_TREE_SHORT] = F_subnode_form,     [OST_TREE_TYPE] = F_subnode_form,
    [OST_TREE_LEVEL] = F_subnode_form,     [OST_TREE_COUNT] = F_subnode_form,
    [OST_SUBNODE_ORDER] = F_subnode_order,
};

/* An internal block while its references are looked up. */
struct reading {
    size_t index;
    struct chk_inner inner;
    uint32_t *edges;
    size_t count;
    bool subnodes; /* it is of a subnode tree */
    bool told;     /* of a reference to nothing */
};

int chk_verify_init(struct chk_verify *w, struct chk_state *state)
{
    int rc = 0;

    *w = (struct chk_verify){.state = state};
    w->notes.budget = &state->budget;
    w->notes.most = state->notes.most;
    w->decoded = chk_take(&state->budget, DECODED_BYTES, &rc);
    if (!w->decoded)
        return rc;
    rc = ost_decoder_create(state->variant, OST_CRYPT_NONE, &w->decoder);
    if (rc)
        chk_verify_done(w);
    return rc;
}

void chk_verify_done(struct chk_verify *w)
{
    ost_decoder_destroy(w->decoder);
    chk_give(&w->state->budget, w->decoded, DECODED_BYTES);
    chk_links_done(&w->links, &w->state->budget);
    chk_notes_done(&w->notes);
    w->decoder = NULL;
    w->decoded = NULL;
}

static int note(struct chk_verify *w, size_t index, enum finding_code code, bool has_values,
                uint64_t expected, uint64_t actual)
{
    const struct ost_block *b = &w->state->plan.blocks[index];
    struct chk_note n = chk_note_at(code, b->offset);

    n.length = ost_block_extent(w->state->variant, b->stored);
    n.bid = b->bid;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID;
    if (has_values)
        chk_note_expect(&n, expected, actual);
    if (chk_kind_unproven(w->state, chk_kind_of(w->state, index)) && n.severity == SEVERITY_CORRUPT)
        n.severity = SEVERITY_WARNING;
    chk_note_about(&n, CHK_ON_BLOCK, index);
    return chk_notes_add(&w->notes, &n);
}

static int note_defects(struct chk_verify *w, size_t index, const struct ost_defects *d,
                        const enum finding_code *code_of)
{
    int rc = 0;

    for (unsigned i = 0; i < d->count && !rc; i++)
        rc = note(w, index, code_of[d->list[i].kind], true, d->list[i].expected, d->list[i].actual);
    return rc;
}

/* Whether a block is where its entry says, and the entry is wrong about its size alone. */
static bool is_entry_wrong(const struct chk_state *s, const struct ost_block *b,
                           const uint8_t *extent, const struct ost_defects *d,
                           struct ost_block_trailer *t)
{
    if (ost_defects_has(d, OST_BLOCK_BID) || ost_defects_has(d, OST_BLOCK_SIG))
        return false;
    *t = ost_block_trailer(s->variant, extent, b->stored);
    return ost_block_extent(s->variant, t->stored) == ost_block_extent(s->variant, b->stored) &&
           ost_crc_passes(t->crc, ost_crc(extent, t->stored));
}

static int note_entry(struct chk_verify *w, size_t index, uint16_t right)
{
    const struct chk_state *s = w->state;
    const struct ost_block *b = &s->plan.blocks[index];
    struct chk_note n =
        chk_note_at(F_block_size, ost_plan_leaf(&s->plan, OST_TREE_BBT, b->bid)->offset);

    n.length = s->variant->page_size;
    n.bid = b->bid;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID;
    chk_note_expect(&n, right, b->stored);
    chk_note_about(&n, CHK_ON_BLOCK, index);
    return chk_notes_add(&w->notes, &n);
}

/* Looks a reference up. `wants`: whether it must be internal (1), must not (0), may be (-1). */
static int resolve(struct chk_verify *w, struct reading *r, uint64_t bid, int wants,
                   uint32_t *found)
{
    const struct chk_state *s = w->state;
    bool internal = ost_bid_internal(bid);
    int rc = 0;

    *found = CHK_NO_BLOCK;
    if (wants >= 0 && internal != (wants == 1)) {
        r->inner.partial = true;
        if (r->inner.doubted)
            return 0;
        return note(w, r->index, r->subnodes ? F_subnode_child : F_xblock_child, true, 0, bid);
    }
    *found = chk_bids_find(&s->bids, bid);
    if (*found != CHK_NO_BLOCK)
        return 0;
    r->inner.partial = true;
    if (bid && (bid < s->next_bid || chk_taint_key(&s->taint, OST_TREE_BBT, bid)))
        return r->inner.doubted
                   ? 0
                   : chk_links_dangle(&w->links, &w->state->budget, bid, (uint32_t)r->index);
    if (!r->inner.doubted && !r->told)
        rc = note(w, r->index, r->subnodes ? F_subnode_dangling : F_xblock_dangling, true, 0, bid);
    r->told = true;
    return rc;
}

static void keep(struct reading *r, uint32_t edge)
{
    if (edge != CHK_NO_BLOCK)
        r->edges[r->count++] = edge;
}

/* Compares an XBLOCK with its leaves as the B-tree has them. They may pass later than it: what does
 * not fit is a note that stands only if all leaves turn out to be what the tree says. */
static int check_leaves(struct chk_verify *w, struct reading *r)
{
    const struct chk_state *s = w->state;
    uint64_t sum = 0;
    uint32_t full = s->variant->data_max;
    uint32_t odd = full;
    int rc = 0;

    if (r->inner.doubted || r->inner.partial)
        return 0;
    for (size_t i = 0; i < r->count; i++) {
        uint32_t size = s->plan.blocks[r->edges[i]].inflated;

        if (chk_block_doubted(s, r->edges[i]))
            return 0;
        sum += size;
        if (size != full && i + 1 < r->count && odd == full)
            odd = size;
    }
    r->inner.mismatch = odd != full || sum != r->inner.total;
    if (odd != full)
        rc = note(w, r->index, F_xblock_leaf_size, true, full, odd);
    if (!rc && sum != r->inner.total)
        rc = note(w, r->index, F_xblock_total, true, sum, r->inner.total);
    return rc;
}

static int read_xblock(struct chk_verify *w, struct reading *r, const struct ost_xblock *x)
{
    int rc = chk_links_reserve(&w->links, &w->state->budget, x->count);

    if (rc)
        return rc;
    r->edges = chk_links_room(&w->links);
    r->inner.kind = x->level == 1 ? CHK_KIND_X : CHK_KIND_XX;
    r->inner.total = x->total;
    for (unsigned i = 0; i < x->count && !rc; i++) {
        uint32_t found;

        rc = resolve(w, r, ost_xblock_bid(x, i), x->level == 2, &found);
        keep(r, found);
    }
    r->inner.data_count = (uint16_t)r->count;
    if (!rc && x->level == 1)
        rc = check_leaves(w, r);
    return rc;
}

static int read_slblock(struct chk_verify *w, struct reading *r, const struct ost_sblock *b)
{
    int rc = chk_links_reserve(&w->links, &w->state->budget, 2 * (size_t)b->count);

    if (rc)
        return rc;
    r->edges = chk_links_room(&w->links);
    r->inner.kind = CHK_KIND_SL;
    r->inner.first = b->count ? ost_sblock_nid(b, 0) : 1;
    r->inner.last = b->count ? ost_sblock_nid(b, b->count - 1u) : 0;
    for (unsigned i = 0; i < b->count && !rc; i++) {
        uint64_t data = ost_sblock_subnode(b, i).data;
        uint32_t found = CHK_NO_BLOCK;

        if (data)
            rc = resolve(w, r, data, -1, &found);
        keep(r, found);
    }
    r->inner.data_count = (uint16_t)r->count;
    for (unsigned i = 0; i < b->count && !rc; i++) {
        uint64_t sub = ost_sblock_subnode(b, i).sub;
        uint32_t found = CHK_NO_BLOCK;

        if (sub)
            rc = resolve(w, r, sub, 1, &found);
        keep(r, found);
    }
    r->inner.sub_count = (uint16_t)(r->count - r->inner.data_count);
    return rc;
}

static int read_siblock(struct chk_verify *w, struct reading *r, const struct ost_sblock *b)
{
    int rc = chk_links_reserve(&w->links, &w->state->budget, 2 * (size_t)b->count);

    if (rc)
        return rc;
    r->edges = chk_links_room(&w->links);
    r->inner.kind = CHK_KIND_SI;
    r->inner.sub_count = b->count;
    for (unsigned i = 0; i < b->count && !rc; i++) {
        rc = resolve(w, r, ost_sblock_child(b, i), 1, &r->edges[i]);
        r->edges[b->count + i] = ost_sblock_nid(b, i);
    }
    r->count = 2 * (size_t)b->count;
    return rc;
}

static void set_kind(struct chk_state *s, size_t index, enum chk_kind kind)
{
    s->status[index] = (uint16_t)(s->status[index] | (unsigned)kind << CHK_KIND_SHIFT);
}

/* The references of a decoded block. *formed: it is an internal block. */
static int read_decoded(struct chk_verify *w, struct reading *r, struct bytes decoded, bool *formed)
{
    struct ost_defects defects;
    struct ost_xblock x;
    struct ost_sblock b;
    int rc = 0;

    ost_defects_begin(&defects);
    r->subnodes = decoded.size && decoded.data[0] == BTYPE_SUBNODE;
    if (r->subnodes) {
        *formed = !ost_sblock_open(w->state->variant, decoded, &defects, &b);
        if (*formed)
            set_kind(w->state, r->index, b.level ? CHK_KIND_SI : CHK_KIND_SL);
    } else {
        *formed = !ost_xblock_open(w->state->variant, decoded, &defects, &x);
        if (*formed)
            set_kind(w->state, r->index, x.level == 2 ? CHK_KIND_XX : CHK_KIND_X);
    }
    if (!r->inner.doubted)
        rc = note_defects(w, r->index, &defects, r->subnodes ? subnode_codes : data_codes);
    if (rc || !*formed)
        return rc;
    if (!r->subnodes)
        return read_xblock(w, r, &x);
    return b.level ? read_siblock(w, r, &b) : read_slblock(w, r, &b);
}

static int read_inner(struct chk_verify *w, size_t index, struct bytes decoded, bool doubted)
{
    struct reading r = {.index = index, .inner = {.block = (uint32_t)index, .doubted = doubted}};
    bool formed;
    int rc = read_decoded(w, &r, decoded, &formed);

    if (rc)
        return rc;
    w->links.lost += !formed || r.inner.partial || doubted;
    if (formed)
        chk_links_add(&w->links, &r.inner, r.count);
    return 0;
}

/* Decodes what has to be decoded of a block that is there. `own`: its entry is not in doubt. */
static int check_content(struct chk_verify *w, size_t index, const uint8_t *extent,
                         enum ost_trust trust, bool doubted)
{
    const struct chk_state *s = w->state;
    const struct ost_block *b = &s->plan.blocks[index];
    bool internal = ost_bid_internal(b->bid), sound = trust == OST_TRUST_SOUND;
    struct bytes decoded = {extent, b->stored};
    size_t used = b->stored;
    int rc = 0;

    if (s->variant->deflates && b->stored != b->inflated) {
        w->deflated_blocks++;
        if (!internal && !(s->job->deep && sound))
            return 0;
        decoded = (struct bytes){w->decoded, b->inflated};
        if (ost_block_decode(w->decoder, b, extent, w->decoded, &used)) {
            w->links.lost += internal;
            return sound && !doubted ? note(w, index, F_inflate_failed, false, 0, 0) : 0;
        }
        if (used != b->stored && sound && !doubted)
            rc = note(w, index, F_block_slack, true, used, b->stored);
    }
    if (rc || !internal)
        return rc;
    return read_inner(w, index, decoded, doubted || !sound);
}

/* What the trailer says: notes it (but of an entry in doubt), and *trust. */
static int check_trailer(struct chk_verify *w, size_t index, const uint8_t *extent, bool doubted,
                         enum ost_trust *trust)
{
    struct chk_state *s = w->state;
    const struct ost_block *b = &s->plan.blocks[index];
    struct ost_block_trailer t;
    struct ost_defects defects;

    ost_defects_begin(&defects);
    ost_block_check(s->variant, b, extent, &defects);
    *trust = defects.count ? ost_block_trust(&defects) : OST_TRUST_SOUND;
    if (*trust == OST_TRUST_SOUND)
        s->status[index] |= defects.count ? CHK_SOUND : CHK_SOUND | CHK_CLEAN;
    if (*trust != OST_TRUST_NONE && !ost_defects_has(&defects, OST_BLOCK_SIZE) &&
        !ost_defects_has(&defects, OST_BLOCK_INFLATED))
        s->status[index] |= CHK_SIZED;
    if (*trust != OST_TRUST_NONE)
        return doubted ? 0 : note_defects(w, index, &defects, codes);
    if (!is_entry_wrong(s, b, extent, &defects, &t))
        return 0;
    *trust = OST_TRUST_SUSPECT;
    return doubted ? 0 : note_entry(w, index, t.stored);
}

/* A carved block counts when it is found to be there. */
static void count_block(struct chk_verify *w, const struct ost_block *b)
{
    uint32_t extent = ost_block_extent(w->state->variant, b->stored);

    w->verified_bytes += extent;
    w->inner_blocks += ost_bid_internal(b->bid);
    if (b->flags & CHK_ENTRY_CARVED) {
        w->carved_bytes += extent;
        w->carved_blocks++;
    }
}

int chk_verify_block(struct chk_verify *w, size_t index, const uint8_t *extent,
                     enum ost_trust *trust)
{
    struct chk_state *s = w->state;
    const struct ost_block *b = &s->plan.blocks[index];
    bool doubted = chk_block_doubted(s, index);
    int rc = check_trailer(w, index, extent, doubted, trust);

    s->status[index] |= CHK_READ;
    if (rc)
        return rc;
    if (!(b->flags & CHK_ENTRY_CARVED) || *trust != OST_TRUST_NONE)
        count_block(w, b);
    if (*trust == OST_TRUST_NONE) {
        w->links.lost += ost_bid_internal(b->bid);
        return 0;
    }
    if (!ost_block_padding_zero(s->variant, b->stored, extent) && !w->padded++)
        w->padded_first = b->offset;
    return check_content(w, index, extent, *trust, doubted);
}

/* Nothing is written before all is known, and nothing is drawn from the bytes but that they are
 * what the entry says: so it does not matter if they change meanwhile. */
bool chk_verify_sound(struct chk_verify *w, size_t index, const uint8_t *extent)
{
    struct chk_state *s = w->state;
    const struct ost_variant *v = s->variant;
    const struct ost_block *b = &s->plan.blocks[index];
    bool deflated = v->deflates && b->stored != b->inflated;

    if (ost_bid_internal(b->bid) || (deflated && s->job->deep) || b->flags ||
        chk_block_doubted(s, index) || !ost_block_sound(v, b, extent))
        return false;
    s->status[index] |= CHK_READ | CHK_SOUND | CHK_CLEAN | CHK_SIZED;
    w->verified_bytes += ost_block_extent(v, b->stored);
    w->deflated_blocks += deflated;
    if (!ost_block_padding_zero(v, b->stored, extent) && !w->padded++)
        w->padded_first = b->offset;
    return true;
}

int chk_verify_lost(struct chk_verify *w, size_t index, enum finding_code code, uint64_t other)
{
    const struct chk_state *s = w->state;
    const struct ost_block *b = &s->plan.blocks[index];
    struct chk_note n;

    if (code == F_block_lost || code == F_block_crc)
        return note(w, index, code, false, 0, 0);
    if (code == F_block_bid)
        return note(w, index, code, true, b->bid, other);
    n = chk_note_at(code, ost_plan_leaf(&s->plan, OST_TREE_BBT, b->bid)->offset);
    n.length = s->variant->page_size;
    n.bid = b->bid;
    n.actual = b->offset;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID | CHK_NOTE_ACTUAL;
    chk_note_about(&n, CHK_ON_BLOCK, index);
    return chk_notes_add(&w->notes, &n);
}

int chk_verify_unread(struct chk_verify *w, size_t index, int code)
{
    const struct ost_block *b = &w->state->plan.blocks[index];
    struct chk_note n = chk_note_at(F_read_failed, b->offset);

    w->links.lost += ost_bid_internal(b->bid);
    n.length = ost_block_extent(w->state->variant, b->stored);
    n.bid = b->bid;
    n.has |= CHK_NOTE_LENGTH | CHK_NOTE_BID;
    n.detail = err_text(code);
    chk_note_about(&n, CHK_ON_BLOCK, index);
    return chk_notes_add(&w->notes, &n);
}

int chk_verify_merge(struct chk_verify *w)
{
    struct chk_state *s = w->state;
    int rc = chk_links_move(&s->links, &s->budget, &w->links);

    if (!rc)
        rc = chk_array_move(&s->budget, &s->notes.list, &w->notes.list, sizeof(struct chk_note));
    if (rc)
        return rc;
    s->result.verified_bytes += w->verified_bytes;
    s->result.allocated_bytes += w->carved_bytes;
    s->result.blocks += w->carved_blocks;
    s->result.deflated_blocks += w->deflated_blocks;
    s->result.inner_blocks += w->inner_blocks;
    return 0;
}
