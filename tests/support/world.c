/* world.c: see world.h. */
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/crc.h"

struct images_check world_findings;

void world_open(struct world *w, const char *path)
{
    struct ost_plan_options options;

    *w = (struct world){.size = SIZE_MAX};
    ndbfile_open(&w->file, path);
    w->v = w->file.variant;
    w->data = images_copy(&w->file, &w->size);
    options = ndbfile_options(&w->file);
    assert_int_equal(ost_plan_load(w->file.source, &options, &w->plan), 0);
}

void world_close(struct world *w)
{
    ost_plan_done(&w->plan);
    mem_free(w->data);
    ndbfile_close(&w->file);
}

void world_check(struct world *w)
{
    images_check(w->data, w->size, NULL, &world_findings);
    assert_int_equal(world_findings.rc, 0);
}

void world_restore(struct world *w)
{
    memcpy(w->data, w->file.bytes.data, w->size);
}

void world_expect(struct world *w, enum finding_code code, uint64_t offset, uint64_t length)
{
    const struct images_finding *f;

    world_check(w);
    f = images_find(&world_findings, code);
    if (!f || images_corrupt_elsewhere(&world_findings, offset, length) ||
        f->f.severity != SEVERITY_CORRUPT || f->f.offset - offset >= length) {
        images_print(&world_findings);
        print_message("wanted %s at %#llx alone\n", finding_info(code)->name,
                      (unsigned long long)offset);
        fail();
    }
    world_restore(w);
}

void world_seal_block(struct world *w, const struct ost_block *b)
{
    uint8_t *t = w->data + b->offset + ost_block_extent(w->v, b->stored) - w->v->block_trailer;

    put_le32(t + w->v->block_crc, ost_crc(w->data + b->offset, b->stored));
}

void world_seal_page(struct world *w, uint64_t offset)
{
    uint8_t *page = w->data + offset;

    put_le32(page + w->v->page_crc, ost_crc(page, w->v->page_trailer));
}

void world_seal_header(struct world *w)
{
    put_le32(w->data + OFF_CRC_PARTIAL, ost_crc(w->data + CRC_PARTIAL_START, CRC_PARTIAL_LENGTH));
    if (w->v->format != OST_FORMAT_ANSI)
        put_le32(w->data + OFF_U_CRC_FULL, ost_crc(w->data + CRC_FULL_START, CRC_FULL_LENGTH));
}

uint8_t *world_entry(struct world *w, enum ost_tree tree, uint64_t key, uint64_t *page)
{
    const struct ost_plan_page *leaf = ost_plan_leaf(&w->plan, tree, key);
    struct ost_defects defects = {.count = 0};
    struct ost_btree view;

    assert_non_null(leaf);
    *page = leaf->offset;
    assert_int_equal(ost_btree_open(w->v, w->data + leaf->offset, tree, &defects, &view), 0);
    for (unsigned i = 0; i < view.count; i++)
        if (ost_btree_key(&view, i) == key)
            return w->data + leaf->offset + (size_t)i * view.entry_size;
    fail();
    return NULL;
}

const struct ost_block *world_internal(struct world *w, uint8_t type, uint8_t level, unsigned least)
{
    for (size_t i = 0; i < w->plan.block_count; i++) {
        const struct ost_block *b = &w->plan.blocks[i];
        const uint8_t *p = w->data + b->offset;

        if (ost_bid_internal(b->bid) && b->stored == b->inflated && p[0] == type && p[1] == level &&
            le16(p + 2) >= least && b->refs > 1)
            return b;
    }
    fail();
    return NULL;
}

const struct ost_block *world_data(struct world *w, const struct ost_node **owner)
{
    for (size_t i = 0; i < w->plan.node_count; i++) {
        const struct ost_node *n = &w->plan.nodes[i];
        const struct ost_block *b = n->data ? ost_plan_block(&w->plan, n->data) : NULL;

        if (b && !ost_bid_internal(b->bid) && b->refs == 2 && (n->nid & 0x1F) == 4) {
            *owner = n;
            return b;
        }
    }
    fail();
    return NULL;
}

void world_swap(struct world *w, uint64_t page, size_t size, unsigned i)
{
    uint8_t swap[32], *e = w->data + page + i * size;

    memcpy(swap, e, size);
    memcpy(e, e + size, size);
    memcpy(e + size, swap, size);
    world_seal_page(w, page);
}
