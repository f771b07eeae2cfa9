/*
 * server_graph.h: what Microsoft Graph answered, saved as JSON or JSON Lines, as a side of a
 * comparison (COMPARE.md, "What SERVER may be").
 *
 * Objects that are a message, a mailboxItem or another item, or a mailFolder or mailboxFolder, each
 * told by its members; bare, in arrays, or in the `value` of pages.
 *
 * Threads: one thread a side.
 */
#ifndef INDEX_SERVER_GRAPH_H
#define INDEX_SERVER_GRAPH_H

#include "index/compare_side.h"
#include "io/source.h"

/* Reads into an empty side. ERR_DAMAGED: nothing in it is of Graph, with side->why. */
int server_graph_read(struct cmp_side *side, struct io_source *source);

#endif
