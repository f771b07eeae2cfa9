/* buf.c: see buf.h. Grows by half again, at least 64 bytes. */
#include "io/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/mem.h"

void buf_done(struct buf *b)
{
    mem_free(b->data);
    *b = BUF_INIT;
}

void buf_reset(struct buf *b)
{
    b->size = 0;
    b->failed = false;
}

bool buf_grow(struct buf *b, size_t extra)
{
    size_t want, grown;
    uint8_t *data;

    if (b->failed)
        return false;
    if (__builtin_add_overflow(b->size, extra, &want)) {
        b->failed = true;
        return false;
    }
    if (want <= b->capacity)
        return true;
    grown = b->capacity + b->capacity / 2;
    if (grown < 64)
        grown = 64;
    if (grown < want)
        grown = want;
    data = mem_realloc(b->data, grown);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = grown;
    return true;
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    char text[20];
    size_t at = sizeof text;

    do
        text[--at] = (char)('0' + value % 10);
    while (value /= 10);
    buf_append(b, text + at, sizeof text - at);
}

/* Most texts fit the room that is there; only of the others the length is asked first. */
void buf_printf(struct buf *b, const char *format, ...)
{
    size_t room = b->failed ? 0 : b->capacity - b->size;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(room ? (char *)b->data + b->size : NULL, room, format, args);
    va_end(args);
    if (n < 0 || b->failed)
        return;
    if ((size_t)n >= room) {
        if (!buf_reserve(b, (size_t)n + 1))
            return;
        va_start(args, format);
        vsnprintf((char *)b->data + b->size, (size_t)n + 1, format, args);
        va_end(args);
    }
    b->size += (size_t)n;
}

const char *buf_cstr(struct buf *b)
{
    if (!buf_reserve(b, 1))
        return NULL;
    b->data[b->size] = '\0';
    return (const char *)b->data;
}
