/*
 * compare_print.h: a comparison on standard output, for people and as CSV.
 *
 * Threads: one.
 */
#ifndef SCANNER_APP_COMPARE_PRINT_H
#define SCANNER_APP_COMPARE_PRINT_H

#include "index/compare.h"

struct compare_print {
    bool verbose;          /* every folder, and every item that is not simply the same */
    bool any;              /* an image was printed before */
    bool totalled, listed; /* of the one at hand: its totals, an item */
    struct buf line, text;
};

void compare_print_init(struct compare_print *p, bool verbose);
void compare_print_done(struct compare_print *p);
struct cmp_sink compare_print_sink(struct compare_print *p);

int compare_print_csv_header(struct compare_print *p);
/* A row a folder and one of the totals. */
struct cmp_sink compare_print_csv_sink(struct compare_print *p);

#endif
