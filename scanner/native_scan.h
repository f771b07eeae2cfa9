/*
 * native_scan.h: the check and the items of an image in one sweep.
 *
 * The check (check.h) loads the plan; folders and their tables are read; then the check's sweep
 * goes through the file, and each item is read as soon as all its blocks have passed, mostly from
 * memory that the sweep has just filled, by the thread that swept the last of them.
 *
 * Items come in slots, each a stretch of the file: in a slot in one or several runs that ascend by
 * order and nid (index/order.h puts them together). What comes is what engine_native's run says, in
 * the end byte for byte.
 *
 * Errors: as chk_run and engine.h.
 */
#ifndef SCANNER_NATIVE_SCAN_H
#define SCANNER_NATIVE_SCAN_H

#include "scanner/check/check.h"
#include "scanner/engine.h"
#include "scanner/native_carry.h"

/* Where items go. Calls for one lane come from one thread. */
struct native_lanes {
    void *ctx;
    /* A thread takes part (kit: crew.h; NULL for threads of the check's own), and leaves. *hasher:
     * the thread's own; stays the job's where it is not set. */
    int (*join)(void *ctx, void *kit, void **lane, const struct ost_hasher **hasher);
    void (*leave)(void *ctx, void *lane);

    int (*run)(void *lane, uint64_t slot); /* what follows is of that slot, in a run of its own */
    /* What follows is about this item; in the end comes item or failed. */
    int (*next)(void *lane, uint64_t order, uint32_t nid);
    int (*finding)(void *lane, const struct finding *finding);
    int (*item)(void *lane, const struct ost_item *item);
    int (*failed)(void *lane, uint32_t nid, uint32_t folder, bool assoc);
    int (*close)(void *lane, uint64_t slot); /* all runs of the slot are there */
    void (*stop)(void *ctx, int code);       /* a thread has failed: others must not wait for it */
};

struct native_scan_job {
    const struct engine_job *engine; /* its file is not used */
    const struct chk_job *check;     /* without a tap */
    const struct chk_sink *check_sink;
    const struct engine_sink *sink; /* image, folder, finding; from the calling thread */
    const struct native_lanes *lanes;
    /* States of it live at once, and go from thread to thread: for large values, which are digested
     * as their blocks pass. NULL: they are carried like all else. */
    const struct ost_hasher *stream_hasher;
    bool seeks;                     /* a read elsewhere costs as much as some MiB in order */
    uint64_t region_bytes;          /* 0: as seems good; for tests */
    uint64_t carry_bytes;           /* 0: a half of the memory */
    struct native_carried *carried; /* what was carried; may be NULL */
};

/*
 * *again: the image's blocks refer to each other so often that the work had to be bounded: nothing
 * of what came counts, and the image is to be read by chk_run and engine_native.run, in turn.
 */
int native_scan(const struct native_scan_job *job, struct chk_result *result, bool *again);

#endif
