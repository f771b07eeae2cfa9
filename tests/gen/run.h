/*
 * run.h: what to generate, and generating it.
 *
 * Threads: one.
 */
#ifndef TESTS_GEN_RUN_H
#define TESTS_GEN_RUN_H

#include "tests/gen/profile.h"
#include "tests/gen/store.h"

enum truth_level { TRUTH_FULL, TRUTH_ITEMS, TRUTH_NONE };
enum gen_side { SIDE_NONE, SIDE_OST, SIDE_SERVER };

enum { DAMAGES_MAX = 64 };

struct damage_wish {
    unsigned kind; /* enum damage_kind */
    uint32_t count;
};

/* Data that only this computer has, as an OST may hold them; a bit each. */
enum gen_local {
    LOCAL_FAILURES,
    LOCAL_CONFLICTS,
    LOCAL_UNSENT,
    LOCAL_OUTBOX, /* not flagged as unsent */
    LOCAL_FOLDER,
    LOCAL_CLIENT_KEY,
    LOCAL_NO_KEY,
    LOCAL_LOGS, /* of Sync Issues */
    LOCALS,
};

const char *gen_local_name(enum gen_local local);

struct gen_options {
    struct image_options image;
    const struct profile *profile;
    uint64_t seed;
    uint64_t items, size_bytes; /* 0: the profile's own number of items */
    uint64_t attachment_bytes;  /* one of that size on the first item; 0 none */
    uint32_t duplicates_percent, drift_percent;
    enum gen_side side;
    enum truth_level truth;
    bool one_folder, bare, libpff_safe;
    bool exchange;   /* an OST tells that it is of an Exchange account */
    bool synced;     /* of the others every item is known to the server */
    unsigned locals; /* 1 << enum gen_local: three items each */
    struct damage_wish damages[DAMAGES_MAX];
    size_t damage_count;
};

struct gen_summary {
    uint64_t items, assoc, folders, bytes, allocated, blocks, nodes;
};

/* ERR_UNSUPPORTED: a wanted kind of damage (*missed, enum damage_kind) finds no place. */
int gen_run(const struct gen_options *o, struct gen_summary *summary, unsigned *missed);

#endif
