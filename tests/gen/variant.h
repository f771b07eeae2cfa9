/*
 * variant.h: what differs between the three formats on disk (FORMAT.md section 1).
 *
 * Written for the generator alone, from FORMAT.md; the parser has a table of its own, and tests
 * hold the two against each other.
 *
 * Threads: constant data.
 */
#ifndef TESTS_GEN_VARIANT_H
#define TESTS_GEN_VARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gen_format { GEN_ANSI, GEN_UNICODE, GEN_UNICODE4K };
enum gen_crypt { GEN_CRYPT_NONE, GEN_CRYPT_PERMUTE, GEN_CRYPT_CYCLIC };
enum gen_content { GEN_OST, GEN_PST };

struct variant {
    enum gen_format format;
    bool wide; /* 8-byte BIDs and offsets, Unicode text */
    uint16_t version;
    uint32_t header_size;
    uint32_t page_size, page_trailer; /* trailer: offset in the page = bytes under the CRC */
    uint32_t page_area, page_counters;
    uint32_t branch_entry, block_entry, node_entry;
    uint32_t ref_size; /* of a BID and of an offset */
    uint32_t unit;     /* alignment of blocks = bytes of one allocation bit */
    uint32_t block_trailer, block_max;
    uint32_t density_list, amap_first, amap_spacing;
    uint32_t amap_bits_offset, amap_bits_size;
    uint32_t hid_index_bits; /* of the 27 bits above the type */
    uint32_t heap_items_max;
    uint32_t value_max;     /* larger values of a property context go to a subnode */
    uint32_t heap_item_max; /* larger things (tables, B-trees) are cut or go to a subnode */
    uint32_t row_index_width;
};

const struct variant *variant_of(enum gen_format format);

/* Entries that fit the area of a page. */
static inline uint32_t variant_page_entries(const struct variant *v, uint32_t entry_size)
{
    return v->page_area / entry_size;
}

/* Bytes that a block of `stored` bytes takes on disk. */
static inline uint32_t variant_block_extent(const struct variant *v, uint32_t stored)
{
    return (stored + v->block_trailer + v->unit - 1) / v->unit * v->unit;
}

/* Bytes of allocation pages at the start of allocation span number `span`. */
uint32_t variant_span_pages(const struct variant *v, uint64_t span);

#endif
