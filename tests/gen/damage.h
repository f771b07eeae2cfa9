/*
 * damage.h: planting damage of known kinds at known places, and saying so in the truth.
 *
 * Kinds up to DAMAGE_WRITTEN_LAST are made while items are written (run.c asks damage_flaws), the
 * others in the finished file. No structure is hit twice. DAMAGE.md says what each kind is and
 * which finding must report it.
 *
 * Threads: one.
 */
#ifndef TESTS_GEN_DAMAGE_H
#define TESTS_GEN_DAMAGE_H

#include "tests/gen/truth.h"

enum damage_kind {
#define DAMAGE(name, codes, also, text) DAMAGE_##name,
#include "tests/gen/damages.inc"
#undef DAMAGE
    DAMAGE_KINDS,
    DAMAGE_WRITTEN_LAST = DAMAGE_row_ghost,
};

const char *damage_name(enum damage_kind kind);
const char *damage_codes(enum damage_kind kind); /* JSON strings, with commas between */
const char *damage_also(enum damage_kind kind);
const char *damage_text(enum damage_kind kind);
/* DAMAGE_KINDS: none of that name. */
enum damage_kind damage_find(const char *name);

/* Those of a kind that are still to be made while writing; takes one when the item suits it. */
struct damage_quota {
    uint32_t left[DAMAGE_WRITTEN_LAST + 1];
};

void damage_quota_init(struct damage_quota *q, const struct gen_options *o);
/* What this item is to suffer; DAMAGE_KINDS: nothing. */
enum damage_kind damage_flaws(struct damage_quota *q, const struct item *it, struct rng *r,
                              struct item_flaws *flaws);
/* Says so in the truth, once the item has its place. */
void damage_written(struct truth *t, enum damage_kind kind, uint32_t nid, uint32_t folder);

/*
 * Makes what is wanted in the finished file. ERR_UNSUPPORTED: the image has no place (left) for a
 * kind; *missed names it.
 */
int damage_file(struct image *img, struct truth *t, const struct gen_options *o,
                enum damage_kind *missed);

/* For the files of damages: damage.c keeps the choice of places and the truth's lines. */
struct damager {
    struct image *img;
    struct truth *truth;
    struct rng rng;
    uint8_t *hit_blocks; /* by index */
    uint8_t *hit_pages;  /* by number in img->pages */
    uint8_t *hit_spans;  /* by number: the first damage kind that hit its allocation page, plus 1 */
    bool done[DAMAGE_KINDS]; /* kinds that an image can have once */
    uint8_t *bytes;          /* a page or a block's extent */
    int error;
};

struct hit {
    uint64_t offset, length;
    const uint64_t *bids;
    size_t bid_count;
    const uint32_t *nids;
    size_t nid_count;
    bool all; /* everything may suffer */
};

void damage_report(struct damager *d, enum damage_kind kind, const struct hit *hit);
void damager_read(struct damager *d, uint64_t offset, size_t size);
void damager_write(struct damager *d, uint64_t offset, const void *data, size_t size);

/* damage_page.c, damage_block.c: one of a kind; false: no place for it. */
bool damage_header(struct damager *d, enum damage_kind kind);
bool damage_page(struct damager *d, enum damage_kind kind);
bool damage_entry(struct damager *d, enum damage_kind kind);
bool damage_block(struct damager *d, enum damage_kind kind);
bool damage_map(struct damager *d, enum damage_kind kind);
bool damage_tree(struct damager *d, enum damage_kind kind);

/* A live block nobody has hit, owned by an item; 0 none. It counts as hit from now on. */
struct block_wish {
    enum block_kind kind;
    uint32_t stored_min;
    uint32_t extent; /* of just that size on disk; 0 any */
    bool compressed;
};

size_t damage_pick_block(struct damager *d, const struct block_wish *wish);
size_t damage_pick_data(struct damager *d, uint32_t stored_min);
/* A leaf page nobody has hit with at least that many entries; page_count: none. */
size_t damage_pick_leaf(struct damager *d, uint8_t type, uint32_t entries_min);
size_t damage_leaf_of(struct damager *d, uint8_t type, uint64_t key);
void damage_report_block(struct damager *d, enum damage_kind kind, size_t index, uint64_t offset,
                         uint64_t length);

#endif
