/*
 * crypt.h: the two ciphers of the format, for writing (FORMAT.md section 6).
 *
 * in and out may be the same buffer. Threads: pure functions.
 */
#ifndef TESTS_GEN_CRYPT_H
#define TESTS_GEN_CRYPT_H

#include <stddef.h>
#include <stdint.h>

void crypt_permute(const uint8_t *in, size_t size, uint8_t *out);
/* bid: of the block, bit 0 clear. Symmetric: applied twice it gives back the input. */
void crypt_cyclic(const uint8_t *in, size_t size, uint64_t bid, uint8_t *out);

#endif
