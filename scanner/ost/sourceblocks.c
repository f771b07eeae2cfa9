/*
 * sourceblocks.c: see sourceblocks.h.
 *
 * Bytes come through a few windows of WINDOW bytes, because an item's blocks mostly lie near each
 * other and a read has its price whatever its size; the window longest unused is read anew. What
 * does not fit into a window, or lies where a window cannot be read, is read by itself, as is
 * everything where only exact reads are wanted.
 */
#include "scanner/ost/sourceblocks.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/blockring.h"
#include "scanner/ost/limits.h"

enum { WINDOW = 32 * 1024, WINDOWS = 8, WINDOW_ALIGN = 4096, EXTENT_MAX = 65536 + 1024 };

struct window {
    uint64_t start;
    size_t size; /* 0: empty */
    uint64_t used_at;
};

struct ost_sourceblocks {
    struct ost_blocks view;
    struct ost_sourceblocks_options options;
    const struct ost_variant *variant;
    struct ost_decoder *decoder;
    struct ost_blockring *ring;
    uint64_t left; /* of the allowance */
    bool exhausted;
    uint64_t clock;
    struct window windows[WINDOWS];
    uint8_t *bytes; /* of the windows, then EXTENT_MAX for a block by itself */
};

static uint8_t *window_bytes(struct ost_sourceblocks *s, const struct window *w)
{
    return s->bytes + (size_t)(w - s->windows) * WINDOW;
}

static const uint8_t *from_window(struct ost_sourceblocks *s, uint64_t offset, uint32_t size)
{
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct window *w = &s->windows[i];

        if (offset >= w->start && range_fits(offset - w->start, size, w->size)) {
            w->used_at = ++s->clock;
            return window_bytes(s, w) + (offset - w->start);
        }
    }
    return NULL;
}

static struct window *oldest(struct ost_sourceblocks *s)
{
    struct window *w = s->windows;

    for (unsigned i = 1; i < WINDOWS; i++)
        if (s->windows[i].used_at < w->used_at)
            w = &s->windows[i];
    return w;
}

static uint8_t *single(struct ost_sourceblocks *s)
{
    return s->bytes + WINDOWS * WINDOW;
}

/* The bytes of an extent that lies inside the file, good until the next call. */
static int read_extent(struct ost_sourceblocks *s, uint64_t offset, uint32_t size,
                       const uint8_t **out)
{
    struct io_source *source = s->options.source;
    struct window *w = oldest(s);
    uint64_t start = offset & ~(uint64_t)(WINDOW_ALIGN - 1), rest = source->size_bytes - start;
    size_t length = rest < WINDOW ? (size_t)rest : WINDOW;
    int rc;

    *out = from_window(s, offset, size);
    if (*out)
        return 0;
    if (!s->options.exact && range_fits(offset - start, size, length)) {
        w->size = 0;
        rc = io_source_read(source, start, window_bytes(s, w), length);
        if (!rc) {
            *w = (struct window){.start = start, .size = length, .used_at = ++s->clock};
            *out = window_bytes(s, w) + (offset - start);
            return 0;
        }
        if (rc != ERR_IO && rc != ERR_RANGE)
            return rc;
    }
    rc = io_source_read(source, offset, single(s), size);
    *out = single(s);
    return rc;
}

static int lose(struct ost_sourceblocks *s, struct ost_block_trouble *t)
{
    t->lost = true;
    s->options.trouble(s->options.ctx, t);
    return ERR_DAMAGED;
}

/* Decodes into the ring; a block with defects is not kept, so that each use tells of them. */
static int decode(struct ost_sourceblocks *s, struct ost_block_trouble *t, const uint8_t *extent,
                  struct bytes *out)
{
    uint8_t *room = ost_blockring_add(s->ring, t->block->bid, t->block->inflated);

    if (!room)
        return ERR_LIMIT;
    if (ost_block_decode(s->decoder, t->block, extent, room, NULL)) {
        ost_blockring_forget(s->ring, room);
        ost_blockring_put(s->ring, room);
        t->undecodable = true;
        return lose(s, t);
    }
    if (t->defects->count) {
        ost_blockring_forget(s->ring, room);
        s->options.trouble(s->options.ctx, t);
    }
    *out = (struct bytes){room, t->block->inflated};
    return 0;
}

static bool copy_extent(struct ost_sourceblocks *s, const struct ost_block *block, uint32_t size,
                        bool *clean)
{
    const struct ost_at_hand *h = s->options.at_hand;

    return h && h->copy && h->copy(h->ctx, block, single(s), size, clean);
}

/* place: where its extent lies in memory, or NULL. */
static int load(struct ost_sourceblocks *s, const struct ost_block *block, const uint8_t *place,
                bool clean, struct bytes *out)
{
    struct ost_defects defects; /* a list that is not worth clearing */
    struct ost_block_trouble t = {
        .block = block,
        .extent_bytes = ost_block_extent(s->variant, block->stored),
        .defects = &defects,
    };
    const uint8_t *extent = place;
    enum ost_trust trust;
    int rc = 0;

    defects.count = 0;
    defects.bid = block->bid;
    if (!range_fits(block->offset, t.extent_bytes, s->options.source->size_bytes)) {
        t.outside = true;
        return lose(s, &t);
    }
    if (!place && copy_extent(s, block, t.extent_bytes, &clean))
        extent = single(s);
    else if (!place)
        rc = read_extent(s, block->offset, t.extent_bytes, &extent);
    if (rc == ERR_IO || rc == ERR_RANGE) {
        t.code = rc;
        return lose(s, &t);
    }
    if (rc)
        return rc;
    if (!clean)
        ost_block_check(s->variant, block, extent, &defects);
    trust = ost_block_trust(&defects);
    t.suspect = trust == OST_TRUST_SUSPECT;
    return trust == OST_TRUST_NONE ? lose(s, &t) : decode(s, &t, extent, out);
}

static const struct ost_block *find(void *ctx, uint64_t bid)
{
    const struct ost_sourceblocks *s = ctx;

    return ost_plan_block(s->options.plan, bid);
}

static int get(void *ctx, const struct ost_block *block, struct bytes *decoded)
{
    struct ost_sourceblocks *s = ctx;
    const struct ost_at_hand *h = s->options.at_hand;
    uint64_t cost = block->inflated + (uint64_t)OST_LIMIT_BLOCK_COST;
    const uint8_t *place = NULL, *kept;
    bool clean = false;

    if (cost > s->left) {
        s->exhausted = true;
        return ERR_LIMIT;
    }
    s->left -= cost;
    if (h)
        place = h->place(h->ctx, block, &clean);
    if (place && clean && ost_block_plain(s->decoder, block)) {
        *decoded = (struct bytes){place, block->inflated};
        return 0;
    }
    kept = ost_blockring_find(s->ring, block->bid);
    if (!kept)
        return load(s, block, place, clean, decoded);
    *decoded = (struct bytes){kept, block->inflated};
    return 0;
}

static void put(void *ctx, const struct ost_block *block, struct bytes decoded)
{
    struct ost_sourceblocks *s = ctx;

    (void)block;
    if (ost_blockring_holds(s->ring, decoded.data))
        ost_blockring_put(s->ring, decoded.data);
}

int ost_sourceblocks_create(const struct ost_sourceblocks_options *options,
                            struct ost_sourceblocks **out)
{
    struct ost_sourceblocks *s = mem_zalloc(sizeof *s);
    int rc = ERR_NOMEM;

    if (!s)
        return rc;
    s->view = (struct ost_blocks){.ctx = s, .find = find, .get = get, .put = put};
    s->options = *options;
    s->variant = options->plan->variant;
    s->left = options->allowance_bytes;
    s->bytes = mem_alloc(WINDOWS * WINDOW + EXTENT_MAX);
    if (s->bytes)
        rc = ost_blockring_create(options->memory_bytes, &s->ring);
    if (!rc)
        rc = ost_decoder_create(s->variant, options->crypt, &s->decoder);
    if (rc)
        ost_sourceblocks_destroy(s);
    else
        *out = s;
    return rc;
}

void ost_sourceblocks_destroy(struct ost_sourceblocks *s)
{
    if (!s)
        return;
    ost_decoder_destroy(s->decoder);
    ost_blockring_destroy(s->ring);
    mem_free(s->bytes);
    mem_free(s);
}

const struct ost_blocks *ost_sourceblocks_view(struct ost_sourceblocks *s)
{
    return &s->view;
}

void ost_sourceblocks_charge(struct ost_sourceblocks *s, uint64_t bytes)
{
    s->left -= bytes < s->left ? bytes : s->left;
}

bool ost_sourceblocks_spend(struct ost_sourceblocks *s, uint64_t blocks, uint64_t bytes)
{
    uint64_t cost = bytes + blocks * OST_LIMIT_BLOCK_COST;

    if (cost > s->left)
        return false;
    s->left -= cost;
    return true;
}

void ost_sourceblocks_refund(struct ost_sourceblocks *s, uint64_t bytes)
{
    s->left += bytes;
}

uint64_t ost_sourceblocks_charged(const struct ost_sourceblocks *s)
{
    return s->options.allowance_bytes - s->left;
}

bool ost_sourceblocks_exhausted(const struct ost_sourceblocks *s)
{
    return s->exhausted;
}
