/*
 * watched.h: whether the test runs under Valgrind, which starts programs slowly, cannot live within
 * our limits, and runs vfork as fork, so that a failed exec in a spawned child is not seen.
 */
#ifndef TESTS_SUPPORT_WATCHED_H
#define TESTS_SUPPORT_WATCHED_H

#include <stdbool.h>

bool under_valgrind(void);
/* Skips the running test under Valgrind, saying why. */
void skip_under_valgrind(const char *why);

#endif
