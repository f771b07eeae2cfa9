/*
 * fuzz_plan.c: the node database of a whole image in memory: both trees, every block that lies in
 * the image checked and decoded, the data tree and the subnode tree of every node walked.
 *
 * Input: variant and crypt, page numbers of the roots (u8 each), then the image. Roots have bids
 * ROOT_BID. Larger inputs (-max_len=65536) reach deeper, and 4k pages.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/source.h"
#include "scanner/ost/block.h"
#include "scanner/ost/datatree.h"
#include "scanner/ost/plan.h"
#include "scanner/ost/subnode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/forge.h"

enum { HEAD = 3, ROOT_BID = 0x100, STEPS_MAX = 500 };

struct image {
    const struct ost_variant *v;
    struct bytes bytes;
    struct ost_plan plan;
    struct ost_decoder *decoder;
};

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    return ost_plan_block(&((struct image *)ctx)->plan, bid);
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct image *m = ctx;
    struct ost_defects defects = {0};
    struct bytes extent;
    uint8_t *out;
    int rc;

    if (!bytes_slice(m->bytes, block->offset, ost_block_extent(m->v, block->stored), &extent))
        return ERR_DAMAGED;
    ost_block_check(m->v, block, extent.data, &defects);
    out = mem_alloc(block->inflated + 1u);
    rc = ost_block_decode(m->decoder, block, extent.data, out, NULL);
    if (rc)
        mem_free(out);
    else
        *decoded = (struct bytes){out, block->inflated};
    return rc;
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    (void)ctx;
    (void)block;
    mem_free((void *)(uintptr_t)decoded.data);
}

static void walk_value(struct image *m, const struct ost_blocks *blocks, uint64_t root)
{
    struct ost_datatree t;
    struct ost_leaf leaf;
    struct bytes decoded;

    ost_datatree_init(&t, m->v, blocks, root);
    for (unsigned i = 0; i < STEPS_MAX && ost_datatree_next(&t, &leaf) > 0; i++)
        if (leaf.block && get(m, leaf.block, &decoded) == 0)
            put(m, leaf.block, decoded);
    ost_datatree_done(&t);
}

static void walk_node(struct image *m, const struct ost_node *n)
{
    static struct ost_subnode_walk walk;
    struct ost_blocks blocks = {.ctx = m, .find = find, .get = get, .put = put};
    struct ost_subnode s;
    unsigned depth;

    walk_value(m, &blocks, n->data);
    if (ost_subnode_walk_init(&walk, m->v, &blocks, n->sub) == 0)
        for (unsigned i = 0; i < STEPS_MAX && ost_subnode_walk_next(&walk, &s, &depth) > 0; i++)
            fuzz_use((uint64_t)ost_subnode_walk_enter(&walk));
    ost_subnode_walk_done(&walk);
}

static void walk_image(struct image *m, uint8_t crypt)
{
    for (size_t i = 1; i < m->plan.block_count; i++)
        assert(m->plan.blocks[i - 1].bid < m->plan.blocks[i].bid);
    for (size_t i = 1; i < m->plan.node_count; i++)
        assert(m->plan.nodes[i - 1].nid < m->plan.nodes[i].nid);
    if (ost_decoder_create(m->v, crypt, &m->decoder))
        return;
    for (size_t i = 0; i < m->plan.node_count && i < STEPS_MAX; i++)
        walk_node(m, &m->plan.nodes[i]);
    ost_decoder_destroy(m->decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image m = {0};
    struct ost_plan_options options = {.memory_bytes = 64 << 20};
    struct io_source *source;

    if (size < HEAD)
        return 0;
    m.v = options.variant = ost_variant_of(forge_formats[data[0] % 3]);
    m.bytes = (struct bytes){data + HEAD, size - HEAD};
    options.nbt = (struct ost_bref){ROOT_BID, (uint64_t)data[1] * m.v->page_size};
    options.bbt = (struct ost_bref){ROOT_BID, (uint64_t)data[2] * m.v->page_size};
    if (io_source_open_mem(m.bytes.data, m.bytes.size, &source))
        return 0;
    if (ost_plan_load(source, &options, &m.plan) == 0) {
        walk_image(&m, data[0] / 3 % 3);
        ost_plan_done(&m.plan);
    }
    io_source_close(source);
    return 0;
}

/*
 * A page each for the roots, then a leaf for the second level of the block B-tree, and blocks: a
 * data block and an XBLOCK of it, an SLBLOCK.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    const struct ost_variant *v = ost_variant_of(forge_formats[seed % 3]);
    uint32_t page = v->page_size, blocks = 3 * page;
    uint8_t *image = data + HEAD, *leaf = image + 2 * (size_t)page, small[64] = {0};
    struct ost_node node = {.nid = 0x21, .data = 10, .sub = 14};
    struct ost_block b = {.bid = 4, .offset = blocks, .stored = 20, .inflated = 20, .refs = 2};
    const uint64_t child = 4;
    size_t need = HEAD + blocks + 3 * (size_t)v->unit;

    if (seed % 16 || max < need)
        return LLVMFuzzerMutate(data, size, max);
    memset(data, 0, need);
    data[0] = (uint8_t)(seed % 3);
    data[2] = 1;
    forge_counters(v, image, OST_TREE_NBT, 0, 1);
    forge_node_entry(v, image, 0, &node);
    forge_seal(v, image, PTYPE_NBT, ROOT_BID, 0);
    forge_counters(v, image + page, OST_TREE_BBT, 1, 1);
    forge_branch(v, image + page, 0, 4, (struct ost_bref){ROOT_BID + 1, 2 * (uint64_t)page});
    forge_seal(v, image + page, PTYPE_BBT, ROOT_BID, page);

    forge_counters(v, leaf, OST_TREE_BBT, 0, 3);
    forge_block_entry(v, leaf, 0, &b);
    forge_block(v, image + b.offset, &b, small);
    b.bid = 10;
    b.offset += v->unit;
    b.stored = b.inflated = (uint16_t)forge_xblock(v, small, 1, 20, &child, 1);
    forge_block_entry(v, leaf, 1, &b);
    forge_block(v, image + b.offset, &b, small);
    b.bid = 14;
    b.offset += v->unit;
    b.stored = b.inflated = (uint16_t)forge_slblock(v, small, 1);
    forge_sl_entry(v, small, 0, 0x3F, 4, 0);
    forge_block_entry(v, leaf, 2, &b);
    forge_block(v, image + b.offset, &b, small);
    forge_seal(v, leaf, PTYPE_BBT, ROOT_BID + 1, 2 * (uint64_t)page);
    return need;
}
