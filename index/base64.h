/*
 * base64.h: base 64 (RFC 4648, section 4).
 *
 * Threads: pure function.
 */
#ifndef INDEX_BASE64_H
#define INDEX_BASE64_H

#include <stdbool.h>

#include "io/buf.h"
#include "io/bytes.h"

/* Replaces the content of `out`. False for anything else, white space within included, and where
 * memory is short (out->failed). */
bool base64_decode(struct bytes text, struct buf *out);

#endif
