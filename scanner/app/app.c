/* app.c: see app.h. */
#include "scanner/app/app.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/terminal.h"
#include "io/mem.h"
#include "scanner/app/commands.h"
#include "scanner/app/options.h"
#include "scanner/ref/pff.h"

void complain(const char *format, ...)
{
    struct buf quoted = BUF_INIT;
    char *text = NULL;
    va_list args;
    int size;

    va_start(args, format);
    size = vasprintf(&text, format, args);
    va_end(args);
    if (size >= 0)
        terminal_quote((struct bytes){(const uint8_t *)text, (size_t)size}, &quoted);
    fprintf(stderr, "ostscan: %s\n",
            size >= 0 && buf_cstr(&quoted) ? (const char *)quoted.data : "out of memory");
    buf_done(&quoted);
    free(text);
}

void complain_about(const char *path, const char *what)
{
    complain("%s: %s", path, what);
}

static int run(const struct options *o)
{
    switch (o->command) {
    case COMMAND_SCAN:
        return command_scan(o);
    case COMMAND_CHECK:
        return command_check(o);
    case COMMAND_SHOW:
        return command_show(o);
    case COMMAND_DUPS:
        return command_dups(o);
    case COMMAND_COMPARE:
        return command_compare(o);
    case COMMAND_ADVICE:
        return command_advice(o);
    }
    return EXIT_USAGE;
}

/* A descriptor that was closed before we began would be that of the first file we open, and what is
 * said would go into it. What takes its place can neither be read nor written. */
static bool hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

int app_main(int argc, char **argv)
{
    struct options options;
    int status;

    if (!hold_standard_descriptors()) {
        complain("/dev/null: %s", strerror(errno));
        return EXIT_PROGRAM;
    }
    if (argc >= 2 && strcmp(argv[1], REF_CHILD_ARGUMENT) == 0)
        return ref_child_main(argc, argv);
    mem_keep_freed();
    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_HELP:
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_ENVIRONMENT;
    case OPTIONS_USAGE:
        return EXIT_USAGE;
    case OPTIONS_FAILED:
        return EXIT_PROGRAM;
    case OPTIONS_RUN:
        break;
    }
    status = run(&options);
    options_done(&options);
    return status;
}
