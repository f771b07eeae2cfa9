/*
 * tty.h: what a person's terminal is and numbers in its words.
 *
 * Threads: any.
 */
#ifndef SCANNER_APP_TTY_H
#define SCANNER_APP_TTY_H

#include <stdbool.h>
#include <stdint.h>

/* True when colour is wanted on that descriptor: a terminal, no NO_COLOR, TERM not "dumb". */
bool tty_colour(int fd);
bool tty_is(int fd);
unsigned tty_columns(int fd); /* columns; 80 when unknown */

/* "1.5 GiB", "712 B". Static buffers, four in turn for each thread. */
const char *tty_bytes(uint64_t bytes);
/* "1:02:03" or "4.2 s". Same buffers. */
const char *tty_duration(uint64_t ns);

#endif
