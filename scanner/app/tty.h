/*
 * tty.h: what a person's terminal is and numbers in its words.
 *
 * Threads: any.
 */
#ifndef SCANNER_APP_TTY_H
#define SCANNER_APP_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when colour is wanted on that descriptor: a terminal, no NO_COLOR, TERM not "dumb". */
bool tty_colour(int fd);
bool tty_is(int fd);
unsigned tty_columns(int fd); /* columns; 80 when unknown */

/*
 * Writes whole lines to standard output. On a terminal every control character in them but the ends
 * of lines is made visible (terminal.h), for CSV and JSON hold names as they are; colours are no
 * text to be given to this. False: it could not be written.
 */
bool tty_print(const void *data, size_t size);

/* "1.5 GiB", "712 B". Static buffers, four in turn for each thread. */
const char *tty_bytes(uint64_t bytes);
/* "1:02:03" or "4.2 s". Same buffers. */
const char *tty_duration(uint64_t ns);

/* The "s" behind the name of so many things. */
const char *tty_plural(uint64_t count);

#endif
