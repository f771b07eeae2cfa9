/*
 * targets.h: ranges of an image's bytes to be damaged, by the kind of structure, with the findings
 * that a change there may give: from the truth that ostgen wrote beside the image, or else from a
 * healthy image itself (places.h).
 */
#ifndef TESTS_SUPPORT_TARGETS_H
#define TESTS_SUPPORT_TARGETS_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/finding.h"
#include "tests/support/ndbfile.h"

enum target_kind {
    TARGET_HEADER,
    TARGET_AMAP,
    TARGET_AMAP_UNPROVEN, /* past the first span of a 4k image */
    TARGET_NBT_LEAF,
    TARGET_NBT_BRANCH,
    TARGET_BBT_LEAF,
    TARGET_BBT_BRANCH,
    TARGET_BRANCH, /* of either tree */
    TARGET_DATA,
    TARGET_XBLOCK,
    TARGET_XXBLOCK,
    TARGET_SLBLOCK,
    TARGET_SIBLOCK,
    TARGET_INTERNAL, /* any of the four */
    TARGET_TRAILER,  /* of any block */
    TARGET_STALE_PAGE,
    TARGET_STALE_BLOCK,
    TARGET_PMAP,
    TARGET_DENSITY_LIST,
    TARGET_PADDING, /* what no check covers in a structure that others cover */
    TARGET_FREE,    /* in no structure at all */
    TARGET_KINDS
};

extern const char *const target_kind_names[TARGET_KINDS];

struct target {
    enum target_kind kind;
    uint64_t offset, length;   /* its bytes */
    uint64_t start, structure; /* the structure's offset and length */
    uint64_t codes[(FINDING_CODES + 63) / 64];
};

struct target_list {
    struct target *list;
    size_t count, capacity;
};

struct targets {
    struct target_list lists[2][TARGET_KINDS]; /* [1]: of covered bytes */
};

/* Fails the running test when it cannot. */
void targets_init(struct targets *t, const char *path, const struct ndbfile *f);
void targets_done(struct targets *t);

#endif
