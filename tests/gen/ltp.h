/*
 * ltp.h: property contexts, for writing (FORMAT.md section 9).
 *
 * Errors are kept in the image. Threads: one.
 */
#ifndef TESTS_GEN_LTP_H
#define TESTS_GEN_LTP_H

#include "io/buf.h"
#include "tests/gen/bag.h"
#include "tests/gen/encode.h"
#include "tests/gen/heap.h"

/* Damage made while writing, with right checksums: what the next property context gets. */
enum object_flaw {
    OBJECT_SOUND,
    OBJECT_HEAP_SIGNATURE,
    OBJECT_HEAP_CLIENT,
    OBJECT_HEAP_MAP,
    OBJECT_HEAP_ROOT,
    OBJECT_BTH_HEADER,    /* B5 is something else */
    OBJECT_VALUE_HID,     /* the first value in the heap names an item that is not there */
    OBJECT_VALUE_SUBNODE, /* the first value in a subnode names one that is not there */
    OBJECT_VALUE_TYPE,    /* the first property has a type that nobody knows */
};

struct ltp {
    struct image *img;
    struct encoder encoder;
    struct heap heap;
    struct buf text; /* the value being encoded */
    enum object_flaw flaw;
};

void ltp_init(struct ltp *w, struct image *img);
void ltp_done(struct ltp *w);

/* Type of a property as this image has it: string8 in ANSI. */
uint16_t ltp_type(const struct ltp *w, uint16_t type);

/* The value as stored, valid until the next call; size to *size. Fixed types up to 8 bytes. */
const uint8_t *ltp_value(struct ltp *w, const struct prop *p, uint32_t codepage, size_t *size);

/*
 * Writes a sorted bag as a property context; values too long for the heap become subnodes in
 * `subs`. Root of the node's data tree.
 */
uint64_t pc_write(struct ltp *w, const struct bag *bag, uint32_t codepage, struct subnodes *subs);

#endif
