#include "tests/gen/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/offsets.h"
#include "tests/gen/crypt.h"
#include "tests/gen/sum.h"

/*
 * Blocks take one of two ways:
 *
 *   plain        image_put -> encode into the window of space, at the next free place
 *   fragmented   image_put -> encode into the spool; image_finish permutes the blocks and places
 *                them, making each trailer (it depends on the place) only then
 *
 * In both, places for B-tree pages are reserved every few blocks, so that pages lie between the
 * blocks as in files that grew. What is left over of these places holds stale pages.
 *
 * blocks[] is indexed by BID >> 2, so a reference finds its counter at once.
 */

enum { HELD_MAX = 1 << 20, SCRATCH_BYTES = 128 << 10 };

struct held {
    uint64_t bid;
    size_t offset;
    uint32_t size;
    uint32_t owner;
    uint8_t kind;
};

void image_fail(struct image *img, int error)
{
    if (img->error == 0)
        img->error = error;
}

int image_error(const struct image *img)
{
    return img->error != 0 ? img->error : space_error(&img->space);
}

void *image_grow(struct image *img, void *array, size_t *capacity, size_t count, size_t item)
{
    if (count <= *capacity)
        return array;
    size_t wanted = *capacity * 2 > count ? *capacity * 2 : count + 64;
    void *bigger = mem_realloc(array, wanted * item);
    if (bigger == NULL) {
        image_fail(img, ERR_NOMEM);
        return NULL;
    }
    *capacity = wanted;
    return bigger;
}

/* img->ARRAY with room for one more item, or return RESULT after an error. */
#define ROOM_FOR_ONE(img, array, count, capacity, result)                                          \
    do {                                                                                           \
        void *grown_ = image_grow(img, (img)->array, &(img)->capacity, (img)->count + 1,           \
                                  sizeof *(img)->array);                                           \
        if (grown_ == NULL)                                                                        \
            return result;                                                                         \
        (img)->array = grown_;                                                                     \
    } while (0)

bool image_internal(enum block_kind kind)
{
    return kind != BLOCK_DATA;
}

uint64_t image_bid_at(const struct image *img, size_t index)
{
    return (uint64_t)index << 2 | (image_internal(img->blocks[index].kind) ? BID_INTERNAL : 0);
}

static int open_files(struct image *img)
{
    const struct image_options *o = &img->options;
    img->fd = open(o->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (img->fd < 0)
        return err_from_errno(errno);
    if (o->fragment_percent == 0)
        return 0;
    struct buf name = BUF_INIT;
    buf_printf(&name, "%s.spool", o->path);
    const char *spool = buf_cstr(&name);
    if (spool == NULL)
        return ERR_NOMEM;
    img->spool_fd = open(spool, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int error = img->spool_fd < 0 || unlink(spool) != 0 ? err_from_errno(errno) : 0;
    buf_done(&name);
    return error;
}

int image_create(const struct image_options *options, struct image **out)
{
    struct image *img = mem_zalloc(sizeof *img);
    if (img == NULL)
        return ERR_NOMEM;
    img->options = *options;
    img->variant = variant_of(options->format);
    img->fd = img->spool_fd = -1;
    img->rng = rng_of(options->seed, 1, (uint64_t)options->format << 8 | options->content);
    img->page_bid_next = 1;
    img->slot_countdown = 1;
    img->block_count = 1; /* BID 0 means none */
    for (int i = 0; i < RGNID_COUNT; i++)
        img->highest[i] = 0x400;
    img->highest[0x03] = 0x4000;
    img->highest[0x04] = 0x10000;
    img->highest[0x08] = 0x8000;
    img->scratch = mem_alloc(SCRATCH_BYTES);
    img->scratch2 = mem_alloc(SCRATCH_BYTES);
    int error = img->scratch == NULL || img->scratch2 == NULL ? ERR_NOMEM : open_files(img);
    if (error == 0)
        error = space_init(&img->space, img->variant, img->fd);
    if (error == 0 && deflateInit(&img->deflater, 6) != Z_OK)
        error = ERR_NOMEM;
    img->blocks = image_grow(img, NULL, &img->block_capacity, 1, sizeof *img->blocks);
    if (error == 0)
        error = img->error;
    if (error != 0) {
        image_destroy(img);
        return error;
    }
    img->blocks[0] = (struct gen_block){0};
    *out = img;
    return 0;
}

void image_destroy(struct image *img)
{
    if (img == NULL)
        return;
    space_done(&img->space);
    deflateEnd(&img->deflater);
    if (img->fd >= 0)
        close(img->fd);
    if (img->spool_fd >= 0)
        close(img->spool_fd);
    buf_done(&img->held_data);
    mem_free(img->held);
    mem_free(img->blocks);
    mem_free(img->nodes);
    mem_free(img->pages);
    mem_free(img->slots);
    mem_free(img->snapshots);
    mem_free(img->scratch);
    mem_free(img->scratch2);
    mem_free(img);
}

uint64_t image_bid(struct image *img, bool internal)
{
    ROOM_FOR_ONE(img, blocks, block_count, block_capacity, 0);
    size_t index = img->block_count++;
    img->blocks[index] = (struct gen_block){.state = BLOCK_UNUSED, .refs = 1};
    return (uint64_t)index << 2 | (internal ? BID_INTERNAL : 0);
}

void image_nid_seen(struct image *img, uint32_t nid)
{
    uint32_t *highest = &img->highest[nid & 0x1F];
    if (*highest < nid >> 5)
        *highest = nid >> 5;
}

uint32_t image_nid(struct image *img, uint32_t type)
{
    return ++img->highest[type] << 5 | type;
}

void image_owner(struct image *img, uint32_t nid)
{
    img->owner = nid;
}

void image_ref(struct image *img, uint64_t bid)
{
    if (bid != 0 && image_index(bid) < img->block_count)
        img->blocks[image_index(bid)].refs++;
}

/* Reserves a place for a page every so many blocks: about as many as the trees will need. */
static void reserve_slots(struct image *img)
{
    if (--img->slot_countdown > 0)
        return;
    img->slot_countdown = img->variant->format == GEN_UNICODE4K ? 70 : 9;
    void *grown =
        image_grow(img, img->slots, &img->slot_capacity, img->slot_count + 1, sizeof *img->slots);
    if (grown == NULL)
        return;
    img->slots = grown;
    uint32_t size = img->variant->page_size;
    img->slots[img->slot_count++] = space_alloc(&img->space, size, size);
}

uint64_t image_page_slot(struct image *img, bool anywhere)
{
    uint32_t size = img->variant->page_size;
    if (img->slot_next == img->slot_count)
        return space_alloc(&img->space, size, size);
    uint64_t *next = &img->slots[img->slot_next++];
    if (anywhere) {
        size_t left = img->slot_count - img->slot_next + 1;
        uint64_t *other = next + rng_next(&img->rng) % left;
        uint64_t swap = *next;
        *next = *other;
        *other = swap;
    }
    return *next;
}

/* Deflates at level 6. 0: the result is not to be kept. */
static uint32_t deflate_block(struct image *img, const uint8_t *data, uint32_t size)
{
    const struct image_options *o = &img->options;
    uint32_t extent = variant_block_extent(img->variant, size);
    z_stream *z = &img->deflater;
    if (extent <= img->variant->unit && !o->compress_always)
        return 0;
    deflateReset(z);
    z->next_in = (Bytef *)(uintptr_t)data;
    z->avail_in = size;
    z->next_out = img->scratch2;
    z->avail_out = SCRATCH_BYTES;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return 0;
    uint32_t deflated = SCRATCH_BYTES - z->avail_out;
    if (o->compress_always)
        return deflated != size && deflated <= img->variant->block_max ? deflated : 0;
    return variant_block_extent(img->variant, deflated) < extent ? deflated : 0;
}

/* Stored form, in scratch where it is not the data itself: ciphered, then perhaps deflated. */
static const uint8_t *encode(struct image *img, uint64_t bid, enum block_kind kind,
                             const uint8_t *data, uint32_t size, uint32_t *stored)
{
    const struct image_options *o = &img->options;
    *stored = size;
    if (!image_internal(kind) && o->crypt == GEN_CRYPT_PERMUTE) {
        crypt_permute(data, size, img->scratch);
        data = img->scratch;
    } else if (!image_internal(kind) && o->crypt == GEN_CRYPT_CYCLIC) {
        crypt_cyclic(data, size, bid, img->scratch);
        data = img->scratch;
    }
    if (!o->compress || (image_internal(kind) && o->plain_internal))
        return data;
    uint32_t deflated = deflate_block(img, data, size);
    if (deflated == 0)
        return data;
    *stored = deflated;
    return img->scratch2;
}

static void spool_block(struct image *img, const uint8_t *data, uint32_t size, uint64_t *where)
{
    uint8_t *room = img->space.window;
    if (img->space.window_used + size > SPACE_WINDOW) {
        if (pwrite(img->spool_fd, room, img->space.window_used,
                   (off_t)(img->spool_size - img->space.window_used)) !=
            (ssize_t)img->space.window_used)
            image_fail(img, ERR_IO);
        img->space.window_used = 0;
    }
    memcpy(room + img->space.window_used, data, size);
    img->space.window_used += size;
    *where = img->spool_size;
    img->spool_size += size;
}

static void place_block(struct image *img, uint64_t bid, struct gen_block *b, const uint8_t *data)
{
    uint32_t extent = variant_block_extent(img->variant, b->stored);
    reserve_slots(img);
    b->ib = space_alloc(&img->space, extent, img->variant->unit);
    uint8_t *room = space_place(&img->space, b->ib, extent);
    if (room == NULL)
        return;
    memcpy(room, data, b->stored);
    struct block_end end = {
        .offset = b->ib, .bid = bid, .stored = b->stored, .inflated = b->inflated};
    block_seal(img->variant, room, &end);
}

static void emit(struct image *img, uint64_t bid, enum block_kind kind, const uint8_t *data,
                 uint32_t size, uint32_t owner)
{
    if (image_error(img) != 0)
        return;
    uint32_t stored;
    const uint8_t *bytes = encode(img, bid, kind, data, size, &stored);
    struct gen_block *b = &img->blocks[image_index(bid)];
    b->state = BLOCK_LIVE;
    b->kind = (uint8_t)kind;
    b->stored = (uint16_t)stored;
    b->inflated = (uint16_t)size;
    b->owner = owner;
    img->stored_bytes += stored;
    img->inflated_bytes += size;
    if (img->spool_fd >= 0)
        spool_block(img, bytes, stored, &b->ib);
    else
        place_block(img, bid, b, bytes);
}

void image_put(struct image *img, uint64_t bid, enum block_kind kind, const void *data, size_t size)
{
    assert(size > 0 && size <= img->variant->block_max);
    assert(image_internal(kind) == ((bid & BID_INTERNAL) != 0));
    if (image_error(img) != 0)
        return;
    if (!img->holding || img->held_data.size + size > HELD_MAX) {
        if (img->holding) {
            image_release(img, HOLD_AS_IS);
            img->holding = true;
        }
        emit(img, bid, kind, data, (uint32_t)size, img->owner);
        return;
    }
    ROOM_FOR_ONE(img, held, held_count, held_capacity, );
    img->held[img->held_count++] = (struct held){.bid = bid,
                                                 .offset = img->held_data.size,
                                                 .size = (uint32_t)size,
                                                 .owner = img->owner,
                                                 .kind = (uint8_t)kind};
    buf_append(&img->held_data, data, size);
}

uint64_t image_put_data(struct image *img, const void *data, size_t size)
{
    uint64_t bid = image_bid(img, false);
    if (bid != 0)
        image_put(img, bid, BLOCK_DATA, data, size);
    return bid;
}

void image_hold(struct image *img)
{
    img->holding = true;
}

void image_release(struct image *img, enum hold_order order)
{
    size_t n = img->held_count;
    if (img->held_data.failed)
        image_fail(img, ERR_NOMEM);
    for (size_t i = 0; order == HOLD_SHUFFLED && i + 1 < n; i++) {
        size_t j = i + rng_below(&img->rng, (uint32_t)(n - i));
        struct held swap = img->held[i];
        img->held[i] = img->held[j];
        img->held[j] = swap;
    }
    for (size_t i = 0; i < n; i++) {
        const struct held *h = &img->held[order == HOLD_REVERSED ? n - 1 - i : i];
        emit(img, h->bid, h->kind, img->held_data.data + h->offset, h->size, h->owner);
    }
    img->held_count = 0;
    buf_reset(&img->held_data);
    img->holding = false;
}

void image_node(struct image *img, uint32_t nid, uint64_t data, uint64_t sub, uint32_t parent)
{
    ROOM_FOR_ONE(img, nodes, node_count, node_capacity, );
    img->nodes[img->node_count++] =
        (struct gen_node){.nid = nid, .parent = parent, .data = data, .sub = sub};
    image_nid_seen(img, nid);
    image_ref(img, data);
    image_ref(img, sub);
}

struct snapshot image_mark(const struct image *img)
{
    return (struct snapshot){.blocks = img->block_count, .nodes = img->node_count};
}

void image_drop(struct image *img, struct snapshot mark)
{
    assert(!img->holding);
    for (size_t i = mark.blocks; i < img->block_count; i++) {
        if (img->blocks[i].state == BLOCK_LIVE)
            img->blocks[i].state = BLOCK_DELETED;
    }
    for (size_t i = mark.nodes; i < img->node_count; i++)
        img->nodes[i].deleted = true;
}

void image_checkpoint(struct image *img)
{
    ROOM_FOR_ONE(img, snapshots, snapshot_count, snapshot_capacity, );
    img->snapshots[img->snapshot_count++] = image_mark(img);
}

uint64_t image_bytes(const struct image *img)
{
    return img->spool_fd >= 0 ? img->spool_size + img->block_count * 64 : img->space.next;
}

/* The order in which spooled blocks are placed: that share of them, uniformly permuted. */
static size_t *placing_order(struct image *img, size_t *count)
{
    size_t *order = mem_alloc_array(img->block_count, 2 * sizeof *order);
    if (order == NULL) {
        image_fail(img, ERR_NOMEM);
        return NULL;
    }
    size_t *chosen = order + img->block_count;
    size_t n = 0, k = 0;
    for (size_t i = 1; i < img->block_count; i++) {
        if (img->blocks[i].state == BLOCK_UNUSED)
            continue;
        if (rng_below(&img->rng, 100) < img->options.fragment_percent)
            chosen[k++] = n;
        order[n++] = i;
    }
    for (size_t i = 0; i + 1 < k; i++) {
        size_t j = i + rng_next(&img->rng) % (k - i);
        size_t swap = order[chosen[i]];
        order[chosen[i]] = order[chosen[j]];
        order[chosen[j]] = swap;
    }
    *count = n;
    return order;
}

static void place_spooled(struct image *img)
{
    size_t tail = img->space.window_used;
    if (tail > 0 && pwrite(img->spool_fd, img->space.window, tail,
                           (off_t)(img->spool_size - tail)) != (ssize_t)tail)
        image_fail(img, ERR_IO);
    img->space.window_used = 0;
    if (img->error != 0 || img->spool_size == 0)
        return;
    size_t count = 0;
    size_t *order = placing_order(img, &count);
    void *spool = mmap(NULL, img->spool_size, PROT_READ, MAP_SHARED, img->spool_fd, 0);
    if (spool == MAP_FAILED)
        image_fail(img, err_from_errno(errno));
    for (size_t i = 0; i < count && image_error(img) == 0; i++) {
        struct gen_block *b = &img->blocks[order[i]];
        place_block(img, image_bid_at(img, order[i]), b, (const uint8_t *)spool + b->ib);
    }
    if (spool != MAP_FAILED)
        munmap(spool, img->spool_size);
    mem_free(order);
}

static int by_nid(const void *a, const void *b)
{
    const struct gen_node *x = a, *y = b;
    return x->nid < y->nid ? -1 : x->nid > y->nid;
}

int image_finish(struct image *img)
{
    assert(!img->holding);
    if (img->spool_fd >= 0)
        place_spooled(img);
    space_flush(&img->space);
    if (image_error(img) != 0)
        return image_error(img);
    for (size_t i = 1; i < img->block_count; i++) {
        const struct gen_block *b = &img->blocks[i];
        if (b->state == BLOCK_DELETED)
            space_free(&img->space, b->ib, variant_block_extent(img->variant, b->stored));
    }
    btree_write_stale(img);
    if (img->node_count > 0)
        qsort(img->nodes, img->node_count, sizeof *img->nodes, by_nid);
    btree_write(img, PTYPE_NBT, img->root_nbt);
    btree_write(img, PTYPE_BBT, img->root_bbt);
    while (img->slot_next < img->slot_count)
        space_free(&img->space, img->slots[img->slot_next++], img->variant->page_size);
    if (image_error(img) == 0)
        space_finish(&img->space);
    density_list_write(img);
    header_write(img);
    return image_error(img);
}
