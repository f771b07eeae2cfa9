/*
 * dup_sink.h: what the duplicate index has to tell, and who is told.
 *
 * Everything pointed to is valid during the call. Callbacks that are NULL are not made; a result
 * other than 0 ends the telling.
 */
#ifndef INDEX_DUP_SINK_H
#define INDEX_DUP_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/dup_entry.h"
#include "index/dup_images.h"
#include "index/view.h"
#include "io/bytes.h"

struct dup_group {
    uint64_t n; /* from 1, over all groups */
    enum dup_of of;
    struct dup_entry representative;
    bool candidate;  /* the digests are no cryptographic ones */
    uint64_t count;  /* members, the representative included */
    uint64_t images; /* that hold one */
    uint64_t bytes;  /* sizes of all members but the representative */
    uint64_t exact;  /* members that are exact copies of one before them */
    uint64_t exact_bytes;
    struct bytes record; /* the manifest's `item` record of the representative; empty: not asked
                            for, or not to be had */
};

struct dup_member {
    const struct dup_entry *entry;
    const struct dup_image *image;
    enum dup_rank rank;
    unsigned differences;     /* from the representative: 1 << enum dup_mark */
    struct bytes folder_path; /* data NULL: it has none */
};

/* Items of `image` that were held against one of `kept`. */
struct dup_pair {
    const struct dup_image *kept, *image;
    uint64_t duplicates, bytes;
};

struct dup_tally {
    uint64_t groups;
    uint64_t duplicates; /* members but the representatives */
    uint64_t exact;      /* of them, exact copies of a member before them */
    uint64_t bytes, exact_bytes;
};

struct dup_totals {
    uint64_t images, incomplete, unreadable, repeated; /* manifests by state; `images`: read */
    uint64_t assoc;
    uint64_t fates[DUP_FATES]; /* of items, without associated ones */
    struct dup_tally of[DUP_OFS];
    struct dup_tally kinds[IDX_KINDS + 1]; /* of items; the last: of no known kind */
    bool mixed;      /* digests of several algorithms, which match nothing of each other */
    bool mixed_keys; /* manifests redacted by several keys, or plain and redacted ones: likewise */
};

struct dup_sink {
    void *ctx;
    bool wants_records; /* group.record, for which manifests are read again */
    bool wants_paths;   /* member.folder_path */
    int (*image)(void *ctx, const struct dup_image *image);
    int (*group)(void *ctx, const struct dup_group *group);
    /* The representative first, then exact copies of it, then the others by exact digest. */
    int (*member)(void *ctx, const struct dup_group *group, const struct dup_member *member);
    int (*group_end)(void *ctx, const struct dup_group *group);
    int (*pair)(void *ctx, const struct dup_pair *pair);
    /* A folder with duplicates, with `path` where it has one. */
    int (*folder)(void *ctx, const struct dup_image *image, const struct dup_folder *folder,
                  struct bytes path);
    int (*totals)(void *ctx, const struct dup_totals *totals);
};

#endif
