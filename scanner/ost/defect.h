/*
 * defect.h: what is wrong with one structure, as values.
 *
 * A structure's check adds what it found to a set; who asked for the check makes findings of it,
 * with the structure's offset and what else he knows. Of each kind a set keeps the first.
 *
 * Threads: plain data.
 */
#ifndef SCANNER_OST_DEFECT_H
#define SCANNER_OST_DEFECT_H

#include <stdbool.h>
#include <stdint.h>

enum ost_defect_kind {
    /* any page: its trailer. `at` is the field's offset in the page */
    OST_PAGE_TYPE,        /* ptype */
    OST_PAGE_TYPE_REPEAT, /* ptypeRepeat */
    OST_PAGE_SIG,
    OST_PAGE_BID,
    OST_PAGE_CRC,
    OST_PAGE_CONSTANT, /* K: the u64 that is 1 in every page */

    /* a B-tree page: its counters and entries */
    OST_BTREE_COUNT,      /* cEnt above what fits; expected: the most */
    OST_BTREE_MAX,        /* cEntMax */
    OST_BTREE_ENTRY_SIZE, /* cbEnt */
    OST_BTREE_LEVEL,      /* cLevel; expected: the parent's less one, of a root the bound */
    OST_BTREE_EMPTY,      /* no entries, and not the root */
    OST_BTREE_KEY_ORDER,  /* a key not above the one before (expected: that) */
    OST_BTREE_KEY_RANGE,  /* a key outside its parent's range; expected: the bound it breaks */
    OST_BTREE_KEY_FIRST,  /* the first key is not the parent's for this page */
    OST_BTREE_NID_HIGH,   /* the upper half of a 64-bit nid is not zero */

    /* the place that a reference to a page names */
    OST_PAGE_OUTSIDE,    /* beyond the end of the file (expected: its size) */
    OST_PAGE_UNALIGNED,  /* expected: the alignment */
    OST_PAGE_TWICE,      /* referred to by two entries */
    OST_PAGE_TOO_MANY,   /* more pages than the file has room for (expected) */
    OST_PAGE_UNREADABLE, /* the source gave no bytes; actual: minus the code (err.h) */

    /* a block: its trailer. `at` is the field's offset in the block */
    OST_BLOCK_SIZE, /* cb against the BBT's; or a BBT size beyond the variant's most (at 0) */
    OST_BLOCK_SIG,
    OST_BLOCK_BID,
    OST_BLOCK_CRC,
    OST_BLOCK_INFLATED, /* K: cb_inflated against the BBT's */
    OST_BLOCK_CONSTANT, /* K: the u16 that is 2 in every block */
    OST_BLOCK_ZERO,     /* K: the u32 that is 0 in every block */

    /* XBLOCK and XXBLOCK, SLBLOCK and SIBLOCK. `at` is the field's offset in the decoded block */
    OST_TREE_SHORT,      /* too few bytes for its header (expected) */
    OST_TREE_TYPE,       /* btype */
    OST_TREE_LEVEL,      /* cLevel */
    OST_TREE_COUNT,      /* cEnt above what the block holds (expected) */
    OST_TREE_DANGLING,   /* a bid (actual) that the BBT does not have */
    OST_TREE_UNREADABLE, /* a bid (actual) whose block could not be had */
    OST_TREE_CHILD_KIND, /* a bid (actual) that is internal where data must be, or the reverse */
    OST_TREE_LEAF_SIZE,  /* a leaf but the last is not full (expected: full size) */
    OST_TREE_TOTAL,      /* lcbTotal (expected) against the sum of what lies below (actual) */
    OST_SUBNODE_ORDER,   /* a nid not above the one before (expected: that) */
    OST_SUBNODE_RANGE,   /* a nid below its SIBLOCK entry's, or not below the next one's */

    OST_DEFECT_KINDS
};

struct ost_defect {
    enum ost_defect_kind kind;
    uint32_t at; /* offset in the structure, or 0 */
    uint64_t expected, actual;
    uint64_t bid; /* of the structure, where the set is about several (trees); else 0 */
};

enum { OST_DEFECTS_MAX = 16 };

struct ost_defects {
    unsigned count;
    uint64_t bid; /* of the structure now being checked; given to each defect added */
    struct ost_defect list[OST_DEFECTS_MAX];
};

/* None yet. The list is left as it is: most sets stay empty, and this is done for each block. */
static inline void ost_defects_begin(struct ost_defects *d)
{
    d->count = 0;
    d->bid = 0;
}

/* A short name, e.g. "page_crc". Static. */
const char *ost_defect_name(enum ost_defect_kind kind);

/* Adds one, unless the set has that kind already. */
void ost_defects_add(struct ost_defects *d, enum ost_defect_kind kind, uint32_t at,
                     uint64_t expected, uint64_t actual);
bool ost_defects_has(const struct ost_defects *d, enum ost_defect_kind kind);
/* Adds when the two differ. */
void ost_defects_compare(struct ost_defects *d, enum ost_defect_kind kind, uint32_t at,
                         uint64_t expected, uint64_t actual);

/* What may be believed of a structure of which `d` was found. */
enum ost_trust {
    OST_TRUST_SOUND,   /* its content is what was written there */
    OST_TRUST_SUSPECT, /* it is the right structure, with content that was changed somewhere */
    OST_TRUST_NONE,    /* another structure, or none */
};

#endif
