/*
 * sourceblocks.h: the blocks of an image, read from a source when they are asked for, verified and
 * decoded.
 *
 * Every block is compared with its trailer and checksum as it is read. What is wrong is told by
 * `trouble`, each time such a block is asked for, so that whoever is being read then can note it. A
 * block that fails its checksum but is the right one by bid, signature and size is handed out
 * (suspect); any other is ERR_DAMAGED.
 *
 * What a file may make us hand out is bounded: `allowance_bytes`, from which every block handed out
 * takes its decoded size and OST_LIMIT_BLOCK_COST. When it is used up, get is ERR_LIMIT.
 *
 * Threads: one. Errors: ERR_NOMEM, ERR_UNSUPPORTED (crypt method) on creation; get passes on codes
 * of the source that are about more than the bytes asked for, and ERR_LIMIT.
 */
#ifndef SCANNER_OST_SOURCEBLOCKS_H
#define SCANNER_OST_SOURCEBLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/source.h"
#include "scanner/ost/blocks.h"
#include "scanner/ost/defect.h"
#include "scanner/ost/plan.h"

/* A block with something wrong. One of defects, code and unreadable tells what. */
struct ost_block_trouble {
    const struct ost_block *block;
    uint32_t extent_bytes;
    const struct ost_defects *defects; /* of its trailer; never NULL, may be empty */
    int code;                          /* ERR_IO, ERR_RANGE: the source did not deliver it */
    bool outside;                      /* it lies beyond the end of the file */
    bool undecodable;                  /* its zlib stream is broken */
    bool lost;                         /* it is not handed out; else it is, and suspect or sound */
    bool suspect;                      /* its content may be other than written */
};

/* Bytes of an extent that need not be read. *clean: they were compared with the block's trailer and
 * checksum, and nothing is wrong. */
struct ost_at_hand {
    void *ctx;
    /* Where they lie in memory, in place until the block is put; NULL: they do not. */
    const uint8_t *(*place)(void *ctx, const struct ost_block *block, bool *clean);
    /* Copies them, extent_bytes of them; false: it has none. NULL: it never has. */
    bool (*copy)(void *ctx, const struct ost_block *block, uint8_t *into, uint32_t extent_bytes,
                 bool *clean);
};

struct ost_sourceblocks_options {
    struct io_source *source;          /* outlives the blocks, as does the plan */
    const struct ost_at_hand *at_hand; /* asked first; may be NULL */
    const struct ost_plan *plan;
    uint8_t crypt;       /* enum ost_crypt */
    bool exact;          /* no byte is read that was not asked for, nor again for its neighbour */
    size_t memory_bytes; /* for decoded blocks; at least 1 MiB */
    uint64_t allowance_bytes;
    void *ctx;
    void (*trouble)(void *ctx, const struct ost_block_trouble *t);
};

struct ost_sourceblocks;

int ost_sourceblocks_create(const struct ost_sourceblocks_options *options,
                            struct ost_sourceblocks **out);
void ost_sourceblocks_destroy(struct ost_sourceblocks *s); /* NULL is allowed */

const struct ost_blocks *ost_sourceblocks_view(struct ost_sourceblocks *s);

/* Takes from the allowance what other work on the image's behalf costs. */
void ost_sourceblocks_charge(struct ost_sourceblocks *s, uint64_t bytes);
/* What was taken from it so far, and whether it was too little for something. */
uint64_t ost_sourceblocks_charged(const struct ost_sourceblocks *s);
bool ost_sourceblocks_exhausted(const struct ost_sourceblocks *s);
/* Takes what handing out so many blocks of so many bytes in all takes. False: too little is left,
 * and nothing was taken. */
bool ost_sourceblocks_spend(struct ost_sourceblocks *s, uint64_t blocks, uint64_t bytes);
/* Gives some of it back. */
void ost_sourceblocks_refund(struct ost_sourceblocks *s, uint64_t bytes);

#endif
