/*
 * guard.h: a buffer that ends exactly at a page that cannot be read or written, so that one byte
 * too far ends the test program.
 */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include <stddef.h>
#include <stdint.h>

struct guard {
    uint8_t *data; /* `size` zero bytes, the last just before the guard page */
    size_t size;
    void *map;
    size_t map_size;
};

void guard_init(struct guard *g, size_t size); /* fails the running test when it cannot */
void guard_done(struct guard *g);

#endif
