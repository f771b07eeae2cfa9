/* test_digest.c: what changes a digest and what does not; bounds, memory, hostile values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/canon.h"
#include "io/buf.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"
#include "tests/support/digests.h"
#include "tests/support/maker.h"

static const uint8_t unknown_set[16] = {1, 2, 3};

/* ---- fields of recipients, attachments and contacts ---- */

static struct maker *full_item(void)
{
    struct maker *m = maker_create();
    struct maker_props *p;

    maker_text(&m->props, 0x001A, "IPM.Note");
    maker_text(&m->props, 0x0037, "Subject");
    maker_u64(&m->props, 0x0039, OST_TIME, 132000000000000000);
    maker_text(&m->props, 0x0C1A, "Ann");
    maker_text(&m->props, 0x0C1F, "ann@example.org");
    p = maker_recipient(m);
    maker_u32(p, 0x0C15, 1);
    maker_text(p, 0x3001, "Bob");
    maker_text(p, 0x3002, "SMTP");
    maker_text(p, 0x3003, "bob@example.org");
    p = maker_recipient(m);
    maker_u32(p, 0x0C15, 1);
    maker_text(p, 0x3001, "Cy");
    p = maker_attachment(m, 1);
    maker_text(p, 0x3707, "a.txt");
    maker_text(p, 0x370E, "text/plain");
    m->attachment[0].has_data = true;
    m->attachment[0].data_bytes = 3;
    assert_int_equal(idx_hash_bytes(IDX_XXH3, "abc", 3, &m->attachment[0].data_digest), 0);
    maker_attachment(m, 5);
    return m;
}

typedef void edit(struct maker *m);

static unsigned effect(edit *change)
{
    struct maker *a = full_item(), *b = full_item();
    struct idx_digests before, after;
    struct digest_bench bench;

    digest_bench_init(&bench, IDX_XXH3);
    change(b);
    before = digest_of(&bench, maker_item(a));
    after = digest_of(&bench, maker_item(b));
    maker_destroy(a);
    maker_destroy(b);
    digest_bench_done(&bench);
    return digest_difference(&before, &after);
}

static void e_recipient_type(struct maker *m)
{
    maker_u32(m->recipients[0], 0x0C15, 2);
}
static void e_recipient_sent_again(struct maker *m)
{
    maker_u32(m->recipients[0], 0x0C15, 0x10000001);
}
static void e_recipient_bcc(struct maker *m)
{
    maker_u32(maker_recipient(m), 0x0C15, 3);
}
static void e_recipient_name(struct maker *m)
{
    maker_text(m->recipients[0], 0x3001, "Robert");
}
static void e_recipient_name_alone(struct maker *m)
{
    maker_text(m->recipients[1], 0x3001, "Cyrus");
}
static void e_recipient_type_text(struct maker *m)
{
    maker_text(m->recipients[0], 0x3002, "EX");
}
static void e_recipient_address(struct maker *m)
{
    maker_text(m->recipients[0], 0x3003, "bob@example.com");
}
static void e_recipient_address_case(struct maker *m)
{
    maker_text(m->recipients[0], 0x3003, "Bob@Example.ORG");
}
static void e_recipient_smtp(struct maker *m)
{
    maker_text(m->recipients[0], 0x39FE, "robert@example.org");
}
static void e_recipient_ids(struct maker *m)
{
    maker_u32(m->recipients[0], 0x0FFF, 7);
    maker_u32(m->recipients[0], 0x300B, 7);
    maker_u32(m->recipients[0], 0x3900, 7);
    maker_u32(m->recipients[0], 0x3A20, 7);
    maker_u32(m->recipients[0], 0x5FDF, 7);
}
static void e_recipients_swapped(struct maker *m)
{
    struct maker_props *p = m->recipients[0];

    m->recipients[0] = m->recipients[1];
    m->recipients[1] = p;
}
static void e_recipient_twice(struct maker *m)
{
    struct maker_props *p = maker_recipient(m);

    maker_u32(p, 0x0C15, 1);
    maker_text(p, 0x3001, "Cy");
}
static void e_attachments_swapped(struct maker *m)
{
    struct maker_props *p = m->attachments[0];
    struct ost_attachment a = m->attachment[0];

    m->attachments[0] = m->attachments[1];
    m->attachments[1] = p;
    m->attachment[0] = m->attachment[1];
    m->attachment[1] = a;
}
static void e_attachment_name(struct maker *m)
{
    maker_text(m->attachments[0], 0x3707, "b.txt");
}
static void e_attachment_other_names(struct maker *m)
{
    maker_text(m->attachments[0], 0x3704, "A~1.TXT");
    maker_text(m->attachments[0], 0x3001, "A");
    maker_text(m->attachments[0], 0x3703, ".txt");
}
static void e_attachment_short_name(struct maker *m)
{
    maker_text(m->attachments[1], 0x3704, "A.TXT");
}
static void e_attachment_display_name(struct maker *m)
{
    maker_text(m->attachments[1], 0x3001, "A");
}
static void e_attachment_method(struct maker *m)
{
    m->attachment[0].method = 6;
}
static void e_attachment_mime(struct maker *m)
{
    maker_text(m->attachments[0], 0x370E, "text/html");
}
static void e_attachment_store(struct maker *m)
{
    m->attachment[0].nid = 77;
    maker_u32(m->attachments[0], 0x0E20, 7);
    maker_u32(m->attachments[0], 0x0E21, 7);
    maker_u32(m->attachments[0], 0x3007, 7);
    maker_u32(m->attachments[0], 0x370B, 7);
    maker_u32(m->attachments[0], 0x7FFE, 7);
}
static void e_attachment_data(struct maker *m)
{
    m->attachment[0].data_digest.bytes[3] ^= 1;
}
static void e_attachment_size(struct maker *m)
{
    m->attachment[0].data_bytes = 4;
}
static void e_attachment_unreadable(struct maker *m)
{
    m->attachment[0].data_digest.size = 0;
}
static void e_attachment_empty(struct maker *m)
{
    m->attachment[1].has_data = true;
    assert_int_equal(idx_hash_bytes(IDX_XXH3, NULL, 0, &m->attachment[1].data_digest), 0);
}
static void e_attachment_too_deep(struct maker *m)
{
    m->attachment[1].truncated_depth = true;
}
static void e_sub_second(struct maker *m)
{
    maker_u64(&m->props, 0x0039, OST_TIME, 132000000000000001);
}
static void e_empty_for_absent(struct maker *m)
{
    maker_text(&m->props, 0x0004, "");
}
static void e_type(struct maker *m)
{
    maker_prop(&m->props, 0x0037, OST_BINARY, "S\0u\0b\0j\0e\0c\0t\0", 14);
}
static void e_type_2000(struct maker *m)
{
    maker_text(&m->props, 0x0037, "Subject")->type |= 0x2000;
}
static void e_terminator(struct maker *m)
{
    maker_prop(&m->props, 0x0037, OST_STRING8, "Subject\0", 8);
    maker_prop(m->attachments[0], 0x3707, OST_STRING8, "a.txt\0", 6);
    maker_prop(&m->props, 0x001A, OST_STRING8, "IPM.Note\0", 9);
}
static void e_representing(struct maker *m)
{
    maker_text(&m->props, 0x0065, "boss@example.org");
}
static void e_sender_smtp_case(struct maker *m)
{
    maker_text(&m->props, 0x5D01, "Ann@Example.org");
}

static void fields_change_their_digests(void **state)
{
    static const struct {
        edit *change;
        unsigned digests;
    } edits[] = {
        {e_recipient_type, D_EXACT | D_CORE},
        {e_recipient_sent_again, 0},
        {e_recipient_bcc, D_EXACT},
        {e_recipient_name, D_EXACT},
        {e_recipient_name_alone, D_EXACT | D_CORE},
        {e_recipient_type_text, D_EXACT},
        {e_recipient_address, D_EXACT | D_CORE},
        {e_recipient_address_case, D_EXACT},
        {e_recipient_smtp, D_EXACT | D_CORE},
        {e_recipient_ids, 0},
        {e_recipients_swapped, 0},
        {e_recipient_twice, D_EXACT | D_CORE},
        {e_attachments_swapped, 0},
        {e_attachment_name, D_EXACT | D_CORE},
        {e_attachment_other_names, 0},
        {e_attachment_short_name, D_EXACT | D_CORE},
        {e_attachment_display_name, D_EXACT | D_CORE},
        {e_attachment_method, D_EXACT},
        {e_attachment_mime, D_EXACT},
        {e_attachment_store, 0},
        {e_attachment_data, D_EXACT | D_CORE},
        {e_attachment_size, D_EXACT | D_CORE},
        {e_attachment_unreadable, D_EXACT | D_CORE},
        {e_attachment_empty, D_EXACT | D_CORE},
        {e_attachment_too_deep, D_EXACT | D_CORE},
        {e_sub_second, D_EXACT},
        {e_empty_for_absent, D_EXACT},
        {e_type, D_EXACT | D_CORE},
        {e_type_2000, 0},
        {e_terminator, 0},
        {e_representing, D_EXACT},
        {e_sender_smtp_case, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        unsigned found = effect(edits[i].change);

        if (found != edits[i].digests)
            print_error("edit %zu: %u, not %u\n", i, found, edits[i].digests);
        assert_int_equal(found, edits[i].digests);
    }
}

/* ---- the rest ---- */

static void long_values_enter_by_digest(void **state)
{
    static uint8_t value[IDX_LONG_BYTES + 1];
    struct idx_digests a, b, c;
    struct maker *m = maker_create();
    struct digest_bench bench;

    (void)state;
    digest_bench_init(&bench, IDX_XXH3);
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value - 1);
    a = digest_of(&bench, maker_item(m));
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value);
    b = digest_of(&bench, maker_item(m));
    value[sizeof value - 1] = 1;
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value);
    c = digest_of(&bench, maker_item(m));
    assert_int_equal(digest_difference(&a, &b), D_EXACT);
    assert_int_equal(digest_difference(&b, &c), D_EXACT);
    maker_destroy(m);
    digest_bench_done(&bench);
}

/* The stream of `exact` for one long value, written out here by hand. */
static void long_form_is_as_specified(void **state)
{
    static uint8_t value[IDX_LONG_BYTES + 1];
    struct maker *m = maker_create();
    struct ost_digest inner, expected;
    struct buf s = BUF_INIT;
    struct idx_digests d;
    struct digest_bench bench;

    (void)state;
    digest_bench_init(&bench, IDX_XXH3);
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value);
    d = digest_of(&bench, maker_item(m));
    assert_int_equal(idx_hash_bytes(IDX_XXH3, value, sizeof value, &inner), 0);
    buf_append(&s, "ostscan.exact.1", 16);
    buf_append(&s,
               "\1\0\0\0\0\0\0\0"
               "\1\x68\0"
               "\2\1"
               "\2",
               14);
    buf_append(&s, "\1\0\x10\0\0\0\0\0", 8);
    buf_append(&s, inner.bytes, inner.size);
    buf_append(&s, (uint8_t[16]){0}, 16);
    assert_int_equal(idx_hash_bytes(IDX_XXH3, s.data, s.size, &expected), 0);
    assert_true(digest_same(&expected, &d.exact));
    buf_done(&s);
    maker_destroy(m);
    digest_bench_done(&bench);
}

static void embedded_items_have_digests_of_their_own(void **state)
{
    enum { DEPTH = OST_LIMIT_EMBEDDED_DEPTH + 2 };
    struct maker *chain[DEPTH];
    struct idx_digests outer, inner, changed;
    struct digest_bench bench;

    (void)state;
    digest_bench_init(&bench, IDX_SHA256);
    for (int i = 0; i < DEPTH; i++) {
        chain[i] = maker_create();
        maker_text(&chain[i]->props, 0x001A, "IPM.Note");
        if (i) {
            maker_attachment(chain[i], 1);
            maker_attachment(chain[i], 5);
            chain[i]->attachment[1].embedded = maker_item(chain[i - 1]);
        }
    }
    outer = digest_of(&bench, maker_item(chain[3]));
    inner = digest_of(&bench, maker_item(chain[2]));
    outer = digest_of(&bench, maker_item(chain[3]));
    assert_int_equal(outer.embedded[0].size, 0);
    assert_true(digest_same(&outer.embedded[1], &inner.exact));
    maker_text(&chain[0]->props, 0x0037, "deep down");
    maker_item(chain[0]);
    changed = digest_of(&bench, maker_item(chain[3]));
    assert_int_equal(digest_difference(&outer, &changed), D_EXACT | D_CORE);
    /* below the bound nothing is looked at */
    outer = digest_of(&bench, maker_item(chain[DEPTH - 1]));
    maker_text(&chain[0]->props, 0x0037, "deeper");
    maker_item(chain[0]);
    changed = digest_of(&bench, maker_item(chain[DEPTH - 1]));
    assert_int_equal(digest_difference(&outer, &changed), 0);
    for (int i = 0; i < DEPTH; i++)
        maker_destroy(chain[i]);
    digest_bench_done(&bench);
}

static unsigned hostile_multi_value(const void *value, size_t size, uint16_t type)
{
    struct maker *m = maker_create();
    struct idx_digests before, after;
    struct digest_bench bench;

    digest_bench_init(&bench, IDX_XXH3);
    maker_prop(&m->props, 0x6800, OST_BINARY, value, size);
    before = digest_of(&bench, maker_item(m));
    maker_prop(&m->props, 0x6800, type, value, size);
    after = digest_of(&bench, maker_item(m));
    maker_destroy(m);
    digest_bench_done(&bench);
    return digest_difference(&before, &after);
}

static void hostile_multi_values_have_digests(void **state)
{
    static const uint8_t count_only[] = {0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t wrapping[] = {0xFF, 0xFF, 0xFF, 0x3F, 4, 0, 0, 0};
    static const uint8_t before_data[] = {1, 0, 0, 0, 0, 0, 0, 0, 'x'};
    static const uint8_t beyond[] = {1, 0, 0, 0, 10, 0, 0, 0, 'x'};
    static const uint8_t back[] = {2, 0, 0, 0, 14, 0, 0, 0, 12, 0, 0, 0, 'x', 0, 'y', 0};
    static const uint8_t none[] = {0, 0, 0, 0};

    (void)state;
    for (unsigned type = OST_MULTI; type < OST_MULTI + 0x120; type++) {
        assert_int_equal(hostile_multi_value(count_only, 4, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(count_only, 3, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(wrapping, 8, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(before_data, 9, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(beyond, 9, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(back, 16, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(none, 4, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(none, 0, (uint16_t)type), D_EXACT);
    }
}

/* Of the item that varied_item made last. */
static struct maker *inner;

static struct maker *varied_item(void)
{
    struct maker *m = full_item();
    struct ost_prop *p;

    maker_prop(&m->props, 0x1000, OST_STRING8, "K\xF6rper", 6);
    maker_prop(&m->props, 0x1009, OST_BINARY, "\x0D\0\0\0\1\0\0\0MELA\0\0\0\0x", 17);
    maker_prop(&m->props, 0x3004, OST_UNICODE, "A\0\x0A\3", 4);
    maker_text(&m->props, 0x1035, "<a@b>");
    for (uint16_t i = 0; i < 100; i++) {
        p = maker_u32(&m->props, (uint16_t)(0x8100 - i), i);
        maker_lid(&m->props, p, unknown_set, i);
    }
    inner = full_item();
    m->attachment[1].embedded = maker_item(inner);
    return m;
}

static void destroy_varied(struct maker *m)
{
    maker_destroy(m);
    maker_destroy(inner);
}

static void failing_allocations(void **state)
{
    struct maker *m = varied_item();
    const struct ost_item *item = maker_item(m);
    struct idx_digests d, expected;
    struct digest_bench b;
    int rc = ERR_NOMEM;

    (void)state;
    digest_bench_init(&b, IDX_SHA256);
    expected = digest_of(&b, item);
    digest_bench_done(&b);
    for (uint64_t nth = 1; rc; nth++) {
        b = (struct digest_bench){0};
        arena_init(&b.arena, 1 << 24);
        mem_test_fail(nth, 0);
        rc = idx_text_create(&b.text);
        if (!rc)
            rc = idx_digester_create(IDX_SHA256, &b.digester);
        if (!rc)
            rc = digest_try(&b, item, &d);
        mem_test_fail(0, 0);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        else
            assert_int_equal(digest_difference(&d, &expected), 0);
        /* what failed once works again with the same digester */
        if (rc && b.digester) {
            arena_reset(&b.arena);
            assert_int_equal(digest_try(&b, item, &d), 0);
            assert_int_equal(digest_difference(&d, &expected), 0);
        }
        digest_bench_done(&b);
        assert_true(nth < 200);
    }
    destroy_varied(m);
}

/* An item of `count` named properties; `step` goes through the names in another order. */
static struct maker *item_of_names(unsigned first, unsigned count, unsigned step, bool twice)
{
    struct maker *m = maker_create();

    for (unsigned i = 0; i < count; i++) {
        unsigned name = first + i * step % count;
        uint8_t guid[16] = {(uint8_t)(name % 5), 3, 2};
        struct ost_prop *p = maker_u32(&m->props, (uint16_t)(0x8000 + (first * 7 + i) % 0x8000),
                                       twice && name == first + 1 ? name - 1 : name);
        char text[20];

        if (twice && name == first + 1)
            guid[0] = (uint8_t)(--name % 5);
        snprintf(text, sizeof text, name % 2 ? "X-Name-%u" : "x-name-%u", name);
        if (name % 3)
            maker_lid(&m->props, p, guid, name * 31);
        else
            maker_name(&m->props, p, name % 2 ? unknown_set : guid, text);
    }
    return m;
}

/*
 * Ids are of no order, and a digester's other items of no influence: more names than are kept, ids
 * that other names had before, and two properties of one name.
 */
static void names_are_in_order(void **state)
{
    enum { NAMES = 200, ROUNDS = 60 };
    struct digest_bench warm, fresh;

    (void)state;
    digest_bench_init(&warm, IDX_XXH3);
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool twice = round % 3 == 2;
        struct maker *one = item_of_names(round * NAMES, NAMES, 1, twice);
        struct maker *other = item_of_names(round * NAMES, NAMES, 73, twice);
        struct idx_digests a, b, c;

        digest_bench_init(&fresh, IDX_XXH3);
        a = digest_of(&warm, maker_item(one));
        b = digest_of(&warm, maker_item(other));
        c = digest_of(&fresh, maker_item(other));
        assert_int_equal(digest_difference(&a, &b), 0);
        assert_int_equal(digest_difference(&a, &c), 0);
        one->props.list[5].value.size = 0;
        b = digest_of(&warm, maker_item(one));
        assert_int_not_equal(digest_difference(&a, &b), 0);
        digest_bench_done(&fresh);
        maker_destroy(one);
        maker_destroy(other);
    }
    digest_bench_done(&warm);
}

static void steady_work_allocates_nothing(void **state)
{
    struct maker *m = varied_item();
    const struct ost_item *item = maker_item(m);
    struct digest_bench b;
    uint64_t before;

    (void)state;
    digest_bench_init(&b, IDX_XXH3);
    digest_of(&b, item);
    before = mem_test_count();
    for (int i = 0; i < 10; i++)
        digest_of(&b, item);
    assert_int_equal(mem_test_count(), before);
    destroy_varied(m);
    digest_bench_done(&b);
}

static void core_wants_enough(void **state)
{
    struct maker *m = maker_create();
    struct digest_bench b;

    (void)state;
    digest_bench_init(&b, IDX_XXH3);
    maker_text(&m->props, 0x001A, "IPM.Note");
    maker_text(&m->props, 0x0037, "Subject");
    maker_u64(&m->props, 0x0039, OST_TIME, 1);
    maker_text(&m->props, 0x1000, "");
    maker_text(&m->props, 0x1035, " \t");
    assert_int_equal(digest_of(&b, maker_item(m)).core.size, 0);
    assert_false(digest_of(&b, maker_item(m)).has_mih);
    maker_text(&m->props, 0x0C1A, "Ann");
    assert_int_equal(digest_of(&b, maker_item(m)).core.size, 16);
    maker_text(&m->props, 0x0C1A, "");
    maker_text(&m->props, 0x0042, "Ann");
    assert_int_equal(digest_of(&b, maker_item(m)).core.size, 16);
    maker_text(&m->props, 0x0042, "");
    assert_int_equal(digest_of(&b, maker_item(m)).core.size, 0);
    maker_text(&m->props, 0x1035, "<a@b>");
    assert_int_equal(digest_of(&b, maker_item(m)).core.size, 16);
    maker_text(&m->props, 0x1035, "");
    maker_text(&m->props, 0x1000, "x");
    assert_int_equal(digest_of(&b, maker_item(m)).core.size, 16);
    maker_destroy(m);
    digest_bench_done(&b);
}

static void mih_is_edrm_s(void **state)
{
    static const char id[] = "<CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>";
    const char *const stored[] = {id, " <CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>\r\n"};
    char hex[33];
    struct digest_bench b;

    (void)state;
    digest_bench_init(&b, IDX_XXH3);
    for (size_t i = 0; i < 2; i++) {
        struct maker *m = maker_create();
        struct idx_digests d;

        maker_ascii(&m->props, 0x1035, stored[i]);
        d = digest_of(&b, maker_item(m));
        assert_true(d.has_mih);
        hex_encode(d.mih, 16, hex);
        assert_string_equal(hex, "1de319c276884bd0c9e2f1621ada26cc");
        maker_destroy(m);
    }
    digest_bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_change_their_digests),
        cmocka_unit_test(long_values_enter_by_digest),
        cmocka_unit_test(long_form_is_as_specified),
        cmocka_unit_test(embedded_items_have_digests_of_their_own),
        cmocka_unit_test(hostile_multi_values_have_digests),
        cmocka_unit_test(names_are_in_order),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(steady_work_allocates_nothing),
        cmocka_unit_test(core_wants_enough),
        cmocka_unit_test(mih_is_edrm_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
