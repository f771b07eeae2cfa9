/*
 * reach.h: how far a node's blocks reach: the sweep order of items.
 *
 * Reads the internal blocks alone: the blocks of its data tree, and of its subnode trees and their
 * data, all the way down. Parts that are damaged, or that the image may not hand out any more, are
 * left out.
 *
 * Threads: one. Errors: codes of the blocks other than ERR_DAMAGED and ERR_LIMIT.
 */
#ifndef SCANNER_OST_REACH_H
#define SCANNER_OST_REACH_H

#include <stdint.h>

#include "scanner/ost/blocks.h"
#include "scanner/ost/variant.h"

/* The highest offset among the blocks, 0 if there are none. */
int ost_reach(const struct ost_variant *v, const struct ost_blocks *blocks, uint64_t data,
              uint64_t sub, uint64_t *highest);

#endif
