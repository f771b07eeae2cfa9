#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io/bytes.h"
#include "io/err.h"
#include "scanner/ost/offsets.h"
#include "tests/gen/damage.h"
#include "tests/gen/sum.h"

/* Damage to the header, to B-tree pages and their entries, and to allocation pages. */

static uint64_t get_ref(const struct variant *v, const uint8_t *p)
{
    return v->wide ? le64(p) : le32(p);
}

static void put_ref(const struct variant *v, uint8_t *p, uint64_t value)
{
    if (v->wide)
        put_le64(p, value);
    else
        put_le32(p, (uint32_t)value);
}

static void header_reseal(struct damager *d)
{
    uint8_t *h = d->img->header;
    put_le32(h + OFF_CRC_PARTIAL, sum_crc(h + CRC_PARTIAL_START, CRC_PARTIAL_LENGTH));
    if (d->img->variant->wide)
        put_le32(h + OFF_U_CRC_FULL, sum_crc(h + CRC_FULL_START, CRC_FULL_LENGTH));
}

static void report_range(struct damager *d, enum damage_kind kind, uint64_t offset, uint64_t length,
                         bool all)
{
    struct hit hit = {.offset = offset, .length = length, .all = all};
    damage_report(d, kind, &hit);
}

static bool cut_or_append(struct damager *d, enum damage_kind kind)
{
    uint64_t end = space_file_end(&d->img->space);
    if (kind == DAMAGE_trailing) {
        memset(d->bytes, 0x5A, 1000);
        damager_write(d, end, d->bytes, 1000);
        report_range(d, kind, end, 1000, false);
        return true;
    }
    uint64_t kept = end / 4 * 3 / 512 * 512;
    if (ftruncate(d->img->fd, (off_t)kept) != 0)
        d->error = err_from_errno(errno);
    report_range(d, kind, kept, end - kept, true);
    return true;
}

/* Where the damage is, for the kinds whose checksums are made right again. */
static bool lower_header_field(struct damager *d, enum damage_kind kind, uint32_t *at,
                               uint32_t *size)
{
    struct image *img = d->img;
    bool wide = img->variant->wide;
    uint8_t *h = img->header;
    *size = img->variant->ref_size;
    switch (kind) {
    case DAMAGE_header_block_counter:
        *at = wide ? OFF_U_BID_NEXT_B : OFF_A_BID_NEXT_B;
        put_ref(img->variant, h + *at, 0x40);
        return true;
    case DAMAGE_header_page_counter:
        *at = wide ? OFF_U_BID_NEXT_P : OFF_A_BID_NEXT_P;
        put_ref(img->variant, h + *at, 2);
        return true;
    case DAMAGE_header_nid_counter:
        *at = (wide ? OFF_U_RGNID : OFF_A_RGNID) + 4 * 4;
        *size = 4;
        put_le32(h + *at, 0x10000);
        return true;
    case DAMAGE_header_amap_flag:
        *at = wide ? OFF_U_AMAP_VALID : OFF_A_AMAP_VALID;
        *size = 1;
        h[*at] = 0;
        return true;
    case DAMAGE_header_amap_free:
        *at = wide ? OFF_U_AMAP_FREE : OFF_A_AMAP_FREE;
        put_ref(img->variant, h + *at, get_ref(img->variant, h + *at) + 4096);
        return true;
    case DAMAGE_header_root:
        *at = (wide ? OFF_U_BREF_NBT : OFF_A_BREF_NBT) + img->variant->ref_size;
        put_ref(img->variant, h + *at, space_file_end(&img->space) + img->variant->page_size);
        return true;
    default:
        *size = 1;
        return false;
    }
}

bool damage_header(struct damager *d, enum damage_kind kind)
{
    struct image *img = d->img;
    uint8_t *h = img->header;
    uint32_t at = 0, size = 1;
    if (kind == DAMAGE_truncate || kind == DAMAGE_trailing)
        return cut_or_append(d, kind);
    if (lower_header_field(d, kind, &at, &size)) {
        header_reseal(d);
    } else if (kind == DAMAGE_header_magic) {
        h[0] ^= 0x20;
    } else if (kind == DAMAGE_header_crc) {
        at = img->variant->wide ? OFF_U_UNIQUE : OFF_A_UNIQUE;
        h[at] ^= 0x04;
    } else {
        if (!img->variant->wide)
            return false;
        at = OFF_U_BID_NEXT_B + 6;
        h[at] ^= 0x01;
    }
    damager_write(d, 0, h, img->variant->header_size);
    report_range(d, kind, at, size, kind == DAMAGE_header_root);
    return true;
}

struct page_view {
    const struct gen_page *page;
    size_t number;
    uint32_t entry_size;
    uint8_t *bytes;
};

static bool open_leaf(struct damager *d, size_t number, struct page_view *out)
{
    const struct variant *v = d->img->variant;
    if (number == d->img->page_count)
        return false;
    *out = (struct page_view){.page = &d->img->pages[number], .number = number, .bytes = d->bytes};
    out->entry_size = out->page->level > 0           ? v->branch_entry
                      : out->page->type == PTYPE_NBT ? v->node_entry
                                                     : v->block_entry;
    damager_read(d, out->page->ib, v->page_size);
    return true;
}

static void page_reseal(struct damager *d, const struct page_view *p)
{
    struct page_end end = {.type = p->page->type,
                           .signature = sum_signature(p->page->ib, p->page->bid),
                           .bid = p->page->bid};
    page_seal(d->img->variant, p->bytes, &end);
    damager_write(d, p->page->ib, p->bytes, d->img->variant->page_size);
}

/* Names all that a leaf holds; a branch or root page means everything. */
static void report_page(struct damager *d, enum damage_kind kind, const struct page_view *p,
                        const uint8_t *before, uint64_t offset, uint64_t length)
{
    uint64_t bids[200];
    uint32_t nids[200];
    size_t n = 0;
    bool nbt = p->page->type == PTYPE_NBT;
    for (; p->page->level == 0 && n < p->page->entries && n < 200; n++) {
        bids[n] = get_ref(d->img->variant, before + n * p->entry_size);
        nids[n] = (uint32_t)bids[n];
    }
    struct hit hit = {.offset = offset,
                      .length = length,
                      .bids = bids,
                      .bid_count = nbt ? 0 : n,
                      .nids = nids,
                      .nid_count = nbt ? n : 0,
                      .all = p->page->level > 0};
    damage_report(d, kind, &hit);
}

/* Changes that are made good by a new checksum. Returns where, or false if it is none of them. */
static bool spoil_entries(struct damager *d, enum damage_kind kind, struct page_view *p,
                          uint64_t *at, uint64_t *length)
{
    const struct variant *v = d->img->variant;
    bool k = v->format == GEN_UNICODE4K;
    uint8_t swap[32], *last = p->bytes + (p->page->entries - 1u) * p->entry_size;
    uint8_t *counters = p->bytes + v->page_counters;
    *length = 1;
    switch (kind) {
    case DAMAGE_page_key_order:
        memcpy(swap, p->bytes, p->entry_size);
        memcpy(p->bytes, p->bytes + p->entry_size, p->entry_size);
        memcpy(p->bytes + p->entry_size, swap, p->entry_size);
        *at = p->page->ib;
        *length = 2 * p->entry_size;
        return true;
    case DAMAGE_page_key_range:
        put_ref(v, last, get_ref(v, last) + 0x1000000);
        *at = p->page->ib + (uint64_t)(last - p->bytes);
        *length = v->ref_size;
        return true;
    case DAMAGE_page_level:
        counters[k ? 5 : 3]++;
        *at = p->page->ib + v->page_counters + (k ? 5 : 3);
        return true;
    case DAMAGE_page_count:
        counters[0] = 255;
        *at = p->page->ib + v->page_counters;
        return true;
    default:
        return false;
    }
}

static void spoil_bytes(struct damager *d, enum damage_kind kind, struct page_view *p, uint64_t *at,
                        uint64_t *length)
{
    const struct variant *v = d->img->variant;
    bool ansi = v->format == GEN_ANSI;
    uint32_t place = v->page_trailer;
    *length = 1;
    switch (kind) {
    case DAMAGE_page_flip:
        place = rng_below(&d->rng, p->page->entries * p->entry_size);
        break;
    case DAMAGE_page_type:
        place += rng_below(&d->rng, 2);
        break;
    case DAMAGE_page_signature:
        place += OFF_PT_SIG;
        break;
    case DAMAGE_page_bid:
        place += ansi ? OFF_A_PT_BID : OFF_U_PT_BID;
        break;
    default:
        memset(p->bytes, 0, v->page_size);
        *at = p->page->ib;
        *length = v->page_size;
        return;
    }
    p->bytes[place] ^= (uint8_t)(1u << rng_below(&d->rng, 4));
    *at = p->page->ib + place;
}

static size_t root_page(const struct image *img, const uint64_t root[2])
{
    size_t i = 0;
    while (i < img->page_count && img->pages[i].ib != root[1])
        i++;
    return i;
}

/* A key beyond the range needs a page to its right: not the last leaf of its tree. */
static size_t leaf_for(struct damager *d, enum damage_kind kind)
{
    if (kind == DAMAGE_root_nbt)
        return root_page(d->img, d->img->root_nbt);
    if (kind == DAMAGE_root_bbt)
        return root_page(d->img, d->img->root_bbt);
    for (int tries = 0; tries < 50; tries++) {
        size_t i = damage_pick_leaf(d, 0, 3);
        if (i == d->img->page_count || kind != DAMAGE_page_key_range ||
            (i + 1 < d->img->page_count && d->img->pages[i + 1].type == d->img->pages[i].type &&
             d->img->pages[i + 1].level == 0))
            return i;
    }
    return d->img->page_count;
}

bool damage_page(struct damager *d, enum damage_kind kind)
{
    struct page_view p;
    uint8_t before[4096];
    uint64_t at = 0, length = 0;
    size_t number = leaf_for(d, kind);
    if (!open_leaf(d, number, &p))
        return false;
    d->hit_pages[number] = 1;
    memcpy(before, p.bytes, d->img->variant->page_size);
    if (spoil_entries(d, kind, &p, &at, &length)) {
        page_reseal(d, &p);
    } else {
        spoil_bytes(d, kind, &p, &at, &length);
        damager_write(d, p.page->ib, p.bytes, d->img->variant->page_size);
    }
    report_page(d, kind, &p, before, at, length);
    return true;
}

static uint32_t entry_of(struct damager *d, const struct page_view *p, uint64_t key)
{
    uint32_t i = 0;
    while (i < p->page->entries && get_ref(d->img->variant, p->bytes + i * p->entry_size) != key)
        i++;
    return i;
}

/* Changes a block's entry in a leaf of the block B-tree. other: a block for overlaps. */
static void spoil_block_entry(struct damager *d, enum damage_kind kind, struct page_view *p,
                              uint32_t entry, size_t other)
{
    const struct variant *v = d->img->variant;
    bool ansi = !v->wide;
    uint8_t *e = p->bytes + entry * p->entry_size;
    uint8_t *ib = e + (ansi ? OFF_A_BBT_IB : OFF_U_BBT_IB);
    uint8_t *cb = e + (ansi ? OFF_A_BBT_CB : OFF_U_BBT_CB);
    uint8_t *refs = e + (ansi                         ? OFF_A_BBT_REF
                         : v->format == GEN_UNICODE4K ? OFF_K_BBT_REF
                                                      : OFF_U_BBT_REF);
    uint16_t size = le16(cb);
    bool less = variant_block_extent(v, size - 1u) == variant_block_extent(v, size);
    switch (kind) {
    case DAMAGE_bbt_refs:
        put_le16(refs, (uint16_t)(le16(refs) + 1));
        break;
    case DAMAGE_bbt_overlap:
        put_ref(v, ib, d->img->blocks[other].ib);
        break;
    case DAMAGE_bbt_out_of_range:
        put_ref(v, ib, space_file_end(&d->img->space) + v->unit * 16);
        break;
    case DAMAGE_bbt_crosses:
        put_ref(v, ib, v->amap_first + v->amap_spacing - v->unit);
        break;
    case DAMAGE_bbt_size:
        put_le16(cb, (uint16_t)(less ? size - 1 : size + 1));
        break;
    default:
        memmove(e, e + p->entry_size, (p->page->entries - entry - 1u) * p->entry_size);
        p->bytes[v->page_counters]--;
        break;
    }
}

/* A block, its leaf and its place there; never the leaf's first, whose key its parent has too. */
static bool pick_entry(struct damager *d, uint32_t least, size_t *index, struct page_view *p,
                       uint32_t *entry)
{
    for (int tries = 0; tries < 300; tries++) {
        *index = damage_pick_data(d, least);
        if (*index == 0)
            return false;
        uint64_t bid = image_bid_at(d->img, *index);
        size_t number = damage_leaf_of(d, PTYPE_BBT, bid);
        if (number < d->img->page_count && d->hit_pages[number] == 0 &&
            d->img->pages[number].entries >= 3 && open_leaf(d, number, p)) {
            *entry = entry_of(d, p, bid);
            if (*entry > 0 && *entry < p->page->entries) {
                d->hit_pages[number] = 1;
                return true;
            }
        }
        d->hit_blocks[*index] = 0;
    }
    return false;
}

bool damage_entry(struct damager *d, enum damage_kind kind)
{
    struct page_view p;
    size_t index, other = 0;
    uint32_t entry;
    uint32_t least = kind == DAMAGE_bbt_crosses ? d->img->variant->unit : 2;
    if (kind == DAMAGE_bbt_crosses && space_spans(&d->img->space) == 1)
        return false;
    if (!pick_entry(d, least, &index, &p, &entry))
        return false;
    if (kind == DAMAGE_bbt_overlap && (other = damage_pick_data(d, 1)) == 0)
        return false;
    spoil_block_entry(d, kind, &p, entry, other);
    page_reseal(d, &p);
    uint64_t bids[2] = {image_bid_at(d->img, index), image_bid_at(d->img, other)};
    uint32_t nids[2] = {d->img->blocks[index].owner, d->img->blocks[other].owner};
    struct hit hit = {.offset = p.page->ib + entry * p.entry_size,
                      .length = p.entry_size,
                      .bids = bids,
                      .bid_count = other != 0 ? 2 : 1,
                      .nids = nids,
                      .nid_count = other != 0 ? 2 : 1};
    damage_report(d, kind, &hit);
    return true;
}

/* An allocation page that is damaged as such is not sealed again, and not hit twice. */
static bool pick_mapped(struct damager *d, enum damage_kind kind, size_t *index, uint64_t *span)
{
    const struct variant *v = d->img->variant;
    for (int tries = 0; tries < 300; tries++) {
        *index = damage_pick_data(d, 1);
        if (*index == 0)
            return false;
        *span = (d->img->blocks[*index].ib - v->amap_first) / v->amap_spacing;
        bool proven = v->format != GEN_UNICODE4K || *span == 0;
        uint8_t hit = d->hit_spans[*span];
        if (proven && (hit == 0 || (hit == kind + 1 && kind == DAMAGE_amap_clear))) {
            d->hit_spans[*span] = (uint8_t)(kind + 1);
            return true;
        }
        d->hit_blocks[*index] = 0;
    }
    return false;
}

bool damage_map(struct damager *d, enum damage_kind kind)
{
    const struct variant *v = d->img->variant;
    size_t index;
    uint64_t span;
    if (!pick_mapped(d, kind, &index, &span))
        return false;
    const struct gen_block *b = &d->img->blocks[index];
    uint64_t page = v->amap_first + span * v->amap_spacing;
    uint64_t bit = (b->ib - page) / v->unit;
    uint64_t place = v->amap_bits_offset + bit / 8;
    damager_read(d, page, v->page_size);
    d->bytes[place] &= (uint8_t) ~(0x80u >> (bit & 7));
    if (kind == DAMAGE_amap_clear) {
        struct page_end end = {.type = PTYPE_AMAP, .bid = page};
        page_seal(v, d->bytes, &end);
    }
    damager_write(d, page, d->bytes, v->page_size);
    if (kind == DAMAGE_amap_clear)
        damage_report_block(d, kind, index, b->ib, v->unit);
    else
        report_range(d, kind, page + place, 1, false);
    return true;
}
