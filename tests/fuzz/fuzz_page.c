/*
 * fuzz_page.c: pages and B-tree pages.
 *
 * Input: a byte that chooses variant and tree, then the page. What is missing of it is zero.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "io/mem.h"
#include "scanner/ost/btree.h"
#include "scanner/ost/page.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/forge.h"

static void read_entries(const struct ost_btree *b)
{
    for (unsigned i = 0; i < b->count; i++) {
        fuzz_use(ost_btree_key(b, i));
        if (b->level > 0)
            fuzz_use(ost_btree_child(b, i).offset);
        else if (b->tree == OST_TREE_BBT)
            fuzz_use(ost_btree_block(b, i).offset);
        else
            fuzz_use(ost_btree_node(b, i).sub);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ost_variant *v;
    enum ost_tree tree;
    struct ost_defects defects = {0};
    struct ost_btree b;
    uint8_t *page;

    if (size == 0)
        return 0;
    v = ost_variant_of(forge_formats[data[0] % 3]);
    tree = data[0] & 4 ? OST_TREE_BBT : OST_TREE_NBT;
    page = mem_zalloc(v->page_size); /* exactly, so that a byte too far is seen */
    memcpy(page, data + 1, size - 1 < v->page_size ? size - 1 : v->page_size);
    ost_page_check(v, page, ost_tree_ptype(tree), 4, 4096, &defects);
    fuzz_use(ost_page_trust(&defects));
    if (ost_btree_open(v, page, tree, &defects, &b) == 0) {
        ost_btree_check_keys(&b, (struct ost_btree_range){4, 4000, true}, &defects);
        read_entries(&b);
    }
    mem_free(page);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    const struct ost_variant *v = ost_variant_of(forge_formats[seed % 3]);
    enum ost_tree tree = seed & 8 ? OST_TREE_BBT : OST_TREE_NBT;

    if (seed % 16 || max <= v->page_size)
        return LLVMFuzzerMutate(data, size, max);
    memset(data, 0, v->page_size + 1u);
    data[0] = tree == OST_TREE_NBT ? (uint8_t)(seed % 3) : (uint8_t)(4 + (seed + 2) % 3);
    forge_counters(v, data + 1, tree, seed / 32 % 3, seed / 128 % 20);
    forge_seal(v, data + 1, ost_tree_ptype(tree), 4, 4096);
    return v->page_size + 1u;
}
