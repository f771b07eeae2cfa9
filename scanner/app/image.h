/*
 * image.h: one image from its path to its manifest and its line in scan.jsonl.
 *
 * Ownership: a worker holds what is reused from image to image (kit.h); one thread owns a worker.
 */
#ifndef SCANNER_APP_IMAGE_H
#define SCANNER_APP_IMAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/file.h"
#include "scanner/app/options.h"
#include "scanner/app/outcome.h"
#include "scanner/app/progress.h"
#include "scanner/app/worklist.h"
#include "scanner/engine.h"

struct dup_notes;
struct resume;

/* What all workers of a run share; constant while they work. */
struct image_run {
    const struct options *options;
    const struct engine *engine;
    enum io_backend io; /* what the probe at the start found to work */
    const char *manifest_dir;
    struct dup_notes *notes; /* for the duplicates at the end; NULL: none are wanted */
    struct resume *resume;   /* what earlier runs have finished; NULL: nothing */
    uint64_t memory_bytes;   /* for one image */
    struct crew *crew;       /* threads that may help with an image */
    const atomic_bool *cancel;
    struct progress_counters *counters;
    struct bytes redact_key; /* size 0: nothing is redacted */
};

struct image_worker;

int image_worker_create(const struct image_run *run, struct image_worker **out); /* ERR_NOMEM */
void image_worker_destroy(struct image_worker *w); /* NULL is allowed */

/* What the worker brings along when it helps another one (crew.h). */
struct kit *image_worker_kit(struct image_worker *w);

/* Scans the image `work`. Never fails: everything that can happen is in *outcome. Only where
 * memory ran out may `line` be NULL. */
void image_scan(struct image_worker *w, const struct work *work, struct image_outcome *outcome);

#endif
