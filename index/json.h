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

#include "io/buf.h"
#include "io/bytes.h"
#include "scanner/ost/item.h"

enum { JSON_DEPTH = 32 };

struct json {
    struct buf *out;
    unsigned depth;
    bool has_member[JSON_DEPTH + 1];
};

void json_start(struct json *j, struct buf *out); /* begins at the buffer's end */
void json_object(struct json *j, const char *key); /* key NULL: array element or top level */
void json_array(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_close_array(struct json *j);
void json_end_line(struct json *j); /* all must be closed (assert); appends '\n' */

/* key NULL: an array element. json_text writes the _hex companion only where a key is given. */
void json_text(struct json *j, const char *key, const void *text, size_t size);
void json_cstr(struct json *j, const char *key, const char *text); /* NULL text: writes nothing */
void json_hex(struct json *j, const char *key, const void *data, size_t size);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_double(struct json *j, const char *key, double value); /* not finite: nothing */
void json_digest(struct json *j, const char *key, const struct ost_digest *d); /* size 0: nothing */
void json_time(struct json *j, const char *key, int64_t seconds, uint32_t nanoseconds,
               unsigned digits);
void json_filetime(struct json *j, const char *key, uint64_t filetime);

#endif
