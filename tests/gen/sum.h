/*
 * sum.h: checksums, signatures and trailers, as a writer makes them (FORMAT.md sections 3, 4, 6).
 *
 * Threads: pure functions.
 */
#ifndef TESTS_GEN_SUM_H
#define TESTS_GEN_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "tests/gen/variant.h"

uint32_t sum_crc(const void *data, size_t size);
uint16_t sum_signature(uint64_t offset, uint64_t bid);

struct page_end {
    uint8_t type;
    uint16_t signature;
    uint64_t bid;
};

/* Writes a page's trailer, its CRC over what stands before it. */
void page_seal(const struct variant *v, uint8_t *page, const struct page_end *end);

struct block_end {
    uint64_t offset, bid;
    uint16_t stored, inflated;
};

/* Zero padding and trailer of a block whose stored bytes stand at `block`. */
void block_seal(const struct variant *v, uint8_t *block, const struct block_end *end);

#endif
