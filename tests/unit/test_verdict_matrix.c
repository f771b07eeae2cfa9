/*
 * test_verdict_matrix.c: every remedy for every kind of image, each next to the case that differs
 * from it in one thing and has another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/check/verdict.h"

enum {
    INBOX = 0x2182,
    DRAFTS = 0x8142,
    MISSING = 0x9002,
    HIERARCHY_TABLE = 0x218D,
    MESSAGE = 0x200024
};

/* What is wrong; several may be. */
enum {
    BLOCK_OF_ITEM = 1 << 0,   /* certain damage in the inbox */
    BLOCK_ANYWHERE = 1 << 1,  /* … in a block of no known folder */
    ITEM_ANYWHERE = 1 << 2,   /* … in an item of no known folder */
    ITEM_OF_MISSING = 1 << 3, /* … in a folder that is not there */
    PAGE = 1 << 4,
    HIERARCHY = 1 << 5, /* a hierarchy table's block */
    FAILED = 1 << 6,    /* an item of the inbox */
    FAILED_ELSEWHERE = 1 << 7,
    ORPHAN = 1 << 8,
    ORPHAN_NOWHERE = 1 << 9,
    ROW = 1 << 10, /* without an item */
    ROW_ELSEWHERE = 1 << 11,
    UNREAD_TABLE = 1 << 12, /* a hierarchy table */
    DIFFERS = 1 << 13,      /* another engine reads an item otherwise */
    UNADDED = 1 << 14,      /* the ledger does not add up */
    UNVERIFIED = 1 << 15,
    INCOMPLETE = 1 << 16,
    UNREADABLE = 1 << 17, /* the storage refused bytes */
    CHANGED = 1 << 18,
    IN_USE = 1 << 19,
    ROWS_LOST = 1 << 20, /* the engine misses rows without saying so */
};

enum { NONE = REMEDY_NONE, SYNC = REMEDY_RESYNC_FOLDERS, REBUILD = REMEDY_REBUILD };
enum { COPY = REMEDY_REPAIR_COPY, RETRY = REMEDY_RETRY_CLOSED, OPEN = REMEDY_UNKNOWN };

/* Of an OST of Exchange; of one of another account; of a PST. */
static const struct row {
    unsigned wrong;
    int exchange, other, pst;
} rows[] = {
    {0, NONE, NONE, NONE},
    {UNVERIFIED, OPEN, OPEN, OPEN},
    {INCOMPLETE, OPEN, OPEN, OPEN},
    {UNREADABLE, OPEN, OPEN, OPEN},
    {CHANGED, RETRY, RETRY, RETRY},
    {IN_USE, RETRY, RETRY, RETRY},
    {UNREAD_TABLE, OPEN, OPEN, OPEN},
    {DIFFERS, OPEN, OPEN, OPEN},
    {UNADDED, OPEN, OPEN, OPEN},
    {FAILED, OPEN, OPEN, OPEN},

    /* Damage within a folder. */
    {BLOCK_OF_ITEM, SYNC, COPY, COPY},
    {BLOCK_OF_ITEM | FAILED, SYNC, COPY, COPY},
    {BLOCK_OF_ITEM | FAILED_ELSEWHERE, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | ORPHAN | ROW, SYNC, COPY, COPY},
    {BLOCK_OF_ITEM | ROW_ELSEWHERE, SYNC, COPY, COPY},
    {BLOCK_OF_ITEM | ROW_ELSEWHERE | ROWS_LOST, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | ORPHAN_NOWHERE, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | UNREAD_TABLE, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | UNVERIFIED, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | INCOMPLETE, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | UNREADABLE, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | CHANGED, RETRY, RETRY, RETRY},
    {BLOCK_OF_ITEM | IN_USE, RETRY, RETRY, RETRY},

    /* Deficits alone. */
    {ROW, SYNC, OPEN, OPEN},
    {ORPHAN, SYNC, OPEN, OPEN},
    {ROW | ORPHAN, SYNC, OPEN, OPEN},
    {ROW | ROW_ELSEWHERE, SYNC, OPEN, OPEN},
    {ROW | ROWS_LOST, OPEN, OPEN, OPEN},
    {ROW | FAILED, OPEN, OPEN, OPEN},
    {ROW | UNADDED, OPEN, OPEN, OPEN},
    {ROW | DIFFERS, OPEN, OPEN, OPEN},
    {ROW | UNREAD_TABLE, OPEN, OPEN, OPEN},
    {ROW | UNVERIFIED, OPEN, OPEN, OPEN},
    {ROW | CHANGED, RETRY, RETRY, RETRY},
    {ORPHAN_NOWHERE, OPEN, OPEN, OPEN},

    /* What no folder's resynchronization reaches. */
    {BLOCK_ANYWHERE, REBUILD, COPY, COPY},
    {PAGE, REBUILD, COPY, COPY},
    {PAGE | INCOMPLETE | UNVERIFIED, REBUILD, COPY, COPY},
    {HIERARCHY, REBUILD, COPY, COPY},
    {ITEM_ANYWHERE, REBUILD, COPY, COPY},
    {ITEM_ANYWHERE | UNVERIFIED, OPEN, COPY, COPY},
    {ITEM_OF_MISSING, REBUILD, COPY, COPY},
    {ITEM_OF_MISSING | INCOMPLETE, OPEN, COPY, COPY},
    {BLOCK_OF_ITEM | PAGE, REBUILD, COPY, COPY},
    {PAGE | CHANGED, RETRY, RETRY, RETRY},
    {PAGE | IN_USE, RETRY, RETRY, RETRY},
};

static void tell(struct chk_tally *t, enum finding_code code, enum finding_severity severity,
                 uint32_t nid, uint32_t folder)
{
    struct finding f = finding_of(code);

    f.severity = severity;
    f.has_nid = nid != 0;
    f.nid = nid;
    f.folders = &folder;
    f.folder_count = folder != 0;
    assert_int_equal(chk_tally_finding(t, &f), 0);
}

static void folder(struct chk_tally *t, uint32_t nid, unsigned orphans, unsigned failed)
{
    assert_int_equal(chk_tally_folder(t, nid, 3), 0);
    for (unsigned i = 0; i < 3; i++) {
        if (i < failed)
            assert_int_equal(chk_tally_failed(t, MESSAGE + 32 * i, nid), 0);
        else
            assert_int_equal(chk_tally_item(t, nid, i - failed < orphans, false), 0);
    }
}

static void fill(struct chk_tally *t, unsigned wrong)
{
    folder(t, INBOX, wrong & ORPHAN ? 1 : 0, wrong & FAILED ? 1 : 0);
    folder(t, DRAFTS, 0, wrong & FAILED_ELSEWHERE ? 1 : 0);
    if (wrong & BLOCK_OF_ITEM)
        tell(t, F_block_crc, SEVERITY_CORRUPT, MESSAGE, INBOX);
    if (wrong & BLOCK_ANYWHERE)
        tell(t, F_block_crc, SEVERITY_CORRUPT, 0, 0);
    if (wrong & ITEM_ANYWHERE)
        tell(t, F_item_orphan, SEVERITY_CORRUPT, MESSAGE, 0);
    if (wrong & ITEM_OF_MISSING)
        tell(t, F_item_orphan, SEVERITY_CORRUPT, MESSAGE, MISSING);
    if (wrong & PAGE)
        tell(t, F_page_crc, SEVERITY_CORRUPT, 0, 0);
    if (wrong & HIERARCHY)
        tell(t, F_block_crc, SEVERITY_CORRUPT, HIERARCHY_TABLE, INBOX);
    if (wrong & ORPHAN)
        tell(t, F_item_orphan, SEVERITY_WARNING, MESSAGE + 64, INBOX);
    if (wrong & ORPHAN_NOWHERE) {
        tell(t, F_item_orphan, SEVERITY_WARNING, MESSAGE + 96, MISSING);
        assert_int_equal(chk_tally_item(t, MISSING, true, false), 0);
    }
    if (wrong & ROW)
        tell(t, F_row_without_item, SEVERITY_WARNING, MESSAGE + 128, INBOX);
    if (wrong & ROW_ELSEWHERE)
        tell(t, F_row_without_item, SEVERITY_WARNING, MESSAGE + 160, DRAFTS);
    if (wrong & UNREAD_TABLE)
        tell(t, F_table_failed, SEVERITY_WARNING, HIERARCHY_TABLE, 0);
    if (wrong & DIFFERS)
        tell(t, F_engines_differ, SEVERITY_WARNING, MESSAGE, INBOX);
    if (wrong & UNADDED)
        tell(t, F_ledger_differs, SEVERITY_WARNING, INBOX, INBOX);
    if (wrong & UNREADABLE)
        tell(t, F_read_failed, SEVERITY_WARNING, MESSAGE, INBOX);
}

static void holds(const struct row *row, enum ost_content content, const char *account, int want)
{
    struct chk_facts facts = {.content = content,
                              .account = account,
                              .in_use = row->wrong & IN_USE,
                              .changed = row->wrong & CHANGED,
                              .has_allocated = true,
                              .allocated_bytes = 1000,
                              .verified_bytes = row->wrong & UNVERIFIED ? 999 : 1000,
                              .complete = !(row->wrong & INCOMPLETE),
                              .rows_certain = !(row->wrong & ROWS_LOST)};
    struct chk_tally *t;
    struct chk_verdict v;

    assert_int_equal(chk_tally_create(&t), 0);
    fill(t, row->wrong);
    assert_int_equal(chk_verdict_make(t, &facts, &v), 0);
    if ((int)v.remedy != want)
        fail_msg("row %td of %s, content %d: %s, not %s", row - rows, account, (int)content,
                 chk_remedy_name(v.remedy), chk_remedy_name((enum chk_remedy)want));
    assert_int_equal(v.export_first, EXPORT_UNKNOWN);
    assert_true(v.reason_count > 0);
    for (size_t i = 0; i < v.folder_count; i++) {
        if (v.remedy != REMEDY_UNKNOWN)
            assert_int_equal(v.folders[i].remedy, v.remedy);
        else if (v.folders[i].remedy != REMEDY_UNKNOWN)
            assert_int_equal(v.folders[i].remedy, REMEDY_RESYNC_FOLDERS);
    }
    chk_tally_destroy(t);
}

static void every_row_holds(void **state)
{
    bool seen[REMEDY_UNKNOWN + 1] = {false};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];

        holds(r, OST_CONTENT_OST, "exchange", r->exchange);
        holds(r, OST_CONTENT_OST, "imap", r->other);
        holds(r, OST_CONTENT_OST, "other", r->other);
        holds(r, OST_CONTENT_OST, "unknown", r->other);
        holds(r, OST_CONTENT_PST, "unknown", r->pst);
        holds(r, OST_CONTENT_PST, "exchange", r->pst); /* whatever a PST says of itself */
        seen[r->exchange] = seen[r->other] = seen[r->pst] = true;
    }
    for (int i = 0; i <= REMEDY_UNKNOWN; i++)
        assert_true(seen[i]);
}

/* The table itself: nothing that only a server can refill is advised of any other image. */
static void the_table_is_safe(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(rows[i].other != SYNC && rows[i].other != REBUILD);
        assert_true(rows[i].pst != SYNC && rows[i].pst != REBUILD);
    }
}

/* Of an image whose verdict is open, a folder that is surely damaged has its own remedy. */
static void a_folder_has_its_own_remedy(void **state)
{
    struct chk_facts facts = {.content = OST_CONTENT_OST,
                              .account = "exchange",
                              .has_allocated = true,
                              .allocated_bytes = 1,
                              .verified_bytes = 1,
                              .complete = true,
                              .rows_certain = true};
    struct chk_tally *t;
    struct chk_verdict v;

    (void)state;
    assert_int_equal(chk_tally_create(&t), 0);
    fill(t, BLOCK_OF_ITEM | FAILED_ELSEWHERE);
    assert_int_equal(chk_verdict_make(t, &facts, &v), 0);
    assert_int_equal(v.remedy, REMEDY_UNKNOWN);
    assert_int_equal(v.folder_count, 2);
    assert_int_equal(v.folders[0].nid, INBOX);
    assert_int_equal(v.folders[0].remedy, REMEDY_RESYNC_FOLDERS);
    assert_int_equal(v.folders[1].nid, DRAFTS);
    assert_int_equal(v.folders[1].remedy, REMEDY_UNKNOWN);
    facts.verified_bytes = 0;
    assert_int_equal(chk_verdict_make(t, &facts, &v), 0);
    assert_int_equal(v.folders[0].remedy, REMEDY_UNKNOWN);
    chk_tally_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_holds),
        cmocka_unit_test(the_table_is_safe),
        cmocka_unit_test(a_folder_has_its_own_remedy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
