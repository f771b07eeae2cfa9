/*
 * fuzz.h: what the fuzz targets share.
 *
 * Each target makes its own seeds: now and then its mutator puts a sound structure in place of the
 * input, and what libFuzzer then does to it is kept when it leads somewhere new.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* Makes a value count as used. */
static inline void fuzz_use(uint64_t value)
{
    __asm__ volatile("" : : "r"(value));
}

#endif
