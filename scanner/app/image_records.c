/* image_records.c: see image_records.h. */
#include "scanner/app/image_records.h"

#include <string.h>

#include "io/mem.h"
#include "scanner/app/finding_text.h"
#include "scanner/ost/limits.h"

enum { PID_DISPLAY_NAME = 0x3001 };

int records_init(struct image_records *r, struct kit *kit, struct progress_counters *counters,
                 bool verbose)
{
    *r = (struct image_records){.kit = kit, .counters = counters, .verbose = verbose};
    return idx_evidence_create(&r->evidence);
}

void records_done(struct image_records *r)
{
    idx_evidence_destroy(r->evidence);
    buf_done(&r->name);
    buf_done(&r->folder_path);
    *r = (struct image_records){0};
}

int records_begin(struct image_records *r, struct image_outcome *outcome)
{
    int err = idx_finding_list_create(&r->findings);

    r->outcome = outcome;
    if (!err)
        err = idx_finding_list_create(&r->later);
    if (!err)
        err = idx_folders_create(&r->folders);
    if (!err)
        err = chk_tally_create(&r->tally);
    if (!err)
        idx_evidence_start(r->evidence, r->tally);
    return err;
}

static void lose_notes(struct image_records *r)
{
    dup_note_end(r->note, NULL);
    r->note = NULL;
}

void records_start_notes(struct image_records *r, struct dup_notes *notes)
{
    r->offset = 0;
    r->note = notes ? dup_note_begin(notes) : NULL;
}

void records_keep_notes(struct image_records *r, const char *manifest_name)
{
    dup_note_end(r->note, manifest_name);
    r->note = NULL;
}

void records_forget(struct image_records *r)
{
    lose_notes(r);
    idx_finding_list_destroy(r->findings);
    idx_finding_list_destroy(r->later);
    idx_folders_destroy(r->folders);
    chk_tally_destroy(r->tally);
    r->findings = r->later = NULL;
    r->folders = NULL;
    r->tally = NULL;
    crosscheck_destroy(r->cross);
    r->cross = NULL;
    r->image_written = r->gave_up = r->unread = r->declined = r->corrupt = r->changed = false;
    r->steady.count = 0;
    memset(r->account_text, 0, sizeof r->account_text);
}

void records_end(struct image_records *r)
{
    records_forget(r);
    buf_done(&r->details);
    r->image = (struct idx_image_record){0};
    r->outcome = NULL;
    r->output_failed = false;
    r->bytes_reported = 0;
}

int records_put_line(struct image_records *r, enum idx_record type)
{
    struct buf *line = &r->kit->line;
    int err;

    if (type != RECORD_ITEM)
        kit_redact(r->kit);
    if (type == RECORD_FOLDER)
        dup_note_folder(r->note, (struct bytes){line->data, line->size});
    r->offset += line->size;
    err = line->failed ? ERR_NOMEM : idx_manifest_line(r->manifest, type, line->data, line->size);
    r->output_failed |= err && err != ERR_NOMEM;
    buf_reset(line);
    return err;
}

int records_write_image(struct image_records *r, const struct ost_image *image)
{
    struct idx_image_record record = r->image;

    record.image = image;
    r->image_written = true;
    idx_folders_bound(r->folders,
                      OST_LIMIT_HANDED_OUT * r->image.size_bytes + OST_LIMIT_HANDED_OUT_ANYWAY);
    idx_record_image(&r->kit->line, r->kit->text, &record);
    return records_put_line(r, RECORD_IMAGE);
}

static int on_image(void *ctx, const struct ost_image *image)
{
    struct image_records *r = ctx;

    if (image->account)
        strncpy(r->account_text, image->account, sizeof r->account_text - 1);
    return records_write_image(r, image);
}

/* Parents come before children, so a folder's path is known when it comes. */
static int on_folder(void *ctx, const struct ost_folder *folder)
{
    struct image_records *r = ctx;
    const struct ost_prop *name = ost_props_find(folder->props, PID_DISPLAY_NAME, OST_UNICODE);
    bool whole = true;
    int err;

    buf_reset(&r->name);
    if (name)
        idx_text_prop(r->kit->text, name, folder->codepage, &r->name, &whole);
    buf_reset(&r->folder_path);
    err = r->name.failed ? ERR_NOMEM
                         : idx_folders_add(r->folders, folder->nid, folder->parent,
                                           (struct bytes){r->name.data, r->name.size});
    if (err)
        return err;
    idx_folders_path(r->folders, folder->nid, &r->folder_path);
    if (r->folder_path.failed)
        return ERR_NOMEM;
    err = chk_tally_folder(r->tally, folder->nid, folder->items + folder->assoc);
    if (!err)
        err = chk_tally_rows(r->tally, folder->nid, folder->rows + folder->assoc_rows,
                             (folder->has_rows || !folder->items) &&
                                 (folder->has_assoc_rows || !folder->assoc));
    if (!err)
        err = idx_evidence_folder(r->evidence, folder, (struct bytes){r->name.data, r->name.size});
    if (err)
        return err;
    r->outcome->folders++;
    idx_record_folder(&r->kit->line, r->kit->text, folder, r->folder_path.data,
                      r->folder_path.size);
    return records_put_line(r, RECORD_FOLDER);
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct image_records *r = ctx;
    struct idx_mark mark;
    struct idx_view view;
    int err = kit_item_line(r->kit, item, &view);

    lose_notes(r); /* only entries bring them */
    if (!err)
        err = idx_evidence_log(r->evidence, &r->kit->log, item, &view);
    if (!err)
        err = records_put_line(r, RECORD_ITEM);
    if (!err)
        err = chk_tally_item(r->tally, item->folder, item->orphan, item->damage_count > 0);
    if (!err && r->cross)
        err = crosscheck_item(r->cross, item);
    if (err)
        return err;
    idx_evidence_mark(item, &view, &mark);
    err = idx_evidence_put(r->evidence, item->nid, item->folder, item->assoc, &mark);
    if (err)
        return err;
    *(item->assoc ? &r->outcome->assoc : &r->outcome->items) += 1;
    r->outcome->partial += item->damage_count > 0;
    atomic_fetch_add(&r->counters->items, 1);
    return 0;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct image_records *r = ctx;
    int err;

    lose_notes(r);
    idx_record_failed_item(&r->kit->line, nid, folder, assoc);
    err = records_put_line(r, RECORD_ITEM);
    if (!err && r->cross)
        err = crosscheck_failed(r->cross, nid, folder);
    if (err)
        return err;
    r->outcome->failed++;
    *(assoc ? &r->outcome->assoc : &r->outcome->items) += 1;
    return chk_tally_failed(r->tally, nid, folder);
}

/* An item whose line was written. */
static int on_entry(void *ctx, const struct idx_entry *e, const void *note)
{
    struct image_records *r = ctx;
    struct image_outcome *o = r->outcome;
    int err;

    if (note)
        dup_note_item(r->note, r->offset, (struct bytes){note, e->note_size});
    else
        lose_notes(r);
    r->offset += e->size;
    *(e->assoc ? &o->assoc : &o->items) += 1;
    o->partial += e->partial;
    o->failed += e->failed;
    if (e->failed)
        return chk_tally_failed(r->tally, e->nid, e->folder);
    err = chk_tally_item(r->tally, e->folder, e->orphan, e->partial);
    return err ? err : idx_evidence_put(r->evidence, e->nid, e->folder, e->assoc, &e->mark);
}

/* Puts it into the list. */
static int list_finding(void *ctx, const struct finding *f)
{
    struct image_records *r = ctx;
    int err = idx_finding_list_add(r->findings, f);

    if (!err && (outcome_is_given_up(f->code) || outcome_is_unread(f->code) ||
                 f->severity == SEVERITY_CORRUPT))
        err = outcome_set_reason(r->outcome, f);
    return err;
}

static int count_finding(struct image_records *r, const struct finding *f)
{
    int err = chk_tally_finding(r->tally, f);

    if (err)
        return err;
    steady_suspect(&r->steady, f);
    r->changed |= f->code == F_truncated_while_read;
    r->outcome->io_error |= f->code == F_read_failed;
    r->unread |= outcome_is_unread(f->code);
    r->corrupt |= f->severity == SEVERITY_CORRUPT;
    r->gave_up |= outcome_is_given_up(f->code);
    r->declined |= f->code == F_engine_declined;
    atomic_fetch_add(&r->counters->findings, 1);
    return 0;
}

int records_finding(struct image_records *r, const struct finding *f)
{
    int err = list_finding(r, f);

    return err ? err : count_finding(r, f);
}

int records_on_finding(void *ctx, const struct finding *f)
{
    return records_finding(ctx, f);
}

/* What the structure's check tells at the place that is hurt, where an engine only meets what comes
 * of it: the block that a lost page named, the tree that a lost block was of. A zlib stream that is
 * bad under a right checksum is only known to who inflates it. */
static bool is_of_structure(enum finding_code code)
{
    return code >= F_page_type && code <= F_root_folder_missing && code != F_inflate_failed;
}

/* True if that is for the check to tell. What the engine alone has met was written meanwhile. */
static bool leave_to_check(struct image_records *r, const struct finding *f)
{
    if (!is_of_structure(f->code))
        return false;
    steady_suspect(&r->steady, f);
    return true;
}

static int on_engine_finding(void *ctx, const struct finding *f)
{
    return leave_to_check(ctx, f) ? 0 : records_finding(ctx, f);
}

/* Of what is read while the structure is checked, whose findings come first. */
static int on_finding_later(void *ctx, const struct finding *f)
{
    struct image_records *r = ctx;
    int err;

    if (leave_to_check(r, f))
        return 0;
    err = idx_finding_list_add(r->later, f);
    return err ? err : count_finding(r, f);
}

int records_join_findings(struct image_records *r)
{
    return idx_finding_list_each(r->later, r, list_finding);
}

void records_on_progress(void *ctx, uint64_t bytes)
{
    struct image_records *r = ctx;

    if (bytes > r->image.size_bytes)
        bytes = r->image.size_bytes;
    if (bytes <= r->bytes_reported)
        return;
    atomic_fetch_add(&r->counters->bytes_done, bytes - r->bytes_reported);
    r->bytes_reported = bytes;
}

struct engine_sink records_engine_sink(struct image_records *r, bool at_once)
{
    if (at_once)
        return (struct engine_sink){
            .ctx = r, .image = on_image, .folder = on_folder, .finding = on_finding_later};
    return (struct engine_sink){
        .ctx = r,
        .image = on_image,
        .folder = on_folder,
        .item = on_item,
        .failed = on_failed,
        .finding = on_engine_finding,
        .progress = records_on_progress,
    };
}

struct idx_order_sink records_order_sink(struct image_records *r)
{
    return (struct idx_order_sink){
        .ctx = r, .finding = on_finding_later, .entry = on_entry, .manifest = r->manifest};
}

int records_write_findings(struct image_records *r)
{
    int err = idx_finding_list_seal(r->findings);

    for (size_t i = 0; !err && i < idx_finding_list_count(r->findings); i++) {
        const struct finding *f = idx_finding_list_at(r->findings, i);

        if (r->verbose)
            finding_text(&r->details, f);
        idx_record_finding(&r->kit->line, i + 1, idx_finding_list_merged(r->findings, i), f);
        r->outcome->findings[f->severity]++;
        err = records_put_line(r, RECORD_FINDING);
    }
    return err;
}

int records_write_verdict(struct image_records *r, const struct chk_facts *facts,
                          struct chk_verdict *verdict)
{
    int err = chk_verdict_make(r->tally, facts, verdict);

    if (err)
        return err;
    r->outcome->remedy = verdict->remedy;
    if (verdict->reason_count)
        r->outcome->remedy_why = verdict->reasons[0].text;
    outcome_export(r->outcome, verdict);
    idx_record_verdict(&r->kit->line, verdict);
    return records_put_line(r, RECORD_VERDICT);
}
