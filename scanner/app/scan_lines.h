/*
 * scan_lines.h: the lines of scan.jsonl, kept from when an image is done with until the file is
 * written. The largest images are read first, so most lines wait long for their turn: they wait
 * where little of them is in memory (io/spill.h), and of each stays where it is.
 *
 * Threads: one at a time.
 */
#ifndef SCANNER_APP_SCAN_LINES_H
#define SCANNER_APP_SCAN_LINES_H

#include <stdint.h>

#include "io/buf.h"
#include "io/err.h"

struct scan_lines;

/* Where a line waits. */
struct scan_line {
    uint64_t offset;
    uint32_t size; /* 0: there is none */
};

/* `dir`: where a temporary file may be made; it outlives them. ERR_NOMEM. */
int scan_lines_create(const char *dir, struct scan_lines **out);
void scan_lines_destroy(struct scan_lines *l); /* NULL is allowed */

/* Keeps a line, or none, until its turn comes. What keeps it from being kept (text->failed too) is
 * the result of scan_lines_each. */
struct scan_line scan_lines_keep(struct scan_lines *l, const struct buf *text);
/* It is this line's turn. */
void scan_lines_next(struct scan_lines *l, struct scan_line line);

/*
 * Hands out all lines whose turn has come, in that order, whole ones, many at once, until `put`
 * returns a code, which is the result. May be called again. ERR_NOMEM, or of the temporary file,
 * told by *fault.
 */
int scan_lines_each(struct scan_lines *l, int (*put)(void *ctx, const void *lines, size_t size),
                    void *ctx, struct fault *fault);

#endif
