/*
 * props.h: the properties of an object: of a node's or subnode's property context, and of a row of
 * a table, with every value resolved.
 *
 * One bad property costs that property (damage property_failed).
 * Ownership: all lives until the reading's end and its arena's reset. Threads: one.
 * Errors: ERR_DAMAGED: no property context (or table) at all; else as reading.h.
 */
#ifndef SCANNER_OST_PROPS_H
#define SCANNER_OST_PROPS_H

#include "scanner/ost/namemap.h"
#include "scanner/ost/pc.h"
#include "scanner/ost/reading.h"
#include "scanner/ost/tc.h"

struct ost_object {
    struct ost_props props;
    struct ost_subnodes subnodes;
    const struct ost_pc_entry *data; /* the property left out of props, unresolved; NULL: none */
};

/* roots: the object's node (its nid does not matter). left_out: a property id, or 0. */
int ost_object_read(struct ost_reading *r, const struct ost_namemap *names,
                    struct ost_subnode roots, uint16_t left_out, struct ost_object *out);

/* A small table, of which all rows are wanted: recipients, attachments, receive folders. */
struct ost_small_table {
    struct ost_table table;
    struct ost_heap heap;
    struct ost_subnodes subnodes;
    struct ost_leaves rows;            /* of the matrix */
    uint16_t order[OST_LIMIT_COLUMNS]; /* columns by id, one of each */
    unsigned order_count;
    bool lost; /* rows are missing */
};

int ost_small_table_open(struct ost_reading *r, struct ost_subnode roots,
                         struct ost_small_table *out);
/* All its cells that are there. */
int ost_small_table_row(struct ost_reading *r, const struct ost_namemap *names,
                        const struct ost_small_table *t, struct bytes row, struct ost_props *out);

/* Goes through the rows: *leaf and *n begin at 0. False: no more. */
bool ost_small_table_next(const struct ost_small_table *t, size_t *leaf, size_t *n,
                          struct bytes *row);

/* The row's id (0x67F2), 0 where the table has none. */
uint32_t ost_table_row_id(const struct ost_table *t, struct bytes row);

/* A copy that lives in an arena by itself, without names of its own. */
int ost_props_copy(struct arena *arena, struct ost_props props, struct ost_props *out);

/* A number property, or `otherwise`. */
uint32_t ost_props_u32(struct ost_props props, uint16_t id, uint32_t otherwise);

/* The code page of the object's 8-bit text (codepage.h), `otherwise` where it does not say. */
uint32_t ost_props_codepage(struct ost_props props, uint32_t otherwise);

#endif
