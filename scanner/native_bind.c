/*
 * native_bind.c: see native_bind.h.
 *
 * Blocks that belong together are a set, in the usual forest: `up` leads from a block to another of
 * its set, in the end to the set's head, where it says whose the set is and `reach` how far it
 * goes. A node's roots are one set from the beginning; an internal block joins the sets of what it
 * names with its own. Blocks with more than one reference join nothing, else they would make one
 * set of all items that share them.
 *
 * Whoever asks may see a set that is just being joined with another: an answer that was right a
 * moment ago.
 */
#include "scanner/native_bind.h"

#include <pthread.h>
#include <stdatomic.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/check/bids.h"

/* What stands in `up` of a head, above all indices (bids.h). */
#define HEAD_UNBOUND UINT32_C(0x80000000)
#define HEAD_ITEM    UINT32_C(0x80000001)
#define HEAD_OTHER   UINT32_C(0x80000002)

enum {
    OWN_REFS = 2, /* its entry in the B-tree counts as one */
    STEPS_MOST = 64,
};

struct native_bind {
    const struct ost_plan *plan;
    pthread_mutex_t mutex; /* of those who add */
    _Atomic uint32_t *up;
    _Atomic uint32_t *reach; /* of heads: in units of the file, rounded up */
};

static uint32_t load(_Atomic uint32_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static void store(_Atomic uint32_t *at, uint32_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static bool is_shared(const struct native_bind *b, uint32_t block)
{
    return b->plan->blocks[block].refs > OWN_REFS;
}

static uint32_t units(const struct native_bind *b, uint64_t offset)
{
    uint64_t n = offset / b->plan->variant->unit + (offset % b->plan->variant->unit != 0);

    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* The head of its set, making the way shorter for the next. */
static uint32_t head_of(struct native_bind *b, uint32_t block)
{
    uint32_t next;

    while ((next = load(&b->up[block])) < HEAD_UNBOUND) {
        uint32_t beyond = load(&b->up[next]);

        if (beyond >= HEAD_UNBOUND)
            return next;
        store(&b->up[block], beyond);
        block = beyond;
    }
    return block;
}

static void join(struct native_bind *b, uint32_t one, uint32_t other)
{
    uint32_t head = head_of(b, one), joined = head_of(b, other), owner;

    if (head == joined)
        return;
    if (load(&b->reach[joined]) > load(&b->reach[head]))
        store(&b->reach[head], load(&b->reach[joined]));
    owner = load(&b->up[joined]);
    if (owner == HEAD_ITEM || load(&b->up[head]) == HEAD_UNBOUND)
        store(&b->up[head], owner);
    store(&b->up[joined], head);
}

void native_bind_node(struct native_bind *b, uint32_t data, uint32_t sub, bool item)
{
    const uint32_t roots[] = {data, sub};
    uint32_t first = CHK_NO_BLOCK;

    for (unsigned i = 0; b && i < 2; i++) {
        uint32_t head;

        if (roots[i] == CHK_NO_BLOCK || is_shared(b, roots[i]))
            continue;
        head = head_of(b, roots[i]);
        if (item || load(&b->up[head]) == HEAD_UNBOUND)
            store(&b->up[head], item ? HEAD_ITEM : HEAD_OTHER);
        if (first == CHK_NO_BLOCK)
            first = roots[i];
        else
            join(b, first, roots[i]);
    }
}

void native_bind_links(struct native_bind *b, const struct chk_links *links, size_t first)
{
    if (!b || first == links->inner.count)
        return;
    pthread_mutex_lock(&b->mutex);
    for (size_t i = first; i < links->inner.count; i++) {
        const struct chk_inner *inner = chk_links_inner(links, i);
        const uint32_t *edges = chk_links_edges(links, inner);
        size_t count = (size_t)inner->data_count + inner->sub_count;

        for (size_t k = 0; k < count && !is_shared(b, inner->block); k++)
            if (edges[k] != CHK_NO_BLOCK && !is_shared(b, edges[k]))
                join(b, inner->block, edges[k]);
    }
    pthread_mutex_unlock(&b->mutex);
}

enum native_owner native_bind_owner(const struct native_bind *b, uint32_t block, uint64_t *reach)
{
    uint32_t head = block, next = HEAD_UNBOUND;

    *reach = 0;
    if (!b)
        return NATIVE_UNBOUND;
    if (is_shared(b, block))
        return NATIVE_SHARED;
    for (unsigned i = 0; i < STEPS_MOST; i++) {
        next = load(&b->up[head]);
        if (next >= HEAD_UNBOUND)
            break;
        head = next;
    }
    *reach = (uint64_t)load(&b->reach[head]) * b->plan->variant->unit;
    return next == HEAD_ITEM ? NATIVE_ITEM : next == HEAD_OTHER ? NATIVE_OTHER : NATIVE_UNBOUND;
}

uint64_t native_bind_bytes(size_t blocks)
{
    return blocks * (uint64_t)(2 * sizeof(uint32_t));
}

int native_bind_create(const struct ost_plan *plan, struct native_bind **out)
{
    struct native_bind *b = mem_zalloc(sizeof *b);

    if (!b)
        return ERR_NOMEM;
    b->plan = plan;
    pthread_mutex_init(&b->mutex, NULL);
    b->up = mem_alloc_array(plan->block_count + 1, sizeof *b->up);
    b->reach = mem_alloc_array(plan->block_count + 1, sizeof *b->reach);
    if (!b->up || !b->reach) {
        native_bind_destroy(b);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < plan->block_count; i++) {
        atomic_init(&b->up[i], HEAD_UNBOUND);
        atomic_init(&b->reach[i], units(b, plan->blocks[i].offset));
    }
    *out = b;
    return 0;
}

void native_bind_destroy(struct native_bind *b)
{
    if (!b)
        return;
    mem_free(b->up);
    mem_free(b->reach);
    pthread_mutex_destroy(&b->mutex);
    mem_free(b);
}
