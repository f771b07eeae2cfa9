/*
 * names.h: the name-to-id map of an image: which name a local property id (0x8000 and above) has.
 *
 * Made of the three streams of node 0x61 (FORMAT.md section 11). libpff's own map is not used: it
 * takes a name without a zero byte for ASCII (which every Cyrillic or CJK name is), and gives no
 * GUID to PS_MAPI and to numbers in PS_PUBLIC_STRINGS.
 *
 * Ownership: names point into the copies that the map holds.
 */
#ifndef SCANNER_REF_NAMES_H
#define SCANNER_REF_NAMES_H

#include <stddef.h>

#include "io/bytes.h"
#include "scanner/ost/item.h"

struct names {
    struct ost_name **by_id; /* 0x8000 of them, NULL where there is none */
    struct ost_name *list;
    uint8_t *strings;
};

/* Entries that point nowhere are left out. ERR_NOMEM. */
int names_init(struct names *n, struct bytes guids, struct bytes entries, struct bytes strings);
void names_done(struct names *n); /* all zero is allowed */

/* NULL: below 0x8000, or not in the map. */
const struct ost_name *names_find(const struct names *n, uint16_t id);

#endif
