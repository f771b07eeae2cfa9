#include "tests/gen/sum.h"

#include <isa-l/crc.h>
#include <string.h>

#include "io/bytes.h"
#include "scanner/ost/offsets.h"

/* The format's CRC starts at 0 and is not inverted: both inversions of CRC-32 are undone. */
uint32_t sum_crc(const void *data, size_t size)
{
    return crc32_gzip_refl(UINT32_MAX, data, size) ^ UINT32_MAX;
}

uint16_t sum_signature(uint64_t offset, uint64_t bid)
{
    uint32_t x = (uint32_t)offset ^ (uint32_t)bid;
    return (uint16_t)((x >> 16) ^ (x & 0xFFFF));
}

void page_seal(const struct variant *v, uint8_t *page, const struct page_end *end)
{
    uint8_t *t = page + v->page_trailer;
    uint32_t crc = sum_crc(page, v->page_trailer);
    t[0] = t[1] = end->type;
    put_le16(t + 2, end->signature);
    if (v->format == GEN_ANSI) {
        put_le32(t + OFF_A_PT_BID, (uint32_t)end->bid);
        put_le32(t + OFF_A_PT_CRC, crc);
        return;
    }
    put_le32(t + OFF_U_PT_CRC, crc);
    put_le64(t + OFF_U_PT_BID, end->bid);
    if (v->format == GEN_UNICODE4K)
        put_le64(t + OFF_K_PT_CONST, PT_CONST_K);
}

void block_seal(const struct variant *v, uint8_t *block, const struct block_end *end)
{
    uint32_t extent = variant_block_extent(v, end->stored);
    uint8_t *t = block + extent - v->block_trailer;
    memset(block + end->stored, 0, extent - end->stored);
    put_le16(t, end->stored);
    put_le16(t + 2, sum_signature(end->offset, end->bid));
    uint32_t crc = sum_crc(block, end->stored);
    if (v->format == GEN_ANSI) {
        put_le32(t + OFF_A_BT_BID, (uint32_t)end->bid);
        put_le32(t + OFF_A_BT_CRC, crc);
        return;
    }
    put_le32(t + OFF_U_BT_CRC, crc);
    put_le64(t + OFF_U_BT_BID, end->bid);
    if (v->format == GEN_UNICODE4K) {
        put_le16(t + OFF_K_BT_CONST, BT_CONST_K);
        put_le16(t + OFF_K_BT_INFLATED, end->inflated);
    }
}
