/*
 * image_records.h: the records of one image, from what engine and checks tell to its manifest.
 *
 * The engine's own order brings image, folders and items; findings are held until the end. What
 * passes is counted in the outcome, and taken down for the verdict.
 *
 * Ownership: everything but the outcome, the manifest and the kit is the records' own, kept from
 * image to image or until records_forget. Threads: one at a time uses them.
 */
#ifndef SCANNER_APP_IMAGE_RECORDS_H
#define SCANNER_APP_IMAGE_RECORDS_H

#include "index/dup_notes.h"
#include "index/evidence.h"
#include "index/finding_list.h"
#include "index/folders.h"
#include "index/manifest.h"
#include "index/order.h"
#include "index/record.h"
#include "scanner/app/crosscheck.h"
#include "scanner/app/kit.h"
#include "scanner/app/outcome.h"
#include "scanner/app/progress.h"
#include "scanner/app/steady.h"
#include "scanner/check/tally.h"
#include "scanner/check/verdict.h"
#include "scanner/engine.h"

struct image_records {
    struct kit *kit;
    struct progress_counters *counters;
    bool verbose;
    struct idx_evidence *evidence;
    struct buf name, folder_path;

    /* The image in hand. */
    struct idx_image_record image; /* all but `image` is set by whoever scans it */
    struct image_outcome *outcome;
    struct idx_manifest_writer *manifest; /* that is being written, or NULL */
    uint64_t offset;                      /* its bytes so far, uncompressed */
    struct dup_note *note;                /* of it; NULL: none is taken */
    struct idx_finding_list *findings;
    struct idx_finding_list *later; /* what was found of items, to stand behind the structure's */
    struct idx_folders *folders;
    struct chk_tally *tally;
    struct crosscheck *cross; /* NULL: not asked for */
    struct steady steady;
    struct buf details;    /* with verbose: the findings as text */
    bool corrupt;          /* some finding is */
    bool image_written;    /* its record was */
    bool gave_up;          /* the engine did not go through the image */
    bool unread;           /* something of it could not be read */
    bool declined;         /* … as it is too large for it */
    bool changed;          /* while it was read */
    bool output_failed;    /* the manifest could not be written */
    char account_text[16]; /* empty: unknown */
    uint64_t bytes_reported;
};

/* ERR_NOMEM. The kit is the caller's. */
int records_init(struct image_records *r, struct kit *kit, struct progress_counters *counters,
                 bool verbose);
void records_done(struct image_records *r); /* all zero is allowed */

/* Another image begins, whose outcome is `outcome`. ERR_NOMEM: records_forget is due. */
int records_begin(struct image_records *r, struct image_outcome *outcome);
/* What was gathered of the image goes, and the crosscheck; not progress and details. */
void records_forget(struct image_records *r);
/* That too: nothing more comes of this image. */
void records_end(struct image_records *r);

/* Everything below: ERR_NOMEM, and what the manifest returned. */

/* Writes the record that stands in the kit's line, redacted; items' lines are already. */
int records_put_line(struct image_records *r, enum idx_record type);
/* The manifest is begun; notes: where those of the run are kept, or NULL. */
void records_start_notes(struct image_records *r, struct dup_notes *notes);
/* The manifest is there, by that name. */
void records_keep_notes(struct image_records *r, const char *manifest_name);
int records_write_image(struct image_records *r, const struct ost_image *image);

/* A finding, to be written at the end. */
int records_finding(struct image_records *r, const struct finding *f);

/* Of an engine; ctx is the records. at_once: it tells while the structure is checked, of items by
 * entries (order.h). Its findings about the structure are left out: the check's are those. */
struct engine_sink records_engine_sink(struct image_records *r, bool at_once);
struct idx_order_sink records_order_sink(struct image_records *r);
/* What was told at once goes behind the structure's findings. */
int records_join_findings(struct image_records *r);

/* For sinks that the structure's check and comparisons take; ctx is the records. */
int records_on_finding(void *ctx, const struct finding *f);
void records_on_progress(void *ctx, uint64_t bytes);

int records_write_findings(struct image_records *r);
int records_write_verdict(struct image_records *r, const struct chk_facts *facts,
                          struct chk_verdict *verdict);

#endif
