/*
 * names.c: see names.h.
 *
 *   slots   by the low bits of the local id: the name as it was stored, and whose entry it is
 *   order   entries by key
 *   pool    keys, and the texts that slots compare with
 */
#include "index/names.h"

#include <string.h>

#include "index/property.h"
#include "io/err.h"
#include "io/mem.h"

enum { SLOTS = 4096, POOL_MOST = 1 << 20 };

struct slot {
    struct ost_name name; /* text.data is NULL: it lies at text_at of the pool */
    size_t text_at;
    uint16_t id; /* 0: empty */
    uint16_t entry;
};

struct idx_names {
    struct slot *slots;
    struct idx_name *list;
    uint16_t *order;
    size_t count, ranked; /* the first `ranked` of the order have their ranks */
    struct buf pool, key;
};

int idx_names_create(struct idx_names **out)
{
    struct idx_names *n = mem_zalloc(sizeof *n);

    if (!n)
        return ERR_NOMEM;
    n->slots = mem_zalloc(SLOTS * sizeof *n->slots);
    n->list = mem_alloc_array(IDX_NAMES_MOST, sizeof *n->list);
    n->order = mem_alloc_array(IDX_NAMES_MOST, sizeof *n->order);
    if (!n->slots || !n->list || !n->order) {
        idx_names_destroy(n);
        return ERR_NOMEM;
    }
    *out = n;
    return 0;
}

void idx_names_destroy(struct idx_names *n)
{
    if (!n)
        return;
    mem_free(n->slots);
    mem_free(n->list);
    mem_free(n->order);
    buf_done(&n->pool);
    buf_done(&n->key);
    mem_free(n);
}

void idx_names_begin(struct idx_names *n)
{
    if (n->count < IDX_NAMES_MOST && n->pool.size < POOL_MOST && !n->pool.failed)
        return;
    memset(n->slots, 0, SLOTS * sizeof *n->slots);
    n->count = n->ranked = 0;
    buf_reset(&n->pool);
}

struct bytes idx_names_key(const struct idx_names *n, const struct idx_name *name)
{
    return (struct bytes){n->pool.data + name->key_at, name->key_size};
}

static bool is_it(const struct idx_names *n, const struct slot *s, uint16_t id,
                  const struct ost_name *name)
{
    if (!s->id || s->id != id || s->name.number != name->number ||
        s->name.is_text != name->is_text ||
        memcmp(s->name.guid, name->guid, sizeof name->guid) != 0)
        return false;
    return !name->is_text || (s->name.text.size == name->text.size &&
                              (!name->text.size || memcmp(n->pool.data + s->text_at,
                                                          name->text.data, name->text.size) == 0));
}

/* Where in the order a key stands, or belongs; *found: it is there. */
static size_t place_of(const struct idx_names *n, struct bytes key, bool *found)
{
    size_t low = 0, high = n->count;

    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        struct bytes other = idx_names_key(n, &n->list[n->order[middle]]);
        size_t shorter = key.size < other.size ? key.size : other.size;
        int order = memcmp(other.data, key.data, shorter);

        if (!order && key.size == other.size) {
            low = middle;
            *found = true;
        } else if (order < 0 || (!order && other.size < key.size)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The entry of a key, made where there was none. */
static bool entry_of(struct idx_names *n, uint16_t id, const struct ost_name *name, uint16_t *entry)
{
    struct bytes key = {n->key.data, n->key.size};
    bool found;
    size_t at = place_of(n, key, &found);

    if (!found) {
        if (n->count == IDX_NAMES_MOST)
            return false;
        n->list[n->count] = (struct idx_name){
            .key_at = (uint32_t)n->pool.size,
            .key_size = (uint32_t)key.size,
            .rule = (uint16_t)idx_property_rule(id, name),
        };
        buf_append(&n->pool, key.data, key.size);
        if (n->pool.failed)
            return false;
        memmove(n->order + at + 1, n->order + at, (n->count - at) * sizeof *n->order);
        n->order[at] = (uint16_t)n->count++;
        if (n->ranked > at)
            n->ranked = at;
    }
    *entry = n->order[at];
    return true;
}

/* Takes a name into its slot, whoever had that before. */
static struct slot *take_in(struct idx_names *n, struct idx_canon *c, uint16_t id,
                            const struct ost_name *name)
{
    struct slot *s = &n->slots[id % SLOTS], fresh = {.name = *name, .id = id};

    if (n->pool.size >= POOL_MOST)
        return NULL;
    buf_reset(&n->key);
    idx_canon_name(c, &n->key, name);
    if (n->key.failed || !entry_of(n, id, name, &fresh.entry))
        return NULL;
    fresh.name.text.data = NULL;
    fresh.text_at = n->pool.size;
    if (name->is_text)
        buf_append(&n->pool, name->text.data, name->text.size);
    if (n->pool.failed)
        return NULL;
    *s = fresh;
    return s;
}

const struct idx_name *idx_names_find(struct idx_names *n, struct idx_canon *c, uint16_t id,
                                      const struct ost_name *name)
{
    struct slot *s = &n->slots[id % SLOTS];

    if (!is_it(n, s, id, name))
        s = take_in(n, c, id, name);
    return s ? &n->list[s->entry] : NULL;
}

void idx_names_rank(struct idx_names *n)
{
    for (; n->ranked < n->count; n->ranked++)
        n->list[n->order[n->ranked]].rank = (uint16_t)n->ranked;
}
