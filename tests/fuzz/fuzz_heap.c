/* fuzz_heap.c: items of a heap by every HID near those that exist. Input: leaves.h. */
#include <assert.h>
#include <string.h>

#include "scanner/ost/heap_fault.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/leaves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leaves l;
    struct ost_heap heap;
    enum finding_code code;
    struct bytes item;

    leaves_cut(&l, data, size);
    if (ost_heap_open(l.format, ost_leaves_in_memory(l.list, l.count), &heap) == 0) {
        for (uint32_t leaf = 0; leaf <= l.count; leaf++) {
            for (uint32_t i = 0; i < 70; i++) {
                uint32_t hid = (leaf << heap.index_bits | i) << 5;

                if (ost_heap_item(&heap, hid, &item))
                    continue;
                assert(leaf < l.count && item.data >= l.list[leaf].data);
                assert(item.data + item.size <= l.list[leaf].data + l.list[leaf].size);
            }
        }
        fuzz_use((uint64_t)ost_heap_item(&heap, heap.root, &item));
        if (ost_heap_item_fault(&heap, heap.root, &code))
            assert(ost_heap_item(&heap, heap.root, &item) != 0);
    }
    leaves_done(&l);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct forge_heap *h;

    if (seed % 16 || max < 400)
        return LLVMFuzzerMutate(data, size, max);
    h = forge_heap_new(forge_formats[seed / 16 % 3], OST_HEAP_BTH);
    for (unsigned i = 0; i < 6; i++) {
        forge_heap_add(h, "abcdefgh", i);
        if (i == 3)
            forge_heap_leaf(h);
    }
    forge_heap_finish(h, 0x60);
    return leaves_put(h, data, max, 150);
}
