/*
 * manifest.h: the container of manifests (MANIFEST.md): JSON Lines in zstd frames of whole lines.
 *
 * Writer: lines go in, in the order of their types; each frame holds whole lines, has a content
 * checksum and its size; the file ends in a seal over all its bytes and the seek table of zstd's
 * seekable format. The `end` record (counts, digests, complete) is the writer's own. The file
 * appears at commit, whole or not at all (io/outfile.h).
 * Reader: iterates lines, verifying every frame's checksum, `end`'s counts and digests, the seal
 * and the seek table; anything missing or altered anywhere is reported as incomplete or damaged,
 * once, after the lines before it were handed out. The `end` line itself is handed out only when
 * everything was found right, so whoever got it has read a complete manifest.
 *
 * Threads: a writer or reader belongs to one thread.
 * Memory: writer and reader hold one frame (about 256 KiB, or one line up to the limit) and twelve
 * bytes a frame.
 */
#ifndef INDEX_MANIFEST_H
#define INDEX_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/hash.h"
#include "io/buf.h"
#include "io/bytes.h"
#include "io/err.h"
#include "io/source.h"

enum idx_record {
    RECORD_SCAN,
    RECORD_IMAGE,
    RECORD_FOLDER,
    RECORD_ITEM,
    RECORD_FINDING,
    RECORD_VERDICT,
    RECORD_END,
    IDX_RECORDS
};

const char *idx_record_name(enum idx_record type);     /* "scan" … */
int idx_record_by_name(const char *name, size_t size); /* enum idx_record or -1 */
/* The type of a line, which begins with {"type":"…"; -1: none of these. */
int idx_record_of_line(struct bytes line);

enum { IDX_MANIFEST_SCHEMA = 1, IDX_MANIFEST_LINE_MAX = 64 * 1024 * 1024 };

struct idx_manifest_writer;

/* `name`: file name in folder `dir`. ERR_NOMEM and io_outfile_create's codes, with *fault. */
int idx_manifest_create(const char *dir, const char *name, struct idx_manifest_writer **out,
                        struct fault *fault);
/*
 * One line with its '\n'. One `scan` record comes first, then types in non-descending order, never
 * `end` (assert). ERR_LIMIT: longer than IDX_MANIFEST_LINE_MAX; nothing was written and the writer
 * goes on. ERR_NOSPACE and other codes of the output, ERR_NOMEM: only abort is left.
 */
int idx_manifest_line(struct idx_manifest_writer *w, enum idx_record type, const void *line,
                      size_t size);
/* `count` lines of one type, with the frame that packer_pack (frames.h) made of them. */
int idx_manifest_packed(struct idx_manifest_writer *w, enum idx_record type, uint64_t count,
                        struct bytes lines, struct bytes frame);
uint64_t idx_manifest_count(const struct idx_manifest_writer *w, enum idx_record type);
/* Writes `end`, the seal and the seek table, makes the file appear; frees w in any case. */
int idx_manifest_commit(struct idx_manifest_writer *w, struct fault *fault);
void idx_manifest_abort(struct idx_manifest_writer *w); /* NULL is allowed */
/* Whether the output has refused something; *fault: what. */
bool idx_manifest_refused(const struct idx_manifest_writer *w, struct fault *fault);

struct idx_manifest_reader;

/* What a reader found out by its end. */
enum idx_manifest_state {
    MANIFEST_COMPLETE,
    MANIFEST_TRUNCATED, /* ends early: no seek table, no `end` */
    MANIFEST_DAMAGED,   /* a checksum, count or digest is wrong, or it is no manifest */
};

/* ERR_NOENT, ERR_ACCESS, ERR_IO, ERR_NOMEM with *fault; ERR_UNSUPPORTED: no regular file. A file
 * that is no manifest opens: its first idx_manifest_next ends with MANIFEST_DAMAGED. */
int idx_manifest_open(const char *path, struct idx_manifest_reader **out, struct fault *fault);
/* The same over a source, which outlives the reader. ERR_NOMEM. */
int idx_manifest_open_source(struct io_source *source, struct idx_manifest_reader **out);
void idx_manifest_close(struct idx_manifest_reader *r); /* NULL is allowed */

/*
 * The next line (with its '\n'; valid until the next call) and its type: 1. 0 at the end, when
 * *state tells how it ended. A code for trouble of the environment.
 */
int idx_manifest_next(struct idx_manifest_reader *r, enum idx_record *type, struct bytes *line,
                      enum idx_manifest_state *state);

/* Where the line last handed out begins, in decompressed bytes; for idx_manifest_read_at. */
uint64_t idx_manifest_offset(const struct idx_manifest_reader *r);

/*
 * The line that begins at a decompressed offset, by the seek table and one frame alone, whatever
 * idx_manifest_next has read: 1 with the line (valid until the next call of this function). 0 when
 * no line begins there. ERR_DAMAGED: the seek table or that frame is wrong; codes of the source.
 */
int idx_manifest_read_at(struct idx_manifest_reader *r, uint64_t offset, enum idx_record *type,
                         struct bytes *line);

/* For people: why the state is not complete ("frame 3: checksum wrong"), "" while
 * nothing is wrong; owned by the reader. */
const char *idx_manifest_reason(const struct idx_manifest_reader *r);

#endif
