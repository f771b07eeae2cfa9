/*
 * outcome.h: what became of an image, and which findings decide that.
 *
 * Ownership: an outcome's strings are its own, until image_outcome_done.
 * Threads: one at a time uses an outcome.
 */
#ifndef SCANNER_APP_OUTCOME_H
#define SCANNER_APP_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "index/record.h"
#include "index/redact.h"
#include "io/err.h"
#include "scanner/check/verdict.h"
#include "scanner/finding.h"

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

/* A finding with this code: the engine did not go through the image. */
bool outcome_is_given_up(enum finding_code code);
/* … something of the image could not be read. */
bool outcome_is_unread(enum finding_code code);

/* Makes the finding the reason, if there is none yet. ERR_NOMEM. */
int outcome_set_reason(struct image_outcome *o, const struct finding *f);

/* Notes what the verdict says of exporting, and the first strong sign why. */
void outcome_export(struct image_outcome *o, const struct chk_verdict *v);

/* Completes the image's line of scan.jsonl by what the outcome says, redacts it unless `redactor`
 * is NULL, and keeps it as o->line (NULL: out of memory). */
void outcome_write(struct image_outcome *o, struct idx_image_line *line,
                   struct idx_redactor *redactor, uint64_t elapsed_ns);

/* No manifest was written, because of `err` and o->fault; output_failed: of the manifest itself. */
void outcome_fail(struct image_outcome *o, int err, bool output_failed);

#endif
