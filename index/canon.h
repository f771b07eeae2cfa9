/*
 * canon.h: the canonical form of values and property entries: what the digests are made of
 * (DIGESTS.md, "Values" and "Entries").
 *
 * Threads: a canon belongs to one thread. Errors: out->failed of the buffers written to.
 */
#ifndef INDEX_CANON_H
#define INDEX_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/hash.h"
#include "index/text.h"
#include "io/buf.h"
#include "scanner/ost/item.h"

enum idx_form {
    IDX_FORM_ABSENT = 0,
    IDX_FORM_BYTES = 1,      /* u64 size, bytes */
    IDX_FORM_LONG = 2,       /* u64 size, digest of the bytes */
    IDX_FORM_BAD = 3,        /* u64 size, stored bytes that are not well-formed */
    IDX_FORM_BAD_LONG = 4,   /* u64 size, digest of such */
    IDX_FORM_DIGEST = 5,     /* digest */
    IDX_FORM_UNREADABLE = 6, /* u64 size of what could be read */
    IDX_FORM_TOO_DEEP = 7,
};

enum { IDX_LONG_BYTES = 1 << 20 }; /* the largest value that enters by its bytes */

struct idx_canon {
    struct idx_text *text;
    struct idx_hash *hash; /* for long values; free to be reset at every call below */
};

void idx_canon_u64(struct buf *out, uint64_t value);

/* Values. */
void idx_canon_form(struct buf *out, enum idx_form form); /* one without anything behind it */
void idx_canon_bytes(struct idx_canon *c, struct buf *out, struct bytes bytes);
void idx_canon_digest(struct buf *out, const struct ost_digest *digest); /* size 0: absent */
/* NFC of WTF-8; fold: ASCII letters in lower case. data NULL: absent. */
void idx_canon_wtf8(struct idx_canon *c, struct buf *out, struct bytes wtf8, bool fold);

/* The normalised bytes of a property's value, without form and size: true. False: not well-formed,
 * nothing was appended. */
bool idx_canon_normal(struct idx_canon *c, struct buf *out, const struct ost_prop *prop,
                      uint32_t codepage);

/* Entries: key and type; then a value must follow. */
/* The key of a named property, without a type. */
void idx_canon_name(struct idx_canon *c, struct buf *out, const struct ost_name *name);
void idx_canon_key(struct idx_canon *c, struct buf *out, const struct ost_prop *prop);
/* A whole entry. */
void idx_canon_entry(struct idx_canon *c, struct buf *out, const struct ost_prop *prop,
                     uint32_t codepage);
/* The same of a named property whose key was made by idx_canon_name. */
void idx_canon_named(struct idx_canon *c, struct buf *out, struct bytes key,
                     const struct ost_prop *prop, uint32_t codepage);

#endif
