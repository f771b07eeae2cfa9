/*
 * columns.h: which fields of a record stand in which column (MANIFEST.md, "Columns").
 *
 * Constant tables. Threads: any.
 */
#ifndef INDEX_COLUMNS_H
#define INDEX_COLUMNS_H

#include <stddef.h>

#include "index/fields.h"
#include "index/manifest.h"

struct idx_csv_column {
    const char *name; /* the field's path */
    enum idx_form form;
    const char *of;
};

/* Columns of a type in CSV, and in lists for people. */
const struct idx_csv_column *idx_csv_columns(enum idx_record type, size_t *count);

struct idx_table_column {
    const char *title;
    const char *path;
    enum idx_form form;
    bool right;    /* a number: to the right, never cut */
    unsigned min;  /* text that may be cut down to this many columns; 0: is not cut */
    unsigned drop; /* left out of a narrow table, the highest first; 0: never */
};

enum { IDX_TABLE_COLUMNS = 10 };

/* Columns of a type's table; NULL: the type is shown as a list. */
const struct idx_table_column *idx_table_columns(enum idx_record type, size_t *count);

#endif
