/*
 * native_items.c: the items of a run, in sweep order. See native_run.h.
 *
 * The reach of every message is found first, going through them in the order in which their first
 * blocks lie, so that internal blocks are met roughly in the order of the file.
 */
#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/carve.h"
#include "scanner/native_run.h"
#include "scanner/ost/message.h"
#include "scanner/ost/reach.h"
#include "io/sort.h"

struct sweep_item {
    uint64_t order;
    uint32_t node; /* its place in the plan; nodes ascend by nid */
};

static int compare(const void *a, const void *b)
{
    const struct sweep_item *x = a, *y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static uint64_t offset_of(const struct ost_plan *plan, uint64_t bid)
{
    const struct ost_block *block = bid ? ost_plan_block(plan, bid) : NULL;

    return block ? block->offset : 0;
}

static int list_items(struct native_run *n, struct sweep_item **out, size_t *count)
{
    const struct ost_plan *plan = &n->plan;
    struct sweep_item *list;
    size_t most = 0, kept = 0;

    for (size_t i = 0; i < plan->node_count; i++)
        most += ost_nid_is_message(plan->nodes[i].nid);
    list = mem_alloc_array(most + 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < plan->node_count; i++)
        if (ost_nid_is_message(plan->nodes[i].nid))
            list[kept++] = (struct sweep_item){
                .order =
                    offset_of(plan, plan->nodes[i].sub ? plan->nodes[i].sub : plan->nodes[i].data),
                .node = (uint32_t)i,
            };
    io_sort(list, kept, sizeof *list, compare);
    *out = list;
    *count = kept;
    return 0;
}

static int put_in_order(struct native_run *n, struct sweep_item *list, size_t count)
{
    int rc = 0;

    n->reading.quiet = true;
    for (size_t i = 0; i < count && !rc; i++) {
        const struct ost_node *node = &n->plan.nodes[list[i].node];

        rc = native_cancelled(n)
                 ? ERR_CANCELLED
                 : ost_reach(n->variant, n->reading.blocks, node->data, node->sub, &list[i].order);
    }
    n->reading.quiet = false;
    io_sort(list, count, sizeof *list, compare);
    return rc;
}

/* Its folder is missing, or has a table that does not list it. */
static bool is_orphan(const struct native_run *n, const struct ost_node *node, size_t row)
{
    const struct ost_folder *folder = native_find_folder(n, node->parent);

    if (!folder)
        return true;
    if (ost_nid_type(node->nid) == OST_NID_ASSOC_MESSAGE ? folder->has_assoc_rows
                                                         : folder->has_rows)
        return row == SIZE_MAX;
    return false;
}

static int fail(struct native_run *n, const struct ost_node *node, enum finding_code code,
                const char *detail)
{
    bool assoc = ost_nid_type(node->nid) == OST_NID_ASSOC_MESSAGE;
    int rc = 0;

    if (is_orphan(n, node, ost_rows_find(n->rows, node->nid, node->parent)))
        rc = native_find(n, F_item_orphan, node->nid, node->parent, NULL);
    if (rc)
        return rc;

    if (code != F_item_failed)
        rc = native_find(n, code, node->nid, node->parent, NULL);
    if (!rc)
        rc = native_find(n, F_item_failed, node->nid, node->parent, detail);
    return rc ? rc : engine_tell_failed(n->sink, node->nid, node->parent, assoc);
}

/* What an item's place says of it: its folder, whether that lists it, and its row. */
static int place(struct native_run *n, const struct ost_node *node, struct ost_item *item)
{
    size_t row = ost_rows_find(n->rows, node->nid, node->parent);

    item->folder = node->parent;
    item->assoc = ost_nid_type(node->nid) == OST_NID_ASSOC_MESSAGE;
    item->orphan = is_orphan(n, node, row);
    if (row == SIZE_MAX)
        return 0;
    return ost_rows_props(n->rows, row, &n->reading, item->props, &item->row);
}

static int deliver(struct native_run *n, struct ost_item *item)
{
    int rc = n->reading.sink_code;

    item->damage = n->reading.damages.list;
    item->damage_count = n->reading.damages.count;
    if (!rc && item->orphan)
        rc = native_find(n, F_item_orphan, item->nid, item->folder, NULL);
    if (!rc && item->damage_count)
        rc = native_find(n, F_item_partial, item->nid, item->folder, NULL);
    return rc ? rc : n->sink->item(n->sink->ctx, item);
}

int native_read_item(struct native_run *n, const struct ost_node *node, uint64_t order)
{
    struct ost_message_reader reader = {
        .reading = &n->reading,
        .names = &n->names,
        .hasher = n->job->hasher,
        .codepage = n->image.codepage,
        .codepage_suspect = n->store_suspect,
    };
    struct ost_subnode roots = {node->nid, node->data, node->sub};
    struct ost_item item;
    int rc, ended;

    ost_reading_begin(&n->reading, node->nid, node->parent, true);
    rc = ost_message_read(&reader, roots, &item);
    if (!rc && node->flags & OST_ENTRY_SUSPECT)
        ost_reading_damage(&n->reading, F_page_crc, "where its node stands");
    if (!rc) {
        item.order = order;
        item.recovered = node->flags & CHK_ENTRY_CARVED;
        rc = place(n, node, &item);
    }
    if (rc == ERR_DAMAGED)
        rc = fail(n, node, F_item_failed, "it has no list of properties that can be read");
    else if (rc == ERR_LIMIT)
        rc = fail(n, node, F_item_limit, NULL);
    else if (!rc)
        rc = deliver(n, &item);
    ended = native_end_object(n);
    return rc ? rc : ended;
}

int native_items(struct native_run *n)
{
    struct sweep_item *list;
    size_t count;
    int rc = list_items(n, &list, &count);

    if (rc)
        return rc;
    rc = put_in_order(n, list, count);
    for (size_t i = 0; i < count && !rc; i++) {
        rc = native_cancelled(n) ? ERR_CANCELLED
                                 : native_read_item(n, &n->plan.nodes[list[i].node], list[i].order);
        if (!rc && n->sink->progress)
            n->sink->progress(n->sink->ctx, list[i].order);
    }
    mem_free(list);
    return rc;
}
