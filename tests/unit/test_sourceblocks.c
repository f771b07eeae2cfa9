/* test_sourceblocks.c: blocks read from a source: verified, decoded, told of, and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/sourceblocks.h"
#include "tests/support/fault_source.h"
#include "tests/support/forge.h"
#include "tests/support/ndbfile.h"
#include "tests/support/samples.h"
#include "tests/support/tinyimage.h"

/* The last trouble told, and how often. */
struct told {
    struct ost_block_trouble last;
    struct ost_defects defects;
    unsigned count;
};

static void on_trouble(void *ctx, const struct ost_block_trouble *t)
{
    struct told *told = ctx;

    told->last = *t;
    told->defects = *t->defects;
    told->count++;
}

struct fixture {
    struct tiny tiny;
    struct ost_plan plan;
    struct fault_plan faults;
    struct io_source *source;
    struct ost_sourceblocks *blocks;
    const struct ost_blocks *view;
    struct told told;
};

enum { SMALL = 4, LARGE = 8, INTERNAL = 14 };

static int create(struct fixture *x, uint64_t allowance)
{
    struct ost_sourceblocks_options options = {
        .source = x->source,
        .plan = &x->plan,
        .memory_bytes = 1 << 20,
        .allowance_bytes = allowance,
        .ctx = &x->told,
        .trouble = on_trouble,
    };
    int rc = ost_sourceblocks_create(&options, &x->blocks);

    if (!rc)
        x->view = ost_sourceblocks_view(x->blocks);
    return rc;
}

/* SMALL: 100 bytes of 's'; LARGE: a full block of 'l'; INTERNAL: an XBLOCK of 10 bytes. */
static void init(struct fixture *x, enum ost_format format)
{
    uint8_t large[OST_DATA_MAX];
    struct io_source *inner;
    uint8_t small[100];

    memset(x, 0, sizeof *x);
    memset(small, 's', sizeof small);
    memset(large, 'l', sizeof large);
    tiny_init(&x->tiny, format);
    assert_int_equal(tiny_block(&x->tiny, small, sizeof small, false), SMALL);
    assert_int_equal(tiny_block(&x->tiny, large, x->tiny.v->data_max, false), LARGE);
    assert_int_equal(tiny_block(&x->tiny, "\1\1\0\0\0\0\0\0..", 10, true), INTERNAL);
    x->plan = (struct ost_plan){
        .variant = x->tiny.v, .blocks = x->tiny.blocks, .block_count = x->tiny.block_count};
    assert_int_equal(io_source_open_mem(x->tiny.data, x->tiny.size, &inner), 0);
    assert_int_equal(fault_source_open(inner, &x->faults, &x->source), 0);
    assert_int_equal(create(x, UINT64_MAX), 0);
}

static void done(struct fixture *x)
{
    ost_sourceblocks_destroy(x->blocks);
    io_source_close(x->source);
    tiny_done(&x->tiny);
}

static int get(struct fixture *x, uint64_t bid, struct bytes *out)
{
    const struct ost_block *block = x->view->find(x->view->ctx, bid);

    assert_non_null(block);
    assert_int_equal(block->bid, bid);
    return x->view->get(x->view->ctx, block, out);
}

static void put(struct fixture *x, uint64_t bid, struct bytes bytes)
{
    x->view->put(x->view->ctx, x->view->find(x->view->ctx, bid), bytes);
}

static void blocks_are_read_and_kept(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct fixture x;
        struct bytes b;

        init(&x, forge_formats[f]);
        for (unsigned i = 0; i < 3; i++) {
            uint64_t reads;

            assert_int_equal(get(&x, SMALL, &b), 0);
            assert_int_equal(b.size, 100);
            assert_int_equal(b.data[99], 's');
            put(&x, SMALL, b);
            assert_int_equal(get(&x, LARGE, &b), 0);
            assert_int_equal(b.size, x.tiny.v->data_max);
            assert_int_equal(b.data[b.size - 1], 'l');
            put(&x, LARGE, b);
            assert_int_equal(get(&x, INTERNAL, &b), 0);
            put(&x, INTERNAL, b);
            reads = x.source->reads;
            assert_true(reads <= 3);
        }
        assert_null(x.view->find(x.view->ctx, 0x4000));
        assert_int_equal(x.told.count, 0);
        done(&x);
    }
}

struct broken {
    uint64_t bid;
    uint32_t at; /* in the extent; from its end when `from_end` */
    bool from_end;
    enum ost_defect_kind kind;
    bool lost, suspect;
};

static void break_and_get(enum ost_format format, const struct broken *c)
{
    struct fixture x;
    struct bytes b;
    uint32_t extent;

    init(&x, format);
    extent = ost_block_extent(x.tiny.v, c->bid == SMALL ? 100 : x.tiny.v->data_max);
    tiny_at(&x.tiny, c->bid)[c->from_end ? extent - c->at : c->at] ^= 0x40;
    for (unsigned turn = 1; turn <= 2; turn++) { /* told each time */
        int rc = get(&x, c->bid, &b);

        assert_int_equal(rc, c->lost ? ERR_DAMAGED : 0);
        if (!rc)
            put(&x, c->bid, b);
        assert_int_equal(x.told.count, turn);
        assert_true(ost_defects_has(&x.told.defects, c->kind));
        assert_int_equal(x.told.last.lost, c->lost);
        assert_int_equal(x.told.last.suspect, c->suspect);
        assert_int_equal(x.told.last.block->bid, c->bid);
        assert_int_equal(x.told.last.extent_bytes, extent);
    }
    assert_int_equal(get(&x, c->bid == SMALL ? LARGE : SMALL, &b), 0); /* the others are well */
    put(&x, c->bid == SMALL ? LARGE : SMALL, b);
    assert_int_equal(x.told.count, 2);
    done(&x);
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        const struct ost_variant *v = ost_variant_of(forge_formats[f]);
        uint32_t trailer = v->block_trailer;
        const struct broken cases[] = {
            {SMALL, 50, false, OST_BLOCK_CRC, false, true}, /* a byte of the data */
            {LARGE, 8000, false, OST_BLOCK_CRC, false, true},
            {SMALL, trailer - v->block_crc, true, OST_BLOCK_CRC, false, true},
            {SMALL, trailer - v->block_bid, true, OST_BLOCK_BID, false, false},
            {SMALL, trailer - 2, true, OST_BLOCK_SIG, false, false},
            {SMALL, trailer, true, OST_BLOCK_SIZE, false, false},
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            break_and_get(forge_formats[f], &cases[i]);
    }
}

static void another_block_in_its_place_is_lost(void **state)
{
    struct fixture x;
    struct bytes b;

    (void)state;
    init(&x, OST_FORMAT_UNICODE);
    memset(tiny_at(&x.tiny, SMALL), 0, ost_block_extent(x.tiny.v, 100));
    assert_int_equal(get(&x, SMALL, &b), ERR_DAMAGED);
    assert_true(x.told.last.lost);
    done(&x);
}

static void places_outside_the_file_are_lost(void **state)
{
    struct fixture x;
    struct bytes b;

    (void)state;
    init(&x, OST_FORMAT_UNICODE4K);
    x.tiny.blocks[0].offset = x.tiny.size - 511;
    assert_int_equal(get(&x, SMALL, &b), ERR_DAMAGED);
    assert_true(x.told.last.outside && x.told.last.lost);
    x.tiny.blocks[0].offset = UINT64_MAX - 3;
    assert_int_equal(get(&x, SMALL, &b), ERR_DAMAGED);
    assert_true(x.told.last.outside);
    done(&x);
}

static void a_bad_stream_is_lost(void **state)
{
    struct fixture x;
    struct bytes b;

    (void)state;
    init(&x, OST_FORMAT_UNICODE4K);
    /* the BBT says that it is compressed; the trailer is made to agree */
    x.tiny.blocks[0].inflated = 200;
    put_le16(tiny_at(&x.tiny, SMALL) + 512 - 24 + 18, 200);
    assert_int_equal(get(&x, SMALL, &b), ERR_DAMAGED);
    assert_true(x.told.last.undecodable && x.told.last.lost);
    assert_int_equal(x.told.defects.count, 0);
    assert_int_equal(get(&x, SMALL, &b), ERR_DAMAGED); /* and was not kept */
    done(&x);
}

static void a_bad_sector_costs_its_block(void **state)
{
    struct fixture x;
    struct bytes b;

    (void)state;
    for (int code = ERR_IO; code >= ERR_RANGE; code += ERR_RANGE - ERR_IO) {
        init(&x, OST_FORMAT_UNICODE);
        x.faults.bad_from = x.tiny.blocks[1].offset + 5000;
        x.faults.bad_to = x.faults.bad_from + 1;
        x.faults.code = code;
        assert_int_equal(get(&x, LARGE, &b), ERR_DAMAGED);
        assert_int_equal(x.told.last.code, code);
        assert_true(x.told.last.lost);
        assert_int_equal(get(&x, SMALL, &b), 0); /* though a window would touch the sector */
        put(&x, SMALL, b);
        done(&x);
    }
    init(&x, OST_FORMAT_UNICODE);
    x.faults.bad_to = x.tiny.size;
    x.faults.code = ERR_SYS; /* about more than these bytes */
    assert_int_equal(get(&x, LARGE, &b), ERR_SYS);
    assert_int_equal(x.told.count, 0);
    done(&x);
}

static void the_allowance_is_kept(void **state)
{
    struct fixture x;
    struct bytes b;

    (void)state;
    init(&x, OST_FORMAT_UNICODE);
    ost_sourceblocks_destroy(x.blocks);
    assert_int_equal(create(&x, 3 * (100 + OST_LIMIT_BLOCK_COST)), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(get(&x, SMALL, &b), 0);
        put(&x, SMALL, b);
    }
    assert_int_equal(get(&x, LARGE, &b), ERR_LIMIT);
    ost_sourceblocks_charge(x.blocks, 1);
    assert_int_equal(get(&x, SMALL, &b), ERR_LIMIT);
    ost_sourceblocks_charge(x.blocks, 1 << 20);
    assert_int_equal(get(&x, INTERNAL, &b), ERR_LIMIT);
    assert_int_equal(x.told.count, 0);
    done(&x);
}

static void too_many_held_is_a_limit(void **state)
{
    struct bytes held[20];
    struct fixture x;
    unsigned n = 0;
    uint8_t data[OST_DATA_MAX] = {0};
    int rc = 0;

    (void)state;
    init(&x, OST_FORMAT_UNICODE4K);
    for (unsigned i = 0; i < 20; i++)
        tiny_block(&x.tiny, data, sizeof data, false);
    x.plan.block_count = x.tiny.block_count;
    io_source_close(x.source);
    assert_int_equal(io_source_open_mem(x.tiny.data, x.tiny.size, &x.source), 0);
    ost_sourceblocks_destroy(x.blocks);
    assert_int_equal(create(&x, UINT64_MAX), 0);
    while (!rc && n < 20) {
        rc = get(&x, 16 + 4 * n, &held[n]);
        n += rc == 0;
    }
    assert_int_equal(rc, ERR_LIMIT);
    assert_true(n >= 14);
    for (unsigned i = 0; i < n; i++)
        put(&x, 16 + 4 * i, held[i]);
    assert_int_equal(get(&x, 16 + 4 * n, &held[0]), 0);
    put(&x, 16 + 4 * n, held[0]);
    done(&x);
}

static void creation_fails_cleanly(void **state)
{
    struct fixture x;
    uint64_t nth = 0;
    int rc;

    (void)state;
    init(&x, OST_FORMAT_UNICODE4K);
    ost_sourceblocks_destroy(x.blocks);
    do {
        mem_test_fail(++nth, 0);
        rc = create(&x, 0);
        mem_test_fail(0, 0);
    } while (rc == ERR_NOMEM);
    assert_int_equal(rc, 0);
    assert_true(nth > 5);
    done(&x);
}

/* Every block of a real image is the same by any order of asking. */
static void real_blocks_are_read(void **state)
{
    struct ndbfile file;
    struct ost_plan_options options;
    struct fixture x = {0};

    (void)state;
    ndbfile_open(&file, sample_or_skip(SAMPLE_OST));
    options = ndbfile_options(&file);
    assert_int_equal(ost_plan_load(file.source, &options, &x.plan), 0);
    x.source = file.source;
    assert_int_equal(create(&x, UINT64_MAX), 0);
    for (size_t i = 0; i < x.plan.block_count; i++) {
        const struct ost_block *block = &x.plan.blocks[i * 7919 % x.plan.block_count];
        struct bytes b;

        assert_int_equal(get(&x, block->bid, &b), 0);
        assert_int_equal(b.size, block->inflated);
        put(&x, block->bid, b);
    }
    assert_int_equal(x.told.count, 0);
    ost_sourceblocks_destroy(x.blocks);
    ost_plan_done(&x.plan);
    ndbfile_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_read_and_kept),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(another_block_in_its_place_is_lost),
        cmocka_unit_test(places_outside_the_file_are_lost),
        cmocka_unit_test(a_bad_stream_is_lost),
        cmocka_unit_test(a_bad_sector_costs_its_block),
        cmocka_unit_test(the_allowance_is_kept),
        cmocka_unit_test(too_many_held_is_a_limit),
        cmocka_unit_test(creation_fails_cleanly),
        cmocka_unit_test(real_blocks_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
