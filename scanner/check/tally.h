/*
 * tally.h: what a scan collects of an image for its verdict. Internal to tally.c and verdict.c; the
 * calls that fill it are in verdict.h.
 */
#ifndef SCANNER_CHECK_TALLY_H
#define SCANNER_CHECK_TALLY_H

#include "scanner/check/verdict.h"

enum tally_scope {
    SCOPE_STRUCTURE, /* what every folder rests on */
    SCOPE_FOLDERS,   /* the contents of folders that are named */
    SCOPE_UNPLACED,  /* contents of folders that are not known */
    SCOPES,
};

enum { REASONS = 16 };

/* The first CHK_REASON_ITEMS different nids, ascending. */
struct tally_nids {
    uint32_t list[CHK_REASON_ITEMS];
    size_t count;
};

struct tally_folder {
    bool used, announced, damaged;
    uint32_t nid;
    uint64_t messages, seen, failed, orphaned, partial;
    uint64_t orphans_told; /* by findings, those that failed included */
    bool rows_known;       /* of all its items */
    uint64_t rows, rows_without_item;
};

struct chk_tally {
    struct tally_folder *folders; /* open addressing by nid; capacity is a power of two */
    size_t folder_count, folder_capacity;
    bool found[FINDING_CODES];
    bool certain[SCOPES][FINDING_CODES];
    bool unread[FINDING_CODES]; /* warnings that something could not be read */
    bool hierarchy_unread;      /* one of them may be about more than a folder's contents */
    struct tally_nids damaged[SCOPES];
    struct tally_nids failed_nids, partial_nids, orphan_nids, differing_nids, absent_nids;
    uint64_t items, failed, partial, orphaned;
    struct chk_reason reasons[REASONS];
    size_t reason_count;
    struct chk_folder_state *states;
};

/* Messages that were neither read nor failed. */
static inline uint64_t tally_unaccounted(const struct tally_folder *f)
{
    return f->messages > f->seen ? f->messages - f->seen : 0;
}

static inline uint64_t tally_orphans(const struct tally_folder *f)
{
    return f->orphans_told > f->orphaned ? f->orphans_told : f->orphaned;
}

#endif
