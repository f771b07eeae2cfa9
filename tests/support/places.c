/* places.c: see places.h. */
#include "tests/support/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/amap.h"
#include "scanner/ost/block.h"

const char *const place_names[PLACE_KINDS] = {
    "header",   "branch page",   "node leaf",     "block leaf", "allocation map", "data",
    "internal", "block trailer", "block padding", "free space", "obsolete page",  "header tail",
};

static void add(struct places *p, enum place_kind kind, uint64_t offset, uint64_t length,
                uint64_t start, uint64_t structure)
{
    struct place *list;

    if (length == 0)
        return;
    list = mem_realloc(p->list[kind], (p->count[kind] + 1) * sizeof *list);
    assert_non_null(list);
    list[p->count[kind]++] = (struct place){offset, length, start, structure};
    p->list[kind] = list;
}

static void add_header(struct places *p, const struct ost_variant *v)
{
    uint64_t covered =
        v->format == OST_FORMAT_ANSI ? CRC_PARTIAL_START + CRC_PARTIAL_LENGTH : OFF_U_CRC_FULL + 4;

    add(p, PLACE_HEADER, 0, covered, 0, OST_HEADER_SIZE);
    add(p, PLACE_TAIL, covered, v->density_list - covered, 0, 0);
    add(p, PLACE_OBSOLETE, v->density_list, v->page_size, v->density_list, v->page_size);
}

static void add_pages(struct places *p, const struct ost_plan *plan)
{
    uint32_t size = plan->variant->page_size;

    for (size_t i = 0; i < plan->page_count; i++) {
        const struct ost_plan_page *page = &plan->pages[i];
        enum place_kind kind = page->level > 0              ? PLACE_BRANCH
                               : page->tree == OST_TREE_NBT ? PLACE_NBT_LEAF
                                                            : PLACE_BBT_LEAF;

        add(p, kind, page->offset, size, page->offset, size);
    }
}

static void add_blocks(struct places *p, const struct ost_plan *plan)
{
    const struct ost_variant *v = plan->variant;

    for (size_t i = 0; i < plan->block_count; i++) {
        const struct ost_block *b = &plan->blocks[i];
        uint32_t extent = ost_block_extent(v, b->stored), trailer = extent - v->block_trailer;

        add(p, ost_bid_internal(b->bid) ? PLACE_INTERNAL : PLACE_DATA, b->offset, b->stored,
            b->offset, extent);
        add(p, PLACE_PADDING, b->offset + b->stored, trailer - b->stored, b->offset, extent);
        add(p, PLACE_TRAILER, b->offset + trailer, v->block_trailer, b->offset, extent);
    }
}

static void add_allocation(struct places *p, const struct ndbfile *f)
{
    const struct ost_variant *v = f->variant;
    uint64_t maps = ost_amap_count(v, f->bytes.size);
    struct ost_allocmap map;
    struct ost_run run;

    assert_int_equal(ost_allocmap_init(&map, v, f->bytes.size, 64 << 20), 0);
    for (uint64_t k = 0; k < maps; k++) {
        struct ost_alloc_page pages[OST_ALLOC_PAGES_MAX];
        unsigned count = ost_alloc_pages(v, k, pages);

        ost_allocmap_put(&map, k, f->bytes.data + pages[0].offset);
        /* a map whose place was never seen proves nothing */
        for (unsigned i = 0; i < count; i++)
            add(p, i || !pages[i].known ? PLACE_OBSOLETE : PLACE_AMAP, pages[i].offset,
                v->page_size, pages[i].offset, v->page_size);
    }
    for (uint64_t at = v->amap_first; at < f->bytes.size; at = run.offset + run.length) {
        if (!ost_allocmap_next(&map, at, &run))
            run = (struct ost_run){f->bytes.size, 0};
        if (run.offset > at)
            add(p, PLACE_FREE, at, run.offset - at, 0, 0);
    }
    ost_allocmap_done(&map);
}

void places_init(struct places *p, const struct ndbfile *f)
{
    struct ost_plan_options options = ndbfile_options(f);
    struct ost_plan plan;

    memset(p, 0, sizeof *p);
    assert_int_equal(ost_plan_load(f->source, &options, &plan), 0);
    assert_int_equal(plan.trees[0].lost_pages + plan.trees[1].lost_pages, 0);
    add_header(p, f->variant);
    add_pages(p, &plan);
    add_blocks(p, &plan);
    add_allocation(p, f);
    ost_plan_done(&plan);
}

void places_done(struct places *p)
{
    for (unsigned kind = 0; kind < PLACE_KINDS; kind++)
        mem_free(p->list[kind]);
    memset(p, 0, sizeof *p);
}

bool place_allows(enum place_kind kind, enum finding_code code)
{
    enum finding_layer layer = finding_info(code)->layer;

    switch (kind) {
    case PLACE_HEADER:
        return layer == LAYER_HEADER;
    case PLACE_BRANCH:
    case PLACE_NBT_LEAF:
    case PLACE_BBT_LEAF:
        return layer == LAYER_PAGE;
    case PLACE_AMAP:
        return layer == LAYER_PAGE || code == F_amap_crc;
    case PLACE_DATA:
    case PLACE_INTERNAL:
        return code == F_block_crc;
    case PLACE_TRAILER:
        return code == F_block_crc || code == F_block_signature || code == F_block_bid ||
               code == F_block_size || code == F_block_inflated || code == F_block_constant;
    default:
        return false;
    }
}
