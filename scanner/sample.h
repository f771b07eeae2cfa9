/*
 * sample.h: which items belong to a share of all, the same ones in every run and every engine.
 *
 * Threads: pure.
 */
#ifndef SCANNER_SAMPLE_H
#define SCANNER_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/* percent: 0 none, 100 or more all. A larger share holds all items of a smaller one. */
static inline bool sample_has(uint32_t nid, unsigned percent)
{
    uint32_t h = nid;

    /* Node ids ascend in steps: mixed until every bit depends on every other. */
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    h ^= h >> 16;
    return (uint64_t)h * 100 >> 32 < percent;
}

#endif
