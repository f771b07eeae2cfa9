/*
 * terminal.h: text of unknown origin made fit for a terminal.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_TERMINAL_H
#define INDEX_TERMINAL_H

#include <stddef.h>

#include "io/buf.h"
#include "io/bytes.h"

/*
 * Appends text with all that could move the cursor, change colours or hide other text made visible:
 * control characters as \t, \n, \r or \u{1b}, bidirectional and zero-width controls likewise, bytes
 * that are no UTF-8 as \x{ff}. A backslash stays single: this is for reading, not for parsing.
 */
void terminal_quote(struct bytes text, struct buf *out);

/* Columns that quoted text takes on a terminal (East Asian wide characters take two). */
size_t terminal_width(struct bytes quoted);

/* Bytes of the longest beginning that takes at most `columns`; *taken is what it takes. */
size_t terminal_fit(struct bytes quoted, size_t columns, size_t *taken);

#endif
