/*
 * native_hierarchy.c: the tables that list each folder's folders, held against the nodes. See
 * native_run.h.
 *
 * The tree that is handed out is that of the nodes' parents; other programs find folders through
 * these tables. Both agree in every sound file, search folders included (FORMAT.md section 11), so
 * a folder that only one of them knows is told.
 */
#include "io/err.h"
#include "scanner/native_run.h"
#include "scanner/ost/props.h"

/* Bits of native_run.hierarchy. */
enum { LISTED = 1, READ = 2 };

static size_t place_of(const struct native_run *n, uint32_t nid)
{
    const struct ost_folder *folder = native_find_folder(n, nid);

    return folder ? (size_t)(folder - n->folders) : SIZE_MAX;
}

/* A row that names no folder of this one; the first few are told. */
static void tell_row(struct native_run *n, uint32_t nid)
{
    if (n->reading.told++ < OST_LIMIT_DAMAGE)
        ost_reading_find(&n->reading, F_hierarchy_differs, nid);
}

static void read_rows(struct native_run *n, const struct ost_small_table *table, uint32_t parent)
{
    struct bytes row;

    for (size_t leaf = 0, i = 0; ost_small_table_next(table, &leaf, &i, &row);) {
        uint32_t nid = ost_table_row_id(&table->table, row);
        size_t place = nid ? place_of(n, nid) : SIZE_MAX;

        if (nid == 0)
            continue;
        if (place == SIZE_MAX || ost_plan_node(&n->plan, nid)->parent != parent)
            tell_row(n, nid);
        else
            n->hierarchy[place] |= LISTED;
    }
}

int native_hierarchy_read(struct native_run *n, size_t place)
{
    const struct ost_folder *folder = &n->folders[place];
    const struct ost_node *node = native_begin_table(n, folder, OST_NID_HIERARCHY);
    struct ost_small_table table;
    int rc = 0, ended;

    if (node) {
        struct ost_subnode roots = {node->nid, node->data, node->sub};

        rc = ost_small_table_open(&n->reading, roots, &table);
        if (!rc)
            read_rows(n, &table, folder->nid);
        if (!rc && !table.lost && !n->reading.damages.count)
            n->hierarchy[place] |= READ;
        if (rc == ERR_DAMAGED || rc == ERR_LIMIT || (!rc && table.lost)) {
            ost_reading_damage(&n->reading, F_table_failed, "its rows are folders");
            rc = 0;
        }
    }
    ended = native_end_object(n);
    return rc ? rc : ended;
}

int native_hierarchy_compare(struct native_run *n)
{
    int rc = 0;

    for (size_t i = 0; i < n->folder_count && !rc; i++) {
        const struct ost_node *node = ost_plan_node(&n->plan, n->folders[i].nid);
        size_t parent = node->parent == node->nid ? SIZE_MAX : place_of(n, node->parent);

        /* What a page that fails its checksum says of a parent proves nothing. */
        if (parent != SIZE_MAX && n->hierarchy[parent] & READ && !(n->hierarchy[i] & LISTED) &&
            !(node->flags & OST_ENTRY_SUSPECT))
            rc = native_find(n, F_hierarchy_differs, node->nid, node->parent, "it is not listed");
    }
    return rc;
}
