/*
 * digest.h: the fingerprints of an item: mih, exact, core, body, state (DIGESTS.md).
 *
 * Threads: a digester belongs to one thread. Errors: of an item ERR_NOMEM only; whatever it holds
 * has a digest or is absent. A digester keeps its buffers, so steady work allocates nothing.
 */
#ifndef INDEX_DIGEST_H
#define INDEX_DIGEST_H

#include <stdbool.h>

#include "index/hash.h"
#include "index/text.h"
#include "index/view.h"
#include "scanner/ost/item.h"

enum { IDX_DIGEST_VERSION = 1 };

/* size 0 in a digest: absent. */
struct idx_digests {
    bool has_mih;
    uint8_t mih[16];
    struct ost_digest exact, core, state;
    struct ost_digest body_text, body_html, body_rtf;
    /* exact digests of the attachments' embedded items, one for each attachment (size 0: none) */
    const struct ost_digest *embedded;
};

struct idx_digester;

/* ERR_NOMEM. */
int idx_digester_create(enum idx_algorithm algorithm, struct idx_digester **out);
void idx_digester_destroy(struct idx_digester *d); /* NULL is allowed */

/*
 * Digests of `item`; `view` was made of it. Arrays of *out live in `arena`. A partial item has
 * digests of what was read: the record's `partial` says that they are not to be matched.
 */
int idx_digest_item(struct idx_digester *d, struct arena *arena, const struct ost_item *item,
                    const struct idx_view *view, struct idx_digests *out);

/* The digests that DIGESTS.md's property table puts a property in. */
enum idx_class { IDX_IN_EXACT = 1, IDX_IN_CORE = 2, IDX_IN_BODY = 4, IDX_IN_STATE = 8 };

/*
 * Bit set of enum idx_class for a tagged property (name NULL) or a named one; 0: in none. One that
 * is in `state` and in others is in `state` except in a task, and in the others in a task alone.
 */
unsigned idx_property_class(uint16_t id, const struct ost_name *name);

#endif
