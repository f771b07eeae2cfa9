/* defect.c: see defect.h. */
#include "scanner/ost/defect.h"

#include <assert.h>

static const char *const names[OST_DEFECT_KINDS] = {
    [OST_PAGE_TYPE] = "page_type",
    [OST_PAGE_TYPE_REPEAT] = "page_type_repeat",
    [OST_PAGE_SIG] = "page_sig",
    [OST_PAGE_BID] = "page_bid",
    [OST_PAGE_CRC] = "page_crc",
    [OST_PAGE_CONSTANT] = "page_constant",
    [OST_BTREE_COUNT] = "btree_count",
    [OST_BTREE_MAX] = "btree_max",
    [OST_BTREE_ENTRY_SIZE] = "btree_entry_size",
    [OST_BTREE_LEVEL] = "btree_level",
    [OST_BTREE_EMPTY] = "btree_empty",
    [OST_BTREE_KEY_ORDER] = "btree_key_order",
    [OST_BTREE_KEY_RANGE] = "btree_key_range",
    [OST_BTREE_KEY_FIRST] = "btree_key_first",
    [OST_BTREE_NID_HIGH] = "btree_nid_high",
    [OST_PAGE_OUTSIDE] = "page_outside",
    [OST_PAGE_UNALIGNED] = "page_unaligned",
    [OST_PAGE_TWICE] = "page_twice",
    [OST_PAGE_TOO_MANY] = "page_too_many",
    [OST_PAGE_UNREADABLE] = "page_unreadable",
    [OST_BLOCK_SIZE] = "block_size",
    [OST_BLOCK_SIG] = "block_sig",
    [OST_BLOCK_BID] = "block_bid",
    [OST_BLOCK_CRC] = "block_crc",
    [OST_BLOCK_INFLATED] = "block_inflated",
    [OST_BLOCK_CONSTANT] = "block_constant",
    [OST_BLOCK_ZERO] = "block_zero",
    [OST_TREE_SHORT] = "tree_short",
    [OST_TREE_TYPE] = "tree_type",
    [OST_TREE_LEVEL] = "tree_level",
    [OST_TREE_COUNT] = "tree_count",
    [OST_TREE_DANGLING] = "tree_dangling",
    [OST_TREE_UNREADABLE] = "tree_unreadable",
    [OST_TREE_CHILD_KIND] = "tree_child_kind",
    [OST_TREE_LEAF_SIZE] = "tree_leaf_size",
    [OST_TREE_TOTAL] = "tree_total",
    [OST_SUBNODE_ORDER] = "subnode_order",
    [OST_SUBNODE_RANGE] = "subnode_range",
};

const char *ost_defect_name(enum ost_defect_kind kind)
{
    assert(kind < OST_DEFECT_KINDS);
    return names[kind];
}

void ost_defects_add(struct ost_defects *d, enum ost_defect_kind kind, uint32_t at,
                     uint64_t expected, uint64_t actual)
{
    if (ost_defects_has(d, kind))
        return;
    assert(d->count < OST_DEFECTS_MAX);
    d->list[d->count++] = (struct ost_defect){kind, at, expected, actual, d->bid};
}

bool ost_defects_has(const struct ost_defects *d, enum ost_defect_kind kind)
{
    for (unsigned i = 0; i < d->count; i++)
        if (d->list[i].kind == kind)
            return true;
    return false;
}

void ost_defects_compare(struct ost_defects *d, enum ost_defect_kind kind, uint32_t at,
                         uint64_t expected, uint64_t actual)
{
    if (expected != actual)
        ost_defects_add(d, kind, at, expected, actual);
}
