/*
 * sandbox.c: see sandbox.h.
 *
 * The filter names what is allowed, with the arguments that matter. Calls by which libraries only
 * ask (open, stat, ioctl) are refused, so that glibc goes on without; everything else kills: it is
 * no call of a program that parses what it was given. io_uring is not among what is allowed, for
 * what a ring does passes no filter: the child reads by pread.
 *
 *     pread64        of the image        mmap, mprotect   never executable
 *     write, writev  to the pipe, and to standard output and error, which are /dev/null
 *     tgkill         itself, for abort   the rest         memory, clocks, locks, the end
 */
#include "scanner/ref/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/child.h"
#include "io/err.h"

enum {
    OPEN_FILES = IO_CHILD_PIPE_FD + 1, /* those it was given */
    OPEN_FILES_WATCHED = 64,
};

static const int harmless[] = {
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrandom),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
};

/* Refused with EPERM. */
static const int questions[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),  SCMP_SYS(stat),   SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(ioctl),   SCMP_SYS(access), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(sysinfo), SCMP_SYS(uname),  SCMP_SYS(fcntl),
    SCMP_SYS(prlimit64),
};

/* Each takes the code of the call before; libseccomp's are negative errno values. */

static int allow(int before, scmp_filter_ctx filter, int call)
{
    return before ? before : seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
}

/* Allows a call where one of its arguments is that number. */
static int allow_for(int before, scmp_filter_ctx filter, int call, unsigned argument,
                     scmp_datum_t value)
{
    const struct scmp_arg_cmp condition = {
        .arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};

    return before ? before : seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, condition);
}

/* Allows a call that asks for memory, but none to be executed. */
static int allow_unless_executable(int before, scmp_filter_ctx filter, int call)
{
    const struct scmp_arg_cmp condition = {
        .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};

    return before ? before : seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, condition);
}

static int add_rules(scmp_filter_ctx filter)
{
    int e = 0;

    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        e = allow(e, filter, harmless[i]);
    for (size_t i = 0; !e && i < sizeof questions / sizeof *questions; i++)
        e = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), questions[i], 0);
    e = allow_for(e, filter, SCMP_SYS(pread64), 0, IO_CHILD_FILE_FD);
    for (int call = 0; call < 2; call++) {
        const int number = call ? SCMP_SYS(writev) : SCMP_SYS(write);

        e = allow_for(e, filter, number, 0, IO_CHILD_PIPE_FD);
        e = allow_for(e, filter, number, 0, STDOUT_FILENO);
        e = allow_for(e, filter, number, 0, STDERR_FILENO);
    }
    e = allow_unless_executable(e, filter, SCMP_SYS(mmap));
    e = allow_unless_executable(e, filter, SCMP_SYS(mprotect));
    return allow_for(e, filter, SCMP_SYS(tgkill), 0, (scmp_datum_t)getpid());
}

/* A kernel that cannot kill the whole process kills the thread: there is but one. */
static uint32_t deadly(void)
{
    enum { API_OF_KILL_PROCESS = 3 };

    return seccomp_api_get() >= API_OF_KILL_PROCESS ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL_THREAD;
}

static int filter_calls(bool *filtered)
{
    scmp_filter_ctx filter = seccomp_init(deadly());
    int e;

    if (!filter)
        return ERR_NOMEM;
    e = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (!e)
        e = add_rules(filter);
    if (!e)
        e = seccomp_load(filter);
    seccomp_release(filter);
    if (e == -ENOSYS || e == -EINVAL || e == -EOPNOTSUPP)
        return 0;
    *filtered = !e;
    return e == -ENOMEM ? ERR_NOMEM : e ? ERR_SYS : 0;
}

static int forbid(__rlimit_resource_t resource)
{
    const struct rlimit none = {0};

    return setrlimit(resource, &none) < 0 ? err_from_errno(errno) : 0;
}

int ref_confine(uint64_t memory_bytes, uint64_t cpu_seconds, bool *filtered)
{
    const bool watched = io_child_is_watched();
    int r = io_child_limit(memory_bytes, cpu_seconds, watched ? OPEN_FILES_WATCHED : OPEN_FILES);

    *filtered = false;
    if (!r && !watched)
        r = forbid(RLIMIT_FSIZE);
    if (!r && !watched)
        r = forbid(RLIMIT_NPROC);
    if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = err_from_errno(errno);
    return r || watched ? r : filter_calls(filtered);
}
