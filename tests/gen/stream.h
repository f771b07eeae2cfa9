/*
 * stream.h: the bytes of an attachment too large to hold: a function of its number and position.
 *
 * Threads: a stream belongs to one thread.
 */
#ifndef TESTS_GEN_STREAM_H
#define TESTS_GEN_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "tests/gen/rng.h"

/* Half of the numbers give bytes that do not compress, half bytes that compress well. */
struct stream {
    uint64_t number, position;
    size_t left;
    uint8_t cell[4096];
};

void stream_init(struct stream *s, uint64_t number);
void stream_read(struct stream *s, void *out, size_t size);

#endif
