/* hash_pool.c: see hash_pool.h. */
#include "index/hash_pool.h"

#include <pthread.h>

#include "io/err.h"
#include "io/mem.h"

struct pooled {
    struct idx_hash_pool *pool;
    struct pooled *next; /* of those at rest */
    struct idx_hash *hash;
};

struct idx_hash_pool {
    enum idx_algorithm algorithm;
    pthread_mutex_t mutex; /* over the list: */
    struct pooled *at_rest;
};

int idx_hash_pool_create(enum idx_algorithm algorithm, struct idx_hash_pool **out)
{
    struct idx_hash_pool *p = mem_zalloc(sizeof *p);

    if (!p)
        return ERR_NOMEM;
    p->algorithm = algorithm;
    pthread_mutex_init(&p->mutex, NULL);
    *out = p;
    return 0;
}

void idx_hash_pool_destroy(struct idx_hash_pool *p)
{
    if (!p)
        return;
    while (p->at_rest) {
        struct pooled *s = p->at_rest;

        p->at_rest = s->next;
        idx_hash_destroy(s->hash);
        mem_free(s);
    }
    pthread_mutex_destroy(&p->mutex);
    mem_free(p);
}

static struct pooled *take(struct idx_hash_pool *p)
{
    struct pooled *s;

    pthread_mutex_lock(&p->mutex);
    s = p->at_rest;
    if (s)
        p->at_rest = s->next;
    pthread_mutex_unlock(&p->mutex);
    return s;
}

static struct pooled *make(struct idx_hash_pool *p)
{
    struct pooled *s = mem_zalloc(sizeof *s);

    if (!s)
        return NULL;
    s->pool = p;
    if (idx_hash_create(p->algorithm, &s->hash)) {
        mem_free(s);
        return NULL;
    }
    return s;
}

static void *begin(void *ctx)
{
    struct pooled *s = take(ctx);

    if (!s)
        return make(ctx);
    idx_hash_reset(s->hash);
    return s;
}

static void update(void *state, const void *data, size_t size)
{
    idx_hash_update(((struct pooled *)state)->hash, data, size);
}

static void put_back(void *state)
{
    struct pooled *s = state;
    struct idx_hash_pool *p = s->pool;

    pthread_mutex_lock(&p->mutex);
    s->next = p->at_rest;
    p->at_rest = s;
    pthread_mutex_unlock(&p->mutex);
}

static void end(void *state, struct ost_digest *out)
{
    idx_hash_final(((struct pooled *)state)->hash, out);
    put_back(state);
}

struct ost_hasher idx_hash_pool_hasher(struct idx_hash_pool *p)
{
    return (struct ost_hasher){
        .ctx = p, .begin = begin, .update = update, .end = end, .abort = put_back};
}
