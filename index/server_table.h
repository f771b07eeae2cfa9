/*
 * server_table.h: CSV files of Exchange and eDiscovery as a side of a comparison (COMPARE.md,
 * "What SERVER may be").
 *
 * Which one a file is shows in its header, whose columns may stand in any order and be written in
 * any case, with or without spaces.
 *
 * Threads: one thread a side.
 */
#ifndef INDEX_SERVER_TABLE_H
#define INDEX_SERVER_TABLE_H

#include "index/compare_side.h"
#include "io/source.h"

enum server_table {
    TABLE_UNKNOWN,
    TABLE_STATISTICS, /* Get-MailboxFolderStatistics */
    TABLE_EDISCOVERY, /* items of an eDiscovery export */
    TABLE_MAPPING,    /* image,server: which file belongs to which image */
};

/* What the header says. *missing (may be NULL): of a known one that lacks a column it needs, which;
 * NULL: none. Codes of csv_read; ERR_DAMAGED: no header. */
int server_table_kind(struct io_source *source, enum server_table *kind, const char **missing);

/* Reads a table of one of the first two kinds into an empty side. ERR_DAMAGED: with side->why. */
int server_table_read(struct cmp_side *side, struct io_source *source, enum server_table kind);

/* Calls `pair` for each line of a mapping. */
int server_table_mapping(struct io_source *source,
                         int (*pair)(void *ctx, struct bytes image, struct bytes server),
                         void *ctx);

#endif
