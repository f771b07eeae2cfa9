/*
 * message.h: an item with its recipients, attachments and embedded items (item.h).
 *
 * FORMAT.md section 11 ([MS-PST] 2.4.5, 2.4.6). One bad part costs that part: the item is handed
 * out with what could be read, and damage says what could not. Attachment data goes leaf by leaf to
 * the hasher and is never assembled.
 *
 * Ownership: as reading.h; hash states are ended or aborted before return. Threads: one.
 */
#ifndef SCANNER_OST_MESSAGE_H
#define SCANNER_OST_MESSAGE_H

#include "scanner/ost/item.h"
#include "scanner/ost/namemap.h"
#include "scanner/ost/reading.h"

struct ost_message_reader {
    struct ost_reading *reading; /* begun for this item */
    const struct ost_namemap *names;
    const struct ost_hasher *hasher; /* may be NULL: no digests */
    uint32_t codepage;               /* the store's */
    bool codepage_suspect;           /* the store is damaged: it may be another */
};

/*
 * Reads the item of a node. What only its place tells (folder, assoc, orphan, order, row) is left
 * zero. ERR_DAMAGED: it has no property context; ERR_LIMIT: it asks for more than is read of one.
 */
int ost_message_read(const struct ost_message_reader *m, struct ost_subnode roots,
                     struct ost_item *out);

#endif
