/*
 * interrupt.h: Ctrl-C and termination, as a flag.
 *
 * The first SIGINT, SIGTERM or SIGHUP sets the flag: what is finished is kept, what is in hand is
 * dropped. A second one ends the program at once with status 130. SIGPIPE is ignored: a reader that
 * went away shows as a failed write.
 */
#ifndef SCANNER_APP_INTERRUPT_H
#define SCANNER_APP_INTERRUPT_H

#include <stdatomic.h>

/* Installs the handlers; returns the flag, which lives as long as the program. */
const atomic_bool *interrupt_install(void);

#endif
