/*
 * samples.h: seeds of targets whose input is text.
 */
#ifndef TESTS_FUZZ_SAMPLES_H
#define TESTS_FUZZ_SAMPLES_H

#include <string.h>

#include "tests/fuzz/fuzz.h"

/* One of the samples now and then, else what libFuzzer makes of the input. */
static inline size_t samples_mutate(const char *const *list, size_t count, uint8_t *data,
                                    size_t size, size_t max, unsigned seed)
{
    const char *sample = list[seed / 64 % count];

    if (seed % 64 || max < strlen(sample))
        return LLVMFuzzerMutate(data, size, max);
    memcpy(data, sample, strlen(sample));
    return strlen(sample);
}

#endif
