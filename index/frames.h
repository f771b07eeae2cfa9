/*
 * frames.h: writing lines into the container of MANIFEST.md: zstd frames of whole lines, a seal
 * over all bytes, the seek table of zstd's seekable format.
 *
 * What the lines say is the user's business. The file appears at commit, whole or not at all
 * (io/outfile.h).
 *
 * Threads: a writer belongs to one thread.
 * Memory: one frame (about 256 KiB, or one line up to the limit) and twelve bytes a frame.
 */
#ifndef INDEX_FRAMES_H
#define INDEX_FRAMES_H

#include <stddef.h>

#include "io/err.h"

enum { FRAMES_LINE_MAX = 64 * 1024 * 1024 };

struct frames;

/* `name`: file name in folder `dir`. ERR_NOMEM and io_outfile_create's codes, with *fault. */
int frames_create(const char *dir, const char *name, struct frames **out, struct fault *fault);
/*
 * One line with its '\n' (assert). ERR_LIMIT: longer than FRAMES_LINE_MAX; nothing was written and
 * the writer goes on. ERR_NOSPACE and other codes of the output, ERR_NOMEM: only abort is left.
 */
int frames_line(struct frames *f, const void *line, size_t size);
/* Writes the seal and the seek table, makes the file appear; frees f in any case. fault may be
 * NULL. */
int frames_commit(struct frames *f, struct fault *fault);
void frames_abort(struct frames *f); /* NULL is allowed */

/* Fills *fault for a code that a call above returned before commit. */
void frames_fault(const struct frames *f, int code, struct fault *fault);

#endif
