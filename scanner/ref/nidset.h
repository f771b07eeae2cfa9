/* nidset.h: a growing set of node ids. Owned by one thread. */
#ifndef SCANNER_REF_NIDSET_H
#define SCANNER_REF_NIDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nidset {
    uint32_t *slots; /* 0: empty */
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

#define NIDSET_INIT ((struct nidset){0})

void nidset_done(struct nidset *s);
bool nidset_has(const struct nidset *s, uint32_t nid);
/* Adds a nid that is not 0. ERR_NOMEM, ERR_EXISTS. */
int nidset_add(struct nidset *s, uint32_t nid);

#endif
