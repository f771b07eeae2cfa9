/*
 * unprivileged.h: running a part of a test without root's rights.
 *
 * Threads: none may run besides the caller.
 */
#ifndef TESTS_SUPPORT_UNPRIVILEGED_H
#define TESTS_SUPPORT_UNPRIVILEGED_H

#include <stdbool.h>

/* Runs `part` in a forked process, as user 65534 if this one is root; true if it returned true.
 * No cmocka assertion may be used in there. What it changes in memory is lost. */
bool unprivileged(bool (*part)(void *ctx), void *ctx);

#endif
