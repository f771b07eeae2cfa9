/*
 * bag.h: a set of properties in a form that no target has changed yet.
 *
 * Text is UTF-8 here, whatever the image will hold; multi-valued text is its strings, each with
 * its NUL. Values belong to the arena they were made in; a bag only points.
 *
 * Threads: one.
 */
#ifndef TESTS_GEN_BAG_H
#define TESTS_GEN_BAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/arena.h"

enum prop_type {
    T_I16 = 0x0002,
    T_I32 = 0x0003,
    T_F64 = 0x0005,
    T_BOOL = 0x000B,
    T_OBJECT = 0x000D,
    T_I64 = 0x0014,
    T_TEXT = 0x001F,
    T_TIME = 0x0040,
    T_GUID = 0x0048,
    T_BIN = 0x0102,
    T_MULTI_I32 = 0x1003,
    T_MULTI_TEXT = 0x101F,
    T_MULTI_BIN = 0x1102, /* u32 count, u32 offsets, data: as stored */
};

struct prop {
    uint16_t id, type;
    uint32_t size;  /* bytes at data; 0 for what is in fixed */
    uint64_t fixed; /* up to 8 bytes; or the BID of data written ahead, where `written` */
    const void *data;
    bool written;
};

enum { BAG_MAX = 1100 }; /* what a property context's writer takes */

struct bag {
    struct arena *arena;
    struct prop *list;
    size_t count, capacity;
    bool failed;
};

void bag_init(struct bag *b, struct arena *arena, size_t capacity);

void bag_fixed(struct bag *b, uint16_t id, uint16_t type, uint64_t value);
void bag_data(struct bag *b, uint16_t id, uint16_t type, const void *data,
              size_t size);                                                             /* copies */
void bag_own(struct bag *b, uint16_t id, uint16_t type, const void *data, size_t size); /* points */
void bag_text(struct bag *b, uint16_t id, const char *text);
/* A value whose bytes are already in the image under `bid`. */
void bag_written(struct bag *b, uint16_t id, uint16_t type, uint64_t bid, uint32_t size);

static inline void bag_i32(struct bag *b, uint16_t id, uint32_t value)
{
    bag_fixed(b, id, T_I32, value);
}

static inline void bag_bool(struct bag *b, uint16_t id, bool value)
{
    bag_fixed(b, id, T_BOOL, value);
}

static inline void bag_time(struct bag *b, uint16_t id, uint64_t filetime)
{
    bag_fixed(b, id, T_TIME, filetime);
}

/* Ascending ids; of several with one id the last one given stays. */
void bag_sort(struct bag *b);
/* In a sorted bag. NULL: none. */
const struct prop *bag_find(const struct bag *b, uint16_t id);
/* Before sorting. */
void bag_remove(struct bag *b, uint16_t id);

/* Size of a type's value where it is fixed, 0 where it varies. */
uint32_t prop_fixed_size(uint16_t type);

#endif
