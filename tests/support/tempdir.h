/* tempdir.h: a temporary folder of one's own, below TMPDIR or /tmp. */
#ifndef TESTS_SUPPORT_TEMPDIR_H
#define TESTS_SUPPORT_TEMPDIR_H

/* Makes one and returns its path (heap; tempdir_remove frees it). Fails the test if it cannot. */
const char *tempdir_make(void);
/* Removes it with all that is in it, and frees the path; NULL is allowed. */
void tempdir_remove(const char *path);

#endif
