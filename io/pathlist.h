/*
 * pathlist.h: the paths of a list, as they arrive.
 *
 * Entries end at a separator, the last one also at the end of the stream; empty ones are left out.
 * Nothing else is taken away: in a list with Windows line ends each name ends in a carriage return,
 * as it may on a Linux file system.
 *
 * Threads: any; a call belongs to one thread.
 */
#ifndef IO_PATHLIST_H
#define IO_PATHLIST_H

#include <stdatomic.h>

#include "io/err.h"

/*
 * Reads descriptor `fd` to its end and calls `entry` for each path. `errnum` is 0, or why the entry
 * cannot be a path: ENAMETOOLONG (`path` is its beginning), EINVAL (it has a NUL in it, `path` is
 * what stands before). A non-zero result stops and is returned. ERR_CANCELLED soon after *cancel is
 * set (cancel may be NULL); ERR_NOMEM; else the code of a failed read, with *fault.
 */
int pathlist_read(int fd, char separator, const atomic_bool *cancel,
                  int (*entry)(void *ctx, const char *path, int errnum), void *ctx,
                  struct fault *fault);

#endif
