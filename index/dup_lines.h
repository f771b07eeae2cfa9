/*
 * dup_lines.h: what the duplicate index tells, as lines of JSON (DUPLICATES.md).
 *
 * A line never grows beyond a few MiB: members beyond DUP_MEMBERS_MOST (or DUP_LINE_BYTES of them)
 * follow in lines of their own.
 *
 * Threads: belongs to the thread that is told.
 */
#ifndef INDEX_DUP_LINES_H
#define INDEX_DUP_LINES_H

#include <stddef.h>

#include "index/dup_sink.h"
#include "index/json.h"
#include "io/buf.h"

enum { DUP_SCHEMA = 1, DUP_MEMBERS_MOST = 1000, DUP_LINE_BYTES = 4 << 20, DUP_TEXT_MOST = 4096 };

struct dup_lines {
    /* Takes one line with its '\n'; a result other than 0 ends the telling. */
    int (*write)(void *ctx, const void *line, size_t size);
    void *ctx;
    struct buf line, text;
    struct json json;
    size_t members; /* in the line at hand */
    uint64_t images, groups, more, pairs, folders;
};

/* Writes the first line. ERR_NOMEM; what `write` returns. `tool`: "ostscan 0.1.0". */
int dup_lines_init(struct dup_lines *l, const char *tool,
                   int (*write)(void *ctx, const void *line, size_t size), void *ctx);
void dup_lines_done(struct dup_lines *l);

/* The sink that writes all other lines; the last one after the totals. */
struct dup_sink dup_lines_sink(struct dup_lines *l);

/* The text of a member `key` of a record, and the `name` of one of its attachments, by number.
 * Empty where it is absent. Replaces the content of `out`. ERR_NOMEM. */
int dup_attachment_name(struct bytes record, uint32_t part, struct buf *out);
int dup_record_text(struct bytes record, const char *key, struct buf *out);

#endif
