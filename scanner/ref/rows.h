/*
 * rows.h: what the tables of a folder say of its messages: which it lists, and the properties that
 * a message has only there (times and ids of change).
 *
 * libpff reads a table whole, at about 20 KB a row of 80 columns; the table is dropped before the
 * next is read, and only these few bytes a message are kept.
 */
#ifndef SCANNER_REF_ROWS_H
#define SCANNER_REF_ROWS_H

#include "io/buf.h"
#include "scanner/ref/entries.h"
#include "scanner/ref/tree.h"

struct rows {
    struct buf data;        /* of all messages: u16 id, type, u32 size, value, again */
    struct buf missing;     /* u32 each: messages that the last table lists, without a node */
    struct entries entries; /* scratch */
    struct buf value;       /* scratch */
};

void rows_done(struct rows *r);

/*
 * Reads table `nid` (a folder's contents or associated contents) and notes its rows at the message
 * nodes below `folder`. Counts rows. ERR_DAMAGED: libpff cannot (*why as in entries.h); ERR_NOENT:
 * there is no such node; ERR_NOMEM.
 */
int rows_read(struct rows *r, struct tree *tree, uint32_t nid, uint32_t folder, uint64_t *count,
              char *why);

/* A message's row properties one after the other: *at is a position in its bytes, 0 first. False
 * when there are no more. */
bool rows_next(const struct rows *r, const struct tree_node *node, size_t *at, uint16_t *id,
               uint16_t *type, struct bytes *value);

#endif
