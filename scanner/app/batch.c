/*
 * batch.c: see batch.h. Workers finish in any order; a finished path is emitted when all before it
 * are finished, by whoever finishes the first of them, under the progress lock.
 */
#include "scanner/app/batch.h"

#include <pthread.h>
#include <string.h>

#include "index/manifest_name.h"
#include "io/crew.h"
#include "io/device.h"
#include "io/discover.h"
#include "io/mem.h"
#include "io/patient.h"
#include "io/rate.h"
#include "scanner/app/commands.h"
#include "scanner/app/interrupt.h"

static int probe_io(struct batch *b)
{
    const struct io_reader_options wanted = {.backend = b->options->io,
                                             .timeout_ns = options_read_timeout_ns(b->options)};
    struct io_reader *reader = NULL;
    int err = io_reader_create(&wanted, &reader);

    if (err)
        return err;
    b->io = strcmp(io_reader_backend(reader), "uring") == 0 ? IO_BACKEND_URING : IO_BACKEND_PREAD;
    if (io_reader_note(reader) && !b->options->quiet)
        complain("%s", io_reader_note(reader));
    io_reader_destroy(reader);
    return 0;
}

int batch_init(struct batch *b, const struct options *options,
               const struct batch_callbacks *callbacks)
{
    int err;

    *b = (struct batch){
        .options = options, .callbacks = callbacks, .interrupted = interrupt_install()};
    pthread_mutex_init(&b->admit_mutex, NULL);
    /* Each worker may have a child that reads by itself. */
    io_rate_limit(options->max_rate, options->jobs, b->interrupted);
    io_patience(options_read_timeout_ns(options), b->interrupted);
    err = probe_io(b);
    if (!err)
        err = worklist_create(callbacks->release, &b->list);
    if (!err)
        err = crew_create(&b->crew);
    if (!err)
        err = admit_create(options->jobs, options->memory_bytes, &b->admit);
    return err;
}

void batch_done(struct batch *b)
{
    worklist_destroy(b->list);
    crew_destroy(b->crew);
    admit_destroy(b->admit);
    mem_free(b->devices);
    pthread_mutex_destroy(&b->admit_mutex);
    b->list = NULL;
    b->admit = NULL;
    b->devices = NULL;
    b->crew = NULL;
}

static void complain_of(struct batch *b, const char *path, const char *what)
{
    progress_pause(b->progress);
    complain_about(path, what);
    progress_resume(b->progress);
}

void batch_direct_refused(struct batch *b, const char *path)
{
    if (!atomic_exchange(&b->direct_refused_said, true))
        complain_of(b, path,
                    "this file system refuses direct reads: reading through the page cache");
}

/* A device with images, and whether they are read one at a time. */
struct batch_device {
    uint64_t id;
    bool alone;
};

static bool seeks(const struct options *o, const struct io_found *found)
{
    enum io_device device;

    if (o->device != DEVICE_AUTO)
        return o->device == DEVICE_DISK;
    device = io_device_of(found->path, found->device, found->share);
    return device == IO_DEVICE_DISK || device == IO_DEVICE_NETWORK;
}

/* Asks once for each device. */
static int look_at_device(struct batch *b, const struct io_found *found, bool *alone)
{
    struct batch_device *more;

    for (size_t i = 0; i < b->device_count; i++)
        if (b->devices[i].id == found->device) {
            *alone = b->devices[i].alone;
            return 0;
        }
    more = mem_realloc(b->devices, (b->device_count + 1) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    *alone = seeks(b->options, found);
    b->devices = more;
    b->devices[b->device_count++] = (struct batch_device){found->device, *alone};
    return 0;
}

static int on_found(void *ctx, const struct io_found *found)
{
    struct batch *b = ctx;
    const struct options *o = b->options;
    bool alone = false;
    size_t number;
    int err;

    if (o->shards && idx_share_of(found->relative, o->shards) != o->shard)
        return 0;
    atomic_fetch_add(&b->counters.images_found, 1);
    atomic_fetch_add(&b->counters.bytes_found, found->size_bytes);
    err = look_at_device(b, found, &alone);
    if (!err)
        err = worklist_add_image(b->list, found, &number);
    if (err)
        return err;
    pthread_mutex_lock(&b->admit_mutex);
    err = admit_add(b->admit, number, found->size_bytes, found->device, alone);
    pthread_mutex_unlock(&b->admit_mutex);
    crew_wake(b->crew);
    return err;
}

static int on_skipped(void *ctx, const char *path, enum io_skip why, const struct fault *fault,
                      const char *same_as)
{
    struct batch *b = ctx;

    if (why == IO_SKIP_UNREADABLE)
        complain_of(b, path, fault ? err_why(fault->code, fault->errnum) : "unreadable");
    else if (why == IO_SKIP_PLACEHOLDER && !b->options->quiet)
        complain_of(b, path, "a placeholder of an archive tier, skipped (--recall reads it)");
    return worklist_add_skipped(b->list, path, why, fault, same_as);
}

static bool is_finished(const struct work *w)
{
    return w && (w->kind == WORK_SKIPPED || w->done);
}

/* Emits every path that is finished and has only finished ones before it; then it is dropped. */
static void emit_finished(struct batch *b, struct work *just_done)
{
    struct work *w;

    progress_pause(b->progress);
    just_done->done = true;
    while (is_finished(w = worklist_peek(b->list, b->emitted))) {
        b->callbacks->emit(b->callbacks->ctx, w);
        worklist_drop(b->list);
        b->emitted++;
    }
    progress_resume(b->progress);
}

/* Nobody works any more: what is finished is emitted, whatever before it is not. */
static void emit_rest(struct batch *b)
{
    progress_pause(b->progress);
    for (; b->emitted < worklist_count(b->list); b->emitted++) {
        struct work *w = worklist_peek(b->list, b->emitted);

        if (is_finished(w))
            b->callbacks->emit(b->callbacks->ctx, w);
        worklist_drop(b->list);
    }
    progress_resume(b->progress);
}

/* Whether a worker without an image can stop helping others: there is one, or will never be. */
static bool need_not_help(void *ctx)
{
    struct batch *b = ctx;
    bool can, over;

    if (atomic_load(b->interrupted))
        return true;
    pthread_mutex_lock(&b->admit_mutex);
    can = admit_can(b->admit);
    over = admit_is_over(b->admit) && atomic_load(&b->in_hand) == 0;
    pthread_mutex_unlock(&b->admit_mutex);
    return can || over;
}

/*
 * Begins the next image, if there is one that can be. *over: none will come, and none is in hand.
 * An image is in hand from the moment that it is admitted, by the same lock: nobody who asks
 * whether all is over may see one that is not, for nobody would wake him.
 */
static struct work *begin_next(struct batch *b, bool *over)
{
    struct admitted next;
    struct work *w = NULL;

    pthread_mutex_lock(&b->admit_mutex);
    if (admit_next(b->admit, &next)) {
        w = worklist_peek(b->list, next.number);
        w->memory_bytes = next.memory_bytes;
        w->alone = next.alone;
        w->number = next.number;
        atomic_fetch_add(&b->in_hand, 1);
    }
    *over = admit_is_over(b->admit) && atomic_load(&b->in_hand) == 0;
    pthread_mutex_unlock(&b->admit_mutex);
    return w;
}

/* The next image for a worker, which helps others until there is one; NULL: no more. */
static struct work *take(struct batch *b, void *state)
{
    void *kit = b->callbacks->kit(state);
    struct work *w = NULL;
    bool over = false;

    while (!w && !over && !atomic_load(b->interrupted)) {
        crew_idle(b->crew, kit, need_not_help, b);
        w = begin_next(b, &over);
    }
    return w;
}

static void give_back(struct batch *b, size_t number)
{
    pthread_mutex_lock(&b->admit_mutex);
    admit_end(b->admit, number);
    atomic_fetch_sub(&b->in_hand, 1);
    pthread_mutex_unlock(&b->admit_mutex);
    crew_wake(b->crew);
}

static void *worker(void *arg)
{
    struct batch *b = arg;
    const struct batch_callbacks *call = b->callbacks;
    void *state = NULL;
    struct work *w;
    int err = call->start(call->ctx, &state);

    if (err) {
        atomic_store(&b->start_error, err);
        return NULL;
    }
    atomic_fetch_add(&b->working, 1);
    while ((w = take(b, state))) {
        const size_t number = w->number;

        call->image(state, w);
        atomic_fetch_add(&b->counters.images_done, 1);
        emit_finished(b, w);
        give_back(b, number);
    }
    call->stop(state);
    return NULL;
}

static int discover_list(struct batch *b, struct io_discover *d)
{
    const struct options *o = b->options;
    struct fault fault = {0};
    int err = io_discover_list(d, o->files_from, o->files_null, &fault);

    if (!err || err == ERR_CANCELLED || !fault.code)
        return err;
    complain_of(b, o->files_from, err_why(err, fault.errnum));
    return worklist_add_skipped(b->list, o->files_from, IO_SKIP_UNREADABLE, &fault, NULL);
}

static int discover(struct batch *b)
{
    const struct options *o = b->options;
    const struct io_discover_options how = {
        .all_files = o->all_files,
        .recall = o->recall,
        .follow = o->follow,
        .exclude = b->exclude,
        .cancel = b->interrupted,
    };
    const struct io_discover_sink sink = {.ctx = b, .image = on_found, .skipped = on_skipped};
    struct io_discover *d = NULL;
    int err = io_discover_create(&how, &sink, &d);

    for (size_t i = 0; !err && i < o->path_count; i++)
        err = io_discover_path(d, o->paths[i]);
    if (!err && o->files_from)
        err = discover_list(b, d);
    io_discover_destroy(d);
    atomic_store(&b->counters.found_all, true);
    return err == ERR_CANCELLED ? 0 : err;
}

/* Runs the workers while this thread discovers. */
static int work(struct batch *b)
{
    unsigned started = 0;
    pthread_t *threads = mem_alloc_array(b->options->jobs, sizeof *threads);
    int err;

    if (!threads)
        return ERR_NOMEM;
    while (started < b->options->jobs && pthread_create(&threads[started], NULL, worker, b) == 0)
        started++;
    err = started ? discover(b) : ERR_SYS;
    pthread_mutex_lock(&b->admit_mutex);
    admit_close(b->admit);
    pthread_mutex_unlock(&b->admit_mutex);
    crew_wake(b->crew);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    mem_free(threads);
    if (!err && !atomic_load(&b->working))
        err = atomic_load(&b->start_error);
    return err ? err : atomic_load(&b->lost_error);
}

int batch_run(struct batch *b)
{
    const struct options *o = b->options;
    int err = progress_start(o->progress, o->quiet, &b->counters, &b->progress);

    if (err)
        return err;
    err = work(b);
    emit_rest(b);
    progress_stop(b->progress);
    b->progress = NULL;
    return err;
}
