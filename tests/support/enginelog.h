/*
 * enginelog.h: a sink that counts what an engine hands out, keeps it as text, and checks the rules
 * that hold for every image (order, properties ascending, values with their type's width).
 */
#ifndef TESTS_SUPPORT_ENGINELOG_H
#define TESTS_SUPPORT_ENGINELOG_H

#include "io/buf.h"
#include "io/source.h"
#include "scanner/engine.h"

struct enginelog {
    struct engine_sink sink; /* to be passed on; ctx is the log */
    const char *account;
    unsigned images, folders, items, assoc, failed, orphans, partial, findings, corrupt;
    unsigned recipients, attachments, embedded;
    uint64_t row_items; /* items with properties from their row */
    uint64_t data_bytes;
    uint64_t allocations_at_item[4]; /* mem_test_count at items 0, 50, 100, 150 */
    unsigned codes[FINDING_CODES];
    struct buf text; /* of image, folders and items; one line an item, with a checksum of it */
    int fail_at;     /* the n-th call returns fail_code; 0: none */
    int fail_code;
    int calls;
    bool terse; /* no text */
};

void enginelog_init(struct enginelog *l);
void enginelog_done(struct enginelog *l);

/* A hasher whose digest is a sum that depends on every byte and its place; no heap. */
extern const struct ost_hasher enginelog_hasher;

/* Runs the native engine over a source. */
int enginelog_run(struct enginelog *l, struct io_source *source, const struct ost_header *header);

#endif
