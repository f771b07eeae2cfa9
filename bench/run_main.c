/*
 * run_main.c: bench-run: runs a program once and says what it took: elapsed and processor time in
 * nanoseconds, and the peak of resident memory in bytes (of the largest process, where it has
 * children of its own), in one line of the file --to.
 *
 * --cold IMAGE puts a file out of the page cache first, and fails when it stays. Ends with the
 * program's exit status; 125: it could not be run, 124: --seconds were over and it was killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/evict.h"
#include "io/clock.h"
#include "io/err.h"

enum { FAILED = 125, TIMED_OUT = 124, STAYS_PERCENT = 2 };

static pid_t child;
static volatile sig_atomic_t timed_out;

static void on_alarm(int number)
{
    (void)number;
    timed_out = 1;
    kill(-child, SIGKILL);
}

static int make_cold(const char *path)
{
    uint64_t resident;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    if (fd < 0 || fstat(fd, &st)) {
        perror(path);
        return -1;
    }
    rc = evict_file(fd, (uint64_t)st.st_size, &resident);
    close(fd);
    if (!rc && resident * 100 <= (uint64_t)st.st_size * STAYS_PERCENT)
        return 0;
    fprintf(stderr, "bench-run: %s: %s\n", path,
            rc ? err_text(rc) : "it cannot be put out of the page cache");
    return -1;
}

static uint64_t ns_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static int run(char **argv, unsigned seconds, FILE *to)
{
    uint64_t from = clock_monotonic_ns(), ns;
    struct rusage used;
    int status;

    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(FAILED);
    }
    if (child < 0)
        return FAILED;
    setpgid(child, child);
    signal(SIGALRM, on_alarm);
    alarm(seconds);
    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            return FAILED;
    ns = clock_monotonic_ns() - from;
    if (timed_out)
        return TIMED_OUT;
    fprintf(to, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", ns,
            ns_of(used.ru_utime) + ns_of(used.ru_stime), (uint64_t)used.ru_maxrss * 1024);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"to", required_argument, NULL, 't'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"cold", required_argument, NULL, 'c'},
                                            {0}};
    unsigned seconds = 0;
    FILE *to = NULL;
    int c, status;

    while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (c == 's')
            seconds = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 't' && !to)
            to = fopen(optarg, "we");
        else if (c != 'c')
            break;
        else if (make_cold(optarg))
            return FAILED;
    }
    if (c != -1 || optind == argc || !to) {
        fputs(
            "Usage: bench-run --to FILE [--seconds N] [--cold IMAGE]... -- PROGRAM [ARGUMENT]...\n",
            stderr);
        return FAILED;
    }
    status = run(argv + optind, seconds, to);
    if (fclose(to) && !status)
        status = FAILED;
    return status;
}
