#include "tests/gen/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/offsets.h"

/*
 *   one leaf        bidData -> leaf
 *   more            bidData -> XBLOCK -> leaves
 *   more than fit   bidData -> XXBLOCK -> XBLOCKs -> leaves
 *
 * A block's buffer here is the largest internal block of any format.
 */

enum { BLOCK_BYTES = 65536 };

void data_tree_init(struct data_tree *t, struct image *img)
{
    *t = (struct data_tree){.img = img};
}

void data_tree_done(struct data_tree *t)
{
    mem_free(t->leaves);
    *t = (struct data_tree){0};
}

void data_tree_reset(struct data_tree *t)
{
    t->count = 0;
    t->total = 0;
}

void data_tree_add(struct data_tree *t, uint64_t bid, size_t size)
{
    uint64_t *grown = image_grow(t->img, t->leaves, &t->capacity, t->count + 1, sizeof *t->leaves);
    if (grown == NULL)
        return;
    t->leaves = grown;
    t->leaves[t->count++] = bid;
    t->total += size;
}

static void put_ref(const struct variant *v, uint8_t *p, uint64_t value)
{
    if (v->wide)
        put_le64(p, value);
    else
        put_le32(p, (uint32_t)value);
}

static uint32_t children_max(const struct image *img)
{
    uint32_t fit = (img->variant->block_max - OFF_X_BIDS) / img->variant->ref_size;
    uint32_t wanted = img->options.xblock_children_max;
    return wanted != 0 && wanted < fit ? wanted : fit;
}

static uint64_t write_xblock(struct image *img, uint8_t level, const uint64_t *children,
                             size_t count, uint64_t total)
{
    uint8_t *block = mem_alloc(BLOCK_BYTES);
    uint64_t bid = image_bid(img, true);
    if (block == NULL || bid == 0) {
        image_fail(img, ERR_NOMEM);
        mem_free(block);
        return 0;
    }
    uint32_t width = img->variant->ref_size;
    block[OFF_X_TYPE] = BTYPE_DATA;
    block[OFF_X_LEVEL] = level;
    put_le16(block + OFF_X_COUNT, (uint16_t)count);
    put_le32(block + OFF_X_TOTAL, (uint32_t)total);
    for (size_t i = 0; i < count; i++) {
        put_ref(img->variant, block + OFF_X_BIDS + i * width, children[i]);
        image_ref(img, children[i]);
    }
    image_put(img, bid, level == 1 ? BLOCK_XBLOCK : BLOCK_XXBLOCK, block,
              OFF_X_BIDS + count * width);
    mem_free(block);
    return bid;
}

uint64_t data_tree_finish(struct data_tree *t)
{
    size_t fit = children_max(t->img);
    if (t->count < 2)
        return t->count == 0 ? 0 : t->leaves[0];
    if (t->count <= fit)
        return write_xblock(t->img, 1, t->leaves, t->count, t->total);
    uint64_t full = (uint64_t)fit * t->img->variant->block_max;
    size_t uppers = 0;
    for (size_t i = 0; i < t->count; i += fit) {
        size_t n = t->count - i < fit ? t->count - i : fit;
        uint64_t bytes = i + n < t->count ? full : t->total - full * uppers;
        t->leaves[uppers++] = write_xblock(t->img, 1, t->leaves + i, n, bytes);
    }
    if (uppers > fit) {
        image_fail(t->img, ERR_LIMIT);
        return 0;
    }
    return write_xblock(t->img, 2, t->leaves, uppers, t->total);
}

uint64_t data_write(struct image *img, const void *data, size_t size)
{
    uint32_t max = img->variant->block_max;
    if (size <= max)
        return size == 0 ? 0 : image_put_data(img, data, size);
    struct data_tree t;
    data_tree_init(&t, img);
    for (size_t at = 0; at < size; at += max) {
        size_t n = size - at < max ? size - at : max;
        data_tree_add(&t, image_put_data(img, (const uint8_t *)data + at, n), n);
    }
    uint64_t root = data_tree_finish(&t);
    data_tree_done(&t);
    return root;
}

void subnodes_done(struct subnodes *s)
{
    mem_free(s->list);
    *s = (struct subnodes){0};
}

void subnodes_add(struct image *img, struct subnodes *s, uint32_t nid, uint64_t data, uint64_t sub)
{
    struct subnode *grown = image_grow(img, s->list, &s->capacity, s->count + 1, sizeof *s->list);
    if (grown == NULL)
        return;
    s->list = grown;
    s->list[s->count++] = (struct subnode){.nid = nid, .data = data, .sub = sub};
}

static int by_nid(const void *a, const void *b)
{
    const struct subnode *x = a, *y = b;
    return x->nid < y->nid ? -1 : x->nid > y->nid;
}

struct subnode_block {
    uint8_t *bytes;
    uint32_t head, width;
};

static void block_head(const struct image *img, struct subnode_block *b, uint8_t level,
                       size_t count)
{
    b->head = img->variant->wide ? OFF_U_S_ENTRIES : OFF_A_S_ENTRIES;
    b->width = img->variant->ref_size;
    memset(b->bytes, 0, b->head);
    b->bytes[OFF_S_TYPE] = BTYPE_SUBNODE;
    b->bytes[OFF_S_LEVEL] = level;
    put_le16(b->bytes + OFF_S_COUNT, (uint16_t)count);
}

static uint64_t write_slblock(struct image *img, struct subnode_block *b, uint64_t bid,
                              const struct subnode *list, size_t count)
{
    block_head(img, b, 0, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = b->bytes + b->head + i * 3 * b->width;
        put_ref(img->variant, p, list[i].nid);
        put_ref(img->variant, p + b->width, list[i].data);
        put_ref(img->variant, p + 2 * b->width, list[i].sub);
        image_ref(img, list[i].data);
        image_ref(img, list[i].sub);
    }
    image_put(img, bid, BLOCK_SLBLOCK, b->bytes, b->head + count * 3 * b->width);
    return bid;
}

static uint64_t write_siblock(struct image *img, struct subnode_block *b,
                              const struct subnode *list, size_t count, size_t fit)
{
    size_t blocks = (count + fit - 1) / fit;
    uint64_t *bids = mem_alloc_array(blocks, sizeof *bids);
    uint64_t root = image_bid(img, true);
    if (bids == NULL) {
        image_fail(img, ERR_NOMEM);
        return 0;
    }
    for (size_t i = 0; i < blocks; i++) {
        size_t n = i + 1 < blocks ? fit : count - i * fit;
        bids[i] = write_slblock(img, b, image_bid(img, true), list + i * fit, n);
        image_ref(img, bids[i]);
    }
    block_head(img, b, 1, blocks);
    for (size_t i = 0; i < blocks; i++) {
        put_ref(img->variant, b->bytes + b->head + i * 2 * b->width, list[i * fit].nid);
        put_ref(img->variant, b->bytes + b->head + (i * 2 + 1) * b->width, bids[i]);
    }
    image_put(img, root, BLOCK_SIBLOCK, b->bytes, b->head + blocks * 2 * b->width);
    mem_free(bids);
    return root;
}

/* list is sorted and not empty. */
static void make_flaw(struct image *img, struct subnodes *s, enum subnode_flaw flaw, uint64_t self)
{
    struct subnode *last = &s->list[s->count - 1];
    if (flaw == SUBNODE_ORDER && s->count > 1) {
        struct subnode swap = *last;
        *last = s->list[0];
        s->list[0] = swap;
    } else if (flaw == SUBNODE_DANGLING) {
        last->data = (img->block_count + 0x100000) << 2;
    } else if (flaw == SUBNODE_CYCLE) {
        last->sub = self;
    }
}

uint64_t subnodes_write_flawed(struct image *img, struct subnodes *s, enum subnode_flaw flaw)
{
    if (s->count == 0)
        return 0;
    struct subnode_block b = {.bytes = mem_alloc(BLOCK_BYTES)};
    if (b.bytes == NULL) {
        image_fail(img, ERR_NOMEM);
        return 0;
    }
    qsort(s->list, s->count, sizeof *s->list, by_nid);
    uint32_t head = img->variant->wide ? OFF_U_S_ENTRIES : OFF_A_S_ENTRIES;
    size_t fit = (img->variant->block_max - head) / (3 * img->variant->ref_size);
    uint64_t root;
    if (s->count <= fit) {
        root = image_bid(img, true);
        make_flaw(img, s, flaw, root);
        write_slblock(img, &b, root, s->list, s->count);
    } else {
        root = write_siblock(img, &b, s->list, s->count, fit);
    }
    s->count = 0;
    mem_free(b.bytes);
    return root;
}

uint64_t subnodes_write(struct image *img, struct subnodes *s)
{
    return subnodes_write_flawed(img, s, SUBNODE_SOUND);
}
