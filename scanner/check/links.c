/* links.c: see links.h. */
#include "scanner/check/links.h"

#include "io/err.h"
#include "io/sort.h"

/* Room for one block is made before it is added, so adding cannot fail. */
int chk_links_reserve(struct chk_links *l, struct chk_budget *budget, size_t edges)
{
    int rc = 0;

    if (edges > UINT32_MAX - l->edges.count)
        return ERR_LIMIT;
    if (!chk_array_reserve(budget, &l->inner, sizeof(struct chk_inner), 1, &rc))
        return rc;
    chk_array_reserve(budget, &l->edges, sizeof(uint32_t), edges, &rc);
    return rc;
}

uint32_t *chk_links_room(const struct chk_links *l)
{
    return (uint32_t *)l->edges.data + l->edges.count;
}

void chk_links_add(struct chk_links *l, struct chk_inner *inner, size_t edges)
{
    inner->edges = (uint32_t)l->edges.count;
    l->edges.count += edges;
    ((struct chk_inner *)l->inner.data)[l->inner.count++] = *inner;
}

int chk_links_dangle(struct chk_links *l, struct chk_budget *budget, uint64_t bid, uint32_t owner)
{
    int rc = 0;
    struct chk_dangling *d = chk_array_reserve(budget, &l->dangling, sizeof *d, 1, &rc);

    if (!d)
        return rc;
    *d = (struct chk_dangling){bid, owner};
    l->dangling.count++;
    return 0;
}

static int by_bid(const void *x, const void *y)
{
    const struct chk_dangling *a = x, *b = y;

    if (a->bid != b->bid)
        return a->bid < b->bid ? -1 : 1;
    return (a->owner > b->owner) - (a->owner < b->owner);
}

void chk_links_sort(struct chk_links *l)
{
    io_sort(l->dangling.data, l->dangling.count, sizeof(struct chk_dangling), by_bid);
}

int chk_links_move(struct chk_links *to, struct chk_budget *budget, struct chk_links *from)
{
    size_t first = to->inner.count, base = to->edges.count;
    int rc;

    if (from->edges.count > UINT32_MAX - base)
        return ERR_LIMIT;
    rc = chk_array_move(budget, &to->inner, &from->inner, sizeof(struct chk_inner));
    if (!rc)
        rc = chk_array_move(budget, &to->edges, &from->edges, sizeof(uint32_t));
    if (!rc)
        rc = chk_array_move(budget, &to->dangling, &from->dangling, sizeof(struct chk_dangling));
    if (rc)
        return rc;
    for (size_t i = first; i < to->inner.count; i++)
        chk_links_inner(to, i)->edges += (uint32_t)base;
    to->lost += from->lost;
    from->lost = 0;
    return 0;
}

void chk_links_done(struct chk_links *l, struct chk_budget *budget)
{
    chk_array_done(budget, &l->inner, sizeof(struct chk_inner));
    chk_array_done(budget, &l->edges, sizeof(uint32_t));
    chk_array_done(budget, &l->dangling, sizeof(struct chk_dangling));
}
