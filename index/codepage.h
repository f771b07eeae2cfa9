/*
 * codepage.h: the Windows code pages that can be read, and their names in iconv.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_CODEPAGE_H
#define INDEX_CODEPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idx_codepage {
    uint32_t number;
    bool ascii; /* bytes below 0x80 stand for ASCII, wherever they stand */
    const char *iconv;
};

enum { IDX_CODEPAGES = 73 };

/* Index of a page in idx_codepages, or -1. */
int idx_codepage_find(uint32_t number);

extern const struct idx_codepage idx_codepages[IDX_CODEPAGES]; /* by number */

#endif
