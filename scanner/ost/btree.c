/* btree.c: see btree.h. */
#include "scanner/ost/btree.h"

#include <assert.h>

#include "io/err.h"

struct counters {
    uint32_t count, max;
    uint8_t entry_size, level;
    uint32_t at_max, at_entry_size;
};

static struct counters read_counters(const struct ost_variant *v, const uint8_t *page)
{
    const uint8_t *c = page + v->counters;

    if (v->wide_counters)
        return (struct counters){le16(c), le16(c + 2),     c[4],
                                 c[5],    v->counters + 2, v->counters + 4};
    return (struct counters){c[0], c[1], c[2], c[3], v->counters + 1, v->counters + 2};
}

static void entry_shape(const struct ost_variant *v, enum ost_tree tree, uint8_t level,
                        uint16_t *size, uint16_t *max)
{
    if (level > 0) {
        *size = v->branch_size;
        *max = v->branch_max;
    } else if (tree == OST_TREE_NBT) {
        *size = v->nbt_size;
        *max = v->nbt_max;
    } else {
        *size = v->bbt_size;
        *max = v->bbt_max;
    }
}

int ost_btree_open(const struct ost_variant *v, const uint8_t *page, enum ost_tree tree,
                   struct ost_defects *defects, struct ost_btree *out)
{
    struct counters c = read_counters(v, page);
    uint16_t size, max;

    entry_shape(v, tree, c.level, &size, &max);
    ost_defects_compare(defects, OST_BTREE_MAX, c.at_max, max, c.max);
    ost_defects_compare(defects, OST_BTREE_ENTRY_SIZE, c.at_entry_size, size, c.entry_size);
    if (c.count > max)
        ost_defects_add(defects, OST_BTREE_COUNT, v->counters, max, c.count);
    if (c.count > max || c.entry_size != size)
        return ERR_DAMAGED;
    assert((uint32_t)size * max <= v->counters);
    *out = (struct ost_btree){
        .variant = v,
        .entries = page,
        .tree = tree,
        .count = (uint16_t)c.count,
        .entry_size = size,
        .level = c.level,
    };
    return 0;
}

static const uint8_t *entry_at(const struct ost_btree *b, unsigned i)
{
    assert(i < b->count);
    return b->entries + (size_t)i * b->entry_size;
}

uint64_t ost_btree_key(const struct ost_btree *b, unsigned i)
{
    uint64_t key = ost_id(b->variant, entry_at(b, i));

    return b->tree == OST_TREE_BBT ? ost_bid(key) : (uint32_t)key;
}

/* Whether ost_btree_check_keys would find nothing. */
static bool are_keys_sound(const struct ost_btree *b, struct ost_btree_range range)
{
    const uint8_t *e = b->entries;
    bool wide = b->variant->id_size == 8, bids = b->tree == OST_TREE_BBT;
    uint64_t before = range.first;

    if (b->count == 0 || (range.exact && ost_btree_key(b, 0) != range.first))
        return false;
    for (unsigned i = 0; i < b->count; i++, e += b->entry_size) {
        uint64_t id = wide ? le64(e) : le32(e), key = bids ? ost_bid(id) : (uint32_t)id;

        if (key < before + (i > 0) || key > range.last || (!bids && id > UINT32_MAX))
            return false;
        before = key;
    }
    return true;
}

struct ost_bref ost_btree_child(const struct ost_btree *b, unsigned i)
{
    const uint8_t *e = entry_at(b, i);
    size_t w = b->variant->id_size;

    assert(b->level > 0);
    return (struct ost_bref){.bid = ost_id(b->variant, e + w),
                             .offset = ost_id(b->variant, e + 2 * w)};
}

static inline struct ost_block block_at(const struct ost_variant *v, const uint8_t *e)
{
    struct ost_block block = {.bid = ost_bid(ost_id(v, e))};

    switch (v->format) {
    case OST_FORMAT_ANSI:
        block.offset = le32(e + OFF_A_BBT_IB);
        block.stored = block.inflated = le16(e + OFF_A_BBT_CB);
        block.refs = le16(e + OFF_A_BBT_REF);
        break;
    case OST_FORMAT_UNICODE4K:
        block.offset = le64(e + OFF_U_BBT_IB);
        block.stored = le16(e + OFF_U_BBT_CB);
        block.inflated = le16(e + OFF_K_BBT_INFLATED);
        block.refs = le16(e + OFF_K_BBT_REF);
        break;
    default:
        block.offset = le64(e + OFF_U_BBT_IB);
        block.stored = block.inflated = le16(e + OFF_U_BBT_CB);
        block.refs = le16(e + OFF_U_BBT_REF);
        break;
    }
    return block;
}

struct ost_block ost_btree_block(const struct ost_btree *b, unsigned i)
{
    assert(b->level == 0 && b->tree == OST_TREE_BBT);
    return block_at(b->variant, entry_at(b, i));
}

void ost_btree_blocks(const struct ost_btree *b, uint16_t flags, struct ost_block *out)
{
    const uint8_t *e = b->entries;

    assert(b->level == 0 && b->tree == OST_TREE_BBT);
    for (unsigned i = 0; i < b->count; i++, e += b->entry_size) {
        out[i] = block_at(b->variant, e);
        out[i].flags = flags;
    }
}

static inline struct ost_node node_at(const struct ost_variant *v, const uint8_t *e)
{
    bool ansi = v->format == OST_FORMAT_ANSI;

    return (struct ost_node){
        .nid = le32(e),
        .data = ost_bid(ost_id(v, e + (ansi ? OFF_A_NBT_DATA : OFF_U_NBT_DATA))),
        .sub = ost_bid(ost_id(v, e + (ansi ? OFF_A_NBT_SUB : OFF_U_NBT_SUB))),
        .parent = le32(e + (ansi ? OFF_A_NBT_PARENT : OFF_U_NBT_PARENT)),
    };
}

struct ost_node ost_btree_node(const struct ost_btree *b, unsigned i)
{
    assert(b->level == 0 && b->tree == OST_TREE_NBT);
    return node_at(b->variant, entry_at(b, i));
}

void ost_btree_nodes(const struct ost_btree *b, uint32_t flags, struct ost_node *out)
{
    const uint8_t *e = b->entries;

    assert(b->level == 0 && b->tree == OST_TREE_NBT);
    for (unsigned i = 0; i < b->count; i++, e += b->entry_size) {
        out[i] = node_at(b->variant, e);
        out[i].flags = flags;
    }
}

static uint32_t entry_offset(const struct ost_btree *b, unsigned i)
{
    return (uint32_t)i * b->entry_size;
}

static void check_key(const struct ost_btree *b, unsigned i, struct ost_btree_range range,
                      struct ost_defects *defects)
{
    uint64_t key = ost_btree_key(b, i);

    if (key < range.first || key > range.last)
        ost_defects_add(defects, OST_BTREE_KEY_RANGE, entry_offset(b, i),
                        key < range.first ? range.first : range.last, key);
    if (i > 0 && key <= ost_btree_key(b, i - 1))
        ost_defects_add(defects, OST_BTREE_KEY_ORDER, entry_offset(b, i), ost_btree_key(b, i - 1),
                        key);
    if (b->tree == OST_TREE_NBT && ost_id(b->variant, entry_at(b, i)) > UINT32_MAX)
        ost_defects_add(defects, OST_BTREE_NID_HIGH, entry_offset(b, i) + 4, 0,
                        ost_id(b->variant, entry_at(b, i)) >> 32);
}

void ost_btree_check_keys(const struct ost_btree *b, struct ost_btree_range range,
                          struct ost_defects *defects)
{
    if (b->count == 0) {
        if (range.exact || range.first > 0)
            ost_defects_add(defects, OST_BTREE_EMPTY, b->variant->counters, 1, 0);
        return;
    }
    if (are_keys_sound(b, range))
        return;
    if (range.exact)
        ost_defects_compare(defects, OST_BTREE_KEY_FIRST, 0, range.first, ost_btree_key(b, 0));
    for (unsigned i = 0; i < b->count; i++)
        check_key(b, i, range, defects);
}
