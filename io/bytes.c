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

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *hex, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        int high = digit_value(hex[2 * i]);
        int low = high < 0 ? -1 : digit_value(hex[2 * i + 1]);

        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
