/*
 * folder.h: the folders that a plan's nodes name, in the order in which engines hand them out, and
 * how many messages hang below each.
 *
 * FORMAT.md sections 7 and 11. The tree is that of the nodes' parents; a folder whose parent is
 * missing or no folder, or leads back to itself, gets parent 0.
 *
 * Threads: pure.
 */
#ifndef SCANNER_OST_FOLDER_H
#define SCANNER_OST_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/arena.h"
#include "scanner/ost/item.h"
#include "scanner/ost/plan.h"

/* The low five bits of a nid ([MS-PST] 2.2.2.1; FORMAT.md section 7). */
enum ost_nid_type {
    OST_NID_FOLDER = 0x02,
    OST_NID_SEARCH_FOLDER = 0x03,
    OST_NID_MESSAGE = 0x04,
    OST_NID_ASSOC_MESSAGE = 0x08,
    OST_NID_HIERARCHY = 0x0D,
    OST_NID_CONTENTS = 0x0E,
    OST_NID_ASSOC_CONTENTS = 0x0F,
    OST_NID_TYPE_MASK = 0x1F,
};

enum {
    OST_NODE_STORE = 0x21,
    OST_NODE_NAMES = 0x61,
    OST_NODE_ROOT_FOLDER = 0x122,
    OST_NODE_RECEIVE_FOLDERS = 0x62B,
};

static inline unsigned ost_nid_type(uint32_t nid)
{
    return nid & OST_NID_TYPE_MASK;
}

static inline bool ost_nid_is_folder(uint32_t nid)
{
    return ost_nid_type(nid) == OST_NID_FOLDER || ost_nid_type(nid) == OST_NID_SEARCH_FOLDER;
}

static inline bool ost_nid_is_message(uint32_t nid)
{
    return ost_nid_type(nid) == OST_NID_MESSAGE || ost_nid_type(nid) == OST_NID_ASSOC_MESSAGE;
}

/*
 * All folders, parents before children, then by nid; nid, parent, items and assoc are set. The list
 * lives in the arena. ERR_NOMEM, ERR_LIMIT (the arena's).
 */
int ost_folders_list(const struct ost_plan *plan, struct arena *arena, struct ost_folder **out,
                     size_t *count);

#endif
