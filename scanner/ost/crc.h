/*
 * crc.h: the checksum of headers, pages and blocks, and their 16-bit signature (FORMAT.md section
 * 3, [MS-PST] 5.3 and 5.5).
 *
 * Threads: pure functions.
 */
#ifndef SCANNER_OST_CRC_H
#define SCANNER_OST_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CRC-32 of the reflected polynomial 0xEDB88320 with no inversion before or after. */
uint32_t ost_crc(const void *data, size_t size);

/* The checksum of what `crc` is the checksum of, followed by `data`. ost_crc(d, n) =
 * ost_crc_more(0, d, n). */
uint32_t ost_crc_more(uint32_t crc, const void *data, size_t size);

/* Whether a page or block passes. Fuzz builds let every one pass, to reach what lies behind. */
bool ost_crc_passes(uint32_t stored, uint32_t computed);

/* wSig of a page or block with that bid at that offset. */
uint16_t ost_sig(uint64_t offset, uint64_t bid);

#endif
