/*
 * image.h: the node database of an image that is being written: blocks, nodes, trees, header.
 *
 * A block gets its BID first (image_bid), then its bytes (image_put), so that what refers to a
 * block may be written before it. Reference counts are kept as references are made. Nodes are
 * collected, and both B-trees, the allocation pages and the header are written by image_finish.
 *
 * Errors are kept: after the first one calls do nothing; image_error tells it, and so does
 * image_finish. Memory: 24 bytes a block, 32 a node.
 * Threads: one.
 */
#ifndef TESTS_GEN_IMAGE_H
#define TESTS_GEN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

#include "io/buf.h"
#include "tests/gen/rng.h"
#include "tests/gen/space.h"
#include "tests/gen/variant.h"

enum block_kind { BLOCK_DATA, BLOCK_XBLOCK, BLOCK_XXBLOCK, BLOCK_SLBLOCK, BLOCK_SIBLOCK };
enum block_state { BLOCK_UNUSED, BLOCK_LIVE, BLOCK_DELETED };

struct gen_block {
    uint64_t ib; /* once placed; before that its place in the spool */
    uint32_t owner;
    uint16_t stored, inflated, refs;
    uint8_t kind, state;
};

struct gen_node {
    uint32_t nid, parent;
    uint64_t data, sub;
    bool deleted;
};

/* A B-tree page that was written. stale: in free space, of an earlier state. */
struct gen_page {
    uint64_t ib, bid;
    uint64_t first_key;
    uint8_t type, level;
    uint16_t entries;
    bool stale;
};

struct image_options {
    const char *path;
    enum gen_format format;
    enum gen_crypt crypt;
    enum gen_content content;
    bool compress;
    bool compress_always; /* against the rule: whatever came of it, if another size */
    uint64_t seed;
    uint32_t fragment_percent;
    uint32_t xblock_children_max; /* 0: as many as fit */
    bool plain_internal;          /* internal blocks stay uncompressed */
};

/* What a stale page remembers: the blocks and nodes that were newest at some moment. */
struct snapshot {
    size_t blocks, nodes;
};

struct image {
    const struct variant *variant;
    struct image_options options;
    int fd, spool_fd;
    int error;
    struct space space;
    struct rng rng; /* placing, pads and junk; never content */
    struct gen_block *blocks;
    size_t block_count, block_capacity;
    struct gen_node *nodes;
    size_t node_count, node_capacity;
    struct gen_page *pages;
    size_t page_count, page_capacity;
    uint64_t *slots; /* page places reserved between the blocks */
    size_t slot_count, slot_capacity, slot_next;
    struct snapshot *snapshots;
    size_t snapshot_count, snapshot_capacity;
    uint32_t slot_countdown;
    uint32_t owner;
    uint32_t highest[32]; /* per type of NID, the highest index handed out */
    uint64_t page_bid_next;
    uint64_t spool_size;
    uint64_t stored_bytes, inflated_bytes; /* of data blocks, for the summary */
    struct held *held;
    size_t held_count, held_capacity;
    struct buf held_data;
    bool holding;
    z_stream deflater;
    uint8_t *scratch, *scratch2;
    uint64_t root_nbt[2], root_bbt[2]; /* bid, ib */
    uint8_t header[564];
};

int image_create(const struct image_options *options, struct image **out);
void image_destroy(struct image *img); /* NULL is allowed; closes the file */
int image_error(const struct image *img);
void image_fail(struct image *img, int error); /* the first one stays */

/* BIDs and NIDs */
uint64_t image_bid(struct image *img, bool internal);
uint32_t image_nid(struct image *img, uint32_t type); /* the next of that type */
void image_nid_seen(struct image *img, uint32_t nid); /* one that was not handed out so */

/* The node that blocks written from now on belong to (for the truth). */
void image_owner(struct image *img, uint32_t nid);

/* Writes the block; size 1..block_max. */
void image_put(struct image *img, uint64_t bid, enum block_kind kind, const void *data,
               size_t size);
/* image_bid and image_put of external data. Returns the BID. */
uint64_t image_put_data(struct image *img, const void *data, size_t size);
void image_ref(struct image *img, uint64_t bid); /* one more reference; 0 is allowed */

/*
 * Between hold and release blocks wait, and leave in another order: as they came, reversed (what
 * refers comes before what it refers to), or shuffled. More than 1 MiB is not held.
 */
enum hold_order { HOLD_AS_IS, HOLD_REVERSED, HOLD_SHUFFLED };
void image_hold(struct image *img);
void image_release(struct image *img, enum hold_order order);

/* A node of the node B-tree; counts its references. */
void image_node(struct image *img, uint32_t nid, uint64_t data, uint64_t sub, uint32_t parent);

/*
 * Deletes what was written since `mark` (blocks and nodes): the bytes stay in free space, stale
 * pages name them, the trees do not. Nothing else may refer to it, nor it to anything older.
 */
struct snapshot image_mark(const struct image *img);
void image_drop(struct image *img, struct snapshot mark);
/* Remembers this moment for a set of stale pages. */
void image_checkpoint(struct image *img);

uint64_t image_bytes(const struct image *img); /* placed or spooled so far */

/* Places what is spooled, writes trees, allocation pages and header. */
int image_finish(struct image *img);

/* Index of a BID in img->blocks. */
static inline size_t image_index(uint64_t bid)
{
    return (size_t)(bid >> 2);
}

bool image_internal(enum block_kind kind);
uint64_t image_bid_at(const struct image *img, size_t index);

/* Array growth with the image's sticky error; used by image.c and btree.c. */
void *image_grow(struct image *img, void *array, size_t *capacity, size_t count, size_t item);

/* btree.c: writes one of the two trees from sorted entries; root bid and ib to root. */
void btree_write(struct image *img, uint8_t type, uint64_t root[2]);
void btree_write_stale(struct image *img);
/* Where the next page goes; anywhere: not the next reserved place but any of them. */
uint64_t image_page_slot(struct image *img, bool anywhere);

/* header.c */
void header_write(struct image *img);
void density_list_write(struct image *img);

#endif
