/*
 * image.h: one image from its path to its manifest and its line in scan.jsonl.
 *
 * Ownership: a worker holds what is reused from image to image (kit.h); one thread owns a worker.
 * The outcome's strings are owned by it, until image_outcome_done.
 */
#ifndef SCANNER_APP_IMAGE_H
#define SCANNER_APP_IMAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "index/record.h"
#include "io/file.h"
#include "scanner/app/options.h"
#include "scanner/app/progress.h"
#include "scanner/app/worklist.h"
#include "scanner/check/verdict.h"
#include "scanner/engine.h"

struct resume;

/* What all workers of a run share; constant while they work. */
struct image_run {
    const struct options *options;
    const struct engine *engine;
    enum io_backend io; /* what the probe at the start found to work */
    const char *manifest_dir;
    struct resume *resume; /* what earlier runs have finished; NULL: nothing */
    uint64_t memory_bytes; /* for one image */
    struct crew *crew;     /* threads that may help with an image */
    const atomic_bool *cancel;
    struct progress_counters *counters;
};

/* What became of an image. */
struct image_outcome {
    bool foreign;   /* --all-files alone: no image by its magic; nothing below is set */
    bool cancelled; /* interrupted before its end; nothing was written */
    enum idx_image_state state;
    int err; /* 0, or what the environment failed with: no manifest was written */
    struct fault fault;
    bool has_manifest;
    bool kept;           /* finished by an earlier run and unchanged: it was not read again */
    bool io_error;       /* the storage refused bytes of it: the environment, not damage */
    bool direct_refused; /* --direct was asked for, and the file system would not */
    uint64_t size_bytes;
    uint64_t folders, items, assoc, failed, partial;
    uint64_t findings[SEVERITY_CORRUPT + 1];
    bool has_read;
    struct idx_read_bytes read;
    enum chk_remedy remedy;
    const char *remedy_why; /* static: what the remedy rests on, or NULL */
    enum chk_export export_first;
    const char *export_why; /* static: the first sign that requires it, or NULL */
    uint64_t export_count;  /* … of how many items */
    char *reason;           /* one line: why it is not ok, or NULL */
    char *details;          /* with --verbose: every finding, a line each; or NULL */
    char *line;             /* its line of scan.jsonl, with '\n' */
};

void image_outcome_done(struct image_outcome *o);

struct image_worker;

int image_worker_create(const struct image_run *run, struct image_worker **out); /* ERR_NOMEM */
void image_worker_destroy(struct image_worker *w); /* NULL is allowed */

/* What the worker brings along when it helps another one (crew.h). */
struct kit *image_worker_kit(struct image_worker *w);

/* Scans the image `work`. Never fails: everything that can happen is in *outcome. Only where
 * memory ran out may `line` be NULL. */
void image_scan(struct image_worker *w, const struct work *work, struct image_outcome *outcome);

#endif
