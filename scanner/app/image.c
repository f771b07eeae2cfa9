/*
 * image.c: see image.h.
 *
 *   open ─▶ header ─▶ structure ─┬─ unusable ──────────────────────────┐
 *                                └─ engine ─▶ image, folders, items ───┴▶ findings ─▶ verdict
 *
 * What engine and checks tell goes through image_records.h into the manifest, which is committed
 * at the end.
 */
#include "scanner/app/image.h"

#include <string.h>

#include "index/hash_pool.h"
#include "index/manifest_name.h"
#include "io/clock.h"
#include "io/mem.h"
#include "io/source.h"
#include "scanner/app/image_records.h"
#include "scanner/app/lanes.h"
#include "scanner/app/resume.h"
#include "scanner/check/check.h"
#include "scanner/engine_native.h"
#include "scanner/native_scan.h"

enum { READ_AHEAD = 8 << 20 };

struct image_worker {
    const struct image_run *run;
    struct kit kit;
    struct image_records rec;
    struct idx_hash_pool *hashes; /* of large values */

    /* The image in hand. */
    const struct work *work;
    const char *path;
    int64_t started_ns;
    struct buf absolute;
    struct io_file file;
    struct io_source *source;
    struct io_first_fault first;
    struct image_outcome *outcome;
    struct chk_result structure;
    bool has_header;
    struct ost_header header;
    uint8_t head[OST_HEADER_SIZE]; /* the header's bytes */
    size_t head_size;
    struct resume_image resume;
    struct chk_verdict verdict; /* what it points to is the tally's */
    char manifest_name[IDX_MANIFEST_NAME];
};

int image_worker_create(const struct image_run *run, struct image_worker **out)
{
    const struct kit_options kit = {
        .digest = run->options->digest,
        .io = run->io,
        .read_timeout_ns = options_read_timeout_ns(run->options),
        .redact_key = run->redact_key,
    };
    struct image_worker *w = mem_zalloc(sizeof *w);
    int err;

    if (!w)
        return ERR_NOMEM;
    w->run = run;
    err = kit_init(&w->kit, &kit);
    if (!err)
        err = idx_hash_pool_create(run->options->digest, &w->hashes);
    if (!err)
        err = records_init(&w->rec, &w->kit, run->counters, run->options->verbose);
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
    records_done(&w->rec);
    idx_hash_pool_destroy(w->hashes);
    kit_done(&w->kit);
    mem_free(w);
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
    return records_put_line(&w->rec, RECORD_SCAN);
}

static int open_source(void *ctx, void *kit, struct io_source **out)
{
    struct image_worker *w = ctx;
    struct io_source *source;
    int err = io_source_open_reader(((struct kit *)kit)->reader, w->file.fd, w->file.id.size_bytes,
                                    READ_AHEAD, &source);

    if (err)
        return err;
    source->first = &w->first;
    *out = source;
    return 0;
}

/* The header's bytes into w->head; what keeps them from being read is the result. */
static int read_header(struct image_worker *w)
{
    size_t wanted =
        w->file.id.size_bytes < OST_HEADER_SIZE ? (size_t)w->file.id.size_bytes : OST_HEADER_SIZE;
    int err = open_source(w, &w->kit, &w->source);
    const uint8_t *bytes = w->head;

    /* Lent, and no more is read than this. */
    if (!err)
        err = io_source_lend(w->source, 0, wanted, w->head, &bytes);
    if (!err && bytes != w->head)
        memcpy(w->head, bytes, wanted);
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
        .memory_bytes = w->work->memory_bytes,
        .cancel = w->run->cancel,
    };
}

/* Every page and block verified; what the trees name is from here on known. */
static int check_structure(struct image_worker *w, const struct ost_header_report *report)
{
    const struct chk_sink sink = {.ctx = &w->rec, .finding = records_on_finding};
    const struct chk_job job = check_job_of(w, report);

    return chk_run(&job, &sink, &w->structure);
}

static struct engine_job job_of(struct image_worker *w)
{
    return (struct engine_job){
        .file = &w->file,
        .header = &w->header,
        .io = w->run->io,
        .memory_bytes = w->work->memory_bytes,
        .read_timeout_ns = options_read_timeout_ns(w->run->options),
        .first = &w->first,
        .hasher = &w->kit.hasher,
        .cancel = w->run->cancel,
    };
}

static int run_engine(struct image_worker *w)
{
    const struct engine_sink sink = records_engine_sink(&w->rec, false);
    const struct engine_job job = job_of(w);
    int err = w->run->engine->run(&job, &sink);

    /* libpff does not tell of rows that it cannot place. */
    if (!err && !w->rec.gave_up && w->run->engine != &engine_libpff)
        err = chk_tally_reconcile(w->rec.tally, &w->rec, records_on_finding);
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

    if (w->rec.gave_up)
        return crosscheck_skip(&w->rec, records_on_finding, "the image was not gone through");
    if (w->rec.corrupt || !is_verified(w))
        return crosscheck_skip(&w->rec, records_on_finding,
                               "libpff is no witness of damaged images");
    /* Of generated ones with the permute cipher it deciphers the later blocks of values wrongly. */
    if (w->header.format == OST_FORMAT_UNICODE4K && w->header.crypt != OST_CRYPT_NONE)
        return crosscheck_skip(&w->rec, records_on_finding,
                               "libpff is no witness of enciphered 4k images");
    return crosscheck_run(w->rec.cross, &job, &w->rec, records_on_finding);
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
    const struct idx_order_sink order = records_order_sink(&w->rec);
    const struct engine_sink sink = records_engine_sink(&w->rec, true);
    const struct chk_sink check_sink = {
        .ctx = &w->rec, .finding = records_on_finding, .progress = records_on_progress};
    const struct chk_help help = {.crew = w->work->alone ? NULL : w->run->crew,
                                  .kit = &w->kit,
                                  .threads = w->run->options->jobs,
                                  .ctx = w,
                                  .open = open_source};
    const struct engine_job engine = job_of(w);
    struct chk_job check = check_job_of(w, report);
    const struct ost_hasher stream_hasher = idx_hash_pool_hasher(w->hashes);
    struct lanes lanes = {0};
    const struct native_scan_job job = {
        .engine = &engine,
        .check = &check,
        .check_sink = &check_sink,
        .sink = &sink,
        .lanes = &lanes.native,
        .stream_hasher = &stream_hasher,
        .seeks = w->work->alone,
    };
    int err =
        lanes_init(&lanes, &order, &w->kit, w->work->memory_bytes / 4, &w->run->counters->items);

    lanes.cross = w->rec.cross;
    lanes.noted = w->rec.note != NULL;
    lanes.evidence = w->rec.evidence;
    check.help = &help;
    if (!err)
        err = native_scan(&job, &w->structure, again);
    if (!err && !*again)
        note_read(w);
    lanes_done(&lanes);
    if (!err)
        err = records_join_findings(&w->rec);
    return err ? err : chk_tally_reconcile(w->rec.tally, &w->rec, records_on_finding);
}

static unsigned open_flags(const struct image_worker *w)
{
    const struct options *options = w->run->options;

    return (options->direct ? IO_FILE_DIRECT : 0u) |
           (w->work->named || options->follow ? IO_FILE_FOLLOW : 0u);
}

/* Whether it changed is found out, or that nobody can say. */
static int look_for_change(struct image_worker *w)
{
    const struct bytes head = {w->head, w->head_size};
    enum steady_state state;
    struct finding f;
    int err;

    /* Its reader is needed once more. */
    io_source_close(w->source);
    w->source = NULL;
    err = steady_check(&w->rec.steady, w->kit.reader, w->path, open_flags(w), &w->file, head,
                       w->header.format, &state);
    if (err || state == STEADY_STILL)
        return err;
    w->rec.changed = state == STEADY_CHANGED;
    f = steady_finding(state, head);
    return records_finding(&w->rec, &f);
}

static int note_change(struct image_worker *w)
{
    struct finding f = finding_of(F_changed_while_read);
    int err = w->rec.changed ? 0 : look_for_change(w);

    if (err || !w->rec.changed)
        return err;
    /* What was read while others wrote fits together by chance only: it proves no damage. */
    idx_finding_list_soften(w->rec.findings);
    mem_free(w->outcome->reason);
    w->outcome->reason = NULL;
    return outcome_set_reason(w->outcome, &f);
}

static enum idx_image_state state_of(const struct image_worker *w,
                                     const struct ost_header_report *report)
{
    const struct image_outcome *o = w->outcome;

    if (report->state == OST_HEADER_UNUSABLE || (w->rec.gave_up && !o->folders && !w->rec.declined))
        return IMAGE_FAILED;
    if (w->rec.declined)
        return IMAGE_DECLINED;
    if (w->rec.changed)
        return IMAGE_CHANGED;
    if (w->rec.gave_up || w->rec.unread || o->failed || o->partial)
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

static int write_verdict(struct image_worker *w)
{
    const struct chk_facts facts = {
        .content = w->header.content,
        .account = w->rec.account_text[0] ? w->rec.account_text : "unknown",
        .changed = w->rec.changed,
        .has_allocated = w->structure.complete,
        .allocated_bytes = w->structure.allocated_bytes,
        .verified_bytes = w->structure.verified_bytes,
        .complete = w->rec.image_written && !w->rec.gave_up && w->structure.complete,
        .rows_certain = w->run->engine != &engine_libpff,
    };

    return records_write_verdict(&w->rec, &facts, &w->verdict);
}

static int write_content(struct image_worker *w, const struct ost_header_report *report,
                         bool in_turn, bool *again)
{
    int err = write_scan(w);

    if (!err)
        err = read_content(w, report, in_turn, again);
    if (err || *again)
        return err;
    if (w->rec.cross)
        err = cross_check(w);
    if (!err && !w->rec.image_written)
        err = records_write_image(&w->rec, NULL);
    if (!err)
        err = note_change(w);
    if (!err)
        err = records_write_findings(&w->rec);
    if (!err)
        err = write_verdict(w);
    if (!err)
        w->outcome->state = state_of(w, report);
    return err;
}

/* Once more from the beginning. */
static int begin_again(struct image_worker *w)
{
    struct image_outcome *o = w->outcome;

    records_forget(&w->rec);
    w->structure = (struct chk_result){0};
    mem_free(o->reason);
    *o = (struct image_outcome){
        .remedy = o->remedy, .size_bytes = o->size_bytes, .direct_refused = o->direct_refused};
    return records_begin(&w->rec, o);
}

static int try_manifest(struct image_worker *w, const struct ost_header_report *report,
                        bool in_turn, bool *again)
{
    unsigned percent = w->run->options->crosscheck;
    struct image_outcome *o = w->outcome;
    int err = 0;

    if (percent && report->state != OST_HEADER_UNUSABLE)
        err = crosscheck_create(percent, w->header.format, &w->rec.cross);
    if (err)
        return err;
    err = idx_manifest_create(w->run->manifest_dir, w->manifest_name, &w->rec.manifest, &o->fault);
    w->rec.output_failed = err && err != ERR_NOMEM;
    if (err)
        return err;
    records_start_notes(&w->rec, w->run->notes);
    err = write_content(w, report, in_turn, again);
    if (err || *again) {
        w->rec.output_failed |= err && idx_manifest_refused(w->rec.manifest, &o->fault);
        idx_manifest_abort(w->rec.manifest);
    } else {
        err = idx_manifest_commit(w->rec.manifest, &o->fault);
        w->rec.output_failed = err && err != ERR_NOMEM;
        o->has_manifest = !err;
        if (!err)
            records_keep_notes(&w->rec, w->manifest_name);
    }
    w->rec.manifest = NULL;
    return err;
}

static int write_manifest(struct image_worker *w, const struct ost_header_report *report)
{
    bool again = false;
    int err;

    w->rec.image = (struct idx_image_record){
        .path = (const char *)w->absolute.data,
        .size_bytes = w->file.id.size_bytes,
        .mtime_ns = w->file.id.mtime_ns,
        .header = w->has_header ? &w->header : NULL,
    };
    err = try_manifest(w, report, false, &again);
    if (!err && again)
        err = begin_again(w);
    if (!err && again)
        err = try_manifest(w, report, true, &again);
    return err;
}

static void end(struct image_worker *w)
{
    w->rec.image.size_bytes = w->file.id.size_bytes;
    records_on_progress(&w->rec, UINT64_MAX);
    records_end(&w->rec);
    io_source_close(w->source);
    w->source = NULL;
    io_file_close(&w->file);
    w->structure = (struct chk_result){0};
    w->has_header = false;
    w->head_size = 0;
    buf_done(&w->absolute);
    w->header = (struct ost_header){0};
    w->verdict = (struct chk_verdict){0};
}

/* Opens the image; with --direct refused by the file system it is open, buffered. */
static int open_image(struct image_worker *w)
{
    const struct options *options = w->run->options;
    int err =
        io_file_open_shared(w->path, open_flags(w), w->work->share, &w->file, &w->outcome->fault);

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

static int name_manifest(struct image_worker *w)
{
    int err = idx_absolute_path(w->path, w->work->share, &w->absolute);
    const struct bytes absolute = {w->absolute.data, w->absolute.size};

    if (!err && !buf_cstr(&w->absolute))
        err = ERR_NOMEM;
    if (!err && w->kit.redactor)
        err = idx_redact_manifest_name(w->kit.redactor, absolute, w->manifest_name);
    else if (!err)
        idx_manifest_name(absolute, w->manifest_name);
    return err;
}

/* 1 if an earlier run has finished it and it did not change since. */
static int find_earlier(struct image_worker *w)
{
    const struct image_run *run = w->run;
    int found = name_manifest(w);

    if (found || !run->resume)
        return found;
    found = resume_identify(run->resume, w->path, w->manifest_name, &w->file.id,
                            (struct bytes){w->head, w->head_size}, w->kit.redactor, &w->resume);
    if (found)
        return found;
    found = resume_find(run->resume, &w->resume, w->manifest_name, w->outcome);
    w->rec.output_failed = found < 0 && found != ERR_NOMEM;
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

    if (w->rec.details.size && buf_cstr(&w->rec.details)) {
        o->details = (char *)w->rec.details.data;
        w->rec.details = BUF_INIT;
    }
    outcome_write(o, &line, w->kit.redactor, elapsed_ns);
}

/* An image that no manifest was written of. */
static void describe_failure(struct image_worker *w, int err)
{
    const struct chk_facts facts = {.account = "unknown", .in_use = err == ERR_BUSY};

    if (!w->outcome->fault.code && w->first.fault.code == err)
        w->outcome->fault = w->first.fault;
    outcome_fail(w->outcome, err, w->rec.output_failed);
    if (err == ERR_BUSY && w->rec.tally && chk_verdict_make(w->rec.tally, &facts, &w->verdict) == 0)
        w->outcome->remedy = w->verdict.remedy;
}

void image_scan(struct image_worker *w, const struct work *work, struct image_outcome *outcome)
{
    uint64_t started_ns = clock_monotonic_ns();
    int err;

    *outcome = (struct image_outcome){.remedy = REMEDY_UNKNOWN};
    w->first = (struct io_first_fault){.taken = ATOMIC_FLAG_INIT};
    w->started_ns = clock_real_ns();
    w->work = work;
    w->path = work->path;
    w->outcome = outcome;
    err = records_begin(&w->rec, outcome);
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
