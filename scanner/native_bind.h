/*
 * native_bind.h: which item a block belongs to and how far that item reaches, as far as the
 * internal blocks that have passed tell.
 *
 * What is known grows while an image is swept. It serves to foretell when a block will be needed,
 * and never decides what is read: a block that several objects share belongs to none.
 *
 * Memory: 8 bytes a block. Threads: any; one at a time adds.
 */
#ifndef SCANNER_NATIVE_BIND_H
#define SCANNER_NATIVE_BIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/check/links.h"
#include "scanner/ost/plan.h"

enum native_owner {
    NATIVE_UNBOUND, /* no block that names it has passed, or that one is unbound itself */
    NATIVE_ITEM,
    NATIVE_OTHER,  /* a folder or such: no item needs it */
    NATIVE_SHARED, /* several objects' */
};

struct native_bind;

/* The plan outlives it. ERR_NOMEM. */
int native_bind_create(const struct ost_plan *plan, struct native_bind **out);
void native_bind_destroy(struct native_bind *b); /* NULL is allowed, here and below */
/* Bytes that one for so many blocks takes. */
uint64_t native_bind_bytes(size_t blocks);

/* A node's roots, indices in the plan or CHK_NO_BLOCK. Before the sweep. */
void native_bind_node(struct native_bind *b, uint32_t data, uint32_t sub, bool item);
/* Internal blocks that have passed: those of `links` from the number `first` on. */
void native_bind_links(struct native_bind *b, const struct chk_links *links, size_t first);

/* *reach: an offset as high as any of the blocks known to be its owner's; of NATIVE_UNBOUND: of
 * those bound together with it. */
enum native_owner native_bind_owner(const struct native_bind *b, uint32_t block, uint64_t *reach);

#endif
