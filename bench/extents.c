/* extents.c: see extents.h. */
#include "bench/extents.h"

#include <stdbool.h>
#include <stdlib.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/source.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/block.h"
#include "scanner/ost/plan.h"

static int by_offset(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static void coalesce(struct extents *e, uint64_t gap_bytes)
{
    size_t kept = 0;

    qsort(e->list, e->count, sizeof *e->list, by_offset);
    for (size_t i = 0; i < e->count; i++) {
        struct extent x = e->list[i];
        struct extent *last = kept ? &e->list[kept - 1] : NULL;
        uint64_t end = last ? last->offset + last->length : 0;

        if (last && x.offset <= end + gap_bytes) {
            if (x.offset + x.length > end)
                last->length = x.offset + x.length - last->offset;
        } else {
            e->list[kept++] = x;
        }
    }
    e->count = kept;
    for (size_t i = 0; i < kept; i++)
        e->bytes += e->list[i].length;
}

static void add(struct extents *e, uint64_t offset, uint64_t length, uint64_t size_bytes)
{
    if (range_fits(offset, length, size_bytes))
        e->list[e->count++] = (struct extent){offset, length};
}

static int collect(const struct ost_plan *p, uint64_t size_bytes, struct extents *e)
{
    const struct ost_variant *v = p->variant;
    uint64_t maps = ost_amap_count(v, size_bytes);

    e->list = mem_alloc_array(p->block_count + p->page_count + maps + 1, sizeof *e->list);
    if (!e->list)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->block_count; i++)
        add(e, p->blocks[i].offset, ost_block_extent(v, p->blocks[i].stored), size_bytes);
    for (size_t i = 0; i < p->page_count; i++)
        add(e, p->pages[i].offset, v->page_size, size_bytes);
    for (size_t i = 0; i < e->count; i++)
        e->allocated += e->list[i].length;
    for (uint64_t k = 0; k < maps; k++)
        add(e, ost_amap_offset(v, k), v->page_size, size_bytes);
    e->blocks = p->block_count;
    e->nodes = p->node_count;
    e->pages = p->page_count;
    return 0;
}

static int collect_trees(const struct ost_plan *p, uint64_t size_bytes, struct extents *e)
{
    e->list = mem_alloc_array(p->page_count + 1, sizeof *e->list);
    if (!e->list)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->page_count; i++)
        add(e, p->pages[i].offset, p->variant->page_size, size_bytes);
    e->pages = p->page_count;
    return 0;
}

static int load(struct io_source *source, uint64_t gap_bytes, bool trees, struct extents *e)
{
    uint8_t head[OST_HEADER_SIZE];
    struct ost_header header;
    struct ost_header_report report;
    struct ost_plan_options how = {.memory_bytes = UINT64_MAX};
    struct ost_plan plan;
    int rc = io_source_read(source, 0, head, sizeof head);

    if (rc)
        return rc;
    ost_header_check((struct bytes){head, sizeof head}, source->size_bytes, &header, &report);
    if (report.state == OST_HEADER_UNUSABLE)
        return ERR_DAMAGED;
    how.variant = ost_variant_of(header.format);
    how.nbt = header.nbt;
    how.bbt = header.bbt;
    how.gap_bytes = how.variant->page_size;
    rc = ost_plan_load(source, &how, &plan);
    if (rc)
        return rc;
    e->format = ost_format_name(header.format);
    e->crypt = ost_crypt_name(header.crypt);
    rc =
        trees ? collect_trees(&plan, source->size_bytes, e) : collect(&plan, source->size_bytes, e);
    ost_plan_done(&plan);
    if (!rc)
        coalesce(e, gap_bytes);
    return rc;
}

static int load_file(int fd, uint64_t size_bytes, uint64_t gap_bytes, bool trees,
                     struct extents *out)
{
    struct io_source *source;
    struct extents e = {0};
    int rc = io_source_open_pread(fd, size_bytes, &source);

    if (rc)
        return rc;
    rc = load(source, gap_bytes, trees, &e);
    io_source_close(source);
    if (!rc)
        *out = e;
    return rc;
}

int extents_load(int fd, uint64_t size_bytes, uint64_t gap_bytes, struct extents *out)
{
    return load_file(fd, size_bytes, gap_bytes, false, out);
}

int extents_load_trees(int fd, uint64_t size_bytes, struct extents *out)
{
    return load_file(fd, size_bytes, 0, true, out);
}

void extents_done(struct extents *e)
{
    mem_free(e->list);
}
