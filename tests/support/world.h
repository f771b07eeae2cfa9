/*
 * world.h: a real image in memory with its plan, to be damaged structure by structure: change
 * bytes, make the checksums right again, and see what the structural check says.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "tests/support/images.h"

struct world {
    struct ndbfile file;
    const struct ost_variant *v;
    struct ost_plan plan; /* of the whole image */
    uint8_t *data;        /* a copy, to be changed */
    size_t size;
};

/* What world_check found last. */
extern struct images_check world_findings;

void world_open(struct world *w, const char *path);
void world_close(struct world *w);
/* Checks the copy; fails the running test when that cannot be done. */
void world_check(struct world *w);
/* Makes the copy what the file is. */
void world_restore(struct world *w);
/* Checks, asserts that `code` is found corrupt in [offset, +length) and nothing corrupt elsewhere,
 * and restores. */
void world_expect(struct world *w, enum finding_code code, uint64_t offset, uint64_t length);

/* Make checksums right. */
void world_seal_block(struct world *w, const struct ost_block *b);
void world_seal_page(struct world *w, uint64_t offset);
void world_seal_header(struct world *w);

/* The entry of a key in its leaf page; *page: where that lies. */
uint8_t *world_entry(struct world *w, enum ost_tree tree, uint64_t key, uint64_t *page);
/* Entries i and i + 1 of a page change places; sealed. */
void world_swap(struct world *w, uint64_t page, size_t entry_size, unsigned i);

/* An internal block of that BTYPE and level, named by someone, not compressed, with `least` entries
 * or more. */
const struct ost_block *world_internal(struct world *w, uint8_t type, uint8_t level,
                                       unsigned least);
/* A message whose data is one block that is nobody else's. */
const struct ost_block *world_data(struct world *w, const struct ost_node **owner);

#endif
