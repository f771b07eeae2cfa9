/*
 * itemprint.h: what an engine said of an item, in a few bytes, to be held against what another one
 * says: a checksum of each of its parts.
 *
 * Left out is what libpff cannot tell (scanner/ref): cells of recipients that are empty or zero,
 * which it takes for absent; of 4k images, values that are empty or take more than one block, which
 * it may hand out as empty.
 *
 * Threads: a maker belongs to one thread.
 */
#ifndef SCANNER_APP_ITEMPRINT_H
#define SCANNER_APP_ITEMPRINT_H

#include <stdint.h>

#include "scanner/ost/header.h"
#include "scanner/ost/item.h"

enum itemprint_part {
    PRINT_PROPERTIES,
    PRINT_ROW, /* from the contents table's row */
    PRINT_RECIPIENTS,
    PRINT_ATTACHMENTS, /* with the items embedded in them */
    PRINT_PARTS
};

struct itemprint {
    uint64_t part[PRINT_PARTS];
};

struct itemprint_maker;

int itemprint_create(enum ost_format format, struct itemprint_maker **out); /* ERR_NOMEM */
void itemprint_destroy(struct itemprint_maker *m);                          /* NULL is allowed */

void itemprint_make(struct itemprint_maker *m, const struct ost_item *item, struct itemprint *out);

#endif
