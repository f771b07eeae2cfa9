/*
 * bth.h: the B-tree on a heap: records of a fixed key and data size.
 *
 * FORMAT.md section 8 ([MS-PST] 2.3.2). Iteration in stored order with an explicit stack; lookup by
 * scan of one path. Third-party writers store keys out of order: iteration does not mind, and tells
 * (`unordered`); a lookup that finds nothing by search scans before it says so.
 *
 * Ownership, threads: as the heap's. Errors: ERR_DAMAGED; one bad record list costs its subtree
 * (iteration goes on behind it and sets `damaged`).
 */
#ifndef SCANNER_OST_BTH_H
#define SCANNER_OST_BTH_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/ost/heap.h"
#include "scanner/ost/limits.h"

struct ost_bth {
    const struct ost_heap *heap;
    uint8_t key_size;  /* 2, 4, 8 or 16 */
    uint8_t data_size; /* 1 to 32 */
    uint8_t levels;    /* 0: the root holds records */
    uint32_t root;     /* 0: empty */
};

/* header_hid: the item that holds the BTH's header. An empty item there is an empty tree: real
 * files have it behind a table's row index. */
int ost_bth_open(const struct ost_heap *heap, uint32_t header_hid, struct ost_bth *out);

struct ost_bth_iter {
    const struct ost_bth *tree;
    struct {
        struct bytes records;
        size_t next; /* offset of the next record in `records` */
    } level[OST_LIMIT_BTH_LEVELS + 1];
    unsigned depth; /* levels in use; 0: at the end */
    uint64_t steps; /* records and index entries that may still be passed */
    int err;        /* of the environment, ends the iteration */
    bool damaged;   /* something was left out */
};

void ost_bth_begin(const struct ost_bth *tree, struct ost_bth_iter *it);

/* The next record: key then data, key_size + data_size bytes. False at the end: see err, damaged.
 */
bool ost_bth_next(struct ost_bth_iter *it, const uint8_t **record);

/* The records that follow each other from the next one on: a multiple of key_size + data_size bytes.
 * False as ost_bth_next. */
bool ost_bth_next_run(struct ost_bth_iter *it, struct bytes *records);

/* Keys of up to 8 bytes as an integer. */
uint64_t ost_bth_key(const struct ost_bth *tree, const uint8_t *record);

#endif
