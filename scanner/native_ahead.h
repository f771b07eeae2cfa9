/*
 * native_ahead.h: blocks of folders and their tables, read together before each is asked for, and
 * kept for the sweep.
 *
 * What will be asked for is told in the order in which it will be, as far as that is known. The
 * first of these blocks that is asked for and is not there brings along those told after it, as
 * many as there is room for, many reads in flight (native_fetch.h). Each comes so once at most, and
 * all of them no more bytes than the file has: what was thrown out for others before it was asked
 * for is read by who asks.
 *
 * Memory: `memory_bytes` and some 20 bytes a block told, of 2^17 at most. Threads: one, while
 * blocks are asked for; what is kept may be looked at by many.
 */
#ifndef SCANNER_NATIVE_AHEAD_H
#define SCANNER_NATIVE_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "io/source.h"
#include "scanner/check/tap.h"
#include "scanner/ost/plan.h"
#include "scanner/ost/sourceblocks.h"

struct native_ahead;

/* Folders' blocks are told once, those of a table until it is read. */
enum native_ahead_of { NATIVE_AHEAD_FOLDERS, NATIVE_AHEAD_TABLE, NATIVE_AHEAD_LISTS };

/* Plan and source outlive it. ERR_NOMEM. */
int native_ahead_create(const struct ost_plan *plan, struct io_source *source, size_t memory_bytes,
                        struct native_ahead **out);
void native_ahead_destroy(struct native_ahead *a); /* NULL is allowed, here and in expect */

/* An entry of the plan, or NULL: none. */
void native_ahead_expect(struct native_ahead *a, enum native_ahead_of list,
                         const struct ost_block *block);
/* No more of that list will be asked for. */
void native_ahead_forget(struct native_ahead *a, enum native_ahead_of list);

/* Its place gives blocks where they lie, until the next one is asked for; nothing was compared. */
const struct ost_at_hand *native_ahead_view(struct native_ahead *a);

/* Nothing will be asked for any more: what is there, as tap.h's `had` wants it, as long as this
 * lives. */
void native_ahead_keep(struct native_ahead *a);
const struct chk_had *native_ahead_kept(const struct native_ahead *a, size_t *count);

#endif
