/* order.c: see order.h. A radix sort: its passes are over the bits that differ, and in sequence. */
#include "scanner/check/order.h"

#include <assert.h>
#include <string.h>

#include "io/err.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static unsigned bits_for(uint64_t values)
{
    return values > 1 ? 64 - (unsigned)__builtin_clzll(values - 1) : 1;
}

int chk_order_init(struct chk_order *o, struct chk_budget *budget, const struct ost_plan *plan,
                   uint64_t file_size)
{
    int rc = 0;

    *o = (struct chk_order){.capacity = plan->block_count + plan->page_count};
    o->bits = bits_for(o->capacity);
    if (o->bits + bits_for(file_size / plan->variant->unit + 1) > 64)
        return ERR_LIMIT;
    o->keys = chk_take(budget, o->capacity * sizeof *o->keys, &rc);
    return rc;
}

void chk_order_done(struct chk_order *o, struct chk_budget *budget)
{
    chk_give(budget, o->keys, o->capacity * sizeof *o->keys);
    o->keys = NULL;
    o->count = 0;
}

void chk_order_add(struct chk_order *o, const struct ost_plan *plan, size_t entry, uint64_t offset)
{
    assert(o->count < o->capacity && offset % plan->variant->unit == 0);
    o->keys[o->count++] = offset / plan->variant->unit << o->bits | entry;
}

static void pass(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
    size_t starts[DIGITS] = {0}, sum = 0;

    for (size_t i = 0; i < count; i++)
        starts[from[i] >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t n = starts[d];

        starts[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

int chk_order_sort(struct chk_order *o, struct chk_budget *budget)
{
    uint64_t differ = 0, *spare, *from = o->keys;
    bool sorted = true;
    int rc = 0;

    for (size_t i = 1; i < o->count; i++) {
        differ |= o->keys[i] ^ o->keys[0];
        sorted = sorted && o->keys[i - 1] < o->keys[i];
    }
    if (sorted)
        return 0;
    spare = chk_take(budget, o->capacity * sizeof *spare, &rc);
    if (!spare)
        return rc;
    for (unsigned shift = 0; shift < 64 && differ >> shift; shift += DIGIT_BITS) {
        uint64_t *to = from == o->keys ? spare : o->keys;

        if (!(differ >> shift & (DIGITS - 1)))
            continue;
        pass(from, to, o->count, shift);
        from = to;
    }
    if (from == spare) {
        spare = o->keys;
        o->keys = from;
    }
    chk_give(budget, spare, o->capacity * sizeof *spare);
    return 0;
}

size_t chk_order_from(const struct chk_order *o, uint64_t unit)
{
    size_t low = 0, high = o->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (chk_order_unit(o, middle) < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
