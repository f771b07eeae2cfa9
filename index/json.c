/*
 * json.c: see json.h.
 *
 * Text is copied in runs: eight bytes at a time are looked at for anything that cannot stand as it
 * is (a quote, a backslash, a control character, DEL, a byte of a longer sequence), by the usual
 * borrow trick on a 64-bit word; whatever stops a run is dealt with by itself. False alarms of the
 * trick only end a run early, they never let a byte pass.
 */
#include "index/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/hash.h"
#include "index/utf8.h"
#include "io/clock.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

void json_start(struct json *j, struct buf *out)
{
    *j = (struct json){.out = out};
}

/* Of some bytes, as keys are: by two moves that may overlap. */
static uint8_t *put_short(uint8_t *to, const char *from, size_t size)
{
    if (size >= 8 && size <= 16) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4 && size < 8) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else if (size == 2) {
        memcpy(to, from, 2);
    } else {
        memcpy(to, from, size);
    }
    return to + size;
}

/* Room for `value` bytes more than the comma and the key, which are written; NULL: none. */
static inline uint8_t *begin_with(struct json *j, struct json_key key, size_t value)
{
    bool comma = j->has_member[j->depth];
    uint8_t *at;

    j->has_member[j->depth] = true;
    if (!buf_reserve(j->out, key.size + 4 + value))
        return NULL;
    at = j->out->data + j->out->size;
    if (comma)
        *at++ = ',';
    if (key.text) {
        *at++ = '"';
        at = put_short(at, key.text, key.size);
        *at++ = '"';
        *at++ = ':';
    }
    j->out->size = (size_t)(at - j->out->data);
    return at;
}

static void begin(struct json *j, struct json_key key)
{
    begin_with(j, key, 0);
}

static void open_level(struct json *j, struct json_key key, char bracket)
{
    begin(j, key);
    buf_putc(j->out, bracket);
    assert(j->depth < JSON_DEPTH);
    j->has_member[++j->depth] = false;
}

static void close_level(struct json *j, char bracket)
{
    assert(j->depth > 0);
    j->depth--;
    buf_putc(j->out, bracket);
}

void json_put_object(struct json *j, struct json_key key)
{
    open_level(j, key, '{');
}

void json_put_array(struct json *j, struct json_key key)
{
    open_level(j, key, '[');
}

void json_close_object(struct json *j)
{
    close_level(j, '}');
}

void json_close_array(struct json *j)
{
    close_level(j, ']');
}

void json_end_line(struct json *j)
{
    assert(j->depth == 0);
    buf_putc(j->out, '\n');
    j->has_member[0] = false;
}

static uint64_t zero_bytes(uint64_t v)
{
    return (v - EACH(1)) & ~v & EACH(0x80);
}

/* 0 only if all of the bytes are plain. */
static uint64_t odd_bytes(uint64_t v)
{
    return (v | (v - EACH(0x20)) | zero_bytes(v ^ EACH('"')) | zero_bytes(v ^ EACH('\\')) |
            zero_bytes(v ^ EACH(0x7F))) &
           EACH(0x80);
}

static bool is_plain(uint8_t b)
{
    return b >= 0x20 && b < 0x7F && b != '"' && b != '\\';
}

/* The length of the two- or three-byte sequence at p if it can stand as it is and that is easily
 * seen, else 0. */
static size_t plain_sequence(const uint8_t *p, size_t size)
{
    if (size >= 2 && p[0] >= 0xC2 && p[0] < 0xE0 && (p[1] & 0xC0) == 0x80)
        return 2;
    if (size >= 3 && p[0] > 0xE0 && p[0] < 0xF0 && p[0] != 0xED && (p[1] & 0xC0) == 0x80 &&
        (p[2] & 0xC0) == 0x80 && !(p[0] == 0xE2 && p[1] == 0x80 && (p[2] | 1) == 0xA9))
        return 3;
    return 0;
}

static size_t plain_run(const uint8_t *p, size_t size)
{
    size_t n = 0, sequence;

    do {
        while (size - n >= 8 && !odd_bytes(le64(p + n)))
            n += 8;
        for (unsigned i = 0; i < 8 && n < size && is_plain(p[n]); i++)
            n++;
        if (n == size || is_plain(p[n]))
            continue;
        sequence = plain_sequence(p + n, size - n);
        if (!sequence)
            break;
        n += sequence;
    } while (n < size);
    return n;
}

static void escape_ascii(struct buf *out, uint8_t b)
{
    static const char short_forms[] = "\"\"\\\\\bb\tt\nn\ff\rr";

    for (size_t i = 0; i + 1 < sizeof short_forms; i += 2) {
        if (b == (uint8_t)short_forms[i]) {
            buf_putc(out, '\\');
            buf_putc(out, short_forms[i + 1]);
            return;
        }
    }
    buf_printf(out, "\\u%04x", b);
}

/* The bytes at p up to the next plain one are dealt with one sequence at a time. */
static size_t escape_one(struct buf *out, const uint8_t *p, size_t size, bool *valid)
{
    unsigned step;
    unsigned length = utf8_sequence(p, size, &step);

    if (!length) {
        *valid = false;
        buf_puts(out, "\xEF\xBF\xBD");
    } else if (length == 1) {
        escape_ascii(out, p[0]);
    } else if (length == 3 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)) {
        buf_puts(out, p[2] == 0xA8 ? "\\u2028" : "\\u2029");
    } else {
        buf_append(out, p, length);
    }
    return step;
}

/* Copies text that can stand as it is, eight bytes at a time, the last eight whatever was copied of
 * them before. False: some of it cannot, and what was copied is of no use. */
static bool copy_plain(uint8_t *to, const uint8_t *text, size_t size)
{
    uint64_t odd = 0;

    if (size < 8) {
        for (size_t i = 0; i < size; i++) {
            to[i] = text[i];
            odd |= !is_plain(text[i]);
        }
        return !odd;
    }
    for (size_t i = 0; i < size - 8 && !odd; i += 8) {
        odd = odd_bytes(le64(text + i));
        put_le64(to + i, le64(text + i));
    }
    odd |= odd_bytes(le64(text + size - 8));
    put_le64(to + size - 8, le64(text + size - 8));
    return !odd;
}

/* The text in quotes; false if any of it was not valid UTF-8. */
static bool quoted(struct json *j, const uint8_t *text, size_t size)
{
    struct buf *out = j->out;
    bool valid = true;
    size_t at = 0;

    j->value_at = out->size;
    if (!buf_reserve(out, size + 2))
        return true;
    out->data[out->size++] = '"';
    if (copy_plain(out->data + out->size, text, size)) {
        out->size += size;
        at = size;
    }
    while (at < size) {
        size_t run = plain_run(text + at, size - at);

        buf_append(out, text + at, run);
        at += run;
        if (at < size)
            at += escape_one(out, text + at, size - at, &valid);
    }
    buf_putc(out, '"');
    j->value_end = out->size;
    return valid;
}

static void append_hex(struct buf *out, const uint8_t *data, size_t size)
{
    size_t digits;

    if (__builtin_mul_overflow(size, 2, &digits) || !buf_reserve(out, digits + 1)) {
        out->failed = true;
        return;
    }
    hex_encode(data, size, (char *)out->data + out->size);
    out->size += digits;
}

static void begin_suffixed(struct json *j, struct json_key key, const char *suffix)
{
    buf_putc(j->out, ',');
    buf_putc(j->out, '"');
    buf_append(j->out, key.text, key.size);
    buf_puts(j->out, suffix);
    buf_append(j->out, "\":", 2);
}

static void hex_companion(struct json *j, struct json_key key, const uint8_t *data, size_t size)
{
    begin_suffixed(j, key, "_hex");
    buf_putc(j->out, '"');
    append_hex(j->out, data, size);
    buf_putc(j->out, '"');
}

void json_put_text(struct json *j, struct json_key key, const void *text, size_t size)
{
    begin(j, key);
    if (!quoted(j, text, size) && key.text)
        hex_companion(j, key, text, size);
}

/* The longest beginning of at most `limit` bytes that does not end within a character. */
static size_t cut_length(const uint8_t *text, size_t size, size_t limit)
{
    size_t at = limit;

    if (size <= limit)
        return size;
    while (at > 0 && limit - at < 3 && (text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

static void full_size(struct json *j, struct json_key key, size_t size)
{
    begin_suffixed(j, key, "_size");
    buf_put_u64(j->out, size);
}

void json_put_stored(struct json *j, struct json_key key, struct bytes text, bool whole,
                     struct bytes raw, size_t limit)
{
    struct bytes stored = raw.data ? raw : text;
    bool cut, hex;
    size_t size;

    if (!text.data)
        return;
    size = cut_length(text.data, text.size, limit);
    begin(j, key);
    hex = !quoted(j, text.data, size) || !whole;
    if (hex)
        hex_companion(j, key, stored.data, stored.size < limit ? stored.size : limit);
    cut = size < text.size || (hex && stored.size > limit);
    if (cut)
        full_size(j, key, text.size);
}

void json_put_stored_hex(struct json *j, struct json_key key, struct bytes value, size_t limit)
{
    if (!value.data)
        return;
    json_put_hex(j, key, value.data, value.size < limit ? value.size : limit);
    if (value.size > limit)
        full_size(j, key, value.size);
}

void json_put_hex(struct json *j, struct json_key key, const void *data, size_t size)
{
    begin(j, key);
    j->value_at = j->out->size;
    buf_putc(j->out, '"');
    append_hex(j->out, data, size);
    buf_putc(j->out, '"');
    j->value_end = j->out->size;
}

void json_put_u64(struct json *j, struct json_key key, uint64_t value)
{
    begin(j, key);
    buf_put_u64(j->out, value);
}

void json_put_i64(struct json *j, struct json_key key, int64_t value)
{
    begin(j, key);
    if (value < 0)
        buf_putc(j->out, '-');
    buf_put_u64(j->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_put_bool(struct json *j, struct json_key key, bool value)
{
    begin(j, key);
    buf_puts(j->out, value ? "true" : "false");
}

void json_double(struct json *j, const char *key, double value)
{
    char text[32];

    if (!isfinite(value))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    begin(j, json_key(key));
    buf_puts(j->out, text);
}

/* Neither digests nor times hold anything to be escaped. */
void json_put_digest(struct json *j, struct json_key key, const struct ost_digest *d)
{
    uint8_t *at;

    if (!d->size)
        return;
    at = begin_with(j, key, IDX_DIGEST_TEXT + 2);
    if (!at)
        return;
    j->value_at = j->out->size;
    *at++ = '"';
    at += idx_digest_text(d, (char *)at);
    *at++ = '"';
    j->value_end = j->out->size = (size_t)(at - j->out->data);
}

void json_put_time(struct json *j, struct json_key key, int64_t seconds, uint32_t nanoseconds,
                   unsigned digits)
{
    uint8_t *at = begin_with(j, key, CLOCK_TEXT_SIZE + 2);

    if (!at)
        return;
    *at++ = '"';
    at += clock_format(seconds, nanoseconds, digits, (char *)at);
    *at++ = '"';
    j->out->size = (size_t)(at - j->out->data);
}

void json_time_ns(struct json *j, const char *key, int64_t since_1970_ns)
{
    int64_t seconds = since_1970_ns / 1000000000;
    int64_t rest = since_1970_ns % 1000000000;

    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    json_time(j, key, seconds, (uint32_t)rest, 9);
}

void json_put_filetime(struct json *j, struct json_key key, uint64_t filetime)
{
    const int64_t from_1601_to_1970 = INT64_C(11644473600);

    json_put_time(j, key, (int64_t)(filetime / 10000000) - from_1601_to_1970,
                  (uint32_t)(filetime % 10000000) * 100, 7);
}
