/*
 * parts.h: an input cut into decoded blocks, as the targets for trees of blocks take it: part i is
 * u16 size and its bytes, and is found by bid 4i + 4 as data and 4i + 6 as an internal block.
 */
#ifndef TESTS_FUZZ_PARTS_H
#define TESTS_FUZZ_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/blocks.h"

enum { PARTS_MAX = 64 };

struct parts {
    struct ost_block entries[2 * PARTS_MAX];
    struct bytes data[PARTS_MAX];
    size_t count;
};

static inline const struct ost_block *parts_find(void *ctx, uint64_t bid)
{
    struct parts *p = ctx;

    return bid >= 4 && bid / 4 <= p->count ? &p->entries[(bid - 4) / 2] : NULL;
}

/* A copy of its own, so that a byte too far is seen. */
static inline int parts_get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct parts *p = ctx;
    struct bytes part = p->data[(block - p->entries) / 2];
    uint8_t *copy;

    if (part.size == 0)
        return ERR_DAMAGED;
    copy = mem_alloc(part.size);
    memcpy(copy, part.data, part.size);
    *decoded = (struct bytes){copy, part.size};
    return 0;
}

static inline void parts_put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    (void)ctx;
    (void)block;
    mem_free((void *)(uintptr_t)decoded.data);
}

static inline void parts_cut(struct parts *p, const uint8_t *data, size_t size)
{
    p->count = 0;
    while (size >= 2 && p->count < PARTS_MAX) {
        uint16_t part = le16(data);

        data += 2;
        size -= 2;
        if (part > size)
            part = (uint16_t)size;
        p->data[p->count] = (struct bytes){data, part};
        for (unsigned k = 0; k < 2; k++)
            p->entries[2 * p->count + k] = (struct ost_block){
                .bid = 4 * p->count + 4 + 2 * k, .stored = part, .inflated = part, .refs = 2};
        p->count++;
        data += part;
        size -= part;
    }
}

#endif
