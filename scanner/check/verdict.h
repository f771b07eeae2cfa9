/*
 * verdict.h: from what was seen of an image to what its owner should do.
 *
 * A remedy destroys data when it is wrong, so each rests on named findings, and what was not
 * looked at is never called healthy: while not every allocated byte was verified and every item
 * read, the remedy of an image without damage is `unknown`, not `none`.
 *
 * Threads: a tally belongs to one thread.
 */
#ifndef SCANNER_CHECK_VERDICT_H
#define SCANNER_CHECK_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/finding.h"
#include "scanner/ost/header.h"

enum chk_remedy {
    REMEDY_NONE,
    REMEDY_RESYNC_FOLDERS,
    REMEDY_REBUILD,
    REMEDY_REPAIR_COPY,
    REMEDY_RETRY_CLOSED,
    REMEDY_UNKNOWN,
};

enum chk_export { EXPORT_UNKNOWN, EXPORT_REQUIRED, EXPORT_NOTHING_FOUND };

const char *chk_remedy_name(enum chk_remedy remedy);
const char *chk_export_name(enum chk_export export_first);

enum { CHK_REASON_CODES = 8, CHK_REASON_ITEMS = 1000, CHK_SYNC_ERRORS = 64 };

/* What a reason is a reason of. */
enum chk_concern {
    CONCERN_REMEDY,
    CONCERN_EXPORT, /* export_first */
    CONCERN_SYNC,   /* neither: what Outlook itself logged of synchronizing */
};

/* What a sign of data on this computer alone is worth (signs.h). */
enum chk_strength { STRENGTH_NONE, STRENGTH_WEAK, STRENGTH_STRONG };

const char *chk_concern_name(enum chk_concern concern);    /* "remedy" "export_first" "sync" */
const char *chk_strength_name(enum chk_strength strength); /* "none" "weak" "strong" */

/* Log entries of one code about one folder, in Sync Issues. */
struct chk_sync_error {
    uint32_t code;   /* HRESULT; 0 occurs */
    uint32_t folder; /* nid; 0: the log names none that the image has */
    uint64_t count;
    uint64_t first, last; /* FILETIME of the logs; 0: they have none */
};

struct chk_reason {
    const char *text; /* one clause; static */
    enum finding_code codes[CHK_REASON_CODES];
    size_t code_count;
    const uint32_t *items; /* ascending nids */
    size_t item_count;
    enum chk_concern about;
    enum chk_strength strength; /* of signs, else none */
    uint64_t count;             /* items, or log entries, it speaks of; 0: not counted */
    const uint32_t *folders;    /* ascending nids of the folders they are in */
    size_t folder_count;
    const struct chk_sync_error *errors; /* in order of folder, code */
    size_t error_count;
};

/* What a server would have to hand out again. */
struct chk_download {
    uint64_t items, bytes; /* bytes: sum of the sizes that the items state of themselves */
    uint64_t unsized;      /* of the items: those that state none */
};

struct chk_folder_state {
    uint32_t nid;
    uint64_t failed, orphaned, unaccounted;
    enum chk_remedy remedy;
    uint64_t rows_without_item;
    struct chk_download download; /* when it alone is synchronized anew */
};

struct chk_coverage {
    bool has_allocated;
    uint64_t allocated_bytes, verified_bytes;
    uint64_t items_expected, items_read, items_failed;
    uint64_t items_orphaned;          /* of both kinds: in no folder that lists them */
    uint64_t rows, rows_without_item; /* of the contents tables that could be read */
};

struct chk_verdict {
    enum chk_remedy remedy;
    enum chk_export export_first;
    const struct chk_reason *reasons;
    size_t reason_count;
    const struct chk_folder_state *folders; /* those that are not clean, by nid */
    size_t folder_count;
    struct chk_coverage coverage;
    bool has_download;            /* a server could: an OST of an Exchange account */
    struct chk_download download; /* … of the whole image, after a rebuild */
};

/* What a scan collects on the way. */
struct chk_tally;

int chk_tally_create(struct chk_tally **out); /* ERR_NOMEM */
void chk_tally_destroy(struct chk_tally *t);

/*
 * Each may fail with ERR_NOMEM; memory grows with the number of folders alone. `messages`: nodes of
 * both kinds whose parent the folder is (ost_folder.items + assoc); those that are then neither
 * read nor failed are unaccounted for. `folder` is 0 where it is not known. A folder that was never
 * announced by chk_tally_folder counts as missing: its loss is no matter for a resync.
 */
int chk_tally_folder(struct chk_tally *t, uint32_t nid, uint64_t messages);
/* Rows of the folder's contents tables, after chk_tally_folder. all: those of every kind of item
 * that the folder has. */
int chk_tally_rows(struct chk_tally *t, uint32_t nid, uint64_t rows, bool all);
int chk_tally_finding(struct chk_tally *t, const struct finding *f);
int chk_tally_item(struct chk_tally *t, uint32_t folder, bool orphan, bool partial);
int chk_tally_failed(struct chk_tally *t, uint32_t nid, uint32_t folder);

/* What tells where a folder's items are kept. */
struct chk_folder_place {
    uint32_t nid, parent;
    const char *role; /* roles.h; NULL: none */
    bool local_id;    /* its 67F4 is there and of replica 0 */
};
/* After chk_tally_folder of it and of its parent. */
int chk_tally_place(struct chk_tally *t, const struct chk_folder_place *place);

/* What of a readable item tells whether a server has it. */
struct chk_item_marks {
    uint32_t nid, folder;
    bool assoc;
    bool has_size;
    uint64_t size_bytes;
    bool has_flags;
    uint32_t flags;         /* PidTagMessageFlags */
    bool has_row;           /* its contents row was read: only that has change keys */
    size_t change_key_size; /* 0: none */
};
int chk_tally_marks(struct chk_tally *t, const struct chk_item_marks *marks);

/* A log entry of item `log`. Never fails; of the kinds the first CHK_SYNC_ERRORS by folder and code
 * are told, all are counted: the order of calls makes no difference. Calls exclude each other, but
 * not those about items. */
void chk_tally_sync_error(struct chk_tally *t, uint32_t log, uint32_t code, uint32_t folder,
                          uint64_t filetime);

/*
 * The folders' ledger, once the engine has gone through the image: messages by node are read or
 * failed, and rows are items listed or rows without one. Each folder of which that is not so is a
 * finding (ledger_differs), told through `finding`; its code is passed on.
 */
int chk_tally_reconcile(struct chk_tally *t, void *ctx,
                        int (*finding)(void *ctx, const struct finding *f));

struct chk_facts {
    enum ost_content content;
    const char *account; /* of the store (ost_image.account), "unknown" when nothing is known */
    bool in_use;         /* could not be opened: another program holds it */
    bool changed;        /* changed while it was read */
    bool has_allocated;  /* allocated_bytes is known */
    uint64_t allocated_bytes, verified_bytes;
    bool complete;     /* the engine went through the image to its end */
    bool rows_certain; /* … and misses no row of a table without saying so */
};

/* The verdict; what it points to lives in the tally until the next call of it. ERR_NOMEM. */
int chk_verdict_make(struct chk_tally *t, const struct chk_facts *facts, struct chk_verdict *out);

#endif
