/*
 * dup_index.h: duplicates within and across images, from their manifests (DUPLICATES.md).
 *
 * Every manifest of the table is read once; of each item, attachment and image an entry of fixed
 * size is kept, in memory as far as it goes, beyond it in sorted runs on disk. Then the entries
 * pass by in the order of their digests, which makes groups, and the groups in the order of their
 * representatives.
 *
 * What comes out depends on the manifests alone: not on memory, threads or their order.
 *
 * Threads: dup_index_read may run in several threads, each with a lane of its own; everything else
 * in one.
 * Memory: `memory_bytes`, and what dup_images.h says of the table, and for each lane a manifest
 * reader.
 * Errors: ERR_NOMEM, ERR_CANCELLED, those of io/spill.h with dup_index_fault. What is wrong with a
 * manifest is no error but its state.
 */
#ifndef INDEX_DUP_INDEX_H
#define INDEX_DUP_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "index/dup_images.h"
#include "index/dup_notes.h"
#include "index/dup_sink.h"
#include "index/manifest.h"

struct dup_index_options {
    uint64_t memory_bytes;
    unsigned lanes;
    const char *temp_dir;      /* io/spill.h */
    const atomic_bool *cancel; /* may be NULL */
};

struct dup_index;

/* `images` is settled, and outlives the index. ERR_NOMEM. */
int dup_index_create(const struct dup_index_options *options, struct dup_images *images,
                     struct dup_index **out);
void dup_index_destroy(struct dup_index *x); /* NULL is allowed */

/* Reads the manifest of image `number` of the table, each once; nothing for one that is repeated or
 * unreadable. */
int dup_index_read(struct dup_index *x, unsigned lane, size_t number);

/* The same from what was noted while that manifest, which is whole, was written. */
int dup_index_read_notes(struct dup_index *x, unsigned lane, size_t number,
                         const struct dup_notes *notes, const struct dup_noted *noted);

/* The same line by line: a record at `offset` of the decompressed manifest; then the image's end,
 * with its state set. ERR_DAMAGED: no such record; the next may follow. */
int dup_index_line(struct dup_index *x, unsigned lane, size_t number, enum idx_record type,
                   struct bytes line, uint64_t offset);
int dup_index_image_end(struct dup_index *x, unsigned lane, size_t number);

/* Once all are read: tells every sink images, groups with members, pairs, folders and totals, in
 * this order. What a sink returns other than 0 ends it and is returned. Call once. */
int dup_index_tell(struct dup_index *x, const struct dup_sink *sinks, size_t sink_count);

/* Bytes that went through files. */
uint64_t dup_index_spilled_bytes(const struct dup_index *x);
/* What failed, where the code is one of a file. */
const struct fault *dup_index_fault(const struct dup_index *x);

#endif
