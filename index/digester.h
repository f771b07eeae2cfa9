/*
 * digester.h: what digest.c and digest_core.c share; nobody else's business.
 */
#ifndef INDEX_DIGESTER_H
#define INDEX_DIGESTER_H

#include <stdbool.h>
#include <stddef.h>

#include "index/canon.h"
#include "index/digest.h"
#include "index/names.h"
#include "index/parts.h"

enum body { BODY_TEXT, BODY_HTML, BODY_RTF, BODIES };

struct idx_digester {
    struct idx_text *text;
    struct idx_hash *hash, *md5;
    struct idx_canon canon;
    struct idx_names *names;
    struct idx_parts exact; /* what is hashed for it; parts: the entries that core may want */
    struct buf state, core; /* what is hashed for them */
    uint64_t exact_count, state_count; /* entries */
    struct idx_parts entries, lists;
    struct buf scratch;
    struct named *named; /* of the item at hand */
    size_t named_count, named_capacity;
    uint64_t ranks[IDX_NAMES_MOST / 64]; /* bits of those at hand; clear between uses */
    uint32_t by_rank[IDX_NAMES_MOST];    /* places in `named` */
    struct ost_digest bodies[BODIES];
    bool has_body; /* one that is not empty */
};

/* Any allocation since the buffers were emptied. */
bool idx_digester_failed(const struct idx_digester *d);

/* Starts a digest with its name and version, NUL included. */
void idx_put_domain(struct buf *out, const char *domain);
/* The count of d->lists' parts from number `first` to before `last`, and they with their sizes. */
void idx_put_list(struct idx_digester *d, struct buf *out, size_t first, size_t last);

/* Append to d->lists an attachment's name; its data and embedded item. */
void idx_put_name(struct idx_digester *d, const struct ost_item *item, struct ost_props props);
void idx_put_content(struct idx_digester *d, const struct ost_attachment *a,
                     const struct ost_digest *embedded);

/* The Message-ID as it stood in the header: without white space around it. data NULL: none. */
struct bytes idx_message_id(const struct idx_view *view);

/* After the exact digest of the same item, whose parts are still there. */
int idx_digest_core(struct idx_digester *d, const struct ost_item *item,
                    const struct idx_view *view, const struct ost_digest *embedded,
                    struct ost_digest *out);

#endif
