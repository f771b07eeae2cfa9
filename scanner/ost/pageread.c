/* pageread.c: see pageread.h. */
#include "scanner/ost/pageread.h"

#include <assert.h>
#include <stdbool.h>

struct extent {
    size_t first, end; /* pages */
    uint64_t offset;
    uint64_t length;
};

/* The pages from `first` on that are read at once. */
static struct extent extent_from(const struct ost_pageread *r, size_t first, size_t count)
{
    uint64_t offset = r->offset_of(r->ctx, first), stop = offset + r->page_size;
    size_t end = first + 1;

    for (; end < count; end++) {
        uint64_t next = r->offset_of(r->ctx, end);

        assert(next >= stop);
        if (next - stop > r->gap_bytes || next + r->page_size - offset > r->buffer_bytes)
            break;
        stop = next + r->page_size;
    }
    return (struct extent){first, end, offset, stop - offset};
}

static bool costs_a_page(int code)
{
    return code == ERR_IO || code == ERR_RANGE;
}

static int read_one_by_one(const struct ost_pageread *r, struct extent e)
{
    for (size_t i = e.first; i < e.end; i++) {
        int rc = io_source_read(r->source, r->offset_of(r->ctx, i), r->buffer, r->page_size);

        if (rc && !costs_a_page(rc))
            return rc;
        rc = r->page(r->ctx, i, rc ? NULL : r->buffer, rc);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_extent(const struct ost_pageread *r, struct extent e)
{
    const uint8_t *bytes;
    int rc = io_source_lend(r->source, e.offset, e.length, r->buffer, &bytes);

    if (rc)
        return costs_a_page(rc) ? read_one_by_one(r, e) : rc;
    for (size_t i = e.first; i < e.end && !rc; i++)
        rc = r->page(r->ctx, i, bytes + (r->offset_of(r->ctx, i) - e.offset), 0);
    return rc;
}

int ost_pageread_run(const struct ost_pageread *r, size_t count)
{
    size_t announced = 0;
    uint64_t ahead = 0;
    unsigned flying = 0;

    assert(r->buffer_bytes >= r->page_size);
    for (size_t i = 0; i < count;) {
        struct extent e = extent_from(r, i, count);
        int rc;

        while (announced < count && ahead < r->ahead_bytes + e.length &&
               flying < IO_SOURCE_ANNOUNCED) {
            struct extent next = extent_from(r, announced, count);

            assert(range_fits(next.offset, next.length, r->source->size_bytes));
            io_source_hint(r->source, IO_HINT_LEND, next.offset, next.length);
            ahead += next.length;
            flying++;
            announced = next.end;
        }
        rc = read_extent(r, e);
        if (rc)
            return rc;
        ahead -= e.length;
        flying--;
        i = e.end;
    }
    return 0;
}
