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
    s->unit_bits = (unsigned)__builtin_ctz(v->unit);
    s->limit = v->amap_spacing >> s->unit_bits;
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

/* The bits of a word that are set: without the processor's instruction, which not every one has,
 * the compiler's is a call. */
static unsigned ones(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (unsigned)(x * 0x0101010101010101u >> 56);
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

/* An extent in units from the span's beginning; `end` may lie beyond the span's. */
struct units {
    uint64_t first, end;
};

static struct units units_of(const struct chk_span *s, uint64_t offset, uint64_t length)
{
    uint64_t first = (offset - s->offset) >> s->unit_bits;

    return (struct units){first, first + (length >> s->unit_bits)};
}

static enum chk_put test(const struct chk_span *s, uint64_t offset, struct units u)
{
    assert(offset >= s->offset && u.first < s->limit);
    if (u.end > s->limit)
        return CHK_PUT_ACROSS;
    if (is_used(s, u.first, u.end))
        return offset < s->pages_end ? CHK_PUT_ON_ALLOC_PAGE : CHK_PUT_OVERLAP;
    return CHK_PUT_GOOD;
}

enum chk_put chk_span_test(const struct chk_span *s, uint64_t offset, uint64_t length)
{
    return test(s, offset, units_of(s, offset, length));
}

enum chk_put chk_span_put(struct chk_span *s, uint64_t offset, uint64_t length, uint64_t *unmapped)
{
    struct units u = units_of(s, offset, length);
    enum chk_put put = test(s, offset, u);
    uint64_t missing = 0;

    *unmapped = 0;
    if (put == CHK_PUT_OVERLAP || put == CHK_PUT_ON_ALLOC_PAGE)
        return put;
    if (put == CHK_PUT_ACROSS)
        u.end = s->limit;
    for (uint64_t i = u.first; i < u.end; i = (i / 64 + 1) * 64) {
        uint64_t mask = mask_of(i, u.end), clear = mask & ~s->map[i / 64];

        s->used[i / 64] |= mask;
        if (s->known && clear)
            missing += ones(clear);
    }
    *unmapped = missing << s->unit_bits;
    return put;
}

bool chk_span_calls_free(const struct chk_span *s, uint64_t offset, uint64_t length)
{
    struct units u = units_of(s, offset, length);

    u.end = u.end > s->limit ? s->limit : u.end;
    for (uint64_t i = u.first; s->known && i < u.end; i = (i / 64 + 1) * 64)
        if (mask_of(i, u.end) & ~s->map[i / 64])
            return true;
    return false;
}

uint64_t chk_span_free(const struct chk_span *s)
{
    uint64_t units = 0;

    for (unsigned i = 0; i < s->words; i++)
        units += ones(~s->map[i]);
    return units * s->variant->unit;
}

uint64_t chk_span_unused(const struct chk_span *s)
{
    uint64_t units = 0;

    for (unsigned i = 0; i < s->words; i++)
        units += ones(s->map[i] & ~s->used[i]);
    return units * s->variant->unit;
}
