/* test_reading.c: values, leaves and subnodes of an object, and what is noted as its damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "tests/support/forge.h"
#include "tests/support/tinyread.h"

enum { MANY = 5 };

struct value {
    struct tinyread x;
    uint8_t *bytes; /* MANY full blocks and 100 bytes */
    size_t size;
    uint64_t root, single;
};

static void init(struct value *v, enum ost_format format)
{
    tiny_init(&v->x.tiny, format);
    v->size = MANY * (size_t)v->x.tiny.v->data_max + 100;
    v->bytes = mem_alloc(v->size);
    assert_non_null(v->bytes);
    for (size_t i = 0; i < v->size; i++)
        v->bytes[i] = (uint8_t)(i * 31 + i / 4096);
    v->root = tiny_value(&v->x.tiny, v->bytes, v->size);
    v->single = tiny_value(&v->x.tiny, "single", 6);
    tinyread_open(&v->x, UINT64_MAX);
}

static void done(struct value *v)
{
    mem_free(v->bytes);
    tinyread_done(&v->x);
}

static uint64_t leaf_bid(unsigned i)
{
    return 4 + 4 * (uint64_t)i;
}

static void values_are_had_on_end(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct bytes out = {0};
        struct value v;

        init(&v, forge_formats[f]);
        assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), 1);
        assert_int_equal(out.size, v.size);
        assert_memory_equal(out.data, v.bytes, v.size);
        assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size - 1, &out), 0);
        assert_int_equal(ost_reading_value(&v.x.reading, v.single, 6, &out), 1);
        assert_memory_equal(out.data, "single", 6);
        assert_int_equal(ost_reading_value(&v.x.reading, 0, 6, &out), 1);
        assert_int_equal(out.size, 0);
        assert_int_equal(v.x.finding_count, 0);
        done(&v);
    }
}

struct collected {
    uint8_t *bytes;
    size_t size;
};

static void collect(void *ctx, struct bytes part)
{
    struct collected *c = ctx;

    memcpy(c->bytes + c->size, part.data, part.size);
    c->size += part.size;
}

static void values_are_streamed(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct collected c = {0};
        struct value v;
        bool whole;
        size_t before;

        init(&v, forge_formats[f]);
        c.bytes = mem_alloc(v.size);
        before = v.x.arena.used_bytes;
        assert_int_equal(ost_reading_stream(&v.x.reading, v.root, 0, &c, collect, &whole), 0);
        assert_true(whole);
        assert_int_equal(c.size, v.size);
        assert_memory_equal(c.bytes, v.bytes, v.size);
        assert_int_equal(v.x.arena.used_bytes, before); /* nothing is assembled */
        mem_free(c.bytes);
        done(&v);
    }
}

static bool go_past(void *ctx, const struct ost_block *leaf)
{
    unsigned *left = ctx;

    assert_int_equal(leaf->bid % 4, 0);
    return *left && (*left)--;
}

/* Leaves that were had before are gone past, as long as they may be. */
static void the_rest_of_a_value_is_streamed(void **state)
{
    (void)state;
    for (unsigned may = 0; may <= 4; may++) {
        unsigned left = may;
        const struct ost_digests digests = {.ctx = &left, .skip = go_past};
        unsigned skipped = may < 3 ? may : 3;
        struct collected c = {0};
        struct value v;
        bool whole;
        size_t past;

        init(&v, OST_FORMAT_UNICODE);
        past = skipped * v.x.tiny.v->data_max;
        c.bytes = mem_alloc(v.size);
        v.x.reading.digests = &digests;
        assert_int_equal(ost_reading_stream(&v.x.reading, v.root, 3, &c, collect, &whole), 0);
        assert_true(whole);
        assert_int_equal(c.size, v.size - past);
        assert_memory_equal(c.bytes, v.bytes + past, c.size);
        assert_int_equal(left, may - skipped);
        mem_free(c.bytes);
        done(&v);
    }
}

static void a_lost_leaf_costs_the_value(void **state)
{
    struct ost_leaves leaves;
    struct collected c = {0};
    struct bytes out;
    struct value v;
    bool whole;

    (void)state;
    init(&v, OST_FORMAT_UNICODE);
    c.bytes = mem_alloc(v.size);
    memset(tiny_at(&v.x.tiny, leaf_bid(2)), 1, 8192);
    assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), 0);
    assert_int_equal(tinyread_told(&v.x, F_block_lost), 1);
    assert_int_equal(v.x.finding_count, 1);
    assert_int_equal(tinyread_damages(&v.x, F_block_lost), 1);
    assert_int_equal(v.x.reading.damages.list[0].bid, leaf_bid(2));
    assert_true(v.x.reading.damages.list[0].has_offset);
    assert_int_equal(v.x.findings[0].item_count, 1);
    assert_int_equal(v.x.findings[0].folder_count, 1);
    tinyread_again(&v.x);
    assert_int_equal(ost_reading_stream(&v.x.reading, v.root, 0, &c, collect, &whole), 0);
    assert_false(whole);
    assert_int_equal(c.size, 2 * v.x.tiny.v->data_max); /* what stands before it */
    tinyread_again(&v.x);
    assert_int_equal(ost_reading_leaves(&v.x.reading, v.root, &leaves), 0);
    assert_int_equal(leaves.count, MANY + 1);
    assert_int_equal(leaves.get(leaves.ctx, 1, &out), 0);
    assert_int_equal(leaves.get(leaves.ctx, 2, &out), ERR_DAMAGED);
    assert_int_equal(leaves.get(leaves.ctx, 3, &out), 0);
    assert_memory_equal(out.data, v.bytes + 3 * v.x.tiny.v->data_max, out.size);
    mem_free(c.bytes);
    done(&v);
}

static void a_suspect_leaf_is_used_and_noted(void **state)
{
    struct bytes out;
    struct value v;

    (void)state;
    init(&v, OST_FORMAT_UNICODE4K);
    tiny_at(&v.x.tiny, leaf_bid(0))[7] ^= 1;
    assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), 1);
    assert_int_equal(out.data[7], v.bytes[7] ^ 1);
    assert_int_equal(tinyread_damages(&v.x, F_block_crc), 1);
    tinyread_again(&v.x);
    /* a signature alone that is wrong is told, but the content is what was written */
    tiny_at(&v.x.tiny, leaf_bid(0))[7] ^= 1;
    tiny_at(&v.x.tiny, leaf_bid(0))[65536 - 22] ^= 1;
    assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), 1);
    assert_int_equal(tinyread_told(&v.x, F_block_signature), 1);
    assert_int_equal(v.x.reading.damages.count, 0);
    done(&v);
}

static void a_lost_tree_is_damage(void **state)
{
    struct bytes out;
    struct value v;

    (void)state;
    init(&v, OST_FORMAT_ANSI);
    tiny_at(&v.x.tiny, v.root)[0] = 7; /* btype, and the checksum with it */
    assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), 0);
    assert_true(tinyread_damages(&v.x, F_xblock_form) > 0);
    tinyread_again(&v.x);
    assert_int_equal(ost_reading_value(&v.x.reading, 0x4440, 10, &out), 0); /* not in the BBT */
    assert_int_equal(tinyread_told(&v.x, F_block_missing), 1);
    assert_int_equal(v.x.reading.damages.list[0].bid, 0x4440);
    assert_false(v.x.reading.damages.list[0].has_offset);
    done(&v);
}

static void subnodes_are_listed_in_order(void **state)
{
    static const struct ost_subnode sound[] = {{0x25, 8, 2}, {0x45, 12, 0}, {0x692, 16, 0}};
    static const struct ost_subnode mixed[] = {
        {0x692, 4, 0}, {0x25, 12, 0}, {0x45, 8, 0}, {0x25, 4, 0}};

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct tinyread x;
        struct ost_subnodes s;
        uint64_t roots[2];

        tiny_init(&x.tiny, forge_formats[f]);
        roots[0] = tiny_subnodes(&x.tiny, sound, 3);
        roots[1] = tiny_subnodes(&x.tiny, mixed, 4);
        tinyread_open(&x, UINT64_MAX);
        assert_int_equal(ost_reading_subnodes(&x.reading, roots[0], &s), 0);
        assert_int_equal(s.count, 3);
        assert_false(s.lost);
        assert_int_equal(ost_subnodes_find(&s, 0x45)->data, 12);
        assert_int_equal(ost_subnodes_find(&s, 0x25)->sub, 2);
        assert_null(ost_subnodes_find(&s, 0x46));
        assert_int_equal(x.finding_count, 0);
        assert_int_equal(ost_reading_subnodes(&x.reading, roots[1], &s), 0);
        assert_int_equal(s.count, 3);
        for (size_t i = 1; i < s.count; i++)
            assert_true(s.list[i - 1].nid < s.list[i].nid);
        assert_int_equal(ost_subnodes_find(&s, 0x25)->data, 4); /* the lower of both */
        assert_int_equal(ost_reading_subnodes(&x.reading, 0, &s), 0);
        assert_int_equal(s.count, 0);
        tiny_at(&x.tiny, roots[0])[0] = 9;
        tinyread_again(&x);
        assert_int_equal(ost_reading_subnodes(&x.reading, 0x7776, &s), 0);
        assert_true(s.lost);
        assert_int_equal(s.count, 0);
        tinyread_done(&x);
    }
}

static void damage_is_noted_once_and_bounded(void **state)
{
    struct value v;
    struct ost_reading *r = &v.x.reading;

    (void)state;
    init(&v, OST_FORMAT_UNICODE);
    for (unsigned i = 0; i < 2 * OST_LIMIT_DAMAGE; i++)
        ost_reading_damage_of(r, F_property_failed, i, NULL);
    assert_int_equal(r->damages.count, 1);
    assert_int_equal(v.x.finding_count, OST_LIMIT_DAMAGE);
    assert_int_equal(v.x.findings[3].actual, 3);
    assert_true(v.x.findings[3].has_nid);
    assert_int_equal(v.x.findings[3].nid, 0x24);
    ost_reading_damage(r, F_table_failed, "x");
    assert_int_equal(r->damages.count, 2);
    tinyread_again(&v.x);
    r->quiet = true;
    ost_reading_damage(r, F_table_failed, "x");
    assert_int_equal(r->damages.count + v.x.finding_count, 0);
    r->quiet = false;
    v.x.sink_code = ERR_CANCELLED; /* what the sink says is kept, and it is told no more */
    ost_reading_damage(r, F_table_failed, "x");
    ost_reading_damage(r, F_property_failed, "x");
    assert_int_equal(r->sink_code, ERR_CANCELLED);
    assert_int_equal(v.x.finding_count, 1);
    done(&v);
}

static void limits_are_told_from_failures(void **state)
{
    struct ost_leaves leaves;
    struct bytes out;
    struct value v;

    (void)state;
    init(&v, OST_FORMAT_UNICODE);
    arena_done(&v.x.arena);
    arena_init(&v.x.arena, 1000);
    assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), 0); /* too large */
    assert_int_equal(ost_reading_leaves(&v.x.reading, v.root, &leaves), ERR_LIMIT);
    ost_reading_end(&v.x.reading);
    arena_done(&v.x.arena);
    arena_init(&v.x.arena, 64 << 20);
    ost_reading_begin(&v.x.reading, 0x24, 0x22, true);
    mem_test_fail(1, 1);
    assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), ERR_NOMEM);
    mem_test_fail(0, 0);
    ost_sourceblocks_charge(v.x.blocks, UINT64_MAX);
    assert_int_equal(ost_reading_value(&v.x.reading, v.root, v.size, &out), ERR_LIMIT);
    done(&v);
}

static void a_pager_holds_one_leaf(void **state)
{
    struct ost_extent extent;
    struct ost_pager pager;
    struct ost_leaves leaves;
    struct bytes out;
    struct value v;

    (void)state;
    init(&v, OST_FORMAT_ANSI);
    assert_int_equal(ost_reading_extent(&v.x.reading, v.root, &extent), 0);
    assert_int_equal(extent.bytes, v.size);
    ost_pager_init(&pager, &v.x.reading, extent);
    leaves = ost_pager_leaves(&pager);
    for (unsigned turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < leaves.count; i++) {
            assert_int_equal(leaves.get(leaves.ctx, i, &out), 0);
            assert_memory_equal(out.data, v.bytes + i * v.x.tiny.v->data_max, out.size);
        }
    }
    ost_pager_done(&pager);
    ost_pager_done(&pager);
    done(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_had_on_end),
        cmocka_unit_test(values_are_streamed),
        cmocka_unit_test(the_rest_of_a_value_is_streamed),
        cmocka_unit_test(a_lost_leaf_costs_the_value),
        cmocka_unit_test(a_suspect_leaf_is_used_and_noted),
        cmocka_unit_test(a_lost_tree_is_damage),
        cmocka_unit_test(subnodes_are_listed_in_order),
        cmocka_unit_test(damage_is_noted_once_and_bounded),
        cmocka_unit_test(limits_are_told_from_failures),
        cmocka_unit_test(a_pager_holds_one_leaf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
