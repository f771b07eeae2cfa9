/*
 * test_sandbox.c: whatever the libpff child must not do is tried from within, by this program run
 * again with the name of an attempt: once as it is, where it has to succeed, so that it would be
 * seen to, and once confined. Then the real child is looked at while it works.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/child.h"
#include "io/clock.h"
#include "scanner/ref/pff.h"
#include "scanner/ref/sandbox.h"
#include "tests/support/samples.h"
#include "tests/support/tempdir.h"

static const uint64_t memory_bytes = UINT64_C(256) << 20;
static const uint64_t cpu_seconds = 1;
static const char victim_text[] = "the image";

/* In the child: the attempts. Each works in a folder that has a file `victim`, which is descriptor
 * 3 too; >= 0 when it succeeded. */

static int sockets[2];

static void make_sockets(void)
{
    struct sockaddr_un here = {.sun_family = AF_UNIX};

    sockets[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
    sockets[1] = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(here.sun_path + 1, sizeof here.sun_path - 1, "ostscan-%d", (int)getpid());
    if (bind(sockets[0], (struct sockaddr *)&here, sizeof here) < 0)
        _exit(3);
}

static long try_connect(void)
{
    struct sockaddr_un there = {.sun_family = AF_UNIX};

    snprintf(there.sun_path + 1, sizeof there.sun_path - 1, "ostscan-%d", (int)getpid());
    return connect(sockets[1], (struct sockaddr *)&there, sizeof there);
}

static long try_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0);
}

static long try_socketpair(void)
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
}

static long try_send(void)
{
    return sendto(sockets[0], "x", 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != ENOTCONN ? -1 : 0;
}

static long try_open_new(void)
{
    return open("new", O_WRONLY | O_CREAT, 0600);
}

static long try_open_writing(void)
{
    return open("victim", O_WRONLY);
}

static long try_open_reading(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static long try_creat(void)
{
    return syscall(SYS_creat, "new", 0600);
}

static long try_openat2(void)
{
    const struct {
        uint64_t flags, mode, resolve;
    } how = {O_RDWR, 0, 0};

    return syscall(SYS_openat2, AT_FDCWD, "victim", &how, sizeof how);
}

static long try_unlink(void)
{
    return unlink("victim");
}

static long try_unlinkat(void)
{
    return unlinkat(AT_FDCWD, "victim", 0);
}

static long try_rename(void)
{
    return rename("victim", "new");
}

static long try_link(void)
{
    return link("victim", "new");
}

static long try_symlink(void)
{
    return symlink("victim", "new");
}

static long try_mkdir(void)
{
    return mkdir("new", 0700);
}

static long try_truncate(void)
{
    return truncate("victim", 0);
}

static long try_ftruncate(void)
{
    return ftruncate(IO_CHILD_FILE_FD, 0);
}

static long try_chmod(void)
{
    return chmod("victim", 0777);
}

static long try_write_image(void)
{
    return write(IO_CHILD_FILE_FD, "THE", 3);
}

static long try_pwrite_image(void)
{
    return pwrite(IO_CHILD_FILE_FD, "THE", 3, 0);
}

static long try_read_input(void)
{
    char byte;

    return read(STDIN_FILENO, &byte, 1);
}

static long try_dup(void)
{
    return dup(IO_CHILD_FILE_FD);
}

static long try_dup2(void)
{
    return dup2(IO_CHILD_FILE_FD, IO_CHILD_FILE_FD + 10);
}

static long try_pipe(void)
{
    return pipe(sockets);
}

static long try_memfd(void)
{
    return memfd_create("x", 0);
}

static long try_execve(void)
{
    char name[] = "sh", flag[] = "-c", script[] = "echo ran >&4";
    char *argv[] = {name, flag, script, NULL};

    return execve("/bin/sh", argv, NULL);
}

static long try_fork(void)
{
    pid_t pid = fork();

    if (!pid)
        _exit(0);
    return pid;
}

static long try_thread(void)
{
    const unsigned long flags = SIGCHLD;
    long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, 0UL);

    if (!pid)
        _exit(0);
    return pid;
}

static long try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_read_other(void)
{
    char from[8], to[8];
    struct iovec a = {to, sizeof to}, b = {from, sizeof from};

    return syscall(SYS_process_vm_readv, getpid(), &a, 1UL, &b, 1UL, 0UL);
}

static pid_t parent;

static void know_parent(void)
{
    parent = getppid();
}

static long try_kill(void)
{
    return kill(parent, 0);
}

static long try_tgkill(void)
{
    return syscall(SYS_tgkill, parent, parent, 0);
}

static long try_queue_signal(void)
{
    return sigqueue(parent, 0, (union sigval){0});
}

static long try_map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}

static void *page;

static void make_page(void)
{
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long try_make_code(void)
{
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long try_more_memory(void)
{
    return mmap(NULL, (size_t)memory_bytes + 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
}

static long try_raise_limit(void)
{
    const struct rlimit as_is = {1, 1};

    return setrlimit(RLIMIT_CORE, &as_is) < 0 ? -1 : 0;
}

static long try_be_dumped(void)
{
    return prctl(PR_SET_DUMPABLE, 1);
}

static long try_chdir(void)
{
    return chdir("/");
}

static long try_ring(void)
{
    char params[120] = {0};

    return syscall(SYS_io_uring_setup, 1U, params);
}

static long try_more_time(void)
{
    struct timespec t;

    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    while ((uint64_t)t.tv_sec < cpu_seconds + 3);
    return 0;
}

static long do_compute(void)
{
    char *text = malloc(1 << 20);
    char byte;
    long got;

    if (!text)
        return -1;
    memset(text, 1, 1 << 20);
    got = pread(IO_CHILD_FILE_FD, &byte, 1, 0);
    free(text);
    return got == 1 && byte == victim_text[0] && clock_monotonic_ns() ? 0 : -1;
}

static long do_abort(void)
{
    abort();
}

enum end { KILLED, REFUSED, WORKS, BY_XCPU, BY_ABORT };

static const struct attempt {
    const char *name;
    long (*act)(void);
    enum end confined;
    int errnum; /* of REFUSED */
    void (*prepare)(void);
    bool alone; /* not tried without the sandbox: not every system lets it pass */
} attempts[] = {
    {"socket", try_socket, KILLED, 0, NULL, false},
    {"socketpair", try_socketpair, KILLED, 0, NULL, false},
    {"connect", try_connect, KILLED, 0, make_sockets, false},
    {"send", try_send, KILLED, 0, make_sockets, false},
    {"open for a new file", try_open_new, REFUSED, EPERM, NULL, false},
    {"open for writing", try_open_writing, REFUSED, EPERM, NULL, false},
    {"open for reading", try_open_reading, REFUSED, EPERM, NULL, false},
    {"creat", try_creat, KILLED, 0, NULL, false},
    {"openat2", try_openat2, KILLED, 0, NULL, true},
    {"unlink", try_unlink, KILLED, 0, NULL, false},
    {"unlinkat", try_unlinkat, KILLED, 0, NULL, false},
    {"rename", try_rename, KILLED, 0, NULL, false},
    {"link", try_link, KILLED, 0, NULL, false},
    {"symlink", try_symlink, KILLED, 0, NULL, false},
    {"mkdir", try_mkdir, KILLED, 0, NULL, false},
    {"truncate", try_truncate, KILLED, 0, NULL, false},
    {"ftruncate", try_ftruncate, KILLED, 0, NULL, false},
    {"chmod", try_chmod, KILLED, 0, NULL, false},
    {"write to the image", try_write_image, KILLED, 0, NULL, false},
    {"pwrite to the image", try_pwrite_image, KILLED, 0, NULL, false},
    {"read of standard input", try_read_input, KILLED, 0, NULL, false},
    {"dup", try_dup, KILLED, 0, NULL, false},
    {"dup2", try_dup2, KILLED, 0, NULL, false},
    {"pipe", try_pipe, KILLED, 0, NULL, false},
    {"memfd_create", try_memfd, KILLED, 0, NULL, false},
    {"execve", try_execve, KILLED, 0, NULL, false},
    {"fork", try_fork, KILLED, 0, NULL, false},
    {"clone", try_thread, KILLED, 0, NULL, false},
    {"ptrace", try_ptrace, KILLED, 0, NULL, true},
    {"process_vm_readv", try_read_other, KILLED, 0, NULL, true},
    {"kill of the parent", try_kill, KILLED, 0, know_parent, false},
    {"tgkill of the parent", try_tgkill, KILLED, 0, know_parent, false},
    {"sigqueue to the parent", try_queue_signal, KILLED, 0, know_parent, false},
    {"mmap of code", try_map_code, KILLED, 0, NULL, false},
    {"mprotect into code", try_make_code, KILLED, 0, make_page, false},
    {"raising a limit", try_raise_limit, REFUSED, EPERM, NULL, true},
    {"becoming dumpable", try_be_dumped, KILLED, 0, NULL, false},
    {"chdir", try_chdir, KILLED, 0, NULL, false},
    {"io_uring_setup", try_ring, KILLED, 0, NULL, true},
    {"more memory", try_more_memory, REFUSED, ENOMEM, NULL, false},
    {"more CPU time", try_more_time, BY_XCPU, 0, NULL, true},
    {"reading and computing", do_compute, WORKS, 0, NULL, false},
    {"abort", do_abort, BY_ABORT, 0, NULL, true},
};

enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

static int play(const char *number, const char *how, const char *folder)
{
    const struct attempt *a = &attempts[atoi(number)];
    bool filtered = false;
    char said[32];
    long got;

    if (chdir(folder) < 0)
        return 3;
    if (a->prepare)
        a->prepare();
    if (strcmp(how, "confined") == 0 &&
        (ref_confine(memory_bytes, cpu_seconds, &filtered) || !filtered))
        return 4;
    errno = 0;
    got = a->act();
    snprintf(said, sizeof said, "%s %d", got >= 0 ? "done" : "failed", errno);
    return write(IO_CHILD_PIPE_FD, said, strlen(said)) < 0 ? 5 : 0;
}

/* In the parent. */

static const char *dir;

static const char *in_dir(const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int make_victim(void)
{
    int fd;

    unlink(in_dir("new"));
    rmdir(in_dir("new"));
    unlink(in_dir("victim"));
    fd = open(in_dir("victim"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, victim_text, sizeof victim_text), sizeof victim_text);
    return fd;
}

static void assert_victim_is_whole(int fd)
{
    char text[sizeof victim_text + 1];
    struct stat st;

    assert_int_equal(stat(in_dir("victim"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(pread(fd, text, sizeof text, 0), sizeof victim_text);
    assert_string_equal(text, victim_text);
    assert_int_equal(access(in_dir("new"), F_OK), -1);
}

/* What attempt number `i` said, and how its process ended. */
static struct io_child_end run(unsigned i, const char *how, int fd, char said[100])
{
    static char self[PATH_MAX];
    char number[12], way[12], folder[PATH_MAX];
    char *argv[] = {self, number, way, folder, NULL};
    struct io_child_end end;
    struct io_child *c;
    struct fault fault;
    size_t got = 0, n = 1;
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);

    assert_true(size > 0);
    snprintf(number, sizeof number, "%u", i);
    snprintf(way, sizeof way, "%s", how);
    snprintf(folder, sizeof folder, "%s", dir);
    assert_int_equal(io_child_spawn(self, argv, fd, &c, &fault), 0);
    while (n && got < 99) {
        const uint64_t deadline = clock_monotonic_ns() + UINT64_C(60000000000);

        assert_int_equal(io_child_read(c, said + got, 99 - got, deadline, NULL, &n), 0);
        got += n;
    }
    said[got] = '\0';
    io_child_finish(c, false, &end);
    return end;
}

static void check_plain(const struct attempt *a, unsigned i)
{
    char said[100];
    int fd = make_victim();
    const struct io_child_end end = run(i, "plain", fd, said);

    close(fd);
    if (strcmp(said, "ran\n") == 0 || (strncmp(said, "done", 4) == 0 && !end.signal))
        return;
    fail_msg("%s shows nothing: without the sandbox it said '%s', signal %d, status %d", a->name,
             said, end.signal, end.exit_status);
}

static void check_confined(const struct attempt *a, unsigned i)
{
    static const int signals[] = {
        [KILLED] = SIGSYS, [BY_XCPU] = SIGXCPU, [BY_ABORT] = SIGABRT, [REFUSED] = 0, [WORKS] = 0};
    char said[100], wanted[100] = "";
    int fd = make_victim();
    const struct io_child_end end = run(i, "confined", fd, said);

    if (a->confined == REFUSED)
        snprintf(wanted, sizeof wanted, "failed %d", a->errnum);
    else if (a->confined == WORKS)
        snprintf(wanted, sizeof wanted, "done 0");
    if (end.signal != signals[a->confined] || strcmp(said, wanted) != 0 || end.exit_status)
        fail_msg("%s: said '%s', signal %d, status %d", a->name, said, end.signal, end.exit_status);
    assert_victim_is_whole(fd);
    close(fd);
}

/* A kernel without filters does not look at what there is no sense in. */
static bool has_filters(void)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 && errno == EFAULT;
}

static void skip_without_sandbox(void)
{
    if (!io_child_is_watched() && has_filters())
        return;
    print_message("skipped: no filters of system calls here, or something watches\n");
    skip();
}

static void nothing_forbidden_can_be_done(void **state)
{
    (void)state;
    skip_without_sandbox();
    dir = tempdir_make();
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        if (!attempts[i].alone)
            check_plain(&attempts[i], i);
        check_confined(&attempts[i], i);
    }
    tempdir_remove(dir);
}

/* Mapped shared, the image could be written where its descriptor may: the program's may not. */
static void the_image_is_open_for_reading(void **state)
{
    char said[100];
    unsigned i;
    int fd;

    (void)state;
    dir = tempdir_make();
    close(make_victim());
    fd = open(in_dir("victim"), O_RDONLY | O_CLOEXEC);
    for (i = 0; i < ATTEMPTS && attempts[i].act != do_compute;)
        i++;
    if (!io_child_is_watched() && has_filters()) {
        run(i, "confined", fd, said);
        assert_string_equal(said, "done 0");
    }
    assert_true(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    close(fd);
    tempdir_remove(dir);
}

/* The value of a line of /proc/PID/status; -1: no such line. */
static long status_of(pid_t pid, const char *key)
{
    char path[64], line[256];
    long value = -1;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f && value < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtol(line + strlen(key), NULL, 10);
    if (f)
        fclose(f);
    return value;
}

static pid_t only_child(void)
{
    char path[64];
    int pid = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)gettid());
    f = fopen(path, "r");
    if (f && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f)
        fclose(f);
    return pid;
}

static struct rlimit limit_of(pid_t pid, __rlimit_resource_t resource)
{
    struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};

    assert_int_equal(prlimit(pid, resource, NULL, &l), 0);
    return l;
}

/* It has more to say than its pipe holds, and is not listened to: so it stands still, at work. */
static void the_real_child_is_confined(void **state)
{
    char name[] = "ostscan", argument[] = REF_CHILD_ARGUMENT, memory[] = "536870912", cpu[] = "60";
    char size[24], percent[] = "100", rate[] = "0";
    char *argv[] = {name, argument, memory, cpu, size, percent, rate, NULL};
    const char *path = sample_or_skip(SAMPLE_OST2);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct io_child_end end;
    struct io_child *c;
    struct fault fault;
    struct stat st;
    pid_t pid;

    (void)state;
    skip_without_sandbox();
    assert_int_equal(fstat(fd, &st), 0);
    snprintf(size, sizeof size, "%jd", (intmax_t)st.st_size);
    assert_int_equal(io_child_spawn(OSTSCAN_EXE, argv, fd, &c, &fault), 0);
    pid = only_child();
    if (!pid) {
        io_child_finish(c, true, &end);
        close(fd);
        skip();
    }
    for (int i = 0; i < 6000 && status_of(pid, "Seccomp:") != 2; i++)
        usleep(10000);
    assert_int_equal(status_of(pid, "Seccomp:"), 2);
    assert_int_equal(status_of(pid, "NoNewPrivs:"), 1);
    assert_int_equal(limit_of(pid, RLIMIT_AS).rlim_max, 536870912);
    assert_int_equal(limit_of(pid, RLIMIT_CPU).rlim_cur, 60);
    assert_int_equal(limit_of(pid, RLIMIT_NOFILE).rlim_max, IO_CHILD_PIPE_FD + 1);
    assert_int_equal(limit_of(pid, RLIMIT_FSIZE).rlim_max, 0);
    assert_int_equal(limit_of(pid, RLIMIT_NPROC).rlim_max, 0);
    assert_int_equal(limit_of(pid, RLIMIT_CORE).rlim_max, 0);
    io_child_finish(c, true, &end);
    assert_int_equal(end.signal, SIGKILL);
    close(fd);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_forbidden_can_be_done),
        cmocka_unit_test(the_image_is_open_for_reading),
        cmocka_unit_test(the_real_child_is_confined),
    };

    if (argc == 4)
        return play(argv[1], argv[2], argv[3]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
