/* native_dues.c: see native_dues.h. */
#include "scanner/native_dues.h"

#include "io/err.h"
#include "io/mem.h"

enum { FIRST = 64 };

bool native_due_precedes(const struct native_due *a, const struct native_due *b)
{
    return a->order != b->order ? a->order < b->order : a->node < b->node;
}

int native_dues_add(struct native_dues *d, struct native_due due)
{
    if (d->count == d->room) {
        size_t room = d->room ? 2 * d->room : FIRST;
        struct native_due *list = mem_realloc(d->list, room * sizeof *list);

        if (!list)
            return ERR_NOMEM;
        d->list = list;
        d->room = room;
    }
    d->list[d->count++] = due;
    return 0;
}

int native_dues_push(struct native_dues *heap, struct native_due due)
{
    size_t at = heap->count;
    int rc = native_dues_add(heap, due);

    if (rc)
        return rc;
    for (; at > 0 && native_due_precedes(&due, &heap->list[(at - 1) / 2]); at = (at - 1) / 2)
        heap->list[at] = heap->list[(at - 1) / 2];
    heap->list[at] = due;
    return 0;
}

struct native_due native_dues_pop(struct native_dues *heap)
{
    struct native_due top = heap->list[0], last = heap->list[--heap->count];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->count &&
            native_due_precedes(&heap->list[child + 1], &heap->list[child]))
            child++;
        if (child >= heap->count || !native_due_precedes(&heap->list[child], &last))
            break;
        heap->list[at] = heap->list[child];
        at = child;
    }
    if (heap->count)
        heap->list[at] = last;
    return top;
}

void native_dues_done(struct native_dues *d)
{
    mem_free(d->list);
    *d = (struct native_dues){0};
}
