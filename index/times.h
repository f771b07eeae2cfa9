/*
 * times.h: times as other programs write them.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_TIMES_H
#define INDEX_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "io/bytes.h"

/*
 * Seconds since 1970 UTC of: RFC 3339 (also with a space for the T, without seconds, with an offset
 * or, taken for UTC, without), a date alone, and what Windows writes in US form ("7/17/2019 3:54:40
 * PM"). Numeric dates of which day and month cannot be told apart, and years beyond 9999, are none.
 */
bool idx_time_parse(struct bytes text, int64_t *seconds);

/* Days since 1970 of a date of the Gregorian calendar. */
int64_t idx_days_of(int64_t year, unsigned month, unsigned day);
void idx_date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif
