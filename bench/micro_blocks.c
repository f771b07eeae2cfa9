/*
 * micro_blocks.c: what is done to the bytes of a block.
 *
 * Blocks are worked on where the image is mapped. For inflating, the decoded blocks are compressed
 * anew, whatever the image's format is, as blocks of a 4k image that way: so all images can be
 * compared. libdeflate alone stands beside our decoding as its ceiling.
 */
#include <libdeflate.h>
#include <string.h>

#include "bench/micro.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/cipher.h"
#include "scanner/ost/crc.h"

enum { CLUSTER = 64 << 10 };

struct blocks {
    struct micro *m;
    size_t count; /* the image's first blocks that are used */
    struct idx_hash *hash;
    enum ost_simd simd;
    struct ost_block *list; /* compressed; their offsets are in `bytes` */
    size_t compressed;
    uint8_t *bytes;
    struct libdeflate_decompressor *inflater;
    struct ost_decoder *decoder;
    uint8_t out[CLUSTER];
    uint64_t sum; /* of results, so that the compiler cannot leave anything out */
};

static const uint8_t *bytes_of(const struct blocks *b, size_t i)
{
    return b->m->image.image + b->m->image.plan.blocks[i].offset;
}

static int crc(void *ctx, struct micro_pass *pass)
{
    struct blocks *b = ctx;

    for (size_t i = 0; i < b->count; i++) {
        b->sum += ost_crc(bytes_of(b, i), b->m->image.plan.blocks[i].stored);
        pass->bytes += b->m->image.plan.blocks[i].stored;
    }
    pass->ops = b->count;
    return 0;
}

static int check(void *ctx, struct micro_pass *pass)
{
    struct blocks *b = ctx;
    const struct ost_variant *v = b->m->image.plan.variant;

    for (size_t i = 0; i < b->count; i++) {
        struct ost_defects defects = {0};

        ost_block_check(v, &b->m->image.plan.blocks[i], bytes_of(b, i), &defects);
        if (defects.count)
            return ERR_DAMAGED;
        pass->bytes += b->m->image.plan.blocks[i].stored;
    }
    pass->ops = b->count;
    return 0;
}

static int hash(void *ctx, struct micro_pass *pass)
{
    struct blocks *b = ctx;
    struct ost_digest d;

    for (size_t i = 0; i < b->count; i++) {
        idx_hash_all(b->hash, bytes_of(b, i), b->m->image.plan.blocks[i].stored, &d);
        b->sum += d.bytes[0];
        pass->bytes += b->m->image.plan.blocks[i].stored;
    }
    pass->ops = b->count;
    return 0;
}

static int permute(void *ctx, struct micro_pass *pass)
{
    struct blocks *b = ctx;

    for (size_t i = 0; i < b->count; i++) {
        ost_permute_by(b->simd, b->out, bytes_of(b, i), b->m->image.plan.blocks[i].stored);
        b->sum += b->out[0];
        pass->bytes += b->m->image.plan.blocks[i].stored;
    }
    pass->ops = b->count;
    return 0;
}

static int cyclic(void *ctx, struct micro_pass *pass)
{
    struct blocks *b = ctx;

    for (size_t i = 0; i < b->count; i++) {
        const struct ost_block *block = &b->m->image.plan.blocks[i];

        ost_cyclic(b->out, bytes_of(b, i), block->stored, block->bid);
        b->sum += b->out[0];
        pass->bytes += block->stored;
    }
    pass->ops = b->count;
    return 0;
}

static int inflate(void *ctx, struct micro_pass *pass)
{
    struct blocks *b = ctx;

    for (size_t i = 0; i < b->compressed; i++) {
        const struct ost_block *block = &b->list[i];

        if (libdeflate_zlib_decompress(b->inflater, b->bytes + block->offset, block->stored, b->out,
                                       block->inflated, NULL) != LIBDEFLATE_SUCCESS)
            return ERR_DAMAGED;
        b->sum += b->out[0];
        pass->bytes += block->inflated;
    }
    pass->ops = b->compressed;
    return 0;
}

static int decode(void *ctx, struct micro_pass *pass)
{
    struct blocks *b = ctx;

    for (size_t i = 0; i < b->compressed; i++) {
        const struct ost_block *block = &b->list[i];

        if (ost_block_decode(b->decoder, block, b->bytes + block->offset, b->out, NULL))
            return ERR_DAMAGED;
        b->sum += b->out[0];
        pass->bytes += block->inflated;
    }
    pass->ops = b->compressed;
    return 0;
}

static int run_ciphers(struct blocks *b)
{
    static const char *const names[OST_SIMD_COUNT] = {"permute, portable", "permute, AVX2",
                                                      "permute, VBMI"};
    int rc = 0;

    for (int i = 0; i < OST_SIMD_COUNT && !rc; i++) {
        b->simd = (enum ost_simd)i;
        if (ost_simd_available(b->simd))
            rc = micro_time(b->m, names[i], "block", permute, b);
    }
    return rc ? rc : micro_time(b->m, "cyclic", "block", cyclic, b);
}

static int run_hash(struct blocks *b, enum idx_algorithm algorithm, const char *name)
{
    int rc = idx_hash_create(algorithm, &b->hash);

    if (!rc)
        rc = micro_time(b->m, name, "block", hash, b);
    idx_hash_destroy(b->hash);
    b->hash = NULL;
    return rc;
}

/* One block as it would stand in a 4k image; one that deflating makes no smaller stays out. */
static int compress_one(struct blocks *b, struct libdeflate_compressor *deflater,
                        const struct ost_block *from, uint64_t *at)
{
    const struct ost_blocks *blocks = &b->m->image.blocks;
    struct ost_block block = *from;
    struct bytes plain;
    size_t size = 0;
    int rc = blocks->get(blocks->ctx, from, &plain);

    if (rc)
        return rc;
    if (plain.size > 1)
        size = libdeflate_zlib_compress(deflater, plain.data, plain.size, b->bytes + *at,
                                        plain.size - 1);
    blocks->put(blocks->ctx, from, plain);
    if (!size)
        return 0;
    block.offset = *at;
    block.stored = (uint16_t)size;
    b->list[b->compressed++] = block;
    *at += size;
    return 0;
}

static int compress(struct blocks *b)
{
    struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(6);
    uint64_t at = 0;
    int rc = 0;

    b->list = mem_alloc_array(b->count + 1, sizeof *b->list);
    b->bytes = mem_alloc(b->m->most_bytes + CLUSTER);
    if (!deflater || !b->list || !b->bytes)
        rc = ERR_NOMEM;
    for (size_t i = 0; i < b->count && !rc; i++)
        rc = compress_one(b, deflater, &b->m->image.plan.blocks[i], &at);
    if (deflater)
        libdeflate_free_compressor(deflater);
    return rc;
}

static int run_inflate(struct blocks *b)
{
    int rc = compress(b);

    b->inflater = libdeflate_alloc_decompressor();
    if (!rc && !b->inflater)
        rc = ERR_NOMEM;
    if (!rc)
        rc = ost_decoder_create(ost_variant_of(OST_FORMAT_UNICODE4K), OST_CRYPT_NONE, &b->decoder);
    if (!rc)
        rc = micro_time(b->m, "inflate, libdeflate alone", "block", inflate, b);
    if (!rc)
        rc = micro_time(b->m, "inflate, as a block", "block", decode, b);
    if (b->inflater)
        libdeflate_free_decompressor(b->inflater);
    ost_decoder_destroy(b->decoder);
    return rc;
}

int micro_blocks(struct micro *m)
{
    const struct ost_plan *plan = &m->image.plan;
    struct blocks *b = mem_zalloc(sizeof *b);
    uint64_t bytes = 0;
    int rc = b ? 0 : ERR_NOMEM;

    if (rc)
        return rc;
    b->m = m;
    for (; b->count < plan->block_count && bytes < m->most_bytes && !rc; b->count++) {
        rc = mapped_check(&m->image, &plan->blocks[b->count]);
        bytes += plan->blocks[b->count].inflated;
    }
    if (!rc)
        rc = micro_time(m, "CRC", "block", crc, b);
    if (!rc)
        rc = micro_time(m, "block check", "block", check, b);
    if (!rc)
        rc = run_hash(b, IDX_XXH3, "XXH3-128");
    if (!rc)
        rc = run_hash(b, IDX_SHA256, "SHA-256");
    if (!rc)
        rc = run_ciphers(b);
    if (!rc)
        rc = run_inflate(b);
    mem_free(b->list);
    mem_free(b->bytes);
    mem_free(b);
    return rc;
}
