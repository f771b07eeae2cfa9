/*
 * hash.c: see hash.h.
 *
 * One struct for all algorithms: XXH3's state (576 bytes, 64-byte aligned) stands inline, the
 * others in a libcrypto context whose algorithm is fetched once, for a fetch costs more than
 * hashing a short message.
 */
#include "index/hash.h"

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>
#define XXH_STATIC_LINKING_ONLY
#if defined(__x86_64__) || defined(__i386__)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"

struct idx_hash {
    XXH3_state_t xxh3;
    EVP_MD *md; /* NULL: XXH3 */
    EVP_MD_CTX *ctx;
};

int idx_hash_create(enum idx_algorithm algorithm, struct idx_hash **out)
{
    struct idx_hash *h = mem_aligned(_Alignof(struct idx_hash), sizeof *h);
    int rc = ERR_NOMEM;

    if (!h)
        return ERR_NOMEM;
    memset(h, 0, sizeof *h);
    if (algorithm != IDX_XXH3) {
        h->md = EVP_MD_fetch(NULL, algorithm == IDX_SHA256 ? "SHA256" : "MD5", NULL);
        if (!h->md) {
            rc = ERR_UNSUPPORTED;
            goto fail;
        }
        h->ctx = EVP_MD_CTX_new();
        if (!h->ctx || !EVP_DigestInit_ex(h->ctx, h->md, NULL))
            goto fail;
    }
    idx_hash_reset(h);
    *out = h;
    return 0;
fail:
    idx_hash_destroy(h);
    return rc;
}

void idx_hash_destroy(struct idx_hash *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    mem_free(h);
}

/* With context and algorithm in place these calls only work on memory that is there: no failure. */
static void must(int ok)
{
    assert(ok == 1);
    (void)ok;
}

void idx_hash_reset(struct idx_hash *h)
{
    if (h->md)
        must(EVP_DigestInit_ex(h->ctx, NULL, NULL));
    else
        XXH3_128bits_reset(&h->xxh3);
}

void idx_hash_update(struct idx_hash *h, const void *data, size_t size)
{
    if (!size)
        return;
    if (h->md)
        must(EVP_DigestUpdate(h->ctx, data, size));
    else
        XXH3_128bits_update(&h->xxh3, data, size);
}

static void put_xxh3(XXH128_hash_t hash, struct ost_digest *out)
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, hash);
    memset(out, 0, sizeof *out);
    memcpy(out->bytes, canonical.digest, sizeof canonical.digest);
    out->size = sizeof canonical.digest;
}

void idx_hash_final(struct idx_hash *h, struct ost_digest *out)
{
    unsigned size = 0;

    if (!h->md) {
        put_xxh3(XXH3_128bits_digest(&h->xxh3), out);
        return;
    }
    memset(out, 0, sizeof *out);
    must(EVP_DigestFinal_ex(h->ctx, out->bytes, &size));
    out->size = (uint8_t)size;
}

int idx_hash_bytes(enum idx_algorithm algorithm, const void *data, size_t size,
                   struct ost_digest *out)
{
    struct idx_hash *h;
    int rc;

    if (algorithm == IDX_XXH3) {
        put_xxh3(XXH3_128bits(size ? data : "", size), out);
        return 0;
    }
    rc = idx_hash_create(algorithm, &h);
    if (rc)
        return rc;
    idx_hash_update(h, data, size);
    idx_hash_final(h, out);
    idx_hash_destroy(h);
    return 0;
}

void idx_digest_text(const struct ost_digest *d, char out[IDX_DIGEST_TEXT])
{
    const char *prefix = d->size == 16 ? "xxh3:" : "sha256:";
    size_t n = strlen(prefix);

    assert(d->size == 16 || d->size == 32);
    memcpy(out, prefix, n);
    hex_encode(d->bytes, d->size, out + n);
}

int idx_md5(const void *data, size_t size, uint8_t out[16])
{
    struct ost_digest digest;
    int rc = idx_hash_bytes(IDX_MD5, data, size, &digest);

    if (rc)
        return rc;
    memcpy(out, digest.bytes, 16);
    return 0;
}

/* The hasher's ctx is the algorithm itself, pointed to in this table. */
static enum idx_algorithm algorithms[] = {IDX_XXH3, IDX_SHA256, IDX_MD5};

static void *hasher_begin(void *ctx)
{
    struct idx_hash *h;

    return idx_hash_create(*(enum idx_algorithm *)ctx, &h) ? NULL : h;
}

static void hasher_update(void *state, const void *data, size_t size)
{
    idx_hash_update(state, data, size);
}

static void hasher_end(void *state, struct ost_digest *out)
{
    idx_hash_final(state, out);
    idx_hash_destroy(state);
}

static void hasher_abort(void *state)
{
    idx_hash_destroy(state);
}

struct ost_hasher idx_hasher(enum idx_algorithm algorithm)
{
    return (struct ost_hasher){.ctx = &algorithms[algorithm],
                               .begin = hasher_begin,
                               .update = hasher_update,
                               .end = hasher_end,
                               .abort = hasher_abort};
}
