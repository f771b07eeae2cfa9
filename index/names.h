/*
 * names.h: the named properties that a digester has met: the key of each (DIGESTS.md, "Entries"),
 * where that stands among all keys, and what the property table says of it.
 *
 * An image has some hundred names and uses them in each of its items, so keys are made and put in
 * order once. What is found is compared with the name asked for: nothing has to be told when an
 * image ends.
 *
 * Memory: bounded, allocated as names come. Threads: one. Errors: ERR_NOMEM on creation; a name for
 * which there is no room is not found.
 */
#ifndef INDEX_NAMES_H
#define INDEX_NAMES_H

#include <stdint.h>

#include "index/canon.h"
#include "scanner/ost/item.h"

enum { IDX_NAMES_MOST = 4096 };

struct idx_name {
    uint32_t key_at, key_size; /* see idx_names_key */
    uint16_t rule;             /* property.h */
    uint16_t rank;             /* of its key among all, from 0; good after idx_names_rank */
};

struct idx_names;

int idx_names_create(struct idx_names **out);
void idx_names_destroy(struct idx_names *n); /* NULL is allowed */

/* Before the names of another item: gives up all of them if there is not room for many more. */
void idx_names_begin(struct idx_names *n);

/* The name of local id `id`, or NULL: no room. Good until idx_names_begin; two ids may have one. */
const struct idx_name *idx_names_find(struct idx_names *n, struct idx_canon *c, uint16_t id,
                                      const struct ost_name *name);

/* Puts ranks right that idx_names_find has not yet. */
void idx_names_rank(struct idx_names *n);

/* Its key, without a type. No key begins with another. */
struct bytes idx_names_key(const struct idx_names *n, const struct idx_name *name);

#endif
