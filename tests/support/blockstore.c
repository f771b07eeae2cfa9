/* blockstore.c: see blockstore.h. */
#include "tests/support/blockstore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    struct blockstore *s = ctx;

    for (unsigned i = 0; i < s->count; i++)
        if (s->entries[i].bid == bid)
            return &s->entries[i];
    return NULL;
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct blockstore *s = ctx;

    if (block->bid == s->fail_bid)
        return s->fail_code;
    *decoded = (struct bytes){s->data[block - s->entries].data, block->inflated};
    if (++s->held > s->most_held)
        s->most_held = s->held;
    return 0;
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    struct blockstore *s = ctx;

    assert_ptr_equal(decoded.data, s->data[block - s->entries].data);
    assert_true(s->held > 0);
    s->held--;
}

void blockstore_init(struct blockstore *s)
{
    memset(s, 0, sizeof *s);
    s->blocks = (struct ost_blocks){.ctx = s, .find = find, .get = get, .put = put};
}

void blockstore_done(struct blockstore *s)
{
    assert_int_equal(s->held, 0);
    for (unsigned i = 0; i < s->count; i++)
        guard_done(&s->data[i]);
}

uint8_t *blockstore_add(struct blockstore *s, uint64_t bid, const void *data, size_t size)
{
    unsigned i = s->count++;

    assert_true(i < BLOCKSTORE_MAX);
    guard_init(&s->data[i], data ? size : 0);
    if (data)
        memcpy(s->data[i].data, data, size);
    s->entries[i] = (struct ost_block){
        .bid = bid, .stored = (uint16_t)size, .inflated = (uint16_t)size, .refs = 2};
    return s->data[i].data;
}
