/*
 * compare_join.h: which item of the image is which of the server's (COMPARE.md, "Joining").
 *
 * Passes over what is still unmatched, each sorted by one key of the items. So memory does not
 * bound how many there can be, and what comes out does not depend on it.
 *
 * Threads: one. Memory: `memory_bytes`, and a bit for each item of the image.
 */
#ifndef INDEX_COMPARE_JOIN_H
#define INDEX_COMPARE_JOIN_H

#include <stdatomic.h>

#include "index/compare_side.h"

struct cmp_join_sink {
    void *ctx;
    /* Counterparts, and the key that joined them. All pairs come before the first single. */
    int (*pair)(void *ctx, const struct cmp_entry *image, const struct cmp_entry *server,
                enum cmp_key by);
    /* An item without a counterpart. CMP_TIED: others of both sides share a key with it.
     * CMP_COPIED is set here, too. */
    int (*single)(void *ctx, const struct cmp_entry *e);
};

struct cmp_join_options {
    uint64_t memory_bytes;
    const char *temp_dir;
    const atomic_bool *cancel; /* may be NULL */
    uint16_t keys;             /* 1 << enum cmp_key: those that mean the same on both sides */
    uint16_t marks;            /* 1 << enum cmp_mark: likewise */
};

/* The sides' folders are unified. ERR_NOMEM, ERR_CANCELLED, what a sink returned, codes of files
 * with *fault. */
int cmp_join(struct cmp_side *image, struct cmp_side *server,
             const struct cmp_join_options *options, const struct cmp_join_sink *sink,
             struct fault *fault);

#endif
