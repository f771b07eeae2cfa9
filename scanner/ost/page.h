/*
 * page.h: any page: its trailer, and what it proves.
 *
 * FORMAT.md section 4 ([MS-PST] 2.2.2.7). Functions over memory: `page` is always page_size bytes
 * of the variant, read from `offset` of the image.
 *
 * Threads: pure functions.
 */
#ifndef SCANNER_OST_PAGE_H
#define SCANNER_OST_PAGE_H

#include <stdint.h>

#include "scanner/ost/defect.h"
#include "scanner/ost/variant.h"

struct ost_page_trailer {
    uint8_t type, type_repeat; /* PTYPE_* (offsets.h) when sound */
    uint16_t sig;
    uint32_t crc;
    uint64_t bid;
    uint64_t constant; /* K; 0 in other variants */
};

struct ost_page_trailer ost_page_trailer(const struct ost_variant *v, const uint8_t *page);

/*
 * Compares the trailer with what is expected at `offset`: a page of `type` (PTYPE_*) with `bid`;
 * adds OST_PAGE_* defects. Allocation pages (AMap, PMap, FMap, FPMap) have their offset as bid and
 * no signature: pass offset as bid.
 */
void ost_page_check(const struct ost_variant *v, const uint8_t *page, uint8_t type, uint64_t bid,
                    uint64_t offset, struct ost_defects *defects);

/*
 * What the page may be believed, from ost_page_check's defects. The content is sound when the
 * checksum passes and the trailer still names the page: one of the two types, and one of bid and
 * signature. With everything but the checksum right it is suspect. Otherwise it is not the page
 * that was expected: free space is full of older pages that pass on their own terms.
 */
enum ost_trust ost_page_trust(const struct ost_defects *defects);

#endif
