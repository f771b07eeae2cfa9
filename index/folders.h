/*
 * folders.h: the folders of an image by nid, and the path of each.
 *
 * A path joins the names from below the root folder with '/'; within a name '/' is written %2F and
 * '%' %25. A folder without a name contributes an empty one.
 *
 * Threads: a collection belongs to one thread. Names are copied. Memory: about 24 bytes a folder
 * and its name.
 */
#ifndef INDEX_FOLDERS_H
#define INDEX_FOLDERS_H

#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"
#include "io/bytes.h"

/* Bytes of a path as it is written. Outlook refuses names over 255 characters. */
enum { IDX_PATH_MAX = 64 * 1024 };

struct idx_folders;

int idx_folders_create(struct idx_folders **out); /* ERR_NOMEM */
void idx_folders_destroy(struct idx_folders *f);  /* NULL is allowed */

/* Adds a folder; the root folder is its own parent. A nid that is there already stays as it was.
 * `name`: WTF-8. ERR_NOMEM. */
int idx_folders_add(struct idx_folders *f, uint32_t nid, uint32_t parent, struct bytes name);

enum idx_path {
    IDX_PATH_WHOLE,  /* begins below the root folder (empty for the root folder itself) */
    IDX_PATH_PART,   /* a parent is missing, or parents form a circle: begins where that shows */
    IDX_PATH_ABSENT, /* longer than IDX_PATH_MAX, deeper than OST_LIMIT_FOLDER_DEPTH, beyond what
                        all may take, or no such folder: nothing was appended */
};

/* All paths asked for from now on take no more than that: folders without end may lie below the
 * same long names. At first there is no bound. */
void idx_folders_bound(struct idx_folders *f, uint64_t bytes);

/* Appends the path of a folder. Errors: out->failed. */
enum idx_path idx_folders_path(struct idx_folders *f, uint32_t nid, struct buf *out);

#endif
