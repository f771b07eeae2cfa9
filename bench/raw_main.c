/*
 * raw_main.c: bench-raw: the limit that other rates are held against: the best raw read of what
 * images have allocated.
 *
 * Without --ways it tries every way on a part of the images and prints the best few, one a line.
 * With --ways (such lines' first words) it reads all of the images by each of these and prints what
 * the fastest took: nanoseconds, processor time, the bytes of the extents, those of blocks and
 * pages alone. So a script can let the limit and what is held against it take turns. --sum: the
 * checksum of each block's worth of bytes is computed as well, which is the least that a scan does;
 * --digest: XXH3 of all bytes, too, as a scan does of attachments. --hot: into buffers that stay in
 * the processor's cache (raw.h). --trees: the pages of the B-trees are read before, each by itself,
 * as whoever must know where blocks are has to.
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
#include <unistd.h>

#include "bench/evict.h"
#include "bench/extents.h"
#include "bench/raw.h"
#include "io/err.h"
#include "io/file.h"
#include "io/mem.h"

enum { GAP_BYTES = 16 << 10, FINALISTS = 4 };

/* Small reads that lie apart. */
static const struct raw_way trees_way = {
    .uring = true, .piece_bytes = 64 << 10, .depth = RAW_DEPTH_MAX, .threads = 1, .hot = true};

struct image {
    int fd;
    uint64_t size_bytes;
    struct extents extents, trees;
};

struct bench {
    bool cold, direct, sum, digest, hot, trees;
    uint64_t probe_bytes;
    struct image *images;
    size_t count;
    uint64_t extent_bytes, allocated, blocks;
};

struct trial {
    struct raw_way way;
    uint64_t ns, cpu_ns, bytes;
};

static uint64_t cpu_ns(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

/* Direct reads begin and end at whole sectors; a part of one at the file's end is left out. */
static void align(struct extents *e, uint64_t size_bytes, uint64_t sector)
{
    size_t kept = 0;

    e->bytes = 0;
    for (size_t i = 0; i < e->count; i++) {
        uint64_t from = e->list[i].offset & ~(sector - 1);
        uint64_t to = e->list[i].offset + e->list[i].length + sector - 1;
        uint64_t last = kept ? e->list[kept - 1].offset + e->list[kept - 1].length : 0;

        to = (to < size_bytes ? to : size_bytes) & ~(sector - 1);
        from = from < last ? last : from;
        if (to > from)
            e->list[kept++] = (struct extent){from, to - from};
    }
    e->count = kept;
    for (size_t i = 0; i < kept; i++)
        e->bytes += e->list[i].length;
}

static int open_image(struct bench *b, const char *path, struct image *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    if (fd < 0 || fstat(fd, &st))
        return ERR_SYS;
    out->size_bytes = (uint64_t)st.st_size;
    rc = extents_load(fd, out->size_bytes, GAP_BYTES, &out->extents);
    if (!rc && b->trees)
        rc = extents_load_trees(fd, out->size_bytes, &out->trees);
    out->fd = b->direct && !rc ? open(path, O_RDONLY | O_CLOEXEC | O_DIRECT) : fd;
    if (b->direct)
        close(fd);
    if (rc || out->fd < 0)
        return rc ? rc : ERR_SYS;
    if (b->direct) {
        align(&out->extents, out->size_bytes, io_file_direct_align(out->fd));
        align(&out->trees, out->size_bytes, io_file_direct_align(out->fd));
    }
    b->extent_bytes += out->extents.bytes;
    b->allocated += out->extents.allocated;
    b->blocks += out->extents.blocks;
    return 0;
}

/* Images in turn, until `most_bytes` of them are read. */
static int read_images(struct bench *b, struct trial *t, uint64_t most_bytes)
{
    t->ns = t->cpu_ns = t->bytes = 0;
    t->way.hot = b->hot;
    t->way.crc_bytes = b->sum ? (uint32_t)(b->allocated / (b->blocks + 1) + 1) : 0;
    t->way.digest = b->digest;
    for (size_t i = 0; i < b->count && t->bytes < most_bytes; i++) {
        const struct image *image = &b->images[i];
        uint64_t ns = 0, bytes, trees_ns = 0, resident, from;
        int rc = b->cold ? evict_file(image->fd, image->size_bytes, &resident) : 0;

        from = cpu_ns();
        if (!rc && b->trees)
            rc = raw_read(image->fd, &image->trees, &trees_way, UINT64_MAX, &trees_ns, &bytes);
        if (!rc)
            rc = raw_read(image->fd, &image->extents, &t->way, most_bytes - t->bytes, &ns, &bytes);
        if (rc)
            return rc;
        t->cpu_ns += cpu_ns() - from;
        t->ns += ns + trees_ns;
        t->bytes += bytes;
    }
    return 0;
}

static int faster(const void *a, const void *b)
{
    const struct trial *x = a, *y = b;
    double p = (double)x->bytes / (double)x->ns, q = (double)y->bytes / (double)y->ns;

    return (p < q) - (p > q);
}

static void print_way(const struct trial *t)
{
    printf("%s,%u,%u,%u %.0f MB/s\n", t->way.uring ? "uring" : "pread", t->way.piece_bytes,
           t->way.depth, t->way.threads, (double)t->bytes * 1e3 / (double)t->ns);
}

static int find_ways(struct bench *b)
{
    struct raw_way ways[RAW_WAYS_MAX];
    struct trial trials[RAW_WAYS_MAX];
    unsigned count = raw_ways(ways), tried = 0;

    for (unsigned i = 0; i < count; i++) {
        struct trial *t = &trials[tried];
        int rc;

        t->way = ways[i];
        rc = read_images(b, t, b->probe_bytes);
        if (rc && rc != ERR_UNSUPPORTED)
            return rc;
        tried += !rc;
    }
    qsort(trials, tried, sizeof trials[0], faster);
    for (unsigned i = 0; i < tried && i < FINALISTS; i++)
        print_way(&trials[i]);
    return 0;
}

static int parse_way(const char *text, struct raw_way *out)
{
    char name[8];

    if (sscanf(text, "%7[a-z],%u,%u,%u", name, &out->piece_bytes, &out->depth, &out->threads) != 4)
        return -1;
    out->uring = !strcmp(name, "uring");
    return out->piece_bytes >= 4096 && out->piece_bytes <= RAW_POOL_BYTES && out->depth >= 1 &&
                   out->depth <= RAW_DEPTH_MAX && out->threads >= 1 &&
                   out->threads <= RAW_THREADS_MAX
               ? 0
               : -1;
}

static int read_ways(struct bench *b, char *ways)
{
    struct trial best = {0};
    char *rest = ways;

    for (char *word; (word = strtok_r(rest, " ", &rest));) {
        struct trial t;
        int rc = parse_way(word, &t.way) ? ERR_UNSUPPORTED : read_images(b, &t, UINT64_MAX);

        if (rc)
            return rc;
        if (!best.ns || faster(&t, &best) < 0)
            best = t;
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", best.ns, best.cpu_ns,
           b->extent_bytes, b->allocated);
    return 0;
}

static void close_images(struct bench *b)
{
    for (size_t i = 0; b->images && i < b->count; i++) {
        extents_done(&b->images[i].extents);
        extents_done(&b->images[i].trees);
        if (b->images[i].fd > 0)
            close(b->images[i].fd);
    }
    mem_free(b->images);
}

static int run(struct bench *b, char **paths, char *ways)
{
    int rc = 0;

    b->images = mem_zalloc(b->count * sizeof *b->images);
    if (!b->images)
        return ERR_NOMEM;
    for (size_t i = 0; i < b->count && !rc; i++) {
        rc = open_image(b, paths[i], &b->images[i]);
        if (rc)
            fprintf(stderr, "bench-raw: %s: %s\n", paths[i], err_text(rc));
    }
    if (!rc)
        rc = ways ? read_ways(b, ways) : find_ways(b);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"ways", required_argument, NULL, 'w'},
                                            {"probe-mib", required_argument, NULL, 'p'},
                                            {"cold", no_argument, NULL, 'c'},
                                            {"direct", no_argument, NULL, 'd'},
                                            {"sum", no_argument, NULL, 's'},
                                            {"digest", no_argument, NULL, 'x'},
                                            {"hot", no_argument, NULL, 'h'},
                                            {"trees", no_argument, NULL, 't'},
                                            {0}};
    struct bench b = {.probe_bytes = 256 << 20};
    char *ways = NULL;
    int c, rc;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'w')
            ways = optarg;
        else if (c == 'p')
            b.probe_bytes = (uint64_t)strtoul(optarg, NULL, 10) << 20;
        else if (c == 'c')
            b.cold = true;
        else if (c == 'd')
            b.direct = true;
        else if (c == 's')
            b.sum = true;
        else if (c == 'x')
            b.digest = true;
        else if (c == 'h')
            b.hot = true;
        else if (c == 't')
            b.trees = true;
        else
            break;
    }
    if (c != -1 || optind == argc) {
        fputs("Usage: bench-raw [--ways \"WAY...\"] [--probe-mib N] [--cold] [--direct] [--sum] "
              "[--digest] [--hot] [--trees] IMAGE...\n",
              stderr);
        return 2;
    }
    b.count = (size_t)(argc - optind);
    rc = run(&b, argv + optind, ways);
    if (rc)
        fprintf(stderr, "bench-raw: %s\n", err_text(rc));
    close_images(&b);
    return rc ? 3 : 0;
}
