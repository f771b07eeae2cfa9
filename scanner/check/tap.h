/*
 * tap.h: whoever wants the blocks of a sweep too, verified and still in the cache.
 *
 * The sweep goes through the file by regions, each from its beginning to its end in one lane (a
 * thread). What a lane's calls return other than 0 ends the check with that result.
 *
 * Threads: the calls of one lane come from one thread, those of different lanes at once.
 */
#ifndef SCANNER_CHECK_TAP_H
#define SCANNER_CHECK_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/check/bids.h"
#include "scanner/check/chunk.h"
#include "scanner/check/links.h"
#include "scanner/ost/plan.h"

/* Chunks whose bytes are good at once, the one handed out last among them. */
enum { CHK_TAP_WINDOW = 4 };

enum { CHK_TAP_HOLD = 2 };

/* What is known when the plan is loaded. What it points to lives as long as the check. */
struct chk_view {
    const struct ost_plan *plan; /* with carved entries (carve.h) */
    const struct chk_bids *bids;
    const uint16_t *status; /* by block, CHK_* (state.h): of those that a lane was handed */
    uint64_t file_size;
    uint64_t regions;                    /* those of the sweep, in ascending order of place: */
    uint64_t region_first, region_bytes; /* number n begins at first + n * bytes */
};

/* A block whose extent was read before the sweep, which then need not read it. */
struct chk_had {
    uint32_t block;
    const uint8_t *extent; /* in place as long as the check */
};

struct chk_tap {
    void *ctx;
    uint64_t region_bytes; /* or a little more; 0: as the check likes */

    /* A page of the B-trees with defects (plan.h). */
    int (*event)(void *ctx, const struct ost_plan_event *e);
    /* Before the first block. */
    int (*planned)(void *ctx, const struct chk_view *view);
    /* After that: what it has by then, ascending, each once. NULL: nothing. */
    const struct chk_had *(*had)(void *ctx, size_t *count);

    /* A thread joins in and leaves; source: what its lane reads from, between its calls free for
     * other reads. `kit`: what the thread brought along (crew.h), NULL for those of the check. */
    int (*join)(void *ctx, struct io_source *source, void *kit, void **lane);
    int (*leave)(void *lane);

    int (*begin)(void *lane, uint64_t region);
    /* The next chunk of the region; NULL: its bytes could not be read, or need not be. They are
     * good until CHK_TAP_WINDOW - 1 further ones were handed out, `chunk` itself as long. Its
     * internal blocks are those of `links` from the number `first` on. */
    int (*chunk)(void *lane, const struct chk_chunk *chunk, const uint8_t *bytes,
                 const struct chk_links *links, size_t first);
    int (*end)(void *lane, uint64_t region);
    /* Other work, asked for before each region and when there is none left: 1 some was done, 0
     * there is none now, CHK_TAP_HOLD the same, and no region is to be begun until another lane has
     * ended what it is at. */
    int (*other)(void *lane);
    /* A lane has failed: others must not wait for it. From any thread. */
    void (*stop)(void *ctx, int code);
};

#endif
