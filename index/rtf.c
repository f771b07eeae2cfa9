/*
 * rtf.c: see rtf.h.
 *
 *   0  u32 COMPSIZE  bytes after this field
 *   4  u32 RAWSIZE   bytes when decompressed
 *   8  u32 COMPTYPE  "LZFu" compressed, "MELA" not
 *  12  u32 CRC       of the content (LZFu), 0 (MELA)
 *  16  content
 *
 * LZFu is runs of a control byte and eight tokens, low bit first: 0 is a literal byte, 1 a
 * big-endian 16-bit reference, 12 bits of offset into a ring of 4096 bytes and 4 bits of length
 * less 2. The ring starts with 207 bytes of common RTF. A reference to the place that is written
 * next is the end. A reference may overlap what it writes, so bytes are copied one by one.
 */
#include "index/rtf.h"

#include <string.h>

#include "io/err.h"
#include "scanner/ost/crc.h"

enum { HEADER = 16, RING = 4096, LZFU = 0x75465A4C, MELA = 0x414C454D };

static const char preset[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    "\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

struct lzfu {
    uint8_t ring[RING];
    size_t write;
    uint8_t *out;
    size_t size, room;
};

static bool emit(struct lzfu *z, uint8_t byte)
{
    if (z->size == z->room)
        return false;
    z->out[z->size++] = byte;
    z->ring[z->write] = byte;
    z->write = (z->write + 1) % RING;
    return true;
}

/* True when the end reference was met and nothing was left over on either side. */
static bool inflate(struct lzfu *z, struct bytes in)
{
    size_t at = 0;

    while (at < in.size) {
        unsigned control = in.data[at++];

        for (int bit = 0; bit < 8; bit++, control >>= 1) {
            if (!(control & 1)) {
                if (at == in.size || !emit(z, in.data[at++]))
                    return false;
                continue;
            }
            if (in.size - at < 2)
                return false;
            size_t from = (size_t)in.data[at] << 4 | in.data[at + 1] >> 4;
            size_t length = (in.data[at + 1] & 15U) + 2;

            at += 2;
            if (from == z->write)
                return z->size == z->room;
            for (; length; length--, from = (from + 1) % RING) {
                if (!emit(z, z->ring[from]))
                    return false;
            }
        }
    }
    return false;
}

static int decompress(struct bytes content, size_t raw_size, struct buf *out)
{
    struct lzfu z = {.write = sizeof preset - 1};
    /* Two bytes and an eighth give at most 17: no more room is needed, whatever is declared. */
    size_t most = content.size > SIZE_MAX / 9 ? SIZE_MAX : content.size * 9;
    bool whole;

    _Static_assert(sizeof preset - 1 == 207, "the preset ring of the format");
    z.room = raw_size < most ? raw_size : most;
    if (!buf_reserve(out, z.room + 1))
        return ERR_NOMEM;
    memcpy(z.ring, preset, sizeof preset - 1);
    z.out = out->data + out->size;
    whole = inflate(&z, content);
    out->size += z.size;
    return whole && z.size == raw_size ? 0 : ERR_DAMAGED;
}

int idx_rtf_decompress(struct bytes stream, size_t limit, struct buf *out)
{
    struct bytes content;
    bool intact;
    size_t raw_size;
    int rc;

    if (stream.size < HEADER)
        return ERR_DAMAGED;
    raw_size = le32(stream.data + 4);
    intact = (uint64_t)le32(stream.data) + 4 == stream.size;
    content = (struct bytes){stream.data + HEADER, stream.size - HEADER};
    if (raw_size > limit)
        return ERR_LIMIT;
    switch (le32(stream.data + 8)) {
    case LZFU:
        intact = intact && le32(stream.data + 12) == ost_crc(content.data, content.size);
        rc = decompress(content, raw_size, out);
        return rc ? rc : intact ? 0 : ERR_DAMAGED;
    case MELA:
        intact = intact && raw_size == content.size;
        buf_append(out, content.data, raw_size < content.size ? raw_size : content.size);
        return out->failed ? ERR_NOMEM : intact ? 0 : ERR_DAMAGED;
    default:
        return ERR_DAMAGED;
    }
}
