/* span.c: see span.h. */
#include "scanner/check/span.h"

#include <assert.h>
#include <string.h>

void chk_span_begin(struct chk_span *s, const struct ost_variant *v, uint64_t k)
{
    struct ost_alloc_page pages[OST_ALLOC_PAGES_MAX];
    unsigned count = ost_alloc_pages(v, k, pages);
    uint64_t ignored;

    s->variant = v;
    s->k = k;
    s->offset = s->pages_end = ost_amap_offset(v, k);
    s->known = false;
    s->words = (v->amap_bitmap_size + 7) / 8;
    memset(s->used, 0, s->words * sizeof *s->used);
    for (unsigned i = 0; i < count && pages[i].known; i++) {
        chk_span_put(s, pages[i].offset, v->page_size, &ignored);
        s->pages_end = pages[i].offset + v->page_size;
    }
}

void chk_span_map(struct chk_span *s, const uint8_t *page)
{
    const uint8_t *bits = page + s->variant->amap_bitmap;

    for (unsigned i = 0; i < s->words; i++)
        s->map[i] = __builtin_bswap64(le64(bits + 8 * (size_t)i));
    s->known = true;
}

/* The bits [first, end) of their word. */
static uint64_t mask_of(uint64_t first, uint64_t end)
{
    uint64_t from = UINT64_MAX >> first % 64;

    return end / 64 > first / 64 ? from : from & ~(UINT64_MAX >> end % 64);
}

static bool is_used(const struct chk_span *s, uint64_t first, uint64_t end)
{
    for (uint64_t i = first; i < end; i = (i / 64 + 1) * 64)
        if (s->used[i / 64] & mask_of(i, end))
            return true;
    return false;
}

enum chk_put chk_span_test(const struct chk_span *s, uint64_t offset, uint64_t length)
{
    const struct ost_variant *v = s->variant;
    uint64_t first = (offset - s->offset) / v->unit, end = first + length / v->unit;
    uint64_t limit = v->amap_spacing / v->unit;

    assert(offset >= s->offset && first < limit);
    if (end > limit)
        return CHK_PUT_ACROSS;
    if (is_used(s, first, end))
        return offset < s->pages_end ? CHK_PUT_ON_ALLOC_PAGE : CHK_PUT_OVERLAP;
    return CHK_PUT_GOOD;
}

enum chk_put chk_span_put(struct chk_span *s, uint64_t offset, uint64_t length, uint64_t *unmapped)
{
    const struct ost_variant *v = s->variant;
    uint64_t first = (offset - s->offset) / v->unit, end = first + length / v->unit;
    uint64_t limit = v->amap_spacing / v->unit, missing = 0;
    enum chk_put put = chk_span_test(s, offset, length);

    *unmapped = 0;
    if (put == CHK_PUT_OVERLAP || put == CHK_PUT_ON_ALLOC_PAGE)
        return put;
    if (put == CHK_PUT_ACROSS)
        end = limit;
    for (uint64_t i = first; i < end; i = (i / 64 + 1) * 64) {
        uint64_t mask = mask_of(i, end);

        s->used[i / 64] |= mask;
        if (s->known)
            missing += (unsigned)__builtin_popcountll(mask & ~s->map[i / 64]);
    }
    *unmapped = missing * v->unit;
    return put;
}

bool chk_span_calls_free(const struct chk_span *s, uint64_t offset, uint64_t length)
{
    const struct ost_variant *v = s->variant;
    uint64_t first = (offset - s->offset) / v->unit, end = first + length / v->unit;
    uint64_t limit = v->amap_spacing / v->unit;

    end = end > limit ? limit : end;
    for (uint64_t i = first; s->known && i < end; i = (i / 64 + 1) * 64)
        if (mask_of(i, end) & ~s->map[i / 64])
            return true;
    return false;
}

uint64_t chk_span_free(const struct chk_span *s)
{
    uint64_t units = 0;

    for (unsigned i = 0; i < s->words; i++)
        units += (unsigned)__builtin_popcountll(~s->map[i]);
    return units * s->variant->unit;
}

uint64_t chk_span_unused(const struct chk_span *s)
{
    uint64_t units = 0;

    for (unsigned i = 0; i < s->words; i++)
        units += (unsigned)__builtin_popcountll(s->map[i] & ~s->used[i]);
    return units * s->variant->unit;
}
