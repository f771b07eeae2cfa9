/*
 * affected.h: which items and folders rest on a block, a node, or a range of keys.
 *
 * Memory: 4 bytes a block and a reference, 8 a node. Threads: one.
 */
#ifndef SCANNER_CHECK_AFFECTED_H
#define SCANNER_CHECK_AFFECTED_H

#include "scanner/check/state.h"

struct chk_nids {
    uint32_t list[CHK_AFFECTED_MAX]; /* ascending */
    size_t count;
};

struct chk_affected {
    struct chk_state *state;
    uint32_t *starts; /* by block: its owners begin there; NULL: nothing is known */
    uint32_t *owners; /* blocks, or nodes with CHK_OWNER_NODE */
    uint64_t owner_count;
    uint8_t *visited; /* a bit a block */
    uint32_t *queue;  /* of those visited */
    size_t queued, queue_room;
    struct chk_nids items, folders; /* of the last chk_affected_find */
    uint32_t nid; /* the one node that it is about, though neither item nor folder; 0: none, more */
    size_t others;
    uint64_t work; /* steps left for all notes together */
};

/* Turns all links around. Without memory for it nothing will be found, which is no error.
 * ERR_NOMEM. */
int chk_affected_init(struct chk_affected *a, struct chk_state *s);
void chk_affected_done(struct chk_affected *a);
/* Fills items, folders and nid. */
void chk_affected_find(struct chk_affected *a, const struct chk_note *note);

#endif
