#include "tests/gen/encode.h"

#include <stdio.h>
#include <string.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"

enum { CP_UTF8 = 65001 };

void encoder_init(struct encoder *e, bool wide)
{
    *e = (struct encoder){.wide = wide};
}

void encoder_done(struct encoder *e)
{
    for (size_t i = 0; i < e->page_count; i++) {
        iconv_close(e->pages[i].converter);
        mem_free(e->pages[i].bytes);
    }
    *e = (struct encoder){0};
}

static struct codepage *page_of(struct encoder *e, uint32_t number)
{
    for (size_t i = 0; i < e->page_count; i++) {
        if (e->pages[i].number == number)
            return &e->pages[i];
    }
    if (e->page_count == ENCODE_PAGES)
        return NULL;
    char name[16];
    snprintf(name, sizeof name, "CP%u", number);
    struct codepage *p = &e->pages[e->page_count];
    p->converter = iconv_open(name, "UTF-16LE");
    if (p->converter == (iconv_t)-1)
        return NULL;
    p->bytes = mem_zalloc(0x10000 * sizeof *p->bytes);
    if (p->bytes == NULL) {
        iconv_close(p->converter);
        return NULL;
    }
    p->number = number;
    e->page_count++;
    return p;
}

static uint16_t page_lookup(struct codepage *p, uint16_t c)
{
    if (p->bytes[c] != 0)
        return p->bytes[c];
    char in[2] = {(char)c, (char)(c >> 8)};
    char out[4] = {0};
    char *in_at = in, *out_at = out;
    size_t in_left = 2, out_left = 2;
    iconv(p->converter, NULL, NULL, NULL, NULL);
    size_t failed = iconv(p->converter, &in_at, &in_left, &out_at, &out_left);
    uint16_t bytes = '?';
    if (failed == 0 && out_left == 1)
        bytes = (uint8_t)out[0];
    else if (failed == 0 && out_left == 0)
        bytes = (uint16_t)((uint8_t)out[0] | (uint8_t)out[1] << 8);
    p->bytes[c] = bytes;
    return bytes;
}

/* One character; the text is well-formed but for encoded surrogates. */
static uint32_t next_char(const uint8_t **at)
{
    const uint8_t *p = *at;
    if (p[0] < 0x80) {
        *at = p + 1;
        return p[0];
    }
    if (p[0] < 0xE0) {
        *at = p + 2;
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    }
    if (p[0] < 0xF0) {
        *at = p + 3;
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    }
    *at = p + 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
           (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

/* Bytes below 0x80 from the start of the text, eight at a time. */
static size_t ascii_run(const uint8_t *text, const uint8_t *end)
{
    size_t n = 0;
    while (end - text >= (ptrdiff_t)n + 8) {
        uint64_t word;
        memcpy(&word, text + n, 8);
        if ((word & 0x8080808080808080u) != 0)
            break;
        n += 8;
    }
    return n;
}

size_t encode_utf16(const char *string, size_t size, uint8_t *out)
{
    const uint8_t *text = (const uint8_t *)string, *end = text + size;
    uint8_t *o = out;
    while (text < end) {
        size_t run = ascii_run(text, end);
        for (size_t i = 0; i < run; i++)
            put_le16(o + 2 * i, text[i]);
        o += 2 * run;
        text += run;
        if (text == end)
            break;
        uint32_t c = *text < 0x80 ? *text++ : next_char(&text);
        if (c < 0x10000) {
            put_le16(o, (uint16_t)c);
            o += 2;
        } else {
            put_le16(o, (uint16_t)(0xD7C0 + (c >> 10)));
            put_le16(o + 2, (uint16_t)(0xDC00 | (c & 0x3FF)));
            o += 4;
        }
    }
    return (size_t)(o - out);
}

int64_t encode_text(struct encoder *e, uint32_t codepage, const char *text, size_t size,
                    uint8_t *out)
{
    const uint8_t *in = (const uint8_t *)text, *end = in + size;
    if (e->wide)
        return (int64_t)encode_utf16(text, size, out);
    if (codepage == CP_UTF8) {
        memcpy(out, text, size);
        return (int64_t)size;
    }
    struct codepage *page = page_of(e, codepage);
    if (page == NULL)
        return ERR_UNSUPPORTED;
    uint8_t *o = out;
    while (in < end) {
        size_t run = ascii_run(in, end);
        memcpy(o, in, run);
        o += run;
        in += run;
        if (in == end)
            break;
        uint32_t c = *in < 0x80 ? *in++ : next_char(&in);
        uint16_t bytes = c < 0x80      ? (uint16_t)c
                         : c < 0x10000 ? page_lookup(page, (uint16_t)c)
                                       : '?';
        e->replaced += bytes == '?' && c != '?';
        *o++ = (uint8_t)bytes;
        if (bytes > 0xFF)
            *o++ = (uint8_t)(bytes >> 8);
    }
    return o - out;
}
