/* variant.c: see variant.h. */
#include "scanner/ost/variant.h"

#include <stddef.h>

static const struct ost_variant ansi = {
    .format = OST_FORMAT_ANSI,
    .id_size = 4,
    .page_size = PAGE_SIZE_AU,
    .page_align = PAGE_SIZE_AU,
    .page_trailer = PAGE_TRAILER_A,
    .page_crc = PAGE_TRAILER_A + OFF_A_PT_CRC,
    .page_bid = PAGE_TRAILER_A + OFF_A_PT_BID,
    .counters = BT_COUNTERS_A,
    .branch_size = BT_BRANCH_SIZE_A,
    .branch_max = BT_BRANCH_MAX_A,
    .bbt_size = BBT_SIZE_A,
    .bbt_max = BBT_MAX_A,
    .nbt_size = NBT_SIZE_A,
    .nbt_max = NBT_MAX_A,
    .unit = BLOCK_ALIGN_AU,
    .block_trailer = BLOCK_TRAILER_SIZE_A,
    .block_crc = OFF_A_BT_CRC,
    .block_bid = OFF_A_BT_BID,
    .block_max = BLOCK_MAX_AU,
    .data_max = BLOCK_DATA_MAX_A,
    .sub_header = OFF_A_S_ENTRIES,
    .sl_size = SL_SIZE_A,
    .si_size = SI_SIZE_A,
    .density_list = DLIST_AU,
    .amap_first = AMAP_FIRST_AU,
    .amap_spacing = AMAP_SPACING_AU,
    .amap_bitmap = AMAP_BITMAP_A,
    .amap_bitmap_size = AMAP_BITMAP_SIZE_AU,
    .has_pmaps = true,
};

static const struct ost_variant unicode = {
    .format = OST_FORMAT_UNICODE,
    .id_size = 8,
    .page_size = PAGE_SIZE_AU,
    .page_align = PAGE_SIZE_AU,
    .page_trailer = PAGE_TRAILER_U,
    .page_crc = PAGE_TRAILER_U + OFF_U_PT_CRC,
    .page_bid = PAGE_TRAILER_U + OFF_U_PT_BID,
    .counters = BT_COUNTERS_U,
    .branch_size = BT_BRANCH_SIZE_U,
    .branch_max = BT_BRANCH_MAX_U,
    .bbt_size = BBT_SIZE_U,
    .bbt_max = BBT_MAX_U,
    .nbt_size = NBT_SIZE_U,
    .nbt_max = NBT_MAX_U,
    .unit = BLOCK_ALIGN_AU,
    .block_trailer = BLOCK_TRAILER_SIZE_U,
    .block_crc = OFF_U_BT_CRC,
    .block_bid = OFF_U_BT_BID,
    .block_max = BLOCK_MAX_AU,
    .data_max = BLOCK_DATA_MAX_U,
    .sub_header = OFF_U_S_ENTRIES,
    .sl_size = SL_SIZE_U,
    .si_size = SI_SIZE_U,
    .density_list = DLIST_AU,
    .amap_first = AMAP_FIRST_AU,
    .amap_spacing = AMAP_SPACING_AU,
    .amap_bitmap = AMAP_BITMAP_UK,
    .amap_bitmap_size = AMAP_BITMAP_SIZE_AU,
    .has_pmaps = true,
};

static const struct ost_variant unicode4k = {
    .format = OST_FORMAT_UNICODE4K,
    .id_size = 8,
    .deflates = true,
    .page_size = PAGE_SIZE_K,
    .page_align = PAGE_SIZE_K,
    .page_trailer = PAGE_TRAILER_K,
    .page_crc = PAGE_TRAILER_K + OFF_U_PT_CRC,
    .page_bid = PAGE_TRAILER_K + OFF_U_PT_BID,
    .page_constant = PAGE_TRAILER_K + OFF_K_PT_CONST,
    .counters = BT_COUNTERS_K,
    .wide_counters = true,
    .branch_size = BT_BRANCH_SIZE_U,
    .branch_max = BT_BRANCH_MAX_K,
    .bbt_size = BBT_SIZE_U,
    .bbt_max = BBT_MAX_K,
    .nbt_size = NBT_SIZE_U,
    .nbt_max = NBT_MAX_K,
    .unit = BLOCK_ALIGN_K,
    .block_trailer = BLOCK_TRAILER_SIZE_K,
    .block_crc = OFF_U_BT_CRC,
    .block_bid = OFF_U_BT_BID,
    .block_max = BLOCK_MAX_K,
    .data_max = BLOCK_DATA_MAX_K,
    .sub_header = OFF_U_S_ENTRIES,
    .sl_size = SL_SIZE_U,
    .si_size = SI_SIZE_U,
    .density_list = DLIST_K,
    .amap_first = AMAP_FIRST_K,
    .amap_spacing = AMAP_SPACING_K,
    .amap_bitmap = AMAP_BITMAP_UK,
    .amap_bitmap_size = AMAP_BITMAP_SIZE_K,
};

const struct ost_variant *ost_variant_of(enum ost_format format)
{
    switch (format) {
    case OST_FORMAT_ANSI:
        return &ansi;
    case OST_FORMAT_UNICODE:
        return &unicode;
    case OST_FORMAT_UNICODE4K:
        return &unicode4k;
    case OST_FORMAT_UNKNOWN:
        break;
    }
    return NULL;
}
