/*
 * rows.h: what the contents tables of all folders say of their items: that they are listed, and
 * the properties that messages lack (0x3008, 0x65E2, 0x65E3).
 *
 * A table is read in two passes: over its matrix, collecting row ids, times and heap ids; and over
 * its heap in order of blocks, fetching the change keys and lists. Kept are 24 bytes a row and the
 * values, of rows alone that name an item of their folder; others are findings (row_without_item).
 * Of the values `memory_bytes` stay in memory, the rest goes to a temporary file (io/spill.h).
 *
 * Threads: one loads; sealed ones may be read by many. Errors: ERR_NOMEM, ERR_DAMAGED (no table
 * that could be read), codes of the blocks and of the temporary file.
 */
#ifndef SCANNER_OST_ROWS_H
#define SCANNER_OST_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/plan.h"
#include "scanner/ost/reading.h"

struct ost_rows;

int ost_rows_create(const struct ost_plan *plan, uint64_t memory_bytes, struct ost_rows **out);
void ost_rows_destroy(struct ost_rows *r); /* NULL is allowed */

/*
 * Reads a contents table (`roots`: its node) of `folder`; reading: begun. *count: its rows. Lost
 * rows are damage table_failed of the folder, and *lost. ERR_LIMIT: tables list more rows than
 * there are nodes.
 */
int ost_rows_load(struct ost_rows *rows, struct ost_reading *r, struct ost_subnode roots,
                  uint32_t folder, uint64_t *count, bool *lost);

/* When all tables are loaded; then rows may be looked up. Codes of the temporary file. */
int ost_rows_seal(struct ost_rows *rows);

/* The row of an item in its folder's table, or SIZE_MAX. */
size_t ost_rows_find(const struct ost_rows *rows, uint32_t item, uint32_t folder);

/*
 * The properties of a row that are not among `have`; reading: the item's. One that cannot be read
 * is damage property_failed.
 */
int ost_rows_props(const struct ost_rows *rows, size_t i, struct ost_reading *r,
                   struct ost_props have, struct ost_props *out);

#endif
