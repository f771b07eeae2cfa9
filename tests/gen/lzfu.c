#include "tests/gen/lzfu.h"

#include <string.h>

#include "io/bytes.h"
#include "tests/gen/sum.h"

/*
 * A window of 4096 bytes, primed with 207 bytes of common RTF. Runs of eight tokens, each led by a
 * byte of flags (bit 0 first): 0 a literal, 1 a reference of 16 bits, big-endian: 12 bits position
 * in the window, 4 bits length - 2. The end is a reference to the write position.
 *
 * Matches are found through the last place where each pair of bytes was seen: greedy and simple.
 */

static const char primer[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    "\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

enum { WINDOW = 4096, MATCH_MAX = 17, PRIMED = 207, HEADER = 16 };

_Static_assert(sizeof primer == PRIMED + 1, "the primer of [MS-OXRTFCP] 2.1.3.1.2");

struct packer {
    const uint8_t *all; /* primer and text in one row */
    size_t at, end;
    uint32_t last[65536]; /* newest place of a pair of bytes, plus 1 */
};

static void header(struct buf *out, size_t at, size_t raw, const char *form, uint32_t crc)
{
    uint8_t *h = out->data + at;
    put_le32(h, (uint32_t)(out->size - at - 4));
    put_le32(h + 4, (uint32_t)raw);
    memcpy(h + 8, form, 4);
    put_le32(h + 12, crc);
}

void lzfu_store(const uint8_t *rtf, size_t size, struct buf *out)
{
    static const uint8_t blank[HEADER];
    size_t at = out->size;
    buf_append(out, blank, HEADER);
    buf_append(out, rtf, size);
    if (!out->failed)
        header(out, at, size, "MELA", 0);
}

static size_t match_at(const struct packer *p, size_t *length)
{
    if (p->at + 2 > p->end)
        return 0;
    uint32_t seen = p->last[le16(p->all + p->at)];
    if (seen == 0 || p->at - (seen - 1) >= WINDOW - MATCH_MAX)
        return 0;
    size_t from = seen - 1, n = 0;
    while (n < MATCH_MAX && p->at + n < p->end && from + n < p->at &&
           p->all[from + n] == p->all[p->at + n])
        n++;
    *length = n;
    return n >= 2 ? seen : 0;
}

static void advance(struct packer *p, size_t count)
{
    for (; count > 0; count--, p->at++) {
        if (p->at + 2 <= p->end)
            p->last[le16(p->all + p->at)] = (uint32_t)p->at + 1;
    }
}

static void put_reference(struct buf *out, size_t position, size_t length)
{
    uint16_t word = (uint16_t)((position % WINDOW) << 4 | (length - 2));
    buf_putc(out, (char)(word >> 8));
    buf_putc(out, (char)word);
}

void lzfu_compress(const uint8_t *rtf, size_t size, struct buf *out)
{
    static _Thread_local struct packer p;
    static const uint8_t blank[HEADER];
    struct buf all = BUF_INIT;
    size_t start = out->size, flags_at = 0;
    buf_append(&all, primer, PRIMED);
    buf_append(&all, rtf, size);
    buf_append(out, blank, HEADER);
    if (all.failed)
        out->failed = true;
    p = (struct packer){.all = all.data, .end = all.size};
    if (!all.failed)
        advance(&p, PRIMED);
    for (unsigned token = 0; !out->failed; token++) {
        size_t length = 0, seen = match_at(&p, &length);
        bool end = p.at == p.end;
        if (token % 8 == 0) {
            flags_at = out->size;
            buf_putc(out, 0);
        }
        if (seen == 0 && !end) {
            buf_putc(out, (char)all.data[p.at]);
            advance(&p, 1);
            continue;
        }
        put_reference(out, end ? p.at : seen - 1, end ? 2 : length);
        if (!out->failed)
            out->data[flags_at] |= (uint8_t)(1u << (token % 8));
        if (end)
            break;
        advance(&p, length);
    }
    buf_done(&all);
    if (!out->failed)
        header(out, start, size, "LZFu",
               sum_crc(out->data + start + HEADER, out->size - start - HEADER));
}
