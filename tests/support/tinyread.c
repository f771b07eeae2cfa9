/* tinyread.c: see tinyread.h. */
#include "tests/support/tinyread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static int on_finding(void *ctx, const struct finding *f)
{
    struct tinyread *x = ctx;

    assert_true(x->finding_count < TINYREAD_FINDINGS);
    x->findings[x->finding_count++] = *f;
    return x->sink_code;
}

void tinyread_open(struct tinyread *x, uint64_t allowance)
{
    struct ost_sourceblocks_options options = {
        .plan = &x->plan,
        .memory_bytes = 4 << 20,
        .allowance_bytes = allowance,
        .ctx = &x->reading,
        .trouble = ost_reading_block_trouble,
    };

    x->plan = (struct ost_plan){
        .variant = x->tiny.v,
        .blocks = x->tiny.blocks,
        .block_count = x->tiny.block_count,
        .nodes = x->tiny.nodes,
        .node_count = x->tiny.node_count,
    };
    assert_int_equal(io_source_open_mem(x->tiny.data, x->tiny.size, &x->source), 0);
    options.source = x->source;
    assert_int_equal(ost_sourceblocks_create(&options, &x->blocks), 0);
    arena_init(&x->arena, 64 << 20);
    x->reading = (struct ost_reading){
        .variant = x->tiny.v,
        .blocks = ost_sourceblocks_view(x->blocks),
        .arena = &x->arena,
        .ctx = x,
        .finding = on_finding,
    };
    x->finding_count = 0;
    x->sink_code = 0;
    ost_reading_begin(&x->reading, 0x24, 0x22, true);
}

void tinyread_again(struct tinyread *x)
{
    ost_reading_end(&x->reading);
    arena_reset(&x->arena);
    x->finding_count = 0;
    ost_reading_begin(&x->reading, 0x24, 0x22, true);
}

void tinyread_done(struct tinyread *x)
{
    ost_reading_end(&x->reading);
    ost_sourceblocks_destroy(x->blocks);
    io_source_close(x->source);
    arena_done(&x->arena);
    tiny_done(&x->tiny);
}

unsigned tinyread_told(const struct tinyread *x, enum finding_code code)
{
    unsigned n = 0;

    for (unsigned i = 0; i < x->finding_count; i++)
        n += x->findings[i].code == code;
    return n;
}

unsigned tinyread_damages(const struct tinyread *x, enum finding_code code)
{
    unsigned n = 0;

    for (size_t i = 0; i < x->reading.damages.count; i++)
        n += x->reading.damages.list[i].code == code;
    return n;
}

struct ost_subnode tinyread_roots(const struct tinyread *x, uint32_t nid)
{
    const struct ost_node *node = ost_plan_node(&x->plan, nid);

    assert_non_null(node);
    return (struct ost_subnode){nid, node->data, node->sub};
}
