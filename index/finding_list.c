/*
 * finding_list.c: see finding_list.h. Findings stand in one array that is sorted at the end;
 * their strings and nid lists live in an arena. Joining the nid lists of equal findings allocates
 * from that arena too, and where it is full the longer list of the two is kept.
 */
#include "index/finding_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/arena.h"
#include "io/err.h"
#include "io/mem.h"

struct entry {
    struct finding finding;
    size_t sequence; /* keeps the sort stable */
    uint64_t merged; /* equal findings that it stands for */
};

struct idx_finding_list {
    struct arena arena;
    struct entry *entries;
    size_t count, capacity;
    uint64_t dropped;
    bool sealed;
};

enum { ARENA_LIMIT = 64 << 20 };

int idx_finding_list_create(struct idx_finding_list **out)
{
    struct idx_finding_list *l = mem_zalloc(sizeof *l);

    if (!l)
        return ERR_NOMEM;
    arena_init(&l->arena, ARENA_LIMIT);
    *out = l;
    return 0;
}

void idx_finding_list_destroy(struct idx_finding_list *l)
{
    if (!l)
        return;
    arena_done(&l->arena);
    mem_free(l->entries);
    mem_free(l);
}

void idx_finding_list_soften(struct idx_finding_list *l)
{
    assert(!l->sealed);
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].finding.severity == SEVERITY_CORRUPT)
            l->entries[i].finding.severity = SEVERITY_WARNING;
}

static int make_room(struct idx_finding_list *l)
{
    size_t capacity = l->capacity ? l->capacity * 2 : 64;
    struct entry *grown;

    if (l->count < l->capacity)
        return 0;
    grown = mem_realloc(l->entries, capacity * sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    l->entries = grown;
    l->capacity = capacity;
    return 0;
}

static int copy_lists(struct arena *arena, struct finding *f)
{
    if (f->item_count) {
        f->items = arena_copy(arena, f->items, f->item_count * sizeof *f->items);
        if (!f->items)
            return ERR_NOMEM;
    }
    if (f->folder_count) {
        f->folders = arena_copy(arena, f->folders, f->folder_count * sizeof *f->folders);
        if (!f->folders)
            return ERR_NOMEM;
    }
    if (f->detail) {
        f->detail = arena_strdup(arena, f->detail);
        if (!f->detail)
            return ERR_NOMEM;
    }
    return 0;
}

int idx_finding_list_add(struct idx_finding_list *l, const struct finding *f)
{
    struct finding copy = *f;
    int err;

    assert(!l->sealed);
    if (l->count >= IDX_FINDINGS_MOST || l->arena.used_bytes > ARENA_LIMIT / 2) {
        l->dropped++;
        return 0;
    }
    err = make_room(l);
    if (!err)
        err = copy_lists(&l->arena, &copy);
    if (err)
        return err;
    l->entries[l->count] = (struct entry){.finding = copy, .sequence = l->count, .merged = 1};
    l->count++;
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = finding_compare(&x->finding, &y->finding);

    return order ? order : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static int compare_nids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The union of two nid lists, ascending. */
static void join_nids(struct arena *arena, const uint32_t **into, size_t *count,
                      const uint32_t *more, size_t more_count)
{
    uint32_t *all;
    size_t n = 0;

    if (!more_count)
        return;
    all = arena_alloc_array(arena, *count + more_count, sizeof *all);
    if (!all) {
        if (more_count > *count) {
            *into = more;
            *count = more_count;
        }
        return;
    }
    if (*count)
        memcpy(all, *into, *count * sizeof *all);
    memcpy(all + *count, more, more_count * sizeof *all);
    qsort(all, *count + more_count, sizeof *all, compare_nids);
    for (size_t i = 0; i < *count + more_count; i++)
        if (!n || all[i] != all[n - 1])
            all[n++] = all[i];
    *into = all;
    *count = n;
}

static struct finding finding_of_dropped(const struct idx_finding_list *l)
{
    struct finding f = finding_of(F_findings_dropped);

    f.has_actual = true;
    f.actual = l->dropped;
    return f;
}

int idx_finding_list_each(struct idx_finding_list *l, void *ctx,
                          int (*each)(void *ctx, const struct finding *f))
{
    struct finding dropped = finding_of_dropped(l);
    int rc = 0;

    for (size_t i = 0; i < l->count && !rc; i++)
        rc = each(ctx, &l->entries[i].finding);
    return !rc && l->dropped ? each(ctx, &dropped) : rc;
}

static int add_dropped(struct idx_finding_list *l)
{
    struct finding f = finding_of_dropped(l);
    int err = make_room(l);

    if (err)
        return err;
    l->entries[l->count] = (struct entry){.finding = f, .sequence = l->count, .merged = 1};
    l->count++;
    return 0;
}

int idx_finding_list_seal(struct idx_finding_list *l)
{
    size_t n = 0;
    int err = l->dropped ? add_dropped(l) : 0;

    if (err)
        return err;
    if (l->count)
        qsort(l->entries, l->count, sizeof *l->entries, compare_entries);
    for (size_t i = 0; i < l->count; i++) {
        struct finding *last = n ? &l->entries[n - 1].finding : NULL;
        const struct finding *f = &l->entries[i].finding;

        if (last && finding_compare(last, f) == 0) {
            join_nids(&l->arena, &last->items, &last->item_count, f->items, f->item_count);
            join_nids(&l->arena, &last->folders, &last->folder_count, f->folders, f->folder_count);
            l->entries[n - 1].merged++;
        } else {
            l->entries[n++] = l->entries[i];
        }
    }
    l->count = n;
    l->sealed = true;
    return 0;
}

size_t idx_finding_list_count(const struct idx_finding_list *l)
{
    assert(l->sealed);
    return l->count;
}

const struct finding *idx_finding_list_at(const struct idx_finding_list *l, size_t i)
{
    assert(l->sealed && i < l->count);
    return &l->entries[i].finding;
}

uint64_t idx_finding_list_merged(const struct idx_finding_list *l, size_t i)
{
    assert(l->sealed && i < l->count);
    return l->entries[i].merged;
}
