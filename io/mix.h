/*
 * mix.h: a hash of numbers that a file chose, for tables in memory.
 *
 * Seeded by where the table lies, which no file knows: none can choose numbers that all fall on one
 * slot. So an order of slots must never be seen outside.
 *
 * Threads: pure function.
 */
#ifndef IO_MIX_H
#define IO_MIX_H

#include <stdint.h>

/* All bits of the result are as good as each other. */
static inline uint64_t io_mix(uint64_t number, const void *table)
{
    uint64_t mixed = (number ^ (uint64_t)(uintptr_t)table) * UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return mixed ^ mixed >> 32;
}

#endif
