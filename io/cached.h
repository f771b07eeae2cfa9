/*
 * cached.h: what the page cache holds of a file, looked at where it lies: no byte is copied.
 *
 * The bytes are the file's own, so they may change while they are looked at, and where the file is
 * cut, or a page was given up and cannot be read again, they turn to zeros (the signal that the
 * kernel sends then is caught) and the view is torn: it shows nothing more. Who looks must
 * therefore
 *
 *   - draw nothing from a look but what holds whatever the bytes may become: that a checksum over
 *     them is right, say. What is to be parsed is copied first;
 *   - take a look that does not satisfy for no proof of anything, ask whether the view is torn, and
 *     if so read.
 *
 * Ownership: a view does not own its file, which stays open for as long.
 * Threads: a view belongs to one thread, which must not block SIGBUS.
 */
#ifndef IO_CACHED_H
#define IO_CACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io_cached;

/* window_bytes: of what was looked at last, so much stays in resident memory (or one look and 4
 * MiB, if that is more). ERR_UNSUPPORTED: this file cannot be looked at, or too many are.
 * ERR_NOMEM. */
int io_cached_open(int fd, uint64_t size_bytes, size_t window_bytes, struct io_cached **out);
void io_cached_close(struct io_cached *c); /* NULL is allowed */

/*
 * The bytes [offset, offset + size) of the file, 1 or more; NULL: they are not in the page cache
 * (as far as the first and the last tell), or the view is torn. Good until the next call.
 */
const uint8_t *io_cached_look(struct io_cached *c, uint64_t offset, size_t size);

/* Gives back all that stays in resident memory. */
void io_cached_drop(struct io_cached *c);

/* Whether what was looked at may have been zeros that are not in the file. */
bool io_cached_torn(const struct io_cached *c);

#endif
