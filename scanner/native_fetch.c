/*
 * native_fetch.c: see native_fetch.h.
 *
 * The blocks that fit are put in order of offset and cut into runs of neighbours without a gap:
 * what lies between others is mostly a block that was read once and would be a second time. Some
 * runs are announced to the source ahead of the one that is asked for, which keeps several reads in
 * flight.
 */
#include "scanner/native_fetch.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "io/sort.h"
#include "scanner/ost/block.h"

enum {
    RUN_BYTES = 128 << 10, /* any block fits */
    RUNS_AHEAD = 64,
    FIRST = 1024,
    KNOWN_MOST = 1 << 18,
};

#define NOT_HAD SIZE_MAX

struct had {
    uint32_t block;
    size_t at; /* in bytes; NOT_HAD */
};

/* Blocks that are read at once: a slice of those in order of offset. */
struct run {
    uint64_t offset;
    size_t length;
    size_t first, count;
};

struct native_fetch {
    const struct ost_plan *plan;
    size_t room, used;
    uint8_t *bytes;
    struct had *list; /* ascending by block */
    size_t count, list_room;
    bool overflow; /* more were asked for than are noted */
    uint8_t spare[RUN_BYTES];
};

static const struct ost_block *block_at(const struct native_fetch *f, uint32_t block)
{
    return &f->plan->blocks[block];
}

static uint32_t extent_of(const struct native_fetch *f, uint32_t block)
{
    return ost_block_extent(f->plan->variant, block_at(f, block)->stored);
}

int native_fetch_create(const struct ost_plan *plan, size_t memory_bytes, struct native_fetch **out)
{
    struct native_fetch *f = mem_alloc(sizeof *f);

    if (!f)
        return ERR_NOMEM;
    f->plan = plan;
    f->room = memory_bytes;
    f->used = f->count = f->list_room = 0;
    f->overflow = false;
    f->list = NULL;
    f->bytes = mem_alloc(memory_bytes + 1);
    if (!f->bytes) {
        native_fetch_destroy(f);
        return ERR_NOMEM;
    }
    *out = f;
    return 0;
}

void native_fetch_destroy(struct native_fetch *f)
{
    if (!f)
        return;
    mem_free(f->bytes);
    mem_free(f->list);
    mem_free(f);
}

void native_fetch_begin(struct native_fetch *f)
{
    f->used = f->count = 0;
    f->overflow = false;
}

size_t native_fetch_room(const struct native_fetch *f)
{
    return f->room - f->used;
}

static const struct had *find(const struct native_fetch *f, uint32_t block)
{
    size_t low = 0, high = f->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (f->list[middle].block < block)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->count && f->list[low].block == block ? &f->list[low] : NULL;
}

bool native_fetch_knows(const struct native_fetch *f, uint32_t block)
{
    return f->overflow || find(f, block);
}

const uint8_t *native_fetch_at(const struct native_fetch *f, uint32_t block)
{
    const struct had *h = find(f, block);

    return h && h->at != NOT_HAD ? f->bytes + h->at : NULL;
}

bool native_fetch_get(const struct native_fetch *f, uint32_t block, uint8_t *into, uint32_t size)
{
    const uint8_t *extent = native_fetch_at(f, block);

    if (!extent || extent_of(f, block) != size)
        return false;
    memcpy(into, extent, size);
    return true;
}

bool native_fetch_next(const struct native_fetch *f, size_t *place, uint32_t *block,
                       const uint8_t **extent)
{
    while (*place < f->count && f->list[*place].at == NOT_HAD)
        ++*place;
    if (*place == f->count)
        return false;
    *block = f->list[*place].block;
    *extent = f->bytes + f->list[*place].at;
    ++*place;
    return true;
}

static int by_block(const void *a, const void *b)
{
    const struct had *x = a, *y = b;

    return (x->block > y->block) - (x->block < y->block);
}

static int by_offset(const void *a, const void *b, void *ctx)
{
    const struct native_fetch *f = ctx;
    uint64_t x = block_at(f, *(const uint32_t *)a)->offset;
    uint64_t y = block_at(f, *(const uint32_t *)b)->offset;

    return (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
    const struct had *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

void native_fetch_keep(struct native_fetch *f, const void *ctx,
                       bool (*wanted)(const void *ctx, uint32_t block))
{
    size_t kept = 0;

    f->used = 0;
    f->overflow = false;
    io_sort(f->list, f->count, sizeof *f->list, by_place);
    for (size_t i = 0; i < f->count; i++) {
        struct had *h = &f->list[i];
        uint32_t size = extent_of(f, h->block);

        if (h->at == NOT_HAD || !wanted(ctx, h->block))
            continue;
        memmove(f->bytes + f->used, f->bytes + h->at, size);
        f->list[kept++] = (struct had){h->block, f->used};
        f->used += size;
    }
    f->count = kept;
    io_sort(f->list, f->count, sizeof *f->list, by_block);
}

/* Adds to the list what is not in it yet: the new ones, in order, are merged into it from behind.
 */
static int add_all(struct native_fetch *f, const uint32_t *blocks, size_t count)
{
    size_t old = f->count, left = 0, kept;
    struct had *fresh;

    if (f->list_room - f->count < 2 * count) {
        size_t room = f->count + 2 * count + f->list_room / 2 + FIRST;
        struct had *grown = mem_realloc(f->list, room * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        f->list = grown;
        f->list_room = room;
    }
    fresh = f->list + f->count + count;
    for (size_t i = 0; i < count; i++)
        if (!find(f, blocks[i]))
            fresh[left++] = (struct had){blocks[i], NOT_HAD};
    io_sort(fresh, left, sizeof *fresh, by_block);
    kept = left ? 1 : 0;
    for (size_t i = 1; i < left; i++)
        if (fresh[i].block != fresh[kept - 1].block)
            fresh[kept++] = fresh[i];
    f->count += kept;
    for (size_t to = f->count; kept; to--)
        f->list[to - 1] =
            old && f->list[old - 1].block > fresh[kept - 1].block ? f->list[--old] : fresh[--kept];
    return 0;
}

/* Moves those that fit to the front: how many. */
static size_t choose(const struct native_fetch *f, struct io_source *source, uint32_t *blocks,
                     size_t count)
{
    size_t chosen = 0, left = native_fetch_room(f);

    for (unsigned leaves = 0; leaves < 2; leaves++)
        for (size_t i = chosen; i < count; i++) {
            const struct ost_block *b = block_at(f, blocks[i]);
            uint32_t block = blocks[i], size = extent_of(f, block);

            if (ost_bid_internal(b->bid) == leaves || size > left ||
                !range_fits(b->offset, size, source->size_bytes))
                continue;
            left -= size;
            blocks[i] = blocks[chosen];
            blocks[chosen++] = block;
        }
    return chosen;
}

static struct run next_run(const struct native_fetch *f, const uint32_t *blocks, size_t count,
                           size_t first)
{
    struct run r = {.offset = block_at(f, blocks[first])->offset, .first = first};
    uint64_t end = r.offset;

    for (size_t i = first; i < count; i++) {
        uint64_t offset = block_at(f, blocks[i])->offset, far = offset + extent_of(f, blocks[i]);

        if (i > first && (offset > end || far - r.offset > RUN_BYTES))
            break;
        end = far > end ? far : end;
        r.count++;
    }
    r.length = (size_t)(end - r.offset);
    return r;
}

/* Puts a block's bytes where they stay. */
static void keep(struct native_fetch *f, uint32_t block, const uint8_t *extent)
{
    struct had *h = (struct had *)(uintptr_t)find(f, block);
    uint32_t size = extent_of(f, block);

    if (h->at != NOT_HAD || size > native_fetch_room(f))
        return;
    memcpy(f->bytes + f->used, extent, size);
    h->at = f->used;
    f->used += size;
}

static bool is_of_a_range(int code)
{
    return code == ERR_IO || code == ERR_RANGE;
}

static int take_run(struct native_fetch *f, struct io_source *source, const uint32_t *blocks,
                    const struct run *r)
{
    const uint8_t *bytes;
    int rc = io_source_lend(source, r->offset, r->length, f->spare, &bytes);

    if (is_of_a_range(rc))
        return 0;
    for (size_t i = 0; !rc && i < r->count; i++)
        keep(f, blocks[r->first + i],
             bytes + (block_at(f, blocks[r->first + i])->offset - r->offset));
    return rc;
}

static int read_runs(struct native_fetch *f, struct io_source *source, const uint32_t *blocks,
                     size_t count)
{
    struct run runs[RUNS_AHEAD];
    size_t found = 0, taken = 0, next = 0;
    int rc = 0;

    while (!rc && (next < count || taken < found)) {
        while (next < count && found - taken < RUNS_AHEAD) {
            struct run *r = &runs[found++ % RUNS_AHEAD];

            *r = next_run(f, blocks, count, next);
            next += r->count;
            io_source_hint(source, IO_HINT_LEND, r->offset, r->length);
        }
        rc = take_run(f, source, blocks, &runs[taken++ % RUNS_AHEAD]);
    }
    return rc;
}

int native_fetch_read(struct native_fetch *f, struct io_source *source, uint32_t *blocks,
                      size_t count)
{
    int rc;

    if (count > KNOWN_MOST - f->count) {
        f->overflow = true;
        return 0;
    }
    rc = add_all(f, blocks, count);
    if (rc)
        return rc;
    count = choose(f, source, blocks, count);
    io_sort_r(blocks, count, sizeof *blocks, by_offset, f);
    return read_runs(f, source, blocks, count);
}
