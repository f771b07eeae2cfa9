/* parts.c: see parts.h. */
#include "index/parts.h"

#include <string.h>

#include "io/mem.h"
#include "io/sort.h"

enum { KEEP_BYTES = 4 << 20, KEEP_PARTS = 1 << 14 };

void idx_parts_done(struct idx_parts *p)
{
    buf_done(&p->bytes);
    mem_free(p->list);
    *p = (struct idx_parts){0};
}

void idx_buf_trim(struct buf *b)
{
    if (b->capacity > KEEP_BYTES)
        buf_done(b);
    buf_reset(b);
}

void idx_parts_reset(struct idx_parts *p)
{
    idx_buf_trim(&p->bytes);
    p->count = 0;
    if (p->capacity <= KEEP_PARTS)
        return;
    mem_free(p->list);
    p->list = NULL;
    p->capacity = 0;
}

static bool grow(struct idx_parts *p)
{
    size_t capacity = p->capacity ? p->capacity * 2 : 256, bytes;
    struct idx_part *list;

    if (__builtin_mul_overflow(capacity, sizeof *list, &bytes))
        return false;
    list = mem_realloc(p->list, bytes);
    if (!list)
        return false;
    p->list = list;
    p->capacity = capacity;
    return true;
}

void idx_parts_add(struct idx_parts *p, size_t offset, unsigned rule)
{
    if (p->bytes.failed)
        return;
    if (p->count == p->capacity && !grow(p)) {
        p->bytes.failed = true;
        return;
    }
    p->list[p->count++] = (struct idx_part){offset, p->bytes.size - offset, rule};
}

static int compare(const void *left, const void *right, void *data)
{
    const struct idx_part *a = left, *b = right;
    size_t shorter = a->size < b->size ? a->size : b->size;
    const uint8_t *bytes = data;
    int order = memcmp(bytes + a->offset, bytes + b->offset, shorter);

    if (order)
        return order;
    return a->size < b->size ? -1 : a->size > b->size;
}

void idx_parts_sort(struct idx_parts *p, size_t first)
{
    size_t i = first + 1;

    if (p->bytes.failed)
        return;
    while (i < p->count && compare(&p->list[i - 1], &p->list[i], p->bytes.data) <= 0)
        i++;
    if (i < p->count)
        io_sort_r(p->list + first, p->count - first, sizeof *p->list, compare, p->bytes.data);
}
