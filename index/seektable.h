/*
 * seektable.h: the tail of a manifest: the seal and the seek table (MANIFEST.md).
 *
 * The seek table is that of zstd's seekable format, with checksums; its last entry stands for the
 * seal, a skippable frame with a digest of every byte of the file before it.
 *
 * Threads: a table belongs to one thread.
 */
#ifndef INDEX_SEEKTABLE_H
#define INDEX_SEEKTABLE_H

#include <stdint.h>

#include "io/buf.h"
#include "io/bytes.h"
#include "scanner/ost/item.h"

enum {
    SEEK_SKIPPABLE_HEAD = 8, /* magic and size of a skippable frame */
    SEEK_FOOTER = 9,
    SEEK_ENTRY = 12,
    SEEK_FRAMES_MAX = 0x8000000, /* of zstd's seekable format */
    SEAL_SIZE = SEEK_SKIPPABLE_HEAD + 8 + 16,
};

#define ZSTD_FRAME_MAGIC UINT32_C(0xFD2FB528)
#define SEAL_MAGIC       UINT32_C(0x184D2A50)
#define SEEK_MAGIC       UINT32_C(0x184D2A5E)

struct seek_frame {
    uint32_t compressed;   /* bytes in the file */
    uint32_t decompressed; /* bytes of lines; 0 for the seal */
    uint32_t checksum;     /* low half of the content's XXH64 */
};

/* The frames in order. Init with all zero. */
struct seektable {
    struct buf entries; /* as they stand in the file */
};

void seektable_done(struct seektable *t);

/* Adds the entry of a frame. ERR_NOMEM; ERR_LIMIT beyond SEEK_FRAMES_MAX. */
int seektable_add_frame(struct seektable *t, struct seek_frame frame);
/* The same of a frame with that content. */
int seektable_add(struct seektable *t, size_t compressed_bytes, struct bytes content);
uint32_t seektable_count(const struct seektable *t);
struct seek_frame seektable_frame(const struct seektable *t, uint32_t n);
uint32_t seektable_checksum(struct bytes content);

/* The seal of a file whose bytes so far have that digest (XXH3-128). */
void seektable_seal(const struct ost_digest *so_far, uint8_t out[SEAL_SIZE]);

/* Appends the skippable frame that holds the table. Errors: out->failed. */
void seektable_write(const struct seektable *t, struct buf *out);

/* Entries behind a footer (the file's last SEEK_FOOTER bytes); false: no footer of a table with
 * checksums. */
bool seektable_footer(const uint8_t footer[SEEK_FOOTER], uint32_t *count);

#endif
