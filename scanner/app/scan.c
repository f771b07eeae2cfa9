/*
 * scan.c: the command `scan`.
 *
 *   discovery (this thread) ─▶ worklist ─▶ workers, one image each ─▶ outcome in the worklist
 *
 * Shared state: the worklist (its own lock), the progress counters (atomics), standard output
 * (progress_pause/resume). Order of shutdown: discovery ends or is interrupted, the worklist is
 * closed, workers run out of images and are joined, progress stops, scan.jsonl is written. Records
 * and lines depend on the worklist's order alone, never on which worker was faster.
 */
#include "scanner/app/commands.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "index/terminal.h"
#include "io/clock.h"
#include "io/discover.h"
#include "io/mem.h"
#include "io/outfile.h"
#include "scanner/app/image.h"
#include "scanner/app/interrupt.h"
#include "scanner/app/progress.h"
#include "scanner/app/summary.h"
#include "scanner/app/tty.h"
#include "scanner/app/worklist.h"

struct scan {
    const struct options *options;
    struct image_run run;
    struct worklist *list;
    struct progress *progress;
    struct progress_counters counters;
    struct buf manifest_dir;
    const atomic_bool *interrupted;
    atomic_bool direct_refused_said;
    atomic_int worker_error; /* a code: a worker could not even start */
};

/* Which reader works here, said once; the engines are told the outcome. */
static int probe_io(struct scan *s)
{
    const struct io_reader_options wanted = {.backend = s->options->io};
    struct io_reader *reader = NULL;
    int err = io_reader_create(&wanted, &reader);

    if (err)
        return err;
    s->run.io =
        strcmp(io_reader_backend(reader), "uring") == 0 ? IO_BACKEND_URING : IO_BACKEND_PREAD;
    if (io_reader_note(reader) && !s->options->quiet)
        complain("%s", io_reader_note(reader));
    io_reader_destroy(reader);
    return 0;
}

static void say_unreadable(struct scan *s, const char *path, const char *why)
{
    struct buf quoted = BUF_INIT;

    terminal_quote(bytes_text(path), &quoted);
    progress_pause(s->progress);
    complain("%s: %s", buf_cstr(&quoted) ? (const char *)quoted.data : "?", why);
    progress_resume(s->progress);
    buf_done(&quoted);
}

static int on_found(void *ctx, const struct io_found *found)
{
    struct scan *s = ctx;

    atomic_fetch_add(&s->counters.images_found, 1);
    atomic_fetch_add(&s->counters.bytes_found, found->size_bytes);
    return worklist_add_image(s->list, found);
}

static int on_skipped(void *ctx, const char *path, enum io_skip why, const struct fault *fault,
                      const char *same_as)
{
    struct scan *s = ctx;

    if (why == IO_SKIP_EXCLUDED)
        return 0;
    if (why == IO_SKIP_UNREADABLE)
        say_unreadable(s, path, fault && fault->errnum ? strerror(fault->errnum) : "unreadable");
    else if (why == IO_SKIP_PLACEHOLDER && !s->options->quiet)
        say_unreadable(s, path, "a placeholder of an archive tier, skipped (--recall reads it)");
    return worklist_add_skipped(s->list, path, why, fault, same_as);
}

static void finish_image(struct scan *s, struct work *w)
{
    struct image_outcome *o = &w->outcome;

    w->done = true;
    atomic_fetch_add(&s->counters.images_done, 1);
    if (o->foreign || o->cancelled)
        return;
    progress_pause(s->progress);
    if (o->direct_refused && !atomic_exchange(&s->direct_refused_said, true))
        complain("%s: this file system refuses direct reads: reading through the page cache",
                 w->path);
    if (s->options->output == OUTPUT_TEXT && !s->options->quiet)
        summary_print_image(stdout, w);
    progress_resume(s->progress);
}

static void *worker(void *arg)
{
    struct scan *s = arg;
    struct image_worker *scanner = NULL;
    struct work *w;
    int err = image_worker_create(&s->run, &scanner);

    if (err) {
        atomic_store(&s->worker_error, err);
        return NULL;
    }
    while (!atomic_load(s->interrupted) && (w = worklist_take(s->list))) {
        image_scan(scanner, w->path, w->named, &w->outcome);
        finish_image(s, w);
    }
    image_worker_destroy(scanner);
    return NULL;
}

static int discover(struct scan *s)
{
    const struct options *o = s->options;
    const struct io_discover_options how = {
        .all_files = o->all_files,
        .recall = o->recall,
        .exclude = o->out,
        .cancel = s->interrupted,
    };
    const struct io_discover_sink sink = {.ctx = s, .image = on_found, .skipped = on_skipped};
    struct io_discover *d = NULL;
    struct fault fault = {0};
    int err = io_discover_create(&how, &sink, &d);

    for (size_t i = 0; !err && i < o->path_count; i++)
        err = io_discover_path(d, o->paths[i]);
    if (!err && o->files_from) {
        err = io_discover_list(d, o->files_from, o->files_null, &fault);
        if (err && err != ERR_CANCELLED && fault.code) {
            complain("%s: %s", o->files_from,
                     fault.errnum ? strerror(fault.errnum) : err_text(err));
            err = worklist_add_skipped(s->list, o->files_from, IO_SKIP_UNREADABLE, &fault, NULL);
        }
    }
    io_discover_destroy(d);
    atomic_store(&s->counters.found_all, true);
    return err;
}

/* Runs the workers while this thread discovers. */
static int work(struct scan *s)
{
    unsigned started = 0;
    pthread_t *threads = mem_alloc_array(s->options->jobs, sizeof *threads);
    int err = 0;

    if (!threads)
        return ERR_NOMEM;
    while (started < s->options->jobs && pthread_create(&threads[started], NULL, worker, s) == 0)
        started++;
    if (!started)
        err = ERR_SYS;
    else
        err = discover(s);
    worklist_close(s->list);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    mem_free(threads);
    return err ? err : atomic_load(&s->worker_error);
}

static int write_jsonl(struct scan *s, const struct summary *summary, uint64_t elapsed_ns,
                       struct fault *fault)
{
    struct buf text = BUF_INIT;
    struct io_outfile *file = NULL;
    int err;

    summary_scan_jsonl(&text, s->list, summary, !atomic_load(s->interrupted), elapsed_ns);
    err = text.failed ? ERR_NOMEM : io_outfile_create(s->options->out, "scan.jsonl", &file, fault);
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
        fwrite(text.data, 1, text.size, stdout);
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
    if (atomic_load(s->interrupted))
        return EXIT_INTERRUPTED;
    if (wanted_found(s->options, summary))
        return EXIT_FOUND;
    if (write_error || summary->unreadable || summary->by_state[IMAGE_IN_USE] ||
        summary->by_state[IMAGE_UNREADABLE] || ferror(stdout))
        return EXIT_ENVIRONMENT;
    return EXIT_DONE;
}

static int report(struct scan *s, uint64_t elapsed_ns)
{
    struct summary summary;
    struct fault fault = {0};
    int err;

    summary_make(s->list, &summary);
    err = write_jsonl(s, &summary, elapsed_ns, &fault);
    if (err)
        complain("%s/scan.jsonl: %s", s->options->out,
                 fault.errnum ? strerror(fault.errnum) : err_text(err));
    if (s->options->output == OUTPUT_TEXT && !s->options->quiet)
        summary_print(stdout, &summary, s->options->out, elapsed_ns);
    if (atomic_load(s->interrupted))
        complain("interrupted; finished images are kept in %s", s->options->out);
    fflush(stdout);
    return status_of(s, &summary, err);
}

static int prepare_out(struct scan *s)
{
    struct fault fault = {0};
    int err;

    buf_printf(&s->manifest_dir, "%s/manifests", s->options->out);
    if (!buf_cstr(&s->manifest_dir))
        return ERR_NOMEM;
    s->run.manifest_dir = (const char *)s->manifest_dir.data;
    err = io_make_folder(s->run.manifest_dir, &fault);
    if (err) {
        complain("%s: %s", s->run.manifest_dir,
                 fault.errnum ? strerror(fault.errnum) : err_text(err));
        return err;
    }
    io_outfile_sweep(s->options->out);
    io_outfile_sweep(s->run.manifest_dir);
    return 0;
}

int command_scan(const struct options *o)
{
    struct scan s = {.options = o, .interrupted = interrupt_install()};
    uint64_t started_ns = clock_monotonic_ns();
    int status = EXIT_ENVIRONMENT, err;

    s.run = (struct image_run){
        .options = o,
        .engine = &engine_libpff,
        .started_ns = clock_real_ns(),
        .memory_bytes = o->memory_bytes / o->jobs,
        .cancel = s.interrupted,
        .counters = &s.counters,
    };
    if (prepare_out(&s) != 0)
        goto out;
    status = EXIT_PROGRAM;
    err = probe_io(&s);
    if (!err)
        err = worklist_create(&s.list);
    if (!err)
        err = progress_start(o->progress, o->quiet, &s.counters, &s.progress);
    if (!err)
        err = work(&s);
    progress_stop(s.progress);
    if (err && err != ERR_CANCELLED)
        complain("%s", err_text(err));
    else
        status = report(&s, clock_monotonic_ns() - started_ns);
out:
    worklist_destroy(s.list);
    buf_done(&s.manifest_dir);
    return status;
}
