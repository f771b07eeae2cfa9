/* fuzz_namemap.c: a map of named properties. Input: u16 sizes of GUIDs and entries, the streams. */
#include <assert.h>
#include <string.h>

#include "io/mem.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/namemap.h"
#include "tests/fuzz/fuzz.h"

static struct bytes cut(const uint8_t **data, size_t *size, size_t part)
{
    struct bytes b;
    uint8_t *copy;

    if (part > *size)
        part = *size;
    copy = mem_alloc(part ? part : 1);
    memcpy(copy, *data, part);
    b = (struct bytes){copy, part};
    *data += part;
    *size -= part;
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes streams[3];
    size_t sizes[3];
    struct ost_namemap m;

    if (size < 4)
        return 0;
    sizes[0] = le16(data);
    sizes[1] = le16(data + 2);
    sizes[2] = size;
    data += 4;
    size -= 4;
    for (unsigned i = 0; i < 3; i++)
        streams[i] = cut(&data, &size, sizes[i]);
    if (ost_namemap_init(&m, streams[0], streams[1], streams[2]) == 0) {
        assert(m.count + m.left_out == streams[1].size / 8);
        for (uint32_t id = 0x7FFE; id <= 0x8100; id++) {
            const struct ost_name *n = ost_namemap_find(&m, (uint16_t)id);

            for (size_t k = 0; n && k < n->text.size; k++)
                fuzz_use(n->text.data[k]);
            assert(!n || n->text.size <= OST_LIMIT_NAME_BYTES);
        }
        ost_namemap_done(&m);
    }
    for (unsigned i = 0; i < 3; i++)
        mem_free((void *)(uintptr_t)streams[i].data);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static const uint8_t sound[] = {
        16,  0,   16,  0,   'G', 'U', 'I', 'D', 'G', 'U', 'I', 'D', 'G', 'U', 'I',
        'D', 'G', 'U', 'I', 'D', 1,   2,   0,   0,   6,   0,   0,   0,   0,   0,
        0,   0,   5,   0,   1,   0,   4,   0,   0,   0,   'h', 0,   'i', 0,
    };

    if (seed % 16 || max < sizeof sound)
        return LLVMFuzzerMutate(data, size, max);
    memcpy(data, sound, sizeof sound);
    return sizeof sound;
}
