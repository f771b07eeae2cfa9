/* test_amap.c: places of allocation pages, and the map of used and free bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/amap.h"
#include "tests/support/forge.h"

static void bitmaps_cover_their_span(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        const struct ost_variant *v = ost_variant_of(forge_formats[f]);

        assert_int_equal((uint64_t)v->amap_bitmap_size * 8 * v->unit, v->amap_spacing);
        assert_int_equal(v->amap_bitmap_size % 8, 0);
        assert_int_equal(v->page_size, 8 * v->unit); /* its own page: the first byte */
    }
}

static void counts_maps_of_a_file(void **state)
{
    const struct ost_variant *u = ost_variant_of(OST_FORMAT_UNICODE);
    const struct ost_variant *k = ost_variant_of(OST_FORMAT_UNICODE4K);

    (void)state;
    assert_int_equal(ost_amap_count(u, 0), 0);
    assert_int_equal(ost_amap_count(u, 0x4400 + 511), 0);
    assert_int_equal(ost_amap_count(u, 0x4400 + 512), 1);
    assert_int_equal(ost_amap_count(u, 271360), 1); /* the smallest PST of Outlook */
    assert_int_equal(ost_amap_count(u, 0x4400 + 0x3E000 + 512), 2);
    assert_int_equal(ost_amap_count(k, 16818176), 1);
    assert_int_equal(ost_amap_offset(k, 2), 0x22000 + 2 * 0xFE8000);
}

static void pages_follow_their_rules(void **state)
{
    const struct ost_variant *u = ost_variant_of(OST_FORMAT_UNICODE);
    const struct ost_variant *k = ost_variant_of(OST_FORMAT_UNICODE4K);
    struct ost_alloc_page p[OST_ALLOC_PAGES_MAX];

    (void)state;
    assert_int_equal(ost_alloc_pages(u, 0, p), 2);
    assert_int_equal(p[0].type, PTYPE_AMAP);
    assert_int_equal(p[1].type, PTYPE_PMAP);
    assert_int_equal(p[1].offset, 0x4600);
    assert_true(p[0].known && p[1].known);
    assert_int_equal(ost_alloc_pages(u, 7, p), 1);
    assert_int_equal(ost_alloc_pages(u, 128, p), 3);
    assert_int_equal(p[2].type, PTYPE_FMAP);
    assert_int_equal(p[2].offset, p[0].offset + 1024);
    assert_false(p[2].known);
    assert_int_equal(ost_alloc_pages(u, 128 + 496, p), 3);
    assert_int_equal(ost_alloc_pages(u, 8192, p), 3); /* PMap and FPMap */
    assert_int_equal(p[2].type, PTYPE_FPMAP);
    assert_int_equal(ost_alloc_pages(k, 0, p), 1);
    assert_true(p[0].known);
    assert_int_equal(ost_alloc_pages(k, 8, p), 1);
    assert_false(p[0].known);
}

/* A page whose bitmap has units [first, end) set. */
static void page_with(const struct ost_variant *v, uint8_t *page, unsigned first, unsigned end)
{
    memset(page, 0, v->page_size);
    for (unsigned i = first; i < end; i++)
        page[v->amap_bitmap + i / 8] |= (uint8_t)(0x80 >> i % 8);
}

/* Against a slow model: one byte a unit. */
static void queries_agree_with_a_model(void **state)
{
    static const unsigned edges[] = {0, 1, 63, 64, 65, 500, 1000, 3967};

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        const struct ost_variant *v = ost_variant_of(forge_formats[f]);
        uint8_t page[OST_PAGE_MAX];
        struct ost_allocmap m;

        assert_int_equal(ost_allocmap_init(&m, v, v->amap_first + v->amap_spacing, 1 << 20), 0);
        for (unsigned a = 0; a < 8; a++) {
            for (unsigned b = a + 1; b < 8; b++) {
                uint64_t first = v->amap_first + (uint64_t)edges[a] * v->unit;
                uint64_t end = v->amap_first + (uint64_t)edges[b] * v->unit;
                struct ost_run run;

                page_with(v, page, edges[a], edges[b]);
                ost_allocmap_put(&m, 0, page);
                assert_int_equal(ost_allocmap_query(&m, first, end - first), OST_ALLOC_USED);
                assert_int_equal(ost_allocmap_query(&m, first, 1), OST_ALLOC_USED);
                assert_int_equal(ost_allocmap_query(&m, end - 1, 1), OST_ALLOC_USED);
                assert_int_equal(ost_allocmap_query(&m, end, 1), OST_ALLOC_FREE);
                assert_int_equal(ost_allocmap_query(&m, end - 1, 2), OST_ALLOC_MIXED);
                if (edges[a] > 0) {
                    assert_int_equal(ost_allocmap_query(&m, first - 1, 1), OST_ALLOC_FREE);
                    assert_int_equal(ost_allocmap_query(&m, first - 1, 2), OST_ALLOC_MIXED);
                }
                assert_true(ost_allocmap_next(&m, 0, &run));
                assert_int_equal(run.offset, first);
                assert_int_equal(run.length, end - first);
                assert_false(ost_allocmap_next(&m, end, &run));
                assert_int_equal(ost_allocmap_free(&m), v->amap_spacing - (end - first));
            }
        }
        ost_allocmap_done(&m);
    }
}

static void unknown_stays_unknown(void **state)
{
    const struct ost_variant *v = ost_variant_of(OST_FORMAT_UNICODE);
    uint64_t first = v->amap_first, span = v->amap_spacing;
    struct ost_allocmap m;
    uint8_t page[512];
    struct ost_run run;

    (void)state;
    assert_int_equal(ost_allocmap_init(&m, v, first + 3 * span, 1 << 20), 0);
    assert_int_equal(m.spans, 3);
    memset(page, 0xFF, sizeof page);
    ost_allocmap_put(&m, 0, page);
    ost_allocmap_put(&m, 2, page);
    assert_int_equal(ost_allocmap_query(&m, first - 1, 2), OST_ALLOC_UNKNOWN);
    assert_int_equal(ost_allocmap_query(&m, first + span - 1, 1), OST_ALLOC_USED);
    assert_int_equal(ost_allocmap_query(&m, first + span - 1, 2), OST_ALLOC_UNKNOWN);
    assert_int_equal(ost_allocmap_query(&m, first + 3 * span - 1, 2), OST_ALLOC_UNKNOWN);
    assert_int_equal(ost_allocmap_query(&m, UINT64_MAX, UINT64_MAX), OST_ALLOC_UNKNOWN);
    assert_int_equal(ost_allocmap_free(&m), 0);
    assert_true(ost_allocmap_next(&m, first + span, &run));
    assert_int_equal(run.offset, first + 2 * span);
    ost_allocmap_put(&m, 1, page); /* now one run across all spans */
    assert_true(ost_allocmap_next(&m, 0, &run));
    assert_int_equal(run.length, 3 * span);
    assert_int_equal(ost_allocmap_query(&m, first, 3 * span), OST_ALLOC_USED);
    ost_allocmap_done(&m);
}

static void size_is_bounded_and_failures_are_clean(void **state)
{
    const struct ost_variant *v = ost_variant_of(OST_FORMAT_ANSI);
    struct ost_allocmap m = {0};

    (void)state;
    assert_int_equal(ost_allocmap_init(&m, v, UINT64_MAX, 1 << 20), ERR_LIMIT);
    assert_int_equal(ost_allocmap_init(&m, v, 100 << 20, 1000), ERR_LIMIT);
    for (unsigned nth = 1; nth <= 2; nth++) {
        mem_test_fail(nth, 0);
        assert_int_equal(ost_allocmap_init(&m, v, 100 << 20, 1 << 20), ERR_NOMEM);
        mem_test_fail(0, 0);
    }
    assert_int_equal(ost_allocmap_init(&m, v, 100, 1 << 20), 0);
    assert_int_equal(m.spans, 0);
    assert_int_equal(ost_allocmap_query(&m, 0x4400, 1), OST_ALLOC_UNKNOWN);
    ost_allocmap_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitmaps_cover_their_span),
        cmocka_unit_test(counts_maps_of_a_file),
        cmocka_unit_test(pages_follow_their_rules),
        cmocka_unit_test(queries_agree_with_a_model),
        cmocka_unit_test(unknown_stays_unknown),
        cmocka_unit_test(size_is_bounded_and_failures_are_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
