/*
 * names.h: the named properties that items use, and the name-to-id map of an image.
 *
 * In a bag a named property has the id NAMED + its number here; which local id it gets in an
 * image depends on the image's seed and target (names_local), as it does in real files.
 *
 * Threads: constant tables; a map belongs to one thread.
 */
#ifndef TESTS_GEN_NAMES_H
#define TESTS_GEN_NAMES_H

#include "tests/gen/ltp.h"

enum { NAMED = 0x8000, NAMED_EXTRA = 600 };

enum named {
#define NAME_LID(name, set, lid)     N_##name,
#define NAME_TEXT(name, set, string) N_##name,
#include "tests/gen/names.inc"
#undef NAME_LID
#undef NAME_TEXT
    N_EXTRA, /* the first of NAMED_EXTRA text properties "X-Gen-000" ... */
    NAMED_COUNT = N_EXTRA + NAMED_EXTRA,
};

struct name_map {
    uint16_t local[NAMED_COUNT]; /* without 0x8000 */
};

/* The map of an image; extra: with the NAMED_EXTRA properties. */
void name_map_init(struct name_map *m, uint64_t seed, unsigned target);
/* Puts local ids in place of the numbers. Sort afterwards. */
void name_map_apply(const struct name_map *m, struct bag *bag);
/* The properties of node 0x61. */
void name_map_fill(const struct name_map *m, struct bag *bag);

#endif
