/*
 * table.h: rows of cells as an aligned table of a given width.
 *
 * Threads: a table belongs to one thread. Memory: the rows until its widths are decided.
 */
#ifndef INDEX_TABLE_H
#define INDEX_TABLE_H

#include <stddef.h>

#include "index/columns.h"
#include "io/buf.h"

struct idx_cell {
    size_t at, size;
};

struct idx_table {
    const struct idx_table_column *columns;
    size_t count;
    size_t width;     /* of the terminal; 0: no bound */
    struct buf text;  /* of the rows held back, quoted */
    struct buf cells; /* struct idx_cell, `count` a row */
    size_t rows;      /* held back */
    bool decided;     /* widths are fixed and the titles are out */
    size_t widths[IDX_TABLE_COLUMNS];
    bool dropped[IDX_TABLE_COLUMNS];
};

void idx_table_init(struct idx_table *t, const struct idx_table_column *columns, size_t count,
                    size_t width);
void idx_table_done(struct idx_table *t);

/* Holds back the row of a record. Errors: text.failed, cells.failed. */
void idx_table_add(struct idx_table *t, const struct idx_fields *f);

/* Appends the rows held back, with titles before the first ones, whose widths decide. */
void idx_table_flush(struct idx_table *t, struct buf *out);

#endif
