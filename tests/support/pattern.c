/* pattern.c: see pattern.h. */
#include "tests/support/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static uint8_t byte_at(uint64_t offset)
{
    uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15U;

    return (uint8_t)(x >> 56 ^ x >> 24);
}

void pattern_fill(uint64_t offset, void *into, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)into)[i] = byte_at(offset + i);
}

bool pattern_matches(uint64_t offset, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((const uint8_t *)data)[i] != byte_at(offset + i))
            return false;
    }
    return true;
}

const char *pattern_file(const char *folder, const char *name, size_t size)
{
    static char path[4096];
    static uint8_t block[65536];
    FILE *f;
    size_t n = 0;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "we");
    assert_non_null(f);
    for (size_t at = 0; at < size; at += n) {
        n = size - at < sizeof block ? size - at : sizeof block;
        pattern_fill(at, block, n);
        assert_int_equal(fwrite(block, 1, n, f), n);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

uint64_t pattern_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
