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
#include "io/sort.h"
#include "scanner/ost/take.h"

enum {
    PC_KEY = 2,
    PC_DATA = 6,
    RECORD = PC_KEY + PC_DATA,
    ODD_TYPE_FLAG = 0x2000,
    NID_TYPE_MASK = 0x1F,
    INLINE = 4
};

/*
 * What is known of types: 0 nothing, else KNOWN and the width of values of a fixed size. A place
 * holds the low nine bits of a type and its OST_MULTI; types with other bits are not known.
 */
enum { KNOWN = 0x80, WIDTH = 0x7F, MULTI_PLACE = 0x200, TYPE_BITS = 0x11FF };

#define SINGLE(type, width) [type] = KNOWN | (width)
#define BOTH(type, width)   SINGLE(type, width), [MULTI_PLACE | (type)] = KNOWN

static const uint8_t types[2 * MULTI_PLACE] = {
    BOTH(OST_BOOL, 1),       BOTH(OST_I16, 2),           BOTH(OST_I32, 4),
    BOTH(OST_F32, 4),        BOTH(OST_ERROR, 4),         BOTH(OST_F64, 8),
    BOTH(OST_CURRENCY, 8),   BOTH(OST_APPTIME, 8),       BOTH(OST_I64, 8),
    BOTH(OST_TIME, 8),       BOTH(OST_GUID, 16),         BOTH(OST_STRING8, 0),
    BOTH(OST_UNICODE, 0),    BOTH(OST_BINARY, 0),        SINGLE(OST_OBJECT, 0),
    SINGLE(OST_SERVERID, 0), SINGLE(OST_RESTRICTION, 0), SINGLE(OST_ACTIONS, 0),
};

static uint8_t info_of(uint16_t type)
{
    return type & ~TYPE_BITS ? 0 : types[(type & (MULTI_PLACE - 1)) | (type & OST_MULTI) >> 3];
}

unsigned ost_type_width(uint16_t type)
{
    return info_of(type) & WIDTH;
}

bool ost_type_known(uint16_t type)
{
    return info_of(type) != 0;
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
    uint8_t info = info_of(e->prop.type);
    unsigned width = info & WIDTH;
    bool known = info != 0;
    uint32_t hnid = le32(stored);
    int err;

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

    io_sort(pc->list, pc->count, sizeof *pc->list, compare_ids);
    for (size_t i = 0; i < pc->count; i++)
        if (!kept || pc->list[i].prop.id != pc->list[kept - 1].prop.id)
            pc->list[kept++] = pc->list[i];
    pc->count = kept;
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

static int add_entries(const struct ost_heap *heap, struct bytes records, struct ost_pc *pc)
{
    uint16_t last = pc->count ? pc->list[pc->count - 1].prop.id : 0;

    for (size_t at = 0; at < records.size; at += RECORD) {
        const uint8_t *record = records.data + at;
        struct ost_pc_entry *e = &pc->list[pc->count];
        uint16_t id = le16(record);
        int err;

        if (id == 0)
            continue;
        pc->unordered |= id <= last;
        last = id;
        *e = (struct ost_pc_entry){
            .prop = {.id = id, .type = ost_type_of(le16(record + 2))},
            .stored_at = (uint32_t)pc->count++,
        };
        err = resolve(heap, record + PC_KEY + 2, e);
        if (err)
            return err;
    }
    return 0;
}

int ost_pc_read(const struct ost_heap *heap, struct arena *arena, struct ost_pc *out)
{
    struct ost_pc pc = {0};
    struct ost_bth tree;
    struct ost_bth_iter it;
    struct bytes records;
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
    while (!err && ost_bth_next_run(&it, &records))
        err = add_entries(heap, records, &pc);
    if (err || it.err)
        return err ? err : it.err;
    if (pc.unordered)
        put_in_order(&pc);
    *out = pc;
    return 0;
}
