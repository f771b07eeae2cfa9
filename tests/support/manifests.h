/*
 * manifests.h: synthetic manifests, through the program's own records and writer.
 *
 * Items are made of a number each, so that duplicates can be planted by using one twice. Failures
 * are codes. Threads: one.
 */
#ifndef TESTS_SUPPORT_MANIFESTS_H
#define TESTS_SUPPORT_MANIFESTS_H

#include <stdint.h>

#include "io/err.h"

struct manifests_options {
    const char *dir;         /* exists */
    unsigned count;          /* of manifests */
    uint64_t items;          /* in each */
    unsigned repeat_percent; /* of the items, that use a number already used (in any manifest) */
    unsigned folders;        /* in each */
    uint64_t seed;
};

/* Writes <dir>/<n>.jsonl.zst for n from 0. */
int manifests_make(const struct manifests_options *o, struct fault *fault);

#endif
