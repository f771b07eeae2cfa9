/*
 * dup_run.c: see dup_run.h.
 *
 * Shared state while manifests are read: the index (a lane for each thread), the next image to be
 * read and the first code that failed (atomics). An image belongs to the thread that took it.
 */
#include "scanner/app/dup_run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index/terminal.h"
#include "io/listing.h"
#include "io/mem.h"
#include "scanner/app/commands.h"
#include "scanner/app/dup_file.h"

enum { JOBS_MOST = 64 };

void dup_run_init(struct dup_run *r, bool quiet)
{
    *r = (struct dup_run){.quiet = quiet};
    dup_images_init(&r->images);
}

void dup_run_done(struct dup_run *r)
{
    dup_images_done(&r->images);
}

static void say(const char *path, const char *what, const char *detail)
{
    struct buf line = BUF_INIT;

    terminal_quote(bytes_text(path), &line);
    buf_printf(&line, ": %s", what);
    if (detail && *detail) {
        buf_puts(&line, " (");
        terminal_quote(bytes_text(detail), &line);
        buf_putc(&line, ')');
    }
    complain("%s", buf_cstr(&line) ? (const char *)line.data : what);
    buf_done(&line);
}

static bool is_manifest_name(const char *name)
{
    static const char end[] = ".jsonl.zst";
    const size_t size = strlen(name);

    return name[0] != '.' && size >= sizeof end &&
           strcmp(name + size - (sizeof end - 1), end) == 0 &&
           strcmp(name, "duplicates.jsonl.zst") != 0;
}

/* Adds the manifests of an open folder; *found counts them. */
static int add_entries(struct dup_run *r, const char *path, int fd, size_t *found)
{
    struct listing *listing = mem_alloc(sizeof *listing);
    const struct dirent64 *entry;
    int errnum = 0, code = listing ? 0 : ERR_NOMEM;

    if (listing)
        listing_start(listing, fd, 0);
    while (!code && (errnum = listing_next(listing, &entry)) == 0 && entry) {
        struct buf file = BUF_INIT;

        if (!is_manifest_name(entry->d_name))
            continue;
        buf_printf(&file, "%s/%s", path, entry->d_name);
        code = buf_cstr(&file) ? dup_images_add(&r->images, (const char *)file.data) : ERR_NOMEM;
        buf_done(&file);
        ++*found;
    }
    if (errnum) {
        say(path, strerror(errnum), NULL);
        r->trouble = true;
    }
    mem_free(listing);
    return code;
}

static int add_folder(struct dup_run *r, const char *path)
{
    struct buf inner = BUF_INIT;
    const char *folder = path;
    size_t found = 0;
    int code = 0, fd = -1;

    buf_printf(&inner, "%s/manifests", path);
    if (!buf_cstr(&inner))
        code = ERR_NOMEM;
    else
        fd = listing_open(AT_FDCWD, (const char *)inner.data, 0);
    if (fd >= 0)
        folder = (const char *)inner.data;
    else if (!code && errno == ENOENT)
        fd = listing_open(AT_FDCWD, path, 0);
    if (fd >= 0) {
        code = add_entries(r, folder, fd, &found);
        close(fd);
    }
    if (!code && !found && !(fd >= 0 && r->may_be_empty)) {
        say(path, fd < 0 ? strerror(errno) : "no manifests in this folder", NULL);
        r->trouble = true;
    }
    buf_done(&inner);
    return code;
}

int dup_run_add(struct dup_run *r, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return add_folder(r, path);
    return dup_images_add(&r->images, path);
}

struct reading {
    struct dup_run *run;
    struct dup_index *index;
    size_t image_count;
    atomic_size_t next;
    atomic_int code;
};

struct reader {
    struct reading *reading;
    unsigned lane;
    pthread_t thread;
};

static int read_image(struct reading *all, unsigned lane, size_t number)
{
    const struct dup_notes *notes = all->run->notes;
    const struct dup_noted *noted =
        notes ? dup_notes_find(notes, all->run->images.list[number]->manifest) : NULL;

    return noted ? dup_index_read_notes(all->index, lane, number, notes, noted)
                 : dup_index_read(all->index, lane, number);
}

static void *read_some(void *arg)
{
    struct reader *self = arg;
    struct reading *all = self->reading;
    size_t number;
    int none = 0, code = 0;

    while (!code && !atomic_load(&all->code) &&
           (number = atomic_fetch_add(&all->next, 1)) < all->image_count)
        code = read_image(all, self->lane, number);
    if (code)
        atomic_compare_exchange_strong(&all->code, &none, code);
    return NULL;
}

/* The calling thread is the first reader; the others start as far as there is room for them. */
static int read_all(struct dup_run *r, struct dup_index *index, unsigned jobs)
{
    struct reading reading = {.run = r, .index = index, .image_count = r->images.count};
    struct reader *readers = mem_alloc_array(jobs, sizeof *readers);
    unsigned started = 1;

    if (!readers)
        return ERR_NOMEM;
    for (unsigned i = 0; i < jobs; i++)
        readers[i] = (struct reader){.reading = &reading, .lane = i};
    while (started < jobs &&
           pthread_create(&readers[started].thread, NULL, read_some, &readers[started]) == 0)
        started++;
    read_some(&readers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(readers[i].thread, NULL);
    mem_free(readers);
    return atomic_load(&reading.code);
}

static void say_states(struct dup_run *r)
{
    for (size_t i = 0; i < r->images.count; i++) {
        const struct dup_image *image = r->images.list[i];

        if (image->state == DUP_UNREADABLE)
            say(image->manifest, "not used", image->reason);
        else if (image->state == DUP_INCOMPLETE)
            say(image->manifest, "incomplete: only a part of its items is known", image->reason);
        else if (image->state == DUP_REPEATED && !r->quiet &&
                 strcmp(image->manifest, image->taken->manifest) != 0)
            say(image->manifest, "the same image in the same state, counted once",
                image->taken->manifest);
        r->trouble |= image->state == DUP_UNREADABLE || image->state == DUP_INCOMPLETE;
    }
}

static void say_fault(const struct dup_index *index)
{
    const struct fault *fault = dup_index_fault(index);

    if (fault->code && fault->code != ERR_NOMEM)
        complain("temporary file: %s: %s", fault->what, err_why(fault->code, fault->errnum));
}

static int tell(struct dup_run *r, const struct dup_index_options *options,
                const struct dup_sink *sinks, size_t sink_count)
{
    struct dup_index *index = NULL;
    int code = dup_images_settle(&r->images);

    if (!code)
        code = dup_index_create(options, &r->images, &index);
    if (!code) {
        code = read_all(r, index, options->lanes);
        if (!code) {
            say_states(r);
            code = dup_index_tell(index, sinks, sink_count);
        }
        say_fault(index);
    }
    dup_index_destroy(index);
    return code;
}

static struct dup_index_options options_of(const struct dup_run *r, unsigned jobs,
                                           uint64_t memory_bytes, const atomic_bool *cancel)
{
    const size_t most = r->images.count < JOBS_MOST ? r->images.count : JOBS_MOST;

    return (struct dup_index_options){
        .memory_bytes = memory_bytes,
        .lanes = !most         ? 1
                 : jobs < most ? jobs
                               : (unsigned)most,
        .cancel = cancel,
    };
}

int dup_run_tell(struct dup_run *r, unsigned jobs, uint64_t memory_bytes, const atomic_bool *cancel,
                 const struct dup_sink *sinks, size_t sink_count)
{
    const struct dup_index_options options = options_of(r, jobs, memory_bytes, cancel);

    return tell(r, &options, sinks, sink_count);
}

static int keep_totals(void *ctx, const struct dup_totals *totals)
{
    *(struct dup_totals *)ctx = *totals;
    return 0;
}

int dup_run_write_out(const char *out, unsigned jobs, uint64_t memory_bytes,
                      const struct dup_notes *notes, const atomic_bool *cancel,
                      struct dup_totals *totals)
{
    struct dup_run run;
    struct dup_index_options options;
    struct dup_file file = {0};
    struct dup_sink sinks[2] = {{0}, {.ctx = totals, .totals = keep_totals}};
    struct buf path = BUF_INIT;
    struct fault fault = {0};
    int code;

    dup_run_init(&run, true);
    run.may_be_empty = true;
    run.notes = notes;
    *totals = (struct dup_totals){0};
    buf_printf(&path, "%s/duplicates.jsonl.zst", out);
    code = buf_cstr(&path) ? dup_run_add(&run, out) : ERR_NOMEM;
    if (code || !run.images.count)
        goto out;
    code = dup_file_open(&file, (const char *)path.data, &fault);
    if (!code) {
        options = options_of(&run, jobs, memory_bytes, cancel);
        options.temp_dir = out;
        sinks[0] = dup_file_sink(&file);
        code = tell(&run, &options, sinks, 2);
    }
    code = dup_file_close(&file, code, &fault);
out:
    if (code && code != ERR_CANCELLED)
        complain("%s/duplicates.jsonl.zst: %s", out, err_why(code, fault.errnum));
    buf_done(&path);
    dup_run_done(&run);
    return code;
}
