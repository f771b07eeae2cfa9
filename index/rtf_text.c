/*
 * rtf_text.c: see rtf_text.h.
 *
 * One pass with a counter of open groups: a group whose destination is passed over is left when the
 * counter falls below what it was. Bytes given as \'xx are gathered, for a character of a code page
 * may take two of them. A first surrogate is kept back until what follows is known.
 */
#include "index/rtf_text.h"

#include <stdlib.h>
#include <string.h>

#include "index/utf8.h"

enum { RUN_MAX = 256, WORD_MAX = 32, DIGITS_MAX = 9 };

struct rtf {
    struct idx_text *text;
    struct bytes in;
    size_t at;
    struct buf *out;
    uint32_t codepage;
    unsigned depth, passing; /* passing: the depth whose end ends it; 0: not */
    unsigned fallback;       /* characters that stand for a \u */
    unsigned fallback_left;
    uint32_t first; /* surrogate that waits for its second; 0: none */
    uint8_t run[RUN_MAX];
    size_t run_size;
};

static void put_utf8(struct rtf *r, uint32_t code)
{
    uint8_t out[4];

    buf_append(r->out, out, utf8_encode(code, out));
}

/* At most one of both is there: a run ends where a surrogate comes, and the other way round. */
static void end_run(struct rtf *r)
{
    if (r->first)
        put_utf8(r, r->first);
    r->first = 0;
    if (r->run_size)
        idx_text_string8(r->text, (struct bytes){r->run, r->run_size}, r->codepage, r->out, NULL);
    r->run_size = 0;
}

static void put_byte(struct rtf *r, uint8_t byte)
{
    if (r->fallback_left) {
        r->fallback_left--;
        return;
    }
    if (r->passing)
        return;
    if (r->run_size == RUN_MAX || r->first)
        end_run(r);
    r->run[r->run_size++] = byte;
}

static void put_code(struct rtf *r, long value)
{
    uint32_t code = (uint32_t)(value < 0 ? value + 65536 : value);

    r->fallback_left = r->fallback;
    if (r->passing || code == 0 || code > 0x10FFFF)
        return;
    if (r->first && code >> 10 == 0xDC00 >> 10) {
        code = 0x10000 + ((r->first & 0x3FF) << 10 | (code & 0x3FF));
        r->first = 0;
    }
    end_run(r);
    if (code >> 10 == 0xD800 >> 10)
        r->first = code;
    else
        put_utf8(r, code);
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static int hex_of(uint8_t c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Letters, and the number that may follow them, at most nine digits of it. */
static long read_word(struct rtf *r, char word[WORD_MAX])
{
    char digits[DIGITS_MAX + 2];
    size_t n = 0, d = 0;

    for (; r->at < r->in.size && is_letter(r->in.data[r->at]); r->at++)
        if (n < WORD_MAX - 1)
            word[n++] = (char)r->in.data[r->at];
    word[n] = '\0';
    if (r->at + 1 < r->in.size && r->in.data[r->at] == '-' && is_digit(r->in.data[r->at + 1]))
        digits[d++] = (char)r->in.data[r->at++];
    for (; r->at < r->in.size && is_digit(r->in.data[r->at]); r->at++)
        if (d < DIGITS_MAX)
            digits[d++] = (char)r->in.data[r->at];
    digits[d] = '\0';
    if (r->at < r->in.size && r->in.data[r->at] == ' ')
        r->at++;
    return strtol(digits, NULL, 10);
}

static bool is_destination(const char *word)
{
    static const char *const passed[] = {"fonttbl", "colortbl", "stylesheet", "info",   "pict",
                                         "object",  "header",   "footer",     "fldinst"};

    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        if (strcmp(word, passed[i]) == 0)
            return true;
    return false;
}

static void put_break(struct rtf *r, char c)
{
    if (r->passing)
        return;
    end_run(r);
    buf_putc(r->out, c);
}

static void take_word(struct rtf *r)
{
    char word[WORD_MAX];
    long value = read_word(r, word);

    if (strcmp(word, "u") == 0)
        put_code(r, value);
    else if (strcmp(word, "uc") == 0)
        r->fallback = value >= 0 && value < 16 ? (unsigned)value : 1;
    else if (strcmp(word, "par") == 0 || strcmp(word, "line") == 0)
        put_break(r, '\n');
    else if (strcmp(word, "tab") == 0)
        put_break(r, '\t');
    else if (strcmp(word, "ansicpg") == 0 && value > 0)
        r->codepage = (uint32_t)value;
    else if (strcmp(word, "bin") == 0 && value > 0)
        r->at += (size_t)value < r->in.size - r->at ? (size_t)value : r->in.size - r->at;
    else if (is_destination(word) && !r->passing)
        r->passing = r->depth;
}

/* What follows a backslash. */
static void take_control(struct rtf *r)
{
    uint8_t c = r->at < r->in.size ? r->in.data[r->at] : 0;

    if (is_letter(c)) {
        take_word(r);
        return;
    }
    r->at += r->at < r->in.size;
    if (c == '\'' && r->in.size - r->at >= 2) {
        int high = hex_of(r->in.data[r->at]), low = hex_of(r->in.data[r->at + 1]);

        r->at += 2;
        if (high >= 0 && low >= 0)
            put_byte(r, (uint8_t)(high << 4 | low));
    } else if (c == '*' && !r->passing) {
        r->passing = r->depth;
    } else if (c == '\\' || c == '{' || c == '}') {
        put_byte(r, c);
    } else if (c == '~') {
        put_byte(r, ' ');
    } else if (c == '\n' || c == '\r') {
        put_break(r, '\n');
    }
}

void idx_rtf_text(struct idx_text *text, struct bytes rtf, uint32_t codepage, struct buf *out)
{
    struct rtf r = {.text = text, .in = rtf, .out = out, .codepage = codepage, .fallback = 1};

    while (r.at < r.in.size && !out->failed) {
        uint8_t c = r.in.data[r.at++];

        if (c == '\\') {
            take_control(&r);
        } else if (c == '{') {
            r.depth++;
        } else if (c == '}') {
            if (r.passing && r.passing == r.depth)
                r.passing = 0;
            r.depth -= r.depth > 0;
        } else if (c != '\r' && c != '\n') {
            put_byte(&r, c);
        }
    }
    end_run(&r);
}
