/*
 * crc.h: the checksum of headers, pages and blocks (FORMAT.md section 3).
 *
 * Threads: pure function.
 */
#ifndef SCANNER_OST_CRC_H
#define SCANNER_OST_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of the reflected polynomial 0xEDB88320 with no inversion before or after. */
uint32_t ost_crc(const void *data, size_t size);

#endif
