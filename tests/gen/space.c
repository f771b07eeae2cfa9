#include "tests/gen/space.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/offsets.h"
#include "tests/gen/sum.h"

/*
 *   amap_first                     + spacing                      + 2 spacing
 *   | AMap 0 | PMap 0 | blocks ... | AMap 1 | blocks ...          | AMap 2 ...
 *
 * One flat bitmap serves all spans: a span is as long as its page's bits cover, so the bit of an
 * offset is (offset - amap_first) / unit, and page k holds the k-th run of amap_bits_size bytes.
 */

enum { GAP_BYTES = 64 << 10 };

int space_init(struct space *s, const struct variant *variant, int fd)
{
    *s = (struct space){.variant = variant, .fd = fd, .next = variant->amap_first};
    s->window = mem_alloc(SPACE_WINDOW);
    return s->window == NULL ? ERR_NOMEM : 0;
}

void space_done(struct space *s)
{
    mem_free(s->window);
    mem_free(s->bitmap);
    *s = (struct space){.fd = -1};
}

int space_error(const struct space *s)
{
    return s->error;
}

static bool bitmap_grow(struct space *s, size_t size)
{
    if (size <= s->bitmap_size)
        return true;
    size_t wanted = s->bitmap_size * 2;
    if (wanted < size + s->variant->amap_bits_size)
        wanted = size + s->variant->amap_bits_size;
    uint8_t *bigger = mem_realloc(s->bitmap, wanted);
    if (bigger == NULL) {
        s->error = ERR_NOMEM;
        return false;
    }
    memset(bigger + s->bitmap_size, 0, wanted - s->bitmap_size);
    s->bitmap = bigger;
    s->bitmap_size = wanted;
    return true;
}

static void bits_change(struct space *s, uint64_t offset, uint64_t size, bool set)
{
    uint64_t first = (offset - s->variant->amap_first) / s->variant->unit;
    uint64_t count = size / s->variant->unit;
    if (!bitmap_grow(s, (size_t)((first + count + 7) / 8)))
        return;
    for (uint64_t i = first; i < first + count; i++) {
        uint8_t mask = (uint8_t)(0x80 >> (i & 7));
        if (set)
            s->bitmap[i / 8] |= mask;
        else
            s->bitmap[i / 8] &= (uint8_t)~mask;
    }
}

bool space_is_free(const struct space *s, uint64_t offset)
{
    uint64_t bit = (offset - s->variant->amap_first) / s->variant->unit;
    return bit / 8 >= s->bitmap_size || (s->bitmap[bit / 8] & (0x80 >> (bit & 7))) == 0;
}

static uint64_t span_of(const struct variant *v, uint64_t offset)
{
    return (offset - v->amap_first) / v->amap_spacing;
}

static uint64_t span_start(const struct variant *v, uint64_t span)
{
    return v->amap_first + span * v->amap_spacing;
}

/* Takes the pages of a span that has just begun. */
static void span_begin(struct space *s, uint64_t span)
{
    uint32_t pages = variant_span_pages(s->variant, span);
    uint64_t start = span_start(s->variant, span);
    bits_change(s, start, pages, true);
    s->next = start + pages;
}

static uint64_t align_up(uint64_t offset, uint32_t align)
{
    return (offset + align - 1) / align * align;
}

uint64_t space_alloc(struct space *s, uint32_t size, uint32_t align)
{
    const struct variant *v = s->variant;
    if (s->next == v->amap_first)
        span_begin(s, 0);
    uint64_t offset = align_up(s->next, align);
    uint64_t span = span_of(v, s->next);
    if (offset + size > span_start(v, span + 1)) {
        span_begin(s, span + 1);
        offset = align_up(s->next, align);
    }
    bits_change(s, offset, size, true);
    s->next = offset + size;
    if (s->next == span_start(v, span_of(v, offset) + 1))
        span_begin(s, span_of(v, offset) + 1);
    if (!v->wide && s->next > UINT32_MAX - v->amap_spacing)
        s->error = s->error == 0 ? ERR_LIMIT : s->error;
    return offset;
}

void space_free(struct space *s, uint64_t offset, uint64_t size)
{
    bits_change(s, offset, size, false);
}

void space_leak(struct space *s, uint32_t size)
{
    space_alloc(s, size, s->variant->unit);
}

static void write_all(struct space *s, const void *data, size_t size, uint64_t offset)
{
    const uint8_t *p = data;
    while (size > 0 && s->error == 0) {
        ssize_t n = pwrite(s->fd, p, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            s->error = n == 0 ? ERR_IO : err_from_errno(errno);
            return;
        }
        p += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
}

int space_flush(struct space *s)
{
    if (s->window_used > 0)
        write_all(s, s->window, s->window_used, s->window_start);
    s->window_start += s->window_used;
    s->window_used = 0;
    return s->error;
}

uint8_t *space_place(struct space *s, uint64_t offset, uint32_t size)
{
    uint64_t end = s->window_start + s->window_used;
    assert(offset >= end);
    uint64_t gap = offset - end;
    if (gap > GAP_BYTES || s->window_used + gap + size > SPACE_WINDOW) {
        space_flush(s);
        s->window_start = offset;
        gap = 0;
    }
    if (s->error != 0)
        return NULL;
    memset(s->window + s->window_used, 0, (size_t)gap);
    uint8_t *room = s->window + s->window_used + gap;
    s->window_used += (size_t)gap + size;
    return room;
}

void space_write(struct space *s, uint64_t offset, const void *data, size_t size)
{
    assert(s->window_used == 0);
    write_all(s, data, size, offset);
}

uint64_t space_spans(const struct space *s)
{
    return s->next == s->variant->amap_first ? 1 : span_of(s->variant, s->next - 1) + 1;
}

uint64_t space_file_end(const struct space *s)
{
    return span_start(s->variant, space_spans(s));
}

uint64_t space_free_bytes(const struct space *s)
{
    uint64_t used = 0;
    for (size_t i = 0; i < s->bitmap_size; i++)
        used += (unsigned)__builtin_popcount(s->bitmap[i]);
    return (space_spans(s) * s->variant->amap_bits_size * 8 - used) * s->variant->unit;
}

/* A page of the allocation family: signature 0, its own offset as BID. */
static void map_page(struct space *s, uint8_t *page, uint64_t offset, uint8_t type)
{
    struct page_end end = {.type = type, .signature = 0, .bid = offset};
    page_seal(s->variant, page, &end);
    space_write(s, offset, page, s->variant->page_size);
}

static void write_span(struct space *s, uint64_t span)
{
    const struct variant *v = s->variant;
    uint8_t page[4096] = {0};
    uint64_t at = span_start(v, span);
    memcpy(page + v->amap_bits_offset, s->bitmap + span * v->amap_bits_size, v->amap_bits_size);
    map_page(s, page, at, PTYPE_AMAP);
    if (v->format == GEN_UNICODE4K)
        return;
    memset(page + v->amap_bits_offset, 0xFF, v->amap_bits_size);
    if (span % 8 == 0)
        map_page(s, page, at += v->page_size, PTYPE_PMAP);
    if (span >= 128 && (span - 128) % 496 == 0)
        map_page(s, page, at += v->page_size, PTYPE_FMAP);
    if (span >= 8192 && (span - 8192) % 31744 == 0)
        map_page(s, page, at + v->page_size, PTYPE_FPMAP);
}

int space_finish(struct space *s)
{
    uint64_t spans = space_spans(s);
    if (s->next == s->variant->amap_first)
        span_begin(s, 0);
    space_flush(s);
    if (!bitmap_grow(s, (size_t)(spans * s->variant->amap_bits_size)))
        return s->error;
    for (uint64_t i = 0; i < spans && s->error == 0; i++)
        write_span(s, i);
    if (s->error == 0 && ftruncate(s->fd, (off_t)space_file_end(s)) != 0)
        s->error = err_from_errno(errno);
    return s->error;
}
