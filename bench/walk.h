/*
 * walk.h: the bare walk of an image: plan, checksum of every block, enumeration of the properties
 * of every message, its recipients and attachments; no value leaves the block it stands in, nothing
 * is digested or written. What reading items costs more than this is what is done with them.
 *
 * Over a mapped file, so that no byte is copied that is not enciphered or compressed. Threads: one.
 */
#ifndef BENCH_WALK_H
#define BENCH_WALK_H

#include <stddef.h>
#include <stdint.h>

struct walk_count {
    uint64_t items, props; /* an embedded item's properties are its item's */
    uint64_t bytes;        /* of blocks and B-tree pages */
};

/* ERR_DAMAGED: no image, or one that a bare walk cannot go through. */
int walk_image(const uint8_t *image, size_t size_bytes, struct walk_count *out);

#endif
