/*
 * verdict.c: see verdict.h.
 *
 * The rules, the first that applies:
 *
 *   in use, or changed while it was read          retry_closed
 *   not known to hold a mailbox                   unknown
 *   no certain damage     all seen, all well      none
 *                         an OST of Exchange, all
 *                         seen, and deficits are
 *                         all that is wrong       resync_folders
 *                         else                    unknown
 *   certain damage, and no OST of Exchange        repair_copy
 *   certain damage in what all folders rest on    rebuild
 *   not everything seen                           unknown
 *   certain damage in folders that are missing or
 *   not known                                     rebuild
 *   certain damage and deficits in named folders
 *   alone, and everything else well               resync_folders
 *   any other                                     unknown
 *
 * A deficit is a folder whose nodes and tables contradict each other: an item that no row lists, a
 * row without its item, told by an engine that read both to their ends.
 *
 * Damage is certain when a finding is corrupt and its code's statement was seen to hold on real
 * files (evidence R4 or R5); what only sources or synthetic files say, and what an engine could not
 * do, never is. That two engines read an item differently leaves a verdict without damage open. Its
 * scope follows from the finding's layer, its node's type and the folders it names. Failed,
 * partial, orphaned and unaccounted items are signs of damage and no proof of it: without certain
 * damage in their folder they leave the verdict open.
 *
 * export_first is required by a strong sign of data on this computer alone (signs.h). It is never
 * nothing_found here: neither is a clean image one that its server lacks nothing of, nor is an
 * orphaned or recovered item proof that it lacks that. Only a comparison knows.
 */
#include "scanner/check/verdict.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/tally.h"

/* What an engine says when it does not go through the image. */
static const enum finding_code give_ups[] = {F_engine_declined, F_engine_open_failed,
                                             F_engine_crashed, F_engine_timeout, F_engine_protocol};

const char *chk_remedy_name(enum chk_remedy remedy)
{
    static const char *const names[] = {"none",        "resync_folders", "rebuild",
                                        "repair_copy", "retry_closed",   "unknown"};

    assert(remedy <= REMEDY_UNKNOWN);
    return names[remedy];
}

const char *chk_concern_name(enum chk_concern concern)
{
    static const char *const names[] = {"remedy", "export_first", "sync"};

    assert(concern <= CONCERN_SYNC);
    return names[concern];
}

const char *chk_strength_name(enum chk_strength strength)
{
    static const char *const names[] = {"none", "weak", "strong"};

    assert(strength <= STRENGTH_STRONG);
    return names[strength];
}

const char *chk_export_name(enum chk_export export_first)
{
    static const char *const names[] = {"unknown", "required", "nothing_found"};

    assert(export_first <= EXPORT_NOTHING_FOUND);
    return names[export_first];
}

/* What may be for want of a better reader. */
static bool has_doubt(const struct tally_folder *f)
{
    return f->failed || f->partial || tally_unaccounted(f);
}

static bool has_deficit(const struct tally_folder *f)
{
    return tally_orphans(f) || f->rows_without_item;
}

static bool has_trouble(const struct tally_folder *f)
{
    return has_doubt(f) || has_deficit(f);
}

static bool any(const bool codes[FINDING_CODES])
{
    return memchr(codes, true, FINDING_CODES) != NULL;
}

static bool changed(const struct chk_tally *t, const struct chk_facts *facts)
{
    return facts->changed || t->found[F_changed_while_read] || t->found[F_truncated_while_read];
}

static bool gave_up(const struct chk_tally *t, const struct chk_facts *facts)
{
    for (size_t i = 0; i < sizeof give_ups / sizeof *give_ups; i++)
        if (t->found[give_ups[i]])
            return true;
    return !facts->complete;
}

static bool verified(const struct chk_facts *facts)
{
    return facts->has_allocated && facts->allocated_bytes &&
           facts->verified_bytes >= facts->allocated_bytes;
}

static bool all_seen(const struct chk_tally *t, const struct chk_facts *facts)
{
    return !gave_up(t, facts) && verified(facts) && !t->found[F_read_failed];
}

static bool all_well(const struct chk_tally *t)
{
    for (size_t i = 0; i < t->folder_capacity; i++)
        if (has_trouble(&t->folders[i]))
            return false;
    return !any(t->unread) && !t->found[F_item_orphan] && !t->found[F_row_without_item] &&
           !t->found[F_hierarchy_differs] && !t->found[F_ledger_differs] &&
           !t->found[F_engines_differ];
}

/* True when synchronizing it anew mends all of its trouble, or it has none. */
static bool is_mendable(const struct tally_folder *f, const struct chk_facts *facts)
{
    if (!f->damaged && !has_trouble(f))
        return true;
    return f->announced && f->nid && (f->damaged || (!has_doubt(f) && facts->rows_certain));
}

/* True when every trouble lies in folders that are there and mendable. */
static bool is_confined(const struct chk_tally *t, const struct chk_facts *facts)
{
    for (size_t i = 0; i < t->folder_capacity; i++)
        if (!is_mendable(&t->folders[i], facts))
            return false;
    return !t->hierarchy_unread && !t->deficit_unplaced;
}

/* Certain damage that no folder's resynchronization can reach. */
static bool is_out_of_reach(const struct chk_tally *t)
{
    for (size_t i = 0; i < t->folder_capacity; i++)
        if (t->folders[i].damaged && !t->folders[i].announced)
            return true;
    return any(t->certain[SCOPE_UNPLACED]);
}

static bool holds_mailbox(enum ost_content content)
{
    return content == OST_CONTENT_PST || content == OST_CONTENT_OST;
}

static bool can_refill(const struct chk_facts *facts)
{
    return facts->content == OST_CONTENT_OST && strcmp(facts->account, "exchange") == 0;
}

/* Nothing is wrong but what the folders' ledgers say. */
static bool is_deficit(const struct chk_tally *t, const struct chk_facts *facts)
{
    return (t->found[F_item_orphan] || t->found[F_row_without_item]) && !any(t->unread) &&
           !t->found[F_engines_differ] && !t->found[F_ledger_differs] && is_confined(t, facts);
}

static enum chk_remedy decide_undamaged(const struct chk_tally *t, const struct chk_facts *facts)
{
    if (!all_seen(t, facts))
        return REMEDY_UNKNOWN;
    if (all_well(t))
        return REMEDY_NONE;
    return can_refill(facts) && is_deficit(t, facts) ? REMEDY_RESYNC_FOLDERS : REMEDY_UNKNOWN;
}

static enum chk_remedy decide(const struct chk_tally *t, const struct chk_facts *facts)
{
    bool structure = any(t->certain[SCOPE_STRUCTURE]);

    if (facts->in_use || changed(t, facts))
        return REMEDY_RETRY_CLOSED;
    if (!holds_mailbox(facts->content))
        return REMEDY_UNKNOWN;
    if (!structure && !any(t->certain[SCOPE_FOLDERS]) && !any(t->certain[SCOPE_UNPLACED]))
        return decide_undamaged(t, facts);
    if (!can_refill(facts))
        return REMEDY_REPAIR_COPY;
    if (structure)
        return REMEDY_REBUILD;
    if (!all_seen(t, facts))
        return REMEDY_UNKNOWN;
    if (is_out_of_reach(t))
        return REMEDY_REBUILD;
    return is_confined(t, facts) ? REMEDY_RESYNC_FOLDERS : REMEDY_UNKNOWN;
}

/* Where the image's is open, a folder's own may be clear. */
static enum chk_remedy decide_folder(const struct chk_tally *t, const struct tally_folder *f,
                                     const struct chk_facts *facts, enum chk_remedy remedy)
{
    if (remedy != REMEDY_UNKNOWN || !can_refill(facts) || !all_seen(t, facts) ||
        t->hierarchy_unread || t->found[F_engines_differ] || t->found[F_ledger_differs])
        return remedy;
    return is_mendable(f, facts) ? REMEDY_RESYNC_FOLDERS : REMEDY_UNKNOWN;
}

static struct chk_reason *add_reason(struct chk_tally *t, const char *text)
{
    struct chk_reason *r = &t->reasons[t->reason_count];

    assert(t->reason_count < REASONS);
    t->reason_count++;
    *r = (struct chk_reason){.text = text};
    return r;
}

static void add_code(struct chk_reason *r, const bool found[FINDING_CODES], enum finding_code code)
{
    if (found[code] && r->code_count < CHK_REASON_CODES)
        r->codes[r->code_count++] = code;
}

static void add_codes(struct chk_reason *r, const bool found[FINDING_CODES])
{
    for (unsigned code = 0; code < FINDING_CODES; code++)
        add_code(r, found, (enum finding_code)code);
}

static void add_items(struct chk_reason *r, const struct tally_nids *set)
{
    r->items = set->list;
    r->item_count = set->count;
}

static void reasons_of_damage(struct chk_tally *t)
{
    static const char *const texts[SCOPES] = {
        [SCOPE_STRUCTURE] = "what all folders rest on is damaged",
        [SCOPE_FOLDERS] = "the contents of the folders named are damaged",
        [SCOPE_UNPLACED] = "there is damage whose folders are not known",
    };

    for (unsigned scope = 0; scope < SCOPES; scope++) {
        struct chk_reason *r;

        if (!any(t->certain[scope]))
            continue;
        r = add_reason(t, texts[scope]);
        add_codes(r, t->certain[scope]);
        add_items(r, &t->damaged[scope]);
    }
}

static void reason_of_items(struct chk_tally *t, bool applies, const char *text,
                            enum finding_code code, const struct tally_nids *set)
{
    struct chk_reason *r;

    if (!applies)
        return;
    r = add_reason(t, text);
    add_code(r, t->found, code);
    add_items(r, set);
}

static void reasons_of_items(struct chk_tally *t, uint64_t missing)
{
    reason_of_items(t, t->failed || t->found[F_item_failed], "items could not be read",
                    F_item_failed, &t->failed_nids);
    reason_of_items(t, t->partial || t->found[F_item_partial], "items could only be read in part",
                    F_item_partial, &t->partial_nids);
    reason_of_items(t, t->orphaned || t->found[F_item_orphan],
                    "items hang in no folder that lists them", F_item_orphan, &t->orphan_nids);
    reason_of_items(t, t->found[F_row_without_item],
                    "contents tables list items that are not there", F_row_without_item,
                    &t->absent_nids);
    reason_of_items(t, t->found[F_engines_differ], "another reader reads items otherwise",
                    F_engines_differ, &t->differing_nids);
    if (missing)
        add_reason(t, "items that the image counts were not handed out");
    if (t->found[F_hierarchy_differs])
        add_code(add_reason(t, "folders and the tables that list them disagree"), t->found,
                 F_hierarchy_differs);
    if (t->found[F_ledger_differs])
        add_code(add_reason(t, "rows and items of folders do not add up"), t->found,
                 F_ledger_differs);
}

static void reasons_of_doubt(struct chk_tally *t, const struct chk_facts *facts)
{
    if (gave_up(t, facts)) {
        struct chk_reason *r = add_reason(t, "the engine did not go through the whole image");

        for (size_t i = 0; i < sizeof give_ups / sizeof *give_ups; i++)
            add_code(r, t->found, give_ups[i]);
    }
    if (!verified(facts))
        add_reason(t, facts->has_allocated ? "not every allocated byte was verified"
                                           : "it is not known which bytes are allocated");
    if (any(t->unread))
        add_codes(add_reason(t, "parts could not be read"), t->unread);
}

static void make_reasons(struct chk_tally *t, const struct chk_facts *facts, enum chk_remedy remedy,
                         uint64_t missing)
{
    t->reason_count = 0;
    if (remedy == REMEDY_RETRY_CLOSED) {
        struct chk_reason *r = add_reason(t, facts->in_use ? "another program holds the file"
                                                           : "the file changed while it was read");

        add_code(r, t->found, F_truncated_while_read);
        add_code(r, t->found, F_changed_while_read);
        return;
    }
    if (!holds_mailbox(facts->content))
        add_code(add_reason(t, "the file is not known to hold a mailbox"), t->found, F_content_pab);
    reasons_of_damage(t);
    reasons_of_items(t, missing);
    if (remedy == REMEDY_UNKNOWN)
        reasons_of_doubt(t, facts);
    if (remedy == REMEDY_NONE)
        add_reason(t, "every allocated byte was verified and every item read");
}

/* Change keys of other accounts than those of Exchange mean nothing that is known. */
static bool means_something(enum tally_sign sign, const struct chk_facts *facts)
{
    if (facts->content != OST_CONTENT_OST)
        return false;
    return (sign != SIGN_CLIENT_KEY && sign != SIGN_NO_KEY) || can_refill(facts);
}

static enum chk_export reasons_of_export(struct chk_tally *t, const struct chk_facts *facts,
                                         enum chk_remedy remedy)
{
    enum chk_export out = EXPORT_UNKNOWN;
    size_t before = t->reason_count;

    for (unsigned sign = 0; sign < SIGNS; sign++) {
        enum chk_strength strength = tally_sign_strength((enum tally_sign)sign);
        struct chk_reason *r;

        if (!t->signs.counts[sign] || !means_something((enum tally_sign)sign, facts))
            continue;
        r = add_reason(t, tally_sign_text((enum tally_sign)sign));
        r->about = CONCERN_EXPORT;
        r->strength = strength;
        r->count = t->signs.counts[sign];
        add_items(r, &t->signs.items[sign]);
        r->folders = t->signs.folders[sign].list;
        r->folder_count = t->signs.folders[sign].count;
        if (strength == STRENGTH_STRONG)
            out = EXPORT_REQUIRED;
    }
    if (t->reason_count == before && facts->content == OST_CONTENT_OST && facts->complete &&
        remedy != REMEDY_RETRY_CLOSED)
        add_reason(t, "no sign of data on this computer alone was found, which does not show that "
                      "there is none: nothing was compared with a server")
            ->about = CONCERN_EXPORT;
    return out;
}

static void reason_of_sync(struct chk_tally *t)
{
    struct chk_reason *r;

    if (!t->signs.error_total)
        return;
    r = add_reason(t, "errors of synchronizing that Outlook logged (Sync Issues)");
    r->about = CONCERN_SYNC;
    r->count = t->signs.error_total;
    r->errors = t->signs.errors;
    r->error_count = t->signs.error_count;
    add_items(r, &t->signs.logs);
}

/* What the server has of a folder, so that it can be had again. */
static void add_download(const struct tally_folder *f, struct chk_download *sum)
{
    if (f->place != PLACE_SERVED)
        return;
    sum->items += f->messages > f->seen ? f->messages : f->seen;
    sum->bytes += f->download.bytes < UINT64_MAX - sum->bytes ? f->download.bytes : 0;
    sum->unsized += f->download.unsized + f->failed + tally_unaccounted(f);
}

static int compare_states(const void *a, const void *b)
{
    uint32_t x = ((const struct chk_folder_state *)a)->nid;
    uint32_t y = ((const struct chk_folder_state *)b)->nid;

    return (x > y) - (x < y);
}

/* The folders that are not clean. Items of an unknown folder (nid 0) stand in the coverage. */
static size_t list_folders(const struct chk_tally *t, const struct chk_facts *facts,
                           enum chk_remedy remedy, struct chk_folder_state *states)
{
    size_t count = 0;

    for (size_t i = 0; i < t->folder_capacity; i++) {
        const struct tally_folder *f = &t->folders[i];

        if (!f->nid || !(f->damaged || has_trouble(f)))
            continue;
        states[count] = (struct chk_folder_state){.nid = f->nid,
                                                  .failed = f->failed,
                                                  .orphaned = tally_orphans(f),
                                                  .rows_without_item = f->rows_without_item,
                                                  .unaccounted = tally_unaccounted(f),
                                                  .remedy = decide_folder(t, f, facts, remedy)};
        add_download(f, &states[count++].download);
    }
    qsort(states, count, sizeof *states, compare_states);
    return count;
}

static void count_ledger(const struct chk_tally *t, struct chk_coverage *out)
{
    for (size_t i = 0; i < t->folder_capacity; i++) {
        const struct tally_folder *f = &t->folders[i];

        out->items_orphaned += tally_orphans(f);
        out->rows += f->rows;
        out->rows_without_item += f->rows_without_item;
    }
}

int chk_verdict_make(struct chk_tally *t, const struct chk_facts *facts, struct chk_verdict *out)
{
    enum chk_remedy remedy = decide(t, facts);
    enum chk_export export_first;
    struct chk_folder_state *states = mem_alloc_array(t->folder_count + 1, sizeof *states);
    uint64_t missing = 0;

    if (!states)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->folder_capacity; i++)
        missing += tally_unaccounted(&t->folders[i]);
    make_reasons(t, facts, remedy, missing);
    export_first = reasons_of_export(t, facts, remedy);
    reason_of_sync(t);
    mem_free(t->states);
    t->states = states;
    *out = (struct chk_verdict){
        .remedy = remedy,
        .export_first = export_first,
        .reasons = t->reasons,
        .reason_count = t->reason_count,
        .folders = states,
        .folder_count = list_folders(t, facts, remedy, states),
        .coverage = {.has_allocated = facts->has_allocated,
                     .allocated_bytes = facts->allocated_bytes,
                     .verified_bytes = facts->verified_bytes,
                     .items_expected = t->items + t->failed + missing,
                     .items_read = t->items,
                     .items_failed = t->failed},
    };
    count_ledger(t, &out->coverage);
    out->has_download = can_refill(facts);
    for (size_t i = 0; out->has_download && i < t->folder_capacity; i++)
        add_download(&t->folders[i], &out->download);
    return 0;
}
