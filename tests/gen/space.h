/*
 * space.h: where bytes go: the allocation of a file that is being written, and the file itself.
 *
 * Space is handed out in ascending order, steps over the allocation pages at the start of each
 * span, and never crosses the end of a span. What is handed out is marked in the bitmap; what is
 * freed again keeps its bytes and is never handed out a second time.
 *
 * Errors are kept: after the first one calls do nothing, and space_error tells it.
 * Threads: one.
 */
#ifndef TESTS_GEN_SPACE_H
#define TESTS_GEN_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/gen/variant.h"

enum { SPACE_WINDOW = 4 << 20 };

struct space {
    const struct variant *variant;
    int fd;
    int error;
    uint64_t next;   /* first offset not handed out */
    uint8_t *bitmap; /* one bit a unit from the first allocation page on, MSB first */
    size_t bitmap_size;
    uint8_t *window; /* bytes waiting to be written, at window_start */
    uint64_t window_start;
    size_t window_used;
};

/* fd stays the caller's. */
int space_init(struct space *s, const struct variant *variant, int fd);
void space_done(struct space *s);
int space_error(const struct space *s);

/* An extent of `size` bytes (a multiple of the unit), at a multiple of `align`. */
uint64_t space_alloc(struct space *s, uint32_t size, uint32_t align);
/* Clears the bits of an extent; its bytes stay. */
void space_free(struct space *s, uint64_t offset, uint64_t size);
bool space_is_free(const struct space *s, uint64_t offset);
/* Bits set without an owner: space that leaked. */
void space_leak(struct space *s, uint32_t size);

/*
 * Room for `size` bytes at `offset` in the window, to be filled at once; offset at or behind the
 * end of what was placed before (gaps become zeros). NULL after an error.
 */
uint8_t *space_place(struct space *s, uint64_t offset, uint32_t size);
int space_flush(struct space *s);

/* Writes at any offset, past the window: only after space_flush. */
void space_write(struct space *s, uint64_t offset, const void *data, size_t size);

uint64_t space_spans(const struct space *s);    /* spans begun so far, at least 1 */
uint64_t space_file_end(const struct space *s); /* the end of the last of them */
uint64_t space_free_bytes(const struct space *s);
/* Writes all allocation pages, and makes the file as long as its spans. Returns the first error. */
int space_finish(struct space *s);

#endif
