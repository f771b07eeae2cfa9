/*
 * compare_load.h: the server's file as a side, an image scanned on the way.
 *
 * Threads: one; scanning starts threads of its own.
 */
#ifndef SCANNER_APP_COMPARE_LOAD_H
#define SCANNER_APP_COMPARE_LOAD_H

#include "index/server_input.h"
#include "scanner/app/options.h"

struct compare_load {
    const struct options *options;
    const atomic_bool *cancel;
    enum idx_algorithm digest; /* that of the other side */
    struct bytes redact_key;   /* by which a server's image is redacted; size 0: it is not */
};

/*
 * Reads `path` into an empty side. A PST or OST is scanned, its manifest in a folder of its own
 * that is removed again. ERR_DAMAGED: nothing of it could be used, with side->why; others with
 * *fault.
 */
int compare_load(const struct compare_load *how, const char *path, enum server_kind kind,
                 struct cmp_side *side, struct fault *fault);

#endif
