/*
 * pff.c: the libpff engine in our process: it spawns the child, feeds what the child says to a
 * decoder, and turns the child's end into findings. See engine.h, pff.h.
 *
 * Bounds. Opening costs libpff a walk through all nodes for each node, measured on generated images
 * with 10,000, 20,000 and 40,000 nodes: 0.36, 1.4 and 6.0 s, that is 3.7e-9 s x nodes^2. A mail
 * with some 80 properties takes about 15 KB of an image, so
 *
 *     image     nodes      opening        a folder of half the items, as libpff holds its table
 *     256 MiB    18,000     1.2 s         180 MB  (20 KB a row of 80 columns)
 *       1 GiB    72,000      19 s         730 MB
 *       4 GiB   286,000     5.1 min       2.9 GB
 *      16 GiB 1,150,000    1.4 h         11.7 GB
 *
 * 1 GiB is the last that ends in the time of a cup of coffee and within common memory; larger
 * images are declined. Size says little of nodes (small calendar items come ten to the same bytes),
 * so time is bounded too: a minute and a second for each MiB, both on the clock and of CPU. That
 * admits 540,000 nodes in 1 GiB and 140,000 in 16 MiB. (All of it with libpff 20180714.)
 *
 * The child's address space is the job's share of memory, but never under 512 MiB: below that
 * libpff cannot hold the table of an ordinary folder. When a table does not fit, libpff says so and
 * the table counts as failed; nothing else is lost.
 */
#include "scanner/ref/pff.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "io/child.h"
#include "io/clock.h"
#include "io/mem.h"
#include "io/rate.h"
#include "scanner/ref/decode.h"
#include "scanner/ref/run.h"

static const uint64_t SIZE_MAX_BYTES = UINT64_C(1) << 30;
static const uint64_t SECOND_NS = 1000000000;
static const uint64_t CHILD_MEMORY_MIN = UINT64_C(512) << 20;
static const uint64_t ITEM_MEMORY_MIN = UINT64_C(64) << 20;

enum { SECONDS_ANYWAY = 60, PIECE = 64 * 1024, READ_OVER = 16, MONTH_SECONDS = 31 * 86400 };

struct ref_bounds ref_bounds_of(uint64_t size_bytes, uint64_t memory_bytes)
{
    uint64_t seconds = SECONDS_ANYWAY + (size_bytes >> 20);

    return (struct ref_bounds){
        .size_bytes = SIZE_MAX_BYTES,
        .wall_ns = seconds * SECOND_NS,
        .cpu_seconds = seconds,
        .memory_bytes = memory_bytes > CHILD_MEMORY_MIN ? memory_bytes : CHILD_MEMORY_MIN,
        .item_bytes = memory_bytes > ITEM_MEMORY_MIN ? memory_bytes : ITEM_MEMORY_MIN,
        .percent = 100,
    };
}

struct run {
    const struct engine_job *job;
    const struct engine_sink *sink;
    struct ost_image image;
    struct decoder *decoder;
    struct io_child *child;
    bool timed_out;
    uint64_t rate; /* what the child may read a second; 0: anything */
};

/* What reading it all, several times over, takes at that rate. */
static uint64_t time_at(uint64_t size_bytes, uint64_t rate)
{
    uint64_t seconds = rate ? size_bytes / rate + 1 : 0;

    return (seconds < MONTH_SECONDS ? seconds : MONTH_SECONDS) * READ_OVER * SECOND_NS;
}

static int spawn(struct run *run, const struct ref_bounds *bounds)
{
    static char argument[] = REF_CHILD_ARGUMENT;
    char memory[24], cpu[24], size[24], percent[12], rate[24];
    const char *exe = run->job->child_exe ? run->job->child_exe : "/proc/self/exe";
    char name[] = "ostscan";
    char *argv[] = {name, argument, memory, cpu, size, percent, rate, NULL};
    struct fault fault;

    snprintf(memory, sizeof memory, "%" PRIu64, bounds->memory_bytes);
    snprintf(cpu, sizeof cpu, "%" PRIu64, bounds->cpu_seconds);
    snprintf(size, sizeof size, "%" PRIu64, run->job->file->id.size_bytes);
    snprintf(percent, sizeof percent, "%u", bounds->percent);
    snprintf(rate, sizeof rate, "%" PRIu64, run->rate);
    return io_child_spawn(exe, argv, run->job->file->fd, &run->child, &fault);
}

/* Reads until the end of the stream. ERR_TIMEOUT, ERR_CANCELLED, the decoder's codes, the sink's.
 */
static int listen(struct run *run, uint64_t deadline_ns)
{
    uint8_t *piece = mem_alloc(PIECE);
    size_t received = 1;
    int code = piece ? 0 : ERR_NOMEM;

    while (!code && received) {
        code = io_child_read(run->child, piece, PIECE, deadline_ns, run->job->cancel, &received);
        run->timed_out = code == ERR_TIMEOUT;
        if (!code)
            code = decoder_feed(run->decoder, piece, received);
    }
    mem_free(piece);
    return run->timed_out ? 0 : code;
}

/* The image is always reported, also when the child gave nothing of it. */
static int report_image(struct run *run)
{
    if (run->decoder && decoder_has_image(run->decoder))
        return 0;
    return engine_tell_image(run->sink, &run->image);
}

static int report(struct run *run, enum finding_code code, const char *detail)
{
    struct finding finding = finding_of(code);
    int result = report_image(run);

    if (result)
        return result;
    finding.detail = detail;
    if (run->decoder && decoder_has_image(run->decoder)) {
        finding.has_expected = finding.has_actual = true;
        finding.expected = decoder_announced(run->decoder);
        finding.actual = decoder_delivered(run->decoder);
    }
    return engine_tell_finding(run->sink, &finding);
}

static int report_signal(struct run *run, int signal)
{
    const char *name = sigabbrev_np(signal);
    char detail[32];

    if (signal == SIGXCPU)
        return report(run, F_engine_timeout, "its CPU time was used up");
    snprintf(detail, sizeof detail, "signal %d (SIG%s)", signal, name ? name : "?");
    return report(run, F_engine_crashed, detail);
}

/* The child ended, or was made to, with `code` on our side. */
static int conclude(struct run *run, int code, const struct io_child_end *end)
{
    const char *violation = decoder_violation(run->decoder);
    int held = !code || violation ? decoder_end(run->decoder) : 0;

    if (held)
        return held;
    if (violation)
        return report(run, F_engine_protocol, violation);
    if (run->timed_out)
        return report(run, F_engine_timeout, "its time on the clock was used up");
    if (code)
        return code;
    if (decoder_finished(run->decoder))
        return report_image(run);
    if (end->signal)
        return report_signal(run, end->signal);
    return report(run, F_engine_protocol, "it broke off");
}

int ref_run(const struct engine_job *job, const struct engine_sink *sink,
            const struct ref_bounds *bounds)
{
    uint64_t size_bytes = job->file->id.size_bytes;
    uint64_t deadline_ns = clock_monotonic_ns() + bounds->wall_ns;
    struct run run = {
        .job = job,
        .sink = sink,
        .image = {.content = (uint8_t)job->header->content,
                  .format = (uint8_t)job->header->format,
                  .crypt = job->header->crypt,
                  .version = job->header->version,
                  .unique = job->header->unique,
                  .account = "unknown"},
    };
    struct decoder_options options = {&run.image, sink, job->hasher, bounds->item_bytes,
                                      size_bytes};
    struct io_child_end end = {0};
    int code;

    if (size_bytes > bounds->size_bytes)
        return report(&run, F_engine_declined, "its opening is quadratic in the number of items");
    code = decoder_create(&options, &run.decoder);
    if (code)
        return code;
    run.rate = io_rate_lend_process();
    deadline_ns += time_at(size_bytes, run.rate);
    code = spawn(&run, bounds);
    if (!code) {
        code = listen(&run, deadline_ns);
        io_child_finish(run.child, true, &end);
        code = conclude(&run, code, &end);
    }
    io_rate_return_process(run.rate);
    decoder_destroy(run.decoder);
    return code;
}

int ref_run_sample(const struct engine_job *job, const struct engine_sink *sink, unsigned percent)
{
    struct ref_bounds bounds = ref_bounds_of(job->file->id.size_bytes, job->memory_bytes);

    bounds.percent = percent;
    return ref_run(job, sink, &bounds);
}

static int run_libpff(const struct engine_job *job, const struct engine_sink *sink)
{
    return ref_run_sample(job, sink, 100);
}

const struct engine engine_libpff = {"libpff", run_libpff};
