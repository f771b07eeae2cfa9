/* test_view.c: what a record shows of an item; finding properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "index/view.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/support/maker.h"

static void kinds_by_class(void **state)
{
    static const struct {
        const char *message_class;
        enum idx_kind kind;
    } known[] = {
        {"IPM.Note", KIND_MAIL},
        {"ipm.note", KIND_MAIL},
        {"IPM.Note.SMIME.MultipartSigned", KIND_MAIL},
        {"IPM.Notes", KIND_OTHER},
        {"IPM.StickyNote", KIND_NOTE},
        {"IPM.Appointment", KIND_APPOINTMENT},
        {"IPM.Appointment.Occurrence", KIND_APPOINTMENT},
        {"IPM.Schedule.Meeting.Request", KIND_MEETING},
        {"IPM.Schedule.Meeting", KIND_MEETING},
        {"IPM.Schedule", KIND_OTHER},
        {"IPM.Contact", KIND_CONTACT},
        {"IPM.DistList", KIND_DISTLIST},
        {"IPM.AbchPerson", KIND_PERSON},
        {"IPM.Task", KIND_TASK},
        {"IPM.TaskRequest.Accept", KIND_TASK},
        {"IPM.Activity", KIND_JOURNAL},
        {"IPM.Post.RSS", KIND_POST},
        {"IPM.Document.txtfile", KIND_DOCUMENT},
        {"IPM.Sharing.Index", KIND_SHARING},
        {"REPORT.IPM.Note.NDR", KIND_REPORT},
        {"Report", KIND_REPORT},
        {"IPM.Configuration.Calendar", KIND_OTHER},
        {"IPM", KIND_OTHER},
        {"", KIND_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct maker *m = maker_create();

        assert_int_equal(idx_kind_of_class(known[i].message_class), known[i].kind);
        maker_text(&m->props, 0x001A, known[i].message_class);
        assert_int_equal(idx_kind_of_item(maker_item(m)), known[i].kind);
        maker_ascii(&m->props, 0x001A, known[i].message_class);
        assert_int_equal(idx_kind_of_item(maker_item(m)), known[i].kind);
        maker_destroy(m);
    }
    for (int kind = 0; kind < IDX_KINDS; kind++)
        assert_non_null(idx_kind_name((enum idx_kind)kind));
    assert_string_equal(idx_kind_name(KIND_MAIL), "mail");
    assert_string_equal(idx_kind_name(KIND_DISTLIST), "distlist");
    assert_string_equal(idx_kind_name(KIND_OTHER), "other");
}

static void subject_markers(void **state)
{
    struct bytes s;

    (void)state;
    s = idx_subject_text((struct bytes){(const uint8_t *)"\1\0\5\0R\0", 6}, true);
    assert_int_equal(s.size, 2);
    assert_int_equal(s.data[0], 'R');
    s = idx_subject_text((struct bytes){(const uint8_t *)"\1\0\1\0", 4}, true);
    assert_int_equal(s.size, 0);
    s = idx_subject_text((struct bytes){(const uint8_t *)"\1\0", 2}, true);
    assert_int_equal(s.size, 2);
    s = idx_subject_text((struct bytes){(const uint8_t *)"\1\1x", 3}, true);
    assert_int_equal(s.size, 3);
    s = idx_subject_text((struct bytes){(const uint8_t *)"\1\5R", 3}, false);
    assert_int_equal(s.size, 1);
    s = idx_subject_text((struct bytes){(const uint8_t *)"R", 1}, false);
    assert_int_equal(s.size, 1);
    s = idx_subject_text((struct bytes){NULL, 0}, true);
    assert_int_equal(s.size, 0);
}

static void is(struct idx_str s, const char *text)
{
    assert_non_null(s.data);
    assert_int_equal(s.size, strlen(text));
    assert_memory_equal(s.data, text, s.size);
}

static struct maker *mail(void)
{
    static const char *const names[] = {"Ann", "Bob", "Cy", "Di", "Ed"};
    static const uint32_t types[] = {1, 2, 0x10000001, 3, 0};
    struct maker *m = maker_create();
    struct maker_props *p;

    maker_prop(&m->props, 0x0037, OST_UNICODE, "\1\0\1\0H\0i\0\0\0", 10);
    maker_text(&m->props, 0x001A, "IPM.Note");
    maker_text(&m->props, 0x1035, "<a@b>");
    maker_u64(&m->props, 0x0039, OST_TIME, 42);
    maker_u64(&m->props, 0x0E06, OST_TIME, 43);
    maker_u64(&m->props, 0x3007, OST_TIME, 44);
    maker_u32(&m->props, 0x0E07, 0x11);
    maker_u32(&m->props, 0x0E08, 12345);
    maker_u64(&m->props, 0x67F4, OST_I64, 0x0123456789ABCDEF);
    maker_prop(&m->props, 0x300B, OST_BINARY, "key", 3);
    maker_ascii(&m->props, 0x0C1A, "S\xE9nder");
    maker_ascii(&m->props, 0x0C1F, "/O=X");
    maker_text(&m->props, 0x0042, "Boss");
    for (size_t i = 0; i < 5; i++) {
        p = maker_recipient(m);
        maker_u32(p, 0x0C15, types[i]);
        maker_text(p, 0x3001, names[i]);
        maker_text(p, 0x3003, "/o=stored");
        if (i == 1)
            maker_text(p, 0x39FE, "bob@example.org");
        if (i == 2)
            maker_text(p, 0x39FE, "");
    }
    p = maker_attachment(m, 1);
    maker_text(p, 0x3704, "LONGNA~1.TXT");
    maker_text(p, 0x3707, "long name.txt");
    p = maker_attachment(m, 1);
    maker_text(p, 0x3707, "");
    maker_text(p, 0x3704, "A.TXT");
    p = maker_attachment(m, 5);
    maker_text(p, 0x3001, "Embedded");
    maker_attachment(m, 1);
    return m;
}

static void everything_of_a_mail(void **state)
{
    struct maker *m = mail();
    struct idx_text *text;
    struct arena arena;
    struct idx_view v;

    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(idx_text_create(&text), 0);
    assert_int_equal(idx_view_make(text, &arena, maker_item(m), &v), 0);
    assert_int_equal(v.kind, KIND_MAIL);
    is(v.message_class, "IPM.Note");
    is(v.subject, "Hi");
    assert_int_equal(v.subject.raw.size, 10);
    is(v.message_id, "<a@b>");
    assert_true(v.submitted.has && v.submitted.filetime == 42);
    assert_true(v.delivered.has && v.delivered.filetime == 43);
    assert_true(v.created.has && v.created.filetime == 44);
    assert_false(v.modified.has);
    assert_true(v.has_flags && v.flags == 0x11);
    assert_true(v.has_size && v.size == 12345);
    assert_true(v.has_mid && v.mid == 0x0123456789ABCDEF);
    assert_int_equal(v.search_key.size, 3);
    assert_null(v.change_key.data);
    is(v.from.name, "S\xC3\xA9nder");
    is(v.from.address, "/O=X");
    assert_true(v.from.name.whole);
    assert_int_equal(v.to_count, 2);
    assert_int_equal(v.cc_count, 1);
    assert_int_equal(v.bcc_count, 1);
    is(v.to[0].name, "Ann");
    is(v.to[0].address, "/o=stored");
    is(v.to[1].name, "Cy");
    is(v.to[1].address, "/o=stored");
    is(v.cc[0].address, "bob@example.org");
    is(v.bcc[0].name, "Di");
    is(v.attachment_names[0], "long name.txt");
    is(v.attachment_names[1], "A.TXT");
    is(v.attachment_names[2], "Embedded");
    assert_null(v.attachment_names[3].data);
    maker_destroy(m);
    arena_done(&arena);
    idx_text_destroy(text);
}

static void absent_things_stay_absent(void **state)
{
    struct maker *m = maker_create();
    struct idx_text *text;
    struct arena arena;
    struct idx_view v;

    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(idx_text_create(&text), 0);
    assert_int_equal(idx_view_make(text, &arena, maker_item(m), &v), 0);
    assert_int_equal(v.kind, KIND_OTHER);
    assert_null(v.subject.data);
    assert_null(v.from.name.data);
    assert_null(v.from.address.data);
    assert_false(v.has_mid || v.has_size || v.has_flags || v.submitted.has);
    assert_int_equal(v.to_count + v.cc_count + v.bcc_count, 0);
    /* empty is not absent; values of a wrong type or size are not taken */
    maker_text(&m->props, 0x0037, "");
    maker_u32(&m->props, 0x1035, 7);
    maker_u32(&m->props, 0x0039, 7);
    maker_prop(&m->props, 0x0E07, OST_I32, "\1\2", 2);
    maker_prop(&m->props, 0x001A, OST_UNICODE, "", 0);
    assert_int_equal(idx_view_make(text, &arena, maker_item(m), &v), 0);
    is(v.subject, "");
    assert_null(v.message_id.data);
    assert_false(v.submitted.has || v.has_flags);
    maker_destroy(m);
    arena_done(&arena);
    idx_text_destroy(text);
}

static void rows_and_representatives_stand_in(void **state)
{
    static const uint8_t time[8] = {9};
    const struct ost_prop row[] = {
        {.id = 0x3007, .type = OST_TIME, .value = {(const uint8_t *)"\1\0\0\0\0\0\0\0", 8}},
        {.id = 0x3008, .type = OST_TIME, .value = {time, 8}},
        {.id = 0x65E2, .type = OST_BINARY, .value = {(const uint8_t *)"ck", 2}},
        {.id = 0x65E3, .type = OST_BINARY, .value = {(const uint8_t *)"pcl", 3}},
    };
    struct maker *m = maker_create();
    struct idx_text *text;
    struct arena arena;
    struct idx_view v;

    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(idx_text_create(&text), 0);
    maker_u64(&m->props, 0x3007, OST_TIME, 5);
    maker_text(&m->props, 0x0042, "Boss");
    maker_text(&m->props, 0x0065, "/o=boss");
    maker_text(&m->props, 0x5D02, "boss@example.org");
    maker_text(&m->props, 0x0C1A, "");
    maker_prop(&m->props, 0x0037, OST_UNICODE, "x\0y", 3);
    m->item.row = (struct ost_props){row, 4};
    assert_int_equal(idx_view_make(text, &arena, maker_item(m), &v), 0);
    assert_int_equal(v.created.filetime, 5);
    assert_true(v.modified.has && v.modified.filetime == 9);
    assert_int_equal(v.change_key.size, 2);
    assert_int_equal(v.pcl.size, 3);
    is(v.from.name, "Boss");
    is(v.from.address, "boss@example.org");
    is(v.subject, "x");
    assert_false(v.subject.whole);
    maker_destroy(m);
    arena_done(&arena);
    idx_text_destroy(text);
}

static void failing_allocations(void **state)
{
    struct maker *m = mail();
    const struct ost_item *item = maker_item(m);
    int rc = ERR_NOMEM;

    (void)state;
    for (uint64_t nth = 1; rc; nth++) {
        struct idx_text *text;
        struct arena arena;
        struct idx_view v;

        arena_init(&arena, 1 << 20);
        assert_int_equal(idx_text_create(&text), 0);
        mem_test_fail(nth, 1);
        rc = idx_view_make(text, &arena, item, &v);
        mem_test_fail(0, 0);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        arena_done(&arena);
        idx_text_destroy(text);
        assert_true(nth < 100);
    }
    maker_destroy(m);
}

static void properties_are_found(void **state)
{
    struct maker *m = maker_create();
    struct ost_props props;

    (void)state;
    for (uint16_t id = 2; id < 200; id += 2)
        maker_u32(&m->props, id, id);
    maker_ascii(&m->props, 0x0100, "x");
    maker_text(&m->props, 0x0102, "x");
    maker_prop(&m->props, 0x0104, 0x2102, "x", 1);
    props = maker_item(m)->props;
    for (uint16_t id = 0; id < 202; id++) {
        const struct ost_prop *p = ost_props_find(props, id, 0);

        assert_int_equal(p != NULL, id > 0 && id < 200 && id % 2 == 0);
        if (p)
            assert_int_equal(p->id, id);
    }
    assert_non_null(ost_props_find(props, 2, OST_I32));
    assert_null(ost_props_find(props, 2, OST_I16));
    assert_non_null(ost_props_find(props, 0x0100, OST_UNICODE));
    assert_non_null(ost_props_find(props, 0x0102, OST_STRING8));
    assert_null(ost_props_find(props, 0x0102, OST_STRING8 | OST_MULTI));
    assert_non_null(ost_props_find(props, 0x0104, OST_BINARY));
    assert_null(ost_props_find((struct ost_props){0}, 2, 0));
    maker_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_by_class),
        cmocka_unit_test(subject_markers),
        cmocka_unit_test(everything_of_a_mail),
        cmocka_unit_test(absent_things_stay_absent),
        cmocka_unit_test(rows_and_representatives_stand_in),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(properties_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
