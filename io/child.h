/*
 * child.h: a helper process with a pipe back, limits and an end that is always known.
 *
 * Spawned by posix_spawn (never fork: the program has threads). The child gets: standard input
 * /dev/null, standard output and error /dev/null, descriptor 3 the file passed, descriptor 4 the
 * writing end of the pipe; nothing else is inherited, no signal is blocked or ignored. It leads a
 * process group of its own, so that Ctrl-C reaches the parent alone, which decides. Limits are set
 * by the child itself first thing (io_child_limit), because posix_spawn cannot set them.
 *
 * Threads: a child belongs to the thread that spawned it, and dies with it (io_child_limit).
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
    bool timed_out;      /* the last io_child_read gave ERR_TIMEOUT */
    bool cancelled;      /* the last io_child_read gave ERR_CANCELLED */
    int signal;          /* the signal that ended it, 0 if it exited */
    int exit_status;     /* when signal is 0 */
    uint64_t cpu_ns;     /* user and system */
    uint64_t peak_bytes; /* at most this was resident: Linux counts in the parent's own peak, whose
                            memory a spawned child shares until it runs its program */
};

/*
 * Runs `exe` (an absolute path) with argv (NULL-terminated). `file_fd` becomes descriptor 3.
 * ERR_NOMEM, ERR_MFILE (processes too), ERR_NOENT, ERR_ACCESS, ERR_SYS. Where the program was
 * started with SIGCHLD ignored, which loses how a child ended, the default is restored.
 */
int io_child_spawn(const char *exe, char *const argv[], int file_fd, struct io_child **out,
                   struct fault *fault);

/*
 * Reads up to `size` bytes of what it says; *received 0 is the end of the stream. Waits until
 * `deadline_ns` (CLOCK_MONOTONIC; 0: no limit): ERR_TIMEOUT, also when it never stops talking.
 * ERR_CANCELLED soon after *cancel is set (cancel may be NULL). Neither kills the child:
 * io_child_finish does.
 */
int io_child_read(struct io_child *c, void *into, size_t size, uint64_t deadline_ns,
                  const atomic_bool *cancel, size_t *received);

/* Kills the child with its process group if `kill` is set, waits for its end, frees c. Without
 * `kill` only the child's own limits bound the wait. */
void io_child_finish(struct io_child *c, bool kill, struct io_child_end *end);

/*
 * In the child: address space, CPU seconds and open files (0: no limit, else never above what is
 * there already); no core dumps; dies with the thread that spawned it. Under sanitizers the
 * address-space limit is left out: they reserve terabytes. ERR_CHILD: the parent is gone already;
 * ERR_SYS.
 */
int io_child_limit(uint64_t address_bytes, uint64_t cpu_seconds, unsigned open_files);

/* True where a sanitizer or Valgrind watches the program from within, which then needs memory,
 * files and system calls of its own. */
bool io_child_is_watched(void);

#endif
