/*
 * micro_objects.c: property contexts and tables, over heaps whose blocks lie decoded in memory.
 *
 * The objects of the image's first messages and folders are found and decoded once; only going
 * through them is timed.
 */
#include <string.h>

#include "bench/micro.h"
#include "io/arena.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/pc.h"
#include "scanner/ost/props.h"
#include "scanner/ost/reading.h"

enum {
    CONTEXTS = 4096,
    TABLES = 1024,
    LEAVES_MAX = 4096,
    ARENA = 256 << 20,
    NID_TYPE = 0x1F,
    NID_CONTENTS = 0x0E,
    NID_RECIPIENTS = 0x692
};

/* A node's data in memory, and of a table its row matrix. */
struct object {
    struct ost_leaves leaves, rows;
    uint64_t bytes;
};

struct objects {
    struct micro *m;
    struct arena keep, scratch;
    struct ost_reading reading;
    struct object *list;
    size_t count;
    uint64_t sum;
};

/* Copies what a tree's leaves hold. */
static int copy_leaves(struct objects *o, const struct ost_leaves *from, struct ost_leaves *out,
                       uint64_t *bytes)
{
    struct bytes *copies = arena_alloc_array(&o->keep, from->count + 1, sizeof *copies);
    int rc = copies ? 0 : ERR_LIMIT;

    for (size_t i = 0; i < from->count && !rc; i++) {
        rc = from->get(from->ctx, i, &copies[i]);
        if (rc)
            break;
        copies[i].data = arena_copy(&o->keep, copies[i].data, copies[i].size);
        *bytes += copies[i].size;
        rc = copies[i].data ? 0 : ERR_LIMIT;
    }
    if (!rc)
        *out = ost_leaves_in_memory(copies, from->count);
    return rc;
}

static int add_context(struct objects *o, const struct ost_node *node)
{
    struct object x = {0};
    struct ost_leaves leaves;
    int rc = ost_reading_leaves(&o->reading, node->data, &leaves);

    if (!rc)
        rc = copy_leaves(o, &leaves, &x.leaves, &x.bytes);
    if (!rc)
        o->list[o->count++] = x;
    return rc;
}

static int add_table(struct objects *o, struct ost_subnode roots)
{
    struct object x = {0};
    struct ost_small_table t;
    int rc = ost_small_table_open(&o->reading, roots, &t);

    if (rc || t.rows.count == 0 || t.rows.count > LEAVES_MAX)
        return rc;
    rc = copy_leaves(o, &t.heap.leaves, &x.leaves, &x.bytes);
    if (!rc)
        rc = copy_leaves(o, &t.rows, &x.rows, &x.bytes);
    if (!rc)
        o->list[o->count++] = x;
    return rc;
}

static int add_recipients(struct objects *o, const struct ost_node *node)
{
    struct ost_subnodes subnodes;
    const struct ost_subnode *table;
    int rc = ost_reading_subnodes(&o->reading, node->sub, &subnodes);

    table = rc ? NULL : ost_subnodes_find(&subnodes, NID_RECIPIENTS);
    return table ? add_table(o, *table) : rc;
}

enum kind { CONTEXT, RECIPIENTS, CONTENTS };

static int gather(struct objects *o, enum kind kind, size_t most)
{
    const struct ost_plan *plan = &o->m->image.plan;
    int rc = 0;

    o->count = 0;
    arena_reset(&o->keep);
    for (size_t i = 0; i < plan->node_count && o->count < most && !rc; i++) {
        const struct ost_node *node = &plan->nodes[i];

        if (kind == CONTENTS ? (node->nid & NID_TYPE) != NID_CONTENTS
                             : !mapped_is_message(node->nid))
            continue;
        ost_reading_begin(&o->reading, node->nid, node->parent, true);
        if (kind == CONTEXT)
            rc = add_context(o, node);
        else if (kind == RECIPIENTS)
            rc = add_recipients(o, node);
        else
            rc = add_table(o, (struct ost_subnode){node->nid, node->data, node->sub});
        ost_reading_end(&o->reading);
        arena_reset(&o->scratch);
    }
    return rc;
}

static int walk_contexts(void *ctx, struct micro_pass *pass)
{
    struct objects *o = ctx;
    enum ost_format format = o->m->image.header.format;

    for (size_t i = 0; i < o->count; i++) {
        struct ost_heap heap;
        struct ost_pc pc;
        int rc = ost_heap_open(format, o->list[i].leaves, &heap);

        if (!rc)
            rc = ost_pc_read(&heap, &o->scratch, &pc);
        if (rc)
            return rc;
        pass->ops += pc.count;
        pass->bytes += o->list[i].bytes;
        arena_reset(&o->scratch);
    }
    return 0;
}

static int walk_rows(struct objects *o, const struct object *x, const struct ost_table *t,
                     struct micro_pass *pass)
{
    struct bytes leaf, row, cell;

    for (size_t k = 0; k < x->rows.count; k++) {
        int rc = x->rows.get(x->rows.ctx, k, &leaf);

        if (rc)
            return rc;
        for (size_t n = 0; ost_table_row(t, leaf, n, &row); n++) {
            for (unsigned c = 0; c < t->column_count; c++)
                if (ost_table_cell(t, &t->columns[c], row, &cell))
                    o->sum += cell.data[0];
            pass->ops++;
        }
    }
    return 0;
}

static int walk_tables(void *ctx, struct micro_pass *pass)
{
    struct objects *o = ctx;
    enum ost_format format = o->m->image.header.format;

    for (size_t i = 0; i < o->count; i++) {
        struct ost_heap heap;
        struct ost_table table;
        int rc = ost_heap_open(format, o->list[i].leaves, &heap);

        if (!rc)
            rc = ost_table_open(&heap, &table);
        if (!rc)
            rc = walk_rows(o, &o->list[i], &table, pass);
        if (rc)
            return rc;
        pass->bytes += o->list[i].bytes;
    }
    return 0;
}

static int measure(struct objects *o)
{
    int rc = gather(o, CONTEXT, CONTEXTS);

    if (!rc)
        rc = micro_time(o->m, "property context", "property", walk_contexts, o);
    if (!rc)
        rc = gather(o, RECIPIENTS, TABLES);
    if (!rc)
        rc = micro_time(o->m, "recipient table", "row", walk_tables, o);
    if (!rc)
        rc = gather(o, CONTENTS, TABLES);
    return rc ? rc : micro_time(o->m, "contents table", "row", walk_tables, o);
}

int micro_objects(struct micro *m)
{
    struct objects o = {.m = m};
    int rc;

    o.list = mem_alloc_array(CONTEXTS, sizeof *o.list);
    if (!o.list)
        return ERR_NOMEM;
    arena_init(&o.keep, ARENA);
    arena_init(&o.scratch, ARENA);
    o.reading = (struct ost_reading){.variant = m->image.plan.variant,
                                     .blocks = &m->image.blocks,
                                     .arena = &o.scratch,
                                     .quiet = true};
    rc = measure(&o);
    arena_done(&o.keep);
    arena_done(&o.scratch);
    mem_free(o.list);
    return rc;
}
