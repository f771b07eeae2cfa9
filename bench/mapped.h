/*
 * mapped.h: an image that lies in memory, its plan, and its blocks handed out in place: no byte is
 * copied that is not enciphered or compressed.
 *
 * Ownership: filled by mapped_open, ended by mapped_close; the bytes are the caller's and outlive
 * it. Threads: one.
 */
#ifndef BENCH_MAPPED_H
#define BENCH_MAPPED_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/block.h"
#include "scanner/ost/blockring.h"
#include "scanner/ost/blocks.h"
#include "scanner/ost/plan.h"

struct mapped {
    const uint8_t *image;
    size_t size_bytes;
    struct ost_header header;
    struct ost_plan plan;
    struct ost_decoder *decoder;
    struct ost_blocks blocks; /* each checked as it is first asked for */
    struct ost_blockring *ring;
    uint8_t *checked; /* by place in the plan */
};

/* ERR_NOMEM, ERR_UNSUPPORTED; ERR_DAMAGED: no image, or one whose plan cannot be read. */
int mapped_open(const uint8_t *image, size_t size_bytes, struct mapped *out);
void mapped_close(struct mapped *m); /* an all-zero one is allowed */

/* Compares a block with its trailer and checksum, once. ERR_DAMAGED: it is not as written. */
int mapped_check(struct mapped *m, const struct ost_block *block);

bool mapped_is_message(uint32_t nid);

#endif
