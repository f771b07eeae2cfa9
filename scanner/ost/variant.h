/*
 * variant.h: the three on-disk formats as one table of numbers.
 *
 * FORMAT.md section 1 ([MS-PST] 2.2.2). A: ANSI, U: Unicode with 512-byte pages, K: Unicode with
 * 4096-byte pages. Sizes and offsets in bytes; offsets are from the start of their structure.
 *
 * Threads: constant data.
 */
#ifndef SCANNER_OST_VARIANT_H
#define SCANNER_OST_VARIANT_H

#include <stdbool.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/ost/header.h"
#include "scanner/ost/offsets.h"

/* The largest of all variants, for buffers. */
enum { OST_PAGE_MAX = PAGE_SIZE_K, OST_BLOCK_MAX = BLOCK_MAX_K, OST_DATA_MAX = BLOCK_DATA_MAX_K };

struct ost_variant {
    enum ost_format format;
    uint8_t id_size; /* width of a bid and of an ib: 4 or 8 */
    bool deflates;   /* blocks may be zlib streams, and say their inflated size */

    uint32_t page_size;
    uint32_t page_align;   /* of the offset of any page */
    uint32_t page_trailer; /* offset of the trailer = bytes under the checksum */
    uint32_t page_crc, page_bid;
    uint32_t page_constant; /* offset of the constant 1, 0 where there is none */

    uint32_t counters;
    bool wide_counters; /* cEnt and cEntMax are 16 bits wide */
    uint16_t branch_size, branch_max;
    uint16_t bbt_size, bbt_max;
    uint16_t nbt_size, nbt_max;

    uint32_t unit;          /* alignment of blocks = bytes covered by a bit of an allocation map */
    uint32_t block_trailer; /* its size */
    uint32_t block_crc, block_bid; /* within the trailer */
    uint32_t block_max;            /* data, padding and trailer */
    uint32_t data_max;             /* decoded bytes of a block */

    uint32_t sub_header;       /* offset of the entries of SLBLOCK and SIBLOCK */
    uint16_t sl_size, si_size; /* of their entries */

    uint64_t density_list;
    uint64_t amap_first, amap_spacing;
    uint32_t amap_bitmap, amap_bitmap_size;
    bool has_pmaps; /* PMap, FMap and FPMap pages follow some AMaps */
};

/* The table's row; NULL for OST_FORMAT_UNKNOWN. */
const struct ost_variant *ost_variant_of(enum ost_format format);

/* A bid, an ib or a key of that width. */
static inline uint64_t ost_id(const struct ost_variant *v, const uint8_t *at)
{
    return v->id_size == 4 ? le32(at) : le64(at);
}

/* Bit 0 of a bid is reserved and set in the references of some files: it names nothing. */
static inline uint64_t ost_bid(uint64_t bid)
{
    return bid & ~(uint64_t)BID_RESERVED;
}

/* XBLOCK, XXBLOCK, SLBLOCK or SIBLOCK: never enciphered. */
static inline bool ost_bid_internal(uint64_t bid)
{
    return bid & BID_INTERNAL;
}

#endif
