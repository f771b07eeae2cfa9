/*
 * compare_folders.h: which folder of the one side is which of the other.
 *
 * By role where both sides tell it (names are localized), else by name within the folder that the
 * parent is, white space at its ends and ASCII case aside. Both sides' folders together get
 * numbers: those of the image first, by their index; then those that the server alone has.
 *
 * Threads: one.
 */
#ifndef INDEX_COMPARE_FOLDERS_H
#define INDEX_COMPARE_FOLDERS_H

#include "index/compare_side.h"

/* Sets `unified` of every folder; *count: how many there are together. A folder of the server's of
 * which not even the name is known keeps CMP_NO_FOLDER. ERR_NOMEM. */
int cmp_unify(struct cmp_side *image, struct cmp_side *server, size_t *count);

#endif
