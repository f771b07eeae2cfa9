/*
 * scan.c: the command `scan`: batch.h's frame around image.h, then the run's summary and the
 * duplicates. What is printed and written depends on the order of discovery alone, never on which
 * worker was faster.
 */
#include "scanner/app/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "index/record.h"
#include "index/redact.h"
#include "index/terminal.h"
#include "io/clock.h"
#include "io/mem.h"
#include "io/outfile.h"
#include "scanner/app/batch.h"
#include "scanner/app/dup_run.h"
#include "scanner/app/image.h"
#include "scanner/app/outfolder.h"
#include "scanner/app/resume.h"
#include "scanner/app/summary.h"
#include "scanner/app/tty.h"
#include "scanner/engine_native.h"

enum { SHARD_NAME = 48, NOTES_PART = 64, NOTES_BYTES_MOST = 16 << 20 };

struct scan {
    struct batch batch;
    const struct options *options;
    struct image_run run;
    struct buf manifest_dir;
    char summary_name[SHARD_NAME], journal_name[SHARD_NAME]; /* in OUT */
    struct buf redact_key;
};

/* A worker: what image.h needs, and the way back. */
struct worker {
    struct scan *scan;
    struct image_worker *image;
};

static int start_worker(void *ctx, void **out)
{
    struct worker *w = mem_zalloc(sizeof *w);
    int err;

    if (!w)
        return ERR_NOMEM;
    w->scan = ctx;
    err = image_worker_create(&w->scan->run, &w->image);
    if (err) {
        mem_free(w);
        return err;
    }
    *out = w;
    return 0;
}

static void stop_worker(void *ctx)
{
    struct worker *w = ctx;

    image_worker_destroy(w->image);
    mem_free(w);
}

static void *kit_of(void *ctx)
{
    return image_worker_kit(((struct worker *)ctx)->image);
}

static void scan_image(void *ctx, struct work *work)
{
    struct worker *w = ctx;
    struct image_outcome *o = mem_zalloc(sizeof *o);

    if (!o) {
        atomic_store(&w->scan->batch.lost_error, ERR_NOMEM);
        return;
    }
    image_scan(w->image, work, o);
    if (o->direct_refused)
        batch_direct_refused(&w->scan->batch, work->path);
    work->outcome = o;
}

/* Whoever wants results and errors alone hears what the environment kept from being read or
 * written. */
static void complain_of_image(const struct scan *s, const struct work *w)
{
    const struct image_outcome *o = w->outcome;
    struct buf what = BUF_INIT;

    if (o->state != IMAGE_IN_USE && o->state != IMAGE_UNREADABLE && o->state != IMAGE_UNWRITTEN &&
        !o->io_error)
        return;
    buf_puts(&what, idx_image_state_name(o->state));
    if (o->reason)
        buf_printf(&what, ": %s", o->reason);
    if (o->state == IMAGE_UNWRITTEN)
        buf_printf(&what, " (in %s)", s->options->out);
    complain_about(w->path, buf_cstr(&what) ? (const char *)what.data : "no memory");
    buf_done(&what);
}

static void emit(void *ctx, struct work *w)
{
    const struct scan *s = ctx;
    const struct image_outcome *o = w->outcome;

    if (!o || o->foreign || o->cancelled || s->options->output != OUTPUT_TEXT)
        return;
    if (s->options->quiet)
        complain_of_image(s, w);
    else
        summary_print_image(stdout, w);
}

static void release(void *outcome)
{
    image_outcome_done(outcome);
    mem_free(outcome);
}

static int write_jsonl(struct scan *s, const struct summary *summary, uint64_t elapsed_ns,
                       struct fault *fault)
{
    struct buf text = BUF_INIT;
    struct idx_redactor *redactor = NULL;
    struct io_outfile *file = NULL;
    int err = s->run.redact_key.size ? idx_redactor_create(s->run.redact_key, &redactor) : 0;

    if (err)
        return err;
    summary_scan_jsonl(&text, s->batch.list, summary, redactor, !atomic_load(s->batch.interrupted),
                       elapsed_ns);
    idx_redactor_destroy(redactor);
    err =
        text.failed ? ERR_NOMEM : io_outfile_create(s->options->out, s->summary_name, &file, fault);
    if (!err) {
        err = io_outfile_write(file, text.data, text.size);
        if (err) {
            *fault = *io_outfile_fault(file);
            io_outfile_abort(file);
        } else {
            err = io_outfile_commit(file, fault);
        }
    }
    if (!err && s->options->output == OUTPUT_JSON)
        tty_print(text.data, text.size);
    buf_done(&text);
    return err;
}

static bool wanted_found(const struct options *o, const struct summary *s)
{
    uint64_t corrupt = s->findings[SEVERITY_CORRUPT];

    return (o->fail_on == FAIL_CORRUPT && corrupt) ||
           (o->fail_on == FAIL_FINDING &&
            corrupt + s->findings[SEVERITY_WARNING] + s->findings[SEVERITY_INFO]);
}

static int status_of(const struct scan *s, const struct summary *summary, int write_error)
{
    if (atomic_load(s->batch.interrupted))
        return EXIT_INTERRUPTED;
    if (wanted_found(s->options, summary))
        return EXIT_FOUND;
    if (write_error || summary->unreadable || summary->io_errors ||
        summary->by_state[IMAGE_IN_USE] || summary->by_state[IMAGE_UNREADABLE] ||
        summary->by_state[IMAGE_UNWRITTEN] || ferror(stdout))
        return EXIT_ENVIRONMENT;
    return EXIT_DONE;
}

/* Over all manifests in OUT, those of earlier runs included. */
static int write_duplicates(struct scan *s)
{
    const struct options *o = s->options;
    struct buf out = BUF_INIT;
    struct dup_totals totals;
    int err;

    if (atomic_load(s->batch.interrupted) || o->shards)
        return 0;
    if (s->run.notes)
        dup_notes_settle(s->run.notes);
    err = dup_run_write_out(o->out, o->jobs, o->memory_bytes, s->run.notes, s->batch.interrupted,
                            &totals);
    terminal_quote(bytes_text(o->out), &out);
    if (!err && totals.images && o->output == OUTPUT_TEXT && !o->quiet)
        printf("duplicates %" PRIu64 " items in %" PRIu64 " groups, %s could be saved: "
               "%s/duplicates.jsonl.zst\n",
               totals.of[DUP_ITEM].duplicates, totals.of[DUP_ITEM].groups,
               tty_bytes(totals.of[DUP_ITEM].bytes),
               buf_cstr(&out) ? (const char *)out.data : "OUT");
    buf_done(&out);
    return err ? err : totals.incomplete + totals.unreadable ? ERR_DAMAGED : 0;
}

/* What could not be noted is read again by the next run; nothing else is lost. */
static int check_journal(struct scan *s)
{
    struct fault fault = resume_fault(s->run.resume);

    if (fault.code)
        complain("%s/%s: %s: %s", s->options->out, s->journal_name, fault.what,
                 err_why(fault.code, fault.errnum));
    return fault.code;
}

static int report(struct scan *s, uint64_t elapsed_ns)
{
    struct summary summary;
    int duplicates_err;
    struct fault fault = {0};
    int err;

    summary_make(s->batch.list, &summary);
    err = write_jsonl(s, &summary, elapsed_ns, &fault);
    if (err)
        complain("%s/%s: %s", s->options->out, s->summary_name, err_why(err, fault.errnum));
    if (s->options->output == OUTPUT_TEXT && !s->options->quiet)
        summary_print(stdout, &summary, s->options->out, s->summary_name, elapsed_ns);
    duplicates_err = write_duplicates(s);
    if (!err)
        err = check_journal(s);
    if (atomic_load(s->batch.interrupted))
        complain("interrupted; finished images are kept in %s", s->options->out);
    fflush(stdout);
    return status_of(s, &summary, err ? err : duplicates_err);
}

/* With --shard each share has files of its own beside those of the others. */
static void name_files(struct scan *s)
{
    const struct options *o = s->options;
    char share[SHARD_NAME / 2] = "";

    if (o->shards)
        snprintf(share, sizeof share, ".%u-of-%u", o->shard, o->shards);
    snprintf(s->summary_name, sizeof s->summary_name, "scan%s.jsonl", share);
    snprintf(s->journal_name, sizeof s->journal_name, "scan%s.journal", share);
}

static int open_journal(struct scan *s)
{
    struct fault fault = {0};
    int err = resume_open(&s->run, s->journal_name, &s->run.resume, &fault);

    if (err == ERR_BUSY)
        complain("%s: another scan is writing to it", s->options->out);
    else if (err)
        complain("%s/%s: %s: %s", s->options->out, s->journal_name, fault.what,
                 err_why(err, fault.errnum));
    return err;
}

/* What they cannot be had for is read from the manifests. */
static int prepare_notes(struct scan *s)
{
    const struct options *o = s->options;
    uint64_t keep = o->memory_bytes / NOTES_PART;

    if (o->shards)
        return 0;
    return dup_notes_create(o->out, keep < NOTES_BYTES_MOST ? (size_t)keep : NOTES_BYTES_MOST,
                            &s->run.notes);
}

static int prepare_out(struct scan *s)
{
    struct fault fault = {0};
    int err, status = outfolder_is_apart(s->options);

    if (status == EXIT_DONE && s->options->redact)
        status = outfolder_read_key(s->options->redact_key, &s->redact_key);
    if (status != EXIT_DONE)
        return status;
    s->run.redact_key = (struct bytes){s->redact_key.data, s->redact_key.size};
    buf_printf(&s->manifest_dir, "%s/manifests", s->options->out);
    if (!buf_cstr(&s->manifest_dir)) {
        complain("%s", err_text(ERR_NOMEM));
        return EXIT_PROGRAM;
    }
    s->run.manifest_dir = (const char *)s->manifest_dir.data;
    err = io_make_folder(s->run.manifest_dir, &fault);
    if (err) {
        complain("%s: %s", s->run.manifest_dir, err_why(err, fault.errnum));
        return EXIT_ENVIRONMENT;
    }
    name_files(s);
    if (s->options->redact)
        status = outfolder_is_redacted(s->options->out, s->run.manifest_dir, s->run.redact_key);
    if (status != EXIT_DONE || open_journal(s) != 0)
        return status != EXIT_DONE ? status : EXIT_ENVIRONMENT;
    io_outfile_sweep(s->options->out);
    io_outfile_sweep(s->run.manifest_dir);
    return EXIT_DONE;
}

int command_scan(const struct options *o)
{
    struct scan s = {.options = o};
    const struct batch_callbacks callbacks = {.ctx = &s,
                                              .start = start_worker,
                                              .stop = stop_worker,
                                              .kit = kit_of,
                                              .image = scan_image,
                                              .emit = emit,
                                              .release = release};
    uint64_t started_ns = clock_monotonic_ns();
    int status = EXIT_PROGRAM;
    int err = batch_init(&s.batch, o, &callbacks);

    s.batch.exclude = o->out;
    s.run = (struct image_run){
        .options = o,
        .engine = strcmp(o->engine, "libpff") == 0 ? &engine_libpff : &engine_native,
        .io = s.batch.io,
        .crew = s.batch.crew,
        .cancel = s.batch.interrupted,
        .counters = &s.batch.counters,
    };
    if (!err)
        err = prepare_notes(&s);
    if (!err)
        status = prepare_out(&s);
    if (!err && status == EXIT_DONE) {
        err = batch_run(&s.batch);
        status = err ? EXIT_PROGRAM : report(&s, clock_monotonic_ns() - started_ns);
    }
    if (err)
        complain("%s", err_text(err));
    batch_done(&s.batch);
    dup_notes_destroy(s.run.notes);
    resume_close(s.run.resume);
    buf_done(&s.manifest_dir);
    outfolder_forget_key(&s.redact_key);
    return status;
}
