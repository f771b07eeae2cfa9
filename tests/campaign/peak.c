/*
 * peak.c: runs a command and says how much memory it took at most.
 *
 *   campaign_peak FILE COMMAND [ARGUMENT]...
 *
 * Writes the peak resident set in bytes to FILE (its own, or a child's if that was larger). Exits as
 * the command does; 127: it could not be run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    FILE *out;
    int status;
    pid_t pid;

    if (argc < 3) {
        fprintf(stderr, "usage: campaign_peak FILE COMMAND [ARGUMENT]...\n");
        return 127;
    }
    pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || getrusage(RUSAGE_CHILDREN, &usage) != 0)
        return 127;
    out = fopen(argv[1], "w");
    if (!out || fprintf(out, "%ld\n", usage.ru_maxrss * 1024) < 0 || fclose(out) != 0)
        return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
