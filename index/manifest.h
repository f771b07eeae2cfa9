/*
 * manifest.h: the container of manifests (MANIFEST.md): JSON Lines in zstd frames of whole lines.
 *
 * Writer: lines go in, in the order of INTERFACE.md; each frame holds whole lines, has a content
 * checksum and its size; the file ends in the seek table of zstd's seekable format. The `end`
 * record (counts, digests, complete) is the writer's own. The file appears at commit, whole or not
 * at all (io/outfile.h).
 * Reader: iterates lines, verifying every frame's checksum, the seek table, and `end`'s counts and
 * digests; anything missing or altered anywhere is reported as incomplete or damaged, once, after
 * the lines before it were handed out.
 *
 * Threads: a writer or reader belongs to one thread.
 */
#ifndef INDEX_MANIFEST_H
#define INDEX_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/hash.h"
#include "io/buf.h"
#include "io/err.h"

enum idx_record {
    RECORD_SCAN, RECORD_IMAGE, RECORD_FOLDER, RECORD_ITEM, RECORD_FINDING, RECORD_VERDICT,
    RECORD_END,
    IDX_RECORDS
};

const char *idx_record_name(enum idx_record type);                  /* "scan" … */
int idx_record_by_name(const char *name, size_t size);              /* enum idx_record or -1 */

enum { IDX_MANIFEST_SCHEMA = 1, IDX_MANIFEST_LINE_MAX = 64 * 1024 * 1024 };

struct idx_manifest_writer;

/* `name`: file name in folder `dir`. ERR_NOMEM and io_outfile_create's codes, with *fault. */
int idx_manifest_create(const char *dir, const char *name, struct idx_manifest_writer **out,
                        struct fault *fault);
/* One line with its '\n', types in non-descending order (assert). ERR_NOSPACE …, ERR_LIMIT. */
int idx_manifest_line(struct idx_manifest_writer *w, enum idx_record type, const void *line,
                      size_t size);
uint64_t idx_manifest_count(const struct idx_manifest_writer *w, enum idx_record type);
/* Writes `end`, the seek table, makes the file appear, frees w. */
int idx_manifest_commit(struct idx_manifest_writer *w, struct fault *fault);
void idx_manifest_abort(struct idx_manifest_writer *w); /* NULL is allowed */

struct idx_manifest_reader;

/* What a reader found out by its end. */
enum idx_manifest_state {
    MANIFEST_COMPLETE,
    MANIFEST_TRUNCATED, /* ends early: no seek table, no `end` */
    MANIFEST_DAMAGED,   /* a checksum, count or digest is wrong, or it is no manifest */
};

/* ERR_NOENT, ERR_ACCESS, ERR_IO, ERR_NOMEM with *fault. A file that is no manifest opens: its
 * first idx_manifest_next ends with MANIFEST_DAMAGED. */
int idx_manifest_open(const char *path, struct idx_manifest_reader **out, struct fault *fault);
void idx_manifest_close(struct idx_manifest_reader *r); /* NULL is allowed */

/*
 * The next line (with its '\n'; valid until the next call) and its type: 1. 0 at the end, when
 * *state tells how it ended. A code for trouble of the environment.
 */
int idx_manifest_next(struct idx_manifest_reader *r, enum idx_record *type, struct bytes *line,
                      enum idx_manifest_state *state);

/* For people: why the state is not complete ("frame 3: checksum wrong"); owned by the reader. */
const char *idx_manifest_reason(const struct idx_manifest_reader *r);

#endif
