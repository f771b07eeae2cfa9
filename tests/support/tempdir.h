/*
 * tempdir.h: a temporary folder for a test.
 *
 * Threads: one at a time.
 */
#ifndef TESTS_SUPPORT_TEMPDIR_H
#define TESTS_SUPPORT_TEMPDIR_H

/* A new, empty folder under TMPDIR or /tmp: an absolute path, valid until the fourth next call.
 * Fails the running test when there is none to be had. */
const char *tempdir_make(void);
/* Removes it with all that is in it, however deep. */
void tempdir_remove(const char *path);

#endif
