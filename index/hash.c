/*
 * hash.c: see hash.h.
 *
 * One struct for all algorithms, their states inline (XXH3's is 576 bytes, 64-byte aligned). Of
 * libcrypto the functions for one algorithm are used, which it calls old, and not EVP: that takes a
 * context from the heap for each message.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "index/hash.h"

#include <assert.h>
#include <string.h>

#include <openssl/md5.h>
#include <openssl/sha.h>
#define XXH_STATIC_LINKING_ONLY
#if defined(__x86_64__) || defined(__i386__)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"

/* An algorithm of libcrypto. */
struct md {
    int (*init)(void *ctx);
    int (*update)(void *ctx, const void *data, size_t size);
    int (*final)(uint8_t *out, void *ctx);
    uint8_t size;
};

struct idx_hash {
    XXH3_state_t xxh3;
    const struct md *md; /* NULL: XXH3 */
    union {
        SHA256_CTX sha256;
        MD5_CTX md5;
    } ctx;
};

static int sha256_init(void *ctx)
{
    return SHA256_Init(ctx);
}

static int sha256_update(void *ctx, const void *data, size_t size)
{
    return SHA256_Update(ctx, data, size);
}

static int sha256_final(uint8_t *out, void *ctx)
{
    return SHA256_Final(out, ctx);
}

static int md5_init(void *ctx)
{
    return MD5_Init(ctx);
}

static int md5_update(void *ctx, const void *data, size_t size)
{
    return MD5_Update(ctx, data, size);
}

static int md5_final(uint8_t *out, void *ctx)
{
    return MD5_Final(out, ctx);
}

static const struct md sha256 = {sha256_init, sha256_update, sha256_final, SHA256_DIGEST_LENGTH};
static const struct md md5 = {md5_init, md5_update, md5_final, MD5_DIGEST_LENGTH};

int idx_hash_create(enum idx_algorithm algorithm, struct idx_hash **out)
{
    struct idx_hash *h = mem_aligned(_Alignof(struct idx_hash), sizeof *h);

    if (!h)
        return ERR_NOMEM;
    memset(h, 0, sizeof *h);
    h->md = algorithm == IDX_SHA256 ? &sha256 : algorithm == IDX_MD5 ? &md5 : NULL;
    idx_hash_reset(h);
    *out = h;
    return 0;
}

void idx_hash_destroy(struct idx_hash *h)
{
    mem_free(h);
}

/* These calls only work on memory that is there: no failure. */
static void must(int ok)
{
    assert(ok == 1);
    (void)ok;
}

void idx_hash_reset(struct idx_hash *h)
{
    if (h->md)
        must(h->md->init(&h->ctx));
    else
        XXH3_128bits_reset(&h->xxh3);
}

void idx_hash_update(struct idx_hash *h, const void *data, size_t size)
{
    if (!size)
        return;
    if (h->md)
        must(h->md->update(&h->ctx, data, size));
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
    if (!h->md) {
        put_xxh3(XXH3_128bits_digest(&h->xxh3), out);
        return;
    }
    memset(out, 0, sizeof *out);
    must(h->md->final(out->bytes, &h->ctx));
    out->size = h->md->size;
}

void idx_hash_all(struct idx_hash *h, const void *data, size_t size, struct ost_digest *out)
{
    if (!h->md) {
        put_xxh3(XXH3_128bits(size ? data : "", size), out);
        return;
    }
    idx_hash_reset(h);
    idx_hash_update(h, data, size);
    idx_hash_final(h, out);
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

size_t idx_digest_text(const struct ost_digest *d, char out[IDX_DIGEST_TEXT])
{
    static const char xxh3_prefix[] = "xxh3:", sha256_prefix[] = "sha256:";
    size_t n;

    assert(d->size == 16 || d->size == 32);
    if (d->size == 16) {
        n = sizeof xxh3_prefix - 1;
        memcpy(out, xxh3_prefix, sizeof xxh3_prefix - 1);
    } else {
        n = sizeof sha256_prefix - 1;
        memcpy(out, sha256_prefix, sizeof sha256_prefix - 1);
    }
    hex_encode(d->bytes, d->size, out + n);
    return n + 2 * (size_t)d->size;
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

static void *one_begin(void *ctx)
{
    idx_hash_reset(ctx);
    return ctx;
}

static void one_end(void *state, struct ost_digest *out)
{
    idx_hash_final(state, out);
}

static void one_abort(void *state)
{
    (void)state;
}

struct ost_hasher idx_hasher_of(struct idx_hash *h)
{
    return (struct ost_hasher){
        .ctx = h, .begin = one_begin, .update = hasher_update, .end = one_end, .abort = one_abort};
}

struct ost_hasher idx_hasher(enum idx_algorithm algorithm)
{
    return (struct ost_hasher){.ctx = &algorithms[algorithm],
                               .begin = hasher_begin,
                               .update = hasher_update,
                               .end = hasher_end,
                               .abort = hasher_abort};
}
