/*
 * tally.h: what a scan collects of an image for its verdict. Internal to tally.c and verdict.c; the
 * calls that fill it are in verdict.h.
 */
#ifndef SCANNER_CHECK_TALLY_H
#define SCANNER_CHECK_TALLY_H

#include "scanner/check/signs.h"

enum tally_scope {
    SCOPE_STRUCTURE, /* what every folder rests on */
    SCOPE_FOLDERS,   /* the contents of folders that are named */
    SCOPE_UNPLACED,  /* contents of folders that are not known */
    SCOPES,
};

enum { REASONS = 16 + SIGNS + 2 };

struct tally_folder {
    bool used, announced, damaged;
    uint32_t nid;
    uint64_t messages, seen, failed, orphaned, partial;
    uint64_t orphans_told; /* by findings, those that failed included */
    bool rows_known;       /* of all its items */
    uint64_t rows, rows_without_item;
    enum tally_place place;
    bool in_mailbox;              /* at or below the folder that people see as their mailbox */
    struct chk_download download; /* of those read: all but `items` */
};

struct chk_tally {
    struct tally_folder *folders; /* open addressing by nid; capacity is a power of two */
    size_t folder_count, folder_capacity;
    bool found[FINDING_CODES];
    bool certain[SCOPES][FINDING_CODES];
    bool unread[FINDING_CODES]; /* warnings that something could not be read */
    bool deficit_unplaced;      /* orphans or rows without an item, of no known folder */
    bool hierarchy_unread;      /* one of them may be about more than a folder's contents */
    struct tally_nids damaged[SCOPES];
    struct tally_nids failed_nids, partial_nids, orphan_nids, differing_nids, absent_nids;
    uint64_t items, failed, partial, orphaned;
    struct tally_signs signs;
    struct chk_reason reasons[REASONS];
    size_t reason_count;
    struct chk_folder_state *states;
};

/* ERR_NOMEM. Pointers to folders last until the next call. */
int tally_folder_of(struct chk_tally *t, uint32_t nid, struct tally_folder **out);

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
