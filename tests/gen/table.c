#include "tests/gen/table.h"

#include <assert.h>
#include <string.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"

/*
 *   heap item 1   header of the row index (BTH: row id -> row number)
 *   heap item 2   TCINFO and the column descriptions
 *   then cells as rows come, at last the row index's leaves
 *   rows          in one heap item while they fit one, else a data tree under subnode 3F, no row
 *                 across a block's end, all blocks but the last of full size
 *   4k OST        cells of ConversationId and SentRepresentingName are HIDs of side heaps, the
 *                 subnodes 521 and 541 of the table
 */

enum { NID_ROWS = 0x3F, NID_CONVERSATIONS = 0x521, NID_SENDERS = 0x541 };
enum { TAG_CONVERSATION = 0x30130102, TAG_SENDER = 0x0042001F };

static uint8_t cell_size(uint32_t tag)
{
    uint32_t fixed = prop_fixed_size((uint16_t)tag);
    return (uint8_t)(fixed > 0 ? fixed : 4);
}

void table_columns_init(struct table_columns *c, const uint32_t *tags, size_t count, bool wide)
{
    assert(count <= TABLE_COLUMNS && tags[0] == TABLE_ROW_ID && tags[1] == TABLE_ROW_VERSION);
    uint16_t at = 0;
    c->count = count;
    for (int group = 0; group < 3; group++) {
        for (size_t i = 0; i < count; i++) {
            uint8_t size = cell_size(tags[i]);
            if ((size >= 4 ? 0 : size == 2 ? 1 : 2) != group)
                continue;
            c->tags[i] = tags[i];
            if (!wide && (tags[i] & 0xFFF) == T_TEXT)
                c->tags[i]--;
            c->sizes[i] = size;
            c->offsets[i] = at;
            at = (uint16_t)(at + size);
        }
        c->ends[group] = at;
    }
    c->ends[3] = (uint16_t)(at + (count + 7) / 8);
}

static bool growing(struct table *t, size_t bytes)
{
    if (bytes <= t->rows_capacity)
        return true;
    size_t wanted = t->rows_capacity * 2 > bytes ? t->rows_capacity * 2 : bytes + 1024;
    uint8_t *grown = mem_realloc(t->rows, wanted);
    if (grown == NULL) {
        image_fail(t->ltp->img, ERR_NOMEM);
        return false;
    }
    t->rows = grown;
    t->rows_capacity = wanted;
    return true;
}

void table_begin(struct table *t, struct ltp *ltp, const struct table_columns *columns,
                 bool side_heaps)
{
    *t = (struct table){.ltp = ltp, .columns = columns, .side_heaps = side_heaps, .version = 1};
    assert(columns->ends[3] <= sizeof t->row);
    heap_init(&t->heap, ltp->img);
    data_tree_init(&t->matrix, ltp->img);
    heap_begin(&t->heap, HEAP_TABLE);
    heap_alloc(&t->heap, 8, &t->header);
    heap_alloc(&t->heap, (uint32_t)(22 + 8 * columns->count), &t->info);
    for (int i = 0; i < 2 && side_heaps; i++) {
        heap_init(&t->side[i], ltp->img);
        heap_begin(&t->side[i], HEAP_SIDE);
    }
}

void table_done(struct table *t)
{
    heap_done(&t->heap);
    for (int i = 0; i < 2 && t->side_heaps; i++)
        heap_done(&t->side[i]);
    data_tree_done(&t->matrix);
    mem_free(t->rows);
    mem_free(t->ids);
    subnodes_done(&t->subs);
    *t = (struct table){0};
}

static void set_bit(struct table *t, size_t column)
{
    t->row[t->columns->ends[2] + column / 8] |= (uint8_t)(0x80 >> (column % 8));
}

void table_row(struct table *t, uint32_t id)
{
    uint32_t *grown =
        image_grow(t->ltp->img, t->ids, &t->id_capacity, t->row_count + 1, sizeof *t->ids);
    if (grown == NULL)
        return;
    t->ids = grown;
    assert(t->row_count == 0 || id >= t->ids[t->row_count - 1]); /* equal: damage */
    t->ids[t->row_count] = id;
    memset(t->row, 0, t->columns->ends[3]);
    put_le32(t->row, id);
    put_le32(t->row + 4, t->version++);
    set_bit(t, 0);
    set_bit(t, 1);
}

static struct heap *heap_of_column(struct table *t, uint32_t tag)
{
    if (t->side_heaps && tag == TAG_CONVERSATION)
        return &t->side[0];
    if (t->side_heaps && tag == TAG_SENDER)
        return &t->side[1];
    return &t->heap;
}

void table_cell(struct table *t, size_t column, const struct prop *p, uint32_t codepage)
{
    const struct table_columns *c = t->columns;
    uint8_t *cell = t->row + c->offsets[column];
    size_t size;
    if (image_error(t->ltp->img) != 0)
        return;
    const uint8_t *value = ltp_value(t->ltp, p, codepage, &size);
    if (image_error(t->ltp->img) != 0)
        return;
    set_bit(t, column);
    if (prop_fixed_size((uint16_t)c->tags[column]) > 0) {
        memcpy(cell, value, c->sizes[column]);
        return;
    }
    uint32_t hnid = 0;
    if (size > t->ltp->img->variant->value_max) {
        hnid = image_nid(t->ltp->img, 0x1F);
        subnodes_add(t->ltp->img, &t->subs, hnid, data_write(t->ltp->img, value, size), 0);
    } else if (size > 0) {
        hnid = heap_add(heap_of_column(t, c->tags[column]), value, (uint32_t)size);
    }
    put_le32(cell, hnid);
}

void table_fixed(struct table *t, uint32_t tag, uint64_t value)
{
    for (size_t i = 0; i < t->columns->count; i++) {
        if (t->columns->tags[i] == tag) {
            struct prop p = {.type = (uint16_t)tag, .fixed = value};
            table_cell(t, i, &p, 0);
        }
    }
}

/* A block of rows: full size unless it is the last. */
static void flush_rows(struct table *t, bool last)
{
    uint32_t max = t->ltp->img->variant->block_max;
    size_t size = last ? t->rows_size : max;
    if (!growing(t, size))
        return;
    memset(t->rows + t->rows_size, 0, size - t->rows_size);
    data_tree_add(&t->matrix, image_put_data(t->ltp->img, t->rows, size), size);
    t->rows_size = 0;
    t->in_tree = true;
}

void table_row_end(struct table *t)
{
    size_t size = t->columns->ends[3];
    if (image_error(t->ltp->img) != 0)
        return;
    if (t->rows_size + size > t->ltp->img->variant->block_max)
        flush_rows(t, false);
    if (!growing(t, t->rows_size + size))
        return;
    memcpy(t->rows + t->rows_size, t->row, size);
    t->rows_size += size;
    t->row_count++;
}

static void fill_index(struct table *t)
{
    uint8_t width = (uint8_t)t->ltp->img->variant->row_index_width;
    size_t record = 4u + width;
    uint8_t *records = mem_alloc_array(t->row_count + 1, record);
    if (records == NULL) {
        image_fail(t->ltp->img, ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < t->row_count; i++) {
        put_le32(records + i * record, t->ids[i]);
        if (width == 2)
            put_le16(records + i * record + 4, (uint16_t)i);
        else
            put_le32(records + i * record + 4, (uint32_t)i);
    }
    bth_fill(&t->heap, t->header, (struct bth_shape){4, width}, records, t->row_count);
    mem_free(records);
}

/* Column descriptions ascend by tag; the columns stand in the order of their bits. */
static void fill_info(struct table *t, uint32_t rows)
{
    const struct table_columns *c = t->columns;
    if (image_error(t->ltp->img) != 0)
        return;
    uint8_t *p = heap_patch(&t->heap, t->info);
    p[0] = HEAP_TABLE;
    p[1] = (uint8_t)c->count;
    for (int i = 0; i < 4; i++)
        put_le16(p + 2 + 2 * i, c->ends[i]);
    put_le32(p + 10, t->header);
    put_le32(p + 14, rows);
    put_le32(p + 18, 0);
    for (size_t i = 0; i < c->count; i++) {
        size_t rank = 0;
        for (size_t k = 0; k < c->count; k++)
            rank += c->tags[k] < c->tags[i];
        uint8_t *d = p + 22 + 8 * rank;
        put_le32(d, c->tags[i]);
        put_le16(d + 4, c->offsets[i]);
        d[6] = c->sizes[i];
        d[7] = (uint8_t)i;
    }
}

void table_finish(struct table *t, uint64_t *data, uint64_t *sub)
{
    struct image *img = t->ltp->img;
    uint32_t rows = 0;
    if (t->in_tree || t->rows_size > img->variant->heap_item_max) {
        flush_rows(t, true);
        rows = NID_ROWS;
        subnodes_add(img, &t->subs, NID_ROWS, data_tree_finish(&t->matrix), 0);
    } else if (t->row_count > 0) {
        rows = heap_add(&t->heap, t->rows, (uint32_t)t->rows_size);
    }
    fill_index(t);
    fill_info(t, rows);
    for (int i = 0; i < 2 && t->side_heaps; i++)
        subnodes_add(img, &t->subs, i == 0 ? NID_CONVERSATIONS : NID_SENDERS,
                     heap_finish(&t->side[i], 0), 0);
    *data = heap_finish(&t->heap, t->header == 0 ? 0 : t->info);
    *sub = subnodes_write(img, &t->subs);
}
