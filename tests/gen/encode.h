/*
 * encode.h: text as an image holds it: UTF-16LE, or bytes in a Windows code page.
 *
 * Threads: an encoder belongs to one thread.
 */
#ifndef TESTS_GEN_ENCODE_H
#define TESTS_GEN_ENCODE_H

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENCODE_PAGES = 20 };

/* Of one code page: the bytes of each BMP character met so far, first byte low; 0 not met. */
struct codepage {
    uint32_t number;
    iconv_t converter;
    uint16_t *bytes;
};

struct encoder {
    bool wide;
    struct codepage pages[ENCODE_PAGES];
    size_t page_count;
    uint64_t replaced; /* characters that became '?' */
};

void encoder_init(struct encoder *e, bool wide);
void encoder_done(struct encoder *e);

/* UTF-8 (or WTF-8) to UTF-16LE; out has room for 2 * size bytes. Returns the size. */
size_t encode_utf16(const char *text, size_t size, uint8_t *out);

/*
 * UTF-8 (well-formed, or with surrogates: WTF-8) into the image's form; `codepage` counts for
 * narrow images only. out has room for 2 * size bytes. What a code page lacks becomes '?'.
 * Returns the size; or a negative code (ERR_UNSUPPORTED: no such code page on this machine).
 */
int64_t encode_text(struct encoder *e, uint32_t codepage, const char *text, size_t size,
                    uint8_t *out);

#endif
