/*
 * rtf.h: compressed RTF ([MS-OXRTFCP]): LZFu and MELA.
 *
 * Pure function over memory. Output is bounded by the size the header declares, which is bounded by
 * `limit`; a stream that ends early, has a wrong checksum or declares another size than it holds is
 * ERR_DAMAGED with what could be decoded appended. ERR_LIMIT, ERR_NOMEM (out->failed).
 */
#ifndef INDEX_RTF_H
#define INDEX_RTF_H

#include <stddef.h>

#include "io/buf.h"
#include "io/bytes.h"

int idx_rtf_decompress(struct bytes stream, size_t limit, struct buf *out);

#endif
