/* test_folder.c: the tree of folders out of a plan's nodes, also where it is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/folder.h"
#include "scanner/ost/limits.h"

struct tree {
    struct ost_plan plan;
    struct arena arena;
    struct ost_folder *list;
    size_t count;
};

/* nodes: nid and parent, ascending by nid. */
static int list(struct tree *t, const uint32_t (*nodes)[2], size_t count)
{
    *t = (struct tree){.plan.node_count = count};
    t->plan.nodes = mem_zalloc((count + 1) * sizeof *t->plan.nodes);
    assert_non_null(t->plan.nodes);
    for (size_t i = 0; i < count; i++) {
        t->plan.nodes[i].nid = nodes[i][0];
        t->plan.nodes[i].parent = nodes[i][1];
    }
    arena_init(&t->arena, 64 << 20);
    return ost_folders_list(&t->plan, &t->arena, &t->list, &t->count);
}

static void done(struct tree *t)
{
    arena_done(&t->arena);
    mem_free(t->plan.nodes);
}

static void expect(const struct tree *t, const uint32_t (*folders)[2], size_t count)
{
    assert_int_equal(t->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(t->list[i].nid, folders[i][0]);
        assert_int_equal(t->list[i].parent, folders[i][1]);
    }
}

static void parents_come_first_and_messages_are_counted(void **state)
{
    static const uint32_t nodes[][2] = {
        {0x21, 0},         {0x122, 0x122},    {0x8022, 0x8042},  {0x802E, 0},
        {0x8042, 0x122},   {0x8063, 0x122},   {0x8082, 0x8022},  {0x80A2, 0x8042},
        {0x10004, 0x8022}, {0x10024, 0x8022}, {0x10028, 0x8022}, {0x10044, 0x8063},
        {0x10064, 0x9999}, {0x10084, 0},
    };
    static const uint32_t folders[][2] = {{0x122, 0x122},   {0x8042, 0x122},  {0x8063, 0x122},
                                          {0x8022, 0x8042}, {0x80A2, 0x8042}, {0x8082, 0x8022}};
    struct tree t;

    (void)state;
    assert_int_equal(list(&t, nodes, sizeof nodes / sizeof *nodes), 0);
    expect(&t, folders, 6);
    assert_int_equal(t.list[3].items, 2);
    assert_int_equal(t.list[3].assoc, 1);
    assert_int_equal(t.list[2].items, 1);
    assert_int_equal(t.list[0].items + t.list[1].items + t.list[4].items + t.list[5].items, 0);
    done(&t);
}

static void what_leads_nowhere_has_no_parent(void **state)
{
    static const uint32_t nodes[][2] = {
        {0x22, 0},       /* none */
        {0x42, 0x9922},  /* a missing one */
        {0x62, 0x10004}, /* a message */
        {0x82, 0x62},    /* below one of these */
        {0x10004, 0x62},
    };
    static const uint32_t folders[][2] = {{0x22, 0}, {0x42, 0}, {0x62, 0}, {0x82, 0x62}};
    struct tree t;

    (void)state;
    assert_int_equal(list(&t, nodes, 5), 0);
    expect(&t, folders, 4);
    done(&t);
}

static void rings_are_cut(void **state)
{
    /* 0x22 → 0x42 → 0x62 → 0x22, with 0x82 hanging from it */
    static const uint32_t nodes[][2] = {
        {0x22, 0x42}, {0x42, 0x62}, {0x62, 0x22}, {0x82, 0x42}, {0x122, 0x122}};
    static const uint32_t folders[][2] = {
        {0x62, 0}, {0x122, 0x122}, {0x42, 0x62}, {0x22, 0x42}, {0x82, 0x42}};
    struct tree t;

    (void)state;
    assert_int_equal(list(&t, nodes, 5), 0);
    expect(&t, folders, 5);
    done(&t);
}

static void long_ways_are_cut_and_cost_little(void **state)
{
    enum { COUNT = 100000 };
    uint32_t(*nodes)[2] = mem_zalloc(COUNT * sizeof *nodes);
    struct tree t;
    size_t cut = 0;

    (void)state;
    assert_non_null(nodes);
    for (uint32_t turn = 0; turn < 2; turn++) {
        /* a chain, down from the lowest nid and then down from the highest */
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t above = turn ? i + 1 : i - 1;

            nodes[i][0] = (i + 1) << 5 | OST_NID_FOLDER;
            nodes[i][1] = above < COUNT ? (above + 1) << 5 | OST_NID_FOLDER : nodes[i][0];
        }
        assert_int_equal(list(&t, (const uint32_t(*)[2])nodes, COUNT), 0);
        assert_int_equal(t.count, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            cut += t.list[i].parent == 0;
        done(&t);
    }
    assert_true(cut >= 2 * (COUNT / OST_LIMIT_FOLDER_DEPTH));
    assert_true(cut <= 4 * (COUNT / OST_LIMIT_FOLDER_DEPTH + 1));
    mem_free(nodes);
}

/* A parent always stands before its child, whatever the parents are. */
static void any_parents_make_a_forest(void **state)
{
    enum { COUNT = 50 };
    uint32_t seed = 1;

    (void)state;
    for (unsigned turn = 0; turn < 300; turn++) {
        uint32_t nodes[COUNT][2];
        struct tree t;

        for (uint32_t i = 0; i < COUNT; i++) {
            seed = seed * 1664525 + 1013904223;
            nodes[i][0] = i << 5 | OST_NID_FOLDER;
            nodes[i][1] = (seed >> 16) % (COUNT + 5) << 5 | OST_NID_FOLDER;
        }
        assert_int_equal(list(&t, (const uint32_t(*)[2])nodes, COUNT), 0);
        assert_int_equal(t.count, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            bool found = t.list[i].parent == 0 || t.list[i].parent == t.list[i].nid;

            for (size_t k = 0; k < i && !found; k++)
                found = t.list[k].nid == t.list[i].parent;
            assert_true(found);
        }
        done(&t);
    }
}

static void memory_can_fail(void **state)
{
    static const uint32_t nodes[][2] = {{0x122, 0x122}};
    struct tree t;

    (void)state;
    assert_int_equal(list(&t, nodes, 1), 0);
    arena_done(&t.arena);
    arena_init(&t.arena, 64);
    assert_int_equal(ost_folders_list(&t.plan, &t.arena, &t.list, &t.count), ERR_LIMIT);
    arena_done(&t.arena);
    arena_init(&t.arena, 1 << 20);
    mem_test_fail(1, 1);
    assert_int_equal(ost_folders_list(&t.plan, &t.arena, &t.list, &t.count), ERR_NOMEM);
    mem_test_fail(0, 0);
    done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parents_come_first_and_messages_are_counted),
        cmocka_unit_test(what_leads_nowhere_has_no_parent),
        cmocka_unit_test(rings_are_cut),
        cmocka_unit_test(long_ways_are_cut_and_cost_little),
        cmocka_unit_test(any_parents_make_a_forest),
        cmocka_unit_test(memory_can_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
