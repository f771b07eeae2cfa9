/*
 * walk.c: see walk.h.
 *
 * Blocks are checked as they are first asked for, and those that nobody asks for (attachment data,
 * folders) at the end. Messages come in the order in which their first blocks lie.
 */
#include "bench/walk.h"

#include <string.h>

#include "io/arena.h"
#include "io/err.h"
#include "io/mem.h"
#include "io/source.h"
#include "scanner/ost/block.h"
#include "scanner/ost/blockring.h"
#include "scanner/ost/pc.h"
#include "scanner/ost/plan.h"
#include "scanner/ost/props.h"
#include "scanner/ost/reading.h"
#include "io/sort.h"

enum {
    MEMORY = 64 << 20,
    NID_TYPE = 0x1F,
    NID_MESSAGE = 0x04,
    NID_ASSOC_MESSAGE = 0x08,
    NID_RECIPIENTS = 0x692,
    NID_ATTACHMENTS = 0x671,
    PID_DATA = 0x3701,
    PENDING = 4096
};

struct walk {
    const uint8_t *image;
    size_t size_bytes;
    struct ost_plan plan;
    struct ost_decoder *decoder;
    struct ost_blockring *ring;
    uint8_t *checked; /* by place in the plan */
    struct ost_blocks blocks;
    struct arena arena;
    struct ost_reading reading;
    struct ost_subnode pending[PENDING]; /* objects of the item that are not read yet */
    size_t pending_count;
    struct walk_count count;
};

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    return ost_plan_block(&((struct walk *)ctx)->plan, bid);
}

static int check(struct walk *w, const struct ost_block *block)
{
    uint8_t *checked = &w->checked[block - w->plan.blocks];
    uint32_t extent = ost_block_extent(w->plan.variant, block->stored);
    struct ost_defects defects = {0};

    if (*checked)
        return 0;
    if (!range_fits(block->offset, extent, w->size_bytes))
        return ERR_DAMAGED;
    ost_block_check(w->plan.variant, block, w->image + block->offset, &defects);
    *checked = 1;
    return defects.count ? ERR_DAMAGED : 0;
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct walk *w = ctx;
    const uint8_t *kept;
    uint8_t *room;
    int rc = check(w, block);

    if (rc)
        return rc;
    if (ost_block_plain(w->decoder, block)) {
        *decoded = (struct bytes){w->image + block->offset, block->inflated};
        return 0;
    }
    kept = ost_blockring_find(w->ring, block->bid);
    if (!kept) {
        kept = room = ost_blockring_add(w->ring, block->bid, block->inflated);
        if (!room)
            return ERR_LIMIT;
        rc = ost_block_decode(w->decoder, block, w->image + block->offset, room, NULL);
    }
    *decoded = (struct bytes){kept, block->inflated};
    return rc;
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    struct walk *w = ctx;

    if (!ost_block_plain(w->decoder, block))
        ost_blockring_put(w->ring, decoded.data);
}

static int push(struct walk *w, const struct ost_subnode *node)
{
    if (w->pending_count == PENDING)
        return ERR_LIMIT;
    if (node)
        w->pending[w->pending_count++] = *node;
    return 0;
}

static int table(struct walk *w, const struct ost_subnode *node, const struct ost_subnodes *owner)
{
    bool attachments = (node->nid & ~(uint32_t)NID_TYPE) == (NID_ATTACHMENTS & ~NID_TYPE);
    struct ost_small_table t;
    struct bytes row, cell;
    int rc = ost_small_table_open(&w->reading, *node, &t);

    for (size_t leaf = 0, n = 0; !rc && ost_small_table_next(&t, &leaf, &n, &row);) {
        if (attachments)
            rc = push(w, ost_subnodes_find(owner, ost_table_row_id(&t.table, row)));
        for (unsigned i = 0; i < t.order_count && !attachments; i++)
            w->count.props +=
                ost_table_cell(&t.table, &t.table.columns[t.order[i]], row, &cell) ? 1 : 0;
    }
    return rc;
}

/* One property context, and the tables and the embedded item below it. */
static int object(struct walk *w, struct ost_subnode roots)
{
    struct ost_leaves leaves;
    struct ost_heap heap;
    struct ost_pc pc = {0};
    struct ost_subnodes subnodes;
    const struct ost_subnode *node;
    uint32_t nid, size;
    int rc = ost_reading_leaves(&w->reading, roots.data, &leaves);

    if (!rc)
        rc = ost_heap_open(w->plan.variant->format, leaves, &heap);
    if (!rc)
        rc = ost_pc_read(&heap, w->reading.arena, &pc);
    if (!rc)
        rc = ost_reading_subnodes(&w->reading, roots.sub, &subnodes);
    w->count.props += pc.count;
    for (size_t i = 0; i < pc.count && !rc; i++) {
        const struct ost_prop *p = &pc.list[i].prop;

        if (p->id == PID_DATA && p->type == OST_OBJECT && ost_object_ref(p->value, &nid, &size))
            rc = push(w, ost_subnodes_find(&subnodes, nid));
    }
    node = rc ? NULL : ost_subnodes_find(&subnodes, NID_RECIPIENTS);
    if (node)
        rc = table(w, node, &subnodes);
    node = rc ? NULL : ost_subnodes_find(&subnodes, NID_ATTACHMENTS);
    return node ? table(w, node, &subnodes) : rc;
}

static int item(struct walk *w, const struct ost_node *node)
{
    int rc;

    w->pending_count = 0;
    ost_reading_begin(&w->reading, node->nid, node->parent, true);
    rc = push(w, &(struct ost_subnode){node->nid, node->data, node->sub});
    while (!rc && w->pending_count) {
        struct ost_subnode next = w->pending[--w->pending_count];

        rc = object(w, next);
    }
    ost_reading_end(&w->reading);
    arena_reset(&w->arena);
    w->count.items++;
    return rc;
}

struct place {
    uint64_t offset;
    uint32_t node;
};

static int by_offset(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool is_message(uint32_t nid)
{
    return (nid & NID_TYPE) == NID_MESSAGE || (nid & NID_TYPE) == NID_ASSOC_MESSAGE;
}

static int items(struct walk *w)
{
    struct place *list = mem_alloc_array(w->plan.node_count + 1, sizeof *list);
    size_t count = 0;
    int rc = 0;

    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->plan.node_count; i++) {
        const struct ost_block *block = ost_plan_block(&w->plan, w->plan.nodes[i].data);

        if (is_message(w->plan.nodes[i].nid))
            list[count++] = (struct place){block ? block->offset : 0, (uint32_t)i};
    }
    io_sort(list, count, sizeof *list, by_offset);
    for (size_t i = 0; i < count && !rc; i++)
        rc = item(w, &w->plan.nodes[list[i].node]);
    mem_free(list);
    return rc;
}

static int load(struct walk *w, struct ost_header *header)
{
    struct bytes head = {w->image,
                         w->size_bytes < OST_HEADER_SIZE ? w->size_bytes : OST_HEADER_SIZE};
    struct ost_plan_options how = {.memory_bytes = UINT64_MAX};
    struct ost_header_report report;
    struct io_source *source;
    int rc = io_source_open_mem(w->image, w->size_bytes, &source);

    if (rc)
        return rc;
    ost_header_check(head, w->size_bytes, header, &report);
    rc = report.state == OST_HEADER_UNUSABLE ? ERR_DAMAGED : 0;
    how.variant = ost_variant_of(header->format);
    how.nbt = header->nbt;
    how.bbt = header->bbt;
    if (!rc)
        rc = ost_plan_load(source, &how, &w->plan);
    io_source_close(source);
    return rc;
}

static int walk(struct walk *w)
{
    struct ost_header header;
    int rc = load(w, &header);

    if (!rc)
        rc = ost_decoder_create(w->plan.variant, header.crypt, &w->decoder);
    if (!rc)
        rc = ost_blockring_create(MEMORY, &w->ring);
    w->checked = mem_zalloc(w->plan.block_count + 1);
    if (!rc && !w->checked)
        rc = ERR_NOMEM;
    if (rc)
        return rc;
    w->blocks = (struct ost_blocks){w, find, get, put};
    w->reading = (struct ost_reading){
        .variant = w->plan.variant, .blocks = &w->blocks, .arena = &w->arena, .quiet = true};
    rc = items(w);
    w->count.bytes = w->plan.page_count * (uint64_t)w->plan.variant->page_size;
    for (size_t i = 0; i < w->plan.block_count && !rc; i++) {
        w->count.bytes += ost_block_extent(w->plan.variant, w->plan.blocks[i].stored);
        rc = check(w, &w->plan.blocks[i]);
    }
    return rc;
}

int walk_image(const uint8_t *image, size_t size_bytes, struct walk_count *out)
{
    struct walk *w = mem_zalloc(sizeof *w);
    int rc = ERR_NOMEM;

    if (!w)
        return rc;
    w->image = image;
    w->size_bytes = size_bytes;
    arena_init(&w->arena, MEMORY);
    rc = walk(w);
    *out = w->count;
    arena_done(&w->arena);
    ost_blockring_destroy(w->ring);
    ost_decoder_destroy(w->decoder);
    mem_free(w->checked);
    ost_plan_done(&w->plan);
    mem_free(w);
    return rc;
}
