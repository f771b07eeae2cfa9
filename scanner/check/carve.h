/*
 * carve.h: leaf pages of damaged B-trees found again in the image, and their entries put back into
 * the plan.
 *
 * What was in the plan stays as it is: entries are only added for keys that a lost page may have
 * held. They carry CHK_ENTRY_CARVED, and CHK_ENTRY_FREE beside it when the page they come from is
 * not known to be allocated: such a page is a former version most of the time, and so may be what
 * it says. A caller believes an added entry of a block when the block is there (block.h), and one
 * of a node by chk_carve_judge.
 *
 * Memory: 48 bytes a leaf page found, 48 an entry while they are sorted, the allocation maps.
 * Threads: one.
 */
#ifndef SCANNER_CHECK_CARVE_H
#define SCANNER_CHECK_CARVE_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/check/budget.h"
#include "scanner/check/state.h"
#include "scanner/ost/amap.h"

/* In the flags of blocks and nodes. */
enum { CHK_ENTRY_CARVED = 0x100, CHK_ENTRY_FREE = 0x200, CHK_ENTRY_STALE = 0x400 };

struct chk_carve {
    uint64_t pages;         /* leaf pages whose entries were put back */
    uint64_t blocks, nodes; /* entries put back */
    struct ost_allocmap map;
    bool has_map;
};

/* Whether pages were lost, so that carving makes sense. */
bool chk_carve_wanted(const struct chk_taint *t);

/*
 * Reads the whole image once (source 0 of the job), and changes the plan of the state: its arrays
 * are replaced. 0, or a code that leaves the plan as it is: ERR_LIMIT, ERR_NOMEM, ERR_CANCELLED, a
 * code of the source that is about more than one range.
 */
int chk_carve(struct chk_state *s, struct chk_carve *out);
void chk_carve_done(struct chk_carve *c, struct chk_budget *budget); /* all zero is allowed */

/*
 * When all blocks have passed and their references were counted: whether a carved node is as it was
 * at last. Each block that it names must be there under its bid, and not wait for deletion. One
 * from a page that is not allocated must besides own its data alone, by an entry that is no former
 * one itself, and without another who accounts for that reference; and all of its blocks must lie
 * in allocated space: a deleted node may name blocks that others share, and a former version of a
 * node blocks that were replaced. Others are given CHK_ENTRY_STALE.
 */
bool chk_carve_judge(struct chk_state *s, const struct chk_carve *c, size_t node);

#endif
