/*
 * verdict.c: see verdict.h.
 *
 * The rules, the first that applies:
 *
 *   in use, or changed while it was read          retry_closed
 *   not known to hold a mailbox                   unknown
 *   no certain damage     all seen, all well      none
 *                         else                    unknown
 *   certain damage, and no OST of Exchange        repair_copy
 *   certain damage in what all folders rest on    rebuild
 *   certain damage in named folders alone, and
 *   everything else seen                          resync_folders
 *   any other                                     unknown
 *
 * Damage is certain when a finding is corrupt and its code's statement was seen to hold on real
 * files (evidence R4 or R5); what only sources or synthetic files say, and what an engine could not
 * do, never is. That two engines read an item differently leaves a verdict without damage open. Its
 * scope follows from the finding's layer, its node's type and the folders it names. Failed,
 * partial, orphaned and unaccounted items are signs of damage and no proof of it: without certain
 * damage in their folder they leave the verdict open.
 *
 * export_first stays unknown here: an orphaned or recovered item is no proof that the server lacks
 * it, nor is a clean image one that it lacks nothing. Only a comparison knows.
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

const char *chk_export_name(enum chk_export export_first)
{
    static const char *const names[] = {"unknown", "required", "nothing_found"};

    assert(export_first <= EXPORT_NOTHING_FOUND);
    return names[export_first];
}

static bool has_trouble(const struct tally_folder *f)
{
    return f->failed || tally_orphans(f) || f->partial || f->rows_without_item ||
           tally_unaccounted(f);
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

/* True when every trouble lies in a folder that is there and whose contents are surely damaged. */
static bool is_confined(const struct chk_tally *t)
{
    if (any(t->certain[SCOPE_UNPLACED]) || t->hierarchy_unread)
        return false;
    for (size_t i = 0; i < t->folder_capacity; i++) {
        const struct tally_folder *f = &t->folders[i];

        if ((f->damaged && !f->announced) || (has_trouble(f) && !f->damaged))
            return false;
    }
    return true;
}

static bool holds_mailbox(enum ost_content content)
{
    return content == OST_CONTENT_PST || content == OST_CONTENT_OST;
}

static bool can_refill(const struct chk_facts *facts)
{
    return facts->content == OST_CONTENT_OST && strcmp(facts->account, "exchange") == 0;
}

static enum chk_remedy decide(const struct chk_tally *t, const struct chk_facts *facts)
{
    bool structure = any(t->certain[SCOPE_STRUCTURE]);

    if (facts->in_use || changed(t, facts))
        return REMEDY_RETRY_CLOSED;
    if (!holds_mailbox(facts->content))
        return REMEDY_UNKNOWN;
    if (!structure && !any(t->certain[SCOPE_FOLDERS]) && !any(t->certain[SCOPE_UNPLACED]))
        return all_seen(t, facts) && all_well(t) ? REMEDY_NONE : REMEDY_UNKNOWN;
    if (!can_refill(facts))
        return REMEDY_REPAIR_COPY;
    if (structure)
        return REMEDY_REBUILD;
    return all_seen(t, facts) && is_confined(t) ? REMEDY_RESYNC_FOLDERS : REMEDY_UNKNOWN;
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

static int compare_states(const void *a, const void *b)
{
    uint32_t x = ((const struct chk_folder_state *)a)->nid;
    uint32_t y = ((const struct chk_folder_state *)b)->nid;

    return (x > y) - (x < y);
}

/* The folders that are not clean. Items of an unknown folder (nid 0) stand in the coverage. */
static size_t list_folders(const struct chk_tally *t, enum chk_remedy remedy,
                           struct chk_folder_state *states)
{
    size_t count = 0;

    for (size_t i = 0; i < t->folder_capacity; i++) {
        const struct tally_folder *f = &t->folders[i];

        if (f->nid && (f->damaged || has_trouble(f)))
            states[count++] = (struct chk_folder_state){.nid = f->nid,
                                                        .failed = f->failed,
                                                        .orphaned = tally_orphans(f),
                                                        .rows_without_item = f->rows_without_item,
                                                        .unaccounted = tally_unaccounted(f),
                                                        .remedy = remedy};
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
    struct chk_folder_state *states = mem_alloc_array(t->folder_count + 1, sizeof *states);
    uint64_t missing = 0;

    if (!states)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->folder_capacity; i++)
        missing += tally_unaccounted(&t->folders[i]);
    make_reasons(t, facts, remedy, missing);
    mem_free(t->states);
    t->states = states;
    *out = (struct chk_verdict){
        .remedy = remedy,
        .export_first = EXPORT_UNKNOWN,
        .reasons = t->reasons,
        .reason_count = t->reason_count,
        .folders = states,
        .folder_count = list_folders(t, remedy, states),
        .coverage = {.has_allocated = facts->has_allocated,
                     .allocated_bytes = facts->allocated_bytes,
                     .verified_bytes = facts->verified_bytes,
                     .items_expected = t->items + t->failed + missing,
                     .items_read = t->items,
                     .items_failed = t->failed},
    };
    count_ledger(t, &out->coverage);
    return 0;
}
