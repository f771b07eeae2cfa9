/*
 * optimum_main.c: bench-optimum: how many bytes of an image one sweep must read again at least,
 * when no more than so much of what has passed may be carried.
 *
 * The trace is the image's own: blocks pass in order of offset, and an item needs all of its blocks
 * when the last of them has passed; what folders and the map of names need was read before. Whoever
 * knows the future best drops what is needed furthest ahead. Here a part of a block may be dropped,
 * which nobody can beat: each byte is then an interval of one size, from its passing to its need,
 * and of intervals of one size furthest-first keeps the most. So this is a bound for any policy.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bench/mapped.h"
#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"
#include "scanner/ost/datatree.h"
#include "scanner/ost/subnode.h"

enum { ITEM_BLOCKS = 1 << 20 };

struct optimum {
    struct mapped image;
    struct ost_blocks tracing; /* notes who is asked for */
    uint32_t *order;           /* blocks by offset */
    uint32_t *passes;          /* by block: its place in that order */
    uint32_t *due;             /* by block: the place after which it is not needed any more */
    uint32_t *by_due;          /* the needed ones, by due */
    size_t needed;
    uint32_t *item; /* the blocks of the one at hand */
    size_t item_count;
};

static int by_offset(const void *a, const void *b, void *ctx)
{
    const struct ost_block *blocks = ctx;
    uint64_t x = blocks[*(const uint32_t *)a].offset, y = blocks[*(const uint32_t *)b].offset;

    return (x > y) - (x < y);
}

static int by_due(const void *a, const void *b, void *ctx)
{
    const uint32_t *due = ctx;
    uint32_t x = due[*(const uint32_t *)a], y = due[*(const uint32_t *)b];

    return (x > y) - (x < y);
}

/* ---- the trace ---- */

static void note(struct optimum *o, const struct ost_block *block)
{
    if (o->item_count < ITEM_BLOCKS)
        o->item[o->item_count++] = (uint32_t)(block - o->image.plan.blocks);
}

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    return ost_plan_block(&((struct optimum *)ctx)->image.plan, bid);
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct optimum *o = ctx;

    note(o, block);
    return o->image.blocks.get(o->image.blocks.ctx, block, decoded);
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    struct optimum *o = ctx;

    o->image.blocks.put(o->image.blocks.ctx, block, decoded);
}

static int trace_data(struct optimum *o, uint64_t root)
{
    struct ost_datatree t;
    struct ost_leaf leaf;
    int rc;

    ost_datatree_init(&t, o->image.plan.variant, &o->tracing, root);
    while ((rc = ost_datatree_next(&t, &leaf)) == 1)
        if (leaf.block)
            note(o, leaf.block);
    ost_datatree_done(&t);
    return rc;
}

static int trace_subnodes(struct optimum *o, uint64_t root)
{
    struct ost_subnode_walk w;
    struct ost_subnode node;
    unsigned depth;
    int rc = ost_subnode_walk_init(&w, o->image.plan.variant, &o->tracing, root);

    if (rc)
        return rc;
    while ((rc = ost_subnode_walk_next(&w, &node, &depth)) == 1) {
        rc = trace_data(o, node.data);
        if (!rc)
            rc = ost_subnode_walk_enter(&w);
        if (rc)
            break;
    }
    ost_subnode_walk_done(&w);
    return rc;
}

static int trace_item(struct optimum *o, const struct ost_node *node)
{
    uint32_t last = 0;
    int rc;

    o->item_count = 0;
    rc = trace_data(o, node->data);
    if (!rc)
        rc = trace_subnodes(o, node->sub);
    for (size_t i = 0; i < o->item_count; i++)
        if (o->passes[o->item[i]] > last)
            last = o->passes[o->item[i]];
    for (size_t i = 0; i < o->item_count; i++)
        if (o->due[o->item[i]] < last)
            o->due[o->item[i]] = last;
    return rc;
}

static int trace(struct optimum *o)
{
    const struct ost_plan *plan = &o->image.plan;
    int rc = 0;

    for (size_t i = 0; i < plan->block_count; i++)
        o->order[i] = (uint32_t)i;
    io_sort_r(o->order, plan->block_count, sizeof *o->order, by_offset, plan->blocks);
    for (size_t i = 0; i < plan->block_count; i++)
        o->passes[o->order[i]] = (uint32_t)i;
    for (size_t i = 0; i < plan->node_count && !rc; i++)
        if (mapped_is_message(plan->nodes[i].nid))
            rc = trace_item(o, &plan->nodes[i]);
    for (size_t i = 0; i < plan->block_count; i++)
        if (o->due[i] > o->passes[i])
            o->by_due[o->needed++] = (uint32_t)i;
    io_sort_r(o->by_due, o->needed, sizeof *o->by_due, by_due, o->due);
    return rc;
}

/* ---- the sweep ---- */

struct carried {
    const struct optimum *o;
    uint32_t *heap; /* the one needed furthest ahead on top */
    size_t count;
    uint32_t *left; /* by block: bytes carried */
    uint64_t bytes, peak, again;
};

static uint32_t need(const struct carried *c, size_t at)
{
    return c->o->due[c->heap[at]];
}

static void swap(struct carried *c, size_t a, size_t b)
{
    uint32_t kept = c->heap[a];

    c->heap[a] = c->heap[b];
    c->heap[b] = kept;
}

static void push(struct carried *c, uint32_t block)
{
    size_t at = c->count++;

    c->heap[at] = block;
    for (; at && need(c, at) > need(c, (at - 1) / 2); at = (at - 1) / 2)
        swap(c, at, (at - 1) / 2);
}

static void pop(struct carried *c)
{
    swap(c, 0, --c->count);
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < c->count && need(c, child + 1) > need(c, child))
            child++;
        if (child >= c->count || need(c, child) <= need(c, at))
            return;
        swap(c, at, child);
        at = child;
    }
}

static void drop(struct carried *c, uint64_t budget)
{
    while (c->bytes > budget && c->count) {
        uint32_t *left = &c->left[c->heap[0]];
        uint64_t over = c->bytes - budget, gone = over < *left ? over : *left;

        *left -= (uint32_t)gone;
        c->bytes -= gone;
        c->again += gone;
        if (!*left)
            pop(c);
    }
}

static int sweep(const struct optimum *o, uint64_t budget, struct carried *c)
{
    const struct ost_plan *plan = &o->image.plan;
    size_t done = 0;

    *c = (struct carried){.o = o};
    c->heap = mem_alloc_array(plan->block_count + 1, sizeof *c->heap);
    c->left = mem_zalloc((plan->block_count + 1) * sizeof *c->left);
    if (!c->heap || !c->left)
        return ERR_NOMEM;
    for (uint32_t at = 0; at < plan->block_count; at++) {
        uint32_t block = o->order[at];

        if (o->due[block] > at) {
            c->left[block] = ost_block_extent(plan->variant, plan->blocks[block].stored);
            c->bytes += c->left[block];
            push(c, block);
            drop(c, budget);
        }
        c->peak = c->bytes > c->peak ? c->bytes : c->peak;
        for (; done < o->needed && o->due[o->by_due[done]] <= at; done++) {
            c->bytes -= c->left[o->by_due[done]];
            c->left[o->by_due[done]] = 0;
        }
    }
    return 0;
}

static int report(const struct optimum *o, uint64_t budget_mib)
{
    struct carried c;
    int rc = sweep(o, budget_mib << 20, &c);

    if (!rc)
        printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", budget_mib, c.again, c.peak);
    mem_free(c.heap);
    mem_free(c.left);
    return rc;
}

static int open_image(const char *path, struct optimum *o)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
    size_t blocks;
    void *bytes;

    if (fd < 0 || fstat(fd, &st))
        return ERR_SYS;
    bytes = mmap(NULL, (size_t)st.st_size + 1, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return ERR_SYS;
    rc = mapped_open(bytes, (size_t)st.st_size, &o->image);
    if (rc)
        return rc;
    blocks = o->image.plan.block_count + 1;
    o->tracing = (struct ost_blocks){.ctx = o, .find = find, .get = get, .put = put};
    o->order = mem_alloc_array(blocks, sizeof *o->order);
    o->passes = mem_alloc_array(blocks, sizeof *o->passes);
    o->due = mem_zalloc(blocks * sizeof *o->due);
    o->by_due = mem_alloc_array(blocks, sizeof *o->by_due);
    o->item = mem_alloc_array(ITEM_BLOCKS, sizeof *o->item);
    return o->order && o->passes && o->due && o->by_due && o->item ? 0 : ERR_NOMEM;
}

int main(int argc, char **argv)
{
    static struct optimum o;
    int rc;

    if (argc < 3) {
        fputs("Usage: bench-optimum IMAGE MIB...\n"
              "Prints for each budget: it, the bytes to be read again, the most that is carried.\n",
              stderr);
        return 2;
    }
    rc = open_image(argv[1], &o);
    if (!rc)
        rc = trace(&o);
    for (int i = 2; i < argc && !rc; i++)
        rc = report(&o, strtoull(argv[i], NULL, 10));
    if (rc)
        fprintf(stderr, "bench-optimum: %s: %s\n", argv[1], err_text(rc));
    mem_free(o.order);
    mem_free(o.passes);
    mem_free(o.due);
    mem_free(o.by_due);
    mem_free(o.item);
    mapped_close(&o.image);
    return rc ? 3 : 0;
}
