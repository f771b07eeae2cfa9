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

/* One folder for a program's tests: setup and teardown of their group, and the path of a file in
 * it, valid until the fourth next call. */
extern const char *tempdir;
int tempdir_set_up(void **state);
int tempdir_tear_down(void **state);
const char *tempdir_path(const char *name);

#endif
