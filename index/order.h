/*
 * order.h: the items' lines of one manifest, made by several threads at once and put into one
 * order.
 *
 * The work is cut into slots, numbered from 0 on in the order of the output. To a slot threads add
 * runs, each of entries that ascend by (order, nid). When all runs of a slot are there, it is
 * closed: whoever closes it merges its runs and compresses them; entries and lines are delivered
 * when all slots before it were, by whichever thread comes to it, one at a time.
 *
 * What waits is bounded: a thread that adds to a slot whose turn has not come is held up while
 * more than `wait_bytes` wait. So the first slot that is not closed must be worked on by a thread
 * that can go on.
 *
 * Ownership: lines and findings are copied but for a finding's detail, which is static text.
 * Threads: a run belongs to one; everything else any.
 * Errors: ERR_NOMEM, ERR_CANCELLED (idx_order_stop), what `entry` or the manifest returned; after
 * one all calls return it.
 */
#ifndef INDEX_ORDER_H
#define INDEX_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "index/evidence.h"
#include "index/frames.h"
#include "index/manifest.h"
#include "io/bytes.h"
#include "scanner/finding.h"

struct idx_entry {
    uint64_t order;
    uint32_t nid;
    uint32_t folder;
    uint32_t size;      /* of its line, '\n' included */
    uint32_t note_size; /* of what goes along with it to the sink */
    bool assoc, orphan, partial, failed;
    struct idx_mark mark; /* unless failed */
};

struct idx_order_sink {
    void *ctx;
    /* In order; what was told of the entry before it. */
    int (*finding)(void *ctx, const struct finding *f);
    int (*entry)(void *ctx, const struct idx_entry *e, const void *note);
    struct idx_manifest_writer *manifest; /* gets the lines, as items */
};

struct idx_order;
struct idx_run;

int idx_order_create(const struct idx_order_sink *sink, uint64_t wait_bytes,
                     struct idx_order **out);
void idx_order_destroy(struct idx_order *o); /* NULL is allowed; runs that are left go with it */

/* Begins a run of a slot that is not closed. */
int idx_run_begin(struct idx_order *o, uint64_t slot, struct idx_run **out);
/* A finding about the entry that is added next. */
int idx_run_finding(struct idx_run *r, const struct finding *f);
/* e->size: of `line`, e->note_size: of `note`. */
int idx_run_add(struct idx_run *r, const struct idx_entry *e, const void *line, const void *note);

/* All runs of the slot are there. packer: the thread's own. */
int idx_order_close(struct idx_order *o, uint64_t slot, struct packer *packer);

/* Threads that are held up return, with that code. */
void idx_order_stop(struct idx_order *o, int code);

#endif
