/*
 * sync_log.h: what Outlook writes into the messages of its folder Sync Issues.
 *
 * A log is lines in the user's language, so nothing of its words is understood: an entry of trouble
 * ends in a code in brackets, "[80004005-501-4B9-560]", or names an HRESULT as 0x8…; and what is
 * being synchronized stands in quotes in a line before it.
 *
 * Pure functions over memory.
 */
#ifndef INDEX_SYNC_LOG_H
#define INDEX_SYNC_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"

enum { SYNC_LOG_QUOTED = 4, SYNC_LOG_BYTES = 1 << 20 };

struct sync_log_sink {
    void *ctx;
    /* An entry. quoted: what stood in quotes before it, the last first, at most SYNC_LOG_QUOTED. */
    void (*entry)(void *ctx, uint32_t code, const struct bytes *quoted, size_t count);
};

/* UTF-8 or what looks like it; what is beyond SYNC_LOG_BYTES is not read. */
void sync_log_read(struct bytes text, const struct sync_log_sink *sink);

#endif
