/* clock.h: times. Threads: any. */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_monotonic_ns(void);
int64_t clock_real_ns(void); /* since 1970-01-01 UTC */

enum { CLOCK_TEXT_SIZE = 48 };

/*
 * RFC 3339 UTC with as many decimals as are not zero (at most `digits`, 0 to 9), e.g.
 * "2021-03-04T05:06:07.5Z". Years outside 1..9999 are written with a sign and as many digits as
 * needed, so nothing a file holds is lost. Returns the length.
 */
size_t clock_format(int64_t seconds, uint32_t nanoseconds, unsigned digits,
                    char out[CLOCK_TEXT_SIZE]);

#endif
