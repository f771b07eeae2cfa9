/* giant.c: see giant.h. */
#include "tests/support/giant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "tests/support/forge.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static unsigned level_of(const struct giant *g, uint64_t number)
{
    unsigned level = 0;

    while (level + 1 < g->levels && number >= g->base[level + 1])
        level++;
    return level;
}

static void fill_leaf(const struct giant *g, uint64_t i, uint8_t *page)
{
    uint64_t first = i * g->fill, n = least(g->fill, g->blocks - first);

    forge_counters(g->variant, page, OST_TREE_BBT, 0, (unsigned)n);
    for (unsigned k = 0; k < n; k++) {
        uint64_t bid = 4 * (first + k + 1);
        struct ost_block b = {bid, bid * 16, 100, 100, 2, 0};

        forge_block_entry(g->variant, page, k, &b);
    }
}

static void fill_branch(const struct giant *g, unsigned level, uint64_t i, uint8_t *page)
{
    uint64_t first = i * g->fill, n = least(g->fill, g->count[level - 1] - first);

    forge_counters(g->variant, page, OST_TREE_BBT, level, (unsigned)n);
    for (unsigned k = 0; k < n; k++) {
        uint64_t number = g->base[level - 1] + first + k;
        struct ost_bref child = {number, number * g->variant->page_size};

        forge_branch(g->variant, page, k, 4 * ((first + k) * g->span[level - 1] + 1), child);
    }
}

static void make_page(const struct giant *g, uint64_t number, uint8_t *page)
{
    unsigned level = level_of(g, number);

    memset(page, 0, g->variant->page_size);
    if (number == 1)
        forge_counters(g->variant, page, OST_TREE_NBT, 0, 0);
    else if (number > 1 && level == 0)
        fill_leaf(g, number - g->base[0], page);
    else if (number > 1)
        fill_branch(g, level, number - g->base[level], page);
    forge_seal(g->variant, page, number == 1 ? PTYPE_NBT : PTYPE_BBT, number,
               number * g->variant->page_size);
}

static int giant_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    const struct giant *g = (const struct giant *)s;
    uint32_t page = g->variant->page_size;

    assert_int_equal(offset % page, 0);
    assert_int_equal(size % page, 0);
    for (size_t done = 0; done < size; done += page)
        make_page(g, (offset + done) / page, (uint8_t *)into + done);
    return 0;
}

static void giant_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    (void)s;
    (void)hint;
    (void)offset;
    (void)length;
}

static void giant_close(struct io_source *s)
{
    (void)s;
}

void giant_init(struct giant *g, const struct ost_variant *v, uint64_t blocks, unsigned fill)
{
    static const struct io_source_ops ops = {
        .read = giant_read, .hint = giant_hint, .close = giant_close};
    uint64_t next = 2; /* after the header's place and the node B-tree */

    *g = (struct giant){.source.ops = &ops, .variant = v, .blocks = blocks, .fill = fill};
    for (uint64_t n = (blocks + fill - 1) / fill, span = fill;; n = (n + fill - 1) / fill) {
        g->base[g->levels] = next;
        g->count[g->levels] = n;
        g->span[g->levels++] = span;
        next += n;
        span *= fill;
        if (n <= 1)
            break;
    }
    g->source.size_bytes = next * v->page_size;
}

struct ost_plan_options giant_options(const struct giant *g)
{
    uint64_t root = g->base[g->levels - 1], page = g->variant->page_size;

    return (struct ost_plan_options){
        .variant = g->variant, .nbt = {1, page}, .bbt = {root, root * page}};
}
