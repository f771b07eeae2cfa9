/*
 * tinyread.h: reading objects out of a tiny image (tinyimage.h) by the layers below the engine:
 * blocks, an arena, a reading, and what it tells.
 */
#ifndef TESTS_SUPPORT_TINYREAD_H
#define TESTS_SUPPORT_TINYREAD_H

#include "scanner/ost/plan.h"
#include "scanner/ost/reading.h"
#include "tests/support/tinyimage.h"

enum { TINYREAD_FINDINGS = 256 };

struct tinyread {
    struct tiny tiny;
    struct ost_plan plan; /* the tiny image's own lists */
    struct io_source *source;
    struct ost_sourceblocks *blocks;
    struct arena arena;
    struct ost_reading reading; /* begun: nid 0x24, folder 0x22, an item */
    struct finding findings[TINYREAD_FINDINGS];
    unsigned finding_count;
    int sink_code; /* what the sink returns */
};

/* Over x->tiny, which is built and may still be broken, and gets no more blocks. */
void tinyread_open(struct tinyread *x, uint64_t allowance);
void tinyread_done(struct tinyread *x); /* ends the reading; the tiny image too */
/* Another object, with nothing told so far. */
void tinyread_again(struct tinyread *x);

unsigned tinyread_told(const struct tinyread *x, enum finding_code code);
unsigned tinyread_damages(const struct tinyread *x, enum finding_code code);

/* A node's roots. */
struct ost_subnode tinyread_roots(const struct tinyread *x, uint32_t nid);

#endif
