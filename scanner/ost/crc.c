/* crc.c: see crc.h. ISA-L's CRC-32 inverts before and after; both inversions are undone here. */
#include "scanner/ost/crc.h"

#include <isa-l/crc.h>

uint32_t ost_crc(const void *data, size_t size)
{
    return ost_crc_more(0, data, size);
}

uint32_t ost_crc_more(uint32_t crc, const void *data, size_t size)
{
    return ~crc32_gzip_refl(~crc, data, size);
}

bool ost_crc_passes(uint32_t stored, uint32_t computed)
{
#ifdef OSTSCAN_FUZZ
    (void)stored;
    (void)computed;
    return true;
#else
    return stored == computed;
#endif
}

uint16_t ost_sig(uint64_t offset, uint64_t bid)
{
    uint32_t x = (uint32_t)offset ^ (uint32_t)bid;

    return (uint16_t)((x >> 16) ^ x);
}
