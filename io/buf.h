/*
 * buf.h: a growable byte buffer, for building text and records.
 *
 * A failed allocation sets `failed` and later appends do nothing, so a caller checks once at the
 * end. Owned by one thread. The data is not NUL-terminated unless buf_cstr is asked for.
 */
#ifndef IO_BUF_H
#define IO_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
};

#define BUF_INIT ((struct buf){0})

void buf_done(struct buf *b);  /* frees; b is empty and usable again */
void buf_reset(struct buf *b); /* size 0, failed cleared, memory kept */
bool buf_grow(struct buf *b, size_t extra); /* what buf_reserve does where there is no room yet */

/* Room for `extra` more bytes behind the content; false when there is none to be had. */
static inline bool buf_reserve(struct buf *b, size_t extra)
{
    return (!b->failed && extra <= b->capacity - b->size) || buf_grow(b, extra);
}

static inline void buf_append(struct buf *b, const void *data, size_t size)
{
    if (!size || !buf_reserve(b, size))
        return;
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void buf_puts(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

static inline void buf_putc(struct buf *b, char c)
{
    if (buf_reserve(b, 1))
        b->data[b->size++] = (uint8_t)c;
}

void buf_put_u64(struct buf *b, uint64_t value); /* in decimal */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The content as a C string (NUL kept beyond size), or NULL if the buffer failed. */
const char *buf_cstr(struct buf *b);

#endif
