/* sort.c: see sort.h. A heap sort; an array already in order is noticed and left. */
#include "io/sort.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct array {
    unsigned char *base;
    size_t size;
    int (*compare)(const void *, const void *, void *);
    void *ctx;
};

/* A comparison that wants no context. */
struct plain {
    int (*compare)(const void *, const void *);
};

static void *at(const struct array *a, size_t i)
{
    return a->base + i * a->size;
}

static int compare(const struct array *a, size_t i, size_t k)
{
    return a->compare(at(a, i), at(a, k), a->ctx);
}

static void swap(const struct array *a, size_t i, size_t k)
{
    unsigned char t[IO_SORT_ELEMENT_MAX];

    memcpy(t, at(a, i), a->size);
    memcpy(at(a, i), at(a, k), a->size);
    memcpy(at(a, k), t, a->size);
}

static void sift_down(const struct array *a, size_t i, size_t count)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= count)
            return;
        if (child + 1 < count && compare(a, child, child + 1) < 0)
            child++;
        if (compare(a, i, child) >= 0)
            return;
        swap(a, i, child);
        i = child;
    }
}

static bool is_sorted(const struct array *a, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (compare(a, i - 1, i) > 0)
            return false;
    return true;
}

static int compare_plain(const void *a, const void *b, void *ctx)
{
    return ((const struct plain *)ctx)->compare(a, b);
}

void io_sort(void *base, size_t count, size_t size, int (*order)(const void *, const void *))
{
    struct plain plain = {order};

    io_sort_r(base, count, size, compare_plain, &plain);
}

void io_sort_r(void *base, size_t count, size_t size,
               int (*order)(const void *, const void *, void *), void *ctx)
{
    struct array a = {base, size, order, ctx};

    assert(size <= IO_SORT_ELEMENT_MAX);
    if (is_sorted(&a, count))
        return;
    for (size_t i = count / 2; i-- > 0;)
        sift_down(&a, i, count);
    for (size_t end = count - 1; end > 0; end--) {
        swap(&a, 0, end);
        sift_down(&a, 0, end);
    }
}
