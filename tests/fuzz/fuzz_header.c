/* fuzz_header.c: any bytes as a header; 8 bytes of file size, then the head. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
