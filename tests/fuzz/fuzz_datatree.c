/*
 * fuzz_datatree.c: the walk over a value's leaves.
 *
 * Input: variant, then blocks (parts.h); the root is the first as an internal block.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scanner/ost/datatree.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/parts.h"
#include "tests/support/forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parts parts;
    struct ost_blocks blocks = {
        .ctx = &parts, .find = parts_find, .get = parts_get, .put = parts_put};
    struct ost_datatree t;
    struct ost_leaf leaf;
    uint64_t end = 0;

    if (size == 0)
        return 0;
    parts_cut(&parts, data + 1, size - 1);
    ost_datatree_init(&t, ost_variant_of(forge_formats[data[0] % 3]), &blocks, 6);
    while (ost_datatree_next(&t, &leaf) > 0) {
        assert(leaf.offset >= end);
        end = leaf.offset;
    }
    ost_datatree_done(&t);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    const struct ost_variant *v = ost_variant_of(forge_formats[seed % 3]);
    const uint64_t list[] = {10, 14}, leaves[] = {16, 20};
    size_t at = 1, n;

    if (seed % 16 || max < 200)
        return LLVMFuzzerMutate(data, size, max);
    memset(data, 0, 200);
    data[0] = (uint8_t)(seed % 3);
    n = forge_xblock(v, data + at + 2, 2, 20, list, 2); /* bid 6 */
    put_le16(data + at, (uint16_t)n);
    at += 2 + n;
    for (unsigned i = 0; i < 2; i++) { /* bids 10 and 14 */
        n = forge_xblock(v, data + at + 2, 1, 10, leaves, 2);
        put_le16(data + at, (uint16_t)n);
        at += 2 + n;
    }
    for (unsigned i = 0; i < 2; i++) { /* bids 16 and 20 */
        put_le16(data + at, 5);
        at += 2 + 5;
    }
    return at;
}
