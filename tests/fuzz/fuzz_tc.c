/*
 * fuzz_tc.c: all cells of the rows of a table. Input: leaves.h; the rows are an item of the heap,
 * or, where they are to be a subnode, the last leaf.
 */
#include <assert.h>
#include <string.h>

#include "scanner/ost/tc.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/leaves.h"

static void read_rows(const struct ost_table *t, struct bytes rows)
{
    struct bytes row, cell, value;

    for (size_t n = 0; n < 100 && ost_table_row(t, rows, n, &row); n++) {
        assert(row.data >= rows.data && row.data + row.size <= rows.data + rows.size);
        for (unsigned i = 0; i < t->column_count; i++) {
            const struct ost_column *c = &t->columns[i];

            if (!ost_table_cell(t, c, row, &cell))
                continue;
            assert(cell.size == c->size && cell.data >= row.data);
            assert(cell.data + cell.size <= row.data + t->bitmap_offset);
            if (ost_table_is_reference(c) && cell.size >= 4)
                fuzz_use((uint64_t)ost_heap_item(t->heap, le32(cell.data), &value));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ost_heap heap;
    struct ost_table table;
    struct leaves l;
    struct bytes rows;

    leaves_cut(&l, data, size);
    if (ost_heap_open(l.format, ost_leaves_in_memory(l.list, l.count), &heap) == 0 &&
        ost_table_open(&heap, &table) == 0) {
        assert(table.column_count <= OST_LIMIT_COLUMNS && table.row_size > 0);
        if (ost_heap_item(&heap, table.rows_hnid, &rows))
            rows = l.list[l.count - 1];
        read_rows(&table, rows);
        fuzz_use((uintptr_t)ost_table_column(&table, OST_TC_ROW_ID, OST_I32));
    }
    leaves_done(&l);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static const struct forge_column columns[] = {
        {0x3001, OST_UNICODE, 4, 4, 1}, {0x0E17, OST_I16, 8, 2, 2}, {0x67F2, OST_I32, 0, 4, 0}};
    struct forge_heap *h;
    uint8_t rows[2 * 11] = {0};
    uint32_t hid;

    if (seed % 16 || max < 400)
        return LLVMFuzzerMutate(data, size, max);
    h = forge_heap_new(forge_formats[seed / 16 % 3], OST_HEAP_TABLE);
    for (unsigned i = 0; i < 2; i++) {
        forge_cell(rows + 11 * i, &columns[0], 10, forge_heap_add(h, "n\0", 2));
        forge_cell(rows + 11 * i, &columns[2], 10, 0x24 + i);
    }
    hid = forge_heap_add(h, rows, sizeof rows);
    forge_heap_finish(h, forge_tcinfo(h, columns, 3, 10, 11, seed % 32 ? hid : 0x3F));
    return leaves_put(h, data, max, 400);
}
