/*
 * text.c: see text.h.
 *
 * Nearly all text is ASCII, so every way in takes ASCII in strides before it looks closer.
 *
 * NFC: most code points are *plain*: they are their own NFC and never combine with what stands
 * before them. In
 *
 *     p p p P x x x p p p        p plain, x other, P the last plain one before an other
 *           [-----)
 *
 * only P and the others that follow it can change, so the runs of plain text are copied and the
 * rest goes through utf8proc, in pieces that are short in practice. The code points of a piece are
 * laid out in the free tail of the output and written back as UTF-8 over themselves: a code point
 * takes four bytes there and at most four as UTF-8, so the writer never overtakes the reader.
 * Lone surrogates and bytes that are no UTF-8 count as plain: they are copied and end a piece.
 */
#include "index/text.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <limits.h>
#include <string.h>

#include <utf8proc.h>

#include "index/codepage.h"
#include "index/utf16.h"
#include "io/err.h"
#include "io/mem.h"

enum { REPLACEMENT_SIZE = 3, SCRATCH_KEEP = 1 << 20 };
static const char replacement[] = "\xEF\xBF\xBD";

struct idx_text {
    struct buf scratch;
    bool open[IDX_CODEPAGES];
    iconv_t descriptor[IDX_CODEPAGES];
};

int idx_text_create(struct idx_text **out)
{
    struct idx_text *t = mem_zalloc(sizeof *t);

    if (!t)
        return ERR_NOMEM;
    *out = t;
    return 0;
}

void idx_text_destroy(struct idx_text *t)
{
    if (!t)
        return;
    for (int i = 0; i < IDX_CODEPAGES; i++) {
        if (t->open[i])
            iconv_close(t->descriptor[i]);
    }
    buf_done(&t->scratch);
    mem_free(t);
}

struct buf *idx_text_scratch(struct idx_text *t)
{
    if (t->scratch.capacity > SCRATCH_KEEP)
        buf_done(&t->scratch);
    buf_reset(&t->scratch);
    return &t->scratch;
}

static void not_whole(bool *whole)
{
    if (whole)
        *whole = false;
}

/* ---- UTF-16 ---- */

void idx_text_utf16(struct bytes utf16, struct buf *out, bool *whole)
{
    size_t units = utf16.size / 2;
    bool plain;

    if (utf16.size % 2)
        not_whole(whole);
    if (units && buf_reserve(out, units * 3))
        out->size =
            (size_t)(utf16_convert(utf16.data, units, out->data + out->size, &plain) - out->data);
}

uint8_t *idx_text_utf16_plain(struct bytes utf16, uint8_t *at)
{
    bool plain = false;
    uint8_t *end = utf16.size % 2 ? NULL : utf16_convert(utf16.data, utf16.size / 2, at, &plain);

    return plain ? end : NULL;
}

/* ---- 8-bit text ---- */

static size_t ascii_run(struct bytes text)
{
    size_t i = 0;

    for (; text.size - i >= 8 && !(le64(text.data + i) & 0x8080808080808080); i += 8)
        ;
    while (i < text.size && text.data[i] < 0x80)
        i++;
    return i;
}

/* The descriptor of a page in its initial state, or NULL: iconv does not know it, or (*lacks) had
 * not the memory or the files that it needs. */
static iconv_t *descriptor(struct idx_text *t, int page, bool *lacks)
{
    if (!t->open[page]) {
        iconv_t cd = iconv_open("UTF-8", idx_codepages[page].iconv);

        /* A lack of memory for its files looks like a page that is not known. */
        if (cd == (iconv_t)-1)
            cd = iconv_open("UTF-8", idx_codepages[page].iconv);
        *lacks = cd == (iconv_t)-1 && errno != EINVAL;
        if (cd == (iconv_t)-1)
            return NULL;
        t->descriptor[page] = cd;
        t->open[page] = true;
    }
    iconv(t->descriptor[page], NULL, NULL, NULL, NULL);
    return &t->descriptor[page];
}

static void convert(iconv_t cd, struct bytes text, struct buf *out, bool *whole)
{
    char *in = (char *)(uintptr_t)text.data;
    size_t left = text.size;

    while (left) {
        char *at;
        size_t room, n;

        if (!buf_reserve(out, left + left / 2 + 16))
            return;
        at = (char *)out->data + out->size;
        room = out->capacity - out->size;
        n = iconv(cd, &in, &left, &at, &room);
        out->size = out->capacity - room;
        if (n != (size_t)-1)
            break;
        if (errno == E2BIG)
            continue;
        not_whole(whole);
        buf_append(out, replacement, REPLACEMENT_SIZE);
        in++;
        left--;
        iconv(cd, NULL, NULL, NULL, NULL);
    }
    /* What a page with shift states still holds back. */
    if (buf_reserve(out, 16)) {
        char *at = (char *)out->data + out->size;
        size_t room = 16;

        iconv(cd, NULL, NULL, &at, &room);
        out->size += 16 - room;
    }
}

void idx_text_string8(struct idx_text *t, struct bytes text, uint32_t codepage, struct buf *out,
                      bool *whole)
{
    int page = idx_codepage_find(codepage);
    bool known = page >= 0, lacks = false;
    iconv_t *cd;
    size_t ascii;

    if (!known)
        page = idx_codepage_find(1252);
    if (idx_codepages[page].ascii) {
        ascii = ascii_run(text);
        buf_append(out, text.data, ascii);
        if (ascii == text.size)
            return;
        text = (struct bytes){text.data + ascii, text.size - ascii};
    }
    if (!known)
        not_whole(whole);
    cd = descriptor(t, page, &lacks);
    if (cd) {
        convert(*cd, text, out, whole);
        return;
    }
    if (lacks) {
        out->failed = true;
        return;
    }
    not_whole(whole);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x80)
            buf_append(out, text.data + i, 1);
        else
            buf_append(out, replacement, REPLACEMENT_SIZE);
    }
}

void idx_text_prop(struct idx_text *t, const struct ost_prop *prop, uint32_t codepage,
                   struct buf *out, bool *whole)
{
    if ((prop->type & ~0x2000) == OST_UNICODE)
        idx_text_utf16(prop->value, out, whole);
    else
        idx_text_string8(t, prop->value, codepage, out, whole);
}

struct bytes idx_text_trim(struct bytes text, bool utf16)
{
    if (utf16) {
        while (text.size >= 2 && !(text.size % 2) && !le16(text.data + text.size - 2))
            text.size -= 2;
    } else {
        while (text.size && !text.data[text.size - 1])
            text.size--;
    }
    return text;
}

/* ---- NFC ---- */

/* The code point at text[at], or -1 for a byte that starts none; *size its length, 1 at least. */
static int32_t code_point(struct bytes text, size_t at, size_t *size)
{
    utf8proc_int32_t c;
    size_t left = text.size - at;
    utf8proc_ssize_t n;

    *size = 1;
    if (text.data[at] < 0x80)
        return text.data[at];
    n = utf8proc_iterate(text.data + at, left < 4 ? (utf8proc_ssize_t)left : 4, &c);
    if (n < 1)
        return -1;
    *size = (size_t)n;
    return c;
}

/* Appends the NFC form of one piece of valid UTF-8. */
static void compose(struct bytes piece, struct buf *out)
{
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_ssize_t count, size = (utf8proc_ssize_t)piece.size;
    utf8proc_int32_t *codes;
    size_t pad;

    count = utf8proc_decompose(piece.data, size, NULL, 0, options);
    assert(count > 0);
    if (!buf_reserve(out, 4 + 4 * (size_t)count))
        return;
    pad = -out->size & 3;
    codes = (utf8proc_int32_t *)(void *)(out->data + out->size + pad);
    utf8proc_decompose(piece.data, size, codes, count, options);
    count = utf8proc_normalize_utf32(codes, count, options);
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        utf8proc_uint8_t encoded[4];
        size_t n = (size_t)utf8proc_encode_char(codes[i], encoded);

        memcpy(out->data + out->size, encoded, n);
        out->size += n;
    }
}

void idx_text_nfc(struct bytes wtf8, struct buf *out)
{
    size_t copied = 0, last = 0, at = 0, size;

    if (!wtf8.size)
        return;
    while (at < wtf8.size && !out->failed) {
        size_t run = ascii_run((struct bytes){wtf8.data + at, wtf8.size - at});
        size_t start;
        int32_t c;

        if (run) {
            at += run;
            last = at - 1;
            continue;
        }
        c = code_point(wtf8, at, &size);
        if (c < 0 || utf16_is_plain((uint32_t)c)) {
            last = c < 0 ? at + size : at;
            at += size;
            continue;
        }
        start = last;
        do {
            at += size;
            c = at < wtf8.size ? code_point(wtf8, at, &size) : -1;
        } while (c >= 0 && !utf16_is_plain((uint32_t)c));
        buf_append(out, wtf8.data + copied, start - copied);
        compose((struct bytes){wtf8.data + start, at - start}, out);
        copied = last = at;
    }
    buf_append(out, wtf8.data + copied, wtf8.size - copied);
}

/* UTF-16 is plain as a rule, and then written where it belongs at once. */
static void canonical_utf16(struct idx_text *t, struct bytes utf16, struct buf *out, bool *whole)
{
    size_t units = utf16.size / 2, start = out->size;
    struct buf *scratch;
    bool plain;

    if (utf16.size % 2)
        not_whole(whole);
    if (!units || !buf_reserve(out, units * 3))
        return;
    out->size = (size_t)(utf16_convert(utf16.data, units, out->data + start, &plain) - out->data);
    if (plain)
        return;
    scratch = idx_text_scratch(t);
    buf_append(scratch, out->data + start, out->size - start);
    out->size = start;
    if (scratch->failed)
        out->failed = true;
    else
        idx_text_nfc((struct bytes){scratch->data, scratch->size}, out);
}

void idx_text_canonical(struct idx_text *t, struct bytes text, bool utf16, uint32_t codepage,
                        struct buf *out, bool *whole)
{
    struct buf *scratch;

    if (utf16) {
        canonical_utf16(t, text, out, whole);
        return;
    }
    scratch = idx_text_scratch(t);
    idx_text_string8(t, text, codepage, scratch, whole);
    if (scratch->failed)
        out->failed = true;
    else
        idx_text_nfc((struct bytes){scratch->data, scratch->size}, out);
}

bool idx_text_is_utf8(struct bytes text)
{
    size_t at = 0, size;

    while (at < text.size) {
        at += ascii_run((struct bytes){text.data + at, text.size - at});
        if (at == text.size)
            break;
        if (code_point(text, at, &size) < 0)
            return false;
        at += size;
    }
    return true;
}
