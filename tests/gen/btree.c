#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/mem.h"
#include "scanner/ost/offsets.h"
#include "tests/gen/image.h"
#include "tests/gen/sum.h"

/*
 * Both trees are written bottom up: leaves from the sorted entries, then level on level of branch
 * pages until one page is left, the root. Pages are filled to between 60 and 100 percent. The page
 * buffer is not cleared between pages: behind the last entry of a page stand entries of the one
 * before, as in files that Outlook wrote.
 */

struct branch {
    uint64_t key, bid, ib;
};

struct page_writer {
    struct image *img;
    uint8_t type, level;
    uint32_t entry_size, entries_max;
    bool stale;
    uint8_t page[4096];
};

static struct page_writer page_writer_of(struct image *img, uint8_t type, uint8_t level)
{
    const struct variant *v = img->variant;
    uint32_t leaf = type == PTYPE_BBT ? v->block_entry : v->node_entry;
    uint32_t size = level > 0 ? v->branch_entry : leaf;
    return (struct page_writer){.img = img,
                                .type = type,
                                .level = level,
                                .entry_size = size,
                                .entries_max = variant_page_entries(v, size)};
}

static void put_ref(const struct variant *v, uint8_t *p, uint64_t value)
{
    if (v->wide)
        put_le64(p, value);
    else
        put_le32(p, (uint32_t)value);
}

static void put_branch(const struct variant *v, uint8_t *p, const struct branch *b)
{
    put_ref(v, p, b->key);
    put_ref(v, p + v->ref_size, b->bid);
    put_ref(v, p + 2 * v->ref_size, b->ib);
}

static void put_node(struct image *img, uint8_t *p, const struct gen_node *n)
{
    if (!img->variant->wide) {
        put_le32(p, n->nid);
        put_le32(p + OFF_A_NBT_DATA, (uint32_t)n->data);
        put_le32(p + OFF_A_NBT_SUB, (uint32_t)n->sub);
        put_le32(p + OFF_A_NBT_PARENT, n->parent);
        return;
    }
    put_le64(p, n->nid);
    put_le64(p + OFF_U_NBT_DATA, n->data);
    put_le64(p + OFF_U_NBT_SUB, n->sub);
    put_le32(p + OFF_U_NBT_PARENT, n->parent);
    put_le32(p + OFF_U_NBT_PARENT + 4, n->parent != 0 ? 2 : (uint32_t)rng_next(&img->rng));
}

static void put_block(struct image *img, uint8_t *p, size_t index)
{
    const struct gen_block *b = &img->blocks[index];
    put_ref(img->variant, p, image_bid_at(img, index));
    if (!img->variant->wide) {
        put_le32(p + OFF_A_BBT_IB, (uint32_t)b->ib);
        put_le16(p + OFF_A_BBT_CB, b->stored);
        put_le16(p + OFF_A_BBT_REF, b->refs);
        return;
    }
    put_le64(p + OFF_U_BBT_IB, b->ib);
    put_le16(p + OFF_U_BBT_CB, b->stored);
    if (img->variant->format == GEN_UNICODE4K) {
        put_le16(p + OFF_K_BBT_INFLATED, b->inflated);
        put_le16(p + OFF_K_BBT_REF, b->refs);
        put_le16(p + OFF_K_BBT_FLAG, 0);
        return;
    }
    put_le16(p + OFF_U_BBT_REF, b->refs);
    put_le32(p + OFF_U_BBT_REF + 2, (uint32_t)rng_next(&img->rng));
}

/* Seals and writes the page; notes it in img->pages. */
static struct branch page_flush(struct page_writer *w, uint32_t entries, uint64_t first_key)
{
    struct image *img = w->img;
    const struct variant *v = img->variant;
    uint8_t *c = w->page + v->page_counters;
    memset(c, 0, v->page_trailer - v->page_counters);
    if (v->format == GEN_UNICODE4K) {
        put_le16(c, (uint16_t)entries);
        put_le16(c + 2, (uint16_t)w->entries_max);
        c[4] = (uint8_t)w->entry_size;
        c[5] = w->level;
    } else {
        c[0] = (uint8_t)entries;
        c[1] = (uint8_t)w->entries_max;
        c[2] = (uint8_t)w->entry_size;
        c[3] = w->level;
    }
    struct branch b = {.key = first_key,
                       .bid = img->page_bid_next++,
                       .ib = image_page_slot(img, w->stale || img->spool_fd >= 0)};
    struct page_end end = {.type = w->type, .signature = sum_signature(b.ib, b.bid), .bid = b.bid};
    page_seal(v, w->page, &end);
    if (image_error(img) == 0)
        space_write(&img->space, b.ib, w->page, v->page_size);
    if (w->stale)
        space_free(&img->space, b.ib, v->page_size);
    void *grown =
        image_grow(img, img->pages, &img->page_capacity, img->page_count + 1, sizeof *img->pages);
    if (grown != NULL) {
        img->pages = grown;
        img->pages[img->page_count++] = (struct gen_page){.ib = b.ib,
                                                          .bid = b.bid,
                                                          .first_key = first_key,
                                                          .type = w->type,
                                                          .level = w->level,
                                                          .entries = (uint16_t)entries,
                                                          .stale = w->stale};
    }
    return b;
}

static uint32_t page_fill(struct page_writer *w)
{
    return rng_between(&w->img->rng, w->entries_max * 6 / 10, w->entries_max);
}

struct level {
    struct branch *list;
    size_t count, capacity;
};

static void level_add(struct image *img, struct level *l, struct branch b)
{
    struct branch *grown = image_grow(img, l->list, &l->capacity, l->count + 1, sizeof *l->list);
    if (grown == NULL)
        return;
    l->list = grown;
    l->list[l->count++] = b;
}

static bool entry_live(const struct image *img, uint8_t type, size_t i)
{
    if (type == PTYPE_NBT)
        return !img->nodes[i].deleted;
    return img->blocks[i].state == BLOCK_LIVE;
}

static struct level write_leaves(struct image *img, uint8_t type)
{
    struct level up = {0};
    struct page_writer w = page_writer_of(img, type, 0);
    size_t end = type == PTYPE_NBT ? img->node_count : img->block_count;
    uint32_t n = 0, fill = page_fill(&w);
    uint64_t first_key = 0;
    for (size_t i = type == PTYPE_NBT ? 0 : 1; i < end; i++) {
        if (!entry_live(img, type, i))
            continue;
        uint8_t *p = w.page + n * w.entry_size;
        if (type == PTYPE_NBT)
            put_node(img, p, &img->nodes[i]);
        else
            put_block(img, p, i);
        if (n++ == 0)
            first_key = type == PTYPE_NBT ? img->nodes[i].nid : image_bid_at(img, i);
        if (n == fill) {
            level_add(img, &up, page_flush(&w, n, first_key));
            n = 0;
            fill = page_fill(&w);
        }
    }
    if (n > 0 || up.count == 0)
        level_add(img, &up, page_flush(&w, n, first_key));
    return up;
}

static struct level write_branches(struct image *img, uint8_t type, uint8_t number,
                                   const struct level *down)
{
    struct level up = {0};
    struct page_writer w = page_writer_of(img, type, number);
    for (size_t i = 0; i < down->count;) {
        size_t n = down->count <= w.entries_max ? down->count : page_fill(&w);
        if (n > down->count - i)
            n = down->count - i;
        for (size_t k = 0; k < n; k++)
            put_branch(img->variant, w.page + k * w.entry_size, &down->list[i + k]);
        level_add(img, &up, page_flush(&w, (uint32_t)n, down->list[i].key));
        i += n;
    }
    return up;
}

void btree_write(struct image *img, uint8_t type, uint64_t root[2])
{
    struct level level = write_leaves(img, type);
    for (uint8_t number = 1; level.count > 1 && image_error(img) == 0; number++) {
        struct level up = write_branches(img, type, number, &level);
        mem_free(level.list);
        level = up;
    }
    if (level.count > 0) {
        root[0] = level.list[0].bid;
        root[1] = level.list[0].ib;
    }
    mem_free(level.list);
}

static int nid_order(const void *a, const void *b)
{
    const struct gen_node *x = a, *y = b;
    return x->nid < y->nid ? -1 : x->nid > y->nid;
}

/* A leaf of the newest nodes at a moment, and a branch page above it. */
static void stale_nodes(struct image *img, struct snapshot at)
{
    struct page_writer w = page_writer_of(img, PTYPE_NBT, 0);
    struct gen_node newest[16];
    size_t n = at.nodes < 12 ? at.nodes : 12;
    if (n == 0)
        return;
    memcpy(newest, img->nodes + at.nodes - n, n * sizeof *newest);
    qsort(newest, n, sizeof *newest, nid_order);
    w.stale = true;
    for (size_t i = 0; i < n; i++)
        put_node(img, w.page + i * w.entry_size, &newest[i]);
    struct branch leaf = page_flush(&w, (uint32_t)n, newest[0].nid);
    struct page_writer up = page_writer_of(img, PTYPE_NBT, 1);
    up.stale = true;
    put_branch(img->variant, up.page, &leaf);
    page_flush(&up, 1, leaf.key);
}

static void stale_blocks(struct image *img, struct snapshot at)
{
    struct page_writer w = page_writer_of(img, PTYPE_BBT, 0);
    uint32_t n = 0;
    uint64_t first = 0;
    w.stale = true;
    for (size_t i = at.blocks > 18 ? at.blocks - 18 : 1; i < at.blocks; i++) {
        if (img->blocks[i].state == BLOCK_UNUSED)
            continue;
        put_block(img, w.page + n * w.entry_size, i);
        if (n++ == 0)
            first = image_bid_at(img, i);
    }
    if (n > 0)
        page_flush(&w, n, first);
}

void btree_write_stale(struct image *img)
{
    for (size_t i = 0; i < img->snapshot_count && image_error(img) == 0; i++) {
        stale_nodes(img, img->snapshots[i]);
        stale_blocks(img, img->snapshots[i]);
    }
}
