/* props.c: see props.h. */
#include "scanner/ost/props.h"

#include <string.h>

#include "io/err.h"
#include "scanner/ost/bth.h"
#include "scanner/ost/codepage.h"
#include "scanner/ost/heap_fault.h"
#include "scanner/ost/take.h"

enum {
    PID_MESSAGE_CODEPAGE = 0x3FFD,
    PID_INTERNET_CODEPAGE = 0x3FDE,
    PID_STORE_CODEPAGE = 0x66C3,
    PID_MESSAGE_LOCALE = 0x3FF1,
    NID_TYPE_MASK = 0x1F,
};

/* A property whose value is the data of a subnode. 1, 0: lost, or a code. */
static int resolve_subnode(struct ost_reading *r, const struct ost_subnodes *subnodes, uint32_t nid,
                           unsigned width, struct bytes *out)
{
    const struct ost_subnode *s = ost_subnodes_find(subnodes, nid);
    struct bytes value;
    int rc;

    if (!s)
        return 0;
    rc = ost_reading_value(r, s->data, OST_LIMIT_VALUE_BYTES, &value);
    if (rc < 1)
        return rc;
    if (width && value.size && value.size != width)
        return 0;
    *out = value;
    return 1;
}

/* A property whose value cannot be had: why, and that it is lost. */
static void tell_lost(struct ost_reading *r, const struct ost_heap *heap,
                      const struct ost_subnodes *subnodes, const struct ost_pc_open *open,
                      uint16_t id)
{
    enum finding_code why;

    if (open->state == OST_PC_BAD && ost_heap_item_fault(heap, open->subnode, &why))
        ost_reading_damage_of(r, why, id, "a property's value");
    if (open->state == OST_PC_SUBNODE && !ost_subnodes_find(subnodes, open->subnode) &&
        !subnodes->lost)
        ost_reading_damage_of(r, F_subnode_missing, id, "a property's value");
    ost_reading_damage_of(r, F_property_failed, id, NULL);
}

/* Its bytes are handed out, but what they mean is not known. */
static void tell_unknown_type(struct ost_reading *r, uint16_t type)
{
    ost_reading_damage_of(r, F_property_type_unknown, type, NULL);
}

/* Takes the property that is left out away, unresolved. */
static int leave_out(struct ost_reading *r, struct ost_pc *pc, uint16_t id, struct ost_object *out)
{
    const struct ost_prop *p = ost_props_find((struct ost_props){pc->list, pc->count}, id, 0);
    struct ost_pc_entry *data;
    size_t at, open = 0;
    int rc = 0;

    if (!p)
        return 0;
    data = ost_take(r->arena, 1, sizeof *data, &rc);
    if (!data)
        return rc;
    at = (size_t)(p - pc->list);
    *data = ost_pc_at(pc, at);
    memmove(&pc->list[at], &pc->list[at + 1], (--pc->count - at) * sizeof *pc->list);
    for (size_t i = 0; i < pc->open_count; i++) {
        if (pc->open[i].at == at)
            continue;
        pc->open[open] = pc->open[i];
        pc->open[open].at -= pc->open[open].at > at;
        open++;
    }
    pc->open_count = open;
    out->data = data;
    return 0;
}

/* Out of a damaged map a name may be missing or another one, and whoever has such a property is
 * then no more whole than the map, whose damage was told. */
static void mark_suspect(struct ost_reading *r, const struct ost_namemap *names, uint16_t id)
{
    if (names->suspect && id >= OST_NAMEMAP_FIRST)
        ost_reading_mark(r, F_property_failed);
}

static void mark_suspects(struct ost_reading *r, const struct ost_namemap *names,
                          const struct ost_pc *pc, size_t first, size_t end)
{
    for (size_t i = first; names->suspect && i < end; i++)
        mark_suspect(r, names, pc->list[i].id);
}

/* Takes the properties away whose ids were cleared. */
static void drop_lost(struct ost_pc *pc)
{
    size_t kept = 0;

    for (size_t i = 0; i < pc->count; i++)
        if (pc->list[i].id)
            pc->list[kept++] = pc->list[i];
    pc->count = kept;
}

/* Completes the values that are not in the heap; takes away those that cannot be had. */
static int resolve_open(struct ost_reading *r, const struct ost_namemap *names,
                        const struct ost_heap *heap, const struct ost_subnodes *subnodes,
                        struct ost_pc *pc)
{
    size_t told = 0;
    bool lost = false;

    for (size_t i = 0; i < pc->open_count; i++) {
        const struct ost_pc_open *open = &pc->open[i];
        struct ost_prop *p = &pc->list[open->at];
        int rc = 0;

        mark_suspects(r, names, pc, told, open->at);
        told = open->at;
        if (open->state == OST_PC_SUBNODE || open->state == OST_PC_GUESS)
            rc = resolve_subnode(r, subnodes, open->subnode, ost_type_width(p->type), &p->value);
        if (rc < 0)
            return rc;
        if (open->state == OST_PC_BAD || (rc == 0 && open->state == OST_PC_SUBNODE)) {
            tell_lost(r, heap, subnodes, open, p->id);
            p->id = 0;
            lost = true;
        } else if (!ost_type_known(p->type)) {
            tell_unknown_type(r, p->type);
        }
    }
    mark_suspects(r, names, pc, told, pc->count);
    if (lost)
        drop_lost(pc);
    return 0;
}

static void put_names(const struct ost_namemap *names, struct ost_pc *pc)
{
    for (size_t i = pc->count; i > 0 && pc->list[i - 1].id >= OST_NAMEMAP_FIRST; i--)
        pc->list[i - 1].name = ost_namemap_find(names, pc->list[i - 1].id);
}

int ost_object_read(struct ost_reading *r, const struct ost_namemap *names,
                    struct ost_subnode roots, uint16_t left_out, struct ost_object *out)
{
    struct ost_object object = {0};
    struct ost_leaves leaves;
    struct ost_heap heap;
    struct ost_pc pc;
    int rc = ost_reading_leaves(r, roots.data, &leaves);

    if (!rc)
        rc = ost_heap_open(r->variant->format, leaves, &heap);
    if (!rc)
        rc = ost_pc_read(&heap, r->arena, &pc);
    if (rc == ERR_DAMAGED)
        ost_reading_heap_fault(r, leaves, OST_HEAP_PROPERTIES);
    if (!rc)
        rc = ost_reading_subnodes(r, roots.sub, &object.subnodes);
    if (rc)
        return rc;
    /* No object that is read has none: its list is lost, though it is formed as an empty one. */
    if (pc.count == 0)
        ost_reading_damage(r, F_property_failed, "there is not one property");
    if (pc.damaged)
        ost_reading_damage(r, F_property_failed, "part of the list of properties is lost");
    if (left_out)
        rc = leave_out(r, &pc, left_out, &object);
    if (!rc)
        rc = resolve_open(r, names, &heap, &object.subnodes, &pc);
    if (rc)
        return rc;
    put_names(names, &pc);
    object.props = (struct ost_props){pc.list, pc.count};
    *out = object;
    return 0;
}

/* Tables */

/* Columns in ascending order of id; of those with one id the first counts. */
static void order_columns(struct ost_small_table *t)
{
    for (unsigned i = 0; i < t->table.column_count; i++) {
        uint16_t id = t->table.columns[i].id;
        unsigned at = t->order_count;

        while (at > 0 && t->table.columns[t->order[at - 1]].id > id)
            at--;
        if (id == 0 || (at > 0 && t->table.columns[t->order[at - 1]].id == id))
            continue;
        memmove(&t->order[at + 1], &t->order[at], (t->order_count - at) * sizeof *t->order);
        t->order[at] = (uint16_t)i;
        t->order_count++;
    }
}

static int find_rows(struct ost_reading *r, struct ost_small_table *t)
{
    uint32_t hnid = t->table.rows_hnid;
    const struct ost_subnode *s;
    struct bytes *matrix;
    int rc = 0;

    if (hnid == 0)
        return 0;
    if (hnid & NID_TYPE_MASK) {
        s = ost_subnodes_find(&t->subnodes, hnid);
        if (s)
            return ost_reading_leaves(r, s->data, &t->rows);
        t->lost = true;
        return 0;
    }
    matrix = ost_take(r->arena, 1, sizeof *matrix, &rc);
    if (!matrix)
        return rc;
    rc = ost_heap_item(&t->heap, hnid, matrix);
    if (!rc)
        t->rows = ost_leaves_in_memory(matrix, 1);
    else if (rc == ERR_DAMAGED)
        t->lost = true;
    return rc == ERR_DAMAGED ? 0 : rc;
}

/* Rows that the table's index knows. There may be fewer than rows: real files have empty ones. */
static int count_indexed(const struct ost_small_table *t, size_t *count)
{
    struct ost_bth_iter it;
    struct ost_bth index;
    struct bytes records;
    int rc = ost_bth_open(&t->heap, t->table.row_index_hid, &index);

    *count = 0;
    if (rc)
        return rc == ERR_DAMAGED ? 0 : rc;
    ost_bth_begin(&index, &it);
    while (ost_bth_next_run(&it, &records))
        *count += records.size / (index.key_size + index.data_size);
    return it.err;
}

/* Whether a leaf cannot be had, or there are fewer rows than the index says. */
static int find_lost_rows(struct ost_small_table *t)
{
    size_t rows = 0, indexed;
    struct bytes leaf;
    int rc;

    for (size_t i = 0; i < t->rows.count && !t->lost; i++) {
        t->lost = t->rows.get(t->rows.ctx, i, &leaf) != 0;
        if (!t->lost)
            rows += ost_table_rows_in(&t->table, leaf.size);
    }
    rc = count_indexed(t, &indexed);
    t->lost |= rows < indexed;
    return rc;
}

int ost_small_table_open(struct ost_reading *r, struct ost_subnode roots, struct ost_small_table *t)
{
    struct ost_leaves leaves;
    int rc = ost_reading_leaves(r, roots.data, &leaves);

    /* The lists of columns stay as they are: they are long, and their counts tell what is there. */
    t->table.column_count = 0;
    t->order_count = 0;
    t->rows = (struct ost_leaves){0};
    t->lost = false;
    if (!rc)
        rc = ost_heap_open(r->variant->format, leaves, &t->heap);
    if (!rc)
        rc = ost_table_open(&t->heap, &t->table);
    if (rc == ERR_DAMAGED)
        ost_reading_heap_fault(r, leaves, OST_HEAP_TABLE);
    if (!rc)
        rc = ost_reading_subnodes(r, roots.sub, &t->subnodes);
    if (!rc)
        rc = find_rows(r, t);
    if (!rc)
        rc = find_lost_rows(t);
    if (rc)
        return rc;
    if (t->table.maimed)
        ost_reading_damage(r, F_table_failed, "a column lies outside the rows");
    order_columns(t);
    return 0;
}

bool ost_small_table_next(const struct ost_small_table *t, size_t *leaf, size_t *n,
                          struct bytes *row)
{
    struct bytes bytes;

    for (; *leaf < t->rows.count; ++*leaf, *n = 0) {
        if (t->rows.get(t->rows.ctx, *leaf, &bytes))
            continue;
        if (ost_table_row(&t->table, bytes, *n, row)) {
            ++*n;
            return true;
        }
    }
    return false;
}

uint32_t ost_table_row_id(const struct ost_table *t, struct bytes row)
{
    const struct ost_column *c = ost_table_column(t, OST_TC_ROW_ID, OST_I32);
    struct bytes cell;

    return c && c->size == 4 && ost_table_cell(t, c, row, &cell) ? le32(cell.data) : 0;
}

/* The value of a cell. 1, 0: it cannot be had, or a code. */
static int cell_value(struct ost_reading *r, const struct ost_small_table *t,
                      const struct ost_column *c, struct bytes cell, struct bytes *out)
{
    unsigned width = ost_type_width(c->type);
    uint32_t hnid;
    int rc;

    if (!ost_table_is_reference(c)) {
        if (cell.size < width)
            return 0;
        *out = (struct bytes){cell.data, width};
        return 1;
    }
    if (cell.size < 4)
        return 0;
    hnid = le32(cell.data);
    if (hnid == 0) {
        *out = (struct bytes){0};
        return 1;
    }
    if (hnid & NID_TYPE_MASK)
        return resolve_subnode(r, &t->subnodes, hnid, width, out);
    rc = ost_heap_item(&t->heap, hnid, out);
    return rc ? (rc == ERR_DAMAGED ? 0 : rc) : !width || !out->size || out->size == width;
}

int ost_small_table_row(struct ost_reading *r, const struct ost_namemap *names,
                        const struct ost_small_table *t, struct bytes row, struct ost_props *out)
{
    size_t count = 0;
    int rc = 0;
    struct ost_prop *list = ost_take(r->arena, t->order_count, sizeof *list, &rc);

    if (!list)
        return rc;
    for (unsigned i = 0; i < t->order_count; i++) {
        const struct ost_column *c = &t->table.columns[t->order[i]];
        struct ost_prop *p = &list[count];
        struct bytes cell;

        if (!ost_table_cell(&t->table, c, row, &cell))
            continue;
        mark_suspect(r, names, c->id);
        *p =
            (struct ost_prop){.id = c->id, .type = c->type, .name = ost_namemap_find(names, c->id)};
        rc = cell_value(r, t, c, cell, &p->value);
        if (rc < 0)
            return rc;
        if (rc == 0)
            ost_reading_damage_of(r, F_property_failed, c->id, "in a table's row");
        else
            count++;
        if (rc && !ost_type_known(c->type))
            tell_unknown_type(r, c->type);
    }
    *out = (struct ost_props){list, count};
    return 0;
}

/* Properties */

int ost_props_copy(struct arena *arena, struct ost_props props, struct ost_props *out)
{
    int rc = 0;
    struct ost_prop *list = ost_take(arena, props.count, sizeof *list, &rc);

    if (!list)
        return rc;
    for (size_t i = 0; i < props.count; i++) {
        size_t size = props.list[i].value.size;
        uint8_t *copy = ost_take(arena, size, 1, &rc);

        if (!copy)
            return rc;
        if (size)
            memcpy(copy, props.list[i].value.data, size);
        list[i] = props.list[i];
        list[i].value.data = copy;
    }
    *out = (struct ost_props){list, props.count};
    return 0;
}

uint32_t ost_props_u32(struct ost_props props, uint16_t id, uint32_t otherwise)
{
    const struct ost_prop *p = ost_props_find(props, id, OST_I32);

    return p && p->value.size == 4 ? le32(p->value.data) : otherwise;
}

uint32_t ost_props_codepage(struct ost_props props, uint32_t otherwise)
{
    uint32_t message = ost_props_u32(props, PID_MESSAGE_CODEPAGE, 0);
    uint32_t page;

    if (!message)
        message = ost_props_u32(props, PID_STORE_CODEPAGE, 0);
    page = ost_codepage(message, ost_props_u32(props, PID_INTERNET_CODEPAGE, 0),
                        ost_props_u32(props, PID_MESSAGE_LOCALE, 0));
    return page ? page : otherwise;
}
