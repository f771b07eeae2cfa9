/*
 * redact.h: records without what tells of people: subjects, names, addresses, paths, ids and
 * digests keyed by HMAC-SHA-256 (MANIFEST.md, "Redacted manifests").
 *
 * Works on whole lines, by a table of what may stay: a text that the table does not name is keyed,
 * so a field added later is redacted until somebody decides otherwise. Under one key equal values
 * stay equal, and texts that are equal but for ASCII case, white space at their ends or Unicode
 * normalisation stay so; that is all that duplicates and comparisons go by.
 *
 * Threads: a redactor belongs to one thread.
 */
#ifndef INDEX_REDACT_H
#define INDEX_REDACT_H

#include <stddef.h>
#include <stdint.h>

#include "index/manifest_name.h"
#include "io/buf.h"
#include "io/bytes.h"

enum {
    IDX_REDACT_KEY_LEAST = 16,
    IDX_REDACT_KEY_MOST = 64 * 1024,
    IDX_REDACT_ID = 16 + 1,
    IDX_REDACT_SUM = 32
};

struct idx_redactor;

/* `key` is copied. ERR_NOMEM. */
int idx_redactor_create(struct bytes key, struct idx_redactor **out);
void idx_redactor_destroy(struct idx_redactor *r); /* NULL is allowed; wipes the key */

/* What tells that two manifests were redacted under one key, and nothing of the key. */
void idx_redactor_id(struct idx_redactor *r, char out[IDX_REDACT_ID]);

/* Replaces the record that stands in `line` from `from` to its end: one whole line of a manifest or
 * of scan.jsonl as record.h makes them. Errors: line->failed. */
void idx_redact_line(struct idx_redactor *r, struct buf *line, size_t from);

/* What idx_manifest_name does, with all of the path keyed. */
int idx_redact_manifest_name(struct idx_redactor *r, struct bytes absolute,
                             char out[IDX_MANIFEST_NAME]);

/* A keyed digest of what is the program's own and is in no record. */
void idx_redact_sum(struct idx_redactor *r, struct bytes data, uint8_t out[IDX_REDACT_SUM]);

/* The id that a `scan` record names, empty where its manifest is plain. */
void idx_redacted_by(struct bytes scan_record, char out[IDX_REDACT_ID]);

#endif
