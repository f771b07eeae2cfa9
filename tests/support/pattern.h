/* pattern.h: bytes that follow from their offset, so that every read can be judged by itself. */
#ifndef TESTS_SUPPORT_PATTERN_H
#define TESTS_SUPPORT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void pattern_fill(uint64_t offset, void *into, size_t size);
bool pattern_matches(uint64_t offset, const void *data, size_t size);
/* Writes folder/name with `size` bytes of it and returns its path (static). Fails the test. */
const char *pattern_file(const char *folder, const char *name, size_t size);

/* A small generator for tests: the same numbers in every run. */
uint64_t pattern_random(uint64_t *state);

#endif
