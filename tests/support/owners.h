/*
 * owners.h: which items of a healthy image rest on which of its bytes.
 *
 * An item rests on the blocks of its node and of the contents table that lists it, on the B-tree
 * pages that lead to nodes and blocks, and on the roots in the header; all items on the map of
 * named properties and, for their code page, on the store. Failures fail the running test. Threads:
 * one.
 */
#ifndef TESTS_SUPPORT_OWNERS_H
#define TESTS_SUPPORT_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/ndbfile.h"

struct owners {
    const struct ndbfile *file;
    struct ost_plan plan;
    struct owner_link { /* sorted by place, each once */
        uint32_t block; /* its place in the plan */
        uint32_t nid;   /* of a message node; 0: all rest on it */
    } * links;
    size_t link_count, link_room;
    uint32_t *items; /* nids of all message nodes, ascending */
    size_t item_count;
};

void owners_init(struct owners *o, const struct ndbfile *f);
void owners_done(struct owners *o);

/* Marks (by place in o->items) the items that rest on the bytes [from, to). */
void owners_mark(const struct owners *o, uint64_t from, uint64_t to, bool *touched);

#endif
