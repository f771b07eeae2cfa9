/*
 * sort.c: see sort.h.
 *
 * Ranges are parted by the median of three (of three such medians where they are long), short ones
 * sorted by insertion. One that was parted more often than chance would have it becomes a heap, so
 * that no order is slow. Keys go by digits, those in which they are all the same left out. An array
 * already in order is noticed and left.
 */
#include "io/sort.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SHORT = 16, LONG = 256, RANGES = 64 };

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
    unsigned char *x = at(a, i), *y = at(a, k);
    size_t n = 0;

    for (; n + 8 <= a->size; n += 8) {
        uint64_t t, u;

        memcpy(&t, x + n, 8);
        memcpy(&u, y + n, 8);
        memcpy(x + n, &u, 8);
        memcpy(y + n, &t, 8);
    }
    for (; n < a->size; n++) {
        unsigned char t = x[n];

        x[n] = y[n];
        y[n] = t;
    }
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

static void sort_as_heap(const struct array *a, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(a, i, count);
    for (size_t end = count - 1; end > 0; end--) {
        swap(a, 0, end);
        sift_down(a, 0, end);
    }
}

static void insert_all(const struct array *a, size_t first, size_t end)
{
    unsigned char held[IO_SORT_ELEMENT_MAX];

    for (size_t i = first + 1; i < end; i++) {
        size_t k = i;

        if (compare(a, i - 1, i) <= 0)
            continue;
        memcpy(held, at(a, i), a->size);
        for (; k > first && a->compare(at(a, k - 1), held, a->ctx) > 0; k--)
            memcpy(at(a, k), at(a, k - 1), a->size);
        memcpy(at(a, k), held, a->size);
    }
}

/* Puts three elements in order. */
static void order_three(const struct array *a, size_t i, size_t k, size_t m)
{
    if (compare(a, i, k) > 0)
        swap(a, i, k);
    if (compare(a, k, m) > 0) {
        swap(a, k, m);
        if (compare(a, i, k) > 0)
            swap(a, i, k);
    }
}

/* Where the range is parted: what is before it is nowhere larger than what is behind. The first
 * element is not larger than the middle one, and the last not smaller, so neither side runs out. */
static size_t part(const struct array *a, size_t first, size_t end)
{
    unsigned char middle[IO_SORT_ELEMENT_MAX];
    size_t m = first + (end - first) / 2, i = first, k = end - 1;

    if (end - first > LONG) {
        size_t step = (end - first) / 8;

        order_three(a, first + step, first + 2 * step, first + 3 * step);
        order_three(a, m - 1, m, m + 1);
        order_three(a, end - 1 - 3 * step, end - 1 - 2 * step, end - 1 - step);
        order_three(a, first + 2 * step, m, end - 1 - 2 * step);
    }
    order_three(a, first, m, end - 1);
    memcpy(middle, at(a, m), a->size);
    for (;;) {
        while (a->compare(at(a, i), middle, a->ctx) < 0)
            i++;
        while (a->compare(at(a, k), middle, a->ctx) > 0)
            k--;
        if (i >= k)
            return k + 1;
        swap(a, i++, k--);
    }
}

static void sort_by_parts(const struct array *a, size_t count)
{
    struct range {
        size_t first, end;
        unsigned left; /* times that it may be parted */
    } ranges[RANGES], r = {0, count, 0};
    size_t waiting = 0;

    for (size_t n = count; n; n /= 2)
        r.left += 2;
    for (;;) {
        size_t at_part;

        if (r.end - r.first <= SHORT) {
            insert_all(a, r.first, r.end);
        } else if (!r.left) {
            const struct array heap = {at(a, r.first), a->size, a->compare, a->ctx};

            sort_as_heap(&heap, r.end - r.first);
        } else {
            struct range shorter, longer;

            at_part = part(a, r.first, r.end);
            shorter = (struct range){r.first, at_part, r.left - 1};
            longer = (struct range){at_part, r.end, r.left - 1};
            if (shorter.end - shorter.first > longer.end - longer.first) {
                struct range t = shorter;

                shorter = longer;
                longer = t;
            }
            assert(waiting < RANGES); /* each is at most half of the one before */
            ranges[waiting++] = longer;
            r = shorter;
            continue;
        }
        if (!waiting)
            return;
        r = ranges[--waiting];
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
    sort_by_parts(&a, count);
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
