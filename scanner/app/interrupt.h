/*
 * interrupt.h: Ctrl-C and termination, as a flag.
 *
 * The first SIGINT, SIGTERM or SIGHUP sets the flag: what is finished is kept, what is in hand is
 * dropped. A second one ends the program at once with status 130.
 */
#ifndef SCANNER_APP_INTERRUPT_H
#define SCANNER_APP_INTERRUPT_H

#include <stdatomic.h>

/* Installs the handlers; returns the flag, which lives as long as the program. */
const atomic_bool *interrupt_install(void);

/* Sets the flag as a signal would: where it makes no sense to go on. Any thread. */
void interrupt_stop(void);

/* A reader that went away, or a file grown too large, shows as a failed write and not as the
 * program's end. interrupt_install does it too; for commands that Ctrl-C may simply end. */
void interrupt_ignore_output(void);

#endif
