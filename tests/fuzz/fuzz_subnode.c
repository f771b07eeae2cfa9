/*
 * fuzz_subnode.c: look-up in and walk over subnode trees.
 *
 * Input: variant, then blocks (parts.h); the root is the first as an internal block.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scanner/ost/subnode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/parts.h"
#include "tests/support/forge.h"

/* A tree in which every entry owns the tree again has too many walks: this is how far one goes. */
enum { STEPS_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parts parts;
    static struct ost_subnode_walk walk;
    struct ost_blocks blocks = {
        .ctx = &parts, .find = parts_find, .get = parts_get, .put = parts_put};
    const struct ost_variant *v;
    struct ost_defects defects = {0};
    struct ost_subnode s;
    unsigned depth = 0;
    int rc;

    if (size == 0)
        return 0;
    v = ost_variant_of(forge_formats[data[0] % 3]);
    parts_cut(&parts, data + 1, size - 1);
    fuzz_use((uint64_t)ost_subnode_find(v, &blocks, 6, 0x45, &defects, &s));
    rc = ost_subnode_walk_init(&walk, v, &blocks, 6);
    for (unsigned i = 0; !rc && i < STEPS_MAX; i++) {
        if (ost_subnode_walk_next(&walk, &s, &depth) <= 0)
            break;
        fuzz_use((uint64_t)ost_subnode_walk_enter(&walk));
    }
    ost_subnode_walk_done(&walk);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    const struct ost_variant *v = ost_variant_of(forge_formats[seed % 3]);
    size_t at = 1, n;

    if (seed % 16 || max < 300)
        return LLVMFuzzerMutate(data, size, max);
    memset(data, 0, 300);
    data[0] = (uint8_t)(seed % 3);
    n = forge_siblock(v, data + at + 2, 2); /* bid 6 */
    forge_si_entry(v, data + at + 2, 0, 0x25, 10);
    forge_si_entry(v, data + at + 2, 1, 0x45, 14);
    put_le16(data + at, (uint16_t)n);
    at += 2 + n;
    for (unsigned i = 0; i < 2; i++) { /* bids 10 and 14 */
        n = forge_slblock(v, data + at + 2, 2);
        forge_sl_entry(v, data + at + 2, 0, 0x25 + 0x20 * i, 4, 6 + 4 * i);
        forge_sl_entry(v, data + at + 2, 1, 0x35 + 0x20 * i, 8, 0);
        put_le16(data + at, (uint16_t)n);
        at += 2 + n;
    }
    return at;
}
