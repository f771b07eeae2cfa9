/*
 * reader.c: see reader.h: the image, its folders, and what all objects share. Items: items.c.
 */
#include "scanner/ref/reader.h"

#include <stdlib.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/codepage.h"
#include "scanner/sample.h"

enum {
    PROP_MESSAGE_CODEPAGE = 0x3FFD,
    PROP_INTERNET_CODEPAGE = 0x3FDE,
    PROP_STORE_CODEPAGE = 0x66C3,
    PROP_MESSAGE_LOCALE = 0x3FF1,
    PROP_MESSAGE_CLASS = 0x001A,
    PROP_RECEIVE_FOLDER = 0x6605,
    PROP_RECIPIENT_TYPE = 0x0C15,
    PROP_MAP_GUIDS = 0x0002,
    PROP_MAP_ENTRIES = 0x0003,
    PROP_MAP_STRINGS = 0x0004,
    CODEPAGE_DEFAULT = 1252,
};

static uint32_t number(const struct reader *r, uint16_t id)
{
    uint32_t value;

    return entries_i32(&r->entries, id, &value) ? value : 0;
}

uint32_t reader_codepage(const struct reader *r)
{
    uint32_t message = number(r, PROP_MESSAGE_CODEPAGE), page;

    page = ost_codepage(message ? message : number(r, PROP_STORE_CODEPAGE),
                        number(r, PROP_INTERNET_CODEPAGE), number(r, PROP_MESSAGE_LOCALE));
    return page ? page : r->codepage;
}

int reader_send_entries(struct reader *r, bool cells, uint16_t skip, bool *damaged)
{
    for (size_t i = 0; i < r->entries.count; i++) {
        const struct entry *entry = &r->entries.list[i];
        struct ost_prop prop = {
            .id = entry->id, .type = entry->type, .name = names_find(&r->names, entry->id)};
        int code = skip && entry->id == skip ? 0 : entry_value(entry, &r->value, &prop.value);

        if (code == ERR_NOMEM)
            return code;
        if (code)
            *damaged = true;
        if (code || (skip && entry->id == skip) ||
            (cells && entry->id != PROP_RECIPIENT_TYPE && value_is_zero(prop.value)))
            continue;
        wire_prop(r->wire, WIRE_PROP, &prop);
    }
    return 0;
}

static void report(struct reader *r, enum finding_code code, uint32_t nid, uint32_t folder,
                   const char *why)
{
    struct finding finding = finding_of(code);

    finding.has_nid = true;
    finding.nid = nid;
    finding.folders = &folder;
    finding.folder_count = folder != 0;
    finding.detail = why;
    wire_finding(r->wire, &finding);
}

/* The streams of node 0x61; whatever is missing stays empty. */
static int load_names(struct reader *r)
{
    static const uint16_t ids[3] = {PROP_MAP_GUIDS, PROP_MAP_ENTRIES, PROP_MAP_STRINGS};
    struct tree_node *node = tree_find(&r->tree, NID_NAMES);
    struct buf bufs[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
    struct bytes streams[3] = {{0}};
    char why[WIRE_TEXT_MAX + 1];
    int code;

    if (!node)
        return 0;
    code = entries_load_object(&r->entries, node->item, why);
    for (int i = 0; i < 3 && !code; i++) {
        const struct entry *entry = entries_find(&r->entries, ids[i]);

        if (entry)
            code = entry_value(entry, &bufs[i], &streams[i]);
    }
    if (!code)
        code = names_init(&r->names, streams[0], streams[1], streams[2]);
    for (int i = 0; i < 3; i++)
        buf_done(&bufs[i]);
    tree_release(node);
    if (code == ERR_DAMAGED) {
        report(r, F_property_failed, NID_NAMES, 0, why);
        code = 0;
    }
    return code;
}

int reader_init(struct reader *r, struct wire *wire, libpff_file_t *file)
{
    int code;

    *r = (struct reader){.wire = wire, .codepage = CODEPAGE_DEFAULT};
    code = tree_load(&r->tree, file);
    if (!code)
        code = load_names(r);
    if (code)
        reader_done(r);
    return code;
}

void reader_done(struct reader *r)
{
    entries_done(&r->entries);
    buf_done(&r->value);
    rows_done(&r->rows);
    names_done(&r->names);
    tree_done(&r->tree);
}

bool reader_wants(const struct reader *r, uint32_t nid)
{
    return nid_is_message(nid) && sample_has(nid, r->percent);
}

static uint64_t count_wanted(const struct reader *r)
{
    uint64_t count = 0;

    for (size_t i = 0; i < r->tree.count; i++)
        count += reader_wants(r, r->tree.nodes[i].nid);
    return count;
}

/* The folder that the receive folder table names for the empty message class, or 0. */
static uint32_t receive_folder(struct reader *r)
{
    struct tree_node *node = tree_find(&r->tree, NID_RECEIVE_FOLDERS);
    char why[WIRE_TEXT_MAX + 1];
    uint32_t folder = 0;
    int sets = node ? entries_sets(node->item, why) : 0;

    for (int i = 0; i < sets && !folder; i++) {
        const struct entry *class;
        struct bytes text;

        if (entries_load(&r->entries, node->item, i, why))
            break;
        class = entries_find(&r->entries, PROP_MESSAGE_CLASS);
        if (class && !entry_value(class, &r->value, &text) && !text.size)
            folder = number(r, PROP_RECEIVE_FOLDER);
    }
    if (node)
        tree_release(node);
    return folder;
}

int reader_send_image(struct reader *r)
{
    struct tree_node *node = tree_find(&r->tree, NID_STORE);
    char why[WIRE_TEXT_MAX + 1] = "there is no message store";
    uint32_t inbox = receive_folder(r);
    bool damaged = false;
    int code = ERR_DAMAGED;

    r->entries.count = 0;
    if (node)
        code = entries_load_object(&r->entries, node->item, why);
    if (code == ERR_DAMAGED)
        report(r, F_property_failed, NID_STORE, 0, why);
    else if (code)
        return code;
    r->codepage = reader_codepage(r);
    wire_image(r->wire, r->tree.count, count_wanted(r), r->codepage, inbox);
    code = reader_send_entries(r, false, 0, &damaged);
    wire_end(r->wire, true);
    if (damaged)
        report(r, F_property_failed, NID_STORE, 0, NULL);
    if (node)
        tree_release(node);
    return code;
}

/* Folders */

static int compare_folders(const void *a, const void *b)
{
    const struct tree_node *x = *(struct tree_node *const *)a, *y = *(struct tree_node *const *)b;

    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return (x->nid > y->nid) - (x->nid < y->nid);
}

/* Reads a table of the folder; true, with the number of rows, when that was possible. */
static int read_table(struct reader *r, uint32_t folder, enum nid_type type, bool *readable,
                      uint64_t *rows)
{
    uint32_t nid = (folder & ~0x1FU) | type;
    char why[WIRE_TEXT_MAX + 1];
    int code = rows_read(&r->rows, &r->tree, nid, folder, rows, why);

    for (size_t i = 0; i + 4 <= r->rows.missing.size; i += 4)
        report(r, F_item_failed, le32(r->rows.missing.data + i), folder,
               "its folder lists it, but libpff finds no such node");
    *readable = !code;
    if (code == ERR_DAMAGED)
        report(r, F_table_failed, nid, folder, why);
    return code == ERR_NOMEM ? code : 0;
}

static uint32_t parent_of(const struct reader *r, const struct tree_node *node)
{
    if (node->nid == r->tree.root)
        return node->nid;
    return nid_is_folder(node->parent) ? node->parent : 0;
}

static int send_folder(struct reader *r, struct tree_node *node, uint64_t items, uint64_t assoc)
{
    struct ost_folder folder = {
        .nid = node->nid, .parent = parent_of(r, node), .items = items, .assoc = assoc};
    char why[WIRE_TEXT_MAX + 1];
    bool damaged = false;
    int code = read_table(r, node->nid, NID_CONTENTS, &node->has_rows, &folder.rows);

    if (!code)
        code =
            read_table(r, node->nid, NID_ASSOC_CONTENTS, &node->has_assoc_rows, &folder.assoc_rows);
    if (!code)
        code = entries_load_object(&r->entries, node->item, why);
    if (code == ERR_DAMAGED)
        report(r, F_folder_failed, node->nid, node->nid, why);
    else if (code)
        return code;
    folder.has_rows = node->has_rows;
    folder.has_assoc_rows = node->has_assoc_rows;
    folder.codepage = reader_codepage(r);
    wire_folder(r->wire, &folder);
    code = reader_send_entries(r, false, 0, &damaged);
    wire_end(r->wire, true);
    if (damaged)
        report(r, F_property_failed, node->nid, node->nid, NULL);
    tree_release(node);
    return code;
}

struct counts {
    uint64_t items, assoc;
};

/* How many messages hang below each node, by its place in the tree. */
static void count_items(const struct tree *tree, struct counts *counts)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_node *node = &tree->nodes[i];
        const struct tree_node *parent =
            nid_is_message(node->nid) ? tree_find(tree, node->parent) : NULL;

        if (parent && (node->nid & 0x1F) == NID_MESSAGE)
            counts[parent - tree->nodes].items++;
        else if (parent)
            counts[parent - tree->nodes].assoc++;
    }
}

int reader_send_folders(struct reader *r)
{
    struct tree_node **folders = mem_alloc_array(r->tree.count, sizeof *folders);
    struct counts *counts = mem_zalloc(r->tree.count * sizeof *counts);
    size_t count = 0;
    int code = folders && counts ? 0 : ERR_NOMEM;

    if (code)
        goto out;
    for (size_t i = 0; i < r->tree.count; i++)
        if (nid_is_folder(r->tree.nodes[i].nid))
            folders[count++] = &r->tree.nodes[i];
    qsort(folders, count, sizeof *folders, compare_folders);
    count_items(&r->tree, counts);
    for (size_t i = 0; i < count && !code; i++) {
        const struct counts *c = &counts[folders[i] - r->tree.nodes];

        code = send_folder(r, folders[i], c->items, c->assoc);
    }
out:
    mem_free(counts);
    mem_free(folders);
    return code;
}
