/* mapped.c: see mapped.h. */
#include "bench/mapped.h"

#include "io/err.h"
#include "io/mem.h"
#include "io/source.h"

enum { MEMORY = 64 << 20, NID_TYPE = 0x1F, NID_MESSAGE = 0x04, NID_ASSOC_MESSAGE = 0x08 };

bool mapped_is_message(uint32_t nid)
{
    return (nid & NID_TYPE) == NID_MESSAGE || (nid & NID_TYPE) == NID_ASSOC_MESSAGE;
}

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    return ost_plan_block(&((struct mapped *)ctx)->plan, bid);
}

int mapped_check(struct mapped *m, const struct ost_block *block)
{
    uint8_t *checked = &m->checked[block - m->plan.blocks];
    uint32_t extent = ost_block_extent(m->plan.variant, block->stored);
    struct ost_defects defects = {0};

    if (*checked)
        return 0;
    if (!range_fits(block->offset, extent, m->size_bytes))
        return ERR_DAMAGED;
    ost_block_check(m->plan.variant, block, m->image + block->offset, &defects);
    *checked = 1;
    return defects.count ? ERR_DAMAGED : 0;
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct mapped *m = ctx;
    const uint8_t *kept;
    uint8_t *room;
    int rc = mapped_check(m, block);

    if (rc)
        return rc;
    if (ost_block_plain(m->decoder, block)) {
        *decoded = (struct bytes){m->image + block->offset, block->inflated};
        return 0;
    }
    kept = ost_blockring_find(m->ring, block->bid);
    if (!kept) {
        kept = room = ost_blockring_add(m->ring, block->bid, block->inflated);
        if (!room)
            return ERR_LIMIT;
        rc = ost_block_decode(m->decoder, block, m->image + block->offset, room, NULL);
    }
    *decoded = (struct bytes){kept, block->inflated};
    return rc;
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    struct mapped *m = ctx;

    if (!ost_block_plain(m->decoder, block))
        ost_blockring_put(m->ring, decoded.data);
}

static int load_plan(struct mapped *m)
{
    struct bytes head = {m->image,
                         m->size_bytes < OST_HEADER_SIZE ? m->size_bytes : OST_HEADER_SIZE};
    struct ost_plan_options how = {.memory_bytes = UINT64_MAX};
    struct ost_header_report report;
    struct io_source *source;
    int rc = io_source_open_mem(m->image, m->size_bytes, &source);

    if (rc)
        return rc;
    ost_header_check(head, m->size_bytes, &m->header, &report);
    rc = report.state == OST_HEADER_UNUSABLE ? ERR_DAMAGED : 0;
    how.variant = ost_variant_of(m->header.format);
    how.nbt = m->header.nbt;
    how.bbt = m->header.bbt;
    if (!rc)
        rc = ost_plan_load(source, &how, &m->plan);
    io_source_close(source);
    return rc;
}

static int load(struct mapped *m)
{
    int rc = load_plan(m);

    if (!rc)
        rc = ost_decoder_create(m->plan.variant, m->header.crypt, &m->decoder);
    if (!rc)
        rc = ost_blockring_create(MEMORY, &m->ring);
    m->checked = mem_zalloc(m->plan.block_count + 1);
    m->blocks = (struct ost_blocks){.ctx = m, .find = find, .get = get, .put = put};
    return !rc && !m->checked ? ERR_NOMEM : rc;
}

int mapped_open(const uint8_t *image, size_t size_bytes, struct mapped *out)
{
    int rc;

    *out = (struct mapped){.image = image, .size_bytes = size_bytes};
    rc = load(out);
    if (rc)
        mapped_close(out);
    return rc;
}

void mapped_close(struct mapped *m)
{
    ost_blockring_destroy(m->ring);
    ost_decoder_destroy(m->decoder);
    mem_free(m->checked);
    ost_plan_done(&m->plan);
    *m = (struct mapped){0};
}
