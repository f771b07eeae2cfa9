/* dup_images.c: see dup_images.h. */
#include "index/dup_images.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/json_read.h"
#include "index/manifest.h"
#include "io/mem.h"

enum { PATH_BYTES_MOST = 64 * 1024, TIME_BYTES_MOST = 64 };

const char *dup_image_state_name(enum dup_image_state state)
{
    static const char *const names[] = {"unread", "complete", "incomplete", "unreadable",
                                        "repeated"};

    return names[state];
}

void dup_images_init(struct dup_images *t)
{
    *t = (struct dup_images){0};
}

static void destroy(struct dup_image *i)
{
    mem_free(i->manifest);
    buf_done(&i->path);
    buf_done(&i->identity);
    buf_done(&i->changed);
    mem_free(i->folders);
    mem_free(i);
}

void dup_images_done(struct dup_images *t)
{
    for (size_t i = 0; i < t->count; i++)
        destroy(t->list[i]);
    mem_free(t->list);
    *t = (struct dup_images){0};
}

void dup_image_fail(struct dup_image *i, enum dup_image_state state, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(i->reason, sizeof i->reason, format, args);
    va_end(args);
    i->state = state;
}

static bool is_schema_known(struct bytes line)
{
    struct json_token token;
    struct bytes value;
    uint64_t schema;

    return json_find(line, "schema", &value) == 1 && json_scalar(value, &token) &&
           json_token_u64(&token, &schema) && schema == IDX_MANIFEST_SCHEMA;
}

/* The identity out of an `image` record. ERR_DAMAGED: it does not tell. */
static int identify(struct dup_image *i, struct bytes line)
{
    struct bytes size, mtime;
    struct json_token token;
    int got = dup_stored_text(line, "path", &i->path);

    if (got != 1)
        return got < 0 ? got : ERR_DAMAGED;
    if (i->path.size > PATH_BYTES_MOST || json_find(line, "size", &size) != 1 ||
        json_find(line, "mtime", &mtime) != 1 || mtime.size > TIME_BYTES_MOST ||
        !json_scalar(size, &token) || !json_token_u64(&token, &i->size_bytes))
        return ERR_DAMAGED;
    buf_append(&i->identity, i->path.data, i->path.size);
    buf_putc(&i->identity, '\0');
    buf_append(&i->identity, size.data, size.size);
    buf_putc(&i->identity, '\0');
    buf_append(&i->identity, mtime.data, mtime.size);
    /* Without the Z, which sorts behind the point that decimals begin with. */
    buf_append(&i->changed, mtime.data, memrchr(mtime.data, 'Z', mtime.size) ? mtime.size - 2 : 0);
    return i->identity.failed || i->changed.failed ? ERR_NOMEM : 0;
}

/* One of the two records of the head. ERR_DAMAGED with its reason. */
static int head_record(struct dup_image *i, struct idx_manifest_reader *r, enum idx_record wanted)
{
    enum idx_manifest_state state;
    enum idx_record type;
    struct bytes line;
    int got = idx_manifest_next(r, &type, &line, &state);

    if (got < 0)
        return got;
    if (got == 0 || type != wanted) {
        dup_image_fail(i, DUP_UNREADABLE, "%s",
                       got ? "it has no `image` record" : idx_manifest_reason(r));
        return ERR_DAMAGED;
    }
    if (wanted == RECORD_SCAN && !is_schema_known(line)) {
        dup_image_fail(i, DUP_UNREADABLE, "its schema is unknown to this program");
        return ERR_DAMAGED;
    }
    if (wanted == RECORD_SCAN)
        idx_redacted_by(line, i->redacted);
    got = wanted == RECORD_IMAGE ? identify(i, line) : 0;
    if (got == ERR_DAMAGED)
        dup_image_fail(i, DUP_UNREADABLE, "its `image` record is not well-formed");
    return got;
}

static int read_head(struct dup_image *i)
{
    struct idx_manifest_reader *r = NULL;
    struct fault fault = {0};
    int code = idx_manifest_open(i->manifest, &r, &fault);

    if (!code)
        code = head_record(i, r, RECORD_SCAN);
    if (!code)
        code = head_record(i, r, RECORD_IMAGE);
    idx_manifest_close(r);
    i->has_head = !code;
    if (code && code != ERR_DAMAGED && code != ERR_NOMEM)
        dup_image_fail(i, DUP_UNREADABLE, "%s", err_why(code, fault.errnum));
    return code == ERR_NOMEM ? code : 0;
}

int dup_images_add(struct dup_images *t, const char *manifest)
{
    struct dup_image *i;
    int code;

    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 64;
        struct dup_image **grown = mem_realloc(t->list, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        t->list = grown;
        t->capacity = capacity;
    }
    i = mem_zalloc(sizeof *i);
    if (!i)
        return ERR_NOMEM;
    i->manifest = mem_strdup(manifest);
    code = i->manifest ? read_head(i) : ERR_NOMEM;
    if (code) {
        destroy(i);
        return code;
    }
    t->list[t->count++] = i;
    return 0;
}

static int compare_bufs(const struct buf *a, const struct buf *b)
{
    size_t least = a->size < b->size ? a->size : b->size;
    int order = least ? memcmp(a->data, b->data, least) : 0;

    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int by_identity(const void *left, const void *right)
{
    const struct dup_image *a = *(struct dup_image *const *)left;
    const struct dup_image *b = *(struct dup_image *const *)right;
    int order = b->has_head - a->has_head;

    if (!order)
        order = compare_bufs(&a->changed, &b->changed);
    if (!order)
        order = (a->size_bytes > b->size_bytes) - (a->size_bytes < b->size_bytes);
    if (!order)
        order = compare_bufs(&a->identity, &b->identity);
    return order ? order : strcmp(a->manifest, b->manifest);
}

/* How well a manifest tells of its image. */
struct worth {
    bool complete;
    uint64_t items;
    struct ost_digest digest; /* of its records, where all else is equal */
};

static int weigh(const struct dup_image *i, struct worth *out)
{
    struct idx_manifest_reader *r = NULL;
    enum idx_manifest_state state = MANIFEST_DAMAGED;
    struct idx_hash *hash = NULL;
    enum idx_record type;
    struct bytes line;
    struct fault fault;
    int got = idx_hash_create(IDX_XXH3, &hash);

    *out = (struct worth){0};
    if (got)
        return got;
    got = idx_manifest_open(i->manifest, &r, &fault);
    while (!got && (got = idx_manifest_next(r, &type, &line, &state)) == 1) {
        out->items += type == RECORD_ITEM;
        idx_hash_update(hash, line.data, line.size);
        got = 0;
    }
    out->complete = !got && state == MANIFEST_COMPLETE;
    idx_hash_final(hash, &out->digest);
    idx_hash_destroy(hash);
    idx_manifest_close(r);
    return got == ERR_NOMEM ? got : 0;
}

static bool is_better(const struct worth *a, const struct worth *b)
{
    if (a->complete != b->complete)
        return a->complete;
    if (a->items != b->items)
        return a->items > b->items;
    return memcmp(a->digest.bytes, b->digest.bytes, a->digest.size) < 0;
}

/* Images from `first` to before `end` are one: all but the best are repeated. */
static int choose(struct dup_image **first, struct dup_image **end)
{
    struct dup_image *best = *first;
    struct worth most, worth;
    int code = weigh(best, &most);

    for (struct dup_image **i = first + 1; !code && i < end; i++) {
        code = weigh(*i, &worth);
        if (!code && is_better(&worth, &most)) {
            most = worth;
            best = *i;
        }
    }
    for (struct dup_image **i = first; !code && i < end; i++) {
        if (*i == best)
            continue;
        (*i)->state = DUP_REPEATED;
        (*i)->taken = best;
    }
    return code;
}

int dup_images_settle(struct dup_images *t)
{
    size_t end;

    if (t->count)
        qsort(t->list, t->count, sizeof *t->list, by_identity);
    for (size_t i = 0; i < t->count && t->list[i]->has_head; i = end) {
        int code;

        for (end = i + 1; end < t->count && t->list[end]->has_head &&
                          compare_bufs(&t->list[i]->identity, &t->list[end]->identity) == 0;)
            end++;
        code = end > i + 1 ? choose(t->list + i, t->list + end) : 0;
        if (code)
            return code;
    }
    return 0;
}

int dup_image_add_folder(struct dup_image *i, const struct dup_folder *folder)
{
    if (i->folder_count == i->folder_capacity) {
        size_t capacity = i->folder_capacity ? 2 * i->folder_capacity : 32;
        struct dup_folder *grown = mem_realloc(i->folders, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        i->folders = grown;
        i->folder_capacity = capacity;
    }
    i->folders[i->folder_count++] = *folder;
    return 0;
}

/* Of a nid that a manifest names twice, the first in the file is found. */
static int by_nid(const void *left, const void *right)
{
    const struct dup_folder *a = left, *b = right;

    if (a->nid != b->nid)
        return a->nid < b->nid ? -1 : 1;
    return (a->path_at > b->path_at) - (a->path_at < b->path_at);
}

void dup_image_sort_folders(struct dup_image *i)
{
    if (i->folder_count && !i->folders_sorted)
        qsort(i->folders, i->folder_count, sizeof *i->folders, by_nid);
    i->folders_sorted = true;
}

struct dup_folder *dup_image_folder(const struct dup_image *i, uint32_t nid)
{
    size_t low = 0, high = i->folder_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (i->folders[middle].nid < nid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < i->folder_count && i->folders[low].nid == nid ? &i->folders[low] : NULL;
}
