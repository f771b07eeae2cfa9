/*
 * dup_print.h: duplicates for people, and as CSV, on standard output.
 *
 * Threads: belongs to the thread that is told. Errors: ERR_NOMEM; ERR_NOSPACE where standard output
 * cannot be written, ERR_CANCELLED where nobody reads it any more.
 */
#ifndef SCANNER_APP_DUP_PRINT_H
#define SCANNER_APP_DUP_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "index/dup_sink.h"
#include "io/buf.h"

enum { DUP_PRINT_TOP = 10 };

/* A line of a list of which only the largest are shown. */
struct dup_top {
    uint64_t duplicates, bytes;
    char *text;
};

struct dup_print {
    bool verbose; /* every group, pair and folder */
    struct buf line;
    struct buf text; /* name of the group at hand */
    struct dup_top pairs[DUP_PRINT_TOP], folders[DUP_PRINT_TOP];
    size_t pair_count, folder_count;   /* of them that are set */
    uint64_t pairs_more, folders_more; /* that are not shown */
    bool any_pair, any_folder;         /* a title is out */
};

void dup_print_init(struct dup_print *p, bool verbose);
void dup_print_done(struct dup_print *p);

struct dup_sink dup_print_sink(struct dup_print *p);     /* text */
struct dup_sink dup_print_csv_sink(struct dup_print *p); /* a row for each member */
int dup_print_csv_header(struct dup_print *p);

/* For --json: lines as they are. */
int dup_print_line(void *ctx, const void *line, size_t size);

#endif
