/*
 * deflate_main.c: bench-deflate: how long zlib alone, at level 6, takes for the blocks of an image:
 * the time that a generator of the same compressed image cannot beat on one thread.
 *
 * The blocks are inflated into memory first, a batch at a time; only deflate is on the clock, on
 * what the writer's rule (FORMAT.md section 6) gives to it: blocks of more than one unit.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

#include "io/clock.h"
#include "io/err.h"
#include "io/mem.h"
#include "io/source.h"
#include "scanner/ost/block.h"
#include "scanner/ost/plan.h"

enum { BATCH_BYTES = 64 << 20 };

struct bench {
    struct io_source *source;
    const struct ost_variant *v;
    struct ost_plan plan;
    struct ost_decoder *decoder;
    z_stream deflater;
    uint8_t *batch, *extent, *out;
    uint32_t sizes[BATCH_BYTES / 512];
    size_t count, used;
    uint64_t blocks, in_bytes, ns;
};

static int deflate_batch(struct bench *b)
{
    uint64_t from = clock_monotonic_ns();
    uint8_t *at = b->batch;

    for (size_t i = 0; i < b->count; i++) {
        deflateReset(&b->deflater);
        b->deflater.next_in = at;
        b->deflater.avail_in = b->sizes[i];
        b->deflater.next_out = b->out;
        b->deflater.avail_out = 2 * OST_BLOCK_MAX;
        if (deflate(&b->deflater, Z_FINISH) != Z_STREAM_END)
            return ERR_DAMAGED;
        at += b->sizes[i];
    }
    b->ns += clock_monotonic_ns() - from;
    b->blocks += b->count;
    b->in_bytes += b->used;
    b->count = b->used = 0;
    return 0;
}

static int add_block(struct bench *b, const struct ost_block *block)
{
    size_t used;
    int rc;

    if (ost_block_extent(b->v, block->inflated) <= b->v->unit)
        return 0;
    rc = io_source_read(b->source, block->offset, b->extent, ost_block_extent(b->v, block->stored));
    if (!rc)
        rc = ost_block_decode(b->decoder, block, b->extent, b->batch + b->used, &used);
    if (rc)
        return rc;
    b->sizes[b->count++] = block->inflated;
    b->used += block->inflated;
    return b->used + OST_BLOCK_MAX > BATCH_BYTES ? deflate_batch(b) : 0;
}

static int load(struct bench *b)
{
    uint8_t head[OST_HEADER_SIZE];
    struct ost_header header;
    struct ost_header_report report;
    struct ost_plan_options how = {.memory_bytes = UINT64_MAX};
    int rc = io_source_read(b->source, 0, head, sizeof head);

    if (rc)
        return rc;
    ost_header_check((struct bytes){head, sizeof head}, b->source->size_bytes, &header, &report);
    if (report.state == OST_HEADER_UNUSABLE)
        return ERR_DAMAGED;
    b->v = how.variant = ost_variant_of(header.format);
    how.nbt = header.nbt;
    how.bbt = header.bbt;
    rc = ost_plan_load(b->source, &how, &b->plan);
    return rc ? rc : ost_decoder_create(b->v, OST_CRYPT_NONE, &b->decoder);
}

static int run(struct bench *b)
{
    int rc = load(b);

    b->batch = mem_alloc(BATCH_BYTES);
    b->extent = mem_alloc(OST_BLOCK_MAX);
    b->out = mem_alloc((size_t)2 * OST_BLOCK_MAX);
    if (!rc && (!b->batch || !b->extent || !b->out || deflateInit(&b->deflater, 6) != Z_OK))
        rc = ERR_NOMEM;
    for (size_t i = 0; i < b->plan.block_count && !rc; i++)
        rc = add_block(b, &b->plan.blocks[i]);
    return rc ? rc : deflate_batch(b);
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct stat st;
    int fd, rc;

    if (argc != 2) {
        fputs("Usage: bench-deflate IMAGE\n", stderr);
        return 2;
    }
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        perror(argv[1]);
        return 3;
    }
    rc = io_source_open_pread(fd, (uint64_t)st.st_size, &b.source);
    if (!rc)
        rc = run(&b);
    if (rc) {
        fprintf(stderr, "bench-deflate: %s: %s\n", argv[1], err_text(rc));
        return 3;
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", b.blocks, b.in_bytes, b.ns);
    return 0;
}
