/*
 * transcript.h: a sink that writes everything it is given down as text, to compare and to count.
 */
#ifndef TESTS_SUPPORT_TRANSCRIPT_H
#define TESTS_SUPPORT_TRANSCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "io/buf.h"
#include "scanner/engine.h"

struct transcript {
    bool silent; /* counts only */
    struct buf text;
    uint64_t images, folders, items, assoc, failed, findings, partial, orphans, embedded;
    uint64_t recipients, attachments, row_props, data_bytes;
    uint64_t by_code[FINDING_CODES]; /* findings */
    uint64_t progress;               /* the last */
    const char *account;             /* of the image */
    int result;                      /* what every call returns */
};

/* The sink over t, and a hasher that adds bytes up: digest size 16, sum and count. */
struct engine_sink transcript_sink(struct transcript *t);
struct ost_hasher transcript_hasher(void);
void transcript_done(struct transcript *t);

/* Writes an item as the sink does. */
void transcript_item(struct transcript *t, const struct ost_item *item);

#endif
