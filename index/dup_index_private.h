/*
 * dup_index_private.h: what dup_index.c (reading) and dup_groups.c (telling) share; for them alone.
 */
#ifndef INDEX_DUP_INDEX_PRIVATE_H
#define INDEX_DUP_INDEX_PRIVATE_H

#include "index/dup_index.h"
#include "index/dup_pairs.h"
#include "index/sorter.h"
#include "io/spill.h"

/* What one thread works with. */
struct dup_lane {
    struct dup_item item;
    struct buf text;
    struct io_spill *paths;  /* of folders */
    struct sorter *contents; /* the digests of the image at hand */
    bool unclear;            /* it holds what has no digest that counts */
    uint64_t folders_sum, states_sum;
    struct fault notes_fault;
};

struct dup_index {
    struct dup_index_options options;
    struct dup_images *images;
    struct dup_lane *lanes;
    struct sorter *classed; /* entries by class */
    struct sorter *grouped; /* members by group */
    struct sorter *group;   /* members of the group at hand, so that it can be counted first */
    struct dup_pairs *pairs;
    struct dup_totals totals;
    uint32_t *stamps; /* of images: the last group that has a member there */
    const struct dup_sink *sinks;
    size_t sink_count;
    bool wants_records, wants_paths;
    struct idx_manifest_reader *reader; /* of the last representative's image */
    uint32_t reader_image;              /* its number + 1 */
    struct buf path;
};

bool dup_index_cancelled(const struct dup_index *x);

#endif
