/*
 * compare_manifest.h: a manifest as one side of a comparison.
 *
 * Threads: one thread a side.
 */
#ifndef INDEX_COMPARE_MANIFEST_H
#define INDEX_COMPARE_MANIFEST_H

#include <stdatomic.h>

#include "index/compare_side.h"

/*
 * Reads a manifest into an empty side. One that is cut short or altered is read as far as it goes
 * and makes the side incomplete. ERR_DAMAGED: it is no manifest this program knows, with side->why.
 * ERR_CANCELLED; ERR_NOMEM and others with *fault.
 */
int cmp_read_manifest(struct cmp_side *side, const char *path, const atomic_bool *cancel,
                      struct fault *fault);

/* Of which image a manifest is, and the name of its store (empty: it has none). ERR_DAMAGED: it is
 * no manifest; ERR_NOMEM, codes of opening. */
int cmp_read_manifest_head(const char *path, struct buf *image_path, struct buf *store_name);

#endif
