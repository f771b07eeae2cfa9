/* valuebed.c: see valuebed.h. */
#include "tests/support/valuebed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/check/state.h"
#include "scanner/ost/block.h"
#include "scanner/ost/datatree.h"
#include "tests/support/forge.h"

enum { START = 0x4400 };

void valuebed_init(struct valuebed *b, const struct ost_variant *v)
{
    memset(b, 0, sizeof *b);
    b->v = v;
    b->next_bid = 4;
    b->size = START;
}

uint64_t valuebed_add(struct valuebed *b, const void *bytes, size_t size, bool internal)
{
    uint32_t extent = ost_block_extent(b->v, (uint32_t)size);
    struct ost_block *block = &b->blocks[b->count];

    assert_true(b->count < VALUEBED_BLOCKS);
    if (b->capacity < b->size + extent) {
        b->capacity = 2 * (b->size + extent);
        b->data = realloc(b->data, b->capacity);
        assert_non_null(b->data);
    }
    *block = (struct ost_block){.bid = b->next_bid | (internal ? BID_INTERNAL : 0u),
                                .offset = b->size,
                                .stored = (uint16_t)size,
                                .inflated = (uint16_t)size,
                                .refs = 2};
    forge_block(b->v, b->data + b->size, block, bytes);
    b->count++;
    b->size += extent;
    b->next_bid += 4;
    return block->bid;
}

uint64_t valuebed_list(struct valuebed *b, unsigned level, uint32_t total, const uint64_t *bids,
                       unsigned count)
{
    static uint8_t block[OST_BLOCK_MAX];

    return valuebed_add(b, block, forge_xblock(b->v, block, level, total, bids, count), true);
}

void valuebed_leaves(struct valuebed *b, unsigned seed, unsigned count, size_t last,
                     const char *begin, uint64_t *bids)
{
    static uint8_t leaf[OST_BLOCK_MAX];
    uint32_t x = seed * 2654435761u + 1;

    for (unsigned i = 0; i < count; i++) {
        size_t size = i + 1 < count ? b->v->data_max : last;

        for (size_t k = 0; k < size; k++) {
            x = x * 1664525u + 1013904223u;
            leaf[k] = (uint8_t)(x >> 24);
        }
        memset(leaf, 0x80, 64);
        leaf[0] = (uint8_t)i;
        if (i == 0 && begin)
            memcpy(leaf, begin, strlen(begin));
        bids[i] = valuebed_add(b, leaf, size, false);
    }
}

uint64_t valuebed_value(struct valuebed *b, unsigned seed, unsigned count, size_t last,
                        const char *begin)
{
    uint64_t bids[1024];

    assert_true(count && count <= 1024);
    valuebed_leaves(b, seed, count, last, begin, bids);
    return valuebed_list(b, 1, (uint32_t)((count - 1) * b->v->data_max + last), bids, count);
}

void valuebed_open(struct valuebed *b)
{
    b->plan = (struct ost_plan){.variant = b->v, .blocks = b->blocks, .block_count = b->count};
    chk_budget_init(&b->budget, UINT64_MAX);
    assert_int_equal(chk_bids_init(&b->bids, &b->budget, &b->plan), 0);
    assert_int_equal(io_source_open_mem(b->data, b->size, &b->source), 0);
    for (size_t i = 0; i < b->count; i++)
        b->status[i] = CHK_READ | CHK_SOUND | CHK_SIZED | CHK_CLEAN;
}

void valuebed_done(struct valuebed *b)
{
    chk_bids_done(&b->bids, &b->budget);
    io_source_close(b->source);
    free(b->data);
}

uint32_t valuebed_index(const struct valuebed *b, uint64_t bid)
{
    return chk_bids_find(&b->bids, bid);
}

const uint8_t *valuebed_extent(const struct valuebed *b, uint32_t block)
{
    return b->data + b->blocks[block].offset;
}

void valuebed_links(struct valuebed *b, uint32_t block, struct chk_links *links)
{
    struct ost_defects defects = {.count = 0};
    struct chk_inner inner = {.block = block};
    struct ost_xblock x;

    assert_int_equal(
        ost_xblock_open(b->v, (struct bytes){valuebed_extent(b, block), b->blocks[block].inflated},
                        &defects, &x),
        0);
    assert_int_equal(chk_links_reserve(links, &b->budget, x.count), 0);
    for (unsigned i = 0; i < x.count; i++)
        chk_links_room(links)[i] = valuebed_index(b, ost_xblock_bid(&x, i));
    inner.kind = x.level == 1 ? CHK_KIND_X : CHK_KIND_XX;
    inner.total = x.total;
    inner.data_count = x.count;
    chk_links_add(links, &inner, x.count);
}
