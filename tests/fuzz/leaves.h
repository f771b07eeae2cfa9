/*
 * leaves.h: an input cut into the leaves of a heap, as the targets above heaps take it: u8 variant,
 * then leaf after leaf: u16 size and its bytes, each copied so that a byte too far is seen.
 */
#ifndef TESTS_FUZZ_LEAVES_H
#define TESTS_FUZZ_LEAVES_H

#include <stddef.h>
#include <stdint.h>

#include "io/mem.h"
#include "scanner/ost/heap.h"
#include "tests/support/forge.h"
#include "tests/support/forgeheap.h"

enum { LEAVES_MAX = 16 };

struct leaves {
    enum ost_format format;
    struct bytes list[LEAVES_MAX];
    size_t count;
};

static inline void leaves_cut(struct leaves *l, const uint8_t *data, size_t size)
{
    *l = (struct leaves){.format = forge_formats[size ? data[0] % 3 : 0]};
    for (size_t at = 1; at + 2 <= size && l->count < LEAVES_MAX;) {
        size_t part = le16(data + at);
        uint8_t *copy;

        at += 2;
        if (part > size - at)
            part = size - at;
        copy = mem_alloc(part ? part : 1);
        if (part)
            memcpy(copy, data + at, part);
        l->list[l->count++] = (struct bytes){copy, part};
        at += part;
    }
}

static inline void leaves_done(struct leaves *l)
{
    for (size_t i = 0; i < l->count; i++)
        mem_free((void *)(uintptr_t)l->list[i].data);
}

/* A finished heap as an input; frees it. Leaves are cut to `most` bytes, for small inputs. */
static inline size_t leaves_put(struct forge_heap *h, uint8_t *data, size_t max, size_t most)
{
    size_t at = 1;

    for (unsigned f = 0; f < 3; f++)
        if (forge_formats[f] == h->v->format)
            data[0] = (uint8_t)f;
    for (unsigned i = 0; i < h->leaf_count; i++) {
        size_t part = h->list[i].size < most ? h->list[i].size : most;

        if (at + 2 + part > max)
            break;
        put_le16(data + at, (uint16_t)part);
        memcpy(data + at + 2, h->list[i].data, part);
        at += 2 + part;
    }
    mem_free(h);
    return at;
}

#endif
