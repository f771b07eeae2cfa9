/* fuzz_header.c: any bytes as a header; 8 bytes of file size, then the head. Its seeds are by
 * ostgen. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/header.h"
#include "scanner/ost/offsets.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seedimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ost_header_report report;
    struct ost_header header;
    uint64_t file_size;

    if (size < 8)
        return 0;
    file_size = le64(data);
    ost_header_check((struct bytes){data + 8, size - 8}, file_size, &header, &report);
    assert(report.finding_count <= OST_HEADER_FINDINGS);
    if (report.state == OST_HEADER_UNUSABLE) {
        assert(report.finding_count > 0);
        return 0;
    }
    assert(header.format != OST_FORMAT_UNKNOWN && header.content != OST_CONTENT_PAB);
    assert(range_fits(header.nbt.offset, 512, file_size));
    assert(range_fits(header.bbt.offset, 512, file_size));
    for (unsigned i = 0; report.state == OST_HEADER_SOUND && i < report.finding_count; i++)
        assert(report.findings[i].severity != SEVERITY_CORRUPT);
    return 0;
}

/* The head of a small image, of a file as long as it says or as short as the seed is. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    enum { ROOM = 1 << 19 };
    uint8_t *image;
    size_t made;

    if (seed % 64 || max < 8 + OST_HEADER_SIZE)
        return LLVMFuzzerMutate(data, size, max);
    image = mem_alloc(ROOM);
    made = seed_sound(image, ROOM, seed / 64);
    if (made > OST_HEADER_SIZE) {
        uint64_t eof =
            seed / 64 % 3 == GEN_ANSI ? le32(image + OFF_A_EOF) : le64(image + OFF_U_EOF);

        put_le64(data, seed & 1024 ? eof : made);
        memcpy(data + 8, image, OST_HEADER_SIZE);
    }
    mem_free(image);
    return made > OST_HEADER_SIZE ? 8 + OST_HEADER_SIZE : LLVMFuzzerMutate(data, size, max);
}
