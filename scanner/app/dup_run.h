/*
 * dup_run.h: from OUT folders and manifests to duplicates, for `dups` and for the end of `scan`.
 *
 * Messages about manifests go to standard error. Threads: one; reading starts threads of its own.
 */
#ifndef SCANNER_APP_DUP_RUN_H
#define SCANNER_APP_DUP_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "index/dup_index.h"

struct dup_run {
    struct dup_images images;
    bool trouble;                  /* a manifest or a folder could not be used, or not to its end */
    bool quiet;                    /* no notes on what is no trouble */
    const struct dup_notes *notes; /* of manifests in the folder; may be NULL */
    bool may_be_empty;             /* a folder without manifests is no trouble */
};

void dup_run_init(struct dup_run *r, bool quiet);
void dup_run_done(struct dup_run *r);

/* A manifest, or a folder: all manifests in it, or in its folder `manifests`. What cannot be used
 * is said. ERR_NOMEM. */
int dup_run_add(struct dup_run *r, const char *path);

/*
 * Reads all that was added and tells the sinks; call once. What a sink returned, or ERR_NOMEM,
 * ERR_CANCELLED, or a code of the temporary files, which is said.
 */
int dup_run_tell(struct dup_run *r, unsigned jobs, uint64_t memory_bytes, const atomic_bool *cancel,
                 const struct dup_sink *sinks, size_t sink_count);

/*
 * Writes OUT/duplicates.jsonl.zst over all manifests in OUT; no file where there are none. What
 * goes wrong is said. *totals is filled on success. Temporary files go to OUT. `notes`, settled:
 * what was noted of some of them; may be NULL.
 */
int dup_run_write_out(const char *out, unsigned jobs, uint64_t memory_bytes,
                      const struct dup_notes *notes, const atomic_bool *cancel,
                      struct dup_totals *totals);

#endif
