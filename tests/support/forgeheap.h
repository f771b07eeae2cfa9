/*
 * forgeheap.h: heaps, B-trees on them, property contexts and tables built item by item, for tests
 * that then break them. Everything forged is sound until a test says otherwise.
 */
#ifndef TESTS_SUPPORT_FORGEHEAP_H
#define TESTS_SUPPORT_FORGEHEAP_H

#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/ost/heap.h"
#include "scanner/ost/variant.h"

enum { FORGE_LEAVES = 10, FORGE_ITEMS = 400 };

struct forge_heap {
    const struct ost_variant *v;
    uint8_t client;
    uint32_t root;
    unsigned leaf_count;
    struct forge_heap_leaf {
        uint8_t data[OST_DATA_MAX];
        uint16_t ends[FORGE_ITEMS];
        unsigned count;
        size_t used;
        size_t map;  /* after finishing: offset of its page map */
        size_t size; /* after finishing */
    } leaves[FORGE_LEAVES];
    struct bytes list[FORGE_LEAVES]; /* after finishing */
};

/* On the heap; free with mem_free. */
struct forge_heap *forge_heap_new(enum ost_format format, uint8_t client);
uint32_t forge_heap_add(struct forge_heap *h, const void *data, size_t size); /* its HID */
void forge_heap_leaf(struct forge_heap *h); /* what follows goes into another leaf */
/* Page maps and block headers. */
void forge_heap_finish(struct forge_heap *h, uint32_t root);
struct ost_leaves forge_heap_leaves(struct forge_heap *h);
/* Where the bytes of a HID are. */
uint8_t *forge_heap_at(struct forge_heap *h, uint32_t hid);

/* A BTH without index levels; the HID of its header. */
uint32_t forge_bth(struct forge_heap *h, uint8_t key_size, uint8_t data_size, const void *records,
                   size_t size);
uint32_t forge_bth_header(struct forge_heap *h, uint8_t key_size, uint8_t data_size, uint8_t levels,
                          uint32_t root);

/* A property as it is stored: data (an item of the heap) or, when NULL, `number`. */
struct forge_prop {
    uint16_t id, type;
    uint32_t number;
    const void *data;
    size_t size;
};

/* Records of a property context, 8 bytes each, into `out`. */
void forge_pc_records(struct forge_heap *h, const struct forge_prop *props, size_t count,
                      uint8_t *out);
/* The whole of it: adds and finishes. The heap must be new and of client BC. */
void forge_pc(struct forge_heap *h, const struct forge_prop *props, size_t count);

struct forge_column {
    uint16_t id, type;
    uint16_t offset;
    uint8_t size, bit;
};

/* The TCINFO item; the HID. */
uint32_t forge_tcinfo(struct forge_heap *h, const struct forge_column *columns, unsigned count,
                      uint16_t bitmap_offset, uint16_t row_size, uint32_t rows_hnid);
/* Sets a cell of a row: bit and bytes. */
void forge_cell(uint8_t *row, const struct forge_column *c, uint16_t bitmap_offset, uint64_t value);

#endif
