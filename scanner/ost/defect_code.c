/* defect_code.c: see defect_code.h. */
#include "scanner/ost/defect_code.h"

#include <assert.h>

static const enum finding_code codes[OST_DEFECT_KINDS] = {
    [OST_PAGE_TYPE] = F_page_type,
    [OST_PAGE_TYPE_REPEAT] = F_page_type,
    [OST_PAGE_SIG] = F_page_signature,
    [OST_PAGE_BID] = F_page_bid,
    [OST_PAGE_CRC] = F_page_crc,
    [OST_PAGE_CONSTANT] = F_page_constant,
    [OST_BTREE_COUNT] = F_btree_count,
    [OST_BTREE_MAX] = F_btree_count,
    [OST_BTREE_ENTRY_SIZE] = F_btree_count,
    [OST_BTREE_LEVEL] = F_btree_level,
    [OST_BTREE_EMPTY] = F_btree_empty,
    [OST_BTREE_KEY_ORDER] = F_btree_key_order,
    [OST_BTREE_KEY_RANGE] = F_btree_key_range,
    [OST_BTREE_KEY_FIRST] = F_btree_key_first,
    [OST_BTREE_NID_HIGH] = F_btree_nid_high,
    [OST_PAGE_OUTSIDE] = F_btree_page_outside,
    [OST_PAGE_UNALIGNED] = F_btree_page_unaligned,
    [OST_PAGE_TWICE] = F_btree_page_twice,
    [OST_PAGE_TOO_MANY] = F_btree_page_lost,
    [OST_PAGE_UNREADABLE] = F_read_failed,
    [OST_BLOCK_SIZE] = F_block_size,
    [OST_BLOCK_SIG] = F_block_signature,
    [OST_BLOCK_BID] = F_block_bid,
    [OST_BLOCK_CRC] = F_block_crc,
    [OST_BLOCK_INFLATED] = F_block_inflated,
    [OST_BLOCK_CONSTANT] = F_block_constant,
    [OST_BLOCK_ZERO] = F_block_constant,
    [OST_TREE_SHORT] = F_xblock_form,
    [OST_TREE_TYPE] = F_xblock_form,
    [OST_TREE_LEVEL] = F_xblock_level,
    [OST_TREE_COUNT] = F_xblock_form,
    [OST_TREE_DANGLING] = F_block_missing,
    [OST_TREE_UNREADABLE] = F_block_lost,
    [OST_TREE_CHILD_KIND] = F_xblock_child,
    [OST_TREE_LEAF_SIZE] = F_xblock_leaf_size,
    [OST_TREE_TOTAL] = F_xblock_total,
    [OST_SUBNODE_ORDER] = F_subnode_order,
    [OST_SUBNODE_RANGE] = F_subnode_range,
};

enum finding_code ost_defect_code(enum ost_defect_kind kind, bool subnodes)
{
    assert(kind < OST_DEFECT_KINDS);
    switch (kind) {
    case OST_TREE_SHORT:
    case OST_TREE_TYPE:
    case OST_TREE_LEVEL:
    case OST_TREE_COUNT:
        return subnodes ? F_subnode_form : codes[kind];
    case OST_TREE_CHILD_KIND:
        return subnodes ? F_subnode_child : codes[kind];
    default:
        return codes[kind];
    }
}
