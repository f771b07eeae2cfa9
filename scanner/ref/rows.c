/*
 * rows.c: see rows.h. libpff ignores the bitmap of cells that exist, and hands an absent one out as
 * zero bytes (measured: in every row of the real images absent cells are zero). Hence a value that
 * is empty or all zero counts as absent here: none of the three properties is ever truly zero.
 *
 * It also leaves out, without a word, the nodes of a node B-tree page that it cannot read. A table
 * that lists a message without a node is the trace of that.
 */
#include "scanner/ref/rows.h"

#include "io/err.h"
#include "scanner/ost/item.h"

enum { ROW_ID = 0x67F2, ROW_HEAD = 8, ROW_VALUE_MAX = 64 * 1024 };

static const uint16_t kept[] = {0x3008, 0x65E2, 0x65E3};

void rows_done(struct rows *r)
{
    buf_done(&r->data);
    buf_done(&r->missing);
    buf_done(&r->value);
    entries_done(&r->entries);
}

static int keep(struct rows *r, const struct entry *entry)
{
    uint8_t head[ROW_HEAD];
    struct bytes value;
    int code = entry_value(entry, &r->value, &value);

    if (code == ERR_NOMEM)
        return code;
    if (code || value_is_zero(value) || value.size > ROW_VALUE_MAX)
        return 0;
    put_le16(head, entry->id);
    put_le16(head + 2, entry->type);
    put_le32(head + 4, (uint32_t)value.size);
    buf_append(&r->data, head, sizeof head);
    buf_append(&r->data, value.data, value.size);
    return r->data.failed ? ERR_NOMEM : 0;
}

static int note_row(struct rows *r, struct tree *tree, uint32_t message, uint32_t folder)
{
    struct tree_node *node = tree_find(tree, message);
    uint8_t nid[4];
    int code = 0;

    if (!node && nid_is_message(message)) {
        put_le32(nid, message);
        buf_append(&r->missing, nid, sizeof nid);
        return r->missing.failed ? ERR_NOMEM : 0;
    }
    if (!node || node->listed || node->parent != folder || !nid_is_message(message))
        return 0;
    node->listed = true;
    node->row_at = r->data.size;
    for (size_t i = 0; i < sizeof kept / sizeof *kept && !code; i++) {
        const struct entry *entry = entries_find(&r->entries, kept[i]);

        if (entry)
            code = keep(r, entry);
    }
    node->row_size = (uint32_t)(r->data.size - node->row_at);
    return code;
}

int rows_read(struct rows *r, struct tree *tree, uint32_t nid, uint32_t folder, uint64_t *count,
              char *why)
{
    struct tree_node *table = tree_find(tree, nid);
    uint64_t rows = 0;
    uint32_t message;
    int sets, code = 0;

    buf_reset(&r->missing);
    if (!table || !table->item)
        return ERR_NOENT;
    sets = entries_sets(table->item, why);
    if (sets < 0)
        code = ERR_DAMAGED;
    for (int i = 0; i < sets && !code; i++) {
        code = entries_load(&r->entries, table->item, i, why);
        if (!code && entries_i32(&r->entries, ROW_ID, &message) && message) {
            rows++;
            code = note_row(r, tree, message, folder);
        }
    }
    tree_release(table);
    if (!code)
        *count = rows;
    return code;
}

bool rows_next(const struct rows *r, const struct tree_node *node, size_t *at, uint16_t *id,
               uint16_t *type, struct bytes *value)
{
    const uint8_t *data = r->data.data + node->row_at + *at;

    if (*at >= node->row_size)
        return false;
    *id = le16(data);
    *type = le16(data + 2);
    *value = (struct bytes){data + ROW_HEAD, le32(data + 4)};
    *at += ROW_HEAD + value->size;
    return true;
}
