/*
 * bytes.h: the one little-endian reader and writer, and a bounds-checked view of bytes.
 *
 * No struct is ever laid over a buffer; all on-disk integers pass through here. The unchecked
 * loads (le16 …) are for offsets that a checked view has already admitted.
 *
 * Threads: pure functions.
 */
#ifndef IO_BYTES_H
#define IO_BYTES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t le16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap16(v);
#endif
    return v;
}

static inline uint32_t le32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t le64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline void put_le16(void *p, uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap16(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline void put_le32(void *p, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline void put_le64(void *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, sizeof v);
}

/* Bytes that somebody else owns. data may be NULL when size is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

/* The bytes of a C string, without its NUL. */
static inline struct bytes bytes_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* True if [offset, offset+length) lies within size; never overflows. */
static inline bool range_fits(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

/* The part [offset, offset+length) of b; false (out untouched) when it does not fit. */
static inline bool bytes_slice(struct bytes b, size_t offset, size_t length, struct bytes *out)
{
    if (!range_fits(offset, length, b.size))
        return false;
    *out = (struct bytes){.data = length ? b.data + offset : b.data, .size = length};
    return true;
}

/* Lower-case hex of n bytes into out (2n + 1 bytes, NUL-terminated). */
void hex_encode(const uint8_t *data, size_t n, char *out);

/* Decodes exactly 2n hex digits (either case) into n bytes; false on any other character. */
bool hex_decode(const char *hex, size_t n, uint8_t *out);

#endif
