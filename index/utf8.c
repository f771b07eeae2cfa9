/*
 * utf8.c: see utf8.h. The ranges of the second byte are those of Unicode's table 3-7; every later
 * byte is 80..BF.
 */
#include "index/utf8.h"

#include <stdbool.h>

static bool within(uint8_t b, uint8_t low, uint8_t high)
{
    return b >= low && b <= high;
}

static unsigned expected_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (within(first, 0xC2, 0xDF))
        return 2;
    if (within(first, 0xE0, 0xEF))
        return 3;
    return within(first, 0xF0, 0xF4) ? 4 : 0;
}

static bool second_is_right(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xE0:
        return within(second, 0xA0, 0xBF);
    case 0xED:
        return within(second, 0x80, 0x9F);
    case 0xF0:
        return within(second, 0x90, 0xBF);
    case 0xF4:
        return within(second, 0x80, 0x8F);
    default:
        return within(second, 0x80, 0xBF);
    }
}

unsigned utf8_sequence(const uint8_t *p, size_t size, unsigned *step)
{
    unsigned length = expected_length(p[0]);
    unsigned good = 1;

    *step = 1;
    if (length <= 1)
        return length;
    if (size >= 3 && p[0] == 0xED && within(p[1], 0xA0, 0xBF) && within(p[2], 0x80, 0xBF)) {
        *step = 3;
        return 0;
    }
    if (size < 2 || !second_is_right(p[0], p[1]))
        return 0;
    good = 2;
    while (good < length && good < size && within(p[good], 0x80, 0xBF))
        good++;
    *step = good;
    return good == length ? length : 0;
}

uint32_t utf8_decode(const uint8_t *p, unsigned length)
{
    static const uint8_t first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = p[0] & first_bits[length];

    for (unsigned i = 1; i < length; i++)
        code = code << 6 | (p[i] & 0x3Fu);
    return code;
}
