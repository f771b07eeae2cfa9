/*
 * reading.h: one object (item, folder, store) being read: where its bytes come from, where what is
 * made of them lives, and what was wrong with it.
 *
 * Bytes of blocks are handed out in place and held until ost_reading_end; everything else lives in
 * the arena, which the owner resets after that. Damage is noted once for each code and place, as a
 * finding to the sink and, of items, as an entry of a damage list.
 *
 * Errors: all int functions return 0 or a code that ends the reading of this object (ERR_LIMIT: of
 * the arena or of what the image may hand out) or of the image (ERR_NOMEM, codes of the blocks).
 * What the sink returns is kept in `sink_code`, for whoever runs the reading.
 * Threads: one.
 */
#ifndef SCANNER_OST_READING_H
#define SCANNER_OST_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/arena.h"
#include "scanner/finding.h"
#include "scanner/ost/blocks.h"
#include "scanner/ost/datatree.h"
#include "scanner/ost/digested.h"
#include "scanner/ost/heap.h"
#include "scanner/ost/item.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/sourceblocks.h"
#include "scanner/ost/subnode.h"

struct ost_damages {
    struct ost_damage *list; /* OST_LIMIT_DAMAGE of them, in the arena; NULL: none yet */
    size_t count;
};

struct ost_reading {
    const struct ost_variant *variant;
    const struct ost_blocks *blocks;
    struct arena *arena;
    void *ctx;
    int (*finding)(void *ctx, const struct finding *f); /* may be NULL */

    uint32_t nid;    /* of the object, told with every finding */
    uint32_t folder; /* of an item, or the folder itself; 0: none */
    bool is_item;
    bool quiet;    /* neither findings nor damage */
    unsigned told; /* findings about this object's own parts, at most OST_LIMIT_DAMAGE */

    const struct ost_digests *digests; /* NULL: nothing was digested before */
    struct ost_damages damages;        /* of the item at hand; embedded items swap it */
    int sink_code;
    struct ost_held *held;
};

/* Begins another object; the one before was ended. */
void ost_reading_begin(struct ost_reading *r, uint32_t nid, uint32_t folder, bool is_item);
/* Gives all blocks back. */
void ost_reading_end(struct ost_reading *r);

/* Notes damage of the object at hand. detail: static text, or NULL. */
void ost_reading_damage(struct ost_reading *r, enum finding_code code, const char *detail);
/* The same of a part with a number of its own, e.g. a property's id. */
void ost_reading_damage_of(struct ost_reading *r, enum finding_code code, uint64_t part,
                           const char *detail);
/* Notes what keeps a heap (its client: enum ost_heap_client) from being read, where that has a code
 * of its own. */
void ost_reading_heap_fault(struct ost_reading *r, struct ost_leaves leaves, uint8_t client);
/* Damage of the item at hand that was told already. */
void ost_reading_mark(struct ost_reading *r, enum finding_code code);
/* A finding about another object, no damage of this one. */
void ost_reading_find(struct ost_reading *r, enum finding_code code, uint32_t nid);
/* Defects of a data tree or a subnode tree; each names its block. lost: bytes are missing. */
void ost_reading_tree_defects(struct ost_reading *r, const struct ost_defects *defects,
                              bool subnodes, bool lost);
/* To be ost_sourceblocks_options.trouble, with the reading as its ctx. */
void ost_reading_block_trouble(void *ctx, const struct ost_block_trouble *t);

/* The data blocks of a value, in order, not read yet. */
struct ost_extent {
    const struct ost_block **blocks; /* NULL entries: lost */
    size_t count;
    uint64_t bytes; /* decoded, of those not lost */
    bool lost;      /* something is missing */
};

int ost_reading_extent(struct ost_reading *r, uint64_t root, struct ost_extent *out);

/* Its leaves, all read and held. Lost ones are empty. */
int ost_reading_leaves(struct ost_reading *r, uint64_t root, struct ost_leaves *out);

/* The leaves of an extent read one by one, the last one asked for held, or known to be lost. */
struct ost_pager {
    struct ost_reading *reading;
    struct ost_extent extent;
    size_t index;
    struct bytes bytes;
    bool held, lost;
};

void ost_pager_init(struct ost_pager *p, struct ost_reading *r, struct ost_extent extent);
struct ost_leaves ost_pager_leaves(struct ost_pager *p);
void ost_pager_done(struct ost_pager *p);

/* A value on end. 1: *out; 0: it cannot be had whole, or is larger than `most`; or a code. */
int ost_reading_value(struct ost_reading *r, uint64_t root, uint64_t most, struct bytes *out);

/* A value part by part, but for the leaves that r->digests has handed over. *whole: all of it was.
 * 0 or a code. */
int ost_reading_stream(struct ost_reading *r, uint64_t root, size_t had, void *ctx,
                       void (*part)(void *ctx, struct bytes part), bool *whole);

/* The subnodes of an object, ascending by nid, each once (the first of equal ones). */
struct ost_subnodes {
    const struct ost_subnode *list;
    size_t count;
    bool lost; /* some may be missing */
};

int ost_reading_subnodes(struct ost_reading *r, uint64_t root, struct ost_subnodes *out);
const struct ost_subnode *ost_subnodes_find(const struct ost_subnodes *s, uint32_t nid);

#endif
