/* bytes.c: see bytes.h. */
#include "io/bytes.h"

/* The digits of four bytes at once: each nibble into a byte of its own, then up to its letter. */
static void hex_of_four(const uint8_t *data, char *out)
{
    uint64_t v = le32(data), nibbles;

    v = (v | v << 16) & 0x0000FFFF0000FFFF;
    v = (v | v << 8) & 0x00FF00FF00FF00FF;
    nibbles = (v >> 4 & 0x000F000F000F000F) | (v & 0x000F000F000F000F) << 8;
    v = (nibbles + 0x0606060606060606) >> 4 & 0x0101010101010101;
    put_le64(out, nibbles + 0x3030303030303030 + v * ('a' - '9' - 1));
}

void hex_encode(const uint8_t *data, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;

    for (; n - i >= 4; i += 4)
        hex_of_four(data + i, out + 2 * i);
    for (; i < n; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * n] = '\0';
}

/* Without branches, for whether a digit is a letter cannot be foretold. */
static unsigned digit_value(uint8_t c)
{
    return (c & 15U) + 9U * (c >> 6);
}

static unsigned is_digit(uint8_t c)
{
    return ((unsigned)c - '0' < 10) | ((c | 0x20U) - 'a' < 6);
}

bool hex_decode(const char *hex, size_t n, uint8_t *out)
{
    unsigned good = 1;

    for (size_t i = 0; i < n; i++) {
        uint8_t high = (uint8_t)hex[2 * i], low = (uint8_t)hex[2 * i + 1];

        good &= is_digit(high) & is_digit(low);
        out[i] = (uint8_t)(digit_value(high) << 4 | digit_value(low));
    }
    return good;
}
