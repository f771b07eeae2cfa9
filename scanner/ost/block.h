/*
 * block.h: a block's extent, its trailer, and its decoded bytes.
 *
 * FORMAT.md section 6 ([MS-PST] 2.2.2.8). A block is `stored` bytes, zero padding and a trailer
 * that ends at the extent's end. Its checksum covers the stored bytes. Decoding is inflating (K)
 * and then deciphering (external blocks only).
 *
 * Threads: a decoder belongs to one thread; everything else is pure.
 */
#ifndef SCANNER_OST_BLOCK_H
#define SCANNER_OST_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/ost/btree.h"
#include "scanner/ost/defect.h"
#include "scanner/ost/variant.h"

/* Bytes from the block's offset to the end of its trailer, for any 16-bit stored size. */
static inline uint32_t ost_block_extent(const struct ost_variant *v, uint32_t stored)
{
    return (stored + v->block_trailer + v->unit - 1) & ~(v->unit - 1);
}

struct ost_block_trailer {
    uint16_t stored;
    uint16_t sig;
    uint32_t crc;
    uint64_t bid;
    uint16_t constant, inflated; /* K; 0 in other variants */
    uint32_t zero;
};

/* `extent`: ost_block_extent(v, stored) bytes. */
struct ost_block_trailer ost_block_trailer(const struct ost_variant *v, const uint8_t *extent,
                                           uint32_t stored);

/*
 * Compares a block with its BBT entry; adds OST_BLOCK_* defects. `extent` holds
 * ost_block_extent(v, block->stored) bytes.
 */
void ost_block_check(const struct ost_variant *v, const struct ost_block *block,
                     const uint8_t *extent, struct ost_defects *defects);

/* Whether ost_block_check would find nothing. */
bool ost_block_sound(const struct ost_variant *v, const struct ost_block *block,
                     const uint8_t *extent);

/* What the stored bytes may be believed, by the rule of ost_page_trust: a sound checksum, and one
 * of bid and signature; all but the checksum right is suspect. */
enum ost_trust ost_block_trust(const struct ost_defects *defects);

/* Whether all padding between data and trailer is zero. Nothing covers it: never a damage. */
bool ost_block_padding_zero(const struct ost_variant *v, uint32_t stored, const uint8_t *extent);

struct ost_decoder;

/* A decoder for an image of that crypt method (enum ost_crypt; ERR_UNSUPPORTED for others). Its
 * one heap use is here. ERR_NOMEM. */
int ost_decoder_create(const struct ost_variant *v, uint8_t crypt, struct ost_decoder **out);
void ost_decoder_destroy(struct ost_decoder *d); /* NULL is allowed */

/* Whether the decoded bytes are the stored ones, so that nobody needs to copy them. */
bool ost_block_plain(const struct ost_decoder *d, const struct ost_block *block);

/*
 * Decodes `stored` (block->stored bytes) into `out` (room for block->inflated bytes; not
 * overlapping). *used, if not NULL: bytes of `stored` that the zlib stream took (R4: all of them).
 * ERR_DAMAGED: no zlib stream, one that ends early, or one of another size; `out` is then garbage.
 */
int ost_block_decode(struct ost_decoder *d, const struct ost_block *block, const uint8_t *stored,
                     uint8_t *out, size_t *used);

#endif
