/* forge.c: see forge.h. */
#include "tests/support/forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/crc.h"

const enum ost_format forge_formats[3] = {OST_FORMAT_ANSI, OST_FORMAT_UNICODE,
                                          OST_FORMAT_UNICODE4K};

void forge_id(const struct ost_variant *v, uint8_t *at, uint64_t id)
{
    if (v->id_size == 4)
        put_le32(at, (uint32_t)id);
    else
        put_le64(at, id);
}

void forge_seal(const struct ost_variant *v, uint8_t *page, uint8_t type, uint64_t bid,
                uint64_t offset)
{
    uint8_t *t = page + v->page_trailer;
    int no_sig = type >= PTYPE_FMAP && type <= PTYPE_FPMAP;

    t[OFF_PT_TYPE] = t[OFF_PT_TYPE_REPEAT] = type;
    put_le16(t + OFF_PT_SIG, no_sig ? 0 : ost_sig(offset, bid));
    forge_id(v, page + v->page_bid, bid);
    if (v->page_constant)
        put_le64(page + v->page_constant, PT_CONST_K);
    put_le32(page + v->page_crc, ost_crc(page, v->page_trailer));
}

static void shape(const struct ost_variant *v, enum ost_tree tree, unsigned level, unsigned *size,
                  unsigned *max)
{
    *size = level ? v->branch_size : tree == OST_TREE_NBT ? v->nbt_size : v->bbt_size;
    *max = level ? v->branch_max : tree == OST_TREE_NBT ? v->nbt_max : v->bbt_max;
}

void forge_counters(const struct ost_variant *v, uint8_t *page, enum ost_tree tree, unsigned level,
                    unsigned count)
{
    uint8_t *c = page + v->counters;
    unsigned size, max;

    shape(v, tree, level, &size, &max);
    if (v->wide_counters) {
        put_le16(c, (uint16_t)count);
        put_le16(c + 2, (uint16_t)max);
        c[4] = (uint8_t)size;
        c[5] = (uint8_t)level;
    } else {
        c[0] = (uint8_t)count;
        c[1] = (uint8_t)max;
        c[2] = (uint8_t)size;
        c[3] = (uint8_t)level;
    }
}

void forge_branch(const struct ost_variant *v, uint8_t *page, unsigned i, uint64_t key,
                  struct ost_bref child)
{
    uint8_t *e = page + (size_t)i * v->branch_size;

    forge_id(v, e, key);
    forge_id(v, e + v->id_size, child.bid);
    forge_id(v, e + 2 * v->id_size, child.offset);
}

void forge_block_entry(const struct ost_variant *v, uint8_t *page, unsigned i,
                       const struct ost_block *b)
{
    uint8_t *e = page + (size_t)i * v->bbt_size;
    uint8_t *rest = e + 2 * v->id_size;

    forge_id(v, e, b->bid);
    forge_id(v, e + v->id_size, b->offset);
    put_le16(rest, b->stored);
    if (v->deflates)
        put_le16(rest += 2, b->inflated);
    put_le16(rest + 2, b->refs);
}

void forge_node_entry(const struct ost_variant *v, uint8_t *page, unsigned i,
                      const struct ost_node *n)
{
    uint8_t *e = page + (size_t)i * v->nbt_size;

    forge_id(v, e, n->nid);
    forge_id(v, e + v->id_size, n->data);
    forge_id(v, e + 2 * v->id_size, n->sub);
    put_le32(e + 3 * v->id_size, n->parent);
}

uint32_t forge_block(const struct ost_variant *v, uint8_t *extent, const struct ost_block *b,
                     const void *stored)
{
    uint32_t size = ost_block_extent(v, b->stored);
    uint8_t *t = extent + size - v->block_trailer;

    memset(extent, 0, size);
    if (b->stored)
        memcpy(extent, stored, b->stored);
    put_le16(t + OFF_BT_CB, b->stored);
    put_le16(t + OFF_BT_SIG, ost_sig(b->offset, b->bid));
    put_le32(t + v->block_crc, ost_crc(extent, b->stored));
    forge_id(v, t + v->block_bid, b->bid);
    if (v->deflates) {
        put_le16(t + OFF_K_BT_CONST, BT_CONST_K);
        put_le16(t + OFF_K_BT_INFLATED, b->inflated);
    }
    return size;
}

size_t forge_xblock(const struct ost_variant *v, uint8_t *out, unsigned level, uint32_t total,
                    const uint64_t *bids, unsigned count)
{
    out[OFF_X_TYPE] = BTYPE_DATA;
    out[OFF_X_LEVEL] = (uint8_t)level;
    put_le16(out + OFF_X_COUNT, (uint16_t)count);
    put_le32(out + OFF_X_TOTAL, total);
    for (unsigned i = 0; i < count; i++)
        forge_id(v, out + OFF_X_BIDS + (size_t)i * v->id_size, bids[i]);
    return OFF_X_BIDS + (size_t)count * v->id_size;
}

static size_t forge_sblock(const struct ost_variant *v, uint8_t *out, unsigned level,
                           unsigned count, size_t entry)
{
    memset(out, 0, v->sub_header + count * entry);
    out[OFF_S_TYPE] = BTYPE_SUBNODE;
    out[OFF_S_LEVEL] = (uint8_t)level;
    put_le16(out + OFF_S_COUNT, (uint16_t)count);
    return v->sub_header + count * entry;
}

size_t forge_slblock(const struct ost_variant *v, uint8_t *out, unsigned count)
{
    return forge_sblock(v, out, 0, count, v->sl_size);
}

void forge_sl_entry(const struct ost_variant *v, uint8_t *out, unsigned i, uint64_t nid,
                    uint64_t data, uint64_t sub)
{
    uint8_t *e = out + v->sub_header + (size_t)i * v->sl_size;

    forge_id(v, e, nid);
    forge_id(v, e + v->id_size, data);
    forge_id(v, e + 2 * v->id_size, sub);
}

size_t forge_siblock(const struct ost_variant *v, uint8_t *out, unsigned count)
{
    return forge_sblock(v, out, 1, count, v->si_size);
}

void forge_si_entry(const struct ost_variant *v, uint8_t *out, unsigned i, uint64_t nid,
                    uint64_t bid)
{
    uint8_t *e = out + v->sub_header + (size_t)i * v->si_size;

    forge_id(v, e, nid);
    forge_id(v, e + v->id_size, bid);
}

void forge_image_init(struct forge_image *f, const struct ost_variant *v)
{
    *f = (struct forge_image){.variant = v, .next_bid = 0x100};
    f->capacity = 4 << 20;
    f->data = mem_zalloc(f->capacity);
    f->pages = mem_alloc_array(f->capacity / v->page_size, sizeof *f->pages);
    assert_non_null(f->data);
    assert_non_null(f->pages);
    f->size = v->amap_first + v->page_size;
}

void forge_image_done(struct forge_image *f)
{
    mem_free(f->data);
    mem_free(f->pages);
}

uint8_t *forge_page_at(struct forge_image *f, uint64_t offset)
{
    assert_true(range_fits(offset, f->variant->page_size, f->size));
    return f->data + offset;
}

struct ost_bref forge_add_page(struct forge_image *f, const uint8_t *page, enum ost_tree tree,
                               unsigned skip)
{
    uint32_t size = f->variant->page_size;
    struct ost_bref ref = {.bid = f->next_bid++, .offset = f->size + (uint64_t)skip * size};

    assert_true(ref.offset + size <= f->capacity);
    f->size = ref.offset + size;
    memcpy(f->data + ref.offset, page, size);
    forge_seal(f->variant, f->data + ref.offset, ost_tree_ptype(tree), ref.bid, ref.offset);
    f->pages[f->page_count++] = ref;
    return ref;
}

static uint64_t first_key(unsigned index)
{
    return 4 * (index + (uint64_t)1);
}

static struct ost_bref add_leaf(struct forge_image *f, enum ost_tree tree, unsigned first,
                                unsigned count)
{
    uint8_t page[OST_PAGE_MAX];

    memset(page, 0xEE, sizeof page); /* stale bytes after the entries */
    memset(page + f->variant->counters, 0, f->variant->page_size - f->variant->counters);
    forge_counters(f->variant, page, tree, 0, count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t key = first_key(first + i);
        struct ost_block block = {key, key * 1024, 100, 100, 2, 0};
        struct ost_node node = {
            .nid = (uint32_t)key, .data = key * 2, .sub = key * 2 + 2, .parent = (uint32_t)key / 2};

        if (tree == OST_TREE_BBT)
            forge_block_entry(f->variant, page, i, &block);
        else
            forge_node_entry(f->variant, page, i, &node);
    }
    return forge_add_page(f, page, tree, first % 3);
}

/* Pages of one level from those below: `span` entries of the tree lie below each child. */
static unsigned add_branches(struct forge_image *f, enum ost_tree tree, unsigned level,
                             struct ost_bref *refs, unsigned count, unsigned span, unsigned fill)
{
    unsigned made = 0;

    for (unsigned i = 0; i < count; i += fill) {
        uint8_t page[OST_PAGE_MAX] = {0};
        unsigned n = count - i < fill ? count - i : fill;

        forge_counters(f->variant, page, tree, level, n);
        for (unsigned k = 0; k < n; k++)
            forge_branch(f->variant, page, k, first_key((i + k) * span), refs[i + k]);
        refs[made++] = forge_add_page(f, page, tree, 0);
    }
    return made;
}

struct ost_bref forge_tree(struct forge_image *f, enum ost_tree tree, unsigned count, unsigned fill)
{
    unsigned leaves = (count + fill - 1) / fill, level = 0, span = fill;
    struct ost_bref *refs = mem_alloc_array(leaves, sizeof *refs), root;

    assert_non_null(refs);
    for (unsigned turn = 0; turn < 2; turn++) /* the odd ones first */
        for (unsigned i = 1 - turn; i < leaves; i += 2)
            refs[i] =
                add_leaf(f, tree, i * fill, count - i * fill < fill ? count - i * fill : fill);
    for (unsigned n = leaves; n > 1; span *= fill)
        n = add_branches(f, tree, ++level, refs, n, span, fill);
    root = refs[0];
    mem_free(refs);
    return root;
}
