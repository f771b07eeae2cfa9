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

#include "io/err.h"
#include "scanner/ost/bth.h"
#include "scanner/ost/sort.h"
#include "scanner/ost/take.h"

enum { PC_KEY = 2, PC_DATA = 6, ODD_TYPE_FLAG = 0x2000, NID_TYPE_MASK = 0x1F, INLINE = 4 };

unsigned ost_type_width(uint16_t type)
{
    switch (type) {
    case OST_BOOL:
        return 1;
    case OST_I16:
        return 2;
    case OST_I32:
    case OST_F32:
    case OST_ERROR:
        return 4;
    case OST_F64:
    case OST_CURRENCY:
    case OST_APPTIME:
    case OST_I64:
    case OST_TIME:
        return 8;
    case OST_GUID:
        return 16;
    default:
        return 0;
    }
}

bool ost_type_known(uint16_t type)
{
    switch (type & ~OST_MULTI) {
    case OST_STRING8:
    case OST_UNICODE:
    case OST_BINARY:
        return true;
    case OST_OBJECT:
    case OST_SERVERID:
    case OST_RESTRICTION:
    case OST_ACTIONS:
        return !(type & OST_MULTI);
    default:
        return ost_type_width(type & (uint16_t)~OST_MULTI) != 0;
    }
}

uint16_t ost_type_of(uint16_t stored)
{
    uint16_t base = stored & (uint16_t)~ODD_TYPE_FLAG;

    return ost_type_known(base) ? base : stored;
}

bool ost_object_ref(struct bytes value, uint32_t *nid, uint32_t *size_bytes)
{
    if (value.size < 8)
        return false;
    *nid = le32(value.data);
    *size_bytes = le32(value.data + 4);
    return true;
}

/* Finds the value of an entry; codes of the environment only. `stored` lies in the heap. */
static int resolve(const struct ost_heap *heap, const uint8_t *stored, struct ost_pc_entry *e)
{
    unsigned width = ost_type_width(e->prop.type);
    bool known = ost_type_known(e->prop.type);
    uint32_t hnid = le32(stored);
    int err;

    e->state = OST_PC_VALUE;
    if (width && width <= INLINE) {
        e->prop.value = (struct bytes){stored, width};
        return 0;
    }
    if (hnid == 0)
        return 0;
    if (hnid & NID_TYPE_MASK) {
        e->state = known ? OST_PC_SUBNODE : OST_PC_GUESS;
        e->subnode = hnid;
        if (!known)
            e->prop.value = (struct bytes){stored, INLINE};
        return 0;
    }
    err = ost_heap_item(heap, hnid, &e->prop.value);
    if (!err && width && e->prop.value.size != width && e->prop.value.size != 0)
        err = ERR_DAMAGED;
    if (err != ERR_DAMAGED)
        return err;
    /* Of a type that nobody knows the four bytes may as well be the value. */
    e->prop.value = (struct bytes){known ? NULL : stored, known ? 0 : INLINE};
    e->state = known ? OST_PC_BAD : OST_PC_VALUE;
    e->subnode = hnid;
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct ost_pc_entry *x = a, *y = b;
    int order = (x->prop.id > y->prop.id) - (x->prop.id < y->prop.id);

    return order ? order : (x->stored_at > y->stored_at) - (x->stored_at < y->stored_at);
}

/* Third-party writers store ids out of order and twice: the list is put right, the first stays. */
static void put_in_order(struct ost_pc *pc)
{
    size_t kept = 0;

    for (size_t i = 1; i < pc->count && !pc->unordered; i++)
        pc->unordered = pc->list[i].prop.id <= pc->list[i - 1].prop.id;
    if (!pc->unordered)
        return;
    ost_sort(pc->list, pc->count, sizeof *pc->list, compare_ids);
    for (size_t i = 0; i < pc->count; i++)
        if (!kept || pc->list[i].prop.id != pc->list[kept - 1].prop.id)
            pc->list[kept++] = pc->list[i];
    pc->count = kept;
}

static int count_entries(const struct ost_bth *tree, size_t *count, bool *damaged)
{
    struct ost_bth_iter it;
    const uint8_t *record;
    size_t n = 0;

    ost_bth_begin(tree, &it);
    while (n <= OST_LIMIT_PROPS && ost_bth_next(&it, &record))
        n++;
    if (it.err)
        return it.err;
    if (n > OST_LIMIT_PROPS)
        return ERR_DAMAGED;
    *count = n;
    *damaged = it.damaged;
    return 0;
}

int ost_pc_read(const struct ost_heap *heap, struct arena *arena, struct ost_pc *out)
{
    struct ost_pc pc = {0};
    struct ost_bth tree;
    struct ost_bth_iter it;
    const uint8_t *record;
    size_t most = 0;
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
    while (pc.count < most && ost_bth_next(&it, &record)) {
        struct ost_pc_entry *e = &pc.list[pc.count];

        if (le16(record) == 0)
            continue;
        *e = (struct ost_pc_entry){
            .prop = {.id = le16(record), .type = ost_type_of(le16(record + 2))},
            .stored_at = (uint32_t)pc.count++,
        };
        err = resolve(heap, record + 4, e);
        if (err)
            return err;
    }
    if (it.err)
        return it.err;
    put_in_order(&pc);
    *out = pc;
    return 0;
}
