/*
 * child.h: a helper process with a pipe back, limits and an end that is always known.
 *
 * Spawned by posix_spawn (never fork: the program has threads). The child gets: standard input
 * /dev/null, standard output and error /dev/null, descriptor 3 the file passed, descriptor 4 the
 * writing end of the pipe; nothing else is inherited. Limits are set by the child itself first
 * thing (io_child_limit), because posix_spawn cannot set them.
 *
 * Threads: a child belongs to the thread that spawned it.
 */
#ifndef IO_CHILD_H
#define IO_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/err.h"

enum { IO_CHILD_FILE_FD = 3, IO_CHILD_PIPE_FD = 4 };

struct io_child;

/* How it ended. */
struct io_child_end {
    bool timed_out;  /* it was killed for taking too long */
    bool cancelled;  /* it was killed because the user interrupted */
    int signal;      /* the signal that ended it, 0 if it exited */
    int exit_status; /* when signal is 0 */
    uint64_t cpu_ns;
    uint64_t peak_bytes; /* its maximum resident size */
};

/*
 * Runs `exe` (an absolute path) with argv (NULL-terminated). `file_fd` becomes descriptor 3.
 * ERR_NOMEM, ERR_MFILE, ERR_NOENT, ERR_SYS.
 */
int io_child_spawn(const char *exe, char *const argv[], int file_fd, struct io_child **out,
                   struct fault *fault);

/*
 * Reads up to `size` bytes of what it says; *received 0 is the end of the stream. Waits until
 * `deadline_ns` (CLOCK_MONOTONIC; 0: no limit): ERR_TIMEOUT. ERR_CANCELLED soon after *cancel is
 * set (cancel may be NULL). Neither kills the child: io_child_finish does.
 */
int io_child_read(struct io_child *c, void *into, size_t size, uint64_t deadline_ns,
                  const atomic_bool *cancel, size_t *received);

/* Kills the child if it still runs and `kill` is set, waits for its end, frees c. */
void io_child_finish(struct io_child *c, bool kill, struct io_child_end *end);

/* In the child: address space, CPU seconds (0: none) and open files; no core dumps; dies with its
 * parent. Under sanitizers the address-space limit is left out: they reserve terabytes. */
int io_child_limit(uint64_t address_bytes, uint64_t cpu_seconds, unsigned open_files);

#endif
