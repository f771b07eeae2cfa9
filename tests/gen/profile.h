/*
 * profile.h: what kinds of mailbox there are. The definitions are fixed: benchmarks rest on them.
 *
 * Threads: constant data.
 */
#ifndef TESTS_GEN_PROFILE_H
#define TESTS_GEN_PROFILE_H

#include "tests/gen/item.h"

struct profile {
    const char *name;
    const char *text; /* for --help */
    uint32_t items;   /* where neither --items nor --size is given */
    uint8_t weights[ITEM_KINDS];
    uint32_t html_bytes, text_bytes, attach_percent;
    uint64_t attach_min, attach_max;
    uint32_t user_folders, folder_depth;
    uint32_t xblock_children_4k; /* so that small images have XXBLOCKs too; 0: as many as fit */
    const struct plan *script;   /* the first items; content numbers are given as they come */
    size_t script_count;
};

const struct profile *profile_find(const char *name); /* NULL: none of that name */
extern const struct profile profiles[];
extern const size_t profile_count;

#endif
