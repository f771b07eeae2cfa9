/*
 * rng.h: the generator's source of randomness: small, fast, and the same on every machine.
 *
 * Streams are derived from (seed, purpose, number), never from what was drawn before: an item's
 * content depends on its number alone, whatever else is in the image.
 *
 * Threads: a stream belongs to one thread.
 */
#ifndef TESTS_GEN_RNG_H
#define TESTS_GEN_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rng {
    uint64_t state;
};

/* The finaliser of splitmix64. */
static inline uint64_t rng_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static inline struct rng rng_of(uint64_t seed, uint64_t purpose, uint64_t number)
{
    uint64_t s = rng_mix(seed + 0x9E3779B97F4A7C15u);
    s = rng_mix(s ^ (purpose * 0xD1342543DE82EF95u + 1));
    return (struct rng){.state = rng_mix(s ^ (number * 0xA24BAED4963EE407u + 1))};
}

static inline uint64_t rng_next(struct rng *r)
{
    r->state += 0x9E3779B97F4A7C15u;
    return rng_mix(r->state);
}

/* Uniform in [0, n); n below 2^32 and not 0. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

/* Uniform in [low, high], both included. */
static inline uint32_t rng_between(struct rng *r, uint32_t low, uint32_t high)
{
    return low + rng_below(r, high - low + 1);
}

static inline bool rng_chance(struct rng *r, uint32_t percent)
{
    return rng_below(r, 100) < percent;
}

static inline void rng_fill(struct rng *r, void *out, size_t size)
{
    uint8_t *p = out;
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t v = rng_next(r);
        memcpy(p, &v, 8);
    }
    if (size > 0) {
        uint64_t v = rng_next(r);
        memcpy(p, &v, size);
    }
}

#endif
