#include <stdio.h>
#include <string.h>

#include "scanner/ost/offsets.h"
#include "tests/gen/truth.h"

/*
 * Which bytes are covered by which check, from FORMAT.md alone: sections 2 to 6 for what the
 * bytes are, 5 and 15 for what is never corruption (PMap, FMap, FPMap, density list, stale pages,
 * padding). A range names every finding code that a change there may raise; what is in no range
 * may change without any.
 */

struct cover {
    struct buf *out;
    bool first;
};

static void structure(struct truth *t, struct cover *c, const char *kind, uint64_t offset,
                      uint64_t length)
{
    c->out = truth_line(t);
    c->first = true;
    buf_printf(c->out, "{\"type\":\"structure\",\"kind\":\"%s\",\"offset\":%llu,\"length\":%llu",
               kind, (unsigned long long)offset, (unsigned long long)length);
}

/* codes: JSON strings with commas between, without brackets. */
static void range(struct cover *c, uint64_t offset, uint64_t length, const char *codes)
{
    if (length == 0)
        return;
    buf_printf(c->out, "%s[%llu,%llu,%s]", c->first ? ",\"covered\":[" : ",",
               (unsigned long long)offset, (unsigned long long)length, codes);
    c->first = false;
}

static void structure_end(struct truth *t, struct cover *c)
{
    buf_puts(c->out, c->first ? ",\"covered\":[]}" : "]}");
    truth_line_end(t);
}

/* Fields whose value is wrong by itself when it is not what belongs there. */
struct field {
    uint32_t offset, length;
    const char *code;
};

static const struct field fields_a[] = {
    {OFF_MAGIC_CLIENT, 2, "\"client_unknown\""},
    {OFF_A_BREF_NBT, 16, "\"root_out_of_range\""},
    {OFF_A_SENTINEL, 1, "\"header_sentinel\""},
};

static const struct field fields_u[] = {
    {OFF_MAGIC_CLIENT, 2, "\"client_unknown\""},
    {OFF_U_BREF_NBT, 32, "\"root_out_of_range\""},
    {OFF_U_SENTINEL, 1, "\"header_sentinel\""},
};

/* Bytes of the header under those checksums: the fields among them, and what lies between. */
static void header_range(struct cover *c, const struct field *fields, size_t count, uint32_t offset,
                         uint32_t end, const char *crcs)
{
    char codes[96];
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        if (f->offset < offset || f->offset >= end)
            continue;
        range(c, offset, f->offset - offset, crcs);
        snprintf(codes, sizeof codes, "%s,%s", crcs, f->code);
        range(c, f->offset, f->length, codes);
        offset = f->offset + f->length;
    }
    range(c, offset, end - offset, crcs);
}

static void cover_header(struct truth *t, const struct image *img)
{
    struct cover c;
    bool wide = img->variant->wide;
    const struct field *fields = wide ? fields_u : fields_a;
    size_t count = wide ? sizeof fields_u / sizeof *fields_u : sizeof fields_a / sizeof *fields_a;
    uint32_t rest = CRC_PARTIAL_START + CRC_PARTIAL_LENGTH;
    structure(t, &c, "header", 0, img->variant->header_size);
    range(&c, OFF_MAGIC, 4, "\"magic_wrong\"");
    range(&c, OFF_CRC_PARTIAL, 4, "\"header_crc_partial\"");
    header_range(&c, fields, count, CRC_PARTIAL_START, rest,
                 wide ? "\"header_crc_partial\",\"header_crc_full\"" : "\"header_crc_partial\"");
    if (wide) {
        header_range(&c, fields, count, rest, OFF_U_CRC_FULL, "\"header_crc_full\"");
        range(&c, OFF_U_CRC_FULL, 4, "\"header_crc_full\"");
    }
    structure_end(t, &c);
}

static void page_trailer_cover(struct cover *c, const struct variant *v, uint64_t page, bool btree)
{
    uint64_t trailer = page + v->page_trailer;
    bool ansi = v->format == GEN_ANSI;
    const char *crc = btree ? "\"page_crc\"" : "\"amap_crc\"";
    range(c, page, v->page_trailer, crc);
    range(c, trailer, 2, "\"page_type\"");
    range(c, trailer + OFF_PT_SIG, 2, "\"page_signature\"");
    range(c, trailer + (ansi ? OFF_A_PT_CRC : OFF_U_PT_CRC), 4, crc);
    range(c, trailer + (ansi ? OFF_A_PT_BID : OFF_U_PT_BID), v->ref_size, "\"page_bid\"");
    if (v->format == GEN_UNICODE4K)
        range(c, trailer + OFF_K_PT_CONST, 8, "\"page_constant\"");
}

static void cover_page(struct truth *t, const struct image *img, const struct gen_page *p)
{
    struct cover c;
    bool nbt = p->type == PTYPE_NBT;
    const char *kind = p->stale        ? "stale_page"
                       : p->level == 0 ? (nbt ? "nbt_leaf" : "bbt_leaf")
                                       : (nbt ? "nbt_branch" : "bbt_branch");
    structure(t, &c, kind, p->ib, img->variant->page_size);
    buf_printf(c.out, ",\"bid\":%llu,\"level\":%u,\"entries\":%u", (unsigned long long)p->bid,
               p->level, p->entries);
    if (!p->stale)
        page_trailer_cover(&c, img->variant, p->ib, true);
    structure_end(t, &c);
}

static const char *block_kind(const struct gen_block *b)
{
    static const char *const kinds[] = {"data", "xblock", "xxblock", "slblock", "siblock"};
    return b->state == BLOCK_DELETED ? "stale_block" : kinds[b->kind];
}

static void cover_block(struct truth *t, const struct image *img, size_t index)
{
    const struct variant *v = img->variant;
    const struct gen_block *b = &img->blocks[index];
    uint32_t extent = variant_block_extent(v, b->stored);
    uint64_t trailer = b->ib + extent - v->block_trailer;
    bool ansi = v->format == GEN_ANSI;
    struct cover c;
    structure(t, &c, block_kind(b), b->ib, extent);
    buf_printf(c.out, ",\"bid\":%llu,\"stored\":%u,\"inflated\":%u,\"refs\":%u,\"nid\":%u",
               (unsigned long long)image_bid_at(img, index), b->stored, b->inflated, b->refs,
               b->owner);
    if (b->state == BLOCK_LIVE) {
        range(&c, b->ib, b->stored, "\"block_crc\"");
        range(&c, trailer + OFF_BT_CB, 2, "\"block_size\"");
        range(&c, trailer + OFF_BT_SIG, 2, "\"block_signature\"");
        range(&c, trailer + (ansi ? OFF_A_BT_CRC : OFF_U_BT_CRC), 4, "\"block_crc\"");
        range(&c, trailer + (ansi ? OFF_A_BT_BID : OFF_U_BT_BID), v->ref_size, "\"block_bid\"");
        if (v->format == GEN_UNICODE4K) {
            range(&c, trailer + OFF_K_BT_CONST, 2, "\"block_constant\"");
            range(&c, trailer + OFF_K_BT_INFLATED, 2, "\"block_inflated\"");
            range(&c, trailer + OFF_K_BT_ZERO, 4, "\"block_constant\"");
        }
    }
    structure_end(t, &c);
}

static void uncovered(struct truth *t, const char *kind, uint64_t offset, uint64_t length)
{
    struct cover c;
    structure(t, &c, kind, offset, length);
    structure_end(t, &c);
}

/* Past the first span of a 4k image no real file shows where allocation pages lie. */
static void cover_unproven_span(struct truth *t, const struct image *img, uint64_t at)
{
    struct cover c;
    structure(t, &c, "amap_unproven", at, img->variant->page_size);
    range(&c, at, img->variant->page_trailer + 16, "\"alloc_layout_unknown\"");
    structure_end(t, &c);
}

static void cover_span(struct truth *t, const struct image *img, uint64_t span)
{
    const struct variant *v = img->variant;
    uint64_t at = v->amap_first + span * v->amap_spacing;
    struct cover c;
    if (v->format == GEN_UNICODE4K && span > 0) {
        cover_unproven_span(t, img, at);
        return;
    }
    structure(t, &c, "amap", at, v->page_size);
    buf_printf(c.out, ",\"span\":%llu", (unsigned long long)span);
    page_trailer_cover(&c, v, at, false);
    structure_end(t, &c);
    if (variant_span_pages(v, span) > v->page_size)
        uncovered(t, "pmap", at + v->page_size, variant_span_pages(v, span) - v->page_size);
}

void truth_structures(struct truth *t, const struct image *img)
{
    if (t->file == NULL || t->level != TRUTH_FULL)
        return;
    cover_header(t, img);
    uncovered(t, "density_list", img->variant->density_list, img->variant->page_size);
    for (uint64_t i = 0; i < space_spans(&img->space); i++)
        cover_span(t, img, i);
    for (size_t i = 0; i < img->page_count; i++)
        cover_page(t, img, &img->pages[i]);
    for (size_t i = 1; i < img->block_count; i++) {
        if (img->blocks[i].state != BLOCK_UNUSED)
            cover_block(t, img, i);
    }
}
