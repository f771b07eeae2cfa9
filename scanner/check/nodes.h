/*
 * nodes.h: the node B-tree's entries against blocks, each other and the header.
 *
 * Threads: one.
 */
#ifndef SCANNER_CHECK_NODES_H
#define SCANNER_CHECK_NODES_H

#include "scanner/check/state.h"

/* ERR_LIMIT, ERR_NOMEM. Adds to links.lost what nodes do not tell of their blocks. */
int chk_nodes(struct chk_state *s);

/* NID types (FORMAT.md section 7). */
enum {
    CHK_NID_FOLDER = 2,
    CHK_NID_SEARCH = 3,
    CHK_NID_MESSAGE = 4,
    CHK_NID_ASSOC = 8,
    CHK_NID_QUEUE = 6,
    CHK_NID_CRITERIA = 7,
    CHK_NID_HIERARCHY = 0x0D,
    CHK_NID_CONTENTS = 0x0E,
    CHK_NID_ASSOC_CONTENTS = 0x0F,
    CHK_NID_SEARCH_CONTENTS = 0x10,
    CHK_NID_MID_INDEX = 0x14,
    CHK_NID_ASSOC_MID_INDEX = 0x15,
    CHK_NID_ROOT = 0x122,
};

static inline unsigned chk_nid_type(uint32_t nid)
{
    return nid & 0x1F;
}
static inline bool chk_nid_is_folder(uint32_t nid)
{
    return chk_nid_type(nid) == CHK_NID_FOLDER || chk_nid_type(nid) == CHK_NID_SEARCH;
}
static inline bool chk_nid_is_message(uint32_t nid)
{
    return chk_nid_type(nid) == CHK_NID_MESSAGE || chk_nid_type(nid) == CHK_NID_ASSOC;
}

#endif
