/*
 * server_input.h: what a file given as the server's side is, and reading it.
 *
 * Told apart by content, never by name. A PST or an OST is not read here: it is scanned, and its
 * manifest is read.
 *
 * Threads: one thread a side.
 */
#ifndef INDEX_SERVER_INPUT_H
#define INDEX_SERVER_INPUT_H

#include <stdatomic.h>

#include "index/compare_side.h"

enum server_kind {
    SERVER_UNKNOWN,
    SERVER_MANIFEST,
    SERVER_IMAGE,
    SERVER_GRAPH,
    SERVER_STATISTICS,
    SERVER_EDISCOVERY,
    SERVER_MAPPING,
};

/* For people: what is accepted. */
extern const char server_accepted[];

/*
 * *missing: a column that a table of a known kind lacks, else NULL (static). Codes of opening and
 * reading, with *fault; a file of no kind is SERVER_UNKNOWN, and so is an empty one.
 */
int server_kind_of(const char *path, enum server_kind *kind, const char **missing,
                   struct fault *fault);

/* Reads a file of any kind but SERVER_IMAGE, SERVER_MAPPING and SERVER_UNKNOWN into an empty side.
 * ERR_DAMAGED: nothing of it could be used, with side->why. */
int server_read(struct cmp_side *side, const char *path, enum server_kind kind,
                const atomic_bool *cancel, struct fault *fault);

#endif
