/*
 * amap.c: see amap.h.
 *
 * The bitmaps of all spans on end are one bit array: unit i of the file, counted from the first
 * AMap, is bit i, high bit first. It is searched 64 bits at a time.
 */
#include "scanner/ost/amap.h"

#include <assert.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"

uint64_t ost_amap_count(const struct ost_variant *v, uint64_t file_size)
{
    uint64_t least = v->amap_first + v->page_size;

    return file_size < least ? 0 : (file_size - least) / v->amap_spacing + 1;
}

uint64_t ost_amap_offset(const struct ost_variant *v, uint64_t k)
{
    return v->amap_first + k * v->amap_spacing;
}

static bool follows(uint64_t k, uint64_t first, uint64_t every)
{
    return k >= first && (k - first) % every == 0;
}

unsigned ost_alloc_pages(const struct ost_variant *v, uint64_t k,
                         struct ost_alloc_page out[OST_ALLOC_PAGES_MAX])
{
    uint64_t at = ost_amap_offset(v, k);
    unsigned n = 0;

    out[n++] = (struct ost_alloc_page){PTYPE_AMAP, at, v->has_pmaps || k == 0};
    if (!v->has_pmaps)
        return n;
    if (follows(k, 0, PMAP_EVERY))
        out[n++] = (struct ost_alloc_page){PTYPE_PMAP, at += v->page_size, true};
    if (follows(k, FMAP_FIRST, FMAP_EVERY))
        out[n++] = (struct ost_alloc_page){PTYPE_FMAP, at += v->page_size, false};
    if (follows(k, FPMAP_FIRST, FPMAP_EVERY))
        out[n++] = (struct ost_alloc_page){PTYPE_FPMAP, at += v->page_size, false};
    return n;
}

int ost_allocmap_init(struct ost_allocmap *m, const struct ost_variant *v, uint64_t file_size,
                      uint64_t memory_bytes)
{
    uint64_t spans = ost_amap_count(v, file_size), bits, known = spans / 8 + 1;

    if (__builtin_mul_overflow(spans, v->amap_bitmap_size, &bits) || bits > memory_bytes ||
        known > memory_bytes - bits)
        return ERR_LIMIT;
    *m = (struct ost_allocmap){.variant = v, .spans = spans};
    m->bits = mem_zalloc(bits ? bits : 1);
    m->known = mem_zalloc(known);
    if (m->bits && m->known)
        return 0;
    ost_allocmap_done(m);
    return ERR_NOMEM;
}

void ost_allocmap_done(struct ost_allocmap *m)
{
    mem_free(m->bits);
    mem_free(m->known);
    m->bits = m->known = NULL;
    m->spans = 0;
}

void ost_allocmap_put(struct ost_allocmap *m, uint64_t k, const uint8_t *page)
{
    const struct ost_variant *v = m->variant;

    assert(k < m->spans);
    memcpy(m->bits + k * v->amap_bitmap_size, page + v->amap_bitmap, v->amap_bitmap_size);
    m->known[k / 8] |= (uint8_t)(1u << k % 8);
}

static bool span_known(const struct ost_allocmap *m, uint64_t k)
{
    return m->known[k / 8] >> k % 8 & 1;
}

static uint64_t bit_count(const struct ost_allocmap *m)
{
    return m->spans * m->variant->amap_bitmap_size * 8;
}

/* The first bit of that value at or after `from`, or `end`. */
static uint64_t find_bit(const struct ost_allocmap *m, uint64_t from, uint64_t end, bool value)
{
    while (from < end) {
        uint64_t word = __builtin_bswap64(le64(m->bits + from / 64 * 8));

        word = (value ? word : ~word) << from % 64;
        if (word) {
            from += (unsigned)__builtin_clzll(word);
            return from < end ? from : end;
        }
        from = (from / 64 + 1) * 64;
    }
    return end;
}

enum ost_alloc ost_allocmap_query(const struct ost_allocmap *m, uint64_t offset, uint64_t length)
{
    const struct ost_variant *v = m->variant;
    uint64_t covered = m->spans * v->amap_spacing, first, end;
    bool value;

    assert(length > 0);
    if (offset < v->amap_first || !range_fits(offset - v->amap_first, length, covered))
        return OST_ALLOC_UNKNOWN;
    offset -= v->amap_first;
    for (uint64_t k = offset / v->amap_spacing; k <= (offset + length - 1) / v->amap_spacing; k++)
        if (!span_known(m, k))
            return OST_ALLOC_UNKNOWN;
    first = offset / v->unit;
    end = (offset + length - 1) / v->unit + 1;
    value = find_bit(m, first, end, true) == first;
    if (find_bit(m, first, end, !value) < end)
        return OST_ALLOC_MIXED;
    return value ? OST_ALLOC_USED : OST_ALLOC_FREE;
}

bool ost_allocmap_next(const struct ost_allocmap *m, uint64_t from, struct ost_run *out)
{
    const struct ost_variant *v = m->variant;
    uint64_t end = bit_count(m), first, stop;

    first = from <= v->amap_first ? 0 : (from - v->amap_first) / v->unit;
    first = find_bit(m, first, end, true);
    if (first >= end)
        return false;
    stop = find_bit(m, first, end, false);
    *out = (struct ost_run){v->amap_first + first * v->unit, (stop - first) * v->unit};
    return true;
}

uint64_t ost_allocmap_free(const struct ost_allocmap *m)
{
    const struct ost_variant *v = m->variant;
    uint64_t free_units = 0;

    for (uint64_t k = 0; k < m->spans; k++) {
        const uint8_t *bits = m->bits + k * v->amap_bitmap_size;

        for (uint32_t i = 0; span_known(m, k) && i < v->amap_bitmap_size; i += 8)
            free_units += (unsigned)__builtin_popcountll(~le64(bits + i));
    }
    return free_units * v->unit;
}
