/*
 * giant.h: a source that makes the pages of a block B-tree of any size as they are read, so that
 * large trees can be loaded without an image of them.
 *
 * Block i has bid 4(i+1); leaves lie in ascending order, pages are `fill` entries full. The node
 * B-tree is one empty leaf.
 */
#ifndef TESTS_SUPPORT_GIANT_H
#define TESTS_SUPPORT_GIANT_H

#include <stdint.h>

#include "io/source.h"
#include "scanner/ost/plan.h"
#include "scanner/ost/variant.h"

enum { GIANT_LEVELS = 12 };

struct giant {
    struct io_source source;
    const struct ost_variant *variant;
    uint64_t blocks;
    uint64_t fill;
    unsigned levels;              /* of the tree, leaves included */
    uint64_t base[GIANT_LEVELS];  /* page number of the level's first page; leaves are level 0 */
    uint64_t count[GIANT_LEVELS]; /* pages of the level */
    uint64_t span[GIANT_LEVELS];  /* blocks below a full page of the level */
};

void giant_init(struct giant *g, const struct ost_variant *v, uint64_t blocks, unsigned fill);
/* Roots and variant set; the rest is the caller's. */
struct ost_plan_options giant_options(const struct giant *g);

#endif
