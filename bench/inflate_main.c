/*
 * inflate_main.c: bench-inflate: how long libdeflate alone takes to inflate the compressed blocks
 * of an image, which is in the page cache, on so many threads: what no scan of it can beat.
 *
 * Prints nanoseconds, processor time, blocks and bytes inflated.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "bench/mapped.h"
#include "io/clock.h"
#include "io/err.h"

enum { THREADS_MAX = 64, TAKE = 64, ROOM = 64 << 10 };

struct bench {
    struct mapped image;
    _Atomic size_t next;
    _Atomic uint64_t blocks, bytes;
    _Atomic int result;
};

static bool is_compressed(const struct bench *b, const struct ost_block *block)
{
    return b->image.header.format == OST_FORMAT_UNICODE4K && block->stored != block->inflated &&
           range_fits(block->offset, block->stored, b->image.size_bytes);
}

static void *run(void *ctx)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    struct bench *b = ctx;
    const struct ost_plan *plan = &b->image.plan;
    uint64_t blocks = 0, bytes = 0;
    uint8_t out[ROOM];

    if (!d)
        atomic_store(&b->result, ERR_NOMEM);
    for (size_t from; d && (from = atomic_fetch_add(&b->next, TAKE)) < plan->block_count;)
        for (size_t i = from; i < from + TAKE && i < plan->block_count; i++) {
            const struct ost_block *block = &plan->blocks[i];

            if (!is_compressed(b, block))
                continue;
            if (libdeflate_zlib_decompress(d, b->image.image + block->offset, block->stored, out,
                                           block->inflated, NULL) != LIBDEFLATE_SUCCESS)
                atomic_store(&b->result, ERR_DAMAGED);
            blocks++;
            bytes += block->inflated;
        }
    atomic_fetch_add(&b->blocks, blocks);
    atomic_fetch_add(&b->bytes, bytes);
    if (d)
        libdeflate_free_decompressor(d);
    return NULL;
}

static int run_all(struct bench *b, unsigned threads)
{
    pthread_t ids[THREADS_MAX];
    unsigned started = 1;

    for (; started < threads; started++)
        if (pthread_create(&ids[started], NULL, run, b))
            break;
    run(b);
    for (unsigned i = 1; i < started; i++)
        pthread_join(ids[i], NULL);
    return started < threads ? ERR_SYS : atomic_load(&b->result);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int open_image(const char *path, struct bench *b)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes;

    if (fd < 0 || fstat(fd, &st))
        return ERR_SYS;
    bytes = mmap(NULL, (size_t)st.st_size + 1, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    return bytes == MAP_FAILED ? ERR_SYS : mapped_open(bytes, (size_t)st.st_size, &b->image);
}

int main(int argc, char **argv)
{
    static struct bench b;
    unsigned threads = argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    uint64_t ns, cpu;
    int rc;

    if (!threads || threads > THREADS_MAX) {
        fputs("Usage: bench-inflate THREADS IMAGE\n", stderr);
        return 2;
    }
    rc = open_image(argv[2], &b);
    ns = clock_monotonic_ns();
    cpu = cpu_ns();
    if (!rc)
        rc = run_all(&b, threads);
    ns = clock_monotonic_ns() - ns;
    cpu = cpu_ns() - cpu;
    mapped_close(&b.image);
    if (rc) {
        fprintf(stderr, "bench-inflate: %s: %s\n", argv[2], err_text(rc));
        return 3;
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", ns, cpu, b.blocks, b.bytes);
    return 0;
}
