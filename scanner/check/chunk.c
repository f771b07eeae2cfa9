/* chunk.c: see chunk.h. */
#include "scanner/check/chunk.h"

#include "scanner/check/tap.h"
#include "scanner/ost/block.h"

static void begin_span(struct chk_cursor *c)
{
    c->page = 0;
    c->span_end = ost_amap_offset(c->state->variant, c->k + 1);
    c->page_count = c->k < c->k_end ? ost_alloc_pages(c->state->variant, c->k, c->pages) : 0;
}

/* Where the next entry lies; UINT64_MAX: none is left. */
static void find_entry(struct chk_cursor *c)
{
    c->entry_at = c->key < c->key_end ? chk_order_unit(c->order, c->key) * c->state->variant->unit
                                      : UINT64_MAX;
}

void chk_cursor_init(struct chk_cursor *c, const struct chk_state *s, const struct chk_order *o,
                     uint64_t k, uint64_t k_end)
{
    uint32_t unit = s->variant->unit;

    *c = (struct chk_cursor){.state = s, .order = o, .k = k, .k_end = k_end};
    c->key = chk_order_from(o, ost_amap_offset(s->variant, k) / unit);
    c->key_end = chk_order_from(o, ost_amap_offset(s->variant, k_end) / unit);
    begin_span(c);
    find_entry(c);
}

/* The place of a block in what the tap has, and one more. */
static uint32_t place_had(const struct chk_state *s, size_t block)
{
    size_t low = 0, high = s->had_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->had[middle].block < block)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low + 1;
}

static struct chk_item entry_item(const struct chk_cursor *c)
{
    const struct chk_state *s = c->state;
    size_t entry = chk_order_entry(c->order, c->key);
    struct chk_item item = {.offset = c->entry_at};

    if (entry >= s->plan.block_count) {
        item.index = (uint32_t)(entry - s->plan.block_count);
        item.kind = CHK_ITEM_PAGE;
        return item;
    }
    item.length = ost_block_extent(s->variant, s->plan.blocks[entry].stored);
    item.index = (uint32_t)entry;
    item.kind = CHK_ITEM_BLOCK;
    if (s->status[entry] & CHK_HAD)
        item.had = place_had(s, entry);
    return item;
}

/* The next item; false: none is left. An allocation page goes before what else begins there. */
static bool peek(struct chk_cursor *c, struct chk_item *out)
{
    const struct chk_state *s = c->state;

    while (c->page < c->page_count &&
           !range_fits(c->pages[c->page].offset, s->variant->page_size, s->file_size))
        c->page++;
    if (c->page == c->page_count && c->k + 1 < c->k_end && c->entry_at >= c->span_end) {
        c->k++;
        begin_span(c);
    }
    if (c->page < c->page_count && c->pages[c->page].offset <= c->entry_at) {
        *out = (struct chk_item){.offset = c->pages[c->page].offset,
                                 .length = s->variant->page_size,
                                 .index = c->pages[c->page].type,
                                 .kind = CHK_ITEM_ALLOC};
        return true;
    }
    if (c->entry_at == UINT64_MAX)
        return false;
    *out = entry_item(c);
    return true;
}

static void advance(struct chk_cursor *c, const struct chk_item *taken)
{
    if (taken->kind == CHK_ITEM_ALLOC) {
        c->page++;
    } else {
        c->key++;
        find_entry(c);
    }
}

bool chk_cursor_next(struct chk_cursor *c, uint64_t bytes, uint64_t gap, struct chk_chunk *out)
{
    struct chk_item item;
    uint64_t end = 0;

    out->count = 0;
    out->length = 0;
    out->item_bytes = 0;
    while (out->count < CHK_CHUNK_ITEMS && peek(c, &item)) {
        uint32_t length = item.had ? 0 : item.length;
        uint64_t item_end = item.offset + length;

        if (length && out->length == 0) {
            out->offset = item.offset;
            end = item_end;
        } else if (length) {
            uint64_t new_end = item_end > end ? item_end : end;

            if ((item.offset > end && item.offset - end > gap) || new_end - out->offset > bytes)
                break;
            end = new_end;
        }
        if (length)
            out->length = end - out->offset;
        out->item_bytes += length;
        out->items[out->count++] = item;
        advance(c, &item);
    }
    return out->count > 0;
}
