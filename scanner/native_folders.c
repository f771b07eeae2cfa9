/*
 * native_folders.c: the folders of a run and their contents tables. See native_run.h.
 *
 * Roles need the properties of all folders, so these are kept until the last is read.
 */
#include "io/err.h"
#include "io/mem.h"
#include "scanner/native_run.h"
#include "scanner/ost/block.h"
#include "scanner/ost/datatree.h"
#include "scanner/ost/reach.h"
#include "scanner/ost/props.h"
#include "scanner/ost/roles.h"
#include "io/sort.h"

const struct ost_node *native_begin_table(struct native_run *n, const struct ost_folder *folder,
                                          enum ost_nid_type type)
{
    uint32_t nid = (folder->nid & ~(uint32_t)OST_NID_TYPE_MASK) | type;
    const struct ost_node *node = ost_plan_node(&n->plan, nid);

    ost_reading_begin(&n->reading, nid, folder->nid, false);
    /* Search folders keep theirs elsewhere, and not all of them have one. */
    if (!node && ost_nid_type(folder->nid) == OST_NID_FOLDER)
        ost_reading_damage(&n->reading, F_table_failed, "it is missing");
    return node;
}

/* ---- what a table will ask for ---- */

static const struct ost_block *expect_find(void *ctx, uint64_t bid)
{
    struct native_run *n = ctx;
    const struct ost_block *block = n->reading.blocks->find(n->reading.blocks->ctx, bid);

    if (block && n->ahead)
        native_ahead_expect(n->ahead, NATIVE_AHEAD_TABLE, block);
    else if (block)
        io_source_hint(n->source, IO_HINT_WILLNEED, block->offset,
                       ost_block_extent(n->variant, block->stored));
    return block;
}

static int expect_get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    const struct ost_blocks *blocks = ((struct native_run *)ctx)->reading.blocks;

    return blocks->get(blocks->ctx, block, decoded);
}

static void expect_put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    const struct ost_blocks *blocks = ((struct native_run *)ctx)->reading.blocks;

    blocks->put(blocks->ctx, block, decoded);
}

/* The first block of a table's heap says what its columns are. */
static int expect_first(struct native_run *n, const struct ost_blocks *view, uint64_t data)
{
    struct ost_datatree tree;
    struct ost_leaf leaf;
    int rc;

    ost_datatree_init(&tree, n->variant, view, data);
    rc = ost_datatree_next(&tree, &leaf);
    ost_datatree_done(&tree);
    return rc > 0 || rc == ERR_DAMAGED || rc == ERR_LIMIT ? 0 : rc;
}

/* Tells of the blocks of a table, which come one by one and lie anywhere: then the matrix of its
 * rows is gone through, which lies in subnodes, and then the heap. */
static int expect_table(struct native_run *n, const struct ost_node *node)
{
    const struct ost_blocks view = {
        .ctx = n, .find = expect_find, .get = expect_get, .put = expect_put};
    uint64_t charged = ost_sourceblocks_charged(n->blocks), reach;
    int rc;

    if (!ost_bid_internal(node->data) && !node->sub)
        return 0;
    n->reading.quiet = true;
    rc = expect_first(n, &view, node->data);
    if (!rc)
        rc = ost_reach(n->variant, &view, 0, node->sub, &reach);
    if (!rc)
        rc = ost_reach(n->variant, &view, node->data, 0, &reach);
    n->reading.quiet = false;
    ost_sourceblocks_refund(n->blocks, ost_sourceblocks_charged(n->blocks) - charged);
    return rc;
}

/* Reads a contents table; *readable: all of it. */
static int read_rows(struct native_run *n, const struct ost_folder *folder, enum ost_nid_type type,
                     bool *readable, uint64_t *count)
{
    const struct ost_node *node = native_begin_table(n, folder, type);
    struct ost_subnode roots;
    bool lost = false;
    int rc, ended;

    *readable = false;
    if (!node)
        return native_end_object(n);
    roots = (struct ost_subnode){node->nid, node->data, node->sub};
    rc = expect_table(n, node);
    if (!rc)
        rc = ost_rows_load(n->rows, &n->reading, roots, folder->nid, count, &lost);
    if (rc == ERR_DAMAGED || rc == ERR_LIMIT) {
        ost_reading_damage(&n->reading, F_table_failed, NULL);
        lost = true;
        rc = 0;
    }
    *readable = !rc && !lost;
    if (n->ahead)
        native_ahead_forget(n->ahead, NATIVE_AHEAD_TABLE);
    ended = native_end_object(n);
    return rc ? rc : ended;
}

static int read_props(struct native_run *n, struct ost_folder *folder)
{
    const struct ost_node *node = ost_plan_node(&n->plan, folder->nid);
    struct ost_subnode roots = {folder->nid, node->data, node->sub};
    struct ost_object object = {0};
    int rc, ended;

    ost_reading_begin(&n->reading, folder->nid, folder->nid, false);
    rc = ost_object_read(&n->reading, &n->names, roots, 0, &object);
    if (!rc)
        rc = ost_props_copy(&n->keep, object.props, &folder->props);
    if (rc == ERR_DAMAGED || rc == ERR_LIMIT) {
        ost_reading_damage(&n->reading, F_folder_failed, NULL);
        rc = 0;
    }
    folder->codepage = ost_props_codepage(folder->props, n->image.codepage);
    ended = native_end_object(n);
    return rc ? rc : ended;
}

static int read_folder(struct native_run *n, struct ost_folder *folder)
{
    int rc = read_props(n, folder);

    if (!rc)
        rc = read_rows(n, folder, OST_NID_CONTENTS, &folder->has_rows, &folder->rows);
    if (!rc)
        rc = read_rows(n, folder, OST_NID_ASSOC_CONTENTS, &folder->has_assoc_rows,
                       &folder->assoc_rows);
    /* What a page that fails its checksum says of a parent proves nothing. */
    if (!rc && folder->parent == 0 &&
        !(ost_plan_node(&n->plan, folder->nid)->flags & OST_ENTRY_SUSPECT))
        rc = native_find(n, F_node_parent_missing, folder->nid, folder->nid, NULL);
    return rc;
}

void native_expect_node(struct native_run *n, uint32_t nid)
{
    const struct ost_node *node = n->ahead ? ost_plan_node(&n->plan, nid) : NULL;
    const struct ost_blocks *blocks = n->reading.blocks;

    if (!node)
        return;
    native_ahead_expect(n->ahead, NATIVE_AHEAD_FOLDERS, blocks->find(blocks->ctx, node->data));
    if (node->sub)
        native_ahead_expect(n->ahead, NATIVE_AHEAD_FOLDERS, blocks->find(blocks->ctx, node->sub));
}

/* Their nodes and those of their tables, in the order in which they are read. */
static void expect_folders(struct native_run *n)
{
    static const enum ost_nid_type tables[] = {OST_NID_CONTENTS, OST_NID_ASSOC_CONTENTS,
                                               OST_NID_HIERARCHY};

    for (size_t i = 0; i < n->folder_count; i++) {
        uint32_t nid = n->folders[i].nid;

        native_expect_node(n, nid);
        for (unsigned k = 0; k < sizeof tables / sizeof *tables; k++)
            native_expect_node(n, (nid & ~(uint32_t)OST_NID_TYPE_MASK) | tables[k]);
    }
}

/* Sorted by folders[place].nid; io_sort has no context, so nid and place are sorted together. */
struct by_nid {
    uint32_t nid, place;
};

static int compare(const void *a, const void *b)
{
    const struct by_nid *x = a, *y = b;

    return (x->nid > y->nid) - (x->nid < y->nid);
}

static int index_folders(struct native_run *n)
{
    struct by_nid *list = mem_alloc_array(n->folder_count + 1, sizeof *list);

    n->folders_by_nid = mem_alloc_array(n->folder_count + 1, sizeof *n->folders_by_nid);
    n->hierarchy = mem_zalloc(n->folder_count + 1);
    if (list && n->folders_by_nid && n->hierarchy) {
        for (size_t i = 0; i < n->folder_count; i++)
            list[i] = (struct by_nid){n->folders[i].nid, (uint32_t)i};
        io_sort(list, n->folder_count, sizeof *list, compare);
        for (size_t i = 0; i < n->folder_count; i++)
            n->folders_by_nid[i] = list[i].place;
    }
    mem_free(list);
    return list && n->folders_by_nid && n->hierarchy ? 0 : ERR_NOMEM;
}

const struct ost_folder *native_find_folder(const struct native_run *n, uint32_t nid)
{
    size_t low = 0, high = n->folder_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (n->folders[n->folders_by_nid[middle]].nid < nid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n->folder_count || n->folders[n->folders_by_nid[low]].nid != nid)
        return NULL;
    return &n->folders[n->folders_by_nid[low]];
}

int native_folders(struct native_run *n)
{
    int rc = ost_folders_list(&n->plan, &n->keep, &n->folders, &n->folder_count);

    if (!rc)
        rc = index_folders(n);
    if (!rc)
        expect_folders(n);
    for (size_t i = 0; i < n->folder_count && !rc; i++) {
        rc = native_cancelled(n) ? ERR_CANCELLED : read_folder(n, &n->folders[i]);
        if (!rc)
            rc = native_hierarchy_read(n, i);
    }
    if (!rc)
        rc = native_hierarchy_compare(n);
    if (rc)
        return rc;
    rc = ost_rows_seal(n->rows);
    if (rc)
        return rc;
    ost_roles_assign(&n->image, n->receive_folder, n->folders, n->folder_count);
    for (size_t i = 0; i < n->folder_count && !rc; i++)
        rc = engine_tell_folder(n->sink, &n->folders[i]);
    return rc;
}
