/*
 * worklist.h: every path of a run, in the order of discovery, until what is to be said of it is
 * said.
 *
 * Discovery appends from one thread while workers are given images in others (admit.h); entries
 * never move, and an entry belongs to the worker that has it until it is done. Each becomes a line
 * of output in this order, and is then dropped: a long run keeps nothing of what is behind it.
 */
#ifndef SCANNER_APP_WORKLIST_H
#define SCANNER_APP_WORKLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "io/discover.h"

enum work_kind { WORK_IMAGE, WORK_SKIPPED };

struct work {
    enum work_kind kind;
    char *path;
    bool named;            /* the user named this very file */
    bool by_name;          /* its name is an image's */
    bool done;             /* an image that was dealt with */
    bool alone;            /* to be read by one reader, in order */
    uint64_t share;        /* that it lies on (io/patient.h) */
    size_t number;         /* its own, while it is an image in hand */
    uint64_t memory_bytes; /* for this image */
    void *outcome;         /* what came of it: the command's own; NULL: none */
    enum io_skip why;      /* a skipped path */
    int skip_errnum;
    char *same_as; /* or NULL */
};

struct worklist;

/* `release` frees an outcome. ERR_NOMEM. */
int worklist_create(void (*release)(void *outcome), struct worklist **out);
void worklist_destroy(struct worklist *l); /* NULL is allowed; frees paths and outcomes */

/* *number: the entry's. ERR_NOMEM. */
int worklist_add_image(struct worklist *l, const struct io_found *found, size_t *number);
int worklist_add_skipped(struct worklist *l, const char *path, enum io_skip why,
                         const struct fault *fault, const char *same_as);
/* Entry number `i`, or NULL while there is none. It is not dropped. Any thread. */
struct work *worklist_peek(struct worklist *l, size_t i);
/* Frees the first entry that is there yet, with its outcome. One thread at a time. */
void worklist_drop(struct worklist *l);

/* How many there are, dropped ones too; after discovery has ended. */
size_t worklist_count(const struct worklist *l);

#endif
