/*
 * test_child.c: helper processes: what they inherit, what they say, how they end. Scripts of
 * /bin/sh play the child where that will do; for the limits this program runs itself again with a
 * word.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/child.h"
#include "io/mem.h"
#include "tests/support/unprivileged.h"
#include "tests/support/watched.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_IS_LIMITED 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_LIMITED 0
#endif
#ifndef MEMORY_IS_LIMITED
#define MEMORY_IS_LIMITED 1
#endif

static const uint64_t second_ns = 1000000000;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * second_ns + (uint64_t)t.tv_nsec;
}

static struct io_child *spawn_script(const char *script, int file_fd)
{
    char shell[] = "sh", flag[] = "-c", text[1000];
    char *argv[] = {shell, flag, text, NULL};
    struct io_child *c = NULL;
    struct fault fault;

    snprintf(text, sizeof text, "%s", script);
    assert_int_equal(io_child_spawn("/bin/sh", argv, file_fd, &c, &fault), 0);
    return c;
}

static struct io_child *spawn_self(const char *word, int file_fd)
{
    static char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char copy[50];
    char *argv[] = {self, copy, NULL};
    struct io_child *c = NULL;
    struct fault fault;

    if (n < 0)
        return NULL;
    self[n] = '\0';
    snprintf(copy, sizeof copy, "%s", word);
    return io_child_spawn(self, argv, file_fd, &c, &fault) ? NULL : c;
}

static int any_file(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* All it says until the end of the stream, as text, within 20 s. */
static void hear(struct io_child *c, char *text, size_t size)
{
    uint64_t deadline = now_ns() + 20 * second_ns;
    size_t got = 0, n;

    do {
        assert_true(got < size - 1);
        assert_int_equal(io_child_read(c, text + got, size - 1 - got, deadline, NULL, &n), 0);
        got += n;
    } while (n);
    text[got] = '\0';
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void it_gets_the_file_and_the_pipe(void **state)
{
    struct io_child_end end;
    struct io_child *c;
    char text[200];
    int file[2];

    (void)state;
    assert_int_equal(pipe2(file, O_CLOEXEC), 0);
    assert_int_equal(write(file[1], "from the file", 13), 13);
    close(file[1]);
    c = spawn_script("echo lost; echo lost >&2; cat <&0 >&4; cat <&3 >&4; exit 7", file[0]);
    hear(c, text, sizeof text);
    assert_string_equal(text, "from the file");
    io_child_finish(c, false, &end);
    close(file[0]);
    assert_int_equal(end.exit_status, 7);
    assert_int_equal(end.signal, 0);
    assert_false(end.timed_out || end.cancelled);
    assert_true(end.peak_bytes > 100 * 1024);
    assert_no_children();
}

static void it_inherits_nothing_else(void **state)
{
    struct io_child_end end;
    struct io_child *c;
    char text[200];
    int extra[4], file = any_file();

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        extra[i] = dup(file);
    c = spawn_self("descriptors", file);
    assert_non_null(c);
    hear(c, text, sizeof text);
    io_child_finish(c, false, &end);
    assert_string_equal(text, "0 1 2 3 4 /dev/null /dev/null /dev/null ");
    for (unsigned i = 0; i < 4; i++)
        close(extra[i]);
    close(file);
}

/* The file stands at 4, and 3 is free so that the pipe begins there: both in each other's place. */
static void descriptors_may_stand_in_each_others_place(void **state)
{
    char text[100];
    int saved[2], file[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        saved[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 50);
    assert_int_equal(pipe2(file, O_CLOEXEC), 0);
    for (int i = 0; i < 2; i++)
        file[i] = fcntl(file[i], F_DUPFD_CLOEXEC, 60);
    for (int place = 3; place <= 4; place++) {
        struct io_child_end end;
        struct io_child *c;

        for (int fd = 3; fd < 50; fd++)
            close(fd);
        assert_int_equal(write(file[1], "right", 5), 5);
        assert_int_equal(dup2(file[0], place), place);
        c = spawn_script("head -c 5 <&3 >&4", place);
        hear(c, text, sizeof text);
        io_child_finish(c, false, &end);
        assert_string_equal(text, "right");
        assert_int_equal(end.exit_status, 0);
        close(place);
    }
    for (int i = 0; i < 2; i++) {
        close(file[i]);
        if (saved[i] >= 0) {
            dup2(saved[i], 3 + i);
            close(saved[i]);
        }
    }
}

/* With 0 to 2 free the pipe and every copy of a descriptor come to stand there. */
static void standard_descriptors_may_be_closed(void **state)
{
    struct io_child *c = NULL;
    struct io_child_end end;
    char text[100] = "";
    int saved[3], file[2];
    size_t n = 0;

    (void)state;
    assert_int_equal(pipe2(file, O_CLOEXEC), 0);
    assert_int_equal(write(file[1], "right", 5), 5);
    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 50);
        close(i);
    }
    c = spawn_script("head -c 5 <&3 >&4", file[0]);
    if (io_child_read(c, text, sizeof text - 1, 0, NULL, &n) == 0)
        text[n] = '\0';
    io_child_finish(c, false, &end);
    for (int i = 0; i < 3; i++) {
        if (saved[i] >= 0) {
            dup2(saved[i], i);
            close(saved[i]);
        }
    }
    close(file[0]);
    close(file[1]);
    assert_string_equal(text, "right");
}

static void signals_are_as_at_the_start(void **state)
{
    struct io_child_end end;
    struct io_child *c;
    sigset_t blocked, old;
    char text[200];
    int file = any_file();

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &old);
    c = spawn_self("signals", file);
    sigprocmask(SIG_SETMASK, &old, NULL);
    assert_non_null(c);
    hear(c, text, sizeof text);
    io_child_finish(c, false, &end);
    signal(SIGPIPE, SIG_DFL);
    assert_string_equal(text, "leads its group");
    assert_int_equal(end.signal, SIGTERM); /* known, although SIGCHLD was ignored */
    close(file);
}

static void a_crash_is_told_by_its_signal(void **state)
{
    struct io_child_end end;
    struct io_child *c;
    char text[100];
    int file = any_file();

    (void)state;
    c = spawn_script("echo begun >&4; kill -SEGV $$", file);
    hear(c, text, sizeof text);
    assert_string_equal(text, "begun\n");
    usleep(20000);
    io_child_finish(c, true, &end); /* too late to kill: how it ended stands */
    assert_int_equal(end.signal, SIGSEGV);
    assert_int_equal(end.exit_status, 0);
    close(file);
}

static void silence_and_chatter_both_time_out(void **state)
{
    static const char *const scripts[] = {"echo x >&4; sleep 1000", "while :; do echo x >&4; done"};
    int file = any_file();

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct io_child *c = spawn_script(scripts[i], file);
        uint64_t begin = now_ns(), deadline = begin + second_ns * 3 / 10;
        struct io_child_end end;
        char text[16];
        size_t n;
        int r;

        while ((r = io_child_read(c, text, sizeof text, deadline, NULL, &n)) == 0)
            assert_true(n > 0);
        assert_int_equal(r, ERR_TIMEOUT);
        assert_true(now_ns() >= deadline);
        io_child_finish(c, true, &end);
        assert_true(now_ns() < begin + 10 * second_ns);
        assert_true(end.timed_out);
        assert_false(end.cancelled);
        assert_int_equal(end.signal, SIGKILL);
    }
    close(file);
    assert_no_children();
}

static void killing_reaches_the_whole_group(void **state)
{
    struct io_child_end end;
    struct io_child *c;
    int file[2];
    char byte[5];

    (void)state;
    assert_int_equal(pipe2(file, O_CLOEXEC), 0);
    c = spawn_script("sleep 1000 & echo up >&4; wait", file[1]);
    close(file[1]);
    {
        size_t n;

        assert_int_equal(io_child_read(c, byte, sizeof byte, 0, NULL, &n), 0);
    }
    io_child_finish(c, true, &end);
    /* Both held the writing end; only when both are gone does this end. */
    assert_int_equal(read(file[0], byte, 1), 0);
    close(file[0]);
}

static atomic_bool cancel;

static void *cancel_later(void *ctx)
{
    (void)ctx;
    usleep(50000);
    atomic_store(&cancel, true);
    return NULL;
}

static void waiting_can_be_given_up(void **state)
{
    int file = any_file();
    struct io_child *c = spawn_script("sleep 1000", file);
    uint64_t begin = now_ns();
    struct io_child_end end;
    pthread_t thread;
    char byte;
    size_t n;

    (void)state;
    atomic_store(&cancel, false);
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, NULL), 0);
    assert_int_equal(io_child_read(c, &byte, 1, 0, &cancel, &n), ERR_CANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(io_child_read(c, &byte, 1, begin + 1000 * second_ns, &cancel, &n),
                     ERR_CANCELLED);
    io_child_finish(c, true, &end);
    assert_true(now_ns() < begin + 10 * second_ns);
    assert_true(end.cancelled);
    assert_false(end.timed_out);
    assert_int_equal(end.signal, SIGKILL);
    close(file);
}

static void a_child_not_heard_to_the_end_does_not_hang(void **state)
{
    int file = any_file();
    struct io_child *c = spawn_script("while :; do echo x >&4; done", file);
    struct io_child_end end;

    (void)state;
    io_child_finish(c, false, &end);
    assert_int_equal(end.signal, SIGPIPE);
    close(file);
}

static unsigned open_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 200; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}
static bool has_no_process_left(void *ctx)
{
    struct rlimit none = {0};
    char name[] = "sh";
    char *argv[] = {name, NULL};
    struct io_child *c;
    struct fault fault;

    (void)ctx;
    return setrlimit(RLIMIT_NPROC, &none) == 0 &&
           io_child_spawn("/bin/sh", argv, STDERR_FILENO, &c, &fault) == ERR_MFILE;
}

static void what_cannot_be_run_is_told(void **state)
{
    char name[] = "none";
    char *argv[] = {name, NULL};
    struct io_child *c = NULL;
    struct fault fault = {0};
    struct rlimit old, few;
    int file = any_file();
    unsigned before = open_descriptors();

    (void)state;
    if (!under_valgrind()) {
        assert_int_equal(io_child_spawn("/no/such/program", argv, file, &c, &fault), ERR_NOENT);
        assert_int_equal(fault.errnum, ENOENT);
        assert_string_equal(fault.what, "spawn");
        assert_int_equal(io_child_spawn("/dev/null", argv, file, &c, &fault), ERR_ACCESS);
    }
    assert_int_equal(io_child_spawn("/bin/sh", argv, -1, &c, &fault), ERR_SYS);
    assert_int_equal(fault.errnum, EBADF);
    mem_test_fail(1, 0);
    assert_int_equal(io_child_spawn("/bin/sh", argv, file, &c, &fault), ERR_NOMEM);
    mem_test_fail(0, 0);
    getrlimit(RLIMIT_NOFILE, &old);
    few = (struct rlimit){.rlim_cur = (rlim_t)file + 3, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    assert_int_equal(io_child_spawn("/bin/sh", argv, file, &c, &fault), ERR_MFILE);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_true(unprivileged(has_no_process_left, NULL));
    assert_null(c);
    assert_int_equal(open_descriptors(), before);
    close(file);
    assert_no_children();
}

static struct io_child_end run_self(const char *word, char text[100])
{
    int file = any_file();
    struct io_child *c = spawn_self(word, file);
    struct io_child_end end;

    assert_non_null(c);
    hear(c, text, 100);
    io_child_finish(c, false, &end);
    close(file);
    return end;
}

static void the_limits_hold(void **state)
{
    struct io_child_end end;
    char text[100];

    (void)state;
    skip_under_valgrind("the limits are left out");
    run_self("memory", text);
    assert_string_equal(text, MEMORY_IS_LIMITED ? "refused" : "given");
    run_self("files", text);
    assert_string_equal(text, "8 EMFILE");
    run_self("core", text);
    assert_string_equal(text, "0 0");
    run_self("keep", text);
    assert_string_equal(text, "8 EMFILE");
    end = run_self("spin", text);
    assert_int_equal(end.signal, SIGXCPU);
    assert_in_range(end.cpu_ns, second_ns / 2, 3 * second_ns);
}

/* The one in the middle is killed; the child it spawned has to follow. */
static void it_dies_with_its_parent(void **state)
{
    int life[2], status;
    struct io_child_end end;
    char byte;
    pid_t middle;

    (void)state;
    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    middle = fork();
    if (middle == 0) {
        struct io_child *c = spawn_self("wait", life[1]);
        size_t n = 0;

        if (!c || io_child_read(c, &byte, 1, 0, NULL, &n) || n != 1)
            _exit(1);
        close(life[1]);
        kill(getpid(), SIGKILL);
    }
    close(life[1]);
    assert_int_equal(waitpid(middle, &status, 0), middle);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(read(life[0], &byte, 1), 0);
    close(life[0]);

    /* And one that comes too late is told so. */
    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    middle = fork();
    if (middle == 0) {
        struct io_child *c = spawn_self("late", life[1]);

        if (c)
            io_child_finish(c, false, &end); /* closes the reading end */
        _exit(!c || end.exit_status != 42);
    }
    close(life[1]);
    assert_int_equal(waitpid(middle, &status, 0), middle);
    assert_int_equal(status, 0);
    close(life[0]);
}

static void say(const char *text)
{
    if (write(IO_CHILD_PIPE_FD, text, strlen(text)) < 0)
        _exit(9);
}

static void try_files(void)
{
    char text[50];
    unsigned n = 3 + 2; /* 0 to 4 are open */

    while (open("/dev/null", O_RDONLY) >= 0)
        n++;
    snprintf(text, sizeof text, "%u %s", n, strerrorname_np(errno));
    say(text);
}

static void list_descriptors(void)
{
    char text[PATH_MAX + 20], path[PATH_MAX];

    for (int fd = 0; fd < 1024; fd++) {
        snprintf(text, sizeof text, "%d ", fd);
        if (fcntl(fd, F_GETFD) >= 0)
            say(text);
    }
    for (int fd = 0; fd < 3; fd++) {
        ssize_t n;

        snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
        n = readlink(text, path, sizeof path);
        snprintf(text, sizeof text, "%.*s ", n < 0 ? 0 : (int)n, path);
        say(text);
    }
}

static void tell_signals(void)
{
    sigset_t blocked;
    char text[50];

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int s = 1; s < 32; s++) {
        struct sigaction action;

        snprintf(text, sizeof text, "%d ", s);
        if (sigaction(s, NULL, &action) || action.sa_handler == SIG_IGN ||
            sigismember(&blocked, s) == 1)
            say(text);
    }
    say(getpgrp() == getpid() ? "leads its group" : "is in a group");
    kill(getpid(), SIGTERM);
}

/* The child's side: limits itself as `word` says and tries whether that holds. */
static int play_child(const char *word)
{
    struct rlimit core;
    char text[50];

    if (strcmp(word, "descriptors") == 0) {
        list_descriptors();
    } else if (strcmp(word, "signals") == 0) {
        tell_signals();
    } else if (strcmp(word, "memory") == 0) {
        void *volatile p; /* asked for although nothing is done with it */

        if (io_child_limit(256 << 20, 0, 0))
            return 1;
        p = malloc((size_t)512 << 20);
        say(p ? "given" : "refused");
        free(p);
    } else if (strcmp(word, "files") == 0) {
        if (io_child_limit(0, 0, 8))
            return 1;
        try_files();
    } else if (strcmp(word, "keep") == 0) {
        if (io_child_limit(0, 0, 8) || io_child_limit(0, 0, 100) || io_child_limit(0, 0, 0))
            return 1;
        try_files();
    } else if (strcmp(word, "core") == 0) {
        if (io_child_limit(0, 0, 0) || getrlimit(RLIMIT_CORE, &core))
            return 1;
        snprintf(text, sizeof text, "%lu %lu", (unsigned long)core.rlim_cur,
                 (unsigned long)core.rlim_max);
        say(text);
    } else if (strcmp(word, "spin") == 0) {
        if (io_child_limit(0, 1, 0))
            return 1;
        for (volatile unsigned i = 0;; i++)
            ;
    } else if (strcmp(word, "wait") == 0) {
        if (io_child_limit(0, 0, 0))
            return 1;
        say("x");
        for (;;)
            pause();
    } else if (strcmp(word, "late") == 0) {
        usleep(300000);
        return io_child_limit(0, 0, 0) == ERR_CHILD ? 42 : 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gets_the_file_and_the_pipe),
        cmocka_unit_test(it_inherits_nothing_else),
        cmocka_unit_test(descriptors_may_stand_in_each_others_place),
        cmocka_unit_test(standard_descriptors_may_be_closed),
        cmocka_unit_test(signals_are_as_at_the_start),
        cmocka_unit_test(a_crash_is_told_by_its_signal),
        cmocka_unit_test(silence_and_chatter_both_time_out),
        cmocka_unit_test(killing_reaches_the_whole_group),
        cmocka_unit_test(a_child_not_heard_to_the_end_does_not_hang),
        cmocka_unit_test(what_cannot_be_run_is_told),
        cmocka_unit_test(the_limits_hold),
        cmocka_unit_test(it_dies_with_its_parent),
        /* Last: nothing is forked any more once there was a second thread. */
        cmocka_unit_test(waiting_can_be_given_up),
    };

    if (argc > 1)
        return play_child(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
