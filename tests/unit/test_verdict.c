/* test_verdict.c: each remedy at its boundary, from both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/verdict.h"

enum { INBOX = 0x2182, DRAFTS = 0x8142, MESSAGE = 0x200024, MESSAGE2 = 0x200044 };

/* A scan that saw everything of an OST of Exchange. */
static struct chk_facts clean_facts(void)
{
    return (struct chk_facts){.content = OST_CONTENT_OST,
                              .account = "exchange",
                              .has_allocated = true,
                              .allocated_bytes = 1000,
                              .verified_bytes = 1000,
                              .complete = true};
}

static int setup(void **state)
{
    struct chk_tally *t;

    if (chk_tally_create(&t))
        return -1;
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    chk_tally_destroy(*state);
    return 0;
}

static void announce(struct chk_tally *t, uint32_t folder, uint64_t messages, uint64_t read)
{
    assert_int_equal(chk_tally_folder(t, folder, messages), 0);
    for (uint64_t i = 0; i < read; i++)
        assert_int_equal(chk_tally_item(t, folder, false, false), 0);
}

static struct chk_verdict verdict(struct chk_tally *t, struct chk_facts facts)
{
    struct chk_verdict v;

    assert_int_equal(chk_verdict_make(t, &facts, &v), 0);
    assert_int_equal(v.export_first, EXPORT_UNKNOWN);
    assert_true(v.reason_count > 0);
    for (size_t i = 0; i < v.reason_count; i++) {
        assert_non_null(v.reasons[i].text);
        assert_true(v.reasons[i].code_count <= CHK_REASON_CODES);
        assert_true(v.reasons[i].item_count <= CHK_REASON_ITEMS);
    }
    return v;
}

static enum chk_remedy remedy(struct chk_tally *t, struct chk_facts facts)
{
    return verdict(t, facts).remedy;
}

static void tell(struct chk_tally *t, enum finding_code code)
{
    struct finding f = finding_of(code);

    assert_int_equal(chk_tally_finding(t, &f), 0);
}

/* Certain damage of a code of layer `item` or `table` that names a folder. */
static struct finding damage_in(enum finding_code code, const uint32_t *folder)
{
    struct finding f = finding_of(code);

    f.severity = SEVERITY_CORRUPT;
    f.folders = folder;
    f.folder_count = folder ? 1 : 0;
    return f;
}

static const struct chk_reason *reason_with(const struct chk_verdict *v, enum finding_code code)
{
    for (size_t i = 0; i < v->reason_count; i++)
        for (size_t k = 0; k < v->reasons[i].code_count; k++)
            if (v->reasons[i].codes[k] == code)
                return &v->reasons[i];
    return NULL;
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(chk_remedy_name(REMEDY_NONE), "none");
    assert_string_equal(chk_remedy_name(REMEDY_RESYNC_FOLDERS), "resync_folders");
    assert_string_equal(chk_remedy_name(REMEDY_REBUILD), "rebuild");
    assert_string_equal(chk_remedy_name(REMEDY_REPAIR_COPY), "repair_copy");
    assert_string_equal(chk_remedy_name(REMEDY_RETRY_CLOSED), "retry_closed");
    assert_string_equal(chk_remedy_name(REMEDY_UNKNOWN), "unknown");
    assert_string_equal(chk_export_name(EXPORT_UNKNOWN), "unknown");
    assert_string_equal(chk_export_name(EXPORT_REQUIRED), "required");
    assert_string_equal(chk_export_name(EXPORT_NOTHING_FOUND), "nothing_found");
}

static void clean_image_needs_nothing(void **state)
{
    struct chk_facts facts = clean_facts();
    struct chk_verdict v;

    announce(*state, INBOX, 2, 2);
    tell(*state, F_file_trailing);
    tell(*state, F_amap_invalid_flag);
    v = verdict(*state, facts);
    assert_int_equal(v.remedy, REMEDY_NONE);
    assert_int_equal(v.folder_count, 0);
    assert_int_equal(v.coverage.items_expected, 2);
    assert_int_equal(v.coverage.items_read, 2);
    assert_int_equal(v.coverage.allocated_bytes, 1000);
    facts.content = OST_CONTENT_PST;
    facts.account = "unknown";
    assert_int_equal(remedy(*state, facts), REMEDY_NONE);
}

/* Every way in which something was not seen, alone, keeps `none` away, of any image. */
static void unseen_is_never_healthy(void **state)
{
    struct chk_facts bad[6];

    announce(*state, INBOX, 2, 2);
    for (size_t i = 0; i < 6; i++)
        bad[i] = clean_facts();
    bad[0].verified_bytes--;
    bad[1].has_allocated = false;
    bad[2].complete = false;
    bad[3].allocated_bytes = bad[3].verified_bytes = 0;
    bad[4].content = OST_CONTENT_UNKNOWN;
    bad[5].content = OST_CONTENT_PAB;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(remedy(*state, bad[i]), REMEDY_UNKNOWN);
    bad[0].content = OST_CONTENT_PST;
    assert_int_equal(remedy(*state, bad[0]), REMEDY_UNKNOWN);
    assert_int_equal(remedy(*state, clean_facts()), REMEDY_NONE);
}

/* Findings without certain damage: does `none` survive each? */
static void unread_parts_are_never_healthy(void **state)
{
    (void)state;
    for (unsigned code = 0; code < FINDING_CODES; code++) {
        const struct finding_info *info = finding_info((enum finding_code)code);
        enum chk_remedy want = REMEDY_NONE, got;
        struct chk_tally *t;

        assert_int_equal(chk_tally_create(&t), 0);
        tell(t, (enum finding_code)code);
        got = remedy(t, clean_facts());
        if (info->severity == SEVERITY_CORRUPT)
            want = REMEDY_REBUILD;
        else if (code == F_changed_while_read || code == F_truncated_while_read)
            want = REMEDY_RETRY_CLOSED;
        else if ((info->severity == SEVERITY_WARNING && strcmp(info->evidence, "-") == 0) ||
                 code == F_engine_declined || code == F_item_orphan || code == F_row_without_item ||
                 code == F_ledger_differs || code == F_hierarchy_differs)
            want = REMEDY_UNKNOWN;
        if (info->layer <= LAYER_HEADER || info->severity != SEVERITY_CORRUPT)
            assert_int_equal(got, want);
        else
            assert_int_not_equal(got, REMEDY_NONE);
        chk_tally_destroy(t);
    }
}

static void items_in_trouble_leave_it_open(void **state)
{
    struct chk_tally *t[4];
    struct chk_verdict v;

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(chk_tally_create(&t[i]), 0);
        announce(t[i], INBOX, 3, 2);
        announce(t[i], DRAFTS, 0, 0);
    }
    v = verdict(t[0], clean_facts()); /* one of three was not handed out */
    assert_int_equal(v.remedy, REMEDY_UNKNOWN);
    assert_int_equal(v.folder_count, 1);
    assert_int_equal(v.folders[0].nid, INBOX);
    assert_int_equal(v.folders[0].unaccounted, 1);
    assert_int_equal(v.coverage.items_expected, 3);
    assert_int_equal(v.coverage.items_read, 2);

    assert_int_equal(chk_tally_failed(t[1], MESSAGE, INBOX), 0);
    v = verdict(t[1], clean_facts());
    assert_int_equal(v.remedy, REMEDY_UNKNOWN);
    assert_int_equal(v.folders[0].failed, 1);
    assert_int_equal(v.folders[0].unaccounted, 0);
    assert_int_equal(v.coverage.items_failed, 1);
    assert_int_equal(v.reasons[0].item_count, 1);
    assert_int_equal(v.reasons[0].items[0], MESSAGE);

    assert_int_equal(chk_tally_item(t[2], INBOX, true, false), 0);
    v = verdict(t[2], clean_facts());
    assert_int_equal(v.remedy, REMEDY_UNKNOWN);
    assert_int_equal(v.folders[0].orphaned, 1);

    assert_int_equal(chk_tally_item(t[3], INBOX, false, true), 0);
    v = verdict(t[3], clean_facts());
    assert_int_equal(v.remedy, REMEDY_UNKNOWN);
    assert_int_equal(v.folder_count, 1);
    for (int i = 0; i < 4; i++)
        chk_tally_destroy(t[i]);
}

static void held_or_changed_is_tried_again(void **state)
{
    struct chk_facts facts = clean_facts();
    struct chk_verdict v;

    tell(*state, F_header_crc_full);
    assert_int_equal(remedy(*state, facts), REMEDY_REBUILD);
    facts.changed = true;
    assert_int_equal(remedy(*state, facts), REMEDY_RETRY_CLOSED);
    facts.changed = false;
    facts.in_use = true;
    facts.content = OST_CONTENT_UNKNOWN;
    assert_int_equal(remedy(*state, facts), REMEDY_RETRY_CLOSED);
    tell(*state, F_truncated_while_read);
    v = verdict(*state, clean_facts());
    assert_int_equal(v.remedy, REMEDY_RETRY_CLOSED);
    assert_int_equal(v.reason_count, 1);
    assert_int_equal(v.reasons[0].codes[0], F_truncated_while_read);
}

static void structure_of_exchange_ost_is_rebuilt(void **state)
{
    struct chk_facts facts = clean_facts();
    struct chk_verdict v;

    tell(*state, F_version_unknown); /* only what sources say */
    assert_int_equal(remedy(*state, facts), REMEDY_NONE);
    tell(*state, F_root_out_of_range);
    facts.complete = facts.has_allocated = false;
    v = verdict(*state, facts);
    assert_int_equal(v.remedy, REMEDY_REBUILD);
    assert_non_null(reason_with(&v, F_root_out_of_range));
    assert_null(reason_with(&v, F_version_unknown));
    facts.account = "imap";
    assert_int_equal(remedy(*state, facts), REMEDY_REPAIR_COPY);
    facts.account = "unknown";
    assert_int_equal(remedy(*state, facts), REMEDY_REPAIR_COPY);
}

/* Findings of the ledger, as they are told; each goes into the tally, as in a scan. */
struct ledger {
    struct chk_tally *tally;
    unsigned count;
    struct finding last;
    int fail;
};

static int on_ledger(void *ctx, const struct finding *f)
{
    struct ledger *l = ctx;

    assert_int_equal(f->code, F_ledger_differs);
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_int_equal(f->folder_count, 1);
    assert_int_equal(f->folders[0], f->nid);
    l->count++;
    l->last = *f;
    return l->fail ? l->fail : chk_tally_finding(l->tally, f);
}

static void orphan_in(struct chk_tally *t, enum finding_code code, uint32_t nid, uint32_t folder)
{
    struct finding f = finding_of(code);

    f.has_nid = true;
    f.nid = nid;
    f.folders = &folder;
    f.folder_count = 1;
    assert_int_equal(chk_tally_finding(t, &f), 0);
}

/* Five messages: two listed and read, one failed and listed, one read and one failed that no row
 * names; a row without an item. */
static void a_ledger_that_adds_up(void **state)
{
    struct ledger l = {.tally = *state};
    struct chk_verdict v;

    announce(*state, INBOX, 5, 2);
    assert_int_equal(chk_tally_rows(*state, INBOX, 4, true), 0);
    assert_int_equal(chk_tally_failed(*state, MESSAGE, INBOX), 0);
    orphan_in(*state, F_item_orphan, MESSAGE2, INBOX);
    assert_int_equal(chk_tally_item(*state, INBOX, true, false), 0);
    orphan_in(*state, F_item_orphan, MESSAGE2 + 32, INBOX);
    assert_int_equal(chk_tally_failed(*state, MESSAGE2 + 32, INBOX), 0);
    orphan_in(*state, F_row_without_item, MESSAGE2 + 64, INBOX);
    announce(*state, DRAFTS, 3, 3); /* whose table could not be read */
    assert_int_equal(chk_tally_rows(*state, DRAFTS, 0, false), 0);
    assert_int_equal(chk_tally_reconcile(*state, &l, on_ledger), 0);
    assert_int_equal(l.count, 0);
    v = verdict(*state, clean_facts());
    assert_int_equal(v.remedy, REMEDY_UNKNOWN);
    assert_int_equal(v.coverage.items_expected, 8);
    assert_int_equal(v.coverage.items_read, 6);
    assert_int_equal(v.coverage.items_failed, 2);
    assert_int_equal(v.coverage.items_orphaned, 2);
    assert_int_equal(v.coverage.rows, 4);
    assert_int_equal(v.coverage.rows_without_item, 1);
    assert_int_equal(v.folder_count, 1);
    assert_int_equal(v.folders[0].failed, 2);
    assert_int_equal(v.folders[0].orphaned, 2);
    assert_int_equal(v.folders[0].rows_without_item, 1);
    assert_int_equal(reason_with(&v, F_row_without_item)->items[0], MESSAGE2 + 64);
}

/* A row without an item alone is no damage, but the item may be what was lost. */
static void a_row_without_an_item_is_not_passed_over(void **state)
{
    struct ledger l = {.tally = *state};

    announce(*state, INBOX, 2, 2);
    assert_int_equal(chk_tally_rows(*state, INBOX, 3, true), 0);
    orphan_in(*state, F_row_without_item, MESSAGE, INBOX);
    assert_int_equal(chk_tally_reconcile(*state, &l, on_ledger), 0);
    assert_int_equal(l.count, 0);
    assert_int_equal(remedy(*state, clean_facts()), REMEDY_UNKNOWN);
}

static void a_difference_in_the_ledger_is_told(void **state)
{
    static const struct {
        uint64_t messages, rows, expected, actual;
    } wrong[] = {
        {2, 3, 2, 3}, /* a row too many */
        {2, 1, 2, 1},
        {3, 2, 3, 2}, /* a message not met */
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ledger l = {0};

        assert_int_equal(chk_tally_create(&l.tally), 0);
        announce(l.tally, DRAFTS, 1, 1);
        assert_int_equal(chk_tally_rows(l.tally, DRAFTS, 1, true), 0);
        announce(l.tally, INBOX, wrong[i].messages, 2);
        assert_int_equal(chk_tally_rows(l.tally, INBOX, wrong[i].rows, true), 0);
        l.fail = -77;
        assert_int_equal(chk_tally_reconcile(l.tally, &l, on_ledger), -77);
        l.fail = 0;
        l.count = 0;
        assert_int_equal(chk_tally_reconcile(l.tally, &l, on_ledger), 0);
        assert_int_equal(l.count, 1);
        assert_int_equal(l.last.nid, INBOX);
        assert_int_equal(l.last.expected, wrong[i].expected);
        assert_int_equal(l.last.actual, wrong[i].actual);
        assert_int_equal(remedy(l.tally, clean_facts()), REMEDY_UNKNOWN);
        chk_tally_destroy(l.tally);
    }
}

/* That another engine reads an item otherwise is never damage. */
static void a_difference_of_engines_leaves_it_open(void **state)
{
    struct chk_verdict v;

    announce(*state, INBOX, 1, 1);
    orphan_in(*state, F_engines_differ, MESSAGE, INBOX);
    v = verdict(*state, clean_facts());
    assert_int_equal(v.remedy, REMEDY_UNKNOWN);
    assert_int_equal(v.folder_count, 0);
    assert_int_equal(reason_with(&v, F_engines_differ)->items[0], MESSAGE);
    tell(*state, F_block_crc);
    assert_int_equal(remedy(*state, clean_facts()), REMEDY_REBUILD); /* for the block's sake */
}

/* Severity alone does not make damage certain: the code's evidence must be a real file's. */
static void corrupt_without_evidence_is_no_damage(void **state)
{
    struct finding f = damage_in(F_version_unknown, NULL);

    assert_int_equal(chk_tally_finding(*state, &f), 0);
    assert_int_equal(remedy(*state, clean_facts()), REMEDY_NONE);
}

static void damage_in_named_folders_is_resynced(void **state)
{
    const uint32_t inbox = INBOX, items[2] = {MESSAGE2, MESSAGE};
    struct finding f = damage_in(F_item_orphan, &inbox);
    struct chk_facts facts = clean_facts();
    struct chk_verdict v;

    announce(*state, INBOX, 3, 2);
    announce(*state, DRAFTS, 1, 1);
    f.has_nid = true;
    f.nid = MESSAGE;
    f.items = items;
    f.item_count = 2;
    assert_int_equal(chk_tally_finding(*state, &f), 0);
    assert_int_equal(chk_tally_failed(*state, MESSAGE, INBOX), 0);
    tell(*state, F_item_failed);
    v = verdict(*state, facts);
    assert_int_equal(v.remedy, REMEDY_UNKNOWN); /* the last finding names no node */
    chk_tally_destroy(*state);

    assert_int_equal(setup(state), 0);
    announce(*state, INBOX, 3, 2);
    announce(*state, DRAFTS, 1, 1);
    assert_int_equal(chk_tally_finding(*state, &f), 0);
    f = finding_of(F_item_failed);
    f.has_nid = true;
    f.nid = MESSAGE;
    assert_int_equal(chk_tally_finding(*state, &f), 0);
    assert_int_equal(chk_tally_failed(*state, MESSAGE, INBOX), 0);
    v = verdict(*state, facts);
    assert_int_equal(v.remedy, REMEDY_RESYNC_FOLDERS);
    assert_int_equal(v.folder_count, 1);
    assert_int_equal(v.folders[0].nid, INBOX);
    assert_int_equal(v.folders[0].failed, 1);
    assert_int_equal(v.folders[0].remedy, REMEDY_RESYNC_FOLDERS);
    assert_int_equal(v.reasons[0].codes[0], F_item_orphan);
    assert_int_equal(v.reasons[0].item_count, 2);
    assert_int_equal(v.reasons[0].items[0], MESSAGE);
    assert_int_equal(v.reasons[0].items[1], MESSAGE2);
    facts.verified_bytes--;
    assert_int_equal(remedy(*state, facts), REMEDY_UNKNOWN);
    facts = clean_facts();
    facts.complete = false;
    assert_int_equal(remedy(*state, facts), REMEDY_UNKNOWN);
    facts = clean_facts();
    facts.account = "imap";
    assert_int_equal(remedy(*state, facts), REMEDY_REPAIR_COPY);
}

/* A folder with certain damage that would be resynced, and one thing more that forbids it. */
static void resync_needs_all_else_sound(void **state)
{
    enum {
        NOTHING,
        FAILED_ELSEWHERE,
        NO_FOLDER,
        UNPLACED,
        UNREAD_FOLDER,
        UNREAD_TABLE,
        MISSING,
        HIERARCHY,
        READ_FAILED,
        CASES
    };
    static const enum chk_remedy want[CASES] = {
        [NOTHING] = REMEDY_RESYNC_FOLDERS, [FAILED_ELSEWHERE] = REMEDY_UNKNOWN,
        [NO_FOLDER] = REMEDY_UNKNOWN,      [UNPLACED] = REMEDY_REBUILD,
        [UNREAD_FOLDER] = REMEDY_UNKNOWN,  [UNREAD_TABLE] = REMEDY_UNKNOWN,
        [MISSING] = REMEDY_REBUILD,        [HIERARCHY] = REMEDY_REBUILD,
        [READ_FAILED] = REMEDY_UNKNOWN,
    };
    const uint32_t inbox = INBOX, missing = 0x9002;

    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct finding f = damage_in(F_item_orphan, &inbox);
        struct chk_tally *t;

        assert_int_equal(chk_tally_create(&t), 0);
        announce(t, INBOX, 1, 1);
        announce(t, DRAFTS, 1, i == FAILED_ELSEWHERE ? 0 : 1);
        if (i == FAILED_ELSEWHERE)
            assert_int_equal(chk_tally_failed(t, MESSAGE, DRAFTS), 0);
        if (i == NO_FOLDER)
            assert_int_equal(chk_tally_item(t, 0, true, false), 0);
        assert_int_equal(chk_tally_finding(t, &f), 0);
        if (i == UNREAD_FOLDER)
            tell(t, F_folder_failed);
        if (i == UNREAD_TABLE)
            tell(t, F_table_failed);
        if (i == READ_FAILED) {
            struct finding failed = finding_of(F_read_failed);

            failed.has_nid = true;
            failed.nid = MESSAGE;
            assert_int_equal(chk_tally_finding(t, &failed), 0);
        }
        f = damage_in(F_item_orphan, i == UNPLACED ? NULL : &inbox);
        if (i == MISSING)
            f.folders = &missing;
        f.has_nid = i == HIERARCHY;
        f.nid = 0x218D; /* the inbox's hierarchy table */
        assert_int_equal(chk_tally_finding(t, &f), 0);
        assert_int_equal(remedy(t, clean_facts()), want[i]);
        chk_tally_destroy(t);
    }
}

/* The contents table of a damaged folder belongs to it, its hierarchy table does not. */
static void unread_contents_table_stays_within_its_folder(void **state)
{
    const uint32_t inbox = INBOX;
    struct finding f = damage_in(F_item_orphan, &inbox);

    announce(*state, INBOX, 1, 1);
    assert_int_equal(chk_tally_finding(*state, &f), 0);
    f = finding_of(F_table_failed);
    f.has_nid = true;
    f.nid = 0x218E;
    assert_int_equal(chk_tally_finding(*state, &f), 0);
    assert_int_equal(remedy(*state, clean_facts()), REMEDY_RESYNC_FOLDERS);
    f.nid = 0x218D;
    assert_int_equal(chk_tally_finding(*state, &f), 0);
    assert_int_equal(remedy(*state, clean_facts()), REMEDY_UNKNOWN);
}

/* Whatever is found in it: what only an Exchange server can refill is never advised elsewhere. */
static void no_other_image_is_rebuilt_or_resynced(void **state)
{
    static const struct {
        enum ost_content content;
        const char *account;
    } others[] = {{OST_CONTENT_PST, "exchange"}, {OST_CONTENT_PST, "unknown"},
                  {OST_CONTENT_OST, "imap"},     {OST_CONTENT_OST, "other"},
                  {OST_CONTENT_OST, "unknown"},  {OST_CONTENT_UNKNOWN, "exchange"},
                  {OST_CONTENT_PAB, "exchange"}};
    const uint32_t inbox = INBOX;

    (void)state;
    for (unsigned code = 0; code < FINDING_CODES; code++)
        for (unsigned named = 0; named < 2; named++) {
            struct finding f = damage_in((enum finding_code)code, named ? &inbox : NULL);
            struct chk_tally *t;

            assert_int_equal(chk_tally_create(&t), 0);
            announce(t, INBOX, 1, 1);
            assert_int_equal(chk_tally_finding(t, &f), 0);
            for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
                struct chk_facts facts = clean_facts();
                struct chk_verdict v;

                facts.content = others[i].content;
                facts.account = others[i].account;
                v = verdict(t, facts);
                assert_int_not_equal(v.remedy, REMEDY_REBUILD);
                assert_int_not_equal(v.remedy, REMEDY_RESYNC_FOLDERS);
                for (size_t k = 0; k < v.folder_count; k++)
                    assert_int_equal(v.folders[k].remedy, v.remedy);
            }
            chk_tally_destroy(t);
        }
}

static void lists_are_capped_and_sorted_and_counts_are_not(void **state)
{
    struct chk_verdict v;

    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t folder = ((i * 7919 % 3000) << 5 | 2) + 0x8000;

        assert_int_equal(chk_tally_failed(*state, (5000 - i) << 5 | 4, folder), 0);
        assert_int_equal(chk_tally_failed(*state, (5000 - i) << 5 | 4, folder), 0);
    }
    v = verdict(*state, clean_facts());
    assert_int_equal(v.coverage.items_failed, 6000);
    assert_int_equal(v.folder_count, 3000);
    for (size_t i = 1; i < v.folder_count; i++)
        assert_true(v.folders[i - 1].nid < v.folders[i].nid);
    assert_int_equal(v.reasons[0].item_count, CHK_REASON_ITEMS);
    for (size_t i = 1; i < CHK_REASON_ITEMS; i++)
        assert_true(v.reasons[0].items[i - 1] < v.reasons[0].items[i]);
}

static void many_codes_fit_into_one_reason(void **state)
{
    struct chk_verdict v;

    for (unsigned code = 0; code < FINDING_CODES; code++)
        if (code != F_changed_while_read && code != F_truncated_while_read)
            tell(*state, (enum finding_code)code);
    v = verdict(*state, clean_facts());
    assert_int_equal(v.remedy, REMEDY_REBUILD);
    assert_int_equal(v.reasons[0].code_count, CHK_REASON_CODES);
}

static int scenario(enum chk_remedy *out)
{
    struct chk_facts facts = clean_facts();
    const uint32_t folders[2] = {INBOX, DRAFTS};
    struct finding f = damage_in(F_item_orphan, folders);
    struct chk_tally *t;
    struct chk_verdict v;
    int err = chk_tally_create(&t);

    if (err)
        return err;
    for (uint32_t i = 0; i < 200 && !err; i++)
        err = chk_tally_folder(t, i << 5 | 2, 0);
    if (!err)
        err = chk_tally_folder(t, INBOX, 0);
    if (!err)
        err = chk_tally_finding(t, &f);
    if (!err)
        err = chk_verdict_make(t, &facts, &v);
    if (!err)
        *out = v.remedy;
    chk_tally_destroy(t);
    return err;
}

static void failing_allocations_are_told(void **state)
{
    enum chk_remedy got = REMEDY_NONE;
    unsigned nth = 0;
    int err;

    (void)state;
    do {
        mem_test_fail(++nth, 0);
        err = scenario(&got);
        mem_test_fail(0, 0);
        assert_true(err == 0 || err == ERR_NOMEM);
    } while (err);
    assert_true(nth > 5);
    assert_int_equal(got, REMEDY_RESYNC_FOLDERS);
}

static void tally_stays_usable_after_a_failure(void **state)
{
    struct chk_facts facts = clean_facts();
    struct chk_verdict v;

    announce(*state, INBOX, 1, 1);
    mem_test_fail(1, 1);
    assert_int_equal(chk_verdict_make(*state, &facts, &v), ERR_NOMEM);
    for (uint32_t i = 1000; i < 1200; i++)
        (void)chk_tally_item(*state, i << 5 | 2, false, false);
    mem_test_fail(0, 0);
    assert_true(verdict(*state, facts).coverage.items_read < 201);
    assert_int_equal(remedy(*state, facts), REMEDY_NONE);
}

#define WITH_TALLY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        WITH_TALLY(clean_image_needs_nothing),
        WITH_TALLY(unseen_is_never_healthy),
        cmocka_unit_test(unread_parts_are_never_healthy),
        cmocka_unit_test(items_in_trouble_leave_it_open),
        WITH_TALLY(held_or_changed_is_tried_again),
        WITH_TALLY(structure_of_exchange_ost_is_rebuilt),
        WITH_TALLY(a_ledger_that_adds_up),
        WITH_TALLY(a_row_without_an_item_is_not_passed_over),
        cmocka_unit_test(a_difference_in_the_ledger_is_told),
        WITH_TALLY(a_difference_of_engines_leaves_it_open),
        WITH_TALLY(corrupt_without_evidence_is_no_damage),
        WITH_TALLY(damage_in_named_folders_is_resynced),
        cmocka_unit_test(resync_needs_all_else_sound),
        WITH_TALLY(unread_contents_table_stays_within_its_folder),
        cmocka_unit_test(no_other_image_is_rebuilt_or_resynced),
        WITH_TALLY(lists_are_capped_and_sorted_and_counts_are_not),
        WITH_TALLY(many_codes_fit_into_one_reason),
        cmocka_unit_test(failing_allocations_are_told),
        WITH_TALLY(tally_stays_usable_after_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
