/*
 * dup_notes.h: what the duplicate index wants to know of a manifest, noted down while it is
 * written, so that it need not be read back.
 *
 * An image's notes hold its folders' lines and, of each item, what dup_item.h takes from its line,
 * in the order of the manifest. They are kept once the manifest is there, by its file name.
 * Whatever keeps notes from being taken costs them, and the manifest is read.
 *
 * Threads: notes of a run are for any; those of one image for one at a time; from
 * dup_notes_settle on they are constant.
 * Memory: `keep_bytes`, beyond it a temporary file (io/spill.h); 64 KiB for each image at hand.
 */
#ifndef INDEX_DUP_NOTES_H
#define INDEX_DUP_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "index/dup_item.h"
#include "io/err.h"

struct dup_notes;
struct dup_note;  /* an image's, being taken; NULL wherever there is none */
struct dup_noted; /* an image's, kept */

/* `temp_dir` outlives them. ERR_NOMEM. */
int dup_notes_create(const char *temp_dir, size_t keep_bytes, struct dup_notes **out);
void dup_notes_destroy(struct dup_notes *n); /* NULL is allowed */

/* NULL: nothing is noted, for want of memory. */
struct dup_note *dup_note_begin(struct dup_notes *n);
void dup_note_folder(struct dup_note *note, struct bytes line);
/* What dup_item_pack made of an item whose line begins at `offset` of the manifest. */
void dup_note_item(struct dup_note *note, uint64_t offset, struct bytes packed);
/* Keeps what was noted of that manifest, which is whole; NULL: forgets it. Frees the note. */
void dup_note_end(struct dup_note *note, const char *manifest_name);

void dup_item_pack(const struct dup_item *item, struct buf *out); /* appends */

/* Nothing is noted any more. */
void dup_notes_settle(struct dup_notes *n);
/* By the last part of a manifest's path; NULL: its notes were not taken. */
const struct dup_noted *dup_notes_find(const struct dup_notes *n, const char *manifest);

/* Goes over an image's notes. */
struct dup_notes_reader {
    const struct dup_notes *notes;
    const struct dup_noted *noted;
    size_t chunk, at;
    struct buf bytes; /* of the chunk at hand */
    struct fault fault;
};

void dup_notes_open(struct dup_notes_reader *r, const struct dup_notes *n,
                    const struct dup_noted *noted);
void dup_notes_close(struct dup_notes_reader *r);

/*
 * The next: 1; 0 at the end; ERR_NOMEM, or a code of the temporary file, with `fault`.
 * *folder: a folder's line, until the next call; its data is NULL where it is an item, which is
 * then in *item, with its place's offset.
 */
int dup_notes_next(struct dup_notes_reader *r, struct bytes *folder, struct dup_item *item);

#endif
