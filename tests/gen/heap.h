/*
 * heap.h: heap on node, and the B-tree on it, for writing (FORMAT.md section 8).
 *
 * A heap is filled front to back. Its blocks are written as they fill; only the first one, the
 * newest that holds fill levels, and the current one are kept, so that a heap of any size needs
 * three blocks of memory. Items of the first block may be patched until heap_finish.
 *
 * Errors are kept in the image. Threads: one.
 */
#ifndef TESTS_GEN_HEAP_H
#define TESTS_GEN_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "tests/gen/tree.h"

enum {
    HEAP_TABLE = 0x7C,
    HEAP_PROPERTIES = 0xBC,
    HEAP_SIDE = 0xA5,
    HEAP_MID_INDEX = 0x8C,
    HEAP_REPLICAS = 0x6C,
    HEAP_9C = 0x9C,
};

/* Damage made while writing (its checksums are right): what the heap gets when it ends. */
enum heap_flaw {
    HEAP_SOUND,
    HEAP_FLAW_SIGNATURE, /* EC is something else */
    HEAP_FLAW_CLIENT,    /* the client is none that is known */
    HEAP_FLAW_MAP,       /* the page map lies outside the block */
    HEAP_FLAW_ROOT,      /* the root names an item that is not there */
};

struct heap_block {
    uint8_t *bytes;
    size_t capacity;
    uint16_t *ends; /* of item i: ends[i]; ends[0] is where the first starts */
    size_t ends_capacity;
    uint32_t used, items, number;
    uint64_t bid;
};

struct heap {
    struct image *img;
    uint8_t client;
    enum heap_flaw flaw; /* of the heap under way */
    struct heap_block first, levels, plain;
    struct heap_block *current;
    struct data_tree tree;
};

void heap_init(struct heap *h, struct image *img);
void heap_done(struct heap *h);
/* Begins a heap; one heap after another may use the same memory. */
void heap_begin(struct heap *h, uint8_t client);

/* Room for an item, to be filled before the next call; NULL after an error. size may be 0. */
uint8_t *heap_alloc(struct heap *h, uint32_t size, uint32_t *hid);
uint32_t heap_add(struct heap *h, const void *data, uint32_t size);
/* An item of the first block. */
uint8_t *heap_patch(struct heap *h, uint32_t hid);
/* Bytes of the heap's last block if it ended now; for choosing what still fits. */
uint32_t heap_used(const struct heap *h);

/* Ends the heap; the root of its data tree. */
uint64_t heap_finish(struct heap *h, uint32_t root_hid);

/* Records: sorted, key then data, `count` of them. */
struct bth_shape {
    uint8_t key_size, data_size;
};

/* Writes leaves and index levels; patches the header item (8 bytes, in the first block). */
void bth_fill(struct heap *h, uint32_t header_hid, struct bth_shape shape, const uint8_t *records,
              size_t count);

#endif
