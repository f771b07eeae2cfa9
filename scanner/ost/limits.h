/*
 * limits.h: every bound on what a file may make us do, each with its reason.
 */
#ifndef SCANNER_OST_LIMITS_H
#define SCANNER_OST_LIMITS_H

enum {
    /* Items within items: Outlook nests a few forwards; three deep is common, ten never seen. */
    OST_LIMIT_EMBEDDED_DEPTH = 16,
    /* Properties of one object: ids are 16 bits wide, so no object can have more. */
    OST_LIMIT_PROPS = 65536,
    /* Recipients of an item: Exchange refuses more than 1,000 by default, lists grow beyond. */
    OST_LIMIT_RECIPIENTS = 1 << 20,
    /* Attachments of an item: Exchange's bound is 65,535 attachment table rows. */
    OST_LIMIT_ATTACHMENTS = 1 << 17,
    /* A value held in memory (bodies, large properties): the most a 32-bit size leaves room for
     * without one value taking the whole budget. Attachment data is streamed and not bounded. */
    OST_LIMIT_VALUE_BYTES = 256 << 20,
    /* Folders above a folder: [MS-PST] has no bound; Exchange's is 300. */
    OST_LIMIT_FOLDER_DEPTH = 1024,

    /* Node database. */

    /* Levels above the leaves of a B-tree: 2^32 nodes in half-full ANSI pages take 8; a tree of
     * more only wastes our time. */
    OST_LIMIT_BTREE_LEVEL = 16,
    /* Subnode trees within subnode trees: an embedded item takes two (its attachment's, its own),
     * and a few objects own one more. */
    OST_LIMIT_SUBNODE_DEPTH = 2 * OST_LIMIT_EMBEDDED_DEPTH + 4,
};

#endif
