/*
 * fuzz_block.c: a block's trailer and decoding.
 *
 * Input: variant and crypt, inflated size (u16), stored bytes and what follows them. The stored
 * size is what is left of the input, less padding and trailer.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <libdeflate.h>

#include "io/bytes.h"
#include "io/mem.h"
#include "scanner/ost/block.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/forge.h"

enum { HEAD = 3 };

static void run(const struct ost_variant *v, uint8_t crypt, const struct ost_block *block,
                const uint8_t *data, size_t size)
{
    uint32_t extent_size = ost_block_extent(v, block->stored);
    uint8_t *extent = mem_zalloc(extent_size), *out = mem_alloc(block->inflated + 1u);
    struct ost_defects defects = {0};
    struct ost_decoder *decoder = NULL;
    size_t used = 0;

    memcpy(extent, data, size < extent_size ? size : extent_size);
    ost_block_check(v, block, extent, &defects);
    fuzz_use(ost_block_trust(&defects));
    fuzz_use(ost_block_padding_zero(v, block->stored, extent));
    if (ost_decoder_create(v, crypt, &decoder) == 0) {
        fuzz_use((uint64_t)ost_block_decode(decoder, block, extent, out, &used));
        ost_decoder_destroy(decoder);
    }
    mem_free(extent);
    mem_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ost_variant *v;
    struct ost_block block = {.bid = 4, .offset = 4096};

    if (size < HEAD || size > OST_DATA_MAX)
        return 0;
    v = ost_variant_of(forge_formats[data[0] % 3]);
    block.stored = (uint16_t)(size - HEAD);
    block.inflated = v->deflates ? le16(data + 1) : block.stored;
    run(v, data[0] / 3 % 4, &block, data + HEAD, size - HEAD);
    return 0;
}

/* A stream of the input so far. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct libdeflate_compressor *c;
    uint8_t *plain;
    size_t made;

    if (seed % 16 || size < HEAD + 1 || max < HEAD + 100)
        return LLVMFuzzerMutate(data, size, max);
    plain = mem_alloc(size);
    memcpy(plain, data, size);
    c = libdeflate_alloc_compressor(6);
    made = libdeflate_zlib_compress(c, plain, size, data + HEAD, max - HEAD);
    libdeflate_free_compressor(c);
    mem_free(plain);
    data[0] = 2 + 3 * (uint8_t)(seed / 16 % 3);
    put_le16(data + 1, (uint16_t)size);
    return made ? HEAD + made : LLVMFuzzerMutate(data, size, max);
}
