/*
 * truth.h: the sidecar FILE.truth.jsonl: what an image holds, written by who made it.
 *
 * Records: `truth` (what was asked for), `item`, `deleted`, `absent`, `folder`, `structure` (which
 * bytes are covered by which checks, from FORMAT.md), `oddity` (normal, no corruption), `damage`,
 * `end`. README.md beside this file has their fields.
 *
 * Errors are kept and told by truth_close. Threads: one.
 */
#ifndef TESTS_GEN_TRUTH_H
#define TESTS_GEN_TRUTH_H

#include <stdio.h>

#include "io/buf.h"
#include "tests/gen/run.h"

struct truth {
    FILE *file; /* NULL: nothing is wanted */
    struct buf out;
    enum truth_level level;
    int error;
};

/* What else there is to say of an item. */
struct truth_item {
    uint64_t position;
    const char *fate;  /* against the other side; NULL none */
    const char *flaw;  /* damage kind made while writing; NULL none */
    const char *local; /* planted as data on this computer alone: how; NULL not */
    bool lossy;        /* its code page lacks some character of it */
    uint64_t copy_of;  /* content number whose copy this is, or 0 */
};

int truth_open(struct truth *t, const struct gen_options *o);
int truth_close(struct truth *t); /* flushes; the first error */

void truth_item(struct truth *t, const struct item *it, const struct written_item *w,
                const struct truth_item *about);
void truth_absent(struct truth *t, uint64_t position, uint64_t content, const char *fate);
void truth_deleted(struct truth *t, uint32_t nid);
void truth_folders(struct truth *t, const struct store *s);
void truth_structures(struct truth *t, const struct image *img);
void truth_end(struct truth *t, const struct gen_summary *summary);

/* For damage.c: a line of its own making. */
struct buf *truth_line(struct truth *t);
void truth_line_end(struct truth *t);

/* JSON string of UTF-8 text; what is no valid UTF-8 is not produced by the generator. */
void truth_string(struct buf *out, const char *text);

#endif
