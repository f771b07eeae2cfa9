/*
 * places.h: which bytes of a healthy image belong to which structure, and which no check covers.
 */
#ifndef TESTS_SUPPORT_PLACES_H
#define TESTS_SUPPORT_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/finding.h"
#include "tests/support/ndbfile.h"

enum place_kind {
    PLACE_HEADER,
    PLACE_BRANCH, /* B-tree pages above the leaves */
    PLACE_NBT_LEAF,
    PLACE_BBT_LEAF,
    PLACE_AMAP,
    PLACE_DATA,     /* the stored bytes of external blocks */
    PLACE_INTERNAL, /* those of internal ones */
    PLACE_TRAILER,  /* the trailer of a block */
    PLACES_COVERED,

    PLACE_PADDING = PLACES_COVERED,
    PLACE_FREE,     /* by its allocation map */
    PLACE_OBSOLETE, /* PMap and density list */
    PLACE_TAIL,     /* behind the header's checksums, up to the density list */
    PLACE_KINDS
};

extern const char *const place_names[PLACE_KINDS];

struct place {
    uint64_t offset, length;   /* its bytes */
    uint64_t start, structure; /* the structure's offset and length */
};

struct places {
    struct place *list[PLACE_KINDS];
    size_t count[PLACE_KINDS];
};

/* All places of an image that is known to be healthy. Fails the running test when it cannot. */
void places_init(struct places *p, const struct ndbfile *f);
void places_done(struct places *p);

/* Whether that finding may tell of a change in such a place. */
bool place_allows(enum place_kind kind, enum finding_code code);

#endif
