/*
 * pc.c: see pc.h.
 *
 *   BTH with cbKey 2, cbEnt 6: propid(2) │ proptype(2) dwValueHnid(4)
 *
 * Where a value stands depends on its type alone: up to four bytes inline in dwValueHnid, all else
 * behind it as an HNID: 0 empty, low five bits 0 an item of this heap, otherwise a subnode. The
 * upper bytes of inline values are not always zero and are cut off. Whether a value of a type that
 * is not known is inline cannot be told: what its four bytes refer to is taken where there is such
 * a thing, else they are the value.
 */
#include "scanner/ost/pc.h"

#include <string.h>

#include "io/err.h"
#include "io/sort.h"
#include "scanner/ost/bth.h"
#include "scanner/ost/take.h"

enum { PC_KEY = 2, PC_DATA = 6, RECORD = PC_KEY + PC_DATA, NID_TYPE_MASK = 0x1F, INLINE = 4 };

#define SINGLE(type, width) [type] = OST_TYPE_KNOWN | (width)
#define BOTH(type, width)   SINGLE(type, width), [0x200 | (type)] = OST_TYPE_KNOWN

const uint8_t ost_types[OST_TYPE_PLACES] = {
    BOTH(OST_BOOL, 1),       BOTH(OST_I16, 2),           BOTH(OST_I32, 4),
    BOTH(OST_F32, 4),        BOTH(OST_ERROR, 4),         BOTH(OST_F64, 8),
    BOTH(OST_CURRENCY, 8),   BOTH(OST_APPTIME, 8),       BOTH(OST_I64, 8),
    BOTH(OST_TIME, 8),       BOTH(OST_GUID, 16),         BOTH(OST_STRING8, 0),
    BOTH(OST_UNICODE, 0),    BOTH(OST_BINARY, 0),        SINGLE(OST_OBJECT, 0),
    SINGLE(OST_SERVERID, 0), SINGLE(OST_RESTRICTION, 0), SINGLE(OST_ACTIONS, 0),
};

bool ost_object_ref(struct bytes value, uint32_t *nid, uint32_t *size_bytes)
{
    if (value.size < 8)
        return false;
    *nid = le32(value.data);
    *size_bytes = le32(value.data + 4);
    return true;
}

/* Finds the value of a property; codes of the environment only. `stored` lies in the heap. */
static int resolve(const struct ost_heap *heap, const uint8_t *stored, unsigned info,
                   struct ost_prop *p, struct ost_pc_open *open)
{
    unsigned width = info & (unsigned)~OST_TYPE_KNOWN;
    uint32_t hnid = le32(stored);
    int err;

    p->value = (struct bytes){0};
    if (width && width <= INLINE) {
        p->value = (struct bytes){stored, width};
        return 0;
    }
    if (hnid == 0)
        return 0;
    if (hnid & NID_TYPE_MASK) {
        open->state = info ? OST_PC_SUBNODE : OST_PC_GUESS;
        open->subnode = hnid;
        if (!info)
            p->value = (struct bytes){stored, INLINE};
        return 0;
    }
    err = ost_heap_item(heap, hnid, &p->value);
    if (!err && width && p->value.size != width && p->value.size != 0)
        err = ERR_DAMAGED;
    if (err != ERR_DAMAGED)
        return err;
    /* Of a type that nobody knows the four bytes may as well be the value. */
    p->value = (struct bytes){info ? NULL : stored, info ? 0 : INLINE};
    open->state = info ? OST_PC_BAD : OST_PC_VALUE;
    open->subnode = hnid;
    return 0;
}

struct ost_pc_entry ost_pc_at(const struct ost_pc *pc, size_t i)
{
    struct ost_pc_entry e = {.prop = pc->list[i], .state = OST_PC_VALUE};

    for (size_t k = 0; k < pc->open_count; k++) {
        if (pc->open[k].at == i) {
            e.state = pc->open[k].state;
            e.subnode = pc->open[k].subnode;
        }
    }
    return e;
}

static bool is_open(const struct ost_prop *p, unsigned state)
{
    return state != OST_PC_VALUE || !ost_type_known(p->type);
}

struct stored {
    struct ost_prop prop;
    struct ost_pc_open open; /* at: its place in the stored order */
};

static int compare_ids(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;
    int order = (x->prop.id > y->prop.id) - (x->prop.id < y->prop.id);

    return order ? order : (x->open.at > y->open.at) - (x->open.at < y->open.at);
}

/* Third-party writers store ids out of order and twice: the list is put right, the first stays. */
static int put_in_order(struct arena *arena, struct ost_pc *pc)
{
    size_t open = 0, kept = 0;
    int err = 0;
    struct stored *all = ost_take(arena, pc->count, sizeof *all, &err);

    if (!all)
        return err;
    for (size_t i = 0; i < pc->count; i++) {
        all[i] = (struct stored){pc->list[i], {.at = (uint32_t)i, .state = OST_PC_VALUE}};
        if (open < pc->open_count && pc->open[open].at == i)
            all[i].open = pc->open[open++];
    }
    io_sort(all, pc->count, sizeof *all, compare_ids);
    pc->open_count = 0;
    for (size_t i = 0; i < pc->count; i++) {
        if (kept && all[i].prop.id == pc->list[kept - 1].id)
            continue;
        if (is_open(&all[i].prop, all[i].open.state)) {
            pc->open[pc->open_count] = all[i].open;
            pc->open[pc->open_count++].at = (uint32_t)kept;
        }
        pc->list[kept++] = all[i].prop;
    }
    pc->count = kept;
    return 0;
}

static int count_entries(const struct ost_bth *tree, size_t *count, bool *damaged)
{
    struct ost_bth_iter it;
    struct bytes records;
    size_t n = 0;

    ost_bth_begin(tree, &it);
    while (n <= OST_LIMIT_PROPS && ost_bth_next_run(&it, &records))
        n += records.size / RECORD;
    if (it.err)
        return it.err;
    if (n > OST_LIMIT_PROPS)
        return ERR_DAMAGED;
    *count = n;
    *damaged = it.damaged;
    return 0;
}

static int add_open(struct arena *arena, struct ost_pc *pc, size_t *room, struct ost_pc_open open)
{
    int err = 0;

    if (pc->open_count == *room) {
        size_t more = *room ? *room * 2 : 8;
        struct ost_pc_open *larger = ost_take(arena, more, sizeof *larger, &err);

        if (!larger)
            return err;
        if (pc->open_count)
            memcpy(larger, pc->open, pc->open_count * sizeof *larger);
        pc->open = larger;
        *room = more;
    }
    pc->open[pc->open_count++] = open;
    return 0;
}

static int add_entries(const struct ost_heap *heap, struct arena *arena, struct bytes records,
                       size_t *room, struct ost_pc *pc)
{
    uint16_t last = pc->count ? pc->list[pc->count - 1].id : 0;
    int err = 0;

    for (size_t at = 0; at < records.size && !err; at += RECORD) {
        const uint8_t *record = records.data + at;
        struct ost_prop *p = &pc->list[pc->count];
        struct ost_pc_open open = {.at = (uint32_t)pc->count, .state = OST_PC_VALUE};

        if (le16(record) == 0)
            continue;
        p->id = le16(record);
        p->type = ost_type_of(le16(record + PC_KEY));
        p->name = NULL;
        pc->unordered |= p->id <= last;
        last = p->id;
        pc->count++;
        err = resolve(heap, record + PC_KEY + 2, ost_type_info(p->type), p, &open);
        if (!err && is_open(p, open.state))
            err = add_open(arena, pc, room, open);
    }
    return err;
}

int ost_pc_read(const struct ost_heap *heap, struct arena *arena, struct ost_pc *out)
{
    struct ost_pc pc = {0};
    struct ost_bth tree;
    struct ost_bth_iter it;
    struct bytes records;
    size_t most = 0, room = 0;
    int err;

    if (heap->client != OST_HEAP_PROPERTIES)
        return ERR_DAMAGED;
    err = ost_bth_open(heap, heap->root, &tree);
    if (err)
        return err;
    if (tree.root && (tree.key_size != PC_KEY || tree.data_size != PC_DATA))
        return ERR_DAMAGED;
    err = count_entries(&tree, &most, &pc.damaged);
    if (err)
        return err;
    pc.list = ost_take(arena, most, sizeof *pc.list, &err);
    if (!pc.list)
        return err;
    ost_bth_begin(&tree, &it);
    while (!err && ost_bth_next_run(&it, &records))
        err = add_entries(heap, arena, records, &room, &pc);
    if (err || it.err)
        return err ? err : it.err;
    if (pc.unordered)
        err = put_in_order(arena, &pc);
    if (!err)
        *out = pc;
    return err;
}
