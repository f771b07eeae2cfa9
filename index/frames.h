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

#include "io/buf.h"
#include "io/bytes.h"
#include "io/err.h"

/* Bytes of lines in a frame, but that a longer line is alone in its own. */
enum { FRAMES_BYTES = 256 * 1024, FRAMES_LINE_MAX = 64 * 1024 * 1024 };

/* Makes frames of lines: for threads that do so ahead of the writer. One thread owns a packer. */
struct packer;

int packer_create(struct packer **out); /* ERR_NOMEM */
void packer_destroy(struct packer *p);  /* NULL is allowed */
/* The frame of that content into `frame`, which is emptied first. ERR_NOMEM. */
int packer_pack(struct packer *p, struct bytes content, struct buf *frame);

struct frames;

/* `name`: file name in folder `dir`. ERR_NOMEM and io_outfile_create's codes, with *fault. */
int frames_create(const char *dir, const char *name, struct frames **out, struct fault *fault);
/*
 * One line with its '\n' (assert). ERR_LIMIT: longer than FRAMES_LINE_MAX; nothing was written and
 * the writer goes on. ERR_NOSPACE and other codes of the output, ERR_NOMEM: only abort is left.
 */
int frames_line(struct frames *f, const void *line, size_t size);
/* Whole lines, with the frame that packer_pack made of them. Codes as frames_line. */
int frames_packed(struct frames *f, struct bytes lines, struct bytes frame);
/* Writes the seal and the seek table, makes the file appear; frees f in any case. fault may be
 * NULL. */
int frames_commit(struct frames *f, struct fault *fault);
void frames_abort(struct frames *f); /* NULL is allowed */

/* Fills *fault for a code that a call above returned before commit. */
void frames_fault(const struct frames *f, int code, struct fault *fault);

#endif
