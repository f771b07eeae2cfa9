/*
 * scan.c: the command `scan`: batch.h's frame around image.h, then the run's summary and the
 * duplicates. What is printed and written depends on the order of discovery alone, never on which
 * worker was faster.
 */
#include "scanner/app/commands.h"

#include <inttypes.h>
#include <pthread.h>
#include <stddef.h>
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
#include "scanner/app/scan_lines.h"
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

    pthread_mutex_t mutex; /* of what is below */
    struct summary summary;
    struct scan_lines *lines;
    struct buf line;
    struct idx_redactor *redactor; /* NULL: nothing is redacted */
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

/* Whoever wants results and errors alone hears what the environment kept from being read or
 * written. */
static void complaint_of(const struct scan *s, const struct image_outcome *o, struct buf *what)
{
    if (o->state != IMAGE_IN_USE && o->state != IMAGE_UNREADABLE && o->state != IMAGE_UNWRITTEN &&
        !o->io_error)
        return;
    buf_puts(what, idx_image_state_name(o->state));
    if (o->reason)
        buf_printf(what, ": %s", o->reason);
    if (o->state == IMAGE_UNWRITTEN)
        buf_printf(what, " (in %s)", s->options->out);
}

/* What is left of an image's outcome until its turn comes. */
struct said {
    struct scan_line line;
    bool complaint; /* what is said of it is one */
    char text[];    /* what is said; may be empty */
};

static struct said *said_of(const struct scan *s, const char *path, const struct image_outcome *o)
{
    const struct options *options = s->options;
    struct buf text = BUF_INIT;
    struct said *said = NULL;

    if (options->output == OUTPUT_TEXT && options->quiet)
        complaint_of(s, o, &text);
    else if (options->output == OUTPUT_TEXT)
        summary_image_text(&text, path, o);
    if (buf_cstr(&text))
        said = mem_alloc(offsetof(struct said, text) + text.size + 1);
    if (said) {
        said->complaint = options->quiet;
        memcpy(said->text, text.data, text.size + 1);
    }
    buf_done(&text);
    return said;
}

/* Adds an image to the totals, and puts its line aside. */
static struct scan_line settle(struct scan *s, const struct image_outcome *o)
{
    struct scan_line line;

    pthread_mutex_lock(&s->mutex);
    summary_add_image(&s->summary, o);
    buf_reset(&s->line);
    if (o->line)
        buf_puts(&s->line, o->line);
    else
        s->line.failed = true;
    line = scan_lines_keep(s->lines, &s->line);
    pthread_mutex_unlock(&s->mutex);
    return line;
}

static void scan_image(void *ctx, struct work *work)
{
    struct worker *w = ctx;
    struct scan *s = w->scan;
    struct image_outcome o;

    image_scan(w->image, work, &o);
    if (o.direct_refused)
        batch_direct_refused(&s->batch, work->path);
    if (!o.foreign && !o.cancelled) {
        struct said *said = said_of(s, work->path, &o);

        if (said)
            said->line = settle(s, &o);
        else
            atomic_store(&s->batch.lost_error, ERR_NOMEM);
        work->outcome = said;
    }
    image_outcome_done(&o);
}

/* Its turn has come. */
static void emit(void *ctx, struct work *w)
{
    struct scan *s = ctx;
    const struct said *said = w->outcome;
    struct scan_line line = {0};

    pthread_mutex_lock(&s->mutex);
    if (w->kind == WORK_SKIPPED) {
        summary_add_skipped(&s->summary, w);
        buf_reset(&s->line);
        summary_skip_line(&s->line, w, s->redactor);
        line = scan_lines_keep(s->lines, &s->line);
    }
    scan_lines_next(s->lines, said ? said->line : line);
    pthread_mutex_unlock(&s->mutex);
    if (said && said->complaint && *said->text)
        complain_about(w->path, said->text);
    else if (said)
        fputs(said->text, stdout);
}

static int put_lines(void *file, const void *lines, size_t size)
{
    return io_outfile_write(file, lines, size);
}

static int print_lines(void *ctx, const void *lines, size_t size)
{
    (void)ctx;
    tty_print(lines, size);
    return 0;
}

static int write_jsonl(struct scan *s, uint64_t elapsed_ns, struct fault *fault)
{
    struct io_outfile *file;
    int err;

    buf_reset(&s->line);
    summary_end_line(&s->line, &s->summary, s->redactor, !atomic_load(s->batch.interrupted),
                     elapsed_ns);
    scan_lines_next(s->lines, scan_lines_keep(s->lines, &s->line));
    err = io_outfile_create(s->options->out, s->summary_name, &file, fault);
    if (err)
        return err;
    err = scan_lines_each(s->lines, put_lines, file, fault);
    if (err) {
        if (io_outfile_fault(file)->code)
            *fault = *io_outfile_fault(file);
        io_outfile_abort(file);
    } else {
        err = io_outfile_commit(file, fault);
    }
    if (!err && s->options->output == OUTPUT_JSON)
        err = scan_lines_each(s->lines, print_lines, NULL, fault);
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
    int duplicates_err;
    struct fault fault = {0};
    int err = write_jsonl(s, elapsed_ns, &fault);

    if (err)
        complain("%s/%s: %s", s->options->out, s->summary_name, err_why(err, fault.errnum));
    if (s->options->output == OUTPUT_TEXT && !s->options->quiet)
        summary_print(stdout, &s->summary, s->options->out, s->summary_name, elapsed_ns);
    duplicates_err = write_duplicates(s);
    if (!err)
        err = check_journal(s);
    if (atomic_load(s->batch.interrupted))
        complain("interrupted; finished images are kept in %s", s->options->out);
    fflush(stdout);
    return status_of(s, &s->summary, err ? err : duplicates_err);
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
    if (!buf_cstr(&s->manifest_dir) ||
        (s->options->redact && idx_redactor_create(s->run.redact_key, &s->redactor) != 0)) {
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
    struct scan s = {.options = o, .mutex = PTHREAD_MUTEX_INITIALIZER};
    const struct batch_callbacks callbacks = {.ctx = &s,
                                              .start = start_worker,
                                              .stop = stop_worker,
                                              .kit = kit_of,
                                              .image = scan_image,
                                              .emit = emit,
                                              .release = mem_free};
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
        err = scan_lines_create(o->out, &s.lines);
    if (!err)
        status = prepare_out(&s);
    if (!err && status == EXIT_DONE) {
        err = batch_run(&s.batch);
        status = err ? EXIT_PROGRAM : report(&s, clock_monotonic_ns() - started_ns);
    }
    if (err)
        complain("%s", err_text(err));
    batch_done(&s.batch);
    idx_redactor_destroy(s.redactor);
    buf_done(&s.line);
    scan_lines_destroy(s.lines);
    dup_notes_destroy(s.run.notes);
    resume_close(s.run.resume);
    buf_done(&s.manifest_dir);
    outfolder_forget_key(&s.redact_key);
    return status;
}
