/*
 * span.h: the space of one allocation map while a sweep passes over it: what the map says, and what
 * lies there.
 *
 * Threads: one.
 */
#ifndef SCANNER_CHECK_SPAN_H
#define SCANNER_CHECK_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "scanner/ost/amap.h"
#include "scanner/ost/variant.h"

enum { CHK_SPAN_WORDS = (AMAP_BITMAP_SIZE_K + 7) / 8 };

struct chk_span {
    const struct ost_variant *variant;
    uint64_t k;      /* of the allocation map */
    uint64_t offset; /* of its page = of the span */
    uint64_t
        pages_end; /* the end of the allocation pages at its start that are known to be there */
    unsigned unit_bits; /* of variant->unit, a power of two */
    uint64_t limit;     /* units of the span */
    bool known;         /* `map` is what the page says */
    unsigned words;
    uint64_t map[CHK_SPAN_WORDS];  /* bit 63 of word 0 is the first unit; 1: allocated */
    uint64_t used[CHK_SPAN_WORDS]; /* what was put */
};

enum chk_put {
    CHK_PUT_GOOD,
    CHK_PUT_OVERLAP,       /* some of it was put before; nothing is put now */
    CHK_PUT_ON_ALLOC_PAGE, /* the same, and that is an allocation page */
    CHK_PUT_ACROSS,        /* beyond the end of the span; what is inside is put */
};

/* Begins span k: nothing known, its allocation pages put. */
void chk_span_begin(struct chk_span *s, const struct ost_variant *v, uint64_t k);
/* Takes over the map from its page. */
void chk_span_map(struct chk_span *s, const uint8_t *page);

/* Puts [offset, offset + length), which begins in the span; units. *unmapped: how many bytes of
 * what was put the map calls free (0 when it is not known). */
enum chk_put chk_span_put(struct chk_span *s, uint64_t offset, uint64_t length, uint64_t *unmapped);

/* What a put would say, but that nothing is put. */
enum chk_put chk_span_test(const struct chk_span *s, uint64_t offset, uint64_t length);

/* Whether the map is known, and calls some of the extent (cut at the span's end) free. */
bool chk_span_calls_free(const struct chk_span *s, uint64_t offset, uint64_t length);

/* Bytes that the map says are free; that are allocated and were not put. Of a known one. */
uint64_t chk_span_free(const struct chk_span *s);
uint64_t chk_span_unused(const struct chk_span *s);

#endif
