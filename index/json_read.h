/*
 * json_read.h: reading JSON (RFC 8259) token by token out of bytes in memory.
 *
 * A pull parser: no tree, no allocation. Strict: one value and nothing but white space around it,
 * valid UTF-8, no unescaped control character, no byte order mark, no comments, no trailing comma,
 * numbers by the grammar. Names may repeat; finding takes the first. A lone surrogate escape is
 * well-formed JSON and comes out as WTF-8. Numbers stay text until asked for.
 *
 * Ownership: tokens point into the bytes given, which must outlive them.
 * Threads: a reader belongs to one thread.
 * Errors: ERR_DAMAGED (no JSON), ERR_LIMIT (nested deeper than JSON_READ_DEPTH); they stay.
 */
#ifndef INDEX_JSON_READ_H
#define INDEX_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"
#include "io/bytes.h"

/* Deeper than any record or server export nests; one bit of state for each level. */
enum { JSON_READ_DEPTH = 64 };

enum json_kind {
    JSON_OBJECT,
    JSON_CLOSE_OBJECT,
    JSON_ARRAY,
    JSON_CLOSE_ARRAY,
    JSON_KEY, /* a member's name; its value is the next token */
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_token {
    enum json_kind kind;
    bool escaped;      /* a key or string holds backslashes */
    struct bytes text; /* as it stands: strings without their quotes, brackets one byte */
};

struct json_reader {
    struct bytes in;
    size_t at; /* offset of the next byte; after an error, of the offending one */
    unsigned depth;
    uint64_t in_object; /* a bit for each open level */
    uint8_t expect;
    int error;
};

void json_read_start(struct json_reader *r, struct bytes in);

/* The next token: 1. 0 after the value's end, or an error. */
int json_read_next(struct json_reader *r, struct json_token *out);

/*
 * Goes to the end of the value that `token`, the last one read, begins: its closing bracket for
 * JSON_OBJECT and JSON_ARRAY, the member's whole value for JSON_KEY, nowhere for others. *whole
 * (may be NULL) is that value's text as it stands, quotes and brackets included. 0 or an error.
 */
int json_read_skip(struct json_reader *r, const struct json_token *token, struct bytes *whole);

/* True if a JSON_KEY or JSON_STRING is that text once its escapes are resolved. */
bool json_token_is(const struct json_token *token, const char *text);

/* Appends a JSON_KEY's or JSON_STRING's text with its escapes resolved. */
void json_token_text(const struct json_token *token, struct buf *out);

/* A JSON_NUMBER that is an integer of that range, written without fraction or exponent. */
bool json_token_u64(const struct json_token *token, uint64_t *out);
bool json_token_i64(const struct json_token *token, int64_t *out);

/*
 * The value of the first member `key` of the object that `object` is: 1 with its text as it stands,
 * 0 when there is none, or an error (the whole of `object` was read only when the result is 0).
 */
int json_find(struct bytes object, const char *key, struct bytes *value);

/*
 * The values of the first members of these names, in one pass over the whole object: values[i] is
 * the text of keys[i]'s, data NULL where there is none. 0 or an error.
 */
int json_pick(struct bytes object, const char *const keys[], size_t count, struct bytes values[]);

/* The single token of a value that is a string, number or word; false for others and for no JSON.
 */
bool json_scalar(struct bytes value, struct json_token *out);

#endif
