/*
 * scanned.h: an image scanned as a user does it, and the items of its manifest.
 *
 * Threads: one. Failures fail the running test.
 */
#ifndef TESTS_SUPPORT_SCANNED_H
#define TESTS_SUPPORT_SCANNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "io/buf.h"
#include "io/bytes.h"

struct scanned_item {
    uint32_t nid;
    bool partial, failed;
    struct bytes line;                         /* the record */
    struct bytes digest, attachments, subject; /* JSON; size 0: absent */
};

struct scanned {
    struct buf lines;           /* of all items */
    struct scanned_item *items; /* by nid */
    size_t count;
    size_t corrupt, findings;
};

/* How the child ended that scanned. */
struct scanned_run {
    int status; /* of waitpid */
    struct rusage usage;
};

/*
 * Scans `image` into the new folder `dir` in a child process, by the program's own main; its
 * messages go to <dir>/log. extra: further options, NULL at the end; may be NULL.
 */
struct scanned_run scanned_run(const char *image, const char *dir, const char *const *extra);

/* The same of a check of its structure; what it prints goes to <dir>/check. */
struct scanned_run scanned_check(const char *image, const char *dir);

/* Reads the only manifest of <dir>; false: there is none, or it is not complete. */
bool scanned_read(struct scanned *s, const char *dir);
void scanned_done(struct scanned *s);

const struct scanned_item *scanned_find(const struct scanned *s, uint32_t nid); /* or NULL */

/* Whether both items have the same digests, attachments and subject. */
bool scanned_same(const struct scanned_item *a, const struct scanned_item *b);

/* The JSON of a member of an object; size 0: absent. */
struct bytes scanned_member(struct bytes object, const char *key);
uint64_t scanned_number(struct bytes object, const char *key); /* it is there */

#endif
