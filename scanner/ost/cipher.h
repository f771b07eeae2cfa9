/*
 * cipher.h: undoing the two encodings of external blocks.
 *
 * FORMAT.md section 6 ([MS-PST] 5.1, 5.2). Each works on a whole decoded block; `to` and `from`
 * are the same or do not overlap. Neither hides anything: the tables are public and have no key
 * but the block's bid.
 *
 * Threads: pure functions.
 */
#ifndef SCANNER_OST_CIPHER_H
#define SCANNER_OST_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Crypt method 1: each byte by one table. By the best implementation that the processor has. */
void ost_permute(uint8_t *to, const uint8_t *from, size_t size);

/* Crypt method 2, which is its own inverse; `bid` is the block's. */
void ost_cyclic(uint8_t *to, const uint8_t *from, size_t size, uint64_t bid);

/* The implementations behind ost_permute, for tests and measurements. */
enum ost_simd { OST_SIMD_NONE, OST_SIMD_AVX2, OST_SIMD_VBMI, OST_SIMD_COUNT };

bool ost_simd_available(enum ost_simd simd);
/* `simd` must be available (assert). */
void ost_permute_by(enum ost_simd simd, uint8_t *to, const uint8_t *from, size_t size);

#endif
