/*
 * tally.c: what a scan collects on its way (verdict.h), and the ledger of the folders.
 */
#include "scanner/check/tally.h"

#include <assert.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/mix.h"

enum { FOLDERS_FIRST = 64 };

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

void tally_nids_add(struct tally_nids *set, uint32_t nid)
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

void tally_nids_least(struct tally_nids *set, uint32_t nid)
{
    if (set->count == CHK_REASON_ITEMS && nid < set->list[set->count - 1])
        set->count--;
    tally_nids_add(set, nid);
}

static struct tally_folder *folder_slot(const struct chk_tally *t, struct tally_folder *table,
                                        size_t capacity, uint32_t nid)
{
    size_t i = (size_t)io_mix(nid, t) & (capacity - 1);

    while (table[i].used && table[i].nid != nid)
        i = (i + 1) & (capacity - 1);
    return &table[i];
}

static int folders_grow(struct chk_tally *t)
{
    size_t capacity = t->folder_capacity ? 2 * t->folder_capacity : FOLDERS_FIRST;
    struct tally_folder *table = mem_alloc_array(capacity, sizeof *table);

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

int tally_folder_of(struct chk_tally *t, uint32_t nid, struct tally_folder **out)
{
    struct tally_folder *f;

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
    struct tally_folder *f;
    int err = tally_folder_of(t, nid, &f);

    if (err)
        return err;
    f->announced = true;
    f->messages = messages;
    return 0;
}

int chk_tally_rows(struct chk_tally *t, uint32_t nid, uint64_t rows, bool all)
{
    struct tally_folder *f;
    int err = tally_folder_of(t, nid, &f);

    if (err)
        return err;
    f->rows = rows;
    f->rows_known = all;
    return 0;
}

int chk_tally_item(struct chk_tally *t, uint32_t folder, bool orphan, bool partial)
{
    struct tally_folder *f;
    int err = tally_folder_of(t, folder, &f);

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
    struct tally_folder *f;
    int err = tally_folder_of(t, folder, &f);

    if (err)
        return err;
    f->seen++;
    f->failed++;
    t->failed++;
    tally_nids_add(&t->failed_nids, nid);
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

static enum tally_scope scope_of(const struct finding *f)
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

static void note_items(struct tally_nids *set, const struct finding *f)
{
    if (f->has_nid && is_folder_content(f->nid) && (f->nid & 0x1F) < 0x0E)
        tally_nids_add(set, f->nid);
    for (size_t i = 0; i < f->item_count && set->count < CHK_REASON_ITEMS; i++)
        tally_nids_add(set, f->items[i]);
}

static int note_certain(struct chk_tally *t, const struct finding *f)
{
    enum tally_scope scope = scope_of(f);

    for (size_t i = 0; i < f->folder_count; i++) {
        struct tally_folder *folder;
        int err = tally_folder_of(t, f->folders[i], &folder);

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
    struct tally_folder *folder;
    int err;

    if (!f->folder_count) {
        t->deficit_unplaced = true;
        return 0;
    }
    err = tally_folder_of(t, f->folders[0], &folder);
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
        tally_nids_add(&t->absent_nids, f->nid);
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

static int reconcile(const struct tally_folder *f, void *ctx,
                     int (*finding)(void *ctx, const struct finding *f))
{
    uint64_t listed = f->seen > tally_orphans(f) ? f->seen - tally_orphans(f) : 0;
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
        struct tally_folder f = t->folders[i];

        if (f.used && f.announced)
            err = reconcile(&f, ctx, finding);
    }
    return err;
}
