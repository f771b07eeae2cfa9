/*
 * table.h: table contexts, for writing (FORMAT.md section 10).
 *
 * Rows come in ascending order of their id. Heap blocks and rows leave as their blocks fill, so a
 * table of a million rows takes a few blocks of memory and four bytes a row.
 *
 * Errors are kept in the image. Threads: one.
 */
#ifndef TESTS_GEN_TABLE_H
#define TESTS_GEN_TABLE_H

#include "tests/gen/ltp.h"

enum { TABLE_COLUMNS = 64 };

/* Columns in the order of their existence bits; TABLE_ROW_ID and TABLE_ROW_VERSION first. */
#define TABLE_ROW_ID      0x67F20003u
#define TABLE_ROW_VERSION 0x67F30003u

struct table_columns {
    uint32_t tags[TABLE_COLUMNS];
    uint16_t offsets[TABLE_COLUMNS];
    uint8_t sizes[TABLE_COLUMNS];
    uint16_t ends[4];
    size_t count;
};

/* Lays out the columns; text tags (type 001F) become string8 where `wide` is false. */
void table_columns_init(struct table_columns *c, const uint32_t *tags, size_t count, bool wide);

struct table {
    struct ltp *ltp;
    const struct table_columns *columns;
    bool side_heaps; /* contents table of a 4k OST */
    struct heap heap, side[2];
    struct data_tree matrix;
    uint8_t *rows; /* of the block under way */
    size_t rows_size, rows_capacity;
    bool in_tree;
    uint32_t *ids;
    size_t row_count, id_capacity;
    uint32_t header, info; /* heap items */
    uint32_t version;
    uint8_t row[1024];
    struct subnodes subs;
};

void table_begin(struct table *t, struct ltp *ltp, const struct table_columns *columns,
                 bool side_heaps);
void table_done(struct table *t);

void table_row(struct table *t, uint32_t id);
/* Sets the cell of column number `column` (absent unless set). */
void table_cell(struct table *t, size_t column, const struct prop *p, uint32_t codepage);
void table_row_end(struct table *t);
/* Sets the cell of the column with that tag, if the table has it. */
void table_fixed(struct table *t, uint32_t tag, uint64_t value);

/* Writes what is left: the node's data and subnode roots. */
void table_finish(struct table *t, uint64_t *data, uint64_t *sub);

#endif
