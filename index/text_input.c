/* text_input.c: see text_input.h. */
#include "index/text_input.h"

#include <string.h>

#include "index/utf8.h"
#include "io/err.h"

enum { PIECE = 256 * 1024, SEQUENCE = 4 };

static void detect(struct text_input *t, const uint8_t *p, size_t size)
{
    if (size >= 3 && p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF) {
        t->at = 3;
    } else if (size >= 2 && p[0] == 0xFF && p[1] == 0xFE) {
        t->encoding = TEXT_UTF16LE;
        t->at = 2;
    } else if (size >= 2 && p[0] == 0xFE && p[1] == 0xFF) {
        t->encoding = TEXT_UTF16BE;
        t->at = 2;
    } else if (size >= 2 && p[0] && !p[1]) {
        t->encoding = TEXT_UTF16LE;
    } else if (size >= 2 && !p[0] && p[1]) {
        t->encoding = TEXT_UTF16BE;
    }
}

int text_input_init(struct text_input *t, struct io_source *source)
{
    uint8_t head[4];
    size_t size = source->size_bytes < sizeof head ? (size_t)source->size_bytes : sizeof head;
    int code = idx_text_create(&t->converter);

    t->source = source;
    t->at = 0;
    t->encoding = TEXT_UTF8;
    t->raw = t->text = BUF_INIT;
    if (!code && size)
        code = io_source_read(source, 0, head, size);
    if (!code)
        detect(t, head, size);
    return code;
}

void text_input_done(struct text_input *t)
{
    idx_text_destroy(t->converter);
    buf_done(&t->raw);
    buf_done(&t->text);
}

/* A sequence that goes on behind the piece waits for the next one. */
static size_t utf8_waits(struct bytes in)
{
    for (size_t n = 1; n < SEQUENCE && n <= in.size; n++) {
        const uint8_t c = in.data[in.size - n];

        if (c < 0x80)
            return 0;
        if (c >= 0xC0)
            return n < (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) ? n : 0;
    }
    return 0;
}

static void convert_utf8(struct text_input *t, struct bytes in)
{
    size_t from = 0, at = 0;

    while (at < in.size) {
        unsigned step = 1;

        if (in.data[at] < 0x80 || utf8_sequence(in.data + at, in.size - at, &step)) {
            at += step;
            continue;
        }
        buf_append(&t->text, in.data + from, at - from);
        idx_text_string8(t->converter, (struct bytes){in.data + at, 1}, 1252, &t->text, NULL);
        from = ++at;
    }
    buf_append(&t->text, in.data + from, in.size - from);
}

static size_t utf16_waits(struct text_input *t, struct bytes in)
{
    size_t odd = in.size % 2;
    const uint8_t *p = in.data + in.size - odd;

    if (t->encoding == TEXT_UTF16BE)
        for (size_t i = 0; i + 1 < in.size; i += 2) {
            uint8_t high = t->raw.data[i];

            t->raw.data[i] = t->raw.data[i + 1];
            t->raw.data[i + 1] = high;
        }
    return in.size - odd >= 2 && (p[-1] & 0xFC) == 0xD8 ? 2 + odd : odd;
}

/* Bytes that wait stand in file order, for their fellows come swapped too. */
static void keep(struct text_input *t, size_t waits)
{
    uint8_t *p = t->raw.data + t->raw.size - waits;

    if (t->encoding == TEXT_UTF16BE && waits >= 2) {
        uint8_t high = p[0];

        p[0] = p[1];
        p[1] = high;
    }
    memmove(t->raw.data, p, waits);
    t->raw.size = waits;
}

int text_input_next(struct text_input *t, struct bytes *piece)
{
    const uint64_t left = t->source->size_bytes - t->at;
    const size_t size = left < PIECE ? (size_t)left : PIECE;
    struct bytes in;
    size_t waits;
    int code;

    buf_reset(&t->text);
    if (!left)
        return 0;
    if (!buf_reserve(&t->raw, size))
        return ERR_NOMEM;
    code = io_source_read(t->source, t->at, t->raw.data + t->raw.size, size);
    if (code)
        return code;
    t->at += size;
    t->raw.size += size;
    in = (struct bytes){t->raw.data, t->raw.size};
    waits = t->encoding == TEXT_UTF8 ? utf8_waits(in) : utf16_waits(t, in);
    if (size == left)
        waits = 0; /* nothing more comes */
    in.size -= waits;
    if (t->encoding == TEXT_UTF8)
        convert_utf8(t, in);
    else
        idx_text_utf16(in, &t->text, NULL);
    keep(t, waits);
    *piece = (struct bytes){t->text.data, t->text.size};
    return t->text.failed ? ERR_NOMEM : 1;
}
