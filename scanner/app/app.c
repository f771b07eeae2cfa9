/* app.c: see app.h. */
#include "scanner/app/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "index/terminal.h"
#include "io/mem.h"
#include "scanner/app/commands.h"
#include "scanner/app/options.h"
#include "scanner/ref/pff.h"

void complain(const char *format, ...)
{
    va_list args;

    fputs("ostscan: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void complain_about(const char *path, const char *what)
{
    struct buf quoted = BUF_INIT;

    terminal_quote(bytes_text(path), &quoted);
    complain("%s: %s", buf_cstr(&quoted) ? (const char *)quoted.data : "?", what);
    buf_done(&quoted);
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

int app_main(int argc, char **argv)
{
    struct options options;
    int status;

    if (argc >= 2 && strcmp(argv[1], REF_CHILD_ARGUMENT) == 0)
        return ref_child_main(argc, argv);
    mem_keep_freed();
    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_HELP:
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_ENVIRONMENT;
    case OPTIONS_USAGE:
        return EXIT_USAGE;
    case OPTIONS_RUN:
        break;
    }
    status = run(&options);
    options_done(&options);
    return status;
}
