/*
 * json_read.c: see json_read.h.
 *
 * What may come next is one of five expectations; which bracket closes a level is a bit for each
 * level, so the whole state is a few words and nesting costs no stack:
 *
 *   VALUE ──scalar or close──▶ COMMA_OR_CLOSE ──, value or , key :──▶ itself or VALUE
 *     ├──{──▶ KEY_OR_CLOSE ──key :──▶ VALUE
 *     └──[──▶ VALUE_OR_CLOSE
 *   at depth 0 the end of a value leads to END, after which only white space may stand.
 */
#include "index/json_read.h"

#include <string.h>

#include "index/utf8.h"
#include "io/err.h"

enum expect { VALUE, VALUE_OR_CLOSE, KEY_OR_CLOSE, COMMA_OR_CLOSE, END };

void json_read_start(struct json_reader *r, struct bytes in)
{
    *r = (struct json_reader){.in = in, .expect = VALUE};
}

static int fail(struct json_reader *r, int code)
{
    r->error = code;
    return code;
}

/* The byte at hand, or -1 at the end. */
static int peek(const struct json_reader *r)
{
    return r->at < r->in.size ? r->in.data[r->at] : -1;
}

static void skip_space(struct json_reader *r)
{
    for (int c = peek(r); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(r))
        r->at++;
}

static bool in_object(const struct json_reader *r)
{
    return r->in_object >> (r->depth - 1) & 1;
}

static void value_done(struct json_reader *r)
{
    r->expect = r->depth ? COMMA_OR_CLOSE : END;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(int c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* What follows a backslash. */
static bool escape(struct json_reader *r)
{
    int c = peek(r);

    if (c < 0)
        return false;
    if (c != 'u') {
        if (!strchr("\"\\/bfnrt", c) || !c)
            return false;
        r->at++;
        return true;
    }
    r->at++;
    for (int i = 0; i < 4; i++) {
        if (hex_digit(peek(r)) < 0)
            return false;
        r->at++;
    }
    return true;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* How many of the bytes at p are ASCII that stands for itself, found eight at a time: the top bit
 * of a byte is set where it stands for something else, or by a false alarm above such a byte. */
static size_t plain_run(const uint8_t *p, size_t size)
{
    size_t n = 0;

    for (; size - n >= 8; n += 8) {
        uint64_t v = le64(p + n), quote = v ^ EACH('"'), backslash = v ^ EACH('\\');
        uint64_t other =
            (v | (v - EACH(0x20)) | (quote - EACH(1)) | (backslash - EACH(1))) & EACH(0x80);

        /* Without the top bit of v itself a difference has it only by a borrow. */
        if (other)
            return n + (size_t)__builtin_ctzll(other) / 8;
    }
    return n;
}

/* From the opening quote to behind the closing one. */
static bool string(struct json_reader *r, struct json_token *out)
{
    size_t start = ++r->at;

    out->escaped = false;
    r->at += plain_run(r->in.data + r->at, r->in.size - r->at);
    for (int c = peek(r); c != '"'; c = peek(r)) {
        unsigned step;

        if (c < 0x20)
            return false;
        if (c == '\\') {
            out->escaped = true;
            r->at++;
            if (!escape(r))
                return false;
        } else if (c < 0x80) {
            r->at++;
        } else {
            if (!utf8_sequence(r->in.data + r->at, r->in.size - r->at, &step))
                return false;
            r->at += step;
        }
        r->at += plain_run(r->in.data + r->at, r->in.size - r->at);
    }
    out->text = (struct bytes){r->in.data + start, r->at - start};
    r->at++;
    return true;
}

static bool digits(struct json_reader *r)
{
    if (!is_digit(peek(r)))
        return false;
    while (is_digit(peek(r)))
        r->at++;
    return true;
}

static bool number(struct json_reader *r, struct json_token *out)
{
    size_t start = r->at;

    if (peek(r) == '-')
        r->at++;
    if (peek(r) == '0')
        r->at++;
    else if (!digits(r))
        return false;
    if (peek(r) == '.') {
        r->at++;
        if (!digits(r))
            return false;
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!digits(r))
            return false;
    }
    out->text = (struct bytes){r->in.data + start, r->at - start};
    return true;
}

static bool word(struct json_reader *r, const char *text, struct json_token *out)
{
    size_t size = strlen(text);

    if (!range_fits(r->at, size, r->in.size) || memcmp(r->in.data + r->at, text, size) != 0)
        return false;
    out->text = (struct bytes){r->in.data + r->at, size};
    r->at += size;
    return true;
}

static int open_level(struct json_reader *r, struct json_token *out)
{
    bool object = peek(r) == '{';

    if (r->depth == JSON_READ_DEPTH)
        return fail(r, ERR_LIMIT);
    r->in_object &= ~(UINT64_C(1) << r->depth);
    r->in_object |= (uint64_t)object << r->depth;
    r->depth++;
    r->expect = object ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
    out->kind = object ? JSON_OBJECT : JSON_ARRAY;
    out->text = (struct bytes){r->in.data + r->at++, 1};
    return 1;
}

static int close_level(struct json_reader *r, struct json_token *out)
{
    bool object = in_object(r);

    if (peek(r) != (object ? '}' : ']'))
        return fail(r, ERR_DAMAGED);
    r->depth--;
    value_done(r);
    out->kind = object ? JSON_CLOSE_OBJECT : JSON_CLOSE_ARRAY;
    out->text = (struct bytes){r->in.data + r->at++, 1};
    return 1;
}

static int value(struct json_reader *r, struct json_token *out)
{
    int c = peek(r);
    bool good;

    if (c == '{' || c == '[')
        return open_level(r, out);
    if (c == '"') {
        out->kind = JSON_STRING;
        good = string(r, out);
    } else if (c == 't') {
        out->kind = JSON_TRUE;
        good = word(r, "true", out);
    } else if (c == 'f') {
        out->kind = JSON_FALSE;
        good = word(r, "false", out);
    } else if (c == 'n') {
        out->kind = JSON_NULL;
        good = word(r, "null", out);
    } else {
        out->kind = JSON_NUMBER;
        good = number(r, out);
    }
    if (!good)
        return fail(r, ERR_DAMAGED);
    value_done(r);
    return 1;
}

static int key(struct json_reader *r, struct json_token *out)
{
    if (peek(r) != '"' || !string(r, out))
        return fail(r, ERR_DAMAGED);
    skip_space(r);
    if (peek(r) != ':')
        return fail(r, ERR_DAMAGED);
    r->at++;
    out->kind = JSON_KEY;
    r->expect = VALUE;
    return 1;
}

/* Behind a value inside a level: a comma and what it announces, or the level's end. */
static int go_on(struct json_reader *r, struct json_token *out)
{
    if (peek(r) != ',')
        return close_level(r, out);
    r->at++;
    skip_space(r);
    return in_object(r) ? key(r, out) : value(r, out);
}

int json_read_next(struct json_reader *r, struct json_token *out)
{
    struct json_token token = {0};
    int got;

    if (r->error)
        return r->error;
    skip_space(r);
    switch ((enum expect)r->expect) {
    case VALUE:
        got = value(r, &token);
        break;
    case VALUE_OR_CLOSE:
        got = peek(r) == ']' ? close_level(r, &token) : value(r, &token);
        break;
    case KEY_OR_CLOSE:
        got = peek(r) == '}' ? close_level(r, &token) : key(r, &token);
        break;
    case COMMA_OR_CLOSE:
        got = go_on(r, &token);
        break;
    default:
        got = r->at == r->in.size ? 0 : fail(r, ERR_DAMAGED);
        break;
    }
    if (got == 1)
        *out = token;
    return got;
}

int json_read_skip(struct json_reader *r, const struct json_token *token, struct bytes *whole)
{
    bool quotes = token->kind == JSON_STRING;
    struct json_token t = *token;
    const uint8_t *start = t.text.data - quotes;
    unsigned depth;
    int got;

    if (t.kind == JSON_KEY) {
        got = json_read_next(r, &t);
        return got < 0 ? got : json_read_skip(r, &t, whole);
    }
    if (t.kind == JSON_OBJECT || t.kind == JSON_ARRAY) {
        depth = r->depth - 1;
        while (r->depth > depth) {
            got = json_read_next(r, &t);
            if (got < 0)
                return got;
        }
    }
    if (whole)
        *whole = (struct bytes){start, (size_t)(r->in.data + r->at - start)};
    return 0;
}

static uint32_t hex4(const uint8_t *p)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++)
        code = code << 4 | (uint32_t)hex_digit(p[i]);
    return code;
}

/* The next character of a key or string at *at, whose escapes were found well-formed before. */
static unsigned unescape(struct bytes text, size_t *at, uint8_t out[4])
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const uint8_t *p = text.data + *at;
    uint32_t code, low;

    if (p[0] != '\\') {
        (*at)++;
        out[0] = p[0];
        return 1;
    }
    if (p[1] != 'u') {
        const char *found = strchr(from, p[1]);

        *at += 2;
        out[0] = found ? (uint8_t)to[found - from] : p[1];
        return 1;
    }
    code = hex4(p + 2);
    *at += 6;
    if (code >= 0xD800 && code < 0xDC00 && text.size - *at >= 6 && p[6] == '\\' && p[7] == 'u') {
        low = hex4(p + 8);
        if (low >= 0xDC00 && low < 0xE000) {
            *at += 6;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return utf8_encode(code, out);
}

bool json_token_is(const struct json_token *token, const char *text)
{
    size_t size = strlen(text), seen = 0, at = 0;

    if (token->kind != JSON_KEY && token->kind != JSON_STRING)
        return false;
    if (!token->escaped)
        return token->text.size == size && memcmp(token->text.data, text, size) == 0;
    while (at < token->text.size) {
        uint8_t c[4];
        unsigned n = unescape(token->text, &at, c);

        if (size - seen < n || memcmp(text + seen, c, n) != 0)
            return false;
        seen += n;
    }
    return seen == size;
}

void json_token_text(const struct json_token *token, struct buf *out)
{
    size_t at = 0;

    if (!token->escaped) {
        buf_append(out, token->text.data, token->text.size);
        return;
    }
    while (at < token->text.size) {
        uint8_t c[4];
        unsigned n = unescape(token->text, &at, c);

        buf_append(out, c, n);
    }
}

static bool magnitude(struct bytes text, uint64_t *out)
{
    uint64_t v = 0;

    if (!text.size)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(text.data[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool json_token_u64(const struct json_token *token, uint64_t *out)
{
    return token->kind == JSON_NUMBER && magnitude(token->text, out);
}

bool json_token_i64(const struct json_token *token, int64_t *out)
{
    bool minus = token->kind == JSON_NUMBER && token->text.data[0] == '-';
    struct bytes text = token->text;
    uint64_t v;

    if (minus)
        text = (struct bytes){text.data + 1, text.size - 1};
    if (token->kind != JSON_NUMBER || !magnitude(text, &v) || v > (uint64_t)INT64_MAX + minus)
        return false;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

int json_find(struct bytes object, const char *name, struct bytes *out)
{
    struct json_reader r;
    struct json_token t;
    int got;

    json_read_start(&r, object);
    got = json_read_next(&r, &t);
    if (got == 1 && t.kind != JSON_OBJECT)
        return ERR_DAMAGED;
    while (got == 1 && (got = json_read_next(&r, &t)) == 1 && t.kind == JSON_KEY) {
        bool found = json_token_is(&t, name);
        int code = json_read_skip(&r, &t, found ? out : NULL);

        if (code < 0 || found)
            return code < 0 ? code : 1;
    }
    return got < 0 ? got : json_read_next(&r, &t);
}

int json_pick(struct bytes object, const char *const keys[], size_t count, struct bytes values[])
{
    struct json_reader r;
    struct json_token t;
    int got;

    memset(values, 0, count * sizeof *values);
    json_read_start(&r, object);
    got = json_read_next(&r, &t);
    if (got == 1 && t.kind != JSON_OBJECT)
        return ERR_DAMAGED;
    while (got == 1 && (got = json_read_next(&r, &t)) == 1 && t.kind == JSON_KEY) {
        size_t i = 0;
        int code;

        while (i < count && (values[i].data || !json_token_is(&t, keys[i])))
            i++;
        code = json_read_skip(&r, &t, i < count ? &values[i] : NULL);
        if (code < 0)
            return code;
    }
    return got < 0 ? got : json_read_next(&r, &t);
}

bool json_scalar(struct bytes text, struct json_token *out)
{
    struct json_reader r;
    struct json_token t, end;

    json_read_start(&r, text);
    if (json_read_next(&r, &t) != 1 || json_read_next(&r, &end) != 0)
        return false;
    *out = t;
    return true;
}
