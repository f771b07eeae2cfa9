/*
 * native_lane.h: one thread's part of a native scan: the blocks it has at hand, and the items it
 * reads of them. Internal to native_scan.c.
 *
 * Threads: a lane belongs to one; what lanes share is native_shared, each field with its rule.
 */
#ifndef SCANNER_NATIVE_LANE_H
#define SCANNER_NATIVE_LANE_H

#include <pthread.h>
#include <stdatomic.h>

#include "scanner/check/tap.h"
#include "scanner/native_bind.h"
#include "scanner/native_carry.h"
#include "scanner/native_dues.h"
#include "scanner/native_fetch.h"
#include "scanner/native_run.h"
#include "scanner/native_scan.h"
#include "scanner/native_stream.h"

/* A region of the sweep: a slot of the output. */
struct native_region {
    atomic_bool swept;         /* its blocks have passed; those that may be needed are carried */
    bool begun;                /* the rest: under the lock */
    struct native_dues posted; /* items found to reach here before it was begun */
    struct native_dues late;   /* items to be read when all up to here is swept */
};

struct native_shared {
    const struct native_scan_job *job;
    struct chk_view view;
    struct native_run run; /* what lanes copy: plan, names, rows, folders; read only in the sweep */
    struct ost_blocks blocks; /* while folders are read */
    bool idle;                /* nothing is read of this image */
    uint64_t allowance;
    struct native_carry *carry;
    struct native_bind *bind;       /* NULL: there is no memory for it */
    struct native_streams *streams; /* NULL: there are none */
    _Atomic uint64_t passed;        /* the furthest offset that any lane has passed */
    struct native_fetch *fetch;     /* of the lane that settles a region; NULL until needed */
    size_t fetch_bytes;
    bool in_turn;    /* one region at a time: of a large value the next one would not be carried */
    unsigned growth; /* missing blocks in all, by those that first walks tell of; of that lane */
    _Atomic uint64_t *settled;  /* by block, a bit: what was not read yet does not need it */
    struct ost_node *own_nodes; /* of the plan, where they are not the check's; or NULL */
    struct native_due *dues;    /* all items, ascending */
    size_t due_count;
    struct native_region *regions;
    pthread_mutex_t mutex; /* over the regions, and: */
    uint64_t settle_turn;  /* the first region that is not settled */
    bool settling;
    uint64_t begun; /* regions */
    atomic_uint lanes;
    _Atomic uint64_t charged; /* of the allowance, by lanes that have left, and the plan */
    atomic_bool exhausted;
};

struct native_lane {
    struct native_shared *shared;
    struct io_source *source;
    void *out;               /* the lane of job->lanes */
    struct engine_sink sink; /* of the run: leads there */
    struct engine_job job;   /* of the run: with a hasher of this thread's */
    struct native_run run;
    struct ost_at_hand at_hand;
    struct native_seat seat; /* where there are streams */
    struct ost_digests digests;
    const struct ost_blocks *inner; /* what run.blocks shows */
    struct ost_blocks view;         /* the same, watched */

    uint64_t region;
    uint64_t position; /* offset up to which the region has passed */
    bool settling;     /* instead of sweeping */
    bool by_itself;    /* what the item at hand lacks is read as it is come to */
    bool has_run;      /* of the slot, begun in `out` */
    struct {
        const struct chk_chunk *chunk;
        const uint8_t *bytes;
    } window[CHK_TAP_WINDOW]; /* oldest first */
    unsigned window_count;
    size_t due, due_end;     /* of shared->dues, in this region */
    struct native_dues heap; /* others of this region; the lowest on top */

    bool walking;     /* the item at hand is being looked at, not read */
    bool later;       /* it has blocks that did not pass yet, in regions before this one */
    bool dropped;     /* it has blocks that passed and are nowhere any more */
    uint64_t highest; /* of its blocks so far */
    uint32_t *seen;   /* its blocks */
    size_t seen_count, seen_room;
    uint32_t *missing; /* blocks that passed and were dropped, of items walked over so far */
    size_t missing_first, missing_count, missing_room; /* first: of the item at hand */
    uint64_t partial;                                  /* charged by walks in vain */
};

/* Ends of a walk, beside the codes of err.h. */
enum {
    NATIVE_AHEAD = -100,   /* it has blocks further on: up to l->highest as far as is known */
    NATIVE_LATER = -101,   /* in regions before this one that other lanes are at */
    NATIVE_DROPPED = -102, /* blocks of it have to be read again: l->missing */
};

int native_lane_create(struct native_shared *s, struct io_source *source, void *kit,
                       struct native_lane **out);
int native_lane_destroy(struct native_lane *l);

int native_lane_begin(struct native_lane *l, uint64_t region);
int native_lane_chunk(struct native_lane *l, const struct chk_chunk *chunk, const uint8_t *bytes,
                      const struct chk_links *links, size_t first);
int native_lane_end(struct native_lane *l);
/* Reads the items that were late in a region (native_settle.c). */
int native_lane_settle(struct native_lane *l, uint64_t region, struct native_dues *late);

/* Walks over an item's blocks, adding to `missing`. 0: all have passed and are there. */
int native_lane_walk(struct native_lane *l, const struct native_due *due);
/* How far the item reaches by what has passed. */
uint64_t native_lane_foretell(const struct native_lane *l, const struct native_due *due);
/* What a walk's end other than 0 means for the item. */
int native_lane_put_off(struct native_lane *l, struct native_due due, int end);
/* Walks over an item and reads it if it can be. */
int native_lane_take(struct native_lane *l, struct native_due due);

/* Remembers a block as one of the item at hand. */
void native_lane_seen(struct native_lane *l, uint32_t block);

/* Large values (native_digest.c). The seat is there where there are streams. */
int native_lane_open_seat(struct native_lane *l);
/* The chunk that the window got last, and the internal blocks in it. */
void native_lane_digest_chunk(struct native_lane *l, const struct chk_links *links, size_t first);
/* A block of the window: whether it is digested, and need not be carried. */
static inline bool native_lane_digest(struct native_lane *l, uint32_t block)
{
    return l->seat.streams && native_seat_pass(&l->seat, block);
}
/* Of the view of a lane. */
bool native_lane_knows(void *ctx, uint64_t root, uint64_t *highest);

/* The entry of a bid, unless it was carved; or NULL. */
const struct ost_block *native_find_block(const struct native_shared *s, uint64_t bid);
uint64_t native_region_of(const struct native_shared *s, uint64_t offset);
/* The first of the dues that is not before that offset. */
size_t native_due_from(const struct native_shared *s, uint64_t offset);

/* Whether no item that was not read needs the block. */
bool native_is_settled(const struct native_shared *s, uint32_t block);
/* Of a block whose owner was read. False: it may have others. */
bool native_settle_block(struct native_shared *s, uint32_t block);

#endif
