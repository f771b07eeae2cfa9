/*
 * hash.h: the two digest algorithms of a run, behind one state.
 *
 * XXH3-128 (canonical, big-endian form; run-time dispatch) or SHA-256. Also MD5, for the EDRM
 * message identification hash alone.
 * A state allocates nothing after its creation.
 * Threads: a state belongs to one thread. Errors: ERR_NOMEM.
 */
#ifndef INDEX_HASH_H
#define INDEX_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/item.h"

/* IDX_MD5 is no choice of a run: it is there for the message identification hash alone. */
enum idx_algorithm { IDX_XXH3, IDX_SHA256, IDX_MD5 };

enum { IDX_DIGEST_TEXT = 8 + 64 }; /* "sha256:" + 64 hex digits + NUL */

struct idx_hash;

int idx_hash_create(enum idx_algorithm algorithm, struct idx_hash **out);
void idx_hash_destroy(struct idx_hash *h); /* NULL is allowed */
void idx_hash_reset(struct idx_hash *h);
void idx_hash_update(struct idx_hash *h, const void *data, size_t size);
void idx_hash_final(struct idx_hash *h, struct ost_digest *out); /* reset before further use */

/* All three at once, for bytes that lie on end; the state need not be reset before or after. */
void idx_hash_all(struct idx_hash *h, const void *data, size_t size, struct ost_digest *out);

/* One shot. */
int idx_hash_bytes(enum idx_algorithm algorithm, const void *data, size_t size,
                   struct ost_digest *out);

/* "xxh3:…" or "sha256:…"; d->size must be 16 or 32. Returns the length. */
size_t idx_digest_text(const struct ost_digest *d, char out[IDX_DIGEST_TEXT]);

int idx_md5(const void *data, size_t size, uint8_t out[16]);

/* The hasher for engines (item.h): states from `algorithm`. */
struct ost_hasher idx_hasher(enum idx_algorithm algorithm);

/* The same over a state that is there, and takes no memory: for streams that follow each other, as
 * those of one image do. h must outlive it. */
struct ost_hasher idx_hasher_of(struct idx_hash *h);

#endif
