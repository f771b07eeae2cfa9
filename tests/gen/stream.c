#include "tests/gen/stream.h"

#include <string.h>

void stream_init(struct stream *s, uint64_t number)
{
    s->number = number;
    s->position = 0;
    s->left = 0;
}

static void next_cell(struct stream *s)
{
    struct rng r = rng_of(s->number, 4, s->position++);
    rng_fill(&r, s->cell, sizeof s->cell);
    if (s->number % 2 == 1) {
        for (size_t i = 0; i < sizeof s->cell; i += 8)
            memset(s->cell + i, "0123456789,;\r\n AB"[s->cell[i] % 16], 6);
    }
    s->left = sizeof s->cell;
}

void stream_read(struct stream *s, void *out, size_t size)
{
    uint8_t *p = out;
    while (size > 0) {
        if (s->left == 0)
            next_cell(s);
        size_t n = size < s->left ? size : s->left;
        memcpy(p, s->cell + sizeof s->cell - s->left, n);
        s->left -= n;
        size -= n;
        p += n;
    }
}
