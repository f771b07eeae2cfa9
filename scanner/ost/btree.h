/*
 * btree.h: a page of the block B-tree or the node B-tree as a checked view.
 *
 * FORMAT.md section 4 ([MS-PST] 2.2.2.7.7). Bytes after the last used entry are stale copies of
 * older entries: a view never reaches them. Opening a view checks that all its entries lie inside
 * the page; the accessors assert the index and nothing else.
 *
 * Ownership: a view borrows the page. Threads: pure functions.
 */
#ifndef SCANNER_OST_BTREE_H
#define SCANNER_OST_BTREE_H

#include <stdint.h>

#include "scanner/ost/defect.h"
#include "scanner/ost/variant.h"

enum ost_tree { OST_TREE_NBT, OST_TREE_BBT };

/* An entry of the block B-tree: where a block lies, and how large it is. */
struct ost_block {
    uint64_t bid; /* reserved bit clear */
    uint64_t offset;
    uint16_t stored;   /* bytes on disk, without padding and trailer */
    uint16_t inflated; /* decoded bytes; on K differing from `stored` means a zlib stream */
    uint16_t refs;     /* cRef */
    uint16_t flags;    /* OST_ENTRY_*; the upper 8 bits are whoever's who owns the array */
};

/* An entry of the node B-tree. */
struct ost_node {
    uint64_t data,
        sub; /* bids of the data tree and the subnode tree, 0: none; reserved bit clear */
    uint32_t nid;
    uint32_t parent; /* meaningful for folders and messages only */
    uint32_t flags;  /* OST_ENTRY_*; the upper 24 bits are whoever's who owns the array */
    uint32_t spare;  /* 0 */
};

enum {
    /* Its page is the right one, but fails its checksum: this entry may be other than written. */
    OST_ENTRY_SUSPECT = 1,
};

struct ost_btree {
    const struct ost_variant *variant;
    const uint8_t *entries;
    enum ost_tree tree;
    uint16_t count;
    uint16_t entry_size;
    uint8_t level; /* 0: leaf */
};

static inline uint8_t ost_tree_ptype(enum ost_tree tree)
{
    return tree == OST_TREE_NBT ? PTYPE_NBT : PTYPE_BBT;
}

/*
 * Opens the view of a page (page_size bytes). Adds OST_BTREE_* defects of its counters. Returns 0,
 * or ERR_DAMAGED (out untouched) when the entries cannot be told: their size is not that of level
 * and tree, or their count goes beyond the page.
 */
int ost_btree_open(const struct ost_variant *v, const uint8_t *page, enum ost_tree tree,
                   struct ost_defects *defects, struct ost_btree *out);

/* What the parent says of a page; a root has the range of all keys. */
struct ost_btree_range {
    uint64_t first, last; /* both included */
    bool exact;           /* `first` is the parent's key: the page's first key must be it */
};

/* Adds OST_BTREE_KEY_*, _EMPTY (not for a root: exact false, first 0) and _NID_HIGH defects. */
void ost_btree_check_keys(const struct ost_btree *b, struct ost_btree_range range,
                          struct ost_defects *defects);

uint64_t ost_btree_key(const struct ost_btree *b, unsigned i);           /* any level */
struct ost_bref ost_btree_child(const struct ost_btree *b, unsigned i);  /* level > 0 */
struct ost_block ost_btree_block(const struct ost_btree *b, unsigned i); /* BBT, level 0 */
struct ost_node ost_btree_node(const struct ost_btree *b, unsigned i);   /* NBT, level 0 */
/* All of them, with those flags, into room for b->count. */
void ost_btree_blocks(const struct ost_btree *b, uint16_t flags, struct ost_block *out);
void ost_btree_nodes(const struct ost_btree *b, uint32_t flags, struct ost_node *out);

#endif
