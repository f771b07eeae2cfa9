/*
 * lzfu.h: compressed RTF ([MS-OXRTFCP]), for writing.
 *
 * Threads: pure functions.
 */
#ifndef TESTS_GEN_LZFU_H
#define TESTS_GEN_LZFU_H

#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"

/* Appends the header and the compressed stream. */
void lzfu_compress(const uint8_t *rtf, size_t size, struct buf *out);
/* Appends the header and the plain bytes: the form MELA. */
void lzfu_store(const uint8_t *rtf, size_t size, struct buf *out);

#endif
