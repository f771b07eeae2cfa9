/*
 * tree.h: every node of the image as libpff knows them: its item tree and its orphans.
 *
 * Counts are taken from here and never from contents tables, so that an item that libpff cannot
 * read, or that no table names, is still accounted for.
 *
 * Ownership: the items belong to the tree; tree_release gives one back early. Threads: one.
 */
#ifndef SCANNER_REF_TREE_H
#define SCANNER_REF_TREE_H

#include <libpff.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The low five bits of a nid (FORMAT.md section 7). */
enum nid_type {
    NID_FOLDER = 0x02,
    NID_SEARCH_FOLDER = 0x03,
    NID_MESSAGE = 0x04,
    NID_ASSOC_MESSAGE = 0x08,
    NID_CONTENTS = 0x0E,
    NID_ASSOC_CONTENTS = 0x0F,
};

enum { NID_STORE = 0x21, NID_NAMES = 0x61, NID_RECEIVE_FOLDERS = 0x62B };

struct tree_node {
    uint32_t nid;
    uint32_t parent;   /* 0: none, or libpff does not tell (orphans) */
    uint32_t depth;    /* parents have less */
    uint32_t row_size; /* bytes of its row properties (rows.h), from row_at */
    uint64_t row_at;
    libpff_item_t *item;           /* NULL for types that nobody asks for, and when released */
    bool listed;                   /* a row of its folder's table names it */
    bool has_rows, has_assoc_rows; /* of a folder: that table could be read */
};

struct tree {
    struct tree_node *nodes; /* ascending by nid, each once */
    size_t count, capacity;
    uint32_t root; /* the root folder, 0: none */
};

int tree_load(struct tree *t, libpff_file_t *file); /* ERR_NOMEM, ERR_DAMAGED: libpff refuses */
void tree_done(struct tree *t);

struct tree_node *tree_find(const struct tree *t, uint32_t nid); /* or NULL */
void tree_release(struct tree_node *node);

bool nid_is_folder(uint32_t nid);
bool nid_is_message(uint32_t nid); /* normal or associated */

#endif
