/*
 * native_carry.h: blocks that a sweep has passed and that an item may still need.
 *
 * A block is copied in as it leaves the sweep's window and taken out when its item was read. Past
 * the budget the block needed furthest ahead goes first: who needs a dropped block reads it again,
 * so what is carried changes the work and never the result.
 *
 * Memory: `memory_bytes`, tables included, taken as blocks come.
 * Threads: any. Errors: where memory is refused blocks are not carried.
 */
#ifndef SCANNER_NATIVE_CARRY_H
#define SCANNER_NATIVE_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct native_carry;

/* When a block (its index in the plan) will be needed, whatever the unit: of two the one with the
 * higher goes first. What is known may change; called by any thread that puts. */
struct native_needs {
    const void *ctx;
    uint64_t (*need)(const void *ctx, uint32_t block);
};

int native_carry_create(uint64_t memory_bytes, struct native_needs needs,
                        struct native_carry **out); /* ERR_NOMEM */
void native_carry_destroy(struct native_carry *c);  /* NULL is allowed */

/* One that is there already stays as it is. */
void native_carry_put(struct native_carry *c, uint32_t block, const uint8_t *extent, uint32_t size);
/* Copies it out; false: it is not there. */
bool native_carry_get(struct native_carry *c, uint32_t block, uint8_t *into, uint32_t size);
/* The same, and it is there no more. */
bool native_carry_take(struct native_carry *c, uint32_t block, uint8_t *into, uint32_t size);
bool native_carry_has(struct native_carry *c, uint32_t block);
/* Whether something was dropped for want of room. */
bool native_carry_full(const struct native_carry *c);
/* Whether a quarter of the room is taken, or something was dropped. */
bool native_carry_strained(struct native_carry *c);
void native_carry_drop(struct native_carry *c, uint32_t block);

/* Bytes that were carried at all, and of blocks dropped for want of room. */
struct native_carried {
    uint64_t put_bytes, dropped_bytes;
};
struct native_carried native_carry_sums(const struct native_carry *c);

#endif
