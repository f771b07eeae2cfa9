/*
 * tree.c: see tree.h. The tree is walked breadth first with the list of nodes as its own queue: no
 * recursion, and a node's depth is never less than its parent's. libpff puts nodes without a parent
 * (tables, the store) and the root folder directly below its nameless root. Orphans are nodes whose
 * parent is missing and whatever hangs below those; libpff lists them flat, some twice.
 */
#include "scanner/ref/tree.h"

#include <stdlib.h>

#include "io/err.h"
#include "io/mem.h"

bool nid_is_folder(uint32_t nid)
{
    return (nid & 0x1F) == NID_FOLDER || (nid & 0x1F) == NID_SEARCH_FOLDER;
}

bool nid_is_message(uint32_t nid)
{
    return (nid & 0x1F) == NID_MESSAGE || (nid & 0x1F) == NID_ASSOC_MESSAGE;
}

static bool wanted(uint32_t nid)
{
    return nid_is_folder(nid) || nid_is_message(nid) || nid == NID_STORE || nid == NID_NAMES ||
           nid == NID_RECEIVE_FOLDERS || (nid & 0x1F) == NID_CONTENTS ||
           (nid & 0x1F) == NID_ASSOC_CONTENTS;
}

/* Takes the item over, also on failure. */
static int add(struct tree *t, libpff_item_t *item, uint32_t parent, uint32_t depth)
{
    struct tree_node node = {.parent = parent, .depth = depth, .item = item};

    if (libpff_item_get_identifier(item, &node.nid, NULL) != 1) {
        libpff_item_free(&item, NULL);
        return ERR_DAMAGED;
    }
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 1024;
        struct tree_node *nodes = mem_realloc(t->nodes, capacity * sizeof *nodes);

        if (!nodes) {
            libpff_item_free(&item, NULL);
            return ERR_NOMEM;
        }
        t->nodes = nodes;
        t->capacity = capacity;
    }
    t->nodes[t->count++] = node;
    return 0;
}

static int add_children(struct tree *t, libpff_item_t *item, uint32_t nid, uint32_t depth)
{
    int children = 0, code = 0;

    if (libpff_item_get_number_of_sub_items(item, &children, NULL) != 1)
        return ERR_DAMAGED;
    for (int i = 0; i < children && !code; i++) {
        libpff_item_t *child = NULL;

        if (libpff_item_get_sub_item(item, i, &child, NULL) != 1)
            return ERR_DAMAGED;
        code = add(t, child, nid, depth);
    }
    return code;
}

static int add_orphans(struct tree *t, libpff_file_t *file)
{
    int orphans = 0, code = 0;

    if (libpff_file_get_number_of_orphan_items(file, &orphans, NULL) != 1)
        return ERR_DAMAGED;
    for (int i = 0; i < orphans && !code; i++) {
        libpff_item_t *orphan = NULL;

        if (libpff_file_get_orphan_item_by_index(file, i, &orphan, NULL) != 1)
            return ERR_DAMAGED;
        code = add(t, orphan, 0, 1);
    }
    return code;
}

/* By nid; of the same nid the one in the tree, which has a parent, before the orphan. */
static int compare(const void *a, const void *b)
{
    const struct tree_node *x = a, *y = b;

    if (x->nid != y->nid)
        return x->nid < y->nid ? -1 : 1;
    return (x->parent == 0) - (y->parent == 0);
}

static void sort(struct tree *t)
{
    size_t kept = 0;

    if (t->count)
        qsort(t->nodes, t->count, sizeof *t->nodes, compare);
    for (size_t i = 0; i < t->count; i++) {
        if (kept && t->nodes[kept - 1].nid == t->nodes[i].nid)
            tree_release(&t->nodes[i]);
        else
            t->nodes[kept++] = t->nodes[i];
    }
    t->count = kept;
}

static uint32_t root_folder(libpff_file_t *file)
{
    libpff_item_t *root = NULL;
    uint32_t nid = 0;

    if (libpff_file_get_root_folder(file, &root, NULL) != 1)
        return 0;
    if (libpff_item_get_identifier(root, &nid, NULL) != 1)
        nid = 0;
    libpff_item_free(&root, NULL);
    return nid;
}

int tree_load(struct tree *t, libpff_file_t *file)
{
    libpff_item_t *root = NULL;
    int code;

    *t = (struct tree){.root = root_folder(file)};
    if (libpff_file_get_root_item(file, &root, NULL) != 1)
        return ERR_DAMAGED;
    code = add_children(t, root, 0, 1);
    libpff_item_free(&root, NULL);
    for (size_t i = 0; i < t->count && !code; i++) {
        code = add_children(t, t->nodes[i].item, t->nodes[i].nid, t->nodes[i].depth + 1);
        if (!wanted(t->nodes[i].nid))
            tree_release(&t->nodes[i]);
    }
    if (!code)
        code = add_orphans(t, file);
    if (code)
        tree_done(t);
    else
        sort(t);
    return code;
}

void tree_done(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++)
        tree_release(&t->nodes[i]);
    mem_free(t->nodes);
    *t = (struct tree){0};
}

struct tree_node *tree_find(const struct tree *t, uint32_t nid)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->nodes[middle].nid < nid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && t->nodes[low].nid == nid ? &t->nodes[low] : NULL;
}

void tree_release(struct tree_node *node)
{
    if (node->item)
        libpff_item_free(&node->item, NULL);
    node->item = NULL;
}
