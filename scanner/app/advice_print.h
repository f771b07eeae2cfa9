/*
 * advice_print.h: the advice about one image on standard output, with its steps.
 *
 * Threads: one. Errors as advice_list.h.
 */
#ifndef SCANNER_APP_ADVICE_PRINT_H
#define SCANNER_APP_ADVICE_PRINT_H

#include "index/advice.h"

/* verbose: every item and folder, not the first few alone. */
int advice_print_text(const struct advice *a, bool verbose);
int advice_print_json(const struct advice *a);

#endif
