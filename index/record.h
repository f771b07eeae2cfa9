/*
 * record.h: the records of a manifest, as lines of JSON (MANIFEST.md, INTERFACE.md).
 *
 * Each function appends one whole line with '\n' to `out`; errors are out->failed. A line stays
 * below IDX_MANIFEST_LINE_MAX whatever an image holds: long text is cut (json_stored) and lists end
 * early, both told in the record.
 *
 * Threads: pure functions over what they are given.
 */
#ifndef INDEX_RECORD_H
#define INDEX_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "index/digest.h"
#include "index/view.h"
#include "io/buf.h"
#include "scanner/check/verdict.h"
#include "scanner/finding.h"
#include "scanner/ost/item.h"

/* Bounds on what one record takes from an image; see record.c for how they add up. */
enum {
    IDX_FIELD_MAX = 256 * 1024,           /* bytes of one text or binary value */
    IDX_LIST_BYTES_MAX = 8 * 1024 * 1024, /* a list ends with the element that takes it past this */
    IDX_AFFECTED_MAX = 1000,              /* items, folders, damage, codes listed */
};

struct idx_scan_record {
    const char *tool;           /* "ostscan 0.1.0" */
    const char *engine;         /* "libpff" */
    const char *io;             /* "uring" or "pread": what was used */
    int64_t started_ns;         /* since 1970 UTC */
    const char *const *options; /* "name=value" of the options that are not at their default */
    size_t option_count;
};
void idx_record_scan(struct buf *out, const struct idx_scan_record *r);

struct idx_image_record {
    const char *path; /* bytes as the system has them */
    uint64_t size_bytes;
    int64_t mtime_ns;
    const struct ost_image *image;   /* what the engine said; NULL: no engine ran */
    const struct ost_header *header; /* NULL: there was none to read */
};
void idx_record_image(struct buf *out, struct idx_text *text, const struct idx_image_record *r);

/* `path`: from below the root folder, escaped, joined with '/' (folders.h). */
void idx_record_folder(struct buf *out, struct idx_text *text, const struct ost_folder *folder,
                       const void *path, size_t path_size);

/* Where a value stands in a line's buffer; end 0: it does not. */
struct idx_place {
    size_t at, end;
};

enum { IDX_NAMES_PLACED = 32 };

/* Of an item's line, what dup_item.h makes marks of. */
struct idx_item_places {
    struct idx_place message_class, search_key, bcc, text, html, rtf, state;
    size_t attachments;                       /* that were written */
    struct idx_place names[IDX_NAMES_PLACED]; /* of the first of these */
};

/* places: NULL: they are not wanted. */
void idx_record_item(struct buf *out, const struct ost_item *item, const struct idx_view *view,
                     const struct idx_digests *digests, struct idx_item_places *places);

/* An item known by its node of which nothing could be read. */
void idx_record_failed_item(struct buf *out, uint32_t nid, uint32_t folder, bool assoc);

/*
 * `n` numbers the findings of a manifest from 1; `count` is how many equal ones were merged into
 * this (written where it is not 1).
 */
void idx_record_finding(struct buf *out, uint64_t n, uint64_t count, const struct finding *finding);

void idx_record_verdict(struct buf *out, const struct chk_verdict *verdict);

/* The lines of scan.jsonl. */

/* How it went with an image, the first that applies. */
enum idx_image_state {
    IMAGE_IN_USE,     /* another program holds it */
    IMAGE_UNREADABLE, /* it could not be opened, or nothing of it be read */
    IMAGE_UNWRITTEN,  /* its manifest could not be written */
    IMAGE_FAILED,     /* not an image, or too damaged for anything to be read */
    IMAGE_DECLINED,   /* the engine does not take it on */
    IMAGE_CHANGED,    /* it changed while it was read */
    IMAGE_PARTIAL,    /* something of it could not be read */
    IMAGE_DAMAGED,    /* read to its end, with findings of damage */
    IMAGE_OK,
};
const char *idx_image_state_name(enum idx_image_state state);

/* What was asked of the device, in bytes. */
struct idx_read_bytes {
    uint64_t plan;  /* before the sweep: header, B-trees, folders and their tables */
    uint64_t sweep; /* of blocks and pages, by the sweep */
    uint64_t gaps;  /* what lies between them, read through by the sweep */
    uint64_t again; /* after or beside it: what had passed and was not at hand any more */
};

/* What differs from run to run of the same input. */
struct idx_timing {
    double seconds; /* what it took */
    bool has_read;
    struct idx_read_bytes read;
};

struct idx_image_line {
    const char *path;     /* bytes as the system has them */
    const char *manifest; /* file name in OUT/manifests; NULL: none was written */
    bool has_identity;    /* size_bytes and mtime_ns are known */
    uint64_t size_bytes;
    int64_t mtime_ns;
    const struct ost_header *header; /* NULL: none was read */
    enum idx_image_state state;
    const char *reason; /* for people; NULL: state says it all */
    bool has_counts;    /* a manifest was written: what it holds */
    uint64_t folders, items, assoc, partial, failed;
    uint64_t findings[SEVERITY_CORRUPT + 1]; /* by severity */
    const struct chk_verdict *verdict;       /* NULL: none */
    bool has_timing;
    struct idx_timing timing; /* all that differs from run to run stands here */
};
void idx_record_image_line(struct buf *out, const struct idx_image_line *r);

/* A path that is no image or could not be looked at. `reason`: one word, io_skip_name's. `detail`
 * and `same_as` may be NULL. */
void idx_record_skip_line(struct buf *out, const char *path, const char *reason, const char *detail,
                          const char *same_as);

struct idx_scan_totals {
    bool complete;                 /* false: interrupted, images are missing */
    const char *redacted;          /* the id of the key (redact.h), or NULL */
    uint64_t images[IMAGE_OK + 1]; /* by state */
    uint64_t skipped;
    uint64_t bytes; /* sizes of the images read */
    uint64_t folders, items, assoc, partial, failed;
    uint64_t findings[SEVERITY_CORRUPT + 1];
    bool has_timing;
    struct idx_timing timing;
};
void idx_record_close_line(struct buf *out, const struct idx_scan_totals *totals);

#endif
