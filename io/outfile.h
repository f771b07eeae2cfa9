/*
 * outfile.h: an output file that appears whole or not at all.
 *
 * Written under a temporary name beside its target (".<name>.<8 hex>.tmp", a long name shortened,
 * mode 0600), then fsync, rename over the target, fsync of the folder. Dropped on abort; a stale
 * temporary of a killed run is recognised by name and removed by io_outfile_sweep. One that is
 * still being written, by whatever process, is locked (flock) and left alone.
 *
 * Threads: one thread at a time. Errors: ERR_NOSPACE, ERR_ACCESS, ERR_IO, ERR_NOENT, ERR_NOMEM;
 * after the first failed write all later calls return the same code; `fault` in the file tells.
 */
#ifndef IO_OUTFILE_H
#define IO_OUTFILE_H

#include <stddef.h>
#include <stdint.h>

#include "io/err.h"

struct io_outfile;

/* Opens `name` (no slash) to be in folder `dir`. */
int io_outfile_create(const char *dir, const char *name, struct io_outfile **out,
                      struct fault *fault);
int io_outfile_write(struct io_outfile *f, const void *data, size_t size);
uint64_t io_outfile_size(const struct io_outfile *f);
const struct fault *io_outfile_fault(const struct io_outfile *f);
/* Makes it appear and frees f, in any case; on failure nothing appears (if only the folder could
 * not be synced, the file is removed again). fault may be NULL. */
int io_outfile_commit(struct io_outfile *f, struct fault *fault);
void io_outfile_abort(struct io_outfile *f); /* removes the temporary, frees f; NULL is allowed */

/* Makes folder `path` (mode 0700) with its parents where missing. ERR_NOENT with ENOTDIR: it, or a
 * parent, is no folder. */
int io_make_folder(const char *path, struct fault *fault);

/* Removes leftovers of io_outfile_create in `dir`: regular files of such a name that can be opened
 * and locked. Returns how many, or the code of the last failure after trying them all. */
int io_outfile_sweep(const char *dir);

#endif
