/*
 * sharpen.h: a verdict after its image was compared with what the server holds.
 *
 * What the image alone has, or has otherwise, requires an export. Only a comparison that found
 * every item of an image that was read whole makes export_first nothing_found, and no strong sign
 * stands against it. What the server has and a sound OST of Exchange should hold, but does not, is
 * a deficit of its folder: resync_folders.
 *
 * Ownership: what the verdict made points to lives in the sharpener, and in the verdict given.
 * Threads: one.
 */
#ifndef INDEX_SHARPEN_H
#define INDEX_SHARPEN_H

#include "index/compare.h"
#include "scanner/check/verdict.h"

struct idx_sharpen;

/* `verdict` is that of the image's manifest, and outlives this. ERR_NOMEM. */
int idx_sharpen_create(const struct chk_verdict *verdict, struct idx_sharpen **out);
void idx_sharpen_destroy(struct idx_sharpen *s); /* NULL is allowed */

/* For cmp_compare. */
struct cmp_sink idx_sharpen_sink(struct idx_sharpen *s);

/* After the comparison. Where it did not come to its end, the verdict as it was. ERR_NOMEM. */
int idx_sharpen_verdict(struct idx_sharpen *s, struct chk_verdict *out);

#endif
