/*
 * lanes.h: the items of one image from the threads that read them (native_scan.h) to its manifest.
 *
 *   items ─▶ line (each thread's kit) ─▶ order (index/order.h) ─▶ manifest, and the sink
 *
 * Threads: `native` is for native_scan; everything else is for the thread that scans the image.
 */
#ifndef SCANNER_APP_LANES_H
#define SCANNER_APP_LANES_H

#include <stdatomic.h>

#include "index/order.h"
#include "scanner/app/crosscheck.h"
#include "scanner/app/kit.h"
#include "scanner/native_scan.h"

struct lanes {
    struct idx_order *order;
    struct kit *own;               /* of the thread that scans the image */
    struct crosscheck *cross;      /* gets the items too; NULL: there is none */
    struct idx_evidence *evidence; /* gets the logs */
    atomic_uint_fast64_t *items;   /* counts them */
    bool noted;                    /* notes for the duplicate index go along with them */
    struct native_lanes native;
};

/* ERR_NOMEM. wait_bytes: as of idx_order_create. */
int lanes_init(struct lanes *l, const struct idx_order_sink *sink, struct kit *own,
               uint64_t wait_bytes, atomic_uint_fast64_t *items);
void lanes_done(struct lanes *l); /* all zero is allowed */

#endif
