/*
 * check_main.c: bench-check: the rate of `ostscan check` on an image against the best raw read of
 * the same extents, both in one run.
 *
 * First every way to read raw is tried on a part of the image, then the best few and the checks
 * take turns on all of it, so that whatever else the machine does hits all of them; of each, the
 * best of the rounds counts. A check's time is that of its whole process. Processor time is
 * compared as well: on a machine that others use, a short raw read may have it to itself, a check
 * never does. The raw read goes round a pool of buffers as large as ostscan's, and, in a column of
 * its own, into buffers that stay in the processor's cache, which nobody who keeps what he reads
 * can do. Peaks are taken first: a child starts with the resident memory of its parent as its
 * peak.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/extents.h"
#include "bench/raw.h"
#include "io/clock.h"
#include "io/err.h"

enum {
    GAP_BYTES = 16 << 10,
    FINALISTS = 4,
    MEMORY_MIB = 64,
    BASE_MIB = 64,
    A_BLOCK = 48,
    A_NODE = 32,
    CRC_TRIALS = 8
};

struct trial {
    struct raw_way way;
    uint64_t best_ns, cpu_ns, bytes; /* each the least of the rounds */
};

struct check {
    const char *io, *jobs;
    uint64_t best_ns, cpu_ns, peak_bytes; /* the least, the least, the most */
};

struct bench {
    const char *image, *ostscan;
    unsigned rounds;
    uint64_t probe_bytes;
    int fd;
    uint64_t size_bytes;
    struct extents extents;
    struct trial trials[RAW_WAYS_MAX], hot[RAW_WAYS_MAX]; /* the best first, once measured */
    unsigned trial_count;                                 /* of each */
    struct trial crc[CRC_TRIALS];                         /* the best first, once measured */
    struct check checks[4];
};

static double rate(uint64_t bytes, uint64_t ns)
{
    return ns ? (double)bytes * 1e3 / (double)ns : 0;
}

static double trial_rate(const struct trial *t)
{
    return rate(t->bytes, t->best_ns);
}

static int faster(const void *a, const void *b)
{
    double x = trial_rate(a), y = trial_rate(b);

    return (x < y) - (x > y);
}

static uint64_t cpu_of(const struct rusage *u)
{
    return (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
}

static void least(uint64_t *of, uint64_t value)
{
    if (!*of || value < *of)
        *of = value;
}

/* A way that cannot be had here (io_uring) is left out, and so is not the best. */
static int try_way(struct bench *b, struct trial *t, uint64_t most)
{
    struct rusage before, after;
    uint64_t ns, bytes;
    int rc;

    getrusage(RUSAGE_SELF, &before);
    rc = raw_read(b->fd, &b->extents, &t->way, most, &ns, &bytes);
    getrusage(RUSAGE_SELF, &after);

    if (rc == ERR_UNSUPPORTED)
        return 0;
    if (rc)
        return rc;
    if (bytes > t->bytes)
        t->best_ns = t->cpu_ns = 0;
    least(&t->best_ns, ns);
    least(&t->cpu_ns, cpu_of(&after) - cpu_of(&before));
    t->bytes = bytes;
    return 0;
}

static int run_check(struct bench *b, struct check *c)
{
    char memory[16];
    char *argv[] = {
        (char *)(uintptr_t)b->ostscan,
        "check",
        "--quiet",
        "--device",
        "flash", /* what it says of itself, here or in a virtual machine, is not asked */
        "--io",
        (char *)(uintptr_t)c->io,
        "--jobs",
        (char *)(uintptr_t)c->jobs,
        "--memory",
        memory,
        (char *)(uintptr_t)b->image,
        NULL};
    uint64_t from = clock_monotonic_ns(), ns;
    struct rusage used;
    int status;
    pid_t pid;

    snprintf(memory, sizeof memory, "%dM", MEMORY_MIB);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        dup2(null, STDOUT_FILENO);
        execv(b->ostscan, argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        return ERR_SYS;
    ns = clock_monotonic_ns() - from;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench-check: ostscan check --io %s --jobs %s failed (status %d)\n", c->io,
                c->jobs, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
        return ERR_SYS;
    }
    least(&c->best_ns, ns);
    least(&c->cpu_ns, cpu_of(&used));
    if (b->extents.count)
        return 0;
    if ((uint64_t)used.ru_maxrss * 1024 > c->peak_bytes)
        c->peak_bytes = (uint64_t)used.ru_maxrss * 1024;
    return 0;
}

/*
 * What no check can beat: the same bytes read, and the checksum of each computed, at the mean size
 * of a block, in buffers that stay in the processor's cache. Nothing is looked up or compared.
 */
static void set_crc_ways(struct bench *b)
{
    for (unsigned i = 0; i < CRC_TRIALS; i++)
        b->crc[i].way = (struct raw_way){
            .uring = i % 2,
            .piece_bytes = (64u << 10) << i / 2,
            .depth = 1 + i % 2,
            .threads = RAW_THREADS_MAX,
            .crc_bytes = (uint32_t)(b->extents.allocated / (b->extents.blocks + 1) + 1),
            .hot = true,
        };
}

/* Every way, on a part of the image. */
static int probe(struct bench *b, struct trial *trials, bool hot)
{
    struct raw_way ways[RAW_WAYS_MAX];
    int rc = 0;

    b->trial_count = raw_ways(ways);
    for (unsigned i = 0; i < b->trial_count && !rc; i++) {
        trials[i].way = ways[i];
        trials[i].way.hot = hot;
        for (unsigned r = 0; r < 2 && !rc; r++)
            rc = try_way(b, &trials[i], b->probe_bytes);
    }
    qsort(trials, b->trial_count, sizeof trials[0], faster);
    return rc;
}

static int measure(struct bench *b)
{
    struct trial warm = {.way = {.piece_bytes = 1 << 20, .depth = 1, .threads = 1}};
    int rc = try_way(b, &warm, UINT64_MAX);

    set_crc_ways(b);
    if (!rc)
        rc = probe(b, b->trials, false);
    if (!rc)
        rc = probe(b, b->hot, true);
    for (unsigned r = 0; r < b->rounds && !rc; r++) {
        for (unsigned i = 0; i < FINALISTS && !rc; i++)
            rc = try_way(b, &b->trials[i], UINT64_MAX);
        for (unsigned i = 0; i < FINALISTS && !rc; i++)
            rc = try_way(b, &b->hot[i], UINT64_MAX);
        for (unsigned i = 0; i < CRC_TRIALS && !rc; i++)
            rc = try_way(b, &b->crc[i], UINT64_MAX);
        for (unsigned i = 0; i < 4 && !rc; i++)
            rc = run_check(b, &b->checks[i]);
    }
    qsort(b->trials, FINALISTS, sizeof b->trials[0], faster);
    qsort(b->hot, FINALISTS, sizeof b->hot[0], faster);
    qsort(b->crc, CRC_TRIALS, sizeof b->crc[0], faster);
    return rc;
}

static uint64_t formula_bytes(const struct bench *b)
{
    return ((uint64_t)(MEMORY_MIB + BASE_MIB) << 20) + A_BLOCK * b->extents.blocks +
           A_NODE * b->extents.nodes;
}

/* Processor time of the cheapest of the best ways against the check's. */
static double cpu_ratio(const struct bench *b, const struct check *c)
{
    uint64_t cpu_ns = b->trials[0].cpu_ns;

    for (unsigned i = 1; i < FINALISTS; i++)
        if (b->trials[i].cpu_ns && b->trials[i].cpu_ns < cpu_ns)
            cpu_ns = b->trials[i].cpu_ns;
    return c->cpu_ns ? (double)cpu_ns / (double)c->cpu_ns : 0;
}

static void print_text(const struct bench *b)
{
    const struct extents *e = &b->extents;

    printf("%s, crypt %s: %" PRIu64 " bytes, %" PRIu64 " blocks, %" PRIu64 " nodes; %" PRIu64
           " bytes allocated, %" PRIu64 " in %zu extents\n\n",
           e->format, e->crypt, b->size_bytes, e->blocks, e->nodes, e->allocated, e->bytes,
           e->count);
    printf("raw read        MB/s\n");
    for (unsigned i = 0; i < b->trial_count; i++) {
        const struct trial *t = &b->trials[i];

        if (t->best_ns)
            printf("%-5s %4u KiB depth %2u threads %u %8.0f%s\n", t->way.uring ? "uring" : "pread",
                   t->way.piece_bytes >> 10, t->way.depth, t->way.threads, trial_rate(t),
                   i == 0          ? "  best"
                   : i < FINALISTS ? "  whole"
                                   : "");
    }
    printf("\nraw read into buffers that stay in the cache: %.0f MB/s (%s, %u KiB, depth %u)\n",
           trial_rate(&b->hot[0]), b->hot[0].way.uring ? "uring" : "pread",
           b->hot[0].way.piece_bytes >> 10, b->hot[0].way.depth);
    printf("read + checksum of each %u bytes: %.0f MB/s, %.2f of raw (%s, %u KiB, 2 threads)\n",
           b->crc[0].way.crc_bytes, trial_rate(&b->crc[0]),
           trial_rate(&b->crc[0]) / trial_rate(&b->trials[0]),
           b->crc[0].way.uring ? "uring" : "pread", b->crc[0].way.piece_bytes >> 10);
    printf("\ncheck            MB/s  of raw  of hot  of read+sum   CPU s  peak MiB  (formula %.0f "
           "MiB)\n",
           (double)formula_bytes(b) / (1 << 20));
    for (unsigned i = 0; i < 4; i++) {
        const struct check *c = &b->checks[i];
        double r = rate(e->bytes, c->best_ns);

        printf("%-5s jobs %s %10.0f %7.2f %7.2f %12.2f %7.2f %9.1f\n", c->io, c->jobs, r,
               r / trial_rate(&b->trials[0]), r / trial_rate(&b->hot[0]),
               r / trial_rate(&b->crc[0]), (double)c->cpu_ns / 1e9,
               (double)c->peak_bytes / (1 << 20));
    }
    putchar('\n');
}

static void print_json(const struct bench *b, FILE *f)
{
    const struct extents *e = &b->extents;
    double best = trial_rate(&b->trials[0]), top = 0;

    fprintf(f,
            "{\"format\":\"%s\",\"crypt\":\"%s\",\"size_bytes\":%" PRIu64 ",\"blocks\":%" PRIu64
            ",\"nodes\":%" PRIu64 ",\"allocated_bytes\":%" PRIu64 ",\"extent_bytes\":%" PRIu64
            ",\"rounds\":%u,\"memory_formula_bytes\":%" PRIu64 ",\"raw\":[",
            e->format, e->crypt, b->size_bytes, e->blocks, e->nodes, e->allocated, e->bytes,
            b->rounds, formula_bytes(b));
    for (unsigned i = 0, n = 0; i < b->trial_count; i++) {
        const struct trial *t = &b->trials[i];

        if (t->best_ns)
            fprintf(f,
                    "%s{\"io\":\"%s\",\"piece_bytes\":%u,\"depth\":%u,\"threads\":%u,"
                    "\"read_bytes\":%" PRIu64 ",\"mb_s\":%.0f}",
                    n++ ? "," : "", t->way.uring ? "uring" : "pread", t->way.piece_bytes,
                    t->way.depth, t->way.threads, t->bytes, trial_rate(t));
    }
    fprintf(f, "],\"raw_best_mb_s\":%.0f,\"check\":[", best);
    for (unsigned i = 0; i < 4; i++) {
        const struct check *c = &b->checks[i];
        double r = rate(e->bytes, c->best_ns);

        top = r > top ? r : top;
        fprintf(f,
                "%s{\"io\":\"%s\",\"jobs\":%s,\"mb_s\":%.0f,\"ratio\":%.3f,\"cpu_s\":%.2f,\"cpu_"
                "ratio\":%.3f,"
                "\"peak_bytes\":%" PRIu64 "}",
                i ? "," : "", c->io, c->jobs, r, r / best, (double)c->cpu_ns / 1e9, cpu_ratio(b, c),
                c->peak_bytes);
    }
    fprintf(f,
            "],\"read_sum_mb_s\":%.0f,\"read_sum_ratio\":%.3f,\"raw_hot_mb_s\":%.0f,"
            "\"ratio_hot\":%.3f,\"ratio\":%.3f}\n",
            trial_rate(&b->crc[0]), trial_rate(&b->crc[0]) / best, trial_rate(&b->hot[0]),
            top / trial_rate(&b->hot[0]), top / best);
}

static int parse(int argc, char **argv, struct bench *b, const char **json)
{
    static const struct option options[] = {{"ostscan", required_argument, NULL, 'o'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"probe-mib", required_argument, NULL, 'p'},
                                            {"json", required_argument, NULL, 'j'},
                                            {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'o')
            b->ostscan = optarg;
        else if (c == 'r')
            b->rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'p')
            b->probe_bytes = (uint64_t)strtoul(optarg, NULL, 10) << 20;
        else if (c == 'j')
            *json = optarg;
        else
            return -1;
    }
    if (optind + 1 != argc || !b->ostscan || !b->rounds)
        return -1;
    b->image = argv[optind];
    return 0;
}

static int write_json(const struct bench *b, const char *path)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return ERR_SYS;
    print_json(b, f);
    return fclose(f) ? ERR_SYS : 0;
}

int main(int argc, char **argv)
{
    static struct bench b = {.rounds = 5,
                             .probe_bytes = 512 << 20,
                             .checks = {{.io = "uring", .jobs = "1"},
                                        {.io = "uring", .jobs = "2"},
                                        {.io = "pread", .jobs = "1"},
                                        {.io = "pread", .jobs = "2"}}};
    const char *json = NULL;
    struct stat st;
    int rc;

    if (parse(argc, argv, &b, &json)) {
        fputs("Usage: bench-check --ostscan PROGRAM [--rounds N] [--probe-mib N] [--json FILE] "
              "IMAGE\n",
              stderr);
        return 2;
    }
    b.fd = open(b.image, O_RDONLY | O_CLOEXEC);
    if (b.fd < 0 || fstat(b.fd, &st)) {
        fprintf(stderr, "bench-check: %s: %s\n", b.image, strerror(errno));
        return 3;
    }
    b.size_bytes = (uint64_t)st.st_size;
    rc = 0;
    for (unsigned i = 0; i < 4 && !rc; i++)
        rc = run_check(&b, &b.checks[i]);
    if (!rc)
        rc = extents_load(b.fd, b.size_bytes, GAP_BYTES, &b.extents);
    if (!rc)
        rc = measure(&b);
    if (!rc)
        print_text(&b);
    if (!rc && json)
        rc = write_json(&b, json);
    if (rc)
        fprintf(stderr, "bench-check: %s: %s\n", b.image, err_text(rc));
    extents_done(&b.extents);
    close(b.fd);
    return rc ? 3 : 0;
}
