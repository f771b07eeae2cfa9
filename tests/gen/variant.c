#include "tests/gen/variant.h"

#include <assert.h>

#include "scanner/ost/offsets.h"

static const struct variant variants[] = {
    [GEN_ANSI] = {.format = GEN_ANSI,
                  .wide = false,
                  .version = 14,
                  .header_size = HEADER_SIZE_A,
                  .page_size = 512,
                  .page_trailer = 500,
                  .page_area = 496,
                  .page_counters = 496,
                  .branch_entry = 12,
                  .block_entry = 12,
                  .node_entry = 16,
                  .ref_size = 4,
                  .unit = 64,
                  .block_trailer = 12,
                  .block_max = 8180,
                  .density_list = 0x4200,
                  .amap_first = 0x4400,
                  .amap_spacing = 0x3E000,
                  .amap_bits_offset = 4,
                  .amap_bits_size = 496,
                  .hid_index_bits = 11,
                  .heap_items_max = 2047,
                  .value_max = 1000,
                  .heap_item_max = 3580,
                  .row_index_width = 2},
    [GEN_UNICODE] = {.format = GEN_UNICODE,
                     .wide = true,
                     .version = 23,
                     .header_size = HEADER_SIZE_U,
                     .page_size = 512,
                     .page_trailer = 496,
                     .page_area = 488,
                     .page_counters = 488,
                     .branch_entry = 24,
                     .block_entry = 24,
                     .node_entry = 32,
                     .ref_size = 8,
                     .unit = 64,
                     .block_trailer = 16,
                     .block_max = 8176,
                     .density_list = 0x4200,
                     .amap_first = 0x4400,
                     .amap_spacing = 0x3E000,
                     .amap_bits_offset = 0,
                     .amap_bits_size = 496,
                     .hid_index_bits = 11,
                     .heap_items_max = 2047,
                     .value_max = 1000,
                     .heap_item_max = 3580,
                     .row_index_width = 4},
    [GEN_UNICODE4K] = {.format = GEN_UNICODE4K,
                       .wide = true,
                       .version = 36,
                       .header_size = HEADER_SIZE_U,
                       .page_size = 4096,
                       .page_trailer = 4072,
                       .page_area = 4056,
                       .page_counters = 4056,
                       .branch_entry = 24,
                       .block_entry = 24,
                       .node_entry = 32,
                       .ref_size = 8,
                       .unit = 512,
                       .block_trailer = 24,
                       .block_max = 65512,
                       .density_list = 0x21000,
                       .amap_first = 0x22000,
                       .amap_spacing = 0xFE8000,
                       .amap_bits_offset = 0,
                       .amap_bits_size = 4072,
                       .hid_index_bits = 14,
                       .heap_items_max = 16383,
                       .value_max = 1024,
                       .heap_item_max = 3288,
                       .row_index_width = 4},
};

const struct variant *variant_of(enum gen_format format)
{
    assert(format <= GEN_UNICODE4K);
    return &variants[format];
}

uint32_t variant_span_pages(const struct variant *v, uint64_t span)
{
    uint32_t pages = 1;
    if (v->format != GEN_UNICODE4K) {
        pages += span % 8 == 0;
        pages += span >= 128 && (span - 128) % 496 == 0;
        pages += span >= 8192 && (span - 8192) % 31744 == 0;
    }
    return pages * v->page_size;
}
