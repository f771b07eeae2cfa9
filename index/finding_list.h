/*
 * finding_list.h: the findings of one image, gathered in any order, given back in the manifest's.
 *
 * Copies what it is given. Equal findings (same code, offset, bid, nid, expected, actual) become
 * one with their affected nids joined. Past IDX_FINDINGS_MOST only the number of further
 * ones is kept, as one finding `findings_dropped`: hostile images cannot grow it without end.
 *
 * Threads: one thread owns a list. Errors: ERR_NOMEM.
 */
#ifndef INDEX_FINDING_LIST_H
#define INDEX_FINDING_LIST_H

#include <stdint.h>

#include "scanner/finding.h"

enum { IDX_FINDINGS_MOST = 200000 };

struct idx_finding_list;

int idx_finding_list_create(struct idx_finding_list **out);
void idx_finding_list_destroy(struct idx_finding_list *l); /* NULL is allowed */
int idx_finding_list_add(struct idx_finding_list *l, const struct finding *f);
/* All that were added, in the order of adding, to `each`; those dropped as one. What `each`
 * returned. */
int idx_finding_list_each(struct idx_finding_list *l, void *ctx,
                          int (*each)(void *ctx, const struct finding *f));
/* Makes warnings of all findings of damage, before sealing: of bytes that others were writing. */
void idx_finding_list_soften(struct idx_finding_list *l);
/* Sorts and merges; then the list may be read, and no longer added to. ERR_NOMEM. */
int idx_finding_list_seal(struct idx_finding_list *l);
size_t idx_finding_list_count(const struct idx_finding_list *l);
const struct finding *idx_finding_list_at(const struct idx_finding_list *l, size_t i);
/* How many equal findings number `i` stands for. */
uint64_t idx_finding_list_merged(const struct idx_finding_list *l, size_t i);

#endif
