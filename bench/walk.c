/*
 * walk.c: see walk.h.
 *
 * Blocks are checked as they are first asked for, and those that nobody asks for (attachment data,
 * folders) at the end. Messages come in the order in which their first blocks lie.
 */
#include "bench/walk.h"

#include <string.h>

#include "bench/mapped.h"
#include "io/arena.h"
#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"
#include "scanner/ost/pc.h"
#include "scanner/ost/props.h"
#include "scanner/ost/reading.h"

enum {
    MEMORY = 64 << 20,
    NID_TYPE = 0x1F,
    NID_RECIPIENTS = 0x692,
    NID_ATTACHMENTS = 0x671,
    PID_DATA = 0x3701,
    PENDING = 4096
};

struct walk {
    struct mapped *image;
    struct arena arena;
    struct ost_reading reading;
    struct ost_subnode pending[PENDING]; /* objects of the item that are not read yet */
    size_t pending_count;
    struct walk_count count;
};

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
        rc = ost_heap_open(w->image->plan.variant->format, leaves, &heap);
    if (!rc)
        rc = ost_pc_read(&heap, w->reading.arena, &pc);
    if (!rc)
        rc = ost_reading_subnodes(&w->reading, roots.sub, &subnodes);
    w->count.props += pc.count;
    for (size_t i = 0; i < pc.count && !rc; i++) {
        const struct ost_prop *p = &pc.list[i];

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

static int items(struct walk *w)
{
    struct place *list = mem_alloc_array(w->image->plan.node_count + 1, sizeof *list);
    size_t count = 0;
    int rc = 0;

    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->image->plan.node_count; i++) {
        const struct ost_block *block =
            ost_plan_block(&w->image->plan, w->image->plan.nodes[i].data);

        if (mapped_is_message(w->image->plan.nodes[i].nid))
            list[count++] = (struct place){block ? block->offset : 0, (uint32_t)i};
    }
    io_sort(list, count, sizeof *list, by_offset);
    for (size_t i = 0; i < count && !rc; i++)
        rc = item(w, &w->image->plan.nodes[list[i].node]);
    mem_free(list);
    return rc;
}

static int walk(struct walk *w)
{
    struct mapped *m = w->image;
    int rc;

    w->reading = (struct ost_reading){
        .variant = m->plan.variant, .blocks = &m->blocks, .arena = &w->arena, .quiet = true};
    rc = items(w);
    w->count.bytes = m->plan.page_count * (uint64_t)m->plan.variant->page_size;
    for (size_t i = 0; i < m->plan.block_count && !rc; i++) {
        w->count.bytes += ost_block_extent(m->plan.variant, m->plan.blocks[i].stored);
        rc = mapped_check(m, &m->plan.blocks[i]);
    }
    return rc;
}

int walk_image(const uint8_t *image, size_t size_bytes, struct walk_count *out)
{
    struct walk *w = mem_zalloc(sizeof *w);
    struct mapped mapped;
    int rc = w ? mapped_open(image, size_bytes, &mapped) : ERR_NOMEM;

    if (!rc) {
        w->image = &mapped;
        arena_init(&w->arena, MEMORY);
        rc = walk(w);
        *out = w->count;
        arena_done(&w->arena);
        mapped_close(&mapped);
    }
    mem_free(w);
    return rc;
}
