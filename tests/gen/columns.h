/*
 * columns.h: which columns the tables of a store have. Threads: pure functions.
 */
#ifndef TESTS_GEN_COLUMNS_H
#define TESTS_GEN_COLUMNS_H

#include "tests/gen/store.h"

void columns_init(struct table_columns sets[COLUMN_SETS], bool ost, bool wide);

#endif
