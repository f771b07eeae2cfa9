#include <string.h>

#include "io/bytes.h"
#include "scanner/ost/offsets.h"
#include "tests/gen/damage.h"
#include "tests/gen/sum.h"

/* Damage to blocks, to data trees and to nodes' references. */

static uint64_t trailer_of(const struct image *img, const struct gen_block *b)
{
    return b->ib + variant_block_extent(img->variant, b->stored) - img->variant->block_trailer;
}

static void flip(struct damager *d, uint64_t offset)
{
    damager_read(d, offset, 1);
    d->bytes[0] ^= (uint8_t)(1u << rng_below(&d->rng, 8));
    damager_write(d, offset, d->bytes, 1);
}

/* Reads a block's extent, for a change whose checksum is made right again by reseal. */
static void open_block(struct damager *d, const struct gen_block *b)
{
    damager_read(d, b->ib, variant_block_extent(d->img->variant, b->stored));
}

static void reseal(struct damager *d, size_t index)
{
    const struct gen_block *b = &d->img->blocks[index];
    struct block_end end = {.offset = b->ib,
                            .bid = image_bid_at(d->img, index),
                            .stored = b->stored,
                            .inflated = b->inflated};
    block_seal(d->img->variant, d->bytes, &end);
    damager_write(d, b->ib, d->bytes, variant_block_extent(d->img->variant, b->stored));
}

static bool misplaced(struct damager *d)
{
    const struct image *img = d->img;
    for (int tries = 0; tries < 50; tries++) {
        size_t a = damage_pick_data(d, 1);
        if (a == 0)
            return false;
        uint32_t extent = variant_block_extent(img->variant, img->blocks[a].stored);
        struct block_wish wish = {.kind = BLOCK_DATA, .extent = extent};
        size_t b = damage_pick_block(d, &wish);
        if (b != 0) {
            damager_read(d, img->blocks[b].ib, extent);
            damager_write(d, img->blocks[a].ib, d->bytes, extent);
            damage_report_block(d, DAMAGE_block_misplaced, a, img->blocks[a].ib, extent);
            return true;
        }
        d->hit_blocks[a] = 0;
    }
    return false;
}

/* The stream's own checksum no longer fits what it inflates to. */
static bool bad_stream(struct damager *d)
{
    struct block_wish wish = {.kind = BLOCK_DATA, .stored_min = 16, .compressed = true};
    size_t index = damage_pick_block(d, &wish);
    const struct gen_block *b = &d->img->blocks[index];
    if (index == 0)
        return false;
    open_block(d, b);
    d->bytes[b->stored - 1] ^= 0xFF;
    reseal(d, index);
    damage_report_block(d, DAMAGE_block_inflate, index, b->ib, b->stored);
    return true;
}

bool damage_block(struct damager *d, enum damage_kind kind)
{
    const struct image *img = d->img;
    bool ansi = img->variant->format == GEN_ANSI;
    if (kind == DAMAGE_block_misplaced)
        return misplaced(d);
    if (kind == DAMAGE_block_inflate)
        return bad_stream(d);
    size_t index = damage_pick_data(d, kind == DAMAGE_block_zero ? 64 : 1);
    if (index == 0)
        return false;
    const struct gen_block *b = &img->blocks[index];
    uint64_t at = trailer_of(img, b), length = 1;
    switch (kind) {
    case DAMAGE_block_flip:
        at = b->ib + rng_below(&d->rng, b->stored);
        break;
    case DAMAGE_block_size:
        at += OFF_BT_CB;
        break;
    case DAMAGE_block_signature:
        at += OFF_BT_SIG;
        break;
    case DAMAGE_block_bid:
        at += ansi ? OFF_A_BT_BID : OFF_U_BT_BID;
        break;
    default:
        at = b->ib;
        length = b->stored < 512 ? b->stored : 512;
        memset(d->bytes, 0, length);
        damager_write(d, at, d->bytes, length);
        damage_report_block(d, kind, index, at, length);
        return true;
    }
    flip(d, at);
    damage_report_block(d, kind, index, at, length);
    return true;
}

static void put_ref(const struct variant *v, uint8_t *p, uint64_t value)
{
    if (v->wide)
        put_le64(p, value);
    else
        put_le32(p, (uint32_t)value);
}

static uint64_t get_ref(const struct variant *v, const uint8_t *p)
{
    return v->wide ? le64(p) : le32(p);
}

static uint16_t inflated_size(const struct image *img, uint64_t bid)
{
    return img->blocks[image_index(bid)].inflated;
}

/* Changes an XBLOCK; false: it does not suit. Where, from its first byte, to *at. */
static bool spoil_xblock(struct damager *d, enum damage_kind kind, size_t index, uint32_t *at)
{
    const struct variant *v = d->img->variant;
    uint8_t *x = d->bytes, swap[8];
    uint32_t count = le16(x + OFF_X_COUNT), width = v->ref_size;
    uint8_t *first = x + OFF_X_BIDS, *last = first + (count - 1) * width;
    switch (kind) {
    case DAMAGE_xblock_total:
        *at = OFF_X_TOTAL;
        put_le32(x + OFF_X_TOTAL, le32(x + OFF_X_TOTAL) + 77);
        return true;
    case DAMAGE_xblock_level:
        *at = OFF_X_LEVEL;
        x[OFF_X_LEVEL] = 7;
        return true;
    case DAMAGE_xblock_leaf:
        *at = OFF_X_BIDS;
        put_ref(v, first, ((uint64_t)d->img->block_count + 0x200000) << 2);
        return true;
    case DAMAGE_xblock_self:
        *at = OFF_X_BIDS;
        put_ref(v, first, image_bid_at(d->img, index));
        return true;
    default: /* below an XXBLOCK the last leaf may be as full as the others: then nothing is wrong
              */
        if (inflated_size(d->img, get_ref(v, first)) == inflated_size(d->img, get_ref(v, last)))
            return false;
        *at = OFF_X_BIDS;
        memcpy(swap, first, width);
        memcpy(first, last, width);
        memcpy(last, swap, width);
        return true;
    }
}

static bool dangling_node(struct damager *d)
{
    const struct variant *v = d->img->variant;
    for (int tries = 0; tries < 200; tries++) {
        const struct gen_node *n = &d->img->nodes[rng_below(&d->rng, (uint32_t)d->img->node_count)];
        size_t number = damage_leaf_of(d, PTYPE_NBT, n->nid);
        if (n->deleted || (n->nid & 0x1F) != 0x04 || d->hit_pages[number] != 0)
            continue;
        const struct gen_page *page = &d->img->pages[number];
        damager_read(d, page->ib, v->page_size);
        for (uint32_t i = 0; i < page->entries; i++) {
            uint8_t *e = d->bytes + i * v->node_entry;
            if (le32(e) != n->nid)
                continue;
            d->hit_pages[number] = 1;
            put_ref(v, e + (v->wide ? OFF_U_NBT_DATA : OFF_A_NBT_DATA),
                    ((uint64_t)d->img->block_count + 0x300000) << 2);
            struct page_end end = {.type = PTYPE_NBT,
                                   .signature = sum_signature(page->ib, page->bid),
                                   .bid = page->bid};
            page_seal(v, d->bytes, &end);
            damager_write(d, page->ib, d->bytes, v->page_size);
            struct hit hit = {.offset = page->ib + i * v->node_entry,
                              .length = v->node_entry,
                              .bids = &n->data,
                              .bid_count = 1,
                              .nids = &n->nid,
                              .nid_count = 1};
            damage_report(d, DAMAGE_node_data, &hit);
            return true;
        }
    }
    return false;
}

bool damage_tree(struct damager *d, enum damage_kind kind)
{
    if (kind == DAMAGE_node_data)
        return dangling_node(d);
    for (int tries = 0; tries < 200; tries++) {
        struct block_wish wish = {.kind = BLOCK_XBLOCK, .stored_min = OFF_X_BIDS + 8};
        size_t index = damage_pick_block(d, &wish);
        const struct gen_block *b = &d->img->blocks[index];
        uint32_t at = 0;
        if (index == 0)
            return false;
        if (b->stored != b->inflated)
            continue;
        open_block(d, b);
        const struct variant *v = d->img->variant;
        uint64_t bids[2] = {image_bid_at(d->img, index), get_ref(v, d->bytes + OFF_X_BIDS)};
        if (!spoil_xblock(d, kind, index, &at))
            continue;
        reseal(d, index);
        struct hit hit = {.offset = b->ib + at,
                          .length = v->ref_size,
                          .bids = bids,
                          .bid_count = 2,
                          .nids = &b->owner,
                          .nid_count = 1};
        damage_report(d, kind, &hit);
        return true;
    }
    return false;
}
