/* sharpen.c: see sharpen.h. */
#include "index/sharpen.h"

#include <stdlib.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"

enum { REASONS_MORE = 4 };

struct nids {
    uint32_t list[CHK_REASON_ITEMS];
    size_t count;
};

struct idx_sharpen {
    const struct chk_verdict *before;
    struct nids only, differing; /* items of the image */
    uint64_t only_count, differing_count;
    struct nids lacking;             /* folders of the image */
    uint64_t lacking_count, nowhere; /* items the server alone has: in them, in no folder of it */
    struct chk_folder_state *states;
    size_t state_count, state_capacity;
    struct chk_reason *reasons;
    size_t reason_count;
    bool ended;

    /* Of the result, at its end. */
    bool whole, is_server, is_ost, is_exchange, server_complete;
    uint64_t state_differs, open, doubtful;
};

int idx_sharpen_create(const struct chk_verdict *verdict, struct idx_sharpen **out)
{
    struct idx_sharpen *s = mem_zalloc(sizeof *s);

    if (!s)
        return ERR_NOMEM;
    s->before = verdict;
    *out = s;
    return 0;
}

void idx_sharpen_destroy(struct idx_sharpen *s)
{
    if (!s)
        return;
    mem_free(s->states);
    mem_free(s->reasons);
    mem_free(s);
}

static void add(struct nids *n, uint32_t nid)
{
    if (nid && n->count < CHK_REASON_ITEMS)
        n->list[n->count++] = nid;
}

/* What stands there no server has, nor misses. */
static bool is_log(const struct cmp_folder_result *f)
{
    const char *role = f && f->image ? f->image->role : NULL;

    return role && (strcmp(role, "sync_issues") == 0 || strcmp(role, "server_failures") == 0);
}

static int on_item(void *ctx, const struct cmp_result *r, const struct cmp_item_result *i)
{
    struct idx_sharpen *s = ctx;

    (void)r;
    if (i->outcome == CMP_ONLY_OST && !i->copy && !is_log(i->folder)) {
        s->only_count++;
        add(&s->only, i->image ? i->image->nid : 0);
    } else if (i->outcome == CMP_CONTENT_DIFFERS) {
        s->differing_count++;
        add(&s->differing, i->image ? i->image->nid : 0);
    }
    return 0;
}

static int add_state(struct idx_sharpen *s, uint32_t nid, uint64_t missing)
{
    if (s->state_count == s->state_capacity) {
        size_t capacity = s->state_capacity ? 2 * s->state_capacity : 16;
        struct chk_folder_state *states = mem_realloc(s->states, capacity * sizeof *states);

        if (!states)
            return ERR_NOMEM;
        s->states = states;
        s->state_capacity = capacity;
    }
    s->states[s->state_count++] = (struct chk_folder_state){
        .nid = nid, .unaccounted = missing, .remedy = REMEDY_RESYNC_FOLDERS};
    return 0;
}

static int on_folder(void *ctx, const struct cmp_result *r, const struct cmp_folder_result *f)
{
    struct idx_sharpen *s = ctx;
    const uint64_t only = f->tally.outcomes[CMP_ONLY_SERVER];
    const uint64_t missing =
        (only > f->tally.only_server_later ? only - f->tally.only_server_later : 0) +
        f->tally.altered + (f->deficit > 0 ? (uint64_t)f->deficit : 0);

    (void)r;
    if (!missing)
        return 0;
    if (!f->image || !f->image->nid) {
        s->nowhere += missing;
        return 0;
    }
    s->lacking_count += missing;
    add(&s->lacking, f->image->nid);
    return add_state(s, f->image->nid, missing);
}

static int on_end(void *ctx, const struct cmp_result *r)
{
    struct idx_sharpen *s = ctx;

    s->ended = true;
    s->whole = r->whole && r->items_compared;
    s->is_server = !r->before_after;
    s->is_ost = r->image->is_ost;
    s->is_exchange = r->image->is_ost && r->image->is_exchange;
    s->doubtful = r->image->failed + r->image->partial;
    s->server_complete = !r->server->incomplete && !r->image->incomplete;
    s->state_differs = r->total.outcomes[CMP_STATE_DIFFERS];
    s->open = r->total.outcomes[CMP_AMBIGUOUS] + r->total.outcomes[CMP_NOT_COMPARABLE];
    return 0;
}

struct cmp_sink idx_sharpen_sink(struct idx_sharpen *s)
{
    return (struct cmp_sink){.ctx = s, .folder = on_folder, .item = on_item, .end = on_end};
}

static int compare_nids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static struct chk_reason *reason(struct idx_sharpen *s, const char *text, enum chk_concern about)
{
    struct chk_reason *r = &s->reasons[s->reason_count++];

    *r = (struct chk_reason){.text = text, .about = about};
    return r;
}

static void reason_of(struct idx_sharpen *s, const char *text, uint64_t count, struct nids *items)
{
    struct chk_reason *r;

    if (!count)
        return;
    qsort(items->list, items->count, sizeof *items->list, compare_nids);
    r = reason(s, text, CONCERN_EXPORT);
    r->strength = STRENGTH_STRONG;
    r->count = count;
    r->items = items->list;
    r->item_count = items->count;
}

static bool has_strong_sign(const struct chk_verdict *v)
{
    for (size_t i = 0; i < v->reason_count; i++)
        if (v->reasons[i].strength == STRENGTH_STRONG)
            return true;
    return false;
}

/* Where its trees are damaged an image may hold items that nobody sees. */
static bool was_read_whole(const struct chk_verdict *v)
{
    const struct chk_coverage *c = &v->coverage;

    return (v->remedy == REMEDY_NONE || v->remedy == REMEDY_RESYNC_FOLDERS) && c->has_allocated &&
           c->allocated_bytes && c->verified_bytes >= c->allocated_bytes &&
           c->items_read == c->items_expected && !c->items_failed;
}

static enum chk_export sharpen_export(struct idx_sharpen *s, const struct chk_verdict *v)
{
    reason_of(s, "items that the server lacks", s->only_count, &s->only);
    reason_of(s, "items whose content is another on the server", s->differing_count, &s->differing);
    if (has_strong_sign(v) || s->only_count || s->differing_count)
        return EXPORT_REQUIRED;
    if (!s->whole || !s->is_server || s->state_differs || s->open || s->doubtful ||
        !s->server_complete || !was_read_whole(v)) {
        reason(s, "the comparison found nothing that the server lacks, but it did not cover all",
               CONCERN_EXPORT);
        return EXPORT_UNKNOWN;
    }
    reason(s, "a comparison of every item found nothing that the server lacks", CONCERN_EXPORT);
    return EXPORT_NOTHING_FOUND;
}

static int compare_states(const void *a, const void *b)
{
    uint32_t x = ((const struct chk_folder_state *)a)->nid;
    uint32_t y = ((const struct chk_folder_state *)b)->nid;

    return (x > y) - (x < y);
}

/* The folders named before, and those that the comparison adds, by nid. */
static int merge_states(struct idx_sharpen *s, const struct chk_verdict *v)
{
    const size_t added = s->state_count;

    qsort(s->states, added, sizeof *s->states, compare_states);
    for (size_t i = 0; i < v->folder_count; i++) {
        struct chk_folder_state *known =
            bsearch(&v->folders[i], s->states, added, sizeof *known, compare_states);
        uint64_t missing = known ? known->unaccounted : 0;

        if (!known) {
            int code = add_state(s, 0, 0);

            if (code)
                return code;
            known = &s->states[s->state_count - 1];
        }
        *known = v->folders[i];
        known->unaccounted += missing;
        known->remedy = REMEDY_RESYNC_FOLDERS;
    }
    qsort(s->states, s->state_count, sizeof *s->states, compare_states);
    return 0;
}

static int sharpen_remedy(struct idx_sharpen *s, const struct chk_verdict *v,
                          struct chk_verdict *out)
{
    struct chk_reason *r;
    int code;

    if (s->nowhere)
        reason(s, "the server has items in folders that the image lacks", CONCERN_REMEDY)->count =
            s->nowhere;
    if (!s->state_count || !s->is_exchange || !s->is_server || !s->server_complete ||
        (v->remedy != REMEDY_NONE && v->remedy != REMEDY_RESYNC_FOLDERS))
        return 0;
    qsort(s->lacking.list, s->lacking.count, sizeof *s->lacking.list, compare_nids);
    r = reason(s, "items of the server that these folders lack, or hold otherwise", CONCERN_REMEDY);
    r->count = s->lacking_count;
    r->folders = s->lacking.list;
    r->folder_count = s->lacking.count;
    code = merge_states(s, v);
    if (code)
        return code;
    out->remedy = REMEDY_RESYNC_FOLDERS;
    out->folders = s->states;
    out->folder_count = s->state_count;
    return 0;
}

/* All that was said before, but that nothing was compared. */
static void keep_reasons(struct idx_sharpen *s, const struct chk_verdict *v)
{
    for (size_t i = 0; i < v->reason_count; i++)
        if (v->reasons[i].about != CONCERN_EXPORT || v->reasons[i].strength != STRENGTH_NONE)
            s->reasons[s->reason_count++] = v->reasons[i];
}

int idx_sharpen_verdict(struct idx_sharpen *s, struct chk_verdict *out)
{
    const struct chk_verdict *v = s->before;
    int code;

    *out = *v;
    if (!s->ended)
        return 0;
    s->reasons = mem_alloc_array(v->reason_count + REASONS_MORE + 1, sizeof *s->reasons);
    if (!s->reasons)
        return ERR_NOMEM;
    code = sharpen_remedy(s, v, out);
    if (code)
        return code;
    keep_reasons(s, v);
    if (s->is_ost)
        out->export_first = sharpen_export(s, v);
    out->reasons = s->reasons;
    out->reason_count = s->reason_count;
    return 0;
}
