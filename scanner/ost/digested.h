/*
 * digested.h: values that were digested while their blocks passed, before anyone knew whose they
 * are: what a reader need not read again.
 *
 * Threads: those of whoever keeps them; one that is taken belongs to the thread that took it.
 */
#ifndef SCANNER_OST_DIGESTED_H
#define SCANNER_OST_DIGESTED_H

#include "scanner/ost/btree.h"
#include "scanner/ost/item.h"

/* A value from its beginning on. */
struct ost_digested {
    uint64_t bytes; /* decoded */
    size_t leaves;  /* data blocks that they are */
    bool whole;
    struct ost_digest digest;        /* where whole */
    const struct ost_hasher *hasher; /* else: */
    void *state;                     /* to go on with; the taker ends or aborts it */
};

struct ost_digests {
    void *ctx;
    /* What there is of the value of a root; a whole one costs what reading it does (limits.h).
     * False: nothing. */
    bool (*take)(void *ctx, uint64_t root, struct ost_digested *out);
    /* The same cost of one of the leaves. False: too little is left for that. */
    bool (*skip)(void *ctx, const struct ost_block *leaf);
};

#endif
