/*
 * amap.h: where allocation pages lie, and which bytes they say are in use.
 *
 * FORMAT.md section 5 ([MS-PST] 2.2.2.7.2). AMap k lies at amap_first + k * amap_spacing and maps
 * the amap_spacing bytes from its own offset on, a bit a unit, the high bit of a byte first.
 *
 * Threads: the functions about places are pure; a map belongs to one thread while it is filled and
 * may be read by many afterwards.
 */
#ifndef SCANNER_OST_AMAP_H
#define SCANNER_OST_AMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/variant.h"

/* AMap pages that lie wholly inside a file of that size. */
uint64_t ost_amap_count(const struct ost_variant *v, uint64_t file_size);
uint64_t ost_amap_offset(const struct ost_variant *v, uint64_t k);

/* An allocation page by its place. */
struct ost_alloc_page {
    uint8_t type; /* PTYPE_AMAP, PTYPE_PMAP, PTYPE_FMAP, PTYPE_FPMAP */
    uint64_t offset;
    /* Seen on real files. Otherwise it is only expected there: of K all but AMap 0, and the FMap
     * and FPMap pages; nothing may be called corrupt for not being there. */
    bool known;
};

enum { OST_ALLOC_PAGES_MAX = 4 };

/* AMap k and the pages that follow it, in order; returns how many (1 to 4). */
unsigned ost_alloc_pages(const struct ost_variant *v, uint64_t k,
                         struct ost_alloc_page out[OST_ALLOC_PAGES_MAX]);

/* Allocated and free bytes of a whole file: one bit a unit. */
struct ost_allocmap {
    const struct ost_variant *variant;
    uint64_t spans;
    uint8_t *bits;  /* of all spans on end */
    uint8_t *known; /* a bit a span: its AMap was put */
};

enum ost_alloc { OST_ALLOC_UNKNOWN, OST_ALLOC_FREE, OST_ALLOC_USED, OST_ALLOC_MIXED };

/* A map of a file of that size in which nothing is known yet. ERR_LIMIT: it would take more than
 * memory_bytes; ERR_NOMEM. */
int ost_allocmap_init(struct ost_allocmap *m, const struct ost_variant *v, uint64_t file_size,
                      uint64_t memory_bytes);
void ost_allocmap_done(struct ost_allocmap *m);

/* Takes over the bitmap of AMap k from its page (page_size bytes, already checked; k < spans). */
void ost_allocmap_put(struct ost_allocmap *m, uint64_t k, const uint8_t *page);

/* What the map says of the units that [offset, offset+length) touches; length above 0. Unknown
 * when any of it lies before the first AMap, beyond the last span, or in one that was not put. */
enum ost_alloc ost_allocmap_query(const struct ost_allocmap *m, uint64_t offset, uint64_t length);

struct ost_run {
    uint64_t offset, length;
};

/* The first longest run of units in use that begins at or after the unit of `from`; spans that
 * were not put have none. False: there is none. */
bool ost_allocmap_next(const struct ost_allocmap *m, uint64_t from, struct ost_run *out);

/* Free bytes of the spans that were put (a header's cbAMapFree when all were). */
uint64_t ost_allocmap_free(const struct ost_allocmap *m);

#endif
