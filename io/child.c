/*
 * child.c: see child.h.
 *
 * The descriptors passed may stand at 3 and 4 themselves, in the wrong order. Both are first copied
 * above those numbers, so that the two dup2 in the child can follow one another blindly; what is
 * left above 4 is closed last.
 *
 * Waiting for the pipe is cut into slices: the signal that sets *cancel may be delivered to another
 * thread than the one that waits.
 */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/fault.h"
#include "io/mem.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

enum { FIRST_CLOSED_FD = IO_CHILD_PIPE_FD + 1, SLICE_MS = 100 };

struct io_child {
    pid_t pid;
    int pipe_fd;
    int last_read; /* result of the last io_child_read */
};

static int set_actions(posix_spawn_file_actions_t *a, int file_fd, int pipe_fd)
{
    int e = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    if (!e)
        e = posix_spawn_file_actions_addopen(a, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!e)
        e = posix_spawn_file_actions_addopen(a, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!e)
        e = posix_spawn_file_actions_adddup2(a, file_fd, IO_CHILD_FILE_FD);
    if (!e)
        e = posix_spawn_file_actions_adddup2(a, pipe_fd, IO_CHILD_PIPE_FD);
    if (!e)
        e = posix_spawn_file_actions_addclosefrom_np(a, FIRST_CLOSED_FD);
    return e;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    int e;

    sigemptyset(&none);
    sigfillset(&all);
    e = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                           POSIX_SPAWN_SETPGROUP);
    if (!e)
        e = posix_spawnattr_setsigmask(attr, &none);
    if (!e)
        e = posix_spawnattr_setsigdefault(attr, &all);
    if (!e)
        e = posix_spawnattr_setpgroup(attr, 0);
    return e;
}

/* Returns 0 or an errno value. The descriptors passed are above IO_CHILD_PIPE_FD. */
static int spawn(const char *exe, char *const argv[], int file_fd, int pipe_fd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int e;

    e = posix_spawn_file_actions_init(&actions);
    if (e)
        return e;
    e = posix_spawnattr_init(&attr);
    if (e)
        goto out;
    e = set_actions(&actions, file_fd, pipe_fd);
    if (!e)
        e = set_attributes(&attr);
    if (!e)
        e = posix_spawn(pid, exe, &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
out:
    posix_spawn_file_actions_destroy(&actions);
    return e;
}

/* With SIGCHLD ignored the kernel drops the state of a dead child before it can be asked for. */
static void keep_ends(void)
{
    struct sigaction old;

    if (sigaction(SIGCHLD, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Valgrind itself stands behind /proc/self/exe: what it runs is told by readlink alone. */
static const char *real_program(const char *exe, char real[PATH_MAX])
{
    ssize_t size = -1;

    if (RUNNING_ON_VALGRIND && strcmp(exe, "/proc/self/exe") == 0)
        size = readlink(exe, real, PATH_MAX - 1);
    if (size < 0)
        return exe;
    real[size] = '\0';
    return real;
}

int io_child_spawn(const char *exe, char *const argv[], int file_fd, struct io_child **out,
                   struct fault *fault)
{
    char real[PATH_MAX];
    struct io_child *c = mem_zalloc(sizeof *c);
    int ends[2] = {-1, -1};
    int file_copy = -1, pipe_copy = -1;
    int e;

    if (!c)
        return fault_errno(fault, "spawn", ENOMEM);
    keep_ends();
    if (pipe2(ends, O_CLOEXEC) < 0 ||
        (file_copy = fcntl(file_fd, F_DUPFD_CLOEXEC, FIRST_CLOSED_FD)) < 0 ||
        (pipe_copy = fcntl(ends[1], F_DUPFD_CLOEXEC, FIRST_CLOSED_FD)) < 0)
        e = errno;
    else
        e = spawn(real_program(exe, real), argv, file_copy, pipe_copy, &c->pid);
    close_if_open(file_copy);
    close_if_open(pipe_copy);
    close_if_open(ends[1]);
    if (e) {
        close_if_open(ends[0]);
        mem_free(c);
        e = fault_errno(fault, "spawn", e == EAGAIN ? EMFILE : e);
        return e;
    }
    c->pipe_fd = ends[0];
    *out = c;
    return 0;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* How long to wait now, in milliseconds rounded up; 0 when the deadline has passed. */
static int slice(uint64_t deadline_ns)
{
    uint64_t now, left_ms;

    if (!deadline_ns)
        return SLICE_MS;
    now = now_ns();
    if (now >= deadline_ns)
        return 0;
    left_ms = (deadline_ns - now + 999999) / 1000000;
    return left_ms < SLICE_MS ? (int)left_ms : SLICE_MS;
}

static int read_pipe(int fd, void *into, size_t size, uint64_t deadline_ns,
                     const atomic_bool *cancel, size_t *received)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int wait_ms = slice(deadline_ns);
        ssize_t n;

        if (cancel && atomic_load_explicit(cancel, memory_order_relaxed))
            return ERR_CANCELLED;
        if (!wait_ms)
            return ERR_TIMEOUT;
        if (poll(&p, 1, wait_ms) <= 0)
            continue;
        n = read(fd, into, size);
        if (n >= 0) {
            *received = (size_t)n;
            return 0;
        }
        if (errno != EINTR)
            return err_from_errno(errno);
    }
}

int io_child_read(struct io_child *c, void *into, size_t size, uint64_t deadline_ns,
                  const atomic_bool *cancel, size_t *received)
{
    c->last_read = read_pipe(c->pipe_fd, into, size, deadline_ns, cancel, received);
    return c->last_read;
}

static uint64_t time_ns(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

void io_child_finish(struct io_child *c, bool kill_it, struct io_child_end *end)
{
    struct rusage usage = {0};
    int status = 0;

    if (kill_it)
        kill(-c->pid, SIGKILL);
    /* A child that still writes learns so by SIGPIPE, where it would wait for ever. */
    close(c->pipe_fd);
    while (wait4(c->pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    *end = (struct io_child_end){
        .timed_out = c->last_read == ERR_TIMEOUT,
        .cancelled = c->last_read == ERR_CANCELLED,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
        .cpu_ns = time_ns(usage.ru_utime) + time_ns(usage.ru_stime),
        .peak_bytes = (uint64_t)usage.ru_maxrss * 1024,
    };
    mem_free(c);
}

static int lower(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;

    if (getrlimit(resource, &now) < 0)
        return err_from_errno(errno);
    if (hard < now.rlim_max)
        now.rlim_max = hard;
    if (soft < now.rlim_cur)
        now.rlim_cur = soft;
    if (setrlimit(resource, &now) < 0)
        return err_from_errno(errno);
    return 0;
}

/*
 * The death signal is asked for first; a parent that died before that has closed its end of the
 * pipe. (Asking for the parent's id would not tell: a subreaper may have taken the child over.)
 */
static int die_with_parent(void)
{
    struct pollfd p = {.fd = IO_CHILD_PIPE_FD};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return err_from_errno(errno);
    if (poll(&p, 1, 0) == 1 && p.revents & POLLERR)
        return ERR_CHILD;
    return 0;
}

bool io_child_is_watched(void)
{
    return UNDER_SANITIZER || RUNNING_ON_VALGRIND;
}

int io_child_limit(uint64_t address_bytes, uint64_t cpu_seconds, unsigned open_files)
{
    /* What watches the program from within takes terabytes of addresses, and descriptors past any
     * limit of ours. */
    bool watched = io_child_is_watched();
    int r = die_with_parent();

    if (!r)
        r = lower(RLIMIT_CORE, 0, 0);
    /* A core pattern with a pipe does not ask for the limit. The leak checker has to be able to
     * trace, though. */
    if (!r && !watched && prctl(PR_SET_DUMPABLE, 0) < 0)
        r = err_from_errno(errno);
    if (!r && address_bytes && !watched)
        r = lower(RLIMIT_AS, address_bytes, address_bytes);
    if (!r && cpu_seconds)
        r = lower(RLIMIT_CPU, cpu_seconds, cpu_seconds + 1);
    if (!r && open_files && !RUNNING_ON_VALGRIND)
        r = lower(RLIMIT_NOFILE, open_files, open_files);
    return r;
}
