/*
 * json.h: writing one line of JSON that every reader accepts, whatever bytes went in.
 *
 * A streaming writer into a struct buf: no tree, no allocation but the buffer's. Commas and nesting
 * are its own business (depth at most 32, assert). Text is WTF-8 or arbitrary bytes: what is not
 * valid UTF-8 (lone surrogates included) is written as U+FFFD, and json_text adds "<key>_hex" with
 * all bytes. Control characters, DEL, U+2028 and U+2029 are escaped, so a line is one line.
 *
 * Threads: a writer belongs to one thread. Errors: out->failed.
 */
#ifndef INDEX_JSON_H
#define INDEX_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "io/buf.h"
#include "io/bytes.h"
#include "scanner/ost/item.h"

enum { JSON_DEPTH = 32 };

struct json {
    struct buf *out;
    unsigned depth;
    bool has_member[JSON_DEPTH + 1];
    size_t value_at, value_end; /* in `out`: the last text, hex or digest, with its quotes */
};

void json_start(struct json *j, struct buf *out); /* begins at the buffer's end */
void json_end_line(struct json *j);               /* all must be closed (assert); appends '\n' */
void json_close_object(struct json *j);
void json_close_array(struct json *j);

/* A key and its length; text NULL: an array element, or the top level. Beside each function below
 * is one that takes the key as a string, whose length the compiler knows as a rule. */
struct json_key {
    const char *text;
    size_t size;
};

static inline struct json_key json_key(const char *text)
{
    return (struct json_key){text, text ? strlen(text) : 0};
}

void json_put_object(struct json *j, struct json_key key);
void json_put_array(struct json *j, struct json_key key);
/* Writes the _hex companion only where a key is given. */
void json_put_text(struct json *j, struct json_key key, const void *text, size_t size);
/*
 * Text that was made from the stored bytes `raw`: "<key>_hex" holds those where the text is not
 * `whole` or not valid UTF-8 (raw.data NULL: the bytes of the text itself). At most `limit` bytes
 * of each are written, the text cut between characters; "<key>_size" then tells its full size.
 * text.data NULL: absent, writes nothing.
 */
void json_put_stored(struct json *j, struct json_key key, struct bytes text, bool whole,
                     struct bytes raw, size_t limit);
/* Hex of at most `limit` bytes; "<key>_size" tells the full size where that cut it. data NULL:
 * absent, writes nothing. */
void json_put_stored_hex(struct json *j, struct json_key key, struct bytes value, size_t limit);
void json_put_hex(struct json *j, struct json_key key, const void *data, size_t size);
void json_put_u64(struct json *j, struct json_key key, uint64_t value);
void json_put_i64(struct json *j, struct json_key key, int64_t value);
void json_put_bool(struct json *j, struct json_key key, bool value);
/* Size 0: writes nothing. */
void json_put_digest(struct json *j, struct json_key key, const struct ost_digest *d);
/* RFC 3339 UTC with the decimals that are not zero, at most `digits` (clock.h). */
void json_put_time(struct json *j, struct json_key key, int64_t seconds, uint32_t nanoseconds,
                   unsigned digits);
/* 100 ns since 1601 UTC; up to seven decimals. */
void json_put_filetime(struct json *j, struct json_key key, uint64_t filetime);
void json_time_ns(struct json *j, const char *key, int64_t since_1970_ns);
void json_double(struct json *j, const char *key, double value); /* not finite: nothing */

static inline void json_object(struct json *j, const char *key)
{
    json_put_object(j, json_key(key));
}

static inline void json_array(struct json *j, const char *key)
{
    json_put_array(j, json_key(key));
}

static inline void json_text(struct json *j, const char *key, const void *text, size_t size)
{
    json_put_text(j, json_key(key), text, size);
}

/* text NULL: writes nothing */
static inline void json_cstr(struct json *j, const char *key, const char *text)
{
    if (text)
        json_put_text(j, json_key(key), text, strlen(text));
}

static inline void json_stored(struct json *j, const char *key, struct bytes text, bool whole,
                               struct bytes raw, size_t limit)
{
    json_put_stored(j, json_key(key), text, whole, raw, limit);
}

static inline void json_stored_hex(struct json *j, const char *key, struct bytes value,
                                   size_t limit)
{
    json_put_stored_hex(j, json_key(key), value, limit);
}

static inline void json_hex(struct json *j, const char *key, const void *data, size_t size)
{
    json_put_hex(j, json_key(key), data, size);
}

static inline void json_u64(struct json *j, const char *key, uint64_t value)
{
    json_put_u64(j, json_key(key), value);
}

static inline void json_i64(struct json *j, const char *key, int64_t value)
{
    json_put_i64(j, json_key(key), value);
}

static inline void json_bool(struct json *j, const char *key, bool value)
{
    json_put_bool(j, json_key(key), value);
}

static inline void json_digest(struct json *j, const char *key, const struct ost_digest *d)
{
    json_put_digest(j, json_key(key), d);
}

static inline void json_time(struct json *j, const char *key, int64_t seconds, uint32_t nanoseconds,
                             unsigned digits)
{
    json_put_time(j, json_key(key), seconds, nanoseconds, digits);
}

static inline void json_filetime(struct json *j, const char *key, uint64_t filetime)
{
    json_put_filetime(j, json_key(key), filetime);
}

/* A record: an object whose first member is "type", closed and ended by json_end_record. */
static inline void json_record(struct json *j, struct buf *out, const char *type)
{
    json_start(j, out);
    json_object(j, NULL);
    json_cstr(j, "type", type);
}

static inline void json_end_record(struct json *j)
{
    json_close_object(j);
    json_end_line(j);
}

#endif
