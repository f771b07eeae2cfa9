/* test_finding_list.c: findings in the manifest's order, equal ones as one, never without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/finding_list.h"
#include "io/err.h"
#include "io/mem.h"

static struct idx_finding_list *make_list(void)
{
    struct idx_finding_list *l = NULL;

    assert_int_equal(idx_finding_list_create(&l), 0);
    return l;
}

static void add(struct idx_finding_list *l, const struct finding *f)
{
    assert_int_equal(idx_finding_list_add(l, f), 0);
}

static struct finding at_offset(uint64_t offset)
{
    struct finding f = finding_of(F_page_crc);

    f.has_offset = true;
    f.offset = offset;
    return f;
}

static struct finding with_items(const uint32_t *items, size_t count)
{
    struct finding f = at_offset(512);

    f.items = items;
    f.item_count = count;
    return f;
}

/* What the finding is about, told by `length`, which takes no part in the order. */
static struct finding numbered(struct finding f, uint64_t number)
{
    f.length = number;
    return f;
}

/* What a sealed list says that it left out. */
static uint64_t dropped(const struct idx_finding_list *l)
{
    for (size_t i = 0; i < idx_finding_list_count(l); i++)
        if (idx_finding_list_at(l, i)->code == F_findings_dropped)
            return idx_finding_list_at(l, i)->actual;
    return 0;
}

static void empty_list(void **state)
{
    struct idx_finding_list *l = make_list();

    (void)state;
    idx_finding_list_seal(l);
    assert_int_equal(idx_finding_list_count(l), 0);
    assert_int_equal(dropped(l), 0);
    idx_finding_list_destroy(l);
    idx_finding_list_destroy(NULL);
}

/* Ten findings in order: each is told from the next by a field further behind, or by its absence.
 */
static void make_ladder(struct finding f[10])
{
    f[0] = at_offset(0);
    f[1] = at_offset(1);
    f[1].code = F_page_bid; /* by name: page_bid, page_crc */
    for (int i = 2; i < 9; i++) {
        f[i] = at_offset(1);
        f[i].has_bid = i < 8;
        f[i].bid = i == 2 ? 4 : 8;
        f[i].has_nid = i < 7;
        f[i].nid = 0x21;
        f[i].has_expected = i < 6;
        f[i].expected = 5;
        f[i].has_actual = i < 5;
        f[i].actual = i == 3 ? 1 : 2;
    }
    f[9] = finding_of(F_file_empty); /* without an offset: last, though its name is before */
    for (unsigned i = 0; i < 10; i++)
        f[i] = numbered(f[i], i);
}

static void findings_come_in_order(void **state)
{
    static const unsigned shuffled[] = {9, 3, 7, 0, 5, 8, 1, 6, 4, 2};
    struct idx_finding_list *l = make_list();
    struct finding f[10];

    (void)state;
    make_ladder(f);
    for (unsigned i = 0; i < 10; i++)
        add(l, &f[shuffled[i]]);
    idx_finding_list_seal(l);
    assert_int_equal(idx_finding_list_count(l), 10);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(idx_finding_list_at(l, i)->length, i);
        assert_int_equal(idx_finding_list_merged(l, i), 1);
    }
    idx_finding_list_destroy(l);
}

static void assert_nids(const uint32_t *list, size_t count, const uint32_t *right,
                        size_t right_count)
{
    assert_int_equal(count, right_count);
    assert_memory_equal(list, right, count * sizeof *list);
}

#define LIST(...) (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4

static void equal_findings_become_one(void **state)
{
    struct idx_finding_list *l = make_list();
    struct finding a = with_items(LIST(9, 3)), b = with_items(LIST(3, 5, 4)), c = at_offset(512);
    struct finding other = at_offset(1024);
    const struct finding *got;

    (void)state;
    a.folders = (const uint32_t[]){0x122};
    a.folder_count = 1;
    c.folders = (const uint32_t[]){0x142, 0x122};
    c.folder_count = 2;
    add(l, &other);
    add(l, &a);
    add(l, &b);
    add(l, &c);
    idx_finding_list_seal(l);
    assert_int_equal(idx_finding_list_count(l), 2);
    got = idx_finding_list_at(l, 0);
    assert_int_equal(got->offset, 512);
    assert_nids(got->items, got->item_count, LIST(3, 4, 5, 9));
    assert_nids(got->folders, got->folder_count, LIST(0x122, 0x142));
    assert_int_equal(idx_finding_list_merged(l, 0), 3);
    assert_int_equal(idx_finding_list_merged(l, 1), 1);
    assert_int_equal(idx_finding_list_at(l, 1)->item_count, 0);
    assert_int_equal(dropped(l), 0);
    idx_finding_list_destroy(l);
}

/* Of equal ones the first that came is kept: what was said of it does not depend on the sort. */
static void first_of_equal_ones_is_kept(void **state)
{
    struct idx_finding_list *l = make_list();
    const struct finding *got;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct finding f = numbered(at_offset(512 * (i % 3)), i);

        f.detail = i < 3 ? "first" : "later";
        add(l, &f);
    }
    idx_finding_list_seal(l);
    assert_int_equal(idx_finding_list_count(l), 3);
    for (unsigned i = 0; i < 3; i++) {
        got = idx_finding_list_at(l, i);
        assert_int_equal(got->length, i);
        assert_string_equal(got->detail, "first");
        assert_int_equal(idx_finding_list_merged(l, i), i == 0 ? 34 : 33);
    }
    idx_finding_list_destroy(l);
}

static void what_is_given_is_copied(void **state)
{
    struct idx_finding_list *l = make_list();
    uint32_t items[] = {1, 2}, folders[] = {3};
    char detail[] = "detail";
    struct finding f = with_items(items, 2);
    const struct finding *got;

    (void)state;
    f.folders = folders;
    f.folder_count = 1;
    f.detail = detail;
    add(l, &f);
    memset(items, 0, sizeof items);
    memset(folders, 0, sizeof folders);
    memset(detail, 'x', sizeof detail - 1);
    idx_finding_list_seal(l);
    got = idx_finding_list_at(l, 0);
    assert_nids(got->items, got->item_count, LIST(1, 2));
    assert_nids(got->folders, got->folder_count, LIST(3));
    assert_string_equal(got->detail, "detail");
    idx_finding_list_destroy(l);
}

static void past_the_bound_only_their_number_is_kept(void **state)
{
    struct idx_finding_list *l = make_list();

    (void)state;
    for (uint64_t i = 0; i < IDX_FINDINGS_MOST + 7; i++) {
        const struct finding f = at_offset(i);

        add(l, &f);
    }
    idx_finding_list_seal(l);
    assert_int_equal(idx_finding_list_count(l), IDX_FINDINGS_MOST + 1);
    assert_int_equal(idx_finding_list_at(l, IDX_FINDINGS_MOST - 1)->offset, IDX_FINDINGS_MOST - 1);
    assert_int_equal(dropped(l), 7);
    idx_finding_list_destroy(l);
}

enum { HUGE_LIST = 250000 };

/* Long lists are bounded too: those that found no room are counted, none is an error. */
static void long_lists_do_not_grow_without_end(void **state)
{
    struct idx_finding_list *l = make_list();
    uint32_t *items = calloc(HUGE_LIST, sizeof *items);

    (void)state;
    assert_non_null(items);
    for (uint64_t i = 0; i < 100; i++) {
        struct finding f = at_offset(i);

        f.items = items;
        f.item_count = HUGE_LIST;
        add(l, &f);
    }
    idx_finding_list_seal(l);
    assert_true(dropped(l) > 0);
    assert_int_equal(idx_finding_list_count(l) + dropped(l), 100 + 1);
    assert_in_range(idx_finding_list_count(l), 1, (64 << 20) / (HUGE_LIST * sizeof *items));
    free(items);
    idx_finding_list_destroy(l);
}

/* Where the joined list finds no room, the longer of the two stays. */
static void longer_list_stays_when_there_is_no_room_to_join(void **state)
{
    enum { LONG = 8 << 20 };
    struct idx_finding_list *l = make_list();
    uint32_t *items = calloc(LONG, sizeof *items);
    struct finding little = with_items(LIST(1, 2, 3)), most = with_items(items, LONG);
    struct finding filler = at_offset(0);

    (void)state;
    assert_non_null(items);
    items[LONG - 1] = 77;
    filler.items = items;
    filler.item_count = 6 << 20;
    add(l, &filler);
    add(l, &little);
    add(l, &most);
    add(l, &little);
    idx_finding_list_seal(l);
    assert_int_equal(dropped(l), 1);
    assert_int_equal(idx_finding_list_count(l), 3);
    assert_int_equal(idx_finding_list_merged(l, 1), 2);
    assert_int_equal(idx_finding_list_at(l, 1)->item_count, LONG);
    assert_int_equal(idx_finding_list_at(l, 1)->items[LONG - 1], 77);
    free(items);
    idx_finding_list_destroy(l);
}

enum { FEW = 200 };

/* Adds FEW findings, each with lists and a detail; retries what memory refused if `again`. */
static int fill(struct idx_finding_list *l, bool again)
{
    for (uint32_t i = 0; i < FEW; i++) {
        const uint32_t nids[] = {i, i + 1};
        struct finding f = at_offset(i);
        int err;

        f.items = f.folders = nids;
        f.item_count = f.folder_count = 2;
        f.detail = "detail";
        err = idx_finding_list_add(l, &f);
        if (err && again)
            err = idx_finding_list_add(l, &f);
        if (err)
            return err;
    }
    return 0;
}

static void assert_filled(const struct idx_finding_list *l)
{
    assert_int_equal(idx_finding_list_count(l), FEW);
    for (uint32_t i = 0; i < FEW; i++) {
        const struct finding *f = idx_finding_list_at(l, i);

        assert_nids(f->items, f->item_count, LIST(i, i + 1));
        assert_nids(f->folders, f->folder_count, LIST(i, i + 1));
        assert_string_equal(f->detail, "detail");
        assert_int_equal(idx_finding_list_merged(l, i), 1);
    }
}

static void failing_allocations(void **state)
{
    struct idx_finding_list *l = NULL;
    unsigned nth = 0;
    int err;

    (void)state;
    mem_test_fail(1, 0);
    assert_int_equal(idx_finding_list_create(&l), ERR_NOMEM);
    assert_null(l);
    do {
        l = make_list();
        mem_test_fail(++nth, 0);
        err = fill(l, false);
        mem_test_fail(0, 0);
        assert_true(err == 0 || err == ERR_NOMEM);
        idx_finding_list_destroy(l);

        l = make_list();
        mem_test_fail(nth, 0);
        assert_int_equal(fill(l, true), 0); /* a list that refused one takes the next */
        mem_test_fail(0, 0);
        idx_finding_list_seal(l);
        assert_filled(l);
        idx_finding_list_destroy(l);
    } while (err);
    assert_true(nth > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_list),
        cmocka_unit_test(findings_come_in_order),
        cmocka_unit_test(equal_findings_become_one),
        cmocka_unit_test(first_of_equal_ones_is_kept),
        cmocka_unit_test(what_is_given_is_copied),
        cmocka_unit_test(past_the_bound_only_their_number_is_kept),
        cmocka_unit_test(long_lists_do_not_grow_without_end),
        cmocka_unit_test(longer_list_stays_when_there_is_no_room_to_join),
        cmocka_unit_test(failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
