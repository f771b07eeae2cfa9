/*
 * check.c: the command `check`: the structure of images alone, nothing written. Each image's report
 * is made whole by its worker and emitted in the order of discovery.
 *
 * Text is for people: findings grouped by code, the worst first, at most GROUPS_SHOWN groups an
 * image without -v, which shows every finding. JSON Lines: for each image its `image` record, its
 * `finding` records, and a closing `check` record (index/MANIFEST.md).
 */
#include "scanner/app/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/finding_list.h"
#include "index/json.h"
#include "index/record.h"
#include "index/terminal.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/mem.h"
#include "io/source.h"
#include "scanner/app/batch.h"
#include "scanner/app/finding_text.h"
#include "scanner/app/interrupt.h"
#include "scanner/app/steady.h"
#include "scanner/app/tty.h"
#include "scanner/check/check.h"

enum {
    GROUPS_SHOWN = 9,       /* of two lines each: with what stands before, 24 lines of 80 columns */
    CACHE_BYTES = 32 << 20, /* what one source reads ahead or keeps mapped, */
    CACHES_BYTES = 64 << 20, /* and all threads' together, within --memory */
    LARGE_IMAGE = 256 << 20, /* from here on one image is worth all threads */
    READS_IN_FLIGHT = 64,
};

struct check {
    struct batch batch;
    const struct options *options;
    bool colour;
    /* Of the run; added to where images are emitted, by one thread at a time. */
    uint64_t images, sound, damaged, unread, failed, bytes, verified, skipped;
    uint64_t findings[SEVERITY_CORRUPT + 1];
    int output_errnum; /* standard output cannot be written to: why */
};

struct worker {
    struct check *check;
    struct idx_text *text;
    struct io_reader **readers;
};

/* What came of an image. */
struct outcome {
    bool foreign, cancelled;
    int err; /* the environment kept it from being checked */
    struct buf text;
    bool complete; /* gone through to its end */
    uint64_t size_bytes, verified_bytes;
    uint64_t findings[SEVERITY_CORRUPT + 1];
};

/* An image being checked. */
struct subject {
    struct worker *worker;
    const struct work *work;
    const char *path;
    struct io_file file;
    struct fault fault;
    struct io_first_fault first;
    struct io_source *sources[CHK_SOURCES_MAX];
    int fds[CHK_SOURCES_MAX]; /* theirs */
    unsigned source_count;
    struct ost_header header;
    struct ost_header_report report;
    struct idx_finding_list *list;
    struct chk_result result;
    uint8_t head[OST_HEADER_SIZE];
    struct steady steady;
    uint64_t told_bytes;
};

static int on_finding(void *ctx, const struct finding *f)
{
    struct subject *s = ctx;

    atomic_fetch_add(&s->worker->check->batch.counters.findings, 1);
    steady_suspect(&s->steady, f);
    return idx_finding_list_add(s->list, f);
}

static void on_progress(void *ctx, uint64_t bytes)
{
    struct subject *s = ctx;

    if (bytes > s->file.id.size_bytes)
        bytes = s->file.id.size_bytes;
    if (bytes <= s->told_bytes)
        return;
    atomic_fetch_add(&s->worker->check->batch.counters.bytes_done, bytes - s->told_bytes);
    s->told_bytes = bytes;
}

static int open_sources(struct subject *s)
{
    const struct options *o = s->worker->check->options;
    unsigned wanted = s->file.id.size_bytes >= LARGE_IMAGE && !s->work->alone ? o->jobs : 1;
    uint64_t all = o->memory_bytes < CACHES_BYTES ? o->memory_bytes : CACHES_BYTES;
    size_t share = (size_t)(all / o->jobs), cache = share < CACHE_BYTES ? share : CACHE_BYTES;
    int err = 0;

    if (wanted > CHK_SOURCES_MAX)
        wanted = CHK_SOURCES_MAX;
    while (!err && s->source_count < wanted) {
        struct io_reader **reader = &s->worker->readers[s->source_count];
        const struct io_reader_options how = {.backend = s->worker->check->batch.io,
                                              .depth = READS_IN_FLIGHT,
                                              .timeout_ns = options_read_timeout_ns(o)};

        if (!*reader)
            err = io_reader_create(&how, reader);
        if (err)
            break;
        s->fds[s->source_count] = s->source_count ? io_file_twin(&s->file) : s->file.fd;
        err = io_source_open_reader(*reader, s->fds[s->source_count], s->file.id.size_bytes, cache,
                                    &s->sources[s->source_count]);
        if (err)
            io_file_untwin(&s->file, s->fds[s->source_count]);
        else
            s->sources[s->source_count++]->first = &s->first;
    }
    return err;
}

static void close_sources(struct subject *s)
{
    while (s->source_count) {
        unsigned last = --s->source_count;

        io_source_close(s->sources[last]);
        io_file_untwin(&s->file, s->fds[last]);
    }
}

static int read_header(struct subject *s)
{
    uint64_t size = s->file.id.size_bytes;
    size_t wanted = size < sizeof s->head ? (size_t)size : sizeof s->head;
    int err = io_source_read(s->sources[0], 0, s->head, wanted);

    if (err)
        s->fault = s->sources[0]->fault;
    else
        ost_header_check((struct bytes){s->head, wanted}, size, &s->header, &s->report);
    return err;
}

static int check_structure(struct subject *s)
{
    const struct check *c = s->worker->check;
    const struct chk_sink sink = {.ctx = s, .finding = on_finding, .progress = on_progress};
    const struct chk_job job = {
        .sources = s->sources,
        .source_count = s->source_count,
        .header = &s->header,
        .report = &s->report,
        .memory_bytes = s->work->memory_bytes,
        .deep = c->options->deep,
        .cancel = c->batch.interrupted,
    };

    return chk_run(&job, &sink, &s->result);
}

/* What was read while others wrote proves no damage. */
static int check_steady(struct subject *s, unsigned flags)
{
    const uint64_t size = s->file.id.size_bytes;
    const struct bytes head = {s->head, size < sizeof s->head ? (size_t)size : sizeof s->head};
    enum steady_state state;
    struct finding f;
    int err;

    close_sources(s);
    err = steady_check(&s->steady, s->worker->readers[0], s->path, flags, &s->file, head,
                       s->header.format, &state);

    if (err || state == STEADY_STILL)
        return err;
    f = steady_finding(state, head);
    if (state == STEADY_CHANGED)
        idx_finding_list_soften(s->list);
    return on_finding(s, &f);
}

static int check_open(struct subject *s, struct outcome *o)
{
    bool named = s->work->named, by_name = s->work->by_name;
    const struct options *options = s->worker->check->options;
    unsigned flags =
        (options->direct ? IO_FILE_DIRECT : 0u) | (named || options->follow ? IO_FILE_FOLLOW : 0u);
    int err = io_file_open_shared(s->path, flags, s->work->share, &s->file, &s->fault);

    if (err)
        return err;
    if (options->direct && !s->file.direct)
        batch_direct_refused(&s->worker->check->batch, s->path);
    o->size_bytes = s->file.id.size_bytes;
    err = open_sources(s);
    if (!err)
        err = read_header(s);
    if (err)
        return err;
    o->foreign = options->all_files && !named && !by_name &&
                 s->report.state == OST_HEADER_UNUSABLE && s->header.content == OST_CONTENT_UNKNOWN;
    if (o->foreign)
        return 0;
    err = check_structure(s);
    return err ? err : check_steady(s, flags);
}

/* What is said of an image. */

struct group {
    const struct finding *first;
    uint64_t count, items;
};

static int compare_groups(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    int order = (int)y->first->severity - (int)x->first->severity;

    if (!order)
        order = (x->count < y->count) - (x->count > y->count);
    return order ? order : (x->first->code > y->first->code) - (x->first->code < y->first->code);
}

/* Findings by code, the worst first, and no more than a screen holds. What is only information (the
 * normal oddities of healthy images) is for -v, or where it decides the exit status. */
static void print_groups(struct buf *out, const struct idx_finding_list *l, bool infos)
{
    struct group groups[FINDING_CODES] = {0};
    size_t n = 0;

    for (size_t i = 0; i < idx_finding_list_count(l); i++) {
        const struct finding *f = idx_finding_list_at(l, i);
        struct group *g = &groups[f->code];

        if (f->severity == SEVERITY_INFO && !infos)
            continue;
        if (!g->first)
            g->first = f;
        g->count += idx_finding_list_merged(l, i);
        g->items += f->item_count;
    }
    for (size_t i = 0; i < FINDING_CODES; i++)
        if (groups[i].first)
            groups[n++] = groups[i];
    qsort(groups, n, sizeof groups[0], compare_groups);
    for (size_t i = 0; i < n && i < GROUPS_SHOWN; i++) {
        const struct group *g = &groups[i];
        const struct finding_info *info = finding_info(g->first->code);

        buf_printf(out, "    %" PRIu64 " × %s %s: %s", g->count,
                   finding_severity_name(g->first->severity), info->name, info->text);
        if (g->first->has_offset)
            buf_printf(out, "; %sat offset %" PRIu64, g->count > 1 ? "the first " : "",
                       g->first->offset);
        if (g->items)
            buf_printf(out, "; items hit: %" PRIu64, g->items);
        buf_putc(out, '\n');
    }
    if (n > GROUPS_SHOWN)
        buf_printf(out, "    and %zu more kinds (-v shows every finding)\n", n - GROUPS_SHOWN);
}

static void tell_text(const struct subject *s, struct outcome *o)
{
    const struct options *options = s->worker->check->options;
    const struct chk_result *r = &s->result;
    uint64_t corrupt = o->findings[SEVERITY_CORRUPT];
    bool colour = s->worker->check->colour;

    terminal_quote(bytes_text(s->path), &o->text);
    if (corrupt)
        buf_printf(&o->text, ": %s%" PRIu64 " finding%s of damage%s%s", colour ? "\033[31m" : "",
                   corrupt, tty_plural(corrupt), colour ? "\033[0m" : "",
                   r->complete ? "" : ", not gone through to its end");
    else
        buf_puts(&o->text, r->complete ? ": structure sound" : ": not gone through to its end");
    if (r->allocated_bytes)
        buf_printf(&o->text, ", %s of %s verified", tty_bytes(r->verified_bytes),
                   tty_bytes(r->allocated_bytes));
    buf_printf(&o->text, ", %" PRIu64 " block%s, %" PRIu64 " node%s, %" PRIu64 " message%s",
               r->blocks, tty_plural(r->blocks), r->nodes, tty_plural(r->nodes), r->items,
               tty_plural(r->items));
    if (r->recovered || r->maybe_stale)
        buf_printf(&o->text, "; %" PRIu64 " nodes found again, %" PRIu64 " more may be stale",
                   r->recovered, r->maybe_stale);
    buf_putc(&o->text, '\n');
    if (options->verbose)
        for (size_t i = 0; i < idx_finding_list_count(s->list); i++)
            finding_text(&o->text, idx_finding_list_at(s->list, i));
    else if (!options->quiet)
        print_groups(&o->text, s->list, options->fail_on == FAIL_FINDING);
}

static void tell_coverage(struct json *j, const struct chk_result *r)
{
    json_bool(j, "complete", r->complete);
    json_u64(j, "allocated", r->allocated_bytes);
    json_u64(j, "verified", r->verified_bytes);
    json_u64(j, "read", r->read_bytes);
    json_u64(j, "blocks", r->blocks);
    json_u64(j, "nodes", r->nodes);
    json_u64(j, "pages", r->pages);
    json_u64(j, "items", r->items);
    json_u64(j, "folders", r->folders);
    json_u64(j, "unused", r->unused_bytes);
    json_u64(j, "recovered", r->recovered);
    json_u64(j, "maybe_stale", r->maybe_stale);
}

static void tell_json(const struct subject *s, struct outcome *o)
{
    const struct idx_image_record image = {
        .path = s->path,
        .size_bytes = s->file.id.size_bytes,
        .mtime_ns = s->file.id.mtime_ns,
        .header = &s->header,
    };
    struct json j;

    idx_record_image(&o->text, s->worker->text, &image);
    for (size_t i = 0; i < idx_finding_list_count(s->list); i++)
        idx_record_finding(&o->text, i + 1, idx_finding_list_merged(s->list, i),
                           idx_finding_list_at(s->list, i));
    json_record(&j, &o->text, "check");
    json_text(&j, "path", s->path, strlen(s->path));
    for (int i = SEVERITY_CORRUPT; i >= 0; i--)
        json_u64(&j, finding_severity_name((enum finding_severity)i), o->findings[i]);
    tell_coverage(&j, &s->result);
    json_end_record(&j);
}

/* Why an image was not checked. */
static void tell_failure(const struct subject *s, struct outcome *o)
{
    struct json j;
    const char *why = err_why(o->err, s->fault.errnum);

    buf_reset(&o->text);
    if (s->worker->check->options->output == OUTPUT_JSON) {
        json_record(&j, &o->text, "check");
        json_text(&j, "path", s->path, strlen(s->path));
        json_cstr(&j, "reason", why);
        json_bool(&j, "complete", false);
        json_end_record(&j);
        return;
    }
    terminal_quote(bytes_text(s->path), &o->text);
    buf_printf(&o->text, ": not checked: %s", why);
    if (s->fault.length)
        buf_printf(&o->text, " (at offset %" PRIu64 ")", s->fault.offset);
    buf_putc(&o->text, '\n');
}

static void tell(struct subject *s, struct outcome *o)
{
    if (idx_finding_list_seal(s->list) != 0) {
        o->err = ERR_NOMEM;
        tell_failure(s, o);
        return;
    }
    o->complete = s->result.complete;
    o->verified_bytes = s->result.verified_bytes;
    for (size_t i = 0; i < idx_finding_list_count(s->list); i++)
        o->findings[idx_finding_list_at(s->list, i)->severity]++;
    if (s->worker->check->options->output == OUTPUT_JSON)
        tell_json(s, o);
    else
        tell_text(s, o);
}

static void check_image(void *ctx, struct work *work)
{
    struct subject s = {.worker = ctx, .work = work, .path = work->path};
    struct outcome *o = mem_zalloc(sizeof *o);

    if (!o || idx_finding_list_create(&s.list) != 0) {
        mem_free(o);
        atomic_store(&s.worker->check->batch.lost_error, ERR_NOMEM);
        return;
    }
    o->err = check_open(&s, o);
    o->cancelled = o->err == ERR_CANCELLED;
    if (o->err && !s.fault.code && s.first.fault.code == o->err)
        s.fault = s.first.fault;
    if (o->err)
        tell_failure(&s, o);
    else if (!o->foreign)
        tell(&s, o);
    on_progress(&s, UINT64_MAX);
    close_sources(&s);
    io_file_close(&s.file);
    idx_finding_list_destroy(s.list);
    work->outcome = o;
}

/* The frame. */

static void stop_worker(void *ctx)
{
    struct worker *w = ctx;

    for (unsigned i = 0; w->readers && i < CHK_SOURCES_MAX; i++)
        io_reader_destroy(w->readers[i]);
    mem_free(w->readers);
    idx_text_destroy(w->text);
    mem_free(w);
}

static int start_worker(void *ctx, void **out)
{
    struct worker *w = mem_zalloc(sizeof *w);
    int err;

    if (!w)
        return ERR_NOMEM;
    w->check = ctx;
    w->readers = mem_zalloc(CHK_SOURCES_MAX * sizeof *w->readers);
    err = w->readers ? idx_text_create(&w->text) : ERR_NOMEM;
    if (err) {
        stop_worker(w);
        return err;
    }
    *out = w;
    return 0;
}

/* Each image's lines leave when they are there; when they cannot, nothing that could still be found
 * would be seen, and the run ends. */
static void flush_output(struct check *c, bool written)
{
    if ((written && fflush(stdout) == 0) || c->output_errnum)
        return;
    c->output_errnum = errno ? errno : EIO;
    interrupt_stop();
}

static void *kit_of(void *ctx)
{
    return ctx;
}

/* The text has colours, and quoted what is not ours; JSON has neither. */
static bool print_outcome(const struct check *c, const struct buf *text)
{
    return c->options->output == OUTPUT_JSON
               ? tty_print(text->data, text->size)
               : fwrite(text->data, 1, text->size, stdout) == text->size;
}

/* There was no memory for what is to be said of an image, so it counts for nothing. */
static void lose_report(const struct work *w, struct outcome *o)
{
    struct outcome none = {.err = ERR_NOMEM, .size_bytes = o->size_bytes};

    complain("%s: %s", w->path, err_text(ERR_NOMEM));
    buf_done(&o->text);
    *o = none;
}

static void emit(void *ctx, struct work *w)
{
    struct check *c = ctx;
    struct outcome *o = w->outcome;

    if (w->kind == WORK_SKIPPED) {
        c->skipped += w->why == IO_SKIP_UNREADABLE;
        return;
    }
    if (!o || o->cancelled || o->foreign)
        return;
    if (o->text.failed)
        lose_report(w, o);
    c->images++;
    c->bytes += o->size_bytes;
    c->verified += o->verified_bytes;
    c->unread += !o->complete && !o->findings[SEVERITY_CORRUPT];
    c->failed += o->err != 0;
    c->damaged += o->findings[SEVERITY_CORRUPT] > 0;
    c->sound += o->complete && !o->findings[SEVERITY_CORRUPT];
    for (int i = 0; i <= SEVERITY_CORRUPT; i++)
        c->findings[i] += o->findings[i];
    if (c->options->output == OUTPUT_JSON || !c->options->quiet || o->err ||
        o->findings[SEVERITY_CORRUPT])
        flush_output(c, print_outcome(c, &o->text));
    buf_done(&o->text);
}

static void release(void *outcome)
{
    struct outcome *o = outcome;

    buf_done(&o->text);
    mem_free(o);
}

static void print_summary(const struct check *c, uint64_t elapsed_ns)
{
    double seconds = (double)elapsed_ns / 1e9;

    if (!c->images) {
        if (atomic_load(c->batch.interrupted))
            return;
        puts(c->options->all_files || c->skipped
                 ? "no images found"
                 : "no images found: names must end in .ost, .pst, .old, .bak or .nst, or see "
                   "--all-files");
        return;
    }
    printf("%" PRIu64 " image%s: %" PRIu64 " sound, %" PRIu64 " damaged, %" PRIu64
           " not checked; %" PRIu64 " corrupt, %" PRIu64 " warning, %" PRIu64
           " info; %s verified in "
           "%s (%s/s)\n",
           c->images, tty_plural(c->images), c->sound, c->damaged, c->unread,
           c->findings[SEVERITY_CORRUPT], c->findings[SEVERITY_WARNING], c->findings[SEVERITY_INFO],
           tty_bytes(c->verified), tty_duration(elapsed_ns),
           tty_bytes((uint64_t)((double)c->verified / seconds)));
}

/* A pipe whose reader has enough is no failure worth a word. */
static void complain_of_output(const struct check *c)
{
    if (c->output_errnum && c->output_errnum != EPIPE)
        complain("standard output: %s", strerror(c->output_errnum));
}

static int status_of(const struct check *c)
{
    uint64_t corrupt = c->findings[SEVERITY_CORRUPT];
    uint64_t all = corrupt + c->findings[SEVERITY_WARNING] + c->findings[SEVERITY_INFO];

    if (atomic_load(c->batch.interrupted) && !c->output_errnum) {
        complain("interrupted: what is not listed was not checked");
        return EXIT_INTERRUPTED;
    }
    if ((c->options->fail_on == FAIL_CORRUPT && corrupt) ||
        (c->options->fail_on == FAIL_FINDING && all))
        return EXIT_FOUND;
    return c->failed || c->skipped || c->output_errnum ? EXIT_ENVIRONMENT : EXIT_DONE;
}

int command_check(const struct options *o)
{
    struct check c = {.options = o, .colour = tty_colour(STDOUT_FILENO)};
    const struct batch_callbacks callbacks = {.ctx = &c,
                                              .start = start_worker,
                                              .stop = stop_worker,
                                              .kit = kit_of,
                                              .image = check_image,
                                              .emit = emit,
                                              .release = release};
    uint64_t started_ns = clock_monotonic_ns();
    int status = EXIT_PROGRAM;
    int err = batch_init(&c.batch, o, &callbacks);

    if (!err)
        err = batch_run(&c.batch);
    if (err) {
        complain("%s", err_text(err));
    } else {
        if (o->output == OUTPUT_TEXT && !o->quiet)
            print_summary(&c, clock_monotonic_ns() - started_ns);
        flush_output(&c, true);
        complain_of_output(&c);
        status = status_of(&c);
    }
    batch_done(&c.batch);
    return status;
}
