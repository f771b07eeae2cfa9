/*
 * reading_damage.c: what is wrong with an object, as findings and as its damage (reading.h).
 *
 * A block or tree with defects is a finding each time it is met: equal ones are merged by whoever
 * keeps findings, and their affected items joined. It is damage of the item only where its content
 * is missing or may be other than written.
 */
#include "scanner/ost/reading.h"

#include "io/err.h"
#include "scanner/ost/defect_code.h"
#include "scanner/ost/heap_fault.h"
#include "scanner/ost/take.h"

static void tell(struct ost_reading *r, struct finding *f)
{
    int rc;

    if (r->quiet || !r->finding || r->sink_code)
        return;
    if (r->is_item) {
        f->items = &r->nid;
        f->item_count = 1;
    }
    f->folders = &r->folder;
    f->folder_count = r->folder != 0;
    rc = r->finding(r->ctx, f);
    if (rc)
        r->sink_code = rc;
}

/* Adds to the damage list; false: it stands there already, or there is no room for it. */
static bool note(struct ost_reading *r, const struct ost_damage *d)
{
    struct ost_damages *all = &r->damages;
    int code = 0;

    if (r->quiet || all->count == OST_LIMIT_DAMAGE)
        return false;
    for (size_t i = 0; i < all->count; i++) {
        const struct ost_damage *have = &all->list[i];

        if (have->code == d->code && have->has_bid == d->has_bid && have->bid == d->bid &&
            have->has_offset == d->has_offset && have->offset == d->offset)
            return false;
    }
    if (!all->list)
        all->list = ost_take(r->arena, OST_LIMIT_DAMAGE, sizeof *all->list, &code);
    if (!all->list)
        return false;
    all->list[all->count++] = *d;
    return true;
}

static void damage(struct ost_reading *r, enum finding_code code, bool has_part, uint64_t part,
                   const char *detail)
{
    struct ost_damage d = {.code = (uint16_t)code};
    struct finding f = finding_of(code);

    note(r, &d);
    if (r->told++ >= OST_LIMIT_DAMAGE)
        return;
    f.has_nid = true;
    f.nid = r->nid;
    f.has_actual = has_part;
    f.actual = part;
    f.detail = detail;
    tell(r, &f);
}

void ost_reading_damage(struct ost_reading *r, enum finding_code code, const char *detail)
{
    damage(r, code, false, 0, detail);
}

void ost_reading_damage_of(struct ost_reading *r, enum finding_code code, uint64_t part,
                           const char *detail)
{
    damage(r, code, true, part, detail);
}

void ost_reading_heap_fault(struct ost_reading *r, struct ost_leaves leaves, uint8_t client)
{
    enum finding_code code;

    if (ost_heap_fault(r->variant->format, leaves, client, &code))
        ost_reading_damage(r, code, NULL);
}

void ost_reading_mark(struct ost_reading *r, enum finding_code code)
{
    struct ost_damage d = {.code = (uint16_t)code};

    note(r, &d);
}

void ost_reading_find(struct ost_reading *r, enum finding_code code, uint32_t nid)
{
    struct finding f = finding_of(code);

    f.has_nid = true;
    f.nid = nid;
    tell(r, &f);
}

/* A finding about a block, and damage where its content is concerned. */
static void tell_block(struct ost_reading *r, const struct ost_block *block, uint64_t bid,
                       bool loss, struct finding *f)
{
    struct ost_damage d = {.code = (uint16_t)f->code, .has_bid = true, .bid = bid};

    f->has_bid = true;
    f->bid = bid;
    if (block) {
        f->has_offset = d.has_offset = true;
        f->offset = d.offset = block->offset;
    }
    if (loss)
        note(r, &d);
    tell(r, f);
}

static struct finding finding_of_defect(enum finding_code code, const struct ost_defect *d)
{
    struct finding f = finding_of(code);

    f.has_expected = f.has_actual = true;
    f.expected = d->expected;
    f.actual = d->actual;
    return f;
}

/* Why a block is not handed out: the one finding that says it all. */
static enum finding_code code_of_loss(const struct ost_block_trouble *t)
{
    if (t->code)
        return t->code == ERR_IO ? F_read_failed : F_truncated_while_read;
    if (t->outside)
        return F_extent_out_of_range;
    if (t->undecodable)
        return F_inflate_failed;
    /* The trailer is its own: the bytes are there, it is their number that is not known. */
    if (ost_defects_has(t->defects, OST_BLOCK_SIZE) &&
        !ost_defects_has(t->defects, OST_BLOCK_SIG) && !ost_defects_has(t->defects, OST_BLOCK_BID))
        return F_block_size;
    /* A whole block with another one's trailer, or none at all. */
    return ost_defects_has(t->defects, OST_BLOCK_CRC) ? F_block_lost : F_block_bid;
}

void ost_reading_block_trouble(void *ctx, const struct ost_block_trouble *t)
{
    struct ost_reading *r = ctx;
    const struct ost_block *b = t->block;
    struct finding f;

    for (unsigned i = 0; i < t->defects->count && (!t->lost || t->undecodable); i++) {
        const struct ost_defect *d = &t->defects->list[i];

        f = finding_of_defect(ost_defect_code(d->kind, false), d);
        f.length = t->extent_bytes;
        tell_block(r, b, b->bid, t->suspect && d->kind == OST_BLOCK_CRC, &f);
    }
    /* Bytes that are not those that were written need not inflate. */
    if (!t->lost || (t->undecodable && ost_defects_has(t->defects, OST_BLOCK_CRC)))
        return;
    f = finding_of(code_of_loss(t));
    f.length = t->extent_bytes;
    tell_block(r, b, b->bid, true, &f);
}

void ost_reading_tree_defects(struct ost_reading *r, const struct ost_defects *defects,
                              bool subnodes, bool lost)
{
    for (unsigned i = 0; i < defects->count; i++) {
        const struct ost_defect *d = &defects->list[i];
        const struct ost_block *block = r->blocks->find(r->blocks->ctx, d->bid);
        struct finding f = finding_of_defect(ost_defect_code(d->kind, subnodes), d);

        /* The block has told of itself. */
        if (d->kind == OST_TREE_UNREADABLE)
            continue;
        tell_block(r, block, d->bid, lost || d->kind == OST_TREE_TOTAL, &f);
    }
}
