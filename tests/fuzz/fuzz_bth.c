/* fuzz_bth.c: all records of the B-tree on a heap. Input: leaves.h; the header is hidUserRoot. */
#include <assert.h>
#include <string.h>

#include "scanner/ost/bth.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/leaves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leaves l;
    struct ost_heap heap;
    struct ost_bth tree;

    leaves_cut(&l, data, size);
    if (ost_heap_open(l.format, ost_leaves_in_memory(l.list, l.count), &heap) == 0 &&
        ost_bth_open(&heap, heap.root, &tree) == 0) {
        struct ost_bth_iter it;
        const uint8_t *record;
        uint64_t steps = 0;

        ost_bth_begin(&tree, &it);
        while (ost_bth_next(&it, &record)) {
            fuzz_use(ost_bth_key(&tree, record) + record[tree.key_size + tree.data_size - 1]);
            steps++;
        }
        assert(it.err == 0 && steps <= size);
    }
    leaves_done(&l);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct forge_heap *h;
    uint8_t index[12] = {1, [6] = 2};

    if (seed % 16 || max < 400)
        return LLVMFuzzerMutate(data, size, max);
    h = forge_heap_new(forge_formats[seed / 16 % 3], OST_HEAP_BTH);
    for (unsigned i = 0; i < 2; i++)
        put_le32(index + 6 * i + 2, forge_heap_add(h, "1.......2.......", 16));
    forge_heap_finish(h, forge_bth_header(h, 2, 6, 1, forge_heap_add(h, index, 12)));
    return leaves_put(h, data, max, 300);
}
