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
    /* Levels of a B-tree on a heap above its records: with 2-byte keys 8 levels index more than a
     * heap can hold. */
    OST_LIMIT_BTH_LEVELS = 8,
    /* Columns of a table: cCols is one byte. */
    OST_LIMIT_COLUMNS = 255,

    /* Objects. */

    /* Bytes of a named property's text: MAPI allows 254 characters. */
    OST_LIMIT_NAME_BYTES = 2048,
    /* A value kept from a contents row: change lists grow by 20 to 30 bytes for each client that
     * ever changed the item. */
    OST_LIMIT_ROW_VALUE = 64 * 1024,
    /* Things wrong with one item that are told one by one; the rest is told by these. */
    OST_LIMIT_DAMAGE = 64,
    /* References of one object to subnodes: a 64 KiB block holds 2,730, and an item with the most
     * attachments needs some 50 such blocks. */
    OST_LIMIT_SUBNODES = 1 << 18,

    /* Work. An image's blocks may be referred to again and again, so what an image makes us do is
     * measured by bytes handed out (sourceblocks.h), not by its size alone: all blocks together,
     * decoded, may be handed out OST_LIMIT_HANDED_OUT times over, and as much for everything below.
     * Blocks of healthy images are handed out twice, but for shared templates of a few KiB. */
    OST_LIMIT_HANDED_OUT = 16,
    OST_LIMIT_HANDED_OUT_ANYWAY = 1 << 20,
    /* Never more than this multiple of the file's bytes: deflated blocks, and entries that lie over
     * each other, make a small file of many decoded bytes. It leaves room for a file of nothing but
     * zeros in their least extents (64 KiB in 512 bytes), and for all else twice at half that
     * ratio; real 4k images inflate to two or three times their bytes. What costs most, text that
     * is not normalised, goes at some 60 MB/s: two seconds for each MiB of a file made to that end.
     */
    OST_LIMIT_MULTIPLE = 128,
    /* What a block, or a finding, costs whatever its size. */
    OST_LIMIT_BLOCK_COST = 64,
    /* What an object makes us build (lists, cells, copies) costs this part of its bytes: healthy
     * ones take twice their blocks' bytes. */
    OST_LIMIT_BUILT_PART = 8,
};

#endif
