/*
 * compare.h: an image read by both engines, and where they differ.
 *
 * Failures fail the running test. Threads: one.
 */
#ifndef TESTS_DIFF_COMPARE_H
#define TESTS_DIFF_COMPARE_H

#include "tests/diff/facts.h"

struct difference {
    uint32_t nid;
    const char *key;
    struct bytes native, libpff; /* data NULL: that engine has no such fact */
};

struct compare_counts {
    uint64_t facts;       /* compared */
    uint64_t differences; /* of them */
    uint64_t alone;       /* facts of items that one engine failed to read: nothing to compare */
};

/* Runs both engines over the file (libpff NULL: the native one alone). False: the header says that
 * it is no image to be read. */
bool compare_run(const char *path, const char *child_exe, struct facts *native,
                 struct facts *libpff);

/* The key of a folder or item of which one engine knows nothing at all. */
#define COMPARE_NODE "node"

/* Calls `visit` for each difference, in order of node and key. Both are sealed. An item that one
 * engine failed to read is one difference, with the key FACT_FAILED; so is a node that it does not
 * have, with COMPARE_NODE. */
void compare_facts(const struct facts *native, const struct facts *libpff,
                   struct compare_counts *counts,
                   void (*visit)(void *ctx, const struct difference *d), void *ctx);

enum { COMPARE_TEXT = 256 };

/* A value for people and for lists: "-" where there is none; of a property type, size, and the
 * first bytes. */
void compare_text(struct bytes value, char text[COMPARE_TEXT]);
void compare_print(const char *image, const struct difference *d);

#endif
