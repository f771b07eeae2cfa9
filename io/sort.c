/* sort.c: see sort.h. A heap sort, and of keys a radix sort that leaves out digits in which they
 * are all the same; an array already in order is noticed and left. */
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

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static void pass(const struct io_keyed *from, struct io_keyed *to, size_t count, unsigned shift)
{
    size_t starts[DIGITS] = {0}, sum = 0;

    for (size_t i = 0; i < count; i++)
        starts[from[i].key >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t n = starts[d];

        starts[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

struct io_keyed *io_sort_keyed(struct io_keyed *list, struct io_keyed *spare, size_t count)
{
    uint64_t differ = 0;
    bool sorted = true;

    for (size_t i = 1; i < count; i++) {
        differ |= list[i].key ^ list[0].key;
        sorted = sorted && list[i - 1].key <= list[i].key;
    }
    if (sorted)
        return list;
    for (unsigned shift = 0; shift < 64 && differ >> shift; shift += DIGIT_BITS) {
        struct io_keyed *from = list;

        if (!(differ >> shift & (DIGITS - 1)))
            continue;
        pass(from, spare, count, shift);
        list = spare;
        spare = from;
    }
    return list;
}
