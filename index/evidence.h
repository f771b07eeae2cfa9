/*
 * evidence.h: what folders and items tell of where their data are kept, for the verdict: marks of
 * data on this computer alone, and what Outlook logged in Sync Issues.
 *
 * Memory: 12 bytes a folder. Threads: calls about one collection come one at a time, but for
 * idx_evidence_log. What comes of it does not depend on which thread brought which log, and when.
 */
#ifndef INDEX_EVIDENCE_H
#define INDEX_EVIDENCE_H

#include "index/text.h"
#include "index/view.h"
#include "scanner/check/verdict.h"
#include "scanner/ost/item.h"

struct idx_evidence;

/* What an item tells: chk_item_marks, small enough to be handed on with each item. */
struct idx_mark {
    uint64_t size_bytes;
    uint32_t flags;
    uint8_t change_key_size; /* 255: or more */
    bool has_size, has_flags, has_row;
};

/* What a thread needs to read logs. */
struct idx_log_reader {
    struct idx_text *text; /* the thread's own */
    struct buf body, rtf;  /* freed by the caller */
};

int idx_evidence_create(struct idx_evidence **out); /* ERR_NOMEM */
void idx_evidence_destroy(struct idx_evidence *e);  /* NULL is allowed */

/* Another image begins. */
void idx_evidence_start(struct idx_evidence *e, struct chk_tally *tally);

/* All folders come before the first item, parents first, each after chk_tally_folder. `name`:
 * WTF-8. ERR_NOMEM. */
int idx_evidence_folder(struct idx_evidence *e, const struct ost_folder *folder, struct bytes name);

/* What the item tells. Any thread. */
void idx_evidence_mark(const struct ost_item *item, const struct idx_view *view,
                       struct idx_mark *out);
/* Takes it down, after chk_tally_item. ERR_NOMEM. */
int idx_evidence_put(struct idx_evidence *e, uint32_t nid, uint32_t folder, bool assoc,
                     const struct idx_mark *mark);
/* Reads the item where it is a log of Outlook's. Any thread, at the same time as other threads and
 * as idx_evidence_put. ERR_NOMEM. */
int idx_evidence_log(struct idx_evidence *e, struct idx_log_reader *reader,
                     const struct ost_item *item, const struct idx_view *view);

#endif
