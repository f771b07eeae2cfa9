/*
 * compare_pair.h: an image's manifest held against the server's file that belongs to it.
 *
 * Threads: one; scanning a server's image starts threads of its own.
 */
#ifndef SCANNER_APP_COMPARE_PAIR_H
#define SCANNER_APP_COMPARE_PAIR_H

#include <stdatomic.h>

#include "index/compare.h"
#include "scanner/app/compare_match.h"
#include "scanner/app/options.h"

/*
 * redact_key: by which a server's image is redacted where the image's manifest is; empty: by none.
 * i->file is set. A side that could not be used is said and sets *trouble; the sinks are then told
 * nothing. ERR_NOMEM, ERR_CANCELLED, what a sink returned, codes of temporary files.
 */
int compare_pair(const struct options *o, struct bytes redact_key, const atomic_bool *cancel,
                 const struct match_image *i, const struct cmp_sink *sinks, size_t sink_count,
                 bool *trouble);

#endif
