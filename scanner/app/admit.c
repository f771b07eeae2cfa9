/*
 * admit.c: see admit.h.
 *
 * A device's images stand in a list, from which they are taken at both ends; new ones are put
 * behind, and the list is sorted by size when the next image is chosen.
 */
#include "scanner/app/admit.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"

enum {
    FIRST = 16,
    NEED_TIMES = 3,         /* an image may carry all of itself, in a part of its memory, */
    NEED_ANYWAY = 16 << 20, /* and what it needs whatever its size */
    OTHERS_PART = 4,        /* of the memory, left for others while there may be some */
};

struct image {
    uint64_t size_bytes;
    size_t number;
};

struct device {
    uint64_t id;
    bool alone;
    unsigned open;
    struct image *list;
    size_t first, count, room;
    bool sorted; /* ascending by size, equal ones as they were found */
};

/* An image that was begun. */
struct open {
    size_t number, device;
    uint64_t memory_bytes;
    bool large; /* taken from the large end */
};

struct admit {
    unsigned workers;
    uint64_t memory_bytes, used_bytes;
    struct device *devices;
    size_t device_count, device_room;
    struct open *open; /* `workers` of them */
    unsigned open_count, large_count;
    size_t pending;
    bool closed;
};

int admit_create(unsigned workers, uint64_t memory_bytes, struct admit **out)
{
    struct admit *a = mem_zalloc(sizeof *a);

    if (!a)
        return ERR_NOMEM;
    a->workers = workers;
    a->memory_bytes = memory_bytes;
    a->open = mem_alloc_array(workers, sizeof *a->open);
    if (!a->open) {
        mem_free(a);
        return ERR_NOMEM;
    }
    *out = a;
    return 0;
}

void admit_destroy(struct admit *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->device_count; i++)
        mem_free(a->devices[i].list);
    mem_free(a->devices);
    mem_free(a->open);
    mem_free(a);
}

static bool make_room(void *list, size_t size, size_t count, size_t *room)
{
    void **at = list;
    size_t more = *room ? 2 * *room : FIRST;
    void *grown;

    if (count < *room)
        return true;
    grown = mem_realloc(*at, more * size);
    if (!grown)
        return false;
    *at = grown;
    *room = more;
    return true;
}

/* The device, made where it is not there yet. NULL: no memory. */
static struct device *device_of(struct admit *a, uint64_t id, bool alone)
{
    for (size_t i = 0; i < a->device_count; i++)
        if (a->devices[i].id == id)
            return &a->devices[i];
    if (!make_room(&a->devices, sizeof *a->devices, a->device_count, &a->device_room))
        return NULL;
    a->devices[a->device_count] = (struct device){.id = id, .alone = alone};
    return &a->devices[a->device_count++];
}

int admit_add(struct admit *a, size_t number, uint64_t size_bytes, uint64_t device, bool alone)
{
    struct device *d = device_of(a, device, alone);

    if (!d || !make_room(&d->list, sizeof *d->list, d->count, &d->room))
        return ERR_NOMEM;
    d->list[d->count++] = (struct image){size_bytes, number};
    d->sorted = false;
    a->pending++;
    return 0;
}

void admit_close(struct admit *a)
{
    a->closed = true;
}

static size_t left_of(const struct device *d)
{
    return d->count - d->first;
}

/* Of the devices that may have one more image open, the one with the fewest. NULL: none. */
static struct device *choose_device(const struct admit *a)
{
    struct device *best = NULL;

    for (size_t i = 0; i < a->device_count; i++) {
        struct device *d = &a->devices[i];

        if (left_of(d) && !(d->alone && d->open) && (!best || d->open < best->open))
            best = d;
    }
    return best;
}

static uint64_t least(uint64_t x, uint64_t y)
{
    return x < y ? x : y;
}

/* How much memory it gets; 0: it has to wait. */
static uint64_t memory_for(const struct admit *a, uint64_t size_bytes)
{
    uint64_t fair = a->memory_bytes / a->workers, most = a->memory_bytes - a->used_bytes, want;
    bool others = a->workers > 1 && (a->pending > 1 || !a->closed);

    want = least(size_bytes, a->memory_bytes) * NEED_TIMES + NEED_ANYWAY;
    if (a->open_count && (!most || most < least(want, fair / 2)))
        return 0;
    if (others && want > fair)
        most -= most / OTHERS_PART;
    return want < most ? want : most ? most : 1;
}

static bool takes_large(const struct admit *a)
{
    return a->large_count + 1 < a->workers;
}

static int by_size(const void *a, const void *b)
{
    const struct image *x = a, *y = b;

    if (x->size_bytes != y->size_bytes)
        return x->size_bytes < y->size_bytes ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Its place in the device's list. Of equal ones the first that was found. */
static size_t choose_image(const struct admit *a, struct device *d)
{
    size_t at = d->first;

    if (!d->sorted)
        io_sort(d->list + d->first, left_of(d), sizeof *d->list, by_size);
    d->sorted = true;
    if (!takes_large(a))
        return at;
    at = d->count - 1;
    while (at > d->first && d->list[at - 1].size_bytes == d->list[at].size_bytes)
        at--;
    return at;
}

bool admit_can(struct admit *a)
{
    struct device *d = a->open_count < a->workers ? choose_device(a) : NULL;

    return d && memory_for(a, d->list[choose_image(a, d)].size_bytes) > 0;
}

bool admit_next(struct admit *a, struct admitted *out)
{
    struct device *d = a->open_count < a->workers ? choose_device(a) : NULL;
    bool large = takes_large(a);
    struct image image;
    uint64_t memory;
    size_t at;

    if (!d)
        return false;
    at = choose_image(a, d);
    image = d->list[at];
    memory = memory_for(a, image.size_bytes);
    if (!memory)
        return false;
    if (large) {
        d->count--;
        memmove(&d->list[at], &d->list[at + 1], (d->count - at) * sizeof image);
    } else {
        d->first++;
    }
    d->open++;
    a->pending--;
    a->used_bytes += memory;
    a->large_count += large;
    a->open[a->open_count++] = (struct open){.number = image.number,
                                             .device = (size_t)(d - a->devices),
                                             .memory_bytes = memory,
                                             .large = large};
    *out = (struct admitted){.number = image.number, .memory_bytes = memory, .alone = d->alone};
    return true;
}

void admit_end(struct admit *a, size_t number)
{
    for (unsigned i = 0; i < a->open_count; i++) {
        const struct open o = a->open[i];

        if (o.number != number)
            continue;
        a->devices[o.device].open--;
        a->used_bytes -= o.memory_bytes;
        a->large_count -= o.large;
        a->open[i] = a->open[--a->open_count];
        return;
    }
}

bool admit_is_over(const struct admit *a)
{
    return a->closed && a->pending == 0;
}
