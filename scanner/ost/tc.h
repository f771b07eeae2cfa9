/*
 * tc.h: the table context: rows of cells, as in contents, recipient and attachment tables.
 *
 * FORMAT.md section 10 ([MS-PST] 2.3.4). Opening reads the description of the columns; rows are
 * taken from the row matrix by number. The existence bitmap decides whether a cell is there.
 *
 * Ownership: a view points into the heap's leaves. Threads: pure. Errors: ERR_DAMAGED, and codes of
 * the blocks.
 */
#ifndef SCANNER_OST_TC_H
#define SCANNER_OST_TC_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/ost/heap.h"
#include "scanner/ost/item.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/pc.h"

enum { OST_TC_ROW_ID = 0x67F2 };

struct ost_column {
    uint16_t id;
    uint16_t type;
    uint16_t offset; /* of the cell in the row */
    uint8_t size;    /* of the cell */
    uint8_t bit;     /* in the existence bitmap */
};

struct ost_table {
    const struct ost_heap *heap;
    uint16_t row_size;
    uint16_t bitmap_offset; /* of the existence bitmap in the row */
    uint16_t column_count;
    bool maimed;            /* a column that lies outside the row was left out */
    uint32_t row_index_hid; /* of the BTH row id → row number */
    uint32_t rows_hnid;     /* 0: no rows; an HID; or the subnode of the matrix */
    struct ost_column columns[OST_LIMIT_COLUMNS];
};

int ost_table_open(const struct ost_heap *heap, struct ost_table *out);

/* The column of that id and type (0: any type; string types match each other), or NULL. */
const struct ost_column *ost_table_column(const struct ost_table *t, uint16_t id, uint16_t type);

/* Rows that a leaf of the matrix of `size` bytes holds: rows never cross a leaf. */
size_t ost_table_rows_in(const struct ost_table *t, size_t size);

/* Row number `n` of a leaf; false when it is not wholly inside. */
bool ost_table_row(const struct ost_table *t, struct bytes leaf, size_t n, struct bytes *row);

/* The cell's stored bytes; false when the row does not have it. `row` is row_size bytes. */
static inline bool ost_table_cell(const struct ost_table *t, const struct ost_column *c,
                                  struct bytes row, struct bytes *cell)
{
    uint8_t bitmap = row.data[t->bitmap_offset + c->bit / 8];

    return (bitmap & 0x80 >> c->bit % 8) && bytes_slice(row, c->offset, c->size, cell);
}

/* True if the cell of this type is an HNID and not the value itself. */
static inline bool ost_table_is_reference(const struct ost_column *c)
{
    unsigned width = ost_type_width(c->type);

    return (c->type & OST_MULTI) || width == 0 || width > 8;
}

#endif
