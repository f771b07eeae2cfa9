#include <string.h>

#include "io/bytes.h"
#include "scanner/ost/offsets.h"
#include "tests/gen/image.h"
#include "tests/gen/sum.h"

static uint64_t last_amap(const struct image *img)
{
    const struct variant *v = img->variant;
    return v->amap_first + (space_spans(&img->space) - 1) * v->amap_spacing;
}

static void put_common(struct image *img)
{
    uint8_t *h = img->header;
    bool ost = img->options.content == GEN_OST;
    bool k = img->variant->format == GEN_UNICODE4K;
    memcpy(h + OFF_MAGIC, "!BDN", 4);
    memcpy(h + OFF_MAGIC_CLIENT, ost ? "SO" : "SM", 2);
    put_le16(h + OFF_VER, img->variant->version);
    put_le16(h + OFF_VER_CLIENT, ost || k ? 12 : 19);
    h[OFF_PLATFORM] = h[OFF_PLATFORM + 1] = 1;
    if (ost)
        rng_fill(&img->rng, h + OFF_PLATFORM + 2, 8);
}

static void put_rgnid(struct image *img, uint8_t *at)
{
    for (int i = 0; i < RGNID_COUNT; i++)
        put_le32(at + 4 * i, img->highest[i]);
}

static void put_ansi(struct image *img)
{
    uint8_t *h = img->header;
    put_le32(h + OFF_A_BID_NEXT_B, (uint32_t)(img->block_count << 2));
    put_le32(h + OFF_A_BID_NEXT_P, (uint32_t)img->page_bid_next);
    put_le32(h + OFF_A_UNIQUE, (uint32_t)rng_next(&img->rng));
    put_rgnid(img, h + OFF_A_RGNID);
    put_le32(h + OFF_A_EOF, (uint32_t)space_file_end(&img->space));
    put_le32(h + OFF_A_AMAP_LAST, (uint32_t)last_amap(img));
    put_le32(h + OFF_A_AMAP_FREE, (uint32_t)space_free_bytes(&img->space));
    for (int i = 0; i < 2; i++) {
        put_le32(h + OFF_A_BREF_NBT + 4 * i, (uint32_t)img->root_nbt[i]);
        put_le32(h + OFF_A_BREF_BBT + 4 * i, (uint32_t)img->root_bbt[i]);
    }
    h[OFF_A_AMAP_VALID] = 2;
    memset(h + OFF_A_FM, 0xFF, 256);
    h[OFF_A_SENTINEL] = SENTINEL;
    h[OFF_A_CRYPT] = (uint8_t)img->options.crypt;
}

static void put_unicode(struct image *img)
{
    uint8_t *h = img->header;
    bool k = img->variant->format == GEN_UNICODE4K;
    put_le64(h + OFF_U_BID_UNUSED, k ? 0 : 0x100000004u);
    put_le64(h + OFF_U_BID_NEXT_P, img->page_bid_next);
    put_le32(h + OFF_U_UNIQUE, (uint32_t)rng_next(&img->rng));
    put_rgnid(img, h + OFF_U_RGNID);
    put_le64(h + OFF_U_EOF, space_file_end(&img->space));
    put_le64(h + OFF_U_AMAP_LAST, last_amap(img));
    put_le64(h + OFF_U_AMAP_FREE, space_free_bytes(&img->space));
    for (int i = 0; i < 2; i++) {
        put_le64(h + OFF_U_BREF_NBT + 8 * i, img->root_nbt[i]);
        put_le64(h + OFF_U_BREF_BBT + 8 * i, img->root_bbt[i]);
    }
    h[OFF_U_AMAP_VALID] = 2;
    memset(h + OFF_U_FM, k ? 0 : 0xFF, 256);
    h[OFF_U_SENTINEL] = SENTINEL;
    h[OFF_U_CRYPT] = (uint8_t)img->options.crypt;
    put_le64(h + OFF_U_BID_NEXT_B, (uint64_t)img->block_count << 2);
}

void header_write(struct image *img)
{
    uint8_t *h = img->header;
    put_common(img);
    if (img->variant->wide)
        put_unicode(img);
    else
        put_ansi(img);
    put_le32(h + OFF_CRC_PARTIAL, sum_crc(h + CRC_PARTIAL_START, CRC_PARTIAL_LENGTH));
    if (img->variant->wide)
        put_le32(h + OFF_U_CRC_FULL, sum_crc(h + CRC_FULL_START, CRC_FULL_LENGTH));
    if (image_error(img) == 0)
        space_write(&img->space, 0, h, img->variant->header_size);
}

/* The list is empty; its page is there, and current. */
void density_list_write(struct image *img)
{
    const struct variant *v = img->variant;
    uint8_t page[4096] = {0};
    struct page_end end = {.type = PTYPE_DLIST,
                           .signature = sum_signature(v->density_list, img->page_bid_next),
                           .bid = img->page_bid_next};
    page_seal(v, page, &end);
    if (image_error(img) == 0)
        space_write(&img->space, v->density_list, page, v->page_size);
}
