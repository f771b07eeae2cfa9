/*
 * text.h: stored text as WTF-8 and as NFC.
 *
 * WTF-8 is UTF-8 that also carries lone surrogates (as the three bytes ED A0..BF 80..BF), so text
 * of Outlook passes through without loss. NFC leaves lone surrogates alone, between the runs of
 * valid text on both sides of them.
 *
 * Threads: a converter belongs to one thread (it keeps iconv descriptors open).
 */
#ifndef INDEX_TEXT_H
#define INDEX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"
#include "io/bytes.h"
#include "scanner/ost/item.h"

struct idx_text;

int idx_text_create(struct idx_text **out); /* ERR_NOMEM */
void idx_text_destroy(struct idx_text *t);  /* NULL is allowed */

/* An empty buffer to convert into, so that each conversion needs none of its own. Valid until the
 * next call; of the functions below idx_text_canonical alone uses it. */
struct buf *idx_text_scratch(struct idx_text *t);

/*
 * `whole` below may be NULL. It is only ever set to false: when something of the stored bytes is
 * not in the text. A lone surrogate is in the text and leaves it whole.
 */

/* Appends UTF-16LE as WTF-8. An odd last byte is dropped: not whole. */
void idx_text_utf16(struct bytes utf16, struct buf *out, bool *whole);

/*
 * The same to `at`, where there is room for three bytes a unit; returns the end. NULL: NFC might
 * change it (or it is of an odd number of bytes), and what was written there is of no use.
 */
uint8_t *idx_text_utf16_plain(struct bytes utf16, uint8_t *at);

/*
 * Appends 8-bit text of a Windows code page as UTF-8. Bytes that the page does not define become
 * U+FFFD each: not whole. An unknown page is read as 1252 (not whole if it is not all ASCII). On
 * failure of memory, or of the files of the C library's converters, out->failed is set.
 */
void idx_text_string8(struct idx_text *t, struct bytes text, uint32_t codepage, struct buf *out,
                      bool *whole);

/* A string property's value (OST_UNICODE or OST_STRING8, not multi) by its type. */
void idx_text_prop(struct idx_text *t, const struct ost_prop *prop, uint32_t codepage,
                   struct buf *out, bool *whole);

/*
 * Appends the NFC form of stored text, UTF-16LE or of a code page: what the conversion above and
 * idx_text_nfc give, in one pass where that can be told. Uses the scratch buffer. On memory failure
 * out->failed is set.
 */
void idx_text_canonical(struct idx_text *t, struct bytes text, bool utf16, uint32_t codepage,
                        struct buf *out, bool *whole);

/*
 * Appends the NFC form of WTF-8; `wtf8` must not lie in `out`. Bytes that are no WTF-8 are copied.
 * On memory failure out->failed is set.
 */
void idx_text_nfc(struct bytes wtf8, struct buf *out);

/* `text` without U+0000 at its end, which some writers store with every string. */
struct bytes idx_text_trim(struct bytes text, bool utf16);

/* True if the bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool idx_text_is_utf8(struct bytes text);

#endif
