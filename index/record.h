/*
 * record.h: the records of a manifest, as lines of JSON (MANIFEST.md, INTERFACE.md).
 *
 * Each function appends one whole line with '\n' to `out`; errors are out->failed.
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

struct idx_scan_record {
    const char *tool;   /* "ostscan 0.1.0" */
    const char *engine; /* "libpff" */
    const char *io;     /* "uring" or "pread": what was used */
    int64_t started_ns; /* since 1970 UTC */
    const char *const *options; /* "name=value" of the options that are not at their default */
    size_t option_count;
};
void idx_record_scan(struct buf *out, const struct idx_scan_record *r);

struct idx_image_record {
    const char *path; /* bytes as the system has them */
    uint64_t size_bytes;
    int64_t mtime_ns;
    const struct ost_image *image; /* what the engine said; NULL: no engine ran */
    const struct ost_header *header; /* NULL: there was none to read */
};
void idx_record_image(struct buf *out, struct idx_text *text, const struct idx_image_record *r);

/* `path`: from below the root folder, escaped, joined with '/' (folders.h). */
void idx_record_folder(struct buf *out, struct idx_text *text, const struct ost_folder *folder,
                       const void *path, size_t path_size);

void idx_record_item(struct buf *out, const struct ost_item *item, const struct idx_view *view,
                     const struct idx_digests *digests);

/* An item known by its node of which nothing could be read. */
void idx_record_failed_item(struct buf *out, uint32_t nid, uint32_t folder, bool assoc);

/* `n`: the number of equal findings merged into this one is `count`; `n` counts from 1. */
void idx_record_finding(struct buf *out, uint64_t n, const struct finding *finding);

void idx_record_verdict(struct buf *out, const struct chk_verdict *verdict);

#endif
