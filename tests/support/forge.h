/*
 * forge.h: pages and blocks of a node database built field by field, for tests that then break
 * them; and small images of them in memory.
 *
 * Everything forged is sound until a test says otherwise. Failed allocations fail the test.
 */
#ifndef TESTS_SUPPORT_FORGE_H
#define TESTS_SUPPORT_FORGE_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/btree.h"
#include "scanner/ost/variant.h"

/* All three, for loops. */
extern const enum ost_format forge_formats[3];

/* An id of the variant's width. */
void forge_id(const struct ost_variant *v, uint8_t *at, uint64_t id);

/* Fills the trailer of a page: type, signature, bid, constant and, last, the checksum. */
void forge_seal(const struct ost_variant *v, uint8_t *page, uint8_t type, uint64_t bid,
                uint64_t offset);

/* Counters and entries of a B-tree page; entries are put one by one and the page sealed last. */
void forge_counters(const struct ost_variant *v, uint8_t *page, enum ost_tree tree, unsigned level,
                    unsigned count);
void forge_branch(const struct ost_variant *v, uint8_t *page, unsigned i, uint64_t key,
                  struct ost_bref child);
void forge_block_entry(const struct ost_variant *v, uint8_t *page, unsigned i,
                       const struct ost_block *block);
void forge_node_entry(const struct ost_variant *v, uint8_t *page, unsigned i,
                      const struct ost_node *node);

/* Puts a block's stored bytes, zero padding and trailer at `extent`; returns its extent. */
uint32_t forge_block(const struct ost_variant *v, uint8_t *extent, const struct ost_block *block,
                     const void *stored);

/* Decoded internal blocks, of which each returns the size. */
size_t forge_xblock(const struct ost_variant *v, uint8_t *out, unsigned level, uint32_t total,
                    const uint64_t *bids, unsigned count);
size_t forge_slblock(const struct ost_variant *v, uint8_t *out, unsigned count); /* entries zero */
void forge_sl_entry(const struct ost_variant *v, uint8_t *out, unsigned i, uint64_t nid,
                    uint64_t data, uint64_t sub);
size_t forge_siblock(const struct ost_variant *v, uint8_t *out, unsigned count);
void forge_si_entry(const struct ost_variant *v, uint8_t *out, unsigned i, uint64_t nid,
                    uint64_t bid);

/* An image that grows page by page; page offsets are remembered in the order of building. */
struct forge_image {
    const struct ost_variant *variant;
    uint8_t *data;
    size_t size, capacity;
    struct ost_bref *pages;
    size_t page_count;
    uint64_t next_bid;
};

void forge_image_init(struct forge_image *f, const struct ost_variant *v);
void forge_image_done(struct forge_image *f);
uint8_t *forge_page_at(struct forge_image *f, uint64_t offset);
/* Places a page, leaving `skip` pages unused before it. */
struct ost_bref forge_add_page(struct forge_image *f, const uint8_t *page, enum ost_tree tree,
                               unsigned skip);

/*
 * A whole B-tree of `count` entries with `fill` entries a page (at most the variant's most); keys
 * are 4, 8, 12 ... Leaves are placed in an order that is not that of their keys. Returns the root.
 */
struct ost_bref forge_tree(struct forge_image *f, enum ost_tree tree, unsigned count,
                           unsigned fill);

#endif
