/*
 * namemap.h: whose name a local property id has in this file (node 0x61).
 *
 * FORMAT.md section 11 ([MS-PST] 2.4.7). Entries that are malformed, or whose id has a name
 * already, are left out.
 *
 * Ownership: a map owns its memory, names live as long. Threads: one makes it; then many may read.
 */
#ifndef SCANNER_OST_NAMEMAP_H
#define SCANNER_OST_NAMEMAP_H

#include <stdint.h>

#include "scanner/ost/item.h"

enum {
    OST_NAMEMAP_GUIDS = 0x0002,
    OST_NAMEMAP_ENTRIES = 0x0003,
    OST_NAMEMAP_STRINGS = 0x0004,
    OST_NAMEMAP_FIRST = 0x8000, /* of the ids that have names */
};

struct ost_namemap {
    const struct ost_name **by_id; /* by id - 0x8000; NULL: no map */
    struct ost_name *list;
    size_t count;
    uint8_t *strings;
    uint64_t left_out; /* entries that could not be used */
    bool suspect;      /* it was read from a damaged place: names may be missing, or other ones */
};

/* Out of the three streams, which are copied. ERR_NOMEM. */
int ost_namemap_init(struct ost_namemap *m, struct bytes guids, struct bytes entries,
                     struct bytes strings);
void ost_namemap_done(struct ost_namemap *m); /* an all-zero map is allowed */

/* The name of an id, or NULL. An all-zero map has none. */
static inline const struct ost_name *ost_namemap_find(const struct ost_namemap *m, uint16_t id)
{
    return m->by_id && id >= OST_NAMEMAP_FIRST ? m->by_id[id - OST_NAMEMAP_FIRST] : NULL;
}

#endif
