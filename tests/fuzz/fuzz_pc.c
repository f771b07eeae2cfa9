/* fuzz_pc.c: the properties of a property context. Input: leaves.h. */
#include <assert.h>
#include <string.h>

#include "scanner/ost/heap_fault.h"
#include "scanner/ost/pc.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/leaves.h"

static void check(const struct ost_pc *pc)
{
    for (size_t i = 0; i < pc->count; i++) {
        const struct ost_pc_entry e = ost_pc_at(pc, i);
        unsigned width = ost_type_width(e.prop.type);

        assert(e.prop.id > 0 && (i == 0 || e.prop.id > pc->list[i - 1].id));
        assert((e.state != OST_PC_SUBNODE && e.state != OST_PC_BAD) || e.prop.value.size == 0);
        assert(e.state != OST_PC_VALUE || !width || e.prop.value.size == width ||
               (width >= 8 && e.prop.value.size == 0));
        for (size_t k = 0; k < e.prop.value.size; k++)
            fuzz_use(e.prop.value.data[k]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leaves l;
    struct ost_heap heap;
    struct arena arena;
    struct ost_pc pc;
    enum finding_code code;
    int rc;

    leaves_cut(&l, data, size);
    arena_init(&arena, 16 << 20);
    rc = ost_heap_open(l.format, ost_leaves_in_memory(l.list, l.count), &heap);
    if (!rc)
        rc = ost_pc_read(&heap, &arena, &pc);
    if (!rc)
        check(&pc);
    if (ost_heap_fault(l.format, ost_leaves_in_memory(l.list, l.count), OST_HEAP_PROPERTIES, &code))
        /* A page map may go on outside its leaf, and all that is named be inside. */
        assert(rc != 0 || code == F_heap_page_map);
    assert(arena.used_bytes <= 64 * size + 64);
    arena_done(&arena);
    leaves_done(&l);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static const struct forge_prop props[] = {
        {0x001A, OST_UNICODE, 0, "I\0P\0M\0", 6},
        {0x0E07, OST_I32, 1, NULL, 0},
        {0x0E1B, OST_BOOL, 1, NULL, 0},
        {0x1000, OST_UNICODE, 0x3F, NULL, 0},
        {0x3008, OST_TIME, 0, "12345678", 8},
        {0x3701, OST_OBJECT, 0, "12345678", 8},
        {0x6800, 0x0000, 0, "x", 1},
        {0x8000, OST_GUID, 0, "1234567812345678", 16},
    };
    struct forge_heap *h;

    if (seed % 16 || max < 400)
        return LLVMFuzzerMutate(data, size, max);
    h = forge_heap_new(forge_formats[seed / 16 % 3], OST_HEAP_PROPERTIES);
    forge_pc(h, props, sizeof props / sizeof *props);
    return leaves_put(h, data, max, 400);
}
