/*
 * compare_lines.h: a comparison as JSON Lines (COMPARE.md, "Records").
 *
 * Threads: one at a time.
 */
#ifndef INDEX_COMPARE_LINES_H
#define INDEX_COMPARE_LINES_H

#include "index/compare.h"
#include "index/json.h"

struct cmp_lines {
    int (*write)(void *ctx, const void *line, size_t size);
    void *ctx;
    struct buf line, path, other;
    struct json json;
};

/* Writes the first line. ERR_NOMEM, what `write` returned. */
int cmp_lines_init(struct cmp_lines *l, const char *tool,
                   int (*write)(void *ctx, const void *line, size_t size), void *ctx);
void cmp_lines_done(struct cmp_lines *l);
struct cmp_sink cmp_lines_sink(struct cmp_lines *l, bool wants_same);

/* An image to which no file of the server's belongs, and a file that belongs to none. */
int cmp_lines_unmatched(struct cmp_lines *l, const char *image, const char *server);
/* The last line: how many images were compared. */
int cmp_lines_end(struct cmp_lines *l, uint64_t images, uint64_t different, bool complete);

#endif
