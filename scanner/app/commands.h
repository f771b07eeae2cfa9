/*
 * commands.h: the commands of the program; each returns its exit status (INTERFACE.md).
 */
#ifndef SCANNER_APP_COMMANDS_H
#define SCANNER_APP_COMMANDS_H

#include "scanner/app/options.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_PROGRAM = 1,     /* the program failed */
    EXIT_USAGE = 2,       /* wrong usage */
    EXIT_ENVIRONMENT = 3, /* something could not be read or written; an incomplete manifest */
    EXIT_FOUND = 4,       /* what --fail-on names was found */
    EXIT_INTERRUPTED = 130,
};

int command_scan(const struct options *o);
int command_check(const struct options *o);
int command_show(const struct options *o);
int command_dups(const struct options *o);
int command_compare(const struct options *o);
int command_advice(const struct options *o);

/* "ostscan: …" on standard error, one line. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same about a path, whose odd characters are made visible. */
void complain_about(const char *path, const char *what);

#endif
