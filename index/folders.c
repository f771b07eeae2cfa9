/*
 * folders.c: see folders.h.
 *
 * Folders stand in an array, in order of arrival; an open-addressing table of array positions (+ 1,
 * 0: free), at most half full, finds them by nid. A path is climbed from the folder up, noting
 * positions, and written from the top down. A circle is noticed by the mark that each climb leaves.
 */
#include "index/folders.h"

#include "io/err.h"
#include "io/mem.h"
#include "io/mix.h"
#include "scanner/ost/limits.h"

struct folder {
    uint32_t nid, parent;
    uint32_t name_size;
    uint32_t mark;  /* number of the climb that passed here last */
    size_t name_at; /* in names */
};

struct idx_folders {
    struct folder *list;
    uint32_t count, capacity;
    uint32_t *slots;
    uint32_t slot_mask; /* slots - 1, a power of two less one */
    uint32_t climb;
    struct buf names;
    uint64_t left; /* bytes of paths */
};

enum { FIRST_SLOTS = 64 };

int idx_folders_create(struct idx_folders **out)
{
    struct idx_folders *f = mem_zalloc(sizeof *f);

    if (!f)
        return ERR_NOMEM;
    f->slots = mem_zalloc(FIRST_SLOTS * sizeof *f->slots);
    f->slot_mask = FIRST_SLOTS - 1;
    f->left = UINT64_MAX;
    if (!f->slots) {
        mem_free(f);
        return ERR_NOMEM;
    }
    *out = f;
    return 0;
}

void idx_folders_destroy(struct idx_folders *f)
{
    if (!f)
        return;
    buf_done(&f->names);
    mem_free(f->list);
    mem_free(f->slots);
    mem_free(f);
}

/* The slot that holds the nid, or the free one where it belongs. */
static uint32_t *slot_of(const struct idx_folders *f, uint32_t nid)
{
    uint32_t at = (uint32_t)io_mix(nid, f) & f->slot_mask;

    while (f->slots[at] && f->list[f->slots[at] - 1].nid != nid)
        at = (at + 1) & f->slot_mask;
    return &f->slots[at];
}

static int grow_slots(struct idx_folders *f)
{
    uint32_t count = (f->slot_mask + 1) * 2;
    uint32_t *old = f->slots;

    f->slots = count ? mem_zalloc(count * sizeof *f->slots) : NULL;
    if (!f->slots) {
        f->slots = old;
        return ERR_NOMEM;
    }
    f->slot_mask = count - 1;
    for (uint32_t i = 0; i < f->count; i++)
        *slot_of(f, f->list[i].nid) = i + 1;
    mem_free(old);
    return 0;
}

static int grow(struct idx_folders *f)
{
    uint32_t capacity = f->capacity ? f->capacity * 2 : FIRST_SLOTS / 2;
    struct folder *list;

    if (f->count > f->slot_mask / 2 && grow_slots(f))
        return ERR_NOMEM;
    if (f->count < f->capacity)
        return 0;
    list = mem_realloc(f->list, (size_t)capacity * sizeof *list);
    if (!list)
        return ERR_NOMEM;
    f->list = list;
    f->capacity = capacity;
    return 0;
}

int idx_folders_add(struct idx_folders *f, uint32_t nid, uint32_t parent, struct bytes name)
{
    uint32_t kept = name.size > IDX_PATH_MAX ? IDX_PATH_MAX + 1 : (uint32_t)name.size;
    size_t name_at = f->names.size;

    if (*slot_of(f, nid))
        return 0;
    if (grow(f) || !buf_reserve(&f->names, kept)) {
        f->names.failed = false;
        return ERR_NOMEM;
    }
    buf_append(&f->names, name.data, kept);
    f->list[f->count] = (struct folder){nid, parent, kept, 0, name_at};
    *slot_of(f, nid) = ++f->count;
    return 0;
}

static void append_name(struct buf *out, const uint8_t *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '/')
            buf_puts(out, "%2F");
        else if (name[i] == '%')
            buf_puts(out, "%25");
        else
            buf_putc(out, (char)name[i]);
    }
}

/* Positions from the folder up to just below where the climb ends; -1: too deep. */
static int climb(struct idx_folders *f, uint32_t nid, uint32_t *way, enum idx_path *kind)
{
    int depth = 0;

    f->climb++;
    for (;;) {
        uint32_t position = *slot_of(f, nid);
        struct folder *folder = position ? &f->list[position - 1] : NULL;

        if (!folder || folder->mark == f->climb) {
            *kind = IDX_PATH_PART;
            return depth;
        }
        if (folder->parent == nid) {
            *kind = IDX_PATH_WHOLE;
            return depth;
        }
        if (depth == OST_LIMIT_FOLDER_DEPTH)
            return -1;
        folder->mark = f->climb;
        way[depth++] = position - 1;
        nid = folder->parent;
    }
}

void idx_folders_bound(struct idx_folders *f, uint64_t bytes)
{
    f->left = bytes;
}

enum idx_path idx_folders_path(struct idx_folders *f, uint32_t nid, struct buf *out)
{
    uint32_t way[OST_LIMIT_FOLDER_DEPTH];
    enum idx_path kind = IDX_PATH_ABSENT;
    const size_t start = out->size;
    int depth = *slot_of(f, nid) ? climb(f, nid, way, &kind) : -1;

    if (depth < 0)
        return IDX_PATH_ABSENT;
    for (int i = depth - 1; i >= 0; i--) {
        const struct folder *folder = &f->list[way[i]];

        if (i < depth - 1)
            buf_putc(out, '/');
        if (folder->name_size)
            append_name(out, f->names.data + folder->name_at, folder->name_size);
        if (out->size - start > IDX_PATH_MAX || out->size - start > f->left) {
            kind = IDX_PATH_ABSENT;
            break;
        }
    }
    f->left -= out->size - start < f->left ? out->size - start : f->left;
    if (kind == IDX_PATH_ABSENT)
        out->size = start;
    return kind;
}
