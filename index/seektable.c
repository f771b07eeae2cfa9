/*
 * seektable.c: see seektable.h. All integers little-endian.
 *
 *   seal:   184D2A50 | 24 | "ostseal1" | XXH3-128 of all bytes before the seal, canonical
 *   table:  184D2A5E | size | entries: compressed, decompressed, checksum (4 bytes each) ...
 *           footer: number of entries (4) | descriptor (1): 80 = with checksums | 8F92EAB1
 */
#include "index/seektable.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "io/err.h"

#define FOOTER_MAGIC   UINT32_C(0x8F92EAB1)
#define WITH_CHECKSUMS 0x80
#define SEAL_TAG       "ostseal1"

void seektable_done(struct seektable *t)
{
    buf_done(&t->entries);
}

uint32_t seektable_checksum(struct bytes content)
{
    return (uint32_t)XXH64(content.data, content.size, 0);
}

int seektable_add_frame(struct seektable *t, struct seek_frame frame)
{
    uint8_t entry[SEEK_ENTRY];

    if (seektable_count(t) == SEEK_FRAMES_MAX)
        return ERR_LIMIT;
    put_le32(entry, frame.compressed);
    put_le32(entry + 4, frame.decompressed);
    put_le32(entry + 8, frame.checksum);
    buf_append(&t->entries, entry, sizeof entry);
    return t->entries.failed ? ERR_NOMEM : 0;
}

int seektable_add(struct seektable *t, size_t compressed_bytes, struct bytes content)
{
    if (compressed_bytes > UINT32_MAX)
        return ERR_LIMIT;
    assert(content.size <= UINT32_MAX);
    return seektable_add_frame(t, (struct seek_frame){(uint32_t)compressed_bytes,
                                                      (uint32_t)content.size,
                                                      seektable_checksum(content)});
}

uint32_t seektable_count(const struct seektable *t)
{
    return (uint32_t)(t->entries.size / SEEK_ENTRY);
}

struct seek_frame seektable_frame(const struct seektable *t, uint32_t n)
{
    const uint8_t *entry = t->entries.data + (size_t)n * SEEK_ENTRY;

    return (struct seek_frame){le32(entry), le32(entry + 4), le32(entry + 8)};
}

void seektable_seal(const struct ost_digest *so_far, uint8_t out[SEAL_SIZE])
{
    assert(so_far->size == 16);
    put_le32(out, SEAL_MAGIC);
    put_le32(out + 4, SEAL_SIZE - SEEK_SKIPPABLE_HEAD);
    memcpy(out + 8, SEAL_TAG, 8);
    memcpy(out + 16, so_far->bytes, 16);
}

void seektable_write(const struct seektable *t, struct buf *out)
{
    uint8_t head[SEEK_SKIPPABLE_HEAD], footer[SEEK_FOOTER];

    put_le32(head, SEEK_MAGIC);
    put_le32(head + 4, (uint32_t)(t->entries.size + SEEK_FOOTER));
    put_le32(footer, seektable_count(t));
    footer[4] = WITH_CHECKSUMS;
    put_le32(footer + 5, FOOTER_MAGIC);
    buf_append(out, head, sizeof head);
    buf_append(out, t->entries.data, t->entries.size);
    buf_append(out, footer, sizeof footer);
}

bool seektable_footer(const uint8_t footer[SEEK_FOOTER], uint32_t *count)
{
    if (footer[4] != WITH_CHECKSUMS || le32(footer + 5) != FOOTER_MAGIC ||
        le32(footer) > SEEK_FRAMES_MAX)
        return false;
    *count = le32(footer);
    return true;
}
