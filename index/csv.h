/*
 * csv.h: fields of RFC 4180.
 *
 * Threads: pure function.
 */
#ifndef INDEX_CSV_H
#define INDEX_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"

/* Appends a field, in quotes where RFC 4180 asks for them. */
void csv_field(struct buf *out, const uint8_t *text, size_t size);

#endif
