/* fuzz_rtf.c: any bytes as compressed RTF, with the checksum as it is and put right. */
#include <stdlib.h>
#include <string.h>

#include "index/rtf.h"
#include "scanner/ost/crc.h"

enum { LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    struct buf out = BUF_INIT;

    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    idx_rtf_decompress((struct bytes){copy, size}, LIMIT, &out);
    if (size >= 16) {
        put_le32(copy, (uint32_t)size - 4);
        put_le32(copy + 12, ost_crc(copy + 16, size - 16));
        buf_reset(&out);
        idx_rtf_decompress((struct bytes){copy, size}, LIMIT, &out);
    }
    buf_done(&out);
    free(copy);
    return 0;
}
