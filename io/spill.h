/*
 * spill.h: bytes that do not fit into memory, in a file nobody else sees.
 *
 * Append-only, read at any offset. The first `keep_bytes` stay in memory; only when they are full
 * is a file made: without a name (O_TMPFILE; where that is not to be had, of mode 0600 and unlinked
 * before the first byte is written), so nothing is left behind however the program ends.
 *
 * Threads: one thread at a time, but for io_spill_read_any. Errors: ERR_NOMEM, and of the file
 * ERR_NOSPACE, ERR_ACCESS, ERR_NOENT, ERR_IO, ERR_MFILE with the details in io_spill_fault.
 */
#ifndef IO_SPILL_H
#define IO_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "io/err.h"

struct io_spill;

/* `dir`: where the file is to be; NULL: TMPDIR, else /var/tmp. It outlives the spill. ERR_NOMEM. */
int io_spill_create(const char *dir, size_t keep_bytes, struct io_spill **out);
void io_spill_destroy(struct io_spill *s); /* NULL is allowed */

/* Appends; *offset (may be NULL) is where. A value never lies in memory with one part and in the
 * file with the other. After a failure only destroy and clear are left. */
int io_spill_append(struct io_spill *s, const void *data, size_t size, uint64_t *offset);
uint64_t io_spill_size(const struct io_spill *s);

/* Reads a range that was appended (assert), of one or of several values. */
int io_spill_read(struct io_spill *s, uint64_t offset, void *into, size_t size);

/* From here on, until the next append or clear, any threads may read at once, by
 * io_spill_read_any. */
int io_spill_settle(struct io_spill *s);
int io_spill_read_any(const struct io_spill *s, uint64_t offset, void *into, size_t size,
                      struct fault *fault);

/* Empty again; a file is kept, with no bytes. */
int io_spill_clear(struct io_spill *s);

const struct fault *io_spill_fault(const struct io_spill *s);

#endif
