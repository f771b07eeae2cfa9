/*
 * csv_read.h: CSV files as Excel, PowerShell and eDiscovery tools write them.
 *
 * Any encoding text_input.h takes; comma, semicolon or tab, whichever the header has most of;
 * quotes as in RFC 4180, quoted line breaks included; a "#TYPE" line of Export-Csv and a "sep="
 * line before the header are passed over.
 *
 * Threads: one. Memory: one row of at most CSV_ROW_BYTES.
 */
#ifndef INDEX_CSV_READ_H
#define INDEX_CSV_READ_H

#include "index/text_input.h"

enum { CSV_ROW_BYTES = 16 * 1024 * 1024, CSV_ROW_FIELDS = 4096 };

/* A row: its fields' text. `number` counts from 1, the header. */
struct csv_row {
    uint64_t number;
    const struct bytes *fields;
    size_t count;
};

/*
 * Calls `row` for each row that is not blank. What it returns other than 0 ends the reading and is
 * returned. ERR_LIMIT: a row is too large; ERR_DAMAGED: the file ends within quotes; ERR_NOMEM,
 * codes of the source.
 */
int csv_read(struct io_source *source, int (*row)(void *ctx, const struct csv_row *row), void *ctx);

#endif
