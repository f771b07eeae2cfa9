/* test_signs.c: signs of data on this computer alone, and logs of synchronizing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/check/verdict.h"

enum {
    ROOT = 0x122,
    TOP = 0x2142,
    INBOX = 0x2182,
    OUTBOX = 0x21A2,
    LOGS = 0x8362,
    CONFLICTS = 0x8382,
    FAILURES = 0x83A2,
    REFUSED = 0x83C2,
    OWN = 0x8402,    /* an id of its own, in the mailbox */
    HIDDEN = 0x2202, /* … beside it */
    MESSAGE = 0x200024
};

static const struct chk_folder_place places[] = {
    {ROOT, ROOT, "root", false},
    {TOP, ROOT, "ipm_subtree", true},
    {INBOX, TOP, "inbox", true},
    {OUTBOX, TOP, "outbox", true},
    {LOGS, TOP, "sync_issues", false},
    {CONFLICTS, LOGS, "conflicts", false},
    {FAILURES, LOGS, "local_failures", false},
    {REFUSED, LOGS, "server_failures", false},
    {OWN, INBOX, NULL, true},
    {HIDDEN, ROOT, NULL, true},
};

static const struct chk_facts exchange = {.content = OST_CONTENT_OST,
                                          .account = "exchange",
                                          .has_allocated = true,
                                          .allocated_bytes = 1,
                                          .verified_bytes = 1,
                                          .complete = true,
                                          .rows_certain = true};

static int setup(void **state)
{
    struct chk_tally *t;

    if (chk_tally_create(&t))
        return -1;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (chk_tally_folder(t, places[i].nid, 0) || chk_tally_place(t, &places[i]))
            return -1;
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    chk_tally_destroy(*state);
    return 0;
}

static struct chk_item_marks item_of_server(uint32_t nid, uint32_t folder)
{
    return (struct chk_item_marks){.nid = nid,
                                   .folder = folder,
                                   .has_size = true,
                                   .size_bytes = 100,
                                   .has_flags = true,
                                   .flags = 1,
                                   .has_row = true,
                                   .change_key_size = 22};
}

static void add(struct chk_tally *t, const struct chk_item_marks *marks)
{
    assert_int_equal(chk_tally_folder(t, marks->folder, 1), 0);
    assert_int_equal(chk_tally_item(t, marks->folder, false, false), 0);
    assert_int_equal(chk_tally_marks(t, marks), 0);
}

static struct chk_verdict verdict(struct chk_tally *t, const struct chk_facts *facts)
{
    struct chk_verdict v;

    assert_int_equal(chk_verdict_make(t, facts, &v), 0);
    return v;
}

static const struct chk_reason *sign_of(const struct chk_verdict *v)
{
    for (size_t i = 0; i < v->reason_count; i++)
        if (v->reasons[i].about == CONCERN_EXPORT && v->reasons[i].strength)
            return &v->reasons[i];
    return NULL;
}

static bool says_none_found(const struct chk_verdict *v)
{
    for (size_t i = 0; i < v->reason_count; i++)
        if (v->reasons[i].about == CONCERN_EXPORT && !v->reasons[i].strength) {
            assert_non_null(strstr(v->reasons[i].text, "no sign"));
            assert_non_null(strstr(v->reasons[i].text, "does not show that there is none"));
            return true;
        }
    return false;
}

/* Each mark alone, in an image that is otherwise as the server has it. */
static void each_sign_has_its_strength(void **state)
{
    static const struct {
        uint32_t folder, flags;
        size_t key;
        bool row, assoc;
        enum chk_strength strength;
    } cases[] = {
        {INBOX, 1, 22, true, false, STRENGTH_NONE},
        {INBOX, 9, 22, true, false, STRENGTH_NONE}, /* a draft: unsent, but not to be sent */
        {OUTBOX, 8, 22, true, false, STRENGTH_STRONG},
        {OUTBOX, 1, 22, true, false, STRENGTH_WEAK},
        {OUTBOX, 8, 22, true, true, STRENGTH_NONE},
        {FAILURES, 1, 22, true, false, STRENGTH_STRONG},
        {FAILURES, 1, 22, true, true, STRENGTH_NONE},
        {CONFLICTS, 1, 20, true, false, STRENGTH_STRONG},
        {LOGS, 1, 20, true, false, STRENGTH_NONE},
        {REFUSED, 1, 20, true, false, STRENGTH_NONE},
        {OWN, 1, 22, true, false, STRENGTH_WEAK},
        {HIDDEN, 1, 22, true, false, STRENGTH_NONE},
        {INBOX, 1, 21, true, false, STRENGTH_WEAK},
        {INBOX, 1, 23, true, false, STRENGTH_WEAK},
        {INBOX, 1, 20, true, false, STRENGTH_WEAK},
        {INBOX, 1, 20, true, true, STRENGTH_NONE}, /* settings: healthy files have such */
        {INBOX, 1, 0, true, false, STRENGTH_WEAK},
        {INBOX, 1, 0, false, false, STRENGTH_NONE}, /* its row was not read: nothing is known */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct chk_item_marks marks = item_of_server(MESSAGE, cases[i].folder);
        const struct chk_reason *sign;
        struct chk_verdict v;

        marks.flags = cases[i].flags;
        marks.change_key_size = cases[i].key;
        marks.has_row = cases[i].row;
        marks.assoc = cases[i].assoc;
        add(*state, &marks);
        v = verdict(*state, &exchange);
        sign = sign_of(&v);
        assert_int_equal(sign ? sign->strength : STRENGTH_NONE, cases[i].strength);
        assert_int_equal(v.export_first,
                         cases[i].strength == STRENGTH_STRONG ? EXPORT_REQUIRED : EXPORT_UNKNOWN);
        assert_int_equal(says_none_found(&v), sign == NULL);
        assert_int_equal(v.remedy, REMEDY_NONE); /* no sign is damage */
        if (sign) {
            assert_int_equal(sign->count, 1);
            assert_int_equal(sign->item_count, 1);
            assert_int_equal(sign->items[0], MESSAGE);
            assert_int_equal(sign->folder_count, 1);
            assert_int_equal(sign->folders[0], cases[i].folder);
        }
        chk_tally_destroy(*state);
        assert_int_equal(setup(state), 0);
    }
}

static void what_other_images_have_is_no_sign(void **state)
{
    struct chk_item_marks unsent = item_of_server(MESSAGE, OUTBOX);
    struct chk_item_marks client = item_of_server(MESSAGE + 32, INBOX);
    struct chk_facts facts = exchange;
    struct chk_verdict v;

    unsent.flags = 8;
    client.change_key_size = 20;
    add(*state, &client);
    v = verdict(*state, &facts);
    assert_non_null(sign_of(&v));
    assert_true(v.has_download);
    facts.account = "imap"; /* whose change keys mean nothing known */
    v = verdict(*state, &facts);
    assert_null(sign_of(&v));
    assert_false(v.has_download);
    add(*state, &unsent);
    v = verdict(*state, &facts);
    assert_int_equal(v.export_first, EXPORT_REQUIRED);
    facts.content = OST_CONTENT_PST; /* it is where its data are */
    v = verdict(*state, &facts);
    assert_int_equal(v.export_first, EXPORT_UNKNOWN);
    assert_null(sign_of(&v));
    assert_false(says_none_found(&v));
}

/* What was not gone through, or changed meanwhile, is never said to hold no sign. */
static void none_found_needs_all_seen(void **state)
{
    struct chk_facts facts = exchange;
    struct chk_verdict v = verdict(*state, &facts);

    assert_true(says_none_found(&v));
    facts.complete = false;
    v = verdict(*state, &facts);
    assert_false(says_none_found(&v));
    facts = exchange;
    facts.changed = true;
    v = verdict(*state, &facts);
    assert_false(says_none_found(&v));
    assert_int_equal(v.export_first, EXPORT_UNKNOWN);
}

static void downloads_are_added_up(void **state)
{
    struct chk_item_marks marks = item_of_server(MESSAGE, INBOX);
    struct chk_verdict v;

    assert_int_equal(chk_tally_folder(*state, INBOX, 5), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(chk_tally_item(*state, INBOX, false, false), 0);
        marks.has_size = i < 2;
        assert_int_equal(chk_tally_marks(*state, &marks), 0);
    }
    assert_int_equal(chk_tally_failed(*state, MESSAGE + 32, INBOX), 0); /* and one is missing */
    marks = item_of_server(MESSAGE + 64, FAILURES);
    add(*state, &marks); /* no server has it */
    marks = item_of_server(MESSAGE + 96, HIDDEN);
    marks.size_bytes = 7;
    add(*state, &marks);
    v = verdict(*state, &exchange);
    assert_int_equal(v.download.items, 6);
    assert_int_equal(v.download.bytes, 207);
    assert_int_equal(v.download.unsized, 3);
    assert_int_equal(v.folder_count, 1);
    assert_int_equal(v.folders[0].download.items, 5);
    assert_int_equal(v.folders[0].download.bytes, 200);
    marks.size_bytes = UINT64_MAX;
    assert_int_equal(chk_tally_marks(*state, &marks), 0); /* no sum wraps */
    assert_true(verdict(*state, &exchange).download.bytes >= 200);
}

static const struct chk_reason *logged(const struct chk_verdict *v)
{
    for (size_t i = 0; i < v->reason_count; i++)
        if (v->reasons[i].about == CONCERN_SYNC)
            return &v->reasons[i];
    return NULL;
}

static void logs_are_summed_up(void **state)
{
    struct chk_verdict v = verdict(*state, &exchange);
    const struct chk_reason *r;

    assert_null(logged(&v));
    chk_tally_sync_error(*state, MESSAGE, 0x80040102, INBOX, 50);
    chk_tally_sync_error(*state, MESSAGE, 0x80040102, INBOX, 40);
    chk_tally_sync_error(*state, MESSAGE + 32, 0x80040102, INBOX, 0);
    chk_tally_sync_error(*state, MESSAGE + 32, 0x80004005, INBOX, 60);
    chk_tally_sync_error(*state, MESSAGE + 32, 0, 0, 0);
    v = verdict(*state, &exchange);
    r = logged(&v);
    assert_non_null(r);
    assert_int_equal(v.remedy, REMEDY_NONE);
    assert_int_equal(r->count, 5);
    assert_int_equal(r->item_count, 2);
    assert_int_equal(r->error_count, 3);
    assert_int_equal(r->errors[0].folder, 0);
    assert_int_equal(r->errors[0].first, 0);
    assert_int_equal(r->errors[1].code, 0x80004005);
    assert_int_equal(r->errors[2].code, 0x80040102);
    assert_int_equal(r->errors[2].count, 3);
    assert_int_equal(r->errors[2].first, 40);
    assert_int_equal(r->errors[2].last, 50);
}

static void kinds_of_errors_are_bounded(void **state)
{
    struct chk_verdict v;
    const struct chk_reason *r;

    for (uint32_t i = 0; i < 5000; i++)
        chk_tally_sync_error(*state, MESSAGE, 0x80000000u + i * 7919 % 5000, 0, 0);
    chk_tally_sync_error(*state, MESSAGE, 0x80000000u, 0, 0); /* one that is listed */
    v = verdict(*state, &exchange);
    r = logged(&v);
    assert_int_equal(r->count, 5001);
    assert_int_equal(r->error_count, CHK_SYNC_ERRORS);
    assert_int_equal(r->errors[0].code, 0x80000000u);
    assert_int_equal(r->errors[0].count, 2);
    for (size_t i = 1; i < r->error_count; i++)
        assert_int_equal(r->errors[i].code, 0x80000000u + i);
}

/* Threads bring logs as they come by them. */
static void order_of_logs_is_no_matter(void **state)
{
    enum { MANY_LOGS = 3 * CHK_REASON_ITEMS };
    struct chk_verdict v;
    const struct chk_reason *r;

    for (uint32_t i = 0; i < MANY_LOGS; i++) {
        uint32_t at = MANY_LOGS - 1 - i * 7 % MANY_LOGS;

        chk_tally_sync_error(*state, MESSAGE + 32 * at, 0x80000000u + at % 100, 0, 1 + at);
    }
    v = verdict(*state, &exchange);
    r = logged(&v);
    assert_int_equal(r->count, MANY_LOGS);
    assert_int_equal(r->item_count, CHK_REASON_ITEMS);
    for (uint32_t i = 0; i < CHK_REASON_ITEMS; i++)
        assert_int_equal(r->items[i], MESSAGE + 32 * i);
    assert_int_equal(r->error_count, CHK_SYNC_ERRORS);
    for (uint32_t i = 0; i < CHK_SYNC_ERRORS; i++) {
        assert_int_equal(r->errors[i].code, 0x80000000u + i);
        assert_int_equal(r->errors[i].count, MANY_LOGS / 100);
        assert_int_equal(r->errors[i].first, 1 + i);
        assert_int_equal(r->errors[i].last, 1 + i + MANY_LOGS - 100);
    }
}

#define WITH_TALLY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TALLY(each_sign_has_its_strength), WITH_TALLY(what_other_images_have_is_no_sign),
        WITH_TALLY(none_found_needs_all_seen),  WITH_TALLY(downloads_are_added_up),
        WITH_TALLY(logs_are_summed_up),         WITH_TALLY(kinds_of_errors_are_bounded),
        WITH_TALLY(order_of_logs_is_no_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
