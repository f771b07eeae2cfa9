/*
 * tinyimage.h: small whole images in memory, built node by node: blocks, subnode trees, both
 * B-trees, and what a checked header says of them. Sound until a test breaks them.
 */
#ifndef TESTS_SUPPORT_TINYIMAGE_H
#define TESTS_SUPPORT_TINYIMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/ost/btree.h"
#include "scanner/ost/header.h"
#include "scanner/ost/subnode.h"
#include "tests/support/forgeheap.h"

enum { TINY_BLOCKS = 380, TINY_NODES = 290 };

struct tiny {
    const struct ost_variant *v;
    uint8_t *data;
    size_t size, capacity;
    struct ost_block blocks[TINY_BLOCKS]; /* ascending by bid */
    unsigned block_count;
    struct ost_node nodes[TINY_NODES];
    unsigned node_count;
    uint64_t next_bid;
    struct ost_header header; /* after tiny_finish */
};

void tiny_init(struct tiny *t, enum ost_format format);
void tiny_done(struct tiny *t);

/* A data block or (internal) a block of a tree; its bid. */
uint64_t tiny_block(struct tiny *t, const void *data, size_t size, bool internal);
/* A value: a block, or an XBLOCK of full ones. 0 for no bytes. */
uint64_t tiny_value(struct tiny *t, const void *data, size_t size);
/* The leaves of a finished heap as a value; frees the heap. */
uint64_t tiny_heap(struct tiny *t, struct forge_heap *h);
uint64_t tiny_pc(struct tiny *t, const struct forge_prop *props, size_t count);
/* A subnode tree of those entries (ascending nids); its bid. */
uint64_t tiny_subnodes(struct tiny *t, const struct ost_subnode *entries, unsigned count);
void tiny_node(struct tiny *t, uint32_t nid, uint64_t data, uint64_t sub, uint32_t parent);

struct tiny_row {
    uint32_t id;
    uint64_t time;          /* 0x3008; 0: absent */
    const char *key, *list; /* 0x65E2, 0x65E3; NULL: absent */
};

/* A contents table. matrix_nid: the rows are that subnode, 0: in the heap. */
void tiny_contents(struct tiny *t, uint32_t nid, const struct tiny_row *rows, unsigned count,
                   uint32_t matrix_nid);

/* Where a block's extent is, to break it. */
uint8_t *tiny_at(struct tiny *t, uint64_t bid);

/* Writes the B-trees. The image is t->data, t->size bytes; the header's own bytes are zero. */
void tiny_finish(struct tiny *t);

#endif
