/*
 * summary.h: what a scan says at its end, and while images finish.
 *
 * Totals of a run, the line for each image on standard output, and the lines of OUT/scan.jsonl.
 * Threads: one at a time.
 */
#ifndef SCANNER_APP_SUMMARY_H
#define SCANNER_APP_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

#include "index/redact.h"
#include "scanner/app/outcome.h"
#include "scanner/app/worklist.h"

struct summary {
    uint64_t images, bytes; /* bytes of the images that were read */
    uint64_t by_state[IMAGE_OK + 1];
    uint64_t kept, kept_bytes, kept_items; /* images of an earlier run; part of all the others */
    uint64_t by_remedy[REMEDY_UNKNOWN + 1];
    uint64_t folders, items, assoc, failed, partial;
    uint64_t findings[SEVERITY_CORRUPT + 1];
    uint64_t read_known; /* images of which it is known what was read: */
    struct idx_read_bytes read;
    uint64_t skipped, unreadable;
    uint64_t io_errors; /* images of which the storage refused bytes */
};

/* Adds what came of an image, and a path that was skipped. */
void summary_add_image(struct summary *s, const struct image_outcome *o);
void summary_add_skipped(struct summary *s, const struct work *w);

/* One line for a finished image, and what else there is to be said of it. */
void summary_image_text(struct buf *text, const char *path, const struct image_outcome *o);

/* The totals. `name`: of the file that they stand in. */
void summary_print(FILE *to, const struct summary *s, const char *out, const char *name,
                   uint64_t elapsed_ns);

/* A skipped path's line of OUT/scan.jsonl; `redactor` may be NULL. */
void summary_skip_line(struct buf *text, const struct work *w, struct idx_redactor *redactor);

/* The last line; `complete` is false after an interruption. */
void summary_end_line(struct buf *text, const struct summary *s, struct idx_redactor *redactor,
                      bool complete, uint64_t elapsed_ns);

#endif
