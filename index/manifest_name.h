/*
 * manifest_name.h: the file name of an image's manifest.
 *
 * "<file name, at most 200 bytes>-<16 hex of XXH3-64 of its absolute path>.jsonl.zst": readable,
 * unique for each path, the same in every run. Any thread.
 */
#ifndef INDEX_MANIFEST_NAME_H
#define INDEX_MANIFEST_NAME_H

#include "io/buf.h"
#include "io/bytes.h"

enum { IDX_MANIFEST_NAME = 200 + 1 + 16 + 10 + 1 };

/* Of an image with that absolute path. A long name is cut at a character's border. */
void idx_manifest_name(struct bytes absolute, char out[IDX_MANIFEST_NAME]);

/* Which of `shards` shares, from 1, an image belongs to: by a hash of its path below the PATH that
 * it was found under, so that all machines agree wherever that is mounted. */
unsigned idx_share_of(const char *relative, unsigned shards);

/* Appends the path, made absolute and rid of symlinks in its folders; its last component is kept.
 * `share`: that it lies on (io/patient.h). ERR_NOMEM, ERR_NOENT (its folder is gone), ERR_TIMEOUT,
 * ERR_CANCELLED. */
int idx_absolute_path(const char *path, uint64_t share, struct buf *out);

#endif
