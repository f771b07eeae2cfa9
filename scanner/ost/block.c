/* block.c: see block.h. */
#include "scanner/ost/block.h"

#include <string.h>
#include <threads.h>

#include <libdeflate.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/cipher.h"
#include "scanner/ost/crc.h"

struct ost_decoder {
    const struct ost_variant *variant;
    enum ost_crypt crypt;
    struct libdeflate_decompressor *inflater; /* NULL where nothing is compressed */
};

static uint32_t trailer_offset(const struct ost_variant *v, uint32_t stored)
{
    return ost_block_extent(v, stored) - v->block_trailer;
}

struct ost_block_trailer ost_block_trailer(const struct ost_variant *v, const uint8_t *extent,
                                           uint32_t stored)
{
    const uint8_t *t = extent + trailer_offset(v, stored);
    struct ost_block_trailer out = {
        .stored = le16(t + OFF_BT_CB),
        .sig = le16(t + OFF_BT_SIG),
        .crc = le32(t + v->block_crc),
        .bid = ost_id(v, t + v->block_bid),
    };

    if (v->deflates) {
        out.constant = le16(t + OFF_K_BT_CONST);
        out.inflated = le16(t + OFF_K_BT_INFLATED);
        out.zero = le32(t + OFF_K_BT_ZERO);
    }
    return out;
}

void ost_block_check(const struct ost_variant *v, const struct ost_block *block,
                     const uint8_t *extent, struct ost_defects *defects)
{
    struct ost_block_trailer t = ost_block_trailer(v, extent, block->stored);
    uint32_t at = trailer_offset(v, block->stored);
    uint32_t crc = ost_crc(extent, block->stored);

    if (block->stored > v->data_max || block->inflated > v->data_max)
        ost_defects_add(defects, OST_BLOCK_SIZE, 0, v->data_max,
                        block->stored > v->data_max ? block->stored : block->inflated);
    ost_defects_compare(defects, OST_BLOCK_SIZE, at + OFF_BT_CB, block->stored, t.stored);
    ost_defects_compare(defects, OST_BLOCK_SIG, at + OFF_BT_SIG, ost_sig(block->offset, block->bid),
                        t.sig);
    ost_defects_compare(defects, OST_BLOCK_BID, at + v->block_bid, block->bid, t.bid);
    if (!ost_crc_passes(t.crc, crc))
        ost_defects_add(defects, OST_BLOCK_CRC, at + v->block_crc, crc, t.crc);
    if (!v->deflates)
        return;
    ost_defects_compare(defects, OST_BLOCK_CONSTANT, at + OFF_K_BT_CONST, BT_CONST_K, t.constant);
    ost_defects_compare(defects, OST_BLOCK_INFLATED, at + OFF_K_BT_INFLATED, block->inflated,
                        t.inflated);
    ost_defects_compare(defects, OST_BLOCK_ZERO, at + OFF_K_BT_ZERO, 0, t.zero);
}

/* The checksum first: it goes through the bytes in the order that memory delivers best, and has the
 * trailer at hand by the way. */
bool ost_block_sound(const struct ost_variant *v, const struct ost_block *block,
                     const uint8_t *extent)
{
    uint32_t crc = ost_crc(extent, block->stored);
    struct ost_block_trailer t = ost_block_trailer(v, extent, block->stored);

    if (v->deflates && (t.constant != BT_CONST_K || t.inflated != block->inflated || t.zero != 0))
        return false;
    return ost_crc_passes(t.crc, crc) && t.stored == block->stored &&
           block->stored <= v->data_max && block->inflated <= v->data_max &&
           t.bid == block->bid && t.sig == ost_sig(block->offset, block->bid);
}

enum ost_trust ost_block_trust(const struct ost_defects *d)
{
    bool sig = ost_defects_has(d, OST_BLOCK_SIG), bid = ost_defects_has(d, OST_BLOCK_BID);

    if (!ost_defects_has(d, OST_BLOCK_CRC))
        return sig && bid ? OST_TRUST_NONE : OST_TRUST_SOUND;
    return sig || bid || ost_defects_has(d, OST_BLOCK_SIZE) ? OST_TRUST_NONE : OST_TRUST_SUSPECT;
}

bool ost_block_padding_zero(const struct ost_variant *v, uint32_t stored, const uint8_t *extent)
{
    const uint8_t *padding = extent + stored;
    uint32_t size = trailer_offset(v, stored) - stored;

    return size == 0 || (padding[0] == 0 && memcmp(padding, padding + 1, size - 1) == 0);
}

static once_flag allocator_once = ONCE_FLAG_INIT;

static void set_allocator(void)
{
    libdeflate_set_memory_allocator(mem_alloc, mem_free);
}

int ost_decoder_create(const struct ost_variant *v, uint8_t crypt, struct ost_decoder **out)
{
    struct ost_decoder *d;

    if (crypt > OST_CRYPT_CYCLIC)
        return ERR_UNSUPPORTED;
    d = mem_zalloc(sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->variant = v;
    d->crypt = (enum ost_crypt)crypt;
    if (v->deflates) {
        call_once(&allocator_once, set_allocator);
        d->inflater = libdeflate_alloc_decompressor();
        if (!d->inflater) {
            mem_free(d);
            return ERR_NOMEM;
        }
    }
    *out = d;
    return 0;
}

void ost_decoder_destroy(struct ost_decoder *d)
{
    if (!d)
        return;
    if (d->inflater)
        libdeflate_free_decompressor(d->inflater);
    mem_free(d);
}

static bool is_deflated(const struct ost_decoder *d, const struct ost_block *block)
{
    return d->variant->deflates && block->stored != block->inflated;
}

static bool is_enciphered(const struct ost_decoder *d, const struct ost_block *block)
{
    return d->crypt != OST_CRYPT_NONE && !ost_bid_internal(block->bid);
}

bool ost_block_plain(const struct ost_decoder *d, const struct ost_block *block)
{
    return !is_deflated(d, block) && !is_enciphered(d, block);
}

static int inflate(struct ost_decoder *d, const struct ost_block *block, const uint8_t *stored,
                   uint8_t *out, size_t *used)
{
    size_t produced;

    if (libdeflate_zlib_decompress_ex(d->inflater, stored, block->stored, out, block->inflated,
                                      used, &produced) != LIBDEFLATE_SUCCESS)
        return ERR_DAMAGED;
    return produced == block->inflated ? 0 : ERR_DAMAGED;
}

int ost_block_decode(struct ost_decoder *d, const struct ost_block *block, const uint8_t *stored,
                     uint8_t *out, size_t *used)
{
    const uint8_t *from = stored;
    size_t taken = block->stored;
    int rc;

    if (is_deflated(d, block)) {
        rc = inflate(d, block, stored, out, &taken);
        if (rc)
            return rc;
        from = out;
    }
    if (!is_enciphered(d, block)) {
        if (from != out)
            memcpy(out, from, block->inflated);
    } else if (d->crypt == OST_CRYPT_PERMUTE) {
        ost_permute(out, from, block->inflated);
    } else {
        ost_cyclic(out, from, block->inflated, block->bid);
    }
    if (used)
        *used = taken;
    return 0;
}
