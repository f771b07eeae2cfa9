/*
 * taint.h: which keys of the two B-trees are in doubt, and the damaged pages that made them so.
 *
 * Threads: one fills it; a settled one may be read by many.
 */
#ifndef SCANNER_CHECK_TAINT_H
#define SCANNER_CHECK_TAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/check/budget.h"
#include "scanner/check/note.h"
#include "scanner/ost/plan.h"

struct chk_event {
    uint64_t offset, bid; /* of the page, as its parent names it */
    uint64_t first, last; /* keys, both included */
    uint8_t tree;         /* enum ost_tree */
    uint8_t level;
    bool root;
    bool lost;
    bool place; /* its parent names a place that cannot be: notes of it go to the parent */
};

struct chk_doubt {
    uint64_t first, last;
};

struct chk_taint {
    struct chk_budget *budget;
    struct chk_notes *notes;
    const struct ost_variant *variant;
    uint64_t file_size, eof;   /* eof: where the header says that the file ends */
    bool header_sure;          /* what the header says of the roots has a right checksum */
    struct chk_array events;   /* struct chk_event */
    struct chk_array doubt[2]; /* struct chk_doubt; by tree; when settled ascending and apart */
};

/* An event of ost_plan_load (ctx: struct chk_taint): keeps it, and notes what it proves. */
int chk_taint_event(void *ctx, const struct ost_plan_event *e);
/* When the plan is loaded: orders the ranges, and gives notes about places their parents. */
void chk_taint_settle(struct chk_taint *t, const struct ost_plan *plan);
void chk_taint_done(struct chk_taint *t);

/* Whether what the tree says of this key, or that it says nothing, may be the doing of a damaged
 * page. */
bool chk_taint_key(const struct chk_taint *t, enum ost_tree tree, uint64_t key);
static inline bool chk_tainted(const struct chk_taint *t, enum ost_tree tree)
{
    return t->doubt[tree].count > 0;
}
static inline const struct chk_event *chk_taint_get(const struct chk_taint *t, size_t i)
{
    return (const struct chk_event *)t->events.data + i;
}

#endif
