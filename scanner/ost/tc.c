/*
 * tc.c: see tc.h.
 *
 *   TCINFO: 7C cCols(1) rgib[4](2 each) hidRowIndex(4) hnidRows(4) hidIndex(4) │ TCOLDESC[cCols]
 *   TCOLDESC: tag(4: type low, id high) ibData(2) cbData(1) iBit(1)
 *
 *   row: 4- and 8-byte cells │ 2-byte cells │ 1-byte cells │ existence bitmap
 *        0                rgib[0]        rgib[1]        rgib[2]            rgib[3] = row size
 *
 * Columns of third-party writers are not sorted, so a column is found by a scan of all.
 */
#include "scanner/ost/tc.h"

#include "io/err.h"

enum { TCINFO_SIZE = 22, TCOLDESC_SIZE = 8, RGIB = 2, ROW_INDEX = 10, ROWS = 14, BITS = 8 };

static bool column_fits(const struct ost_column *c, const struct ost_table *t)
{
    return c->size > 0 && range_fits(c->offset, c->size, t->bitmap_offset) &&
           (size_t)t->bitmap_offset + c->bit / BITS < t->row_size;
}

int ost_table_open(const struct ost_heap *heap, struct ost_table *out)
{
    struct bytes info;
    int err;

    if (heap->client != OST_HEAP_TABLE)
        return ERR_DAMAGED;
    err = ost_heap_item(heap, heap->root, &info);
    if (err)
        return err;
    if (info.size < TCINFO_SIZE || info.data[0] != OST_HEAP_TABLE)
        return ERR_DAMAGED;
    out->heap = heap;
    out->bitmap_offset = le16(info.data + RGIB + 4);
    out->row_size = le16(info.data + RGIB + 6);
    out->row_index_hid = le32(info.data + ROW_INDEX);
    out->rows_hnid = le32(info.data + ROWS);
    out->maimed = false;
    out->column_count = 0;
    if (!range_fits(TCINFO_SIZE, (uint64_t)info.data[1] * TCOLDESC_SIZE, info.size) ||
        out->row_size <= out->bitmap_offset)
        return ERR_DAMAGED;
    for (unsigned i = 0; i < info.data[1]; i++) {
        const uint8_t *d = info.data + TCINFO_SIZE + (size_t)i * TCOLDESC_SIZE;
        struct ost_column c = {
            .id = le16(d + 2),
            .type = ost_type_of(le16(d)),
            .offset = le16(d + 4),
            .size = d[6],
            .bit = d[7],
        };

        /* A column that points out of the row is left out; the others can be read. */
        if (column_fits(&c, out))
            out->columns[out->column_count++] = c;
        else
            out->maimed = true;
    }
    return 0;
}

static bool type_matches(uint16_t have, uint16_t want)
{
    bool both_text = (have == OST_UNICODE || have == OST_STRING8) &&
                     (want == OST_UNICODE || want == OST_STRING8);

    return want == 0 || have == want || both_text;
}

const struct ost_column *ost_table_column(const struct ost_table *t, uint16_t id, uint16_t type)
{
    for (unsigned i = 0; i < t->column_count; i++)
        if (t->columns[i].id == id && type_matches(t->columns[i].type, type))
            return &t->columns[i];
    return NULL;
}

size_t ost_table_rows_in(const struct ost_table *t, size_t size)
{
    return size / t->row_size;
}

bool ost_table_row(const struct ost_table *t, struct bytes leaf, size_t n, struct bytes *row)
{
    return n < ost_table_rows_in(t, leaf.size) &&
           bytes_slice(leaf, n * t->row_size, t->row_size, row);
}
