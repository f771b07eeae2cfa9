/* crc.c: see crc.h. ISA-L's CRC-32 inverts before and after; both inversions are undone here. */
#include "scanner/ost/crc.h"

#include <isa-l/crc.h>

uint32_t ost_crc(const void *data, size_t size)
{
    return ~crc32_gzip_refl(UINT32_MAX, data, size);
}
