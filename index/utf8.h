/*
 * utf8.h: one step through bytes that may or may not be UTF-8.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_UTF8_H
#define INDEX_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Length (1 to 4) of the well-formed UTF-8 sequence at `p`, where `size` >= 1 bytes stand, or 0
 * when there is none. *step is then how many bytes one U+FFFD stands for: three for a lone
 * surrogate of WTF-8 (ED A0..BF 80..BF), else the longest beginning of a well-formed sequence, at
 * least one. When there is one, *step is its length.
 */
unsigned utf8_sequence(const uint8_t *p, size_t size, unsigned *step);

/* The code point of a well-formed sequence of that length. */
uint32_t utf8_decode(const uint8_t *p, unsigned length);

/* Writes a code point (up to 0x10FFFF; surrogates come out as WTF-8); the length, 1 to 4. */
static inline unsigned utf8_encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

#endif
