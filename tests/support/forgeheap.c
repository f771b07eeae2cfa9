/* forgeheap.c: see forgeheap.h. */
#include "tests/support/forgeheap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"

enum { HEADER = 12, OTHER = 2, EIGHTH = 66, PC_RECORD = 8, TCINFO = 22, TCOLDESC = 8 };

static size_t header_size(unsigned leaf)
{
    return leaf == 0 ? HEADER : leaf % 128 == 8 ? EIGHTH : OTHER;
}

void forge_heap_leaf(struct forge_heap *h)
{
    assert_true(h->leaf_count < FORGE_LEAVES);
    h->leaves[h->leaf_count].used = header_size(h->leaf_count);
    h->leaf_count++;
}

struct forge_heap *forge_heap_new(enum ost_format format, uint8_t client)
{
    struct forge_heap *h = mem_zalloc(sizeof *h);

    assert_non_null(h);
    h->v = ost_variant_of(format);
    h->client = client;
    forge_heap_leaf(h);
    return h;
}

static unsigned index_bits(const struct forge_heap *h)
{
    return h->v->format == OST_FORMAT_UNICODE4K ? 14 : 11;
}

uint32_t forge_heap_add(struct forge_heap *h, const void *data, size_t size)
{
    struct forge_heap_leaf *leaf = &h->leaves[h->leaf_count - 1];

    assert_true(leaf->count < FORGE_ITEMS && leaf->used + size + 2 * FORGE_ITEMS < h->v->data_max);
    if (size)
        memcpy(leaf->data + leaf->used, data, size);
    leaf->used += size;
    leaf->ends[leaf->count++] = (uint16_t)leaf->used;
    return (uint32_t)leaf->count << 5 | (h->leaf_count - 1) << (5 + index_bits(h));
}

void forge_heap_finish(struct forge_heap *h, uint32_t root)
{
    for (unsigned i = 0; i < h->leaf_count; i++) {
        struct forge_heap_leaf *leaf = &h->leaves[i];
        uint8_t *map;

        leaf->map = (leaf->used + 1) & ~(size_t)1;
        map = leaf->data + leaf->map;
        put_le16(leaf->data, (uint16_t)leaf->map);
        put_le16(map, (uint16_t)leaf->count);
        put_le16(map + 2, 0);
        put_le16(map + 4, (uint16_t)header_size(i));
        for (unsigned k = 0; k < leaf->count; k++)
            put_le16(map + 6 + 2 * k, leaf->ends[k]);
        leaf->size = leaf->map + 6 + 2 * leaf->count;
        if (i + 1 < h->leaf_count)
            leaf->size = h->v->data_max;
        h->list[i] = (struct bytes){leaf->data, leaf->size};
    }
    h->root = root;
    h->leaves[0].data[2] = 0xEC;
    h->leaves[0].data[3] = h->client;
    put_le32(h->leaves[0].data + 4, root);
}

struct ost_leaves forge_heap_leaves(struct forge_heap *h)
{
    return ost_leaves_in_memory(h->list, h->leaf_count);
}

uint8_t *forge_heap_at(struct forge_heap *h, uint32_t hid)
{
    unsigned index = hid >> 5 & ((1u << index_bits(h)) - 1), block = hid >> (5 + index_bits(h));
    struct forge_heap_leaf *leaf = &h->leaves[block];

    return leaf->data + (index == 1 ? header_size(block) : leaf->ends[index - 2]);
}

uint32_t forge_bth_header(struct forge_heap *h, uint8_t key_size, uint8_t data_size, uint8_t levels,
                          uint32_t root)
{
    uint8_t header[8] = {0xB5, key_size, data_size, levels};

    put_le32(header + 4, root);
    return forge_heap_add(h, header, sizeof header);
}

uint32_t forge_bth(struct forge_heap *h, uint8_t key_size, uint8_t data_size, const void *records,
                   size_t size)
{
    return forge_bth_header(h, key_size, data_size, 0, size ? forge_heap_add(h, records, size) : 0);
}

void forge_pc_records(struct forge_heap *h, const struct forge_prop *props, size_t count,
                      uint8_t *out)
{
    for (size_t i = 0; i < count; i++, out += PC_RECORD) {
        put_le16(out, props[i].id);
        put_le16(out + 2, props[i].type);
        put_le32(out + 4,
                 props[i].data ? forge_heap_add(h, props[i].data, props[i].size) : props[i].number);
    }
}

void forge_pc(struct forge_heap *h, const struct forge_prop *props, size_t count)
{
    uint8_t records[FORGE_ITEMS * PC_RECORD];

    assert_true(count <= FORGE_ITEMS);
    forge_pc_records(h, props, count, records);
    forge_heap_finish(h, forge_bth(h, 2, 6, records, count * PC_RECORD));
}

uint32_t forge_tcinfo(struct forge_heap *h, const struct forge_column *columns, unsigned count,
                      uint16_t bitmap_offset, uint16_t row_size, uint32_t rows_hnid)
{
    uint8_t info[TCINFO + 255 * TCOLDESC] = {0x7C, (uint8_t)count};

    put_le16(info + 2, bitmap_offset);
    put_le16(info + 4, bitmap_offset);
    put_le16(info + 6, bitmap_offset);
    put_le16(info + 8, row_size);
    put_le32(info + 14, rows_hnid);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *d = info + TCINFO + i * TCOLDESC;

        put_le16(d, columns[i].type);
        put_le16(d + 2, columns[i].id);
        put_le16(d + 4, columns[i].offset);
        d[6] = columns[i].size;
        d[7] = columns[i].bit;
    }
    return forge_heap_add(h, info, TCINFO + count * TCOLDESC);
}

void forge_cell(uint8_t *row, const struct forge_column *c, uint16_t bitmap_offset, uint64_t value)
{
    uint8_t bytes[8];

    put_le64(bytes, value);
    memcpy(row + c->offset, bytes, c->size);
    row[bitmap_offset + c->bit / 8] |= (uint8_t)(0x80 >> c->bit % 8);
}
