#include "tests/gen/heap.h"

#include <assert.h>
#include <string.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"

/*
 *   block 0            12 bytes: map offset, EC, client, root, 8 fill levels
 *   block 8, 136, ...  66 bytes: map offset, 128 fill levels
 *   others              2 bytes: map offset
 *   then items, then (at an even offset) the page map: count, freed, ends[0..count]
 *
 * Fill levels of blocks 0 to 7 stand in block 0, of 8 to 135 in block 8, and so on: a block with
 * fill levels is kept until the next of its kind begins.
 */

enum { FIRST_HEAD = 12, LEVELS_HEAD = 66, PLAIN_HEAD = 2, LEVELS_FIRST = 8, LEVELS_EVERY = 128 };

void heap_init(struct heap *h, struct image *img)
{
    *h = (struct heap){.img = img};
    data_tree_init(&h->tree, img);
}

static void block_free(struct heap_block *b)
{
    mem_free(b->bytes);
    mem_free(b->ends);
}

void heap_done(struct heap *h)
{
    block_free(&h->first);
    block_free(&h->levels);
    block_free(&h->plain);
    data_tree_done(&h->tree);
    *h = (struct heap){0};
}

static uint32_t head_size(uint32_t number)
{
    if (number == 0)
        return FIRST_HEAD;
    return number % LEVELS_EVERY == LEVELS_FIRST ? LEVELS_HEAD : PLAIN_HEAD;
}

static bool block_room(struct heap *h, struct heap_block *b, size_t bytes)
{
    if (bytes > b->capacity) {
        size_t wanted = b->capacity * 2 > bytes ? b->capacity * 2 : bytes + 2048;
        uint8_t *grown = mem_realloc(b->bytes, wanted);
        if (grown == NULL) {
            image_fail(h->img, ERR_NOMEM);
            return false;
        }
        b->bytes = grown;
        b->capacity = wanted;
    }
    return true;
}

static bool ends_room(struct heap *h, struct heap_block *b, size_t count)
{
    uint16_t *grown = image_grow(h->img, b->ends, &b->ends_capacity, count, sizeof *b->ends);
    if (grown == NULL)
        return false;
    b->ends = grown;
    return true;
}

static void block_begin(struct heap *h, uint32_t number)
{
    struct heap_block *b = number == 0                        ? &h->first
                           : head_size(number) == LEVELS_HEAD ? &h->levels
                                                              : &h->plain;
    h->current = b;
    b->number = number;
    b->items = 0;
    b->used = head_size(number);
    b->bid = image_bid(h->img, false);
    data_tree_add(&h->tree, b->bid, h->img->variant->block_max);
    if (!block_room(h, b, b->used) || !ends_room(h, b, 64))
        return;
    memset(b->bytes, 0, b->used);
    b->ends[0] = (uint16_t)b->used;
}

void heap_begin(struct heap *h, uint8_t client)
{
    h->client = client;
    h->flaw = HEAP_SOUND;
    data_tree_reset(&h->tree);
    h->levels.bid = 0;
    block_begin(h, 0);
}

static uint32_t map_size(uint32_t items)
{
    return 4 + 2 * (items + 1);
}

/* The nibble of [MS-PST] 2.3.1.2 for so many free bytes. */
static uint8_t fill_level(uint32_t room)
{
    static const uint16_t least[] = {3584, 2560, 2048, 1792, 1536, 1280, 1024, 768,
                                     512,  256,  128,  64,   32,   16,   8};
    uint8_t level = 0;
    while (level < 15 && room < least[level])
        level++;
    return level;
}

static void note_fill(struct heap *h, const struct heap_block *b)
{
    uint32_t taken = b->used + map_size(b->items);
    uint32_t max = h->img->variant->block_max;
    uint8_t level = fill_level(taken < max ? max - taken : 0);
    bool early = b->number < LEVELS_FIRST;
    struct heap_block *where = early ? &h->first : &h->levels;
    uint32_t nibble = early ? b->number : b->number - where->number;
    uint8_t *p = where->bytes + (early ? 8 : 2) + nibble / 2;
    *p = (uint8_t)(*p | level << (nibble % 2 * 4));
}

/* Appends the page map; returns the size of the block as it is. */
static uint32_t block_seal_map(struct heap *h, struct heap_block *b)
{
    uint32_t at = b->used + (b->used & 1);
    uint32_t size = at + map_size(b->items);
    if (!block_room(h, b, size))
        return 0;
    b->bytes[b->used] = 0;
    put_le16(b->bytes, (uint16_t)at);
    put_le16(b->bytes + at, (uint16_t)b->items);
    put_le16(b->bytes + at + 2, 0);
    for (uint32_t i = 0; i <= b->items; i++)
        put_le16(b->bytes + at + 4 + 2 * i, b->ends[i]);
    return size;
}

static void block_write(struct heap *h, struct heap_block *b, bool last)
{
    uint32_t max = h->img->variant->block_max;
    uint32_t size = block_seal_map(h, b);
    if (size == 0 || image_error(h->img) != 0)
        return;
    if (h->flaw == HEAP_FLAW_MAP && b->number == 0)
        put_le16(b->bytes, (uint16_t)(h->img->variant->block_max - 1));
    if (!last) {
        if (!block_room(h, b, max))
            return;
        memset(b->bytes + size, 0, max - size);
        size = max;
    } else {
        h->tree.total -= max - size;
    }
    image_put(h->img, b->bid, BLOCK_DATA, b->bytes, size);
    b->bid = 0;
}

static void next_block(struct heap *h)
{
    struct heap_block *full = h->current;
    uint32_t number = full->number + 1;
    note_fill(h, full);
    if (full == &h->plain)
        block_write(h, full, false);
    if (head_size(number) == LEVELS_HEAD && h->levels.bid != 0)
        block_write(h, &h->levels, false);
    block_begin(h, number);
}

uint32_t heap_used(const struct heap *h)
{
    return h->current->used + 1 + map_size(h->current->items);
}

uint8_t *heap_alloc(struct heap *h, uint32_t size, uint32_t *hid)
{
    const struct variant *v = h->img->variant;
    struct heap_block *b = h->current;
    if (image_error(h->img) != 0)
        return NULL;
    if (b->used + size + 1 + map_size(b->items + 1) > v->block_max ||
        b->items == v->heap_items_max) {
        next_block(h);
        b = h->current;
    }
    if (image_error(h->img) != 0 || !block_room(h, b, b->used + size + 1) ||
        !ends_room(h, b, b->items + 2))
        return NULL;
    uint8_t *room = b->bytes + b->used;
    b->used += size;
    b->ends[++b->items] = (uint16_t)b->used;
    assert(b->number < 1u << (27 - v->hid_index_bits));
    *hid = b->number << (5 + v->hid_index_bits) | b->items << 5;
    return room;
}

uint32_t heap_add(struct heap *h, const void *data, uint32_t size)
{
    uint32_t hid = 0;
    uint8_t *room = heap_alloc(h, size, &hid);
    if (room == NULL)
        return 0;
    if (size > 0)
        memcpy(room, data, size);
    return hid;
}

uint8_t *heap_patch(struct heap *h, uint32_t hid)
{
    uint32_t item = hid >> 5 & ((1u << h->img->variant->hid_index_bits) - 1);
    assert(hid >> (5 + h->img->variant->hid_index_bits) == 0 && item >= 1);
    return h->first.bytes + h->first.ends[item - 1];
}

uint64_t heap_finish(struct heap *h, uint32_t root_hid)
{
    if (image_error(h->img) != 0)
        return 0;
    struct heap_block *last = h->current;
    note_fill(h, last);
    uint8_t *head = h->first.bytes;
    head[2] = h->flaw == HEAP_FLAW_SIGNATURE ? 0xE0 : 0xEC;
    head[3] = h->flaw == HEAP_FLAW_CLIENT ? 0x11 : h->client;
    put_le32(head + 4, h->flaw == HEAP_FLAW_ROOT ? root_hid | 0xFFE0 : root_hid);
    if (last == &h->plain)
        block_write(h, last, true);
    if (h->levels.bid != 0)
        block_write(h, &h->levels, last == &h->levels);
    block_write(h, &h->first, last == &h->first);
    return data_tree_finish(&h->tree);
}

/* One level: cuts `count` records into items; their first keys and HIDs are the level above. */
static size_t bth_level(struct heap *h, const uint8_t *records, size_t count, uint32_t record_size,
                        uint8_t key_size, uint8_t *above)
{
    size_t fit = h->img->variant->heap_item_max / record_size;
    size_t items = 0;
    for (size_t i = 0; i < count; i += fit, items++) {
        size_t n = count - i < fit ? count - i : fit;
        const uint8_t *first = records + i * record_size;
        uint8_t key[16];
        memcpy(key, first, key_size);
        uint32_t hid = heap_add(h, first, (uint32_t)(n * record_size));
        memcpy(above + items * (key_size + 4u), key, key_size);
        put_le32(above + items * (key_size + 4u) + key_size, hid);
    }
    return items;
}

void bth_fill(struct heap *h, uint32_t header_hid, struct bth_shape shape, const uint8_t *records,
              size_t count)
{
    uint32_t record_size = (uint32_t)shape.key_size + shape.data_size;
    uint32_t root = 0;
    uint8_t levels = 0;
    size_t fit = h->img->variant->heap_item_max / record_size;
    if (count > 0) {
        uint8_t *above = mem_alloc_array(count / fit + 2, shape.key_size + 4u);
        if (above == NULL) {
            image_fail(h->img, ERR_NOMEM);
            return;
        }
        count = bth_level(h, records, count, record_size, shape.key_size, above);
        for (; count > 1 && image_error(h->img) == 0; levels++)
            count = bth_level(h, above, count, shape.key_size + 4u, shape.key_size, above);
        root = le32(above + shape.key_size);
        mem_free(above);
    }
    if (image_error(h->img) != 0)
        return;
    uint8_t *header = heap_patch(h, header_hid);
    header[0] = 0xB5;
    header[1] = shape.key_size;
    header[2] = shape.data_size;
    header[3] = levels;
    put_le32(header + 4, root);
}
