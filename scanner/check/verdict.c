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

enum scope {
    SCOPE_STRUCTURE, /* what every folder rests on */
    SCOPE_FOLDERS,   /* the contents of folders that are named */
    SCOPE_UNPLACED,  /* contents of folders that are not known */
    SCOPES,
};

/* What an engine says when it does not go through the image. */
static const enum finding_code give_ups[] = {F_engine_declined, F_engine_open_failed,
                                             F_engine_crashed, F_engine_timeout, F_engine_protocol};

enum { FOLDERS_FIRST = 64, REASONS = 16 };

/* The first CHK_REASON_ITEMS different nids, ascending. */
struct nids {
    uint32_t list[CHK_REASON_ITEMS];
    size_t count;
};

struct folder {
    bool used, announced, damaged;
    uint32_t nid;
    uint64_t messages, seen, failed, orphaned, partial;
    uint64_t orphans_told; /* by findings, those that failed included */
    bool rows_known;       /* of all its items */
    uint64_t rows, rows_without_item;
};

struct chk_tally {
    struct folder *folders; /* open addressing by nid; capacity is a power of two */
    size_t folder_count, folder_capacity;
    bool found[FINDING_CODES];
    bool certain[SCOPES][FINDING_CODES];
    bool unread[FINDING_CODES]; /* warnings that something could not be read */
    bool hierarchy_unread;      /* one of them may be about more than a folder's contents */
    struct nids damaged[SCOPES];
    struct nids failed_nids, partial_nids, orphan_nids, differing_nids, absent_nids;
    uint64_t items, failed, partial, orphaned;
    struct chk_reason reasons[REASONS];
    size_t reason_count;
    struct chk_folder_state *states;
};

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

int chk_tally_create(struct chk_tally **out)
{
    struct chk_tally *t = mem_zalloc(sizeof *t);

    if (!t)
        return ERR_NOMEM;
    *out = t;
    return 0;
}

void chk_tally_destroy(struct chk_tally *t)
{
    if (!t)
        return;
    mem_free(t->folders);
    mem_free(t->states);
    mem_free(t);
}

static void nids_add(struct nids *set, uint32_t nid)
{
    size_t low = 0, high = set->count;

    if (set->count == CHK_REASON_ITEMS)
        return;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->list[middle] < nid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < set->count && set->list[low] == nid)
        return;
    memmove(&set->list[low + 1], &set->list[low], (set->count - low) * sizeof *set->list);
    set->list[low] = nid;
    set->count++;
}

/* Seeded by where the tally lies: an image cannot choose nids that all fall on one slot. */
static struct folder *folder_slot(const struct chk_tally *t, struct folder *table, size_t capacity,
                                  uint32_t nid)
{
    uint64_t mixed = (nid ^ (uint64_t)(uintptr_t)t) * 0x9E3779B97F4A7C15u;
    size_t i;

    mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93u;
    i = (size_t)(mixed >> 32) & (capacity - 1);
    while (table[i].used && table[i].nid != nid)
        i = (i + 1) & (capacity - 1);
    return &table[i];
}

static int folders_grow(struct chk_tally *t)
{
    size_t capacity = t->folder_capacity ? 2 * t->folder_capacity : FOLDERS_FIRST;
    struct folder *table = mem_alloc_array(capacity, sizeof *table);

    if (!table)
        return ERR_NOMEM;
    memset(table, 0, capacity * sizeof *table);
    for (size_t i = 0; i < t->folder_capacity; i++)
        if (t->folders[i].used)
            *folder_slot(t, table, capacity, t->folders[i].nid) = t->folders[i];
    mem_free(t->folders);
    t->folders = table;
    t->folder_capacity = capacity;
    return 0;
}

static int folder_of(struct chk_tally *t, uint32_t nid, struct folder **out)
{
    struct folder *f;

    if (2 * (t->folder_count + 1) > t->folder_capacity) {
        int err = folders_grow(t);

        if (err)
            return err;
    }
    f = folder_slot(t, t->folders, t->folder_capacity, nid);
    if (!f->used) {
        f->used = true;
        f->nid = nid;
        t->folder_count++;
    }
    *out = f;
    return 0;
}

int chk_tally_folder(struct chk_tally *t, uint32_t nid, uint64_t messages)
{
    struct folder *f;
    int err = folder_of(t, nid, &f);

    if (err)
        return err;
    f->announced = true;
    f->messages = messages;
    return 0;
}

int chk_tally_rows(struct chk_tally *t, uint32_t nid, uint64_t rows, bool all)
{
    struct folder *f;
    int err = folder_of(t, nid, &f);

    if (err)
        return err;
    f->rows = rows;
    f->rows_known = all;
    return 0;
}

int chk_tally_item(struct chk_tally *t, uint32_t folder, bool orphan, bool partial)
{
    struct folder *f;
    int err = folder_of(t, folder, &f);

    if (err)
        return err;
    f->seen++;
    f->orphaned += orphan;
    f->partial += partial;
    t->items++;
    t->orphaned += orphan;
    t->partial += partial;
    return 0;
}

int chk_tally_failed(struct chk_tally *t, uint32_t nid, uint32_t folder)
{
    struct folder *f;
    int err = folder_of(t, folder, &f);

    if (err)
        return err;
    f->seen++;
    f->failed++;
    t->failed++;
    nids_add(&t->failed_nids, nid);
    return 0;
}

/* Messages and the tables that list them: what a folder holds, not what it is. */
static bool is_folder_content(uint32_t nid)
{
    switch (nid & 0x1F) {
    case 0x04: /* NORMAL_MESSAGE */
    case 0x08: /* ASSOC_MESSAGE */
    case 0x0E: /* CONTENTS_TABLE */
    case 0x0F: /* ASSOC_CONTENTS_TABLE */
        return true;
    default:
        return false;
    }
}

static bool is_certain(const struct finding *f)
{
    return f->severity == SEVERITY_CORRUPT && finding_info(f->code)->evidence[0] == 'R';
}

static enum scope scope_of(const struct finding *f)
{
    enum finding_layer layer = finding_info(f->code)->layer;

    if (layer < LAYER_BLOCK || layer == LAYER_BTREE || layer == LAYER_ALLOC)
        return SCOPE_STRUCTURE;
    if (f->has_nid && !is_folder_content(f->nid))
        return SCOPE_STRUCTURE;
    if (f->folder_count)
        return SCOPE_FOLDERS;
    return layer == LAYER_BLOCK ? SCOPE_STRUCTURE : SCOPE_UNPLACED;
}

static void note_items(struct nids *set, const struct finding *f)
{
    if (f->has_nid && is_folder_content(f->nid) && (f->nid & 0x1F) < 0x0E)
        nids_add(set, f->nid);
    for (size_t i = 0; i < f->item_count && set->count < CHK_REASON_ITEMS; i++)
        nids_add(set, f->items[i]);
}

static int note_certain(struct chk_tally *t, const struct finding *f)
{
    enum scope scope = scope_of(f);

    for (size_t i = 0; i < f->folder_count; i++) {
        struct folder *folder;
        int err = folder_of(t, f->folders[i], &folder);

        if (err)
            return err;
        folder->damaged = true;
    }
    t->certain[scope][f->code] = true;
    note_items(&t->damaged[scope], f);
    return 0;
}

static void note_unread(struct chk_tally *t, const struct finding *f)
{
    t->unread[f->code] = true;
    if (!f->has_nid || !is_folder_content(f->nid))
        t->hierarchy_unread = true;
}

/* Orphans and rows without an item are counted in their folder. */
static int note_in_folder(struct chk_tally *t, const struct finding *f)
{
    struct folder *folder;
    int err;

    if (!f->folder_count)
        return 0;
    err = folder_of(t, f->folders[0], &folder);
    if (err)
        return err;
    folder->orphans_told += f->code == F_item_orphan;
    folder->rows_without_item += f->code == F_row_without_item;
    return 0;
}

int chk_tally_finding(struct chk_tally *t, const struct finding *f)
{
    int err = 0;

    t->found[f->code] = true;
    if (f->code == F_item_orphan || f->code == F_row_without_item)
        err = note_in_folder(t, f);
    if (err)
        return err;
    if (f->code == F_row_without_item && f->has_nid)
        nids_add(&t->absent_nids, f->nid);
    if (f->code == F_item_failed)
        note_items(&t->failed_nids, f);
    if (f->code == F_item_partial)
        note_items(&t->partial_nids, f);
    if (f->code == F_item_orphan)
        note_items(&t->orphan_nids, f);
    if (f->code == F_engines_differ)
        note_items(&t->differing_nids, f);
    else if (f->severity != SEVERITY_INFO && finding_info(f->code)->evidence[0] == '-')
        note_unread(t, f);
    return is_certain(f) ? note_certain(t, f) : 0;
}

static uint64_t unaccounted(const struct folder *f)
{
    return f->messages > f->seen ? f->messages - f->seen : 0;
}

static uint64_t orphans(const struct folder *f)
{
    return f->orphans_told > f->orphaned ? f->orphans_told : f->orphaned;
}

static bool has_trouble(const struct folder *f)
{
    return f->failed || orphans(f) || f->partial || f->rows_without_item || unaccounted(f);
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
           !t->found[F_ledger_differs] && !t->found[F_engines_differ];
}

/* True when every trouble lies in a folder that is there and whose contents are surely damaged. */
static bool is_confined(const struct chk_tally *t)
{
    if (any(t->certain[SCOPE_UNPLACED]) || t->hierarchy_unread)
        return false;
    for (size_t i = 0; i < t->folder_capacity; i++) {
        const struct folder *f = &t->folders[i];

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

static void add_items(struct chk_reason *r, const struct nids *set)
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
                            enum finding_code code, const struct nids *set)
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
        const struct folder *f = &t->folders[i];

        if (f->nid && (f->damaged || has_trouble(f)))
            states[count++] = (struct chk_folder_state){.nid = f->nid,
                                                        .failed = f->failed,
                                                        .orphaned = orphans(f),
                                                        .rows_without_item = f->rows_without_item,
                                                        .unaccounted = unaccounted(f),
                                                        .remedy = remedy};
    }
    qsort(states, count, sizeof *states, compare_states);
    return count;
}

/* The ledger */

static struct finding ledger_finding(const uint32_t *nid, uint64_t expected, uint64_t actual,
                                     const char *what)
{
    struct finding f = finding_of(F_ledger_differs);

    f.has_nid = f.has_expected = f.has_actual = true;
    f.nid = *nid;
    f.folders = nid;
    f.folder_count = 1;
    f.expected = expected;
    f.actual = actual;
    f.detail = what;
    return f;
}

static int reconcile(const struct folder *f, void *ctx,
                     int (*finding)(void *ctx, const struct finding *f))
{
    uint64_t listed = f->seen > orphans(f) ? f->seen - orphans(f) : 0;
    struct finding told;
    int err = 0;

    if (f->messages != f->seen) {
        told = ledger_finding(&f->nid, f->messages, f->seen, "items by node, and those met");
        err = finding(ctx, &told);
    }
    if (!err && f->rows_known && f->rows != listed + f->rows_without_item) {
        told = ledger_finding(&f->nid, listed + f->rows_without_item, f->rows,
                              "items that are listed, and rows");
        err = finding(ctx, &told);
    }
    return err;
}

int chk_tally_reconcile(struct chk_tally *t, void *ctx,
                        int (*finding)(void *ctx, const struct finding *f))
{
    int err = 0;

    for (size_t i = 0; i < t->folder_capacity && !err; i++) {
        /* A copy: who is told may add to the tally. */
        struct folder f = t->folders[i];

        if (f.used && f.announced)
            err = reconcile(&f, ctx, finding);
    }
    return err;
}

static void count_ledger(const struct chk_tally *t, struct chk_coverage *out)
{
    for (size_t i = 0; i < t->folder_capacity; i++) {
        const struct folder *f = &t->folders[i];

        out->items_orphaned += orphans(f);
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
        missing += unaccounted(&t->folders[i]);
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
