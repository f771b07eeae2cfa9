/*
 * rows.c: see rows.h.
 *
 *   row: time(8) │ item(4) │ table and flags(4) │ change key: ref(4) │ change list: ref(4)
 *
 * A ref is the cell (an HNID of the table), or, once the value is kept, its place in the pool, in
 * units of PLACE: a u32 size and the bytes. Items are read in another order than rows, so what the
 * pool's memory has no room for goes to a file: read again from the heap, each value would cost a
 * block. Rows of a heap with several leaves are resolved in the order of its leaves, so each is
 * read once; the list for that is given back table by table.
 */
#include "scanner/ost/rows.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/spill.h"
#include "scanner/ost/folder.h"
#include "scanner/ost/props.h"
#include "io/sort.h"
#include "scanner/ost/take.h"
#include "scanner/ost/tc.h"

enum { VALUES = 2, NID_TYPE_MASK = 0x1F, POOL_HEAD = 4, PLACE = 8 };

/* In the upper bits of a row's state; the lower TABLE_BITS are its table's number. */
enum { TABLE_BITS = 24 };
#define HAS_TIME     (1u << 24)
#define HAS_VALUE(v) (1u << (25 + (v)))
#define KEPT(v)      (1u << (27 + (v))) /* in the pool */
#define BAD          (1u << 29)         /* a value is there and cannot be read */

static const uint16_t value_ids[VALUES] = {0x65E2, 0x65E3};
enum { PID_TIME = 0x3008 };

struct row {
    uint64_t time;
    uint32_t item;
    uint32_t state;
    uint32_t ref[VALUES];
};

struct table {
    struct ost_subnode roots;
    uint32_t folder;
};

struct ost_rows {
    const struct ost_plan *plan;
    struct row *list;
    size_t count, capacity;
    struct table *tables;
    size_t table_count, table_capacity;
    struct io_spill *pool;
};

static uint32_t number_of_table(const struct row *row)
{
    return row->state & ((1u << TABLE_BITS) - 1);
}

static const struct table *table_of(const struct ost_rows *rows, const struct row *row)
{
    return &rows->tables[number_of_table(row)];
}

/* A table while it is read. */
struct load {
    struct ost_rows *rows;
    struct ost_reading *reading;
    struct ost_pager pager;
    struct ost_heap heap;
    struct ost_table table;
    struct ost_subnodes subnodes;
    const struct ost_column *time, *values[VALUES];
    size_t first;   /* of its rows */
    uint64_t count; /* rows, kept or not */
    size_t near;    /* the place of the last row's node among all */
    bool lost;
};

int ost_rows_create(const struct ost_plan *plan, uint64_t memory_bytes, struct ost_rows **out)
{
    struct ost_rows *r = mem_zalloc(sizeof *r);
    int rc;

    if (!r)
        return ERR_NOMEM;
    r->plan = plan;
    rc = io_spill_create(NULL, (size_t)memory_bytes, &r->pool);
    if (rc)
        mem_free(r);
    else
        *out = r;
    return rc;
}

void ost_rows_destroy(struct ost_rows *r)
{
    if (!r)
        return;
    mem_free(r->list);
    mem_free(r->tables);
    io_spill_destroy(r->pool);
    mem_free(r);
}

static int grow(void *list, size_t size, size_t count, size_t *capacity, void **out)
{
    size_t more = *capacity ? *capacity * 2 : 64;
    void *larger = list;

    if (count == *capacity) {
        larger = mem_realloc(list, more * size);
        if (!larger)
            return ERR_NOMEM;
        *capacity = more;
    }
    *out = larger;
    return 0;
}

static int add_table(struct ost_rows *rows, struct ost_subnode roots, uint32_t folder)
{
    void *list;
    int rc;

    if (rows->table_count == 1u << TABLE_BITS)
        return ERR_LIMIT;
    rc = grow(rows->tables, sizeof *rows->tables, rows->table_count, &rows->table_capacity, &list);
    if (rc)
        return rc;
    rows->tables = list;
    rows->tables[rows->table_count++] = (struct table){roots, folder};
    return 0;
}

/* Pass 1: the matrix */

static int keep_row(struct ost_rows *rows, const struct row *row)
{
    void *list;
    int rc;

    if (rows->count >= rows->plan->node_count)
        return ERR_LIMIT;
    rc = grow(rows->list, sizeof *rows->list, rows->count, &rows->capacity, &list);
    if (rc)
        return rc;
    rows->list = list;
    rows->list[rows->count++] = *row;
    return 0;
}

/* Whether an item is one that this table of its folder lists: each kind has a table. */
static bool is_of_table(const struct table *t, const struct ost_node *node)
{
    bool assoc = ost_nid_type(t->roots.nid) == OST_NID_ASSOC_CONTENTS;

    return node->parent == t->folder &&
           ost_nid_type(node->nid) == (assoc ? OST_NID_ASSOC_MESSAGE : OST_NID_MESSAGE);
}

/* The node of a row. Rows mostly stand in the order in which items came, and so do nodes: the next
 * one is looked for from the last on, in steps that double. */
static const struct ost_node *node_of(struct load *l, uint32_t nid)
{
    const struct ost_plan *plan = l->rows->plan;
    size_t at = l->near, step = 1;

    if (at >= plan->node_count || plan->nodes[at].nid > nid)
        at = 0;
    while (step < plan->node_count - at && plan->nodes[at + step].nid <= nid) {
        at += step;
        step *= 2;
    }
    for (; step; step /= 2)
        if (step < plan->node_count - at && plan->nodes[at + step].nid <= nid)
            at += step;
    l->near = at;
    return plan->node_count && plan->nodes[at].nid == nid ? &plan->nodes[at] : NULL;
}

static int add_row(struct load *l, struct bytes bytes)
{
    struct ost_rows *rows = l->rows;
    struct row row = {.item = ost_table_row_id(&l->table, bytes),
                      .state = (uint32_t)(rows->table_count - 1)};
    const struct ost_node *node;
    struct bytes cell;

    if (row.item == 0)
        return 0;
    l->count++;
    node = node_of(l, row.item);
    if (!node || !is_of_table(table_of(rows, &row), node)) {
        ost_reading_find(l->reading, F_row_without_item, row.item);
        return 0;
    }
    if (l->time && ost_table_cell(&l->table, l->time, bytes, &cell)) {
        row.time = le64(cell.data);
        row.state |= HAS_TIME;
    }
    for (unsigned v = 0; v < VALUES; v++) {
        if (!l->values[v] || !ost_table_cell(&l->table, l->values[v], bytes, &cell))
            continue;
        row.ref[v] = le32(cell.data);
        if (row.ref[v])
            row.state |= HAS_VALUE(v);
    }
    return keep_row(rows, &row);
}

static int add_rows(struct load *l, struct bytes leaf)
{
    struct bytes row;
    int rc = 0;

    for (size_t n = 0; !rc && ost_table_row(&l->table, leaf, n, &row); n++)
        rc = add_row(l, row);
    return rc;
}

/* The matrix in a subnode of the table, leaf by leaf. */
static int read_matrix_tree(struct load *l, uint64_t root)
{
    struct ost_extent extent;
    struct ost_pager pager;
    struct ost_leaves leaves;
    struct bytes leaf;
    int rc = ost_reading_extent(l->reading, root, &extent);

    if (rc)
        return rc;
    l->lost |= extent.lost;
    ost_pager_init(&pager, l->reading, extent);
    leaves = ost_pager_leaves(&pager);
    for (size_t i = 0; !rc && i < extent.count; i++) {
        rc = leaves.get(leaves.ctx, i, &leaf);
        if (!rc)
            rc = add_rows(l, leaf);
        else if (rc == ERR_DAMAGED)
            l->lost = true;
        rc = rc == ERR_DAMAGED ? 0 : rc;
    }
    ost_pager_done(&pager);
    return rc;
}

static int read_matrix(struct load *l)
{
    uint32_t hnid = l->table.rows_hnid;
    const struct ost_subnode *s;
    struct bytes matrix;
    int rc;

    if (hnid == 0)
        return 0;
    if (hnid & NID_TYPE_MASK) {
        s = ost_subnodes_find(&l->subnodes, hnid);
        if (s)
            return read_matrix_tree(l, s->data);
        l->lost = true;
        return 0;
    }
    rc = ost_heap_item(&l->heap, hnid, &matrix);
    if (!rc)
        return add_rows(l, matrix);
    l->lost |= rc == ERR_DAMAGED;
    return rc == ERR_DAMAGED ? 0 : rc;
}

/* Pass 2: the values */

/* Adds a value, padded so that the next one's place is a multiple of PLACE. */
static int put_in_pool(struct ost_rows *rows, struct bytes value, uint32_t *place)
{
    static const uint8_t zeros[PLACE];
    uint64_t size = io_spill_size(rows->pool);
    size_t whole = POOL_HEAD + value.size, padding = (PLACE - whole % PLACE) % PLACE;
    uint8_t head[POOL_HEAD];
    int rc;

    if (size / PLACE > UINT32_MAX)
        return ERR_LIMIT;
    *place = (uint32_t)(size / PLACE);
    put_le32(head, (uint32_t)value.size);
    rc = io_spill_append(rows->pool, head, sizeof head, NULL);
    if (!rc && value.size)
        rc = io_spill_append(rows->pool, value.data, value.size, NULL);
    return rc || !padding ? rc : io_spill_append(rows->pool, zeros, padding, NULL);
}

struct wanted {
    uint32_t hid;
    uint32_t row; /* its number << 1 | value */
};

static int by_hid(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    if (x->hid != y->hid)
        return x->hid < y->hid ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The heap's values, in the order in which they lie there. */
static size_t list_wanted(const struct row *rows, size_t count, struct wanted *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        for (unsigned v = 0; v < VALUES; v++)
            /* A value that is a subnode's stays where it is: few are. */
            if (rows[i].state & HAS_VALUE(v) && !(rows[i].ref[v] & NID_TYPE_MASK))
                list[kept++] = (struct wanted){rows[i].ref[v], (uint32_t)(i << 1 | v)};
    io_sort(list, kept, sizeof *list, by_hid);
    return kept;
}

/*
 * Puts a value of the heap into the pool. *left: bytes that may still go there. Items that do not
 * overlap take no more than the heap has; ERR_DAMAGED: this one would.
 */
static int keep_value(struct load *l, uint32_t hid, uint64_t *left, uint32_t *place)
{
    struct bytes value;
    int rc = ost_heap_item(&l->heap, hid, &value);

    if (!rc && (value.size > OST_LIMIT_ROW_VALUE || value.size > *left))
        rc = ERR_DAMAGED;
    if (rc)
        return rc;
    *left -= value.size;
    return put_in_pool(l->rows, value, place);
}

static int keep_values(struct load *l)
{
    size_t rows = l->rows->count - l->first, count = 0;
    struct wanted *list = mem_alloc_array(rows * VALUES + 1, sizeof *list);
    struct row *first = rows ? l->rows->list + l->first : NULL;
    uint64_t left = l->heap.leaves.bytes;
    uint32_t place = 0;
    int rc = 0;

    if (!list)
        return ERR_NOMEM;
    if (rows)
        count = list_wanted(first, rows, list);
    for (size_t i = 0; i < count; i++) {
        struct row *row = &first[list[i].row >> 1];
        unsigned v = list[i].row & 1;

        /* What several rows name is kept once. */
        if (i == 0 || list[i].hid != list[i - 1].hid)
            rc = keep_value(l, list[i].hid, &left, &place);
        if (rc && rc != ERR_DAMAGED)
            break;
        row->ref[v] = place;
        row->state = rc ? (row->state & ~HAS_VALUE(v)) | BAD : row->state | KEPT(v);
    }
    mem_free(list);
    return rc == ERR_DAMAGED ? 0 : rc;
}

/* Opens the table; its heap is read leaf by leaf. To be ended by ost_pager_done, also on failure.*/
static int open_table(struct load *l, struct ost_reading *r, struct ost_subnode roots)
{
    struct ost_extent extent = {0};
    int rc = ost_reading_extent(r, roots.data, &extent);

    l->reading = r;
    ost_pager_init(&l->pager, r, extent);
    if (!rc)
        rc = ost_heap_open(r->variant->format, ost_pager_leaves(&l->pager), &l->heap);
    if (!rc)
        rc = ost_table_open(&l->heap, &l->table);
    if (rc == ERR_DAMAGED)
        ost_reading_heap_fault(r, ost_pager_leaves(&l->pager), OST_HEAP_TABLE);
    if (!rc && l->table.maimed)
        ost_reading_damage(r, F_table_failed, "a column lies outside the rows");
    return rc ? rc : ost_reading_subnodes(r, roots.sub, &l->subnodes);
}

static const struct ost_column *column(const struct load *l, uint16_t id, uint16_t type,
                                       unsigned size)
{
    const struct ost_column *c = ost_table_column(&l->table, id, type);

    return c && c->size >= size ? c : NULL;
}

int ost_rows_load(struct ost_rows *rows, struct ost_reading *r, struct ost_subnode roots,
                  uint32_t folder, uint64_t *count, bool *lost)
{
    struct load l = {.rows = rows, .first = rows->count};
    int rc = open_table(&l, r, roots);

    if (!rc)
        rc = add_table(rows, roots, folder);
    if (!rc) {
        l.time = column(&l, PID_TIME, OST_TIME, 8);
        for (unsigned v = 0; v < VALUES; v++)
            l.values[v] = column(&l, value_ids[v], OST_BINARY, 4);
        rc = read_matrix(&l);
    }
    if (!rc)
        rc = keep_values(&l);
    ost_pager_done(&l.pager);
    if (rc) {
        rows->count = l.first;
        return rc;
    }
    if (l.lost)
        ost_reading_damage(r, F_table_failed, "rows are lost");
    *count = l.count;
    *lost = l.lost;
    return 0;
}

static int by_item(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return (number_of_table(x) > number_of_table(y)) - (number_of_table(x) < number_of_table(y));
}

int ost_rows_seal(struct ost_rows *rows)
{
    io_sort(rows->list, rows->count, sizeof *rows->list, by_item);
    return io_spill_settle(rows->pool);
}

size_t ost_rows_find(const struct ost_rows *rows, uint32_t item, uint32_t folder)
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rows->list[middle].item < item)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < rows->count && rows->list[low].item == item; low++)
        if (table_of(rows, &rows->list[low])->folder == folder)
            return low;
    return SIZE_MAX;
}

static int fetch_from_subnode(const struct ost_rows *rows, const struct row *row, unsigned v,
                              struct ost_reading *r, struct bytes *out)
{
    struct ost_subnodes subnodes;
    const struct ost_subnode *s;
    int rc = ost_reading_subnodes(r, table_of(rows, row)->roots.sub, &subnodes);

    if (rc)
        return rc;
    s = ost_subnodes_find(&subnodes, row->ref[v]);
    return s ? ost_reading_value(r, s->data, OST_LIMIT_ROW_VALUE, out) : 0;
}

/* A kept value; *out lives as long as the reading. The first read brings most values whole. */
static int fetch_from_pool(const struct ost_rows *rows, const struct row *row, unsigned v,
                           struct ost_reading *r, struct bytes *out)
{
    uint64_t at = (uint64_t)row->ref[v] * PLACE, rest = io_spill_size(rows->pool) - at;
    uint8_t first[64];
    size_t had = rest < sizeof first ? (size_t)rest : sizeof first, size;
    struct fault fault;
    uint8_t *copy;
    int rc = io_spill_read_any(rows->pool, at, first, had, &fault);

    if (rc)
        return rc;
    had -= POOL_HEAD;
    size = le32(first);
    copy = ost_take(r->arena, size, 1, &rc);
    if (!copy)
        return rc;
    memcpy(copy, first + POOL_HEAD, size < had ? size : had);
    if (size > had)
        rc = io_spill_read_any(rows->pool, at + POOL_HEAD + had, copy + had, size - had, &fault);
    *out = (struct bytes){copy, size};
    return rc ? rc : 1;
}

/* 1, 0: it cannot be had, or a code. */
static int value_of(const struct ost_rows *rows, const struct row *row, unsigned v,
                    struct ost_reading *r, struct bytes *out)
{
    return row->state & KEPT(v) ? fetch_from_pool(rows, row, v, r, out)
                                : fetch_from_subnode(rows, row, v, r, out);
}

int ost_rows_props(const struct ost_rows *rows, size_t i, struct ost_reading *r,
                   struct ost_props have, struct ost_props *out)
{
    const struct row *row = &rows->list[i];
    size_t count = 0;
    int rc = 0;
    struct ost_prop *list = ost_take(r->arena, 1 + VALUES, sizeof *list, &rc);
    uint8_t *time = ost_take(r->arena, 1, sizeof row->time, &rc);

    if (!list || !time)
        return rc;
    if (row->state & BAD)
        ost_reading_damage(r, F_property_failed, "in its contents row");
    if (row->state & HAS_TIME && !ost_props_find(have, PID_TIME, 0)) {
        put_le64(time, row->time);
        list[count++] = (struct ost_prop){.id = PID_TIME, .type = OST_TIME, .value = {time, 8}};
    }
    for (unsigned v = 0; v < VALUES; v++) {
        struct ost_prop p = {.id = value_ids[v], .type = OST_BINARY};

        if (!(row->state & HAS_VALUE(v)) || ost_props_find(have, value_ids[v], 0))
            continue;
        rc = value_of(rows, row, v, r, &p.value);
        if (rc < 0)
            return rc;
        if (rc == 0)
            ost_reading_damage_of(r, F_property_failed, p.id, "in its contents row");
        else if (p.value.size)
            list[count++] = p;
    }
    *out = (struct ost_props){list, count};
    return 0;
}
