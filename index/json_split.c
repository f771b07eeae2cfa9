/*
 * json_split.c: see json_split.h.
 *
 * Strings and brackets are all that is looked at. Depth counts open brackets. A top-level object is
 * captured whole until its member `value` turns out to be an array; then it is an envelope, what
 * was captured is dropped, and the array's elements are captured one by one.
 */
#include "index/json_split.h"

#include <string.h>

#include "io/err.h"

enum { KEY_MOST = 64 };

void json_split_init(struct json_split *s, const struct json_split_sink *sink)
{
    *s = (struct json_split){.sink = *sink};
}

void json_split_done(struct json_split *s)
{
    buf_done(&s->whole);
    buf_done(&s->key);
}

static bool key_is(const struct json_split *s, const char *text)
{
    return s->key.size == strlen(text) && memcmp(s->key.data, text, s->key.size) == 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int keep(struct json_split *s, uint8_t c)
{
    if (s->whole.size == JSON_SPLIT_MOST)
        return ERR_LIMIT;
    buf_putc(&s->whole, (char)c);
    return s->whole.failed ? ERR_NOMEM : 0;
}

static int string_byte(struct json_split *s, uint8_t c)
{
    if (s->escaped)
        s->escaped = false;
    else if (c == '\\')
        s->escaped = true;
    else if (c == '"')
        s->in_string = false;
    if (s->in_string && s->depth == 1 && s->key.size < KEY_MOST)
        buf_putc(&s->key, (char)c);
    return s->key.failed ? ERR_NOMEM : 0;
}

static int open_bracket(struct json_split *s, uint8_t c)
{
    const bool object = c == '{';

    if (s->depth == JSON_SPLIT_DEPTH)
        return ERR_LIMIT;
    if (s->depth == 0) {
        buf_reset(&s->whole);
        buf_reset(&s->key);
        s->envelope = s->more = s->after_key = false;
        s->element = object ? 0 : 1;
        s->capturing = object;
    } else if (s->depth == 1 && !object && s->objects & 1 && !s->envelope && s->after_key &&
               key_is(s, "value")) {
        s->envelope = true;
        s->element = 2;
        s->capturing = false;
    } else if (s->depth == s->element && !s->capturing) {
        if (!object)
            return s->sink.other(s->sink.ctx);
        buf_reset(&s->whole);
        s->capturing = true;
    }
    return 0;
}

static void push(struct json_split *s, bool object)
{
    const uint64_t bit = UINT64_C(1) << s->depth;

    s->objects = object ? s->objects | bit : s->objects & ~bit;
    s->depth++;
}

static int close_bracket(struct json_split *s, uint8_t c)
{
    if (!s->depth || (s->objects >> (s->depth - 1) & 1) != (c == '}'))
        return ERR_DAMAGED;
    s->depth--;
    if (s->capturing && (s->element ? s->depth == s->element : s->depth == 0)) {
        s->capturing = false;
        return s->sink.object(s->sink.ctx, (struct bytes){s->whole.data, s->whole.size});
    }
    if (s->envelope && s->depth == 1 && s->element == 2)
        s->element = 0; /* behind the array */
    if (s->depth == 0 && s->envelope)
        return s->sink.envelope(s->sink.ctx, s->more);
    return 0;
}

/* A byte outside of strings. */
static int plain_byte(struct json_split *s, uint8_t c)
{
    switch (c) {
    case '"':
        if (!s->depth)
            return ERR_DAMAGED;
        s->in_string = true;
        s->after_key = false;
        if (s->depth == 1)
            buf_reset(&s->key);
        return s->depth == s->element && !s->capturing ? s->sink.other(s->sink.ctx) : 0;
    case ':':
        s->after_key |= s->depth == 1;
        s->more |= s->depth == 1 && key_is(s, "@odata.nextLink");
        return 0;
    case ',':
        if (s->depth == 1)
            buf_reset(&s->key);
        return s->depth ? 0 : ERR_DAMAGED;
    default:
        return s->depth || is_space(c) ? 0 : ERR_DAMAGED;
    }
}

static int take_byte(struct json_split *s, uint8_t c)
{
    int code = 0;

    if (s->in_string) {
        code = s->capturing ? keep(s, c) : 0;
        return code ? code : string_byte(s, c);
    }
    if (c == '{' || c == '[') {
        code = open_bracket(s, c);
        if (!code)
            push(s, c == '{');
        return code ? code : s->capturing ? keep(s, c) : 0;
    }
    if (s->capturing)
        code = keep(s, c);
    if (code)
        return code;
    return c == '}' || c == ']' ? close_bracket(s, c) : plain_byte(s, c);
}

int json_split_take(struct json_split *s, struct bytes piece)
{
    for (size_t i = 0; i < piece.size; i++, s->at++) {
        int code = take_byte(s, piece.data[i]);

        if (code)
            return code;
    }
    return 0;
}

int json_split_end(const struct json_split *s)
{
    return s->depth || s->in_string ? ERR_DAMAGED : 0;
}
