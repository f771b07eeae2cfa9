/*
 * admit.h: which image is read next, and with how much memory.
 *
 * Images queue by device. Of one that seeks, or is behind a network, one image is read at a time;
 * of others as many as there are workers. Within a device the largest images go first, for they
 * take longest, but one worker keeps to the smallest ones: those never wait behind a large one.
 *
 * The images that are open share the memory. Each asks for as much as it may need by its size; it
 * is begun when a fair part is free, and one always is.
 *
 * Pure bookkeeping: no clock, no thread, no file. Threads: one at a time.
 */
#ifndef SCANNER_APP_ADMIT_H
#define SCANNER_APP_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admit;

/* What is to be begun. */
struct admitted {
    size_t number;
    uint64_t memory_bytes;
    bool alone; /* its device is read by one reader, in order */
};

/* ERR_NOMEM. */
int admit_create(unsigned workers, uint64_t memory_bytes, struct admit **out);
void admit_destroy(struct admit *a); /* NULL is allowed */

/* An image that was found: number, size, its device, and whether that is read by one at a time
 * (taken from a device's first image). ERR_NOMEM. */
int admit_add(struct admit *a, size_t number, uint64_t size_bytes, uint64_t device, bool alone);
/* There will be no more. */
void admit_close(struct admit *a);

/* The next image; false: none can be begun now. */
bool admit_next(struct admit *a, struct admitted *out);
/* Whether there is one. */
bool admit_can(struct admit *a);
/* One that was begun is done. */
void admit_end(struct admit *a, size_t number);
/* None is left and none will come; some may still be open. */
bool admit_is_over(const struct admit *a);

#endif
