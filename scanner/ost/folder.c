/*
 * folder.c: see folder.h.
 *
 * Depth: from each folder up along the parents until one whose depth is known, that has none, or
 * that was met on this way before; then the same way again, giving depths. Each folder is met
 * twice at most, but for ways longer than OST_LIMIT_FOLDER_DEPTH, which are cut there.
 */
#include "scanner/ost/folder.h"

#include "io/err.h"
#include "scanner/ost/limits.h"
#include "io/sort.h"
#include "scanner/ost/take.h"

struct place {
    uint32_t nid, parent;
    uint32_t depth; /* 0: not known yet */
    uint32_t walk;  /* the last way that met it */
    uint64_t items, assoc;
};

static struct place *find(struct place *list, size_t count, uint32_t nid)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list[middle].nid < nid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && list[low].nid == nid ? &list[low] : NULL;
}

/* Gives a folder and those above it their depth; cuts what leads nowhere or round. */
static void settle(struct place *list, size_t count, struct place *from, uint32_t walk)
{
    struct place *p = from, *above;
    uint32_t steps = 0, depth;

    for (;;) {
        p->walk = walk;
        steps++;
        if (p->depth || p->parent == p->nid)
            break;
        above = p->parent ? find(list, count, p->parent) : NULL;
        if (!above || above->walk == walk || steps == OST_LIMIT_FOLDER_DEPTH ||
            above->depth >= OST_LIMIT_FOLDER_DEPTH) {
            p->parent = 0;
            break;
        }
        p = above;
    }
    depth = p->depth ? p->depth : 1;
    depth += steps - 1;
    for (p = from; !p->depth; p = above) {
        p->depth = depth--;
        if (p->parent == 0 || p->parent == p->nid)
            break;
        above = find(list, count, p->parent);
    }
}

static void count_messages(const struct ost_plan *plan, struct place *list, size_t count)
{
    struct place *last = NULL;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct ost_node *n = &plan->nodes[i];

        if (!ost_nid_is_message(n->nid))
            continue;
        if (!last || last->nid != n->parent)
            last = find(list, count, n->parent);
        if (last && ost_nid_type(n->nid) == OST_NID_MESSAGE)
            last->items++;
        else if (last)
            last->assoc++;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return (x->nid > y->nid) - (x->nid < y->nid);
}

int ost_folders_list(const struct ost_plan *plan, struct arena *arena, struct ost_folder **out,
                     size_t *count)
{
    struct ost_folder *folders;
    struct place *list;
    size_t n = 0, kept = 0;
    int rc = 0;

    for (size_t i = 0; i < plan->node_count; i++)
        n += ost_nid_is_folder(plan->nodes[i].nid);
    list = ost_take(arena, n, sizeof *list, &rc);
    folders = ost_take(arena, n, sizeof *folders, &rc);
    if (!list || !folders)
        return rc;
    for (size_t i = 0; i < plan->node_count; i++)
        if (ost_nid_is_folder(plan->nodes[i].nid))
            list[kept++] =
                (struct place){.nid = plan->nodes[i].nid, .parent = plan->nodes[i].parent};
    for (size_t i = 0; i < n; i++)
        settle(list, n, &list[i], (uint32_t)i + 1);
    count_messages(plan, list, n);
    io_sort(list, n, sizeof *list, by_place);
    for (size_t i = 0; i < n; i++)
        folders[i] = (struct ost_folder){.nid = list[i].nid,
                                         .parent = list[i].parent,
                                         .items = list[i].items,
                                         .assoc = list[i].assoc};
    *out = folders;
    *count = n;
    return 0;
}
