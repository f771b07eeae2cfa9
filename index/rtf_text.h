/*
 * rtf_text.h: the text of RTF as far as a log needs it: characters, tabs and line ends in the order
 * in which they stand. Fonts, styles, pictures and other destinations are passed over; formatting,
 * fields and tables mean nothing here.
 *
 * Pure function over memory; what is appended is never more than `rtf` has bytes, thrice.
 * `codepage`: where the RTF names none. Errors: out->failed.
 */
#ifndef INDEX_RTF_TEXT_H
#define INDEX_RTF_TEXT_H

#include "index/text.h"

void idx_rtf_text(struct idx_text *text, struct bytes rtf, uint32_t codepage, struct buf *out);

#endif
