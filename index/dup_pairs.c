/*
 * dup_pairs.c: see dup_pairs.h. A table by open addressing takes sums until it is three quarters
 * full; then it grows, or, as large as it may be, all of them go to the sorter as parts, and it
 * begins anew. Parts of one pair stand together when they come out.
 */
#include "index/dup_pairs.h"

#include <stdbool.h>
#include <string.h>

#include "io/bytes.h"
#include "io/mem.h"

enum { PART = 24, SLOTS_LEAST = 64, SLOTS_MOST = 1 << 16 };

struct dup_pairs {
    struct dup_pair_sum *slots; /* duplicates 0: free */
    size_t slot_count, slots_most, used;
    struct sorter *sorter;
    struct dup_pair_sum held; /* the pair whose parts come out of the sorter */
    bool holding;
};

uint64_t dup_add(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

int dup_pairs_create(uint64_t memory_bytes, const char *temp_dir, struct dup_pairs **out)
{
    const struct sorter_options options = {PART, memory_bytes / 2, 1, temp_dir};
    struct dup_pairs *p = mem_zalloc(sizeof *p);
    int code;

    if (!p)
        return ERR_NOMEM;
    p->slot_count = p->slots_most = SLOTS_LEAST;
    while (p->slots_most < SLOTS_MOST && 4 * p->slots_most * sizeof *p->slots <= memory_bytes)
        p->slots_most *= 2;
    p->slots = mem_zalloc(p->slot_count * sizeof *p->slots);
    code = p->slots ? sorter_create(&options, &p->sorter) : ERR_NOMEM;
    if (code) {
        dup_pairs_destroy(p);
        return code;
    }
    *out = p;
    return 0;
}

void dup_pairs_destroy(struct dup_pairs *p)
{
    if (!p)
        return;
    sorter_destroy(p->sorter);
    mem_free(p->slots);
    mem_free(p);
}

static int give_parts(struct dup_pairs *p)
{
    uint8_t part[PART];
    int code = 0;

    for (size_t i = 0; !code && i < p->slot_count; i++) {
        const struct dup_pair_sum *s = &p->slots[i];

        if (!s->duplicates)
            continue;
        put_le32(part, __builtin_bswap32(s->kept));
        put_le32(part + 4, __builtin_bswap32(s->image));
        put_le64(part + 8, s->duplicates);
        put_le64(part + 16, s->bytes);
        code = sorter_add(p->sorter, 0, part);
    }
    memset(p->slots, 0, p->slot_count * sizeof *p->slots);
    p->used = 0;
    return code;
}

static struct dup_pair_sum *slot_of(struct dup_pairs *p, uint32_t kept, uint32_t image)
{
    const uint64_t key = (uint64_t)kept << 32 | image;
    size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (p->slot_count - 1);

    while (p->slots[at].duplicates && (p->slots[at].kept != kept || p->slots[at].image != image))
        at = (at + 1) & (p->slot_count - 1);
    return &p->slots[at];
}

static int grow(struct dup_pairs *p)
{
    struct dup_pairs larger = {.slot_count = 4 * p->slot_count};

    if (larger.slot_count > p->slots_most)
        larger.slot_count = p->slots_most;
    larger.slots = mem_zalloc(larger.slot_count * sizeof *larger.slots);
    if (!larger.slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->slot_count; i++)
        if (p->slots[i].duplicates)
            *slot_of(&larger, p->slots[i].kept, p->slots[i].image) = p->slots[i];
    mem_free(p->slots);
    p->slots = larger.slots;
    p->slot_count = larger.slot_count;
    return 0;
}

int dup_pairs_add(struct dup_pairs *p, uint32_t kept, uint32_t image, uint64_t bytes)
{
    struct dup_pair_sum *s = slot_of(p, kept, image);

    if (!s->duplicates && 4 * p->used >= 3 * p->slot_count) {
        int code = p->slot_count < p->slots_most ? grow(p) : give_parts(p);

        if (code)
            return code;
        s = slot_of(p, kept, image);
    }
    p->used += !s->duplicates;
    s->kept = kept;
    s->image = image;
    s->duplicates++;
    s->bytes = dup_add(s->bytes, bytes);
    return 0;
}

static int next_part(struct dup_pairs *p)
{
    const uint8_t *part;
    int got = sorter_next(p->sorter, &part);

    p->holding = got == 1;
    if (got == 1)
        p->held =
            (struct dup_pair_sum){__builtin_bswap32(le32(part)), __builtin_bswap32(le32(part + 4)),
                                  le64(part + 8), le64(part + 16)};
    return got;
}

int dup_pairs_start(struct dup_pairs *p)
{
    int code = give_parts(p);

    if (!code)
        code = sorter_start(p->sorter);
    if (!code)
        code = next_part(p);
    return code < 0 ? code : 0;
}

int dup_pairs_next(struct dup_pairs *p, struct dup_pair_sum *out)
{
    struct dup_pair_sum sum = p->held;
    int got;

    if (!p->holding)
        return 0;
    while ((got = next_part(p)) == 1 && p->held.kept == sum.kept && p->held.image == sum.image) {
        sum.duplicates += p->held.duplicates;
        sum.bytes = dup_add(sum.bytes, p->held.bytes);
    }
    if (got < 0)
        return got;
    *out = sum;
    return 1;
}

const struct fault *dup_pairs_fault(const struct dup_pairs *p)
{
    return sorter_fault(p->sorter);
}
