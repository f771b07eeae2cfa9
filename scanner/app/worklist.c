/*
 * worklist.c: see worklist.h. Entries stand in chunks of fixed size behind a growing table of
 * chunks, so that a pointer to one stays good while others are added. A chunk goes with its last
 * entry.
 */
#include "scanner/app/worklist.h"

#include <assert.h>
#include <pthread.h>

#include "io/err.h"
#include "io/mem.h"

enum { CHUNK = 256 };

struct worklist {
    void (*release)(void *outcome);
    struct work **chunks;
    size_t chunk_capacity;
    size_t count, dropped;
    pthread_mutex_t mutex;
};

int worklist_create(void (*release)(void *outcome), struct worklist **out)
{
    struct worklist *l = mem_zalloc(sizeof *l);

    if (!l)
        return ERR_NOMEM;
    l->release = release;
    pthread_mutex_init(&l->mutex, NULL);
    *out = l;
    return 0;
}

static struct work *entry_at(const struct worklist *l, size_t i)
{
    return &l->chunks[i / CHUNK][i % CHUNK];
}

size_t worklist_count(const struct worklist *l)
{
    return l->count;
}

void worklist_destroy(struct worklist *l)
{
    if (!l)
        return;
    while (l->dropped < l->count)
        worklist_drop(l);
    if (l->count % CHUNK)
        mem_free(l->chunks[l->count / CHUNK]);
    mem_free(l->chunks);
    pthread_mutex_destroy(&l->mutex);
    mem_free(l);
}

struct work *worklist_peek(struct worklist *l, size_t i)
{
    struct work *w;

    pthread_mutex_lock(&l->mutex);
    assert(i >= l->dropped);
    w = i < l->count ? entry_at(l, i) : NULL;
    pthread_mutex_unlock(&l->mutex);
    return w;
}

void worklist_drop(struct worklist *l)
{
    struct work *w = worklist_peek(l, l->dropped);
    void *chunk = NULL;

    assert(w);
    mem_free(w->path);
    mem_free(w->same_as);
    if (w->outcome)
        l->release(w->outcome);
    pthread_mutex_lock(&l->mutex);
    if (++l->dropped % CHUNK == 0)
        chunk = l->chunks[l->dropped / CHUNK - 1];
    pthread_mutex_unlock(&l->mutex);
    mem_free(chunk);
}

/* Makes sure that entry number l->count has its place. */
static int make_room(struct worklist *l)
{
    size_t chunk = l->count / CHUNK;

    if (l->count % CHUNK)
        return 0;
    if (chunk >= l->chunk_capacity) {
        size_t capacity = l->chunk_capacity ? l->chunk_capacity * 2 : 16;
        struct work **grown = mem_realloc(l->chunks, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        l->chunks = grown;
        l->chunk_capacity = capacity;
    }
    l->chunks[chunk] = mem_alloc_array(CHUNK, sizeof **l->chunks);
    return l->chunks[chunk] ? 0 : ERR_NOMEM;
}

static int add(struct worklist *l, const struct work *entry, size_t *number)
{
    int err;

    pthread_mutex_lock(&l->mutex);
    err = make_room(l);
    if (!err) {
        *entry_at(l, l->count) = *entry;
        *number = l->count++;
    }
    pthread_mutex_unlock(&l->mutex);
    return err;
}

int worklist_add_image(struct worklist *l, const struct io_found *found, size_t *number)
{
    struct work entry = {.kind = WORK_IMAGE,
                         .named = found->named,
                         .by_name = found->by_name,
                         .share = found->share};
    int err;

    entry.path = mem_strdup(found->path);
    if (!entry.path)
        return ERR_NOMEM;
    err = add(l, &entry, number);
    if (err)
        mem_free(entry.path);
    return err;
}

int worklist_add_skipped(struct worklist *l, const char *path, enum io_skip why,
                         const struct fault *fault, const char *same_as)
{
    struct work entry = {.kind = WORK_SKIPPED, .why = why};
    size_t number;
    int err = ERR_NOMEM;

    entry.skip_errnum = fault ? fault->errnum : 0;
    entry.path = mem_strdup(path);
    entry.same_as = same_as ? mem_strdup(same_as) : NULL;
    if (entry.path && !same_as == !entry.same_as)
        err = add(l, &entry, &number);
    if (err) {
        mem_free(entry.path);
        mem_free(entry.same_as);
    }
    return err;
}
