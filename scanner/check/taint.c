/*
 * taint.c: see taint.h.
 *
 * What a page's defects prove depends on who may be wrong:
 *
 *   its trailer is right but the checksum   the page's own content was changed: page_crc
 *   checksum right, one trailer field not   the page's own trailer was changed: its defect
 *   neither                                 something else lies there: btree_page_lost, unless the
 *                                           parent (or header) that names it is itself in doubt
 *   its place cannot be                     the parent is wrong, and the note is on it
 *
 * All keys that such a page may hold are in doubt, whether it was lost, or used though suspect: of
 * a changed page not even the number of its entries is sure, so keys may be missing, or be there
 * that were deleted long ago. The pages below a suspect one are measured by nothing but themselves.
 * A page whose checksum is right and whose trailer alone is damaged is as good as sound.
 */
#include "scanner/check/taint.h"

#include "io/err.h"
#include "scanner/ost/page.h"
#include "io/sort.h"

static const enum finding_code codes[OST_DEFECT_KINDS] = {
    [OST_PAGE_TYPE] = F_page_type,
    [OST_PAGE_TYPE_REPEAT] = F_page_type,
    [OST_PAGE_SIG] = F_page_signature,
    [OST_PAGE_BID] = F_page_bid,
    [OST_PAGE_CRC] = F_page_crc,
    [OST_PAGE_CONSTANT] = F_page_constant,
    [OST_BTREE_COUNT] = F_btree_count,
    [OST_BTREE_MAX] = F_btree_count,
    [OST_BTREE_ENTRY_SIZE] = F_btree_count,
    [OST_BTREE_LEVEL] = F_btree_level,
    [OST_BTREE_EMPTY] = F_btree_empty,
    [OST_BTREE_KEY_ORDER] = F_btree_key_order,
    [OST_BTREE_KEY_RANGE] = F_btree_key_range,
    [OST_BTREE_KEY_FIRST] = F_btree_key_first,
    [OST_BTREE_NID_HIGH] = F_btree_nid_high,
    [OST_PAGE_OUTSIDE] = F_btree_page_outside,
    [OST_PAGE_UNALIGNED] = F_btree_page_unaligned,
    [OST_PAGE_TWICE] = F_btree_page_twice,
    [OST_PAGE_TOO_MANY] = F_btree_page_lost,
    [OST_PAGE_UNREADABLE] = F_read_failed,
};

static bool is_place(enum ost_defect_kind kind)
{
    return kind >= OST_PAGE_OUTSIDE && kind <= OST_PAGE_TOO_MANY;
}

/* Whether a defect is of the trailer alone, and leaves the content as good as it was. */
static bool is_trailer(enum ost_defect_kind kind)
{
    return kind <= OST_PAGE_CONSTANT && kind != OST_PAGE_CRC;
}

/* Whether a defect may as well be the parent's word about the page. */
static bool rests_on_parent(enum ost_defect_kind kind)
{
    switch (kind) {
    case OST_PAGE_BID:
    case OST_PAGE_SIG:
    case OST_BTREE_LEVEL:
    case OST_BTREE_EMPTY:
    case OST_BTREE_KEY_RANGE:
    case OST_BTREE_KEY_FIRST:
        return true;
    default:
        return is_place(kind);
    }
}

static const struct ost_defect *find(const struct ost_defects *d, enum ost_defect_kind kind)
{
    for (unsigned i = 0; i < d->count; i++)
        if (d->list[i].kind == kind)
            return &d->list[i];
    return NULL;
}

static int note(struct chk_taint *t, const struct ost_plan_event *e, enum finding_code code,
                const struct ost_defect *d)
{
    struct chk_note n = chk_note_at(code, e->offset);

    n.length = t->variant->page_size;
    n.bid = e->bid;
    n.has |= CHK_NOTE_BID | CHK_NOTE_LENGTH;
    n.detail = e->tree == OST_TREE_NBT ? "node B-tree" : "block B-tree";
    if (d)
        chk_note_expect(&n, d->expected, d->actual);
    chk_note_about(&n, CHK_ON_KEYS, t->events.count - 1);
    return chk_notes_add(t->notes, &n);
}

/* What lies beyond the cut of a truncated file is the cut's doing. */
static bool is_cut_off(const struct chk_taint *t, const struct ost_plan_event *e)
{
    return ost_defects_has(e->defects, OST_PAGE_OUTSIDE) && e->offset < t->eof;
}

static int note_place(struct chk_taint *t, const struct ost_plan_event *e,
                      const struct ost_defect *d)
{
    if (is_cut_off(t, e) || e->root)
        return 0;
    return note(t, e, codes[d->kind], d);
}

/* A leaf that says it is a branch, or the reverse, has entries of the right size for what it is. */
static bool is_level_wrong(const struct chk_taint *t, const struct ost_plan_event *e)
{
    const struct ost_variant *v = t->variant;
    const struct ost_defect *size = find(e->defects, OST_BTREE_ENTRY_SIZE);
    uint16_t leaf = e->tree == OST_TREE_NBT ? v->nbt_size : v->bbt_size;

    return size && !e->root && size->actual == (e->level ? v->branch_size : leaf);
}

static int note_defects(struct chk_taint *t, const struct ost_plan_event *e, bool doubted)
{
    const struct ost_defect *crc = find(e->defects, OST_PAGE_CRC);
    bool own_crc = crc && ost_page_trust(e->defects) == OST_TRUST_SUSPECT;
    int rc = 0;

    if (own_crc)
        return note(t, e, F_page_crc, crc);
    if (crc || ost_page_trust(e->defects) == OST_TRUST_NONE)
        return doubted ? 0 : note(t, e, F_btree_page_lost, find(e->defects, OST_PAGE_BID));
    if (is_level_wrong(t, e))
        return doubted ? 0 : note(t, e, F_btree_level, NULL);
    for (unsigned i = 0; i < e->defects->count && !rc; i++)
        if (!doubted || !rests_on_parent(e->defects->list[i].kind))
            rc = note(t, e, codes[e->defects->list[i].kind], &e->defects->list[i]);
    return rc;
}

static bool is_doubtful(const struct ost_plan_event *e)
{
    if (e->lost || e->trust != OST_TRUST_SOUND || e->dropped || e->parent_suspect)
        return true;
    for (unsigned i = 0; i < e->defects->count; i++)
        if (!is_trailer(e->defects->list[i].kind) && e->defects->list[i].kind != OST_BTREE_NID_HIGH)
            return true;
    return false;
}

int chk_taint_event(void *ctx, const struct ost_plan_event *e)
{
    struct chk_taint *t = ctx;
    const struct ost_defect *first = &e->defects->list[0];
    bool doubted = e->parent_suspect || (e->root && !t->header_sure);
    struct chk_event *event;
    struct chk_doubt *doubt;
    int rc = 0;

    event = chk_array_reserve(t->budget, &t->events, sizeof *event, 1, &rc);
    if (!event)
        return rc;
    *event = (struct chk_event){e->offset, e->bid,           e->first,
                                e->last,   (uint8_t)e->tree, (uint8_t)e->level,
                                e->root,   e->lost,          is_place(first->kind)};
    t->events.count++;
    if (is_doubtful(e)) {
        doubt = chk_array_reserve(t->budget, &t->doubt[e->tree], sizeof *doubt, 1, &rc);
        if (!doubt)
            return rc;
        *doubt = (struct chk_doubt){e->first, e->last};
        t->doubt[e->tree].count++;
    }
    if (first->kind == OST_PAGE_UNREADABLE)
        return note(t, e, F_read_failed, NULL);
    if (is_place(first->kind))
        return doubted ? 0 : note_place(t, e, first);
    return note_defects(t, e, doubted);
}

static int by_first(const void *a, const void *b)
{
    const struct chk_doubt *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static void merge(struct chk_array *a)
{
    struct chk_doubt *d = a->data;
    size_t n = 0;

    io_sort(d, a->count, sizeof *d, by_first);
    for (size_t i = 0; i < a->count; i++) {
        if (n && d[i].first <= d[n - 1].last)
            d[n - 1].last = d[i].last > d[n - 1].last ? d[i].last : d[n - 1].last;
        else
            d[n++] = d[i];
    }
    a->count = n;
}

/* The page whose entry names an event's page; NULL: not to be told. Pages stand level by level from
 * the root, each level by key. */
static const struct ost_plan_page *parent_of(const struct ost_plan *plan, const struct chk_event *e)
{
    const struct ost_plan_tree *t = &plan->trees[e->tree];
    const struct ost_plan_page *pages = plan->pages + t->page_start, *found = NULL;
    size_t low = 0, high = t->page_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct ost_plan_page *p = &pages[middle];

        if (p->level > e->level + 1 || (p->level == e->level + 1 && p->first <= e->first)) {
            found = p;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return found && found->level == e->level + 1 ? found : NULL;
}

void chk_taint_settle(struct chk_taint *t, const struct ost_plan *plan)
{
    merge(&t->doubt[OST_TREE_NBT]);
    merge(&t->doubt[OST_TREE_BBT]);
    for (size_t i = 0; i < t->notes->list.count; i++) {
        struct chk_note *n = chk_notes_get(t->notes, i);
        const struct ost_plan_page *parent;

        if (n->kind != CHK_ON_KEYS || !chk_taint_get(t, n->subject)->place)
            continue;
        parent = parent_of(plan, chk_taint_get(t, n->subject));
        if (parent)
            n->offset = parent->offset;
    }
}

void chk_taint_done(struct chk_taint *t)
{
    chk_array_done(t->budget, &t->events, sizeof(struct chk_event));
    for (unsigned tree = 0; tree < 2; tree++)
        chk_array_done(t->budget, &t->doubt[tree], sizeof(struct chk_doubt));
}

bool chk_taint_key(const struct chk_taint *t, enum ost_tree tree, uint64_t key)
{
    const struct chk_doubt *d = t->doubt[tree].data;
    size_t low = 0, high = t->doubt[tree].count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (d[middle].last < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->doubt[tree].count && d[low].first <= key;
}
