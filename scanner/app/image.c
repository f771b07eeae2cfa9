/*
 * image.c: see image.h.
 *
 *   open ─▶ header ─▶ structure ─┬─ unusable ──────────────────────────┐
 *                                └─ engine ─▶ image, folders, items ───┴▶ findings ─▶ verdict ─▶
 * commit
 *
 * Records leave in the manifest's order: the engine's own order brings image, folders and items;
 * findings are held until the end.
 */
#include "scanner/app/image.h"

#include <string.h>

#include "index/evidence.h"
#include "index/finding_list.h"
#include "index/folders.h"
#include "index/manifest.h"
#include "index/manifest_name.h"
#include "index/record.h"
#include "io/clock.h"
#include "io/mem.h"
#include "io/source.h"
#include "scanner/app/crosscheck.h"
#include "scanner/app/finding_text.h"
#include "scanner/app/kit.h"
#include "scanner/app/lanes.h"
#include "scanner/app/outcome.h"
#include "scanner/app/resume.h"
#include "scanner/app/steady.h"
#include "scanner/check/check.h"
#include "scanner/engine_native.h"
#include "scanner/native_scan.h"

enum { READ_AHEAD = 8 << 20, PID_DISPLAY_NAME = 0x3001 };

struct image_worker {
    const struct image_run *run;
    struct kit kit;
    struct idx_evidence *evidence;
    struct buf name, folder_path;

    /* The image in hand. */
    const struct work *work;
    const char *path;
    int64_t started_ns;
    bool output_failed; /* the manifest could not be written */
    struct buf absolute, details;
    struct io_file file;
    struct io_source *source;
    struct image_outcome *outcome;
    struct idx_manifest_writer *manifest;
    struct idx_finding_list *findings;
    struct idx_finding_list *later; /* what was found of items, to stand behind the structure's */
    struct idx_folders *folders;
    struct chk_tally *tally;
    struct crosscheck *cross; /* NULL: not asked for */
    bool corrupt;             /* some finding is */
    bool image_written;
    bool gave_up;  /* the engine did not go through the image */
    bool unread;   /* something of it could not be read */
    bool declined; /* … as it is too large for it */
    const char *account;
    char account_text[16];
    uint64_t bytes_reported;
    struct chk_result structure;
    bool has_header;
    struct ost_header header;
    uint8_t head[OST_HEADER_SIZE]; /* the header's bytes */
    size_t head_size;
    struct resume_image resume;
    struct steady steady;
    bool changed;               /* while it was read */
    struct chk_verdict verdict; /* what it points to is the tally's */
    char manifest_name[IDX_MANIFEST_NAME];
};

int image_worker_create(const struct image_run *run, struct image_worker **out)
{
    struct image_worker *w = mem_zalloc(sizeof *w);
    int err;

    if (!w)
        return ERR_NOMEM;
    w->run = run;
    err = kit_init(&w->kit, run->options->digest, run->io);
    if (!err)
        err = idx_evidence_create(&w->evidence);
    if (err)
        image_worker_destroy(w);
    else
        *out = w;
    return err;
}

struct kit *image_worker_kit(struct image_worker *w)
{
    return &w->kit;
}

void image_worker_destroy(struct image_worker *w)
{
    if (!w)
        return;
    idx_evidence_destroy(w->evidence);
    kit_done(&w->kit);
    buf_done(&w->name);
    buf_done(&w->folder_path);
    mem_free(w);
}

/* Writes the record that stands in the kit's line. */
static int put_line(struct image_worker *w, enum idx_record type)
{
    int err = w->kit.line.failed
                  ? ERR_NOMEM
                  : idx_manifest_line(w->manifest, type, w->kit.line.data, w->kit.line.size);

    w->output_failed |= err && err != ERR_NOMEM;
    buf_reset(&w->kit.line);
    return err;
}

static int write_scan(struct image_worker *w)
{
    const struct image_run *run = w->run;
    struct idx_scan_record record = {
        .tool = "ostscan " OSTSCAN_VERSION,
        .engine = run->engine->name,
        .io = run->io == IO_BACKEND_URING ? "uring" : "pread",
        .started_ns = w->started_ns,
        .options = (const char *const *)run->options->given,
        .option_count = run->options->given_count,
    };

    idx_record_scan(&w->kit.line, &record);
    return put_line(w, RECORD_SCAN);
}

static int write_image(struct image_worker *w, const struct ost_image *image)
{
    struct idx_image_record record = {
        .path = (const char *)w->absolute.data,
        .size_bytes = w->file.id.size_bytes,
        .mtime_ns = w->file.id.mtime_ns,
        .image = image,
        .header = w->has_header ? &w->header : NULL,
    };

    w->image_written = true;
    idx_record_image(&w->kit.line, w->kit.text, &record);
    return put_line(w, RECORD_IMAGE);
}

static int on_image(void *ctx, const struct ost_image *image)
{
    struct image_worker *w = ctx;

    if (image->account)
        strncpy(w->account_text, image->account, sizeof w->account_text - 1);
    return write_image(w, image);
}

/* Parents come before children, so a folder's path is known when it comes. */
static int on_folder(void *ctx, const struct ost_folder *folder)
{
    struct image_worker *w = ctx;
    const struct ost_prop *name = ost_props_find(folder->props, PID_DISPLAY_NAME, OST_UNICODE);
    bool whole = true;
    int err;

    buf_reset(&w->name);
    if (name)
        idx_text_prop(w->kit.text, name, folder->codepage, &w->name, &whole);
    buf_reset(&w->folder_path);
    err = w->name.failed ? ERR_NOMEM
                         : idx_folders_add(w->folders, folder->nid, folder->parent,
                                           (struct bytes){w->name.data, w->name.size});
    if (err)
        return err;
    idx_folders_path(w->folders, folder->nid, &w->folder_path);
    if (w->folder_path.failed)
        return ERR_NOMEM;
    err = chk_tally_folder(w->tally, folder->nid, folder->items + folder->assoc);
    if (!err)
        err = chk_tally_rows(w->tally, folder->nid, folder->rows + folder->assoc_rows,
                             (folder->has_rows || !folder->items) &&
                                 (folder->has_assoc_rows || !folder->assoc));
    if (!err)
        err = idx_evidence_folder(w->evidence, folder, (struct bytes){w->name.data, w->name.size});
    if (err)
        return err;
    w->outcome->folders++;
    idx_record_folder(&w->kit.line, w->kit.text, folder, w->folder_path.data, w->folder_path.size);
    return put_line(w, RECORD_FOLDER);
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct image_worker *w = ctx;
    struct idx_mark mark;
    struct idx_view view;
    int err = kit_item_line(&w->kit, item, &view);

    if (!err)
        err = idx_evidence_log(w->evidence, &w->kit.log, item, &view);
    if (!err)
        err = put_line(w, RECORD_ITEM);
    if (!err)
        err = chk_tally_item(w->tally, item->folder, item->orphan, item->damage_count > 0);
    if (!err && w->cross)
        err = crosscheck_item(w->cross, item);
    if (err)
        return err;
    idx_evidence_mark(item, &view, &mark);
    err = idx_evidence_put(w->evidence, item->nid, item->folder, item->assoc, &mark);
    if (err)
        return err;
    *(item->assoc ? &w->outcome->assoc : &w->outcome->items) += 1;
    w->outcome->partial += item->damage_count > 0;
    atomic_fetch_add(&w->run->counters->items, 1);
    return 0;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct image_worker *w = ctx;
    int err;

    idx_record_failed_item(&w->kit.line, nid, folder, assoc);
    err = put_line(w, RECORD_ITEM);
    if (!err && w->cross)
        err = crosscheck_failed(w->cross, nid, folder);
    if (err)
        return err;
    w->outcome->failed++;
    *(assoc ? &w->outcome->assoc : &w->outcome->items) += 1;
    return chk_tally_failed(w->tally, nid, folder);
}

/* Puts it into the list. */
static int list_finding(void *ctx, const struct finding *f)
{
    struct image_worker *w = ctx;
    int err = idx_finding_list_add(w->findings, f);

    if (!err && (outcome_is_given_up(f->code) || outcome_is_unread(f->code) ||
                 f->severity == SEVERITY_CORRUPT))
        err = outcome_set_reason(w->outcome, f);
    return err;
}

static int count_finding(struct image_worker *w, const struct finding *f)
{
    int err = chk_tally_finding(w->tally, f);

    if (err)
        return err;
    steady_suspect(&w->steady, f);
    w->changed |= f->code == F_truncated_while_read;
    w->outcome->io_error |= f->code == F_read_failed;
    w->unread |= outcome_is_unread(f->code);
    w->corrupt |= f->severity == SEVERITY_CORRUPT;
    w->gave_up |= outcome_is_given_up(f->code);
    w->declined |= f->code == F_engine_declined;
    atomic_fetch_add(&w->run->counters->findings, 1);
    return 0;
}

static int on_finding(void *ctx, const struct finding *f)
{
    int err = list_finding(ctx, f);

    return err ? err : count_finding(ctx, f);
}

/* Of what is read while the structure is checked, whose findings come first. */
static int on_finding_later(void *ctx, const struct finding *f)
{
    struct image_worker *w = ctx;
    int err = idx_finding_list_add(w->later, f);

    return err ? err : count_finding(w, f);
}

static void on_progress(void *ctx, uint64_t bytes)
{
    struct image_worker *w = ctx;

    if (bytes > w->file.id.size_bytes)
        bytes = w->file.id.size_bytes;
    if (bytes <= w->bytes_reported)
        return;
    atomic_fetch_add(&w->run->counters->bytes_done, bytes - w->bytes_reported);
    w->bytes_reported = bytes;
}

static int write_findings(struct image_worker *w)
{
    int err = idx_finding_list_seal(w->findings);

    for (size_t i = 0; !err && i < idx_finding_list_count(w->findings); i++) {
        const struct finding *f = idx_finding_list_at(w->findings, i);

        if (w->run->options->verbose)
            finding_text(&w->details, f);
        idx_record_finding(&w->kit.line, i + 1, idx_finding_list_merged(w->findings, i), f);
        w->outcome->findings[f->severity]++;
        err = put_line(w, RECORD_FINDING);
    }
    return err;
}

static int write_verdict(struct image_worker *w)
{
    struct chk_facts facts = {
        .content = w->header.content,
        .account = w->account_text[0] ? w->account_text : "unknown",
        .changed = w->changed,
        .has_allocated = w->structure.complete,
        .allocated_bytes = w->structure.allocated_bytes,
        .verified_bytes = w->structure.verified_bytes,
        .complete = w->image_written && !w->gave_up && w->structure.complete,
        .rows_certain = w->run->engine != &engine_libpff,
    };
    int err = chk_verdict_make(w->tally, &facts, &w->verdict);

    if (err)
        return err;
    w->outcome->remedy = w->verdict.remedy;
    if (w->verdict.reason_count)
        w->outcome->remedy_why = w->verdict.reasons[0].text;
    outcome_export(w->outcome, &w->verdict);
    idx_record_verdict(&w->kit.line, &w->verdict);
    return put_line(w, RECORD_VERDICT);
}

/* The header's bytes into w->head; what keeps them from being read is the result. */
static int read_header(struct image_worker *w)
{
    size_t wanted =
        w->file.id.size_bytes < OST_HEADER_SIZE ? (size_t)w->file.id.size_bytes : OST_HEADER_SIZE;
    int err = io_source_open_reader(w->kit.reader, w->file.fd, w->file.id.size_bytes, READ_AHEAD,
                                    &w->source);

    if (!err)
        err = io_source_read(w->source, 0, w->head, wanted);
    if (!err)
        w->head_size = wanted;
    else if (w->source)
        w->outcome->fault = w->source->fault;
    return err;
}

static struct chk_job check_job_of(struct image_worker *w, const struct ost_header_report *report)
{
    return (struct chk_job){
        .sources = &w->source,
        .source_count = 1,
        .header = &w->header,
        .report = report,
        .memory_bytes = w->run->memory_bytes,
        .cancel = w->run->cancel,
    };
}

/* Every page and block verified; what the trees name is from here on known. */
static int check_structure(struct image_worker *w, const struct ost_header_report *report)
{
    const struct chk_sink sink = {.ctx = w, .finding = on_finding};
    const struct chk_job job = check_job_of(w, report);

    return chk_run(&job, &sink, &w->structure);
}

static struct engine_job job_of(struct image_worker *w)
{
    return (struct engine_job){
        .file = &w->file,
        .header = &w->header,
        .io = w->run->io,
        .memory_bytes = w->run->memory_bytes,
        .hasher = &w->kit.hasher,
        .cancel = w->run->cancel,
    };
}

static int run_engine(struct image_worker *w)
{
    const struct engine_sink sink = {
        .ctx = w,
        .image = on_image,
        .folder = on_folder,
        .item = on_item,
        .failed = on_failed,
        .finding = on_finding,
        .progress = on_progress,
    };
    const struct engine_job job = job_of(w);
    int err = w->run->engine->run(&job, &sink);

    /* libpff does not tell of rows that it cannot place. */
    if (!err && !w->gave_up && w->run->engine != &engine_libpff)
        err = chk_tally_reconcile(w->tally, w, on_finding);
    return err;
}

static bool is_verified(const struct image_worker *w)
{
    return w->structure.complete && w->structure.verified_bytes >= w->structure.allocated_bytes;
}

/* libpff is a witness of sound structures alone: it does not notice damage. */
static int cross_check(struct image_worker *w)
{
    const struct engine_job job = job_of(w);

    if (w->gave_up)
        return crosscheck_skip(w, on_finding, "the image was not gone through");
    if (w->corrupt || !is_verified(w))
        return crosscheck_skip(w, on_finding, "libpff is no witness of damaged images");
    /* Of generated ones with the permute cipher it deciphers the later blocks of values wrongly. */
    if (w->header.format == OST_FORMAT_UNICODE4K && w->header.crypt != OST_CRYPT_NONE)
        return crosscheck_skip(w, on_finding, "libpff is no witness of enciphered 4k images");
    return crosscheck_run(w->cross, &job, w, on_finding);
}

/* An item whose line was written. */
static int on_entry(void *ctx, const struct idx_entry *e)
{
    struct image_worker *w = ctx;
    struct image_outcome *o = w->outcome;
    int err;

    *(e->assoc ? &o->assoc : &o->items) += 1;
    o->partial += e->partial;
    o->failed += e->failed;
    if (e->failed)
        return chk_tally_failed(w->tally, e->nid, e->folder);
    err = chk_tally_item(w->tally, e->folder, e->orphan, e->partial);
    return err ? err : idx_evidence_put(w->evidence, e->nid, e->folder, e->assoc, &e->mark);
}

static int open_source(void *ctx, void *kit, struct io_source **out)
{
    const struct image_worker *w = ctx;

    return io_source_open_reader(((struct kit *)kit)->reader, w->file.fd, w->file.id.size_bytes,
                                 READ_AHEAD, out);
}

static void note_read(struct image_worker *w)
{
    const struct chk_result *r = &w->structure;
    uint64_t sweep = r->read_bytes - r->gap_bytes;

    w->outcome->has_read = true;
    w->outcome->read = (struct idx_read_bytes){r->plan_bytes, sweep, r->gap_bytes, r->again_bytes};
}

/* Structure and items in one sweep. */
static int scan_at_once(struct image_worker *w, const struct ost_header_report *report, bool *again)
{
    const struct idx_order_sink order = {
        .ctx = w, .finding = on_finding_later, .entry = on_entry, .manifest = w->manifest};
    const struct engine_sink sink = {
        .ctx = w, .image = on_image, .folder = on_folder, .finding = on_finding_later};
    const struct chk_sink check_sink = {.ctx = w, .finding = on_finding, .progress = on_progress};
    const struct chk_help help = {
        .crew = w->run->crew, .kit = &w->kit, .ctx = w, .open = open_source};
    const struct engine_job engine = job_of(w);
    struct chk_job check = check_job_of(w, report);
    struct lanes lanes = {0};
    const struct native_scan_job job = {
        .engine = &engine,
        .check = &check,
        .check_sink = &check_sink,
        .sink = &sink,
        .lanes = &lanes.native,
    };
    int err =
        lanes_init(&lanes, &order, &w->kit, w->run->memory_bytes / 4, &w->run->counters->items);

    lanes.cross = w->cross;
    lanes.evidence = w->evidence;
    check.help = &help;
    if (!err)
        err = native_scan(&job, &w->structure, again);
    if (!err && !*again)
        note_read(w);
    lanes_done(&lanes);
    if (!err)
        err = idx_finding_list_each(w->later, w, list_finding);
    return err ? err : chk_tally_reconcile(w->tally, w, on_finding);
}

static unsigned open_flags(const struct image_worker *w)
{
    return (w->run->options->direct ? IO_FILE_DIRECT : 0u) | (w->work->named ? IO_FILE_FOLLOW : 0u);
}

static int note_change(struct image_worker *w)
{
    struct finding f = finding_of(F_changed_while_read);
    int err;

    if (!w->changed) {
        err = steady_check(&w->steady, w->path, open_flags(w), &w->file,
                           (struct bytes){w->head, w->head_size}, w->header.format, &w->changed);
        if (err || !w->changed)
            return err;
        err = on_finding(w, &f);
        if (err)
            return err;
    }
    /* What was read while others wrote fits together by chance only: it proves no damage. */
    idx_finding_list_soften(w->findings);
    mem_free(w->outcome->reason);
    w->outcome->reason = NULL;
    return outcome_set_reason(w->outcome, &f);
}

static enum idx_image_state state_of(const struct image_worker *w,
                                     const struct ost_header_report *report)
{
    const struct image_outcome *o = w->outcome;

    if (report->state == OST_HEADER_UNUSABLE || (w->gave_up && !o->folders && !w->declined))
        return IMAGE_FAILED;
    if (w->declined)
        return IMAGE_DECLINED;
    if (w->changed)
        return IMAGE_CHANGED;
    if (w->gave_up || w->unread || o->failed || o->partial)
        return IMAGE_PARTIAL;
    return o->findings[SEVERITY_CORRUPT] ? IMAGE_DAMAGED : IMAGE_OK;
}

/* Structure and content, in turn or at once. *again: it is to be done once more, in turn. */
static int read_content(struct image_worker *w, const struct ost_header_report *report,
                        bool in_turn, bool *again)
{
    bool usable = report->state != OST_HEADER_UNUSABLE;
    int err;

    *again = false;
    if (usable && w->run->engine == &engine_native && !in_turn)
        return scan_at_once(w, report, again);
    err = check_structure(w, report);
    return err || !usable ? err : run_engine(w);
}

static int write_content(struct image_worker *w, const struct ost_header_report *report,
                         bool in_turn, bool *again)
{
    int err = write_scan(w);

    if (!err)
        err = read_content(w, report, in_turn, again);
    if (err || *again)
        return err;
    if (w->cross)
        err = cross_check(w);
    if (!err && !w->image_written)
        err = write_image(w, NULL);
    if (!err)
        err = note_change(w);
    if (!err)
        err = write_findings(w);
    if (!err)
        err = write_verdict(w);
    if (!err)
        w->outcome->state = state_of(w, report);
    return err;
}

static int begin(struct image_worker *w)
{
    int err = idx_finding_list_create(&w->findings);

    if (!err)
        err = idx_finding_list_create(&w->later);
    if (!err)
        err = idx_folders_create(&w->folders);
    if (!err)
        err = chk_tally_create(&w->tally);
    if (!err)
        idx_evidence_start(w->evidence, w->tally);
    return err;
}

/* What was gathered of the image goes. */
static void forget(struct image_worker *w)
{
    idx_finding_list_destroy(w->findings);
    idx_finding_list_destroy(w->later);
    idx_folders_destroy(w->folders);
    chk_tally_destroy(w->tally);
    w->findings = w->later = NULL;
    w->folders = NULL;
    w->tally = NULL;
    crosscheck_destroy(w->cross);
    w->cross = NULL;
    w->image_written = w->gave_up = w->unread = w->declined = w->corrupt = w->changed = false;
    w->steady.count = 0;
    w->structure = (struct chk_result){0};
    memset(w->account_text, 0, sizeof w->account_text);
}

/* Once more from the beginning. */
static int begin_again(struct image_worker *w)
{
    struct image_outcome *o = w->outcome;

    forget(w);
    mem_free(o->reason);
    *o = (struct image_outcome){
        .remedy = o->remedy, .size_bytes = o->size_bytes, .direct_refused = o->direct_refused};
    return begin(w);
}

static int try_manifest(struct image_worker *w, const struct ost_header_report *report,
                        bool in_turn, bool *again)
{
    unsigned percent = w->run->options->crosscheck;
    struct image_outcome *o = w->outcome;
    int err = 0;

    if (percent && report->state != OST_HEADER_UNUSABLE)
        err = crosscheck_create(percent, w->header.format, &w->cross);
    if (err)
        return err;
    err = idx_manifest_create(w->run->manifest_dir, w->manifest_name, &w->manifest, &o->fault);
    w->output_failed = err && err != ERR_NOMEM;
    if (err)
        return err;
    err = write_content(w, report, in_turn, again);
    if (err || *again) {
        idx_manifest_abort(w->manifest);
    } else {
        err = idx_manifest_commit(w->manifest, &o->fault);
        w->output_failed = err && err != ERR_NOMEM;
        o->has_manifest = !err;
    }
    w->manifest = NULL;
    return err;
}

static int write_manifest(struct image_worker *w, const struct ost_header_report *report)
{
    bool again = false;
    int err = idx_absolute_path(w->path, &w->absolute);

    if (!err && !buf_cstr(&w->absolute))
        err = ERR_NOMEM;
    if (!err)
        err = try_manifest(w, report, false, &again);
    if (!err && again)
        err = begin_again(w);
    if (!err && again)
        err = try_manifest(w, report, true, &again);
    return err;
}

static void end(struct image_worker *w)
{
    on_progress(w, UINT64_MAX);
    io_source_close(w->source);
    w->source = NULL;
    io_file_close(&w->file);
    forget(w);
    w->has_header = w->output_failed = false;
    w->head_size = 0;
    w->bytes_reported = 0;
    buf_done(&w->absolute);
    buf_done(&w->details);
    w->header = (struct ost_header){0};
    w->verdict = (struct chk_verdict){0};
}

/* Opens the image; with --direct refused by the file system it is open, buffered. */
static int open_image(struct image_worker *w)
{
    const struct options *options = w->run->options;
    int err = io_file_open(w->path, open_flags(w), &w->file, &w->outcome->fault);

    if (err)
        return err;
    w->outcome->size_bytes = w->file.id.size_bytes;
    w->outcome->direct_refused = options->direct && !w->file.direct;
    return 0;
}

/* Of all files probed by their content: no image, and nobody said that it is one. */
static bool is_foreign(const struct image_worker *w, const struct ost_header_report *report)
{
    if (!w->run->options->all_files || w->work->named || w->work->by_name)
        return false;
    return report->state == OST_HEADER_UNUSABLE && w->header.content == OST_CONTENT_UNKNOWN;
}

/* 1 if an earlier run has finished it and it did not change since. */
static int find_earlier(struct image_worker *w)
{
    const struct image_run *run = w->run;
    int found = idx_manifest_name(w->path, w->manifest_name);

    if (found || !run->resume)
        return found;
    found = resume_identify(run->resume, w->path, w->manifest_name, &w->file.id,
                            (struct bytes){w->head, w->head_size}, &w->resume);
    if (found)
        return found;
    found = resume_find(run->resume, &w->resume, w->manifest_name, w->outcome);
    w->output_failed = found < 0 && found != ERR_NOMEM;
    if (found < 0)
        w->outcome->fault = resume_fault(run->resume);
    if (found == 1)
        atomic_fetch_add(&run->counters->items, w->outcome->items + w->outcome->assoc);
    return found;
}

static int scan_open_image(struct image_worker *w)
{
    struct ost_header_report report;
    int err = read_header(w);

    if (err)
        return err;
    ost_header_check((struct bytes){w->head, w->head_size}, w->file.id.size_bytes, &w->header,
                     &report);
    w->has_header = w->head_size > 0;
    if (is_foreign(w, &report)) {
        w->outcome->foreign = true;
        return 0;
    }
    err = find_earlier(w);
    if (err)
        return err < 0 ? err : 0;
    return write_manifest(w, &report);
}

/* The image's line of scan.jsonl. */
static void describe(struct image_worker *w, uint64_t elapsed_ns)
{
    struct image_outcome *o = w->outcome;
    struct idx_image_line line = {
        .path = w->path,
        .manifest = o->has_manifest ? w->manifest_name : NULL,
        .has_identity = w->file.id.inode != 0,
        .size_bytes = w->file.id.size_bytes,
        .mtime_ns = w->file.id.mtime_ns,
        .header = w->has_header ? &w->header : NULL,
        .verdict = o->has_manifest || o->state == IMAGE_IN_USE ? &w->verdict : NULL,
    };

    if (w->details.size && buf_cstr(&w->details)) {
        o->details = (char *)w->details.data;
        w->details = BUF_INIT;
    }
    outcome_write(o, &line, elapsed_ns);
}

/* An image that no manifest was written of. */
static void describe_failure(struct image_worker *w, int err)
{
    const struct chk_facts facts = {.account = "unknown", .in_use = err == ERR_BUSY};

    outcome_fail(w->outcome, err, w->output_failed);
    if (err == ERR_BUSY && w->tally && chk_verdict_make(w->tally, &facts, &w->verdict) == 0)
        w->outcome->remedy = w->verdict.remedy;
}

void image_scan(struct image_worker *w, const struct work *work, struct image_outcome *outcome)
{
    uint64_t started_ns = clock_monotonic_ns();
    int err;

    *outcome = (struct image_outcome){.remedy = REMEDY_UNKNOWN};
    w->started_ns = clock_real_ns();
    w->work = work;
    w->path = work->path;
    w->outcome = outcome;
    err = begin(w);
    if (!err)
        err = open_image(w);
    if (!err)
        err = scan_open_image(w);
    if (err)
        describe_failure(w, err);
    if (!outcome->foreign && !outcome->cancelled && !outcome->kept)
        describe(w, clock_monotonic_ns() - started_ns);
    if (w->run->resume)
        resume_note(w->run->resume, &w->resume, w->manifest_name, outcome);
    end(w);
}
