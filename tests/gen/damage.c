#include "tests/gen/damage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/offsets.h"

static const struct {
    const char *name, *codes, *also, *text;
} kinds[DAMAGE_KINDS] = {
#define DAMAGE(name, codes, also, text) {#name, codes, also, text},
#include "tests/gen/damages.inc"
#undef DAMAGE
};

const char *damage_name(enum damage_kind kind)
{
    return kinds[kind].name;
}

const char *damage_codes(enum damage_kind kind)
{
    return kinds[kind].codes;
}

const char *damage_also(enum damage_kind kind)
{
    return kinds[kind].also;
}

const char *damage_text(enum damage_kind kind)
{
    return kinds[kind].text;
}

enum damage_kind damage_find(const char *name)
{
    enum damage_kind kind = 0;
    while (kind < DAMAGE_KINDS && strcmp(kinds[kind].name, name) != 0)
        kind++;
    return kind;
}

void damage_quota_init(struct damage_quota *q, const struct gen_options *o)
{
    *q = (struct damage_quota){0};
    for (size_t i = 0; i < o->damage_count; i++) {
        if (o->damages[i].kind <= DAMAGE_WRITTEN_LAST)
            q->left[o->damages[i].kind] += o->damages[i].count;
    }
}

static bool suits(enum damage_kind kind, const struct item *it)
{
    bool mail = it->plan.kind == ITEM_MAIL && (it->plan.features & FEATURE_BARE) == 0;
    switch (kind) {
    case DAMAGE_value_subnode:
        return mail && it->html_size > 2000;
    case DAMAGE_subnode_order:
    case DAMAGE_subnode_dangling:
    case DAMAGE_subnode_cycle:
        return mail && it->html_size > 2000 && it->attachment_count < 100;
    default:
        return mail;
    }
}

static void set_flaw(enum damage_kind kind, struct item_flaws *f)
{
    switch (kind) {
    case DAMAGE_heap_signature:
        f->object = OBJECT_HEAP_SIGNATURE;
        break;
    case DAMAGE_heap_client:
        f->object = OBJECT_HEAP_CLIENT;
        break;
    case DAMAGE_heap_map:
        f->object = OBJECT_HEAP_MAP;
        break;
    case DAMAGE_heap_root:
        f->object = OBJECT_HEAP_ROOT;
        break;
    case DAMAGE_bth_header:
        f->object = OBJECT_BTH_HEADER;
        break;
    case DAMAGE_value_hid:
        f->object = OBJECT_VALUE_HID;
        break;
    case DAMAGE_value_subnode:
        f->object = OBJECT_VALUE_SUBNODE;
        break;
    case DAMAGE_value_type:
        f->object = OBJECT_VALUE_TYPE;
        break;
    case DAMAGE_subnode_order:
        f->subnode = SUBNODE_ORDER;
        break;
    case DAMAGE_subnode_dangling:
        f->subnode = SUBNODE_DANGLING;
        break;
    case DAMAGE_subnode_cycle:
        f->subnode = SUBNODE_CYCLE;
        break;
    case DAMAGE_node_parent:
        f->no_parent = true;
        break;
    case DAMAGE_row_twice:
        f->two_rows = true;
        break;
    default:
        f->no_row = true;
        break;
    }
}

enum damage_kind damage_flaws(struct damage_quota *q, const struct item *it, struct rng *r,
                              struct item_flaws *flaws)
{
    *flaws = (struct item_flaws){0};
    for (enum damage_kind kind = 0; kind < DAMAGE_row_ghost; kind++) {
        if (q->left[kind] == 0 || !suits(kind, it) || rng_chance(r, 25))
            continue;
        q->left[kind]--;
        set_flaw(kind, flaws);
        return kind;
    }
    return DAMAGE_KINDS;
}

static void report(struct truth *t, enum damage_kind kind, const struct hit *hit)
{
    if (t->file == NULL)
        return;
    struct buf *out = truth_line(t);
    buf_printf(out, "{\"type\":\"damage\",\"kind\":\"%s\"", kinds[kind].name);
    if (hit->length > 0)
        buf_printf(out, ",\"offset\":%llu,\"length\":%llu", (unsigned long long)hit->offset,
                   (unsigned long long)hit->length);
    buf_puts(out, ",\"bids\":[");
    for (size_t i = 0; i < hit->bid_count; i++)
        buf_printf(out, i > 0 ? ",%llu" : "%llu", (unsigned long long)hit->bids[i]);
    buf_puts(out, "],\"nids\":[");
    for (size_t i = 0; i < hit->nid_count; i++)
        buf_printf(out, i > 0 ? ",%u" : "%u", hit->nids[i]);
    buf_printf(out, "],\"all\":%s,\"codes\":[%s],\"also\":[%s]}", hit->all ? "true" : "false",
               kinds[kind].codes, kinds[kind].also);
    truth_line_end(t);
}

void damage_report(struct damager *d, enum damage_kind kind, const struct hit *hit)
{
    report(d->truth, kind, hit);
}

void damage_written(struct truth *t, enum damage_kind kind, uint32_t nid, uint32_t folder)
{
    uint32_t nids[2] = {nid, folder};
    struct hit hit = {.nids = nids, .nid_count = folder != 0 ? 2 : 1};
    report(t, kind, &hit);
}

void damager_read(struct damager *d, uint64_t offset, size_t size)
{
    if (pread(d->img->fd, d->bytes, size, (off_t)offset) != (ssize_t)size && d->error == 0)
        d->error = ERR_IO;
}

void damager_write(struct damager *d, uint64_t offset, const void *data, size_t size)
{
    if (pwrite(d->img->fd, data, size, (off_t)offset) != (ssize_t)size && d->error == 0)
        d->error = err_from_errno(errno);
}

/* The same reservoir for all choices: each candidate with equal chance, in one pass. */
static bool chosen(struct damager *d, uint32_t *seen)
{
    return rng_below(&d->rng, ++*seen) == 0;
}

static bool block_suits(const struct damager *d, size_t index, const struct block_wish *wish)
{
    const struct gen_block *b = &d->img->blocks[index];
    return b->state == BLOCK_LIVE && b->kind == wish->kind && b->stored >= wish->stored_min &&
           d->hit_blocks[index] == 0 && (b->owner & 0x1F) == 0x04 && b->refs > 1 &&
           (!wish->compressed || b->stored != b->inflated) &&
           (wish->extent == 0 || variant_block_extent(d->img->variant, b->stored) == wish->extent);
}

size_t damage_pick_block(struct damager *d, const struct block_wish *wish)
{
    size_t pick = 0;
    uint32_t seen = 0;
    for (size_t i = 1; i < d->img->block_count; i++) {
        if (block_suits(d, i, wish) && chosen(d, &seen))
            pick = i;
    }
    if (pick != 0)
        d->hit_blocks[pick] = 1;
    return pick;
}

size_t damage_pick_data(struct damager *d, uint32_t stored_min)
{
    struct block_wish wish = {.kind = BLOCK_DATA, .stored_min = stored_min};
    return damage_pick_block(d, &wish);
}

size_t damage_pick_leaf(struct damager *d, uint8_t type, uint32_t entries_min)
{
    size_t pick = d->img->page_count;
    uint32_t seen = 0;
    for (size_t i = 0; i < d->img->page_count; i++) {
        const struct gen_page *p = &d->img->pages[i];
        if (!p->stale && p->level == 0 && (type == 0 || p->type == type) &&
            p->entries >= entries_min && d->hit_pages[i] == 0 && chosen(d, &seen))
            pick = i;
    }
    if (pick < d->img->page_count)
        d->hit_pages[pick] = 1;
    return pick;
}

size_t damage_leaf_of(struct damager *d, uint8_t type, uint64_t key)
{
    size_t best = d->img->page_count;
    for (size_t i = 0; i < d->img->page_count; i++) {
        const struct gen_page *p = &d->img->pages[i];
        if (!p->stale && p->level == 0 && p->type == type && p->first_key <= key &&
            (best == d->img->page_count || p->first_key > d->img->pages[best].first_key))
            best = i;
    }
    return best;
}

void damage_report_block(struct damager *d, enum damage_kind kind, size_t index, uint64_t offset,
                         uint64_t length)
{
    uint64_t bid = image_bid_at(d->img, index);
    struct hit hit = {.offset = offset,
                      .length = length,
                      .bids = &bid,
                      .bid_count = 1,
                      .nids = &d->img->blocks[index].owner,
                      .nid_count = 1};
    damage_report(d, kind, &hit);
}

static bool make_one(struct damager *d, enum damage_kind kind)
{
    bool once = kind <= DAMAGE_trailing || kind == DAMAGE_root_nbt || kind == DAMAGE_root_bbt;
    if (once && d->done[kind])
        return false;
    d->done[kind] = true;
    if (kind <= DAMAGE_trailing)
        return damage_header(d, kind);
    if (kind <= DAMAGE_root_bbt)
        return damage_page(d, kind);
    if (kind <= DAMAGE_block_inflate)
        return damage_block(d, kind);
    if (kind <= DAMAGE_bbt_missing)
        return damage_entry(d, kind);
    if (kind <= DAMAGE_amap_clear)
        return damage_map(d, kind);
    return damage_tree(d, kind);
}

static int make_all(struct damager *d, const struct gen_options *o, enum damage_kind *missed)
{
    for (size_t i = 0; i < o->damage_count; i++) {
        enum damage_kind kind = o->damages[i].kind;
        if (kind <= DAMAGE_WRITTEN_LAST)
            continue;
        for (uint32_t n = 0; n < o->damages[i].count; n++) {
            if (!make_one(d, kind)) {
                *missed = kind;
                return ERR_UNSUPPORTED;
            }
        }
    }
    return d->error;
}

int damage_file(struct image *img, struct truth *t, const struct gen_options *o,
                enum damage_kind *missed)
{
    struct damager d = {.img = img, .truth = t, .rng = rng_of(o->seed, 17, 0)};
    d.hit_blocks = mem_zalloc(img->block_count + 1);
    d.hit_pages = mem_zalloc(img->page_count + 1);
    d.hit_spans = mem_zalloc(space_spans(&img->space));
    d.bytes = mem_alloc(2 * 65536);
    int error = ERR_NOMEM;
    if (d.hit_blocks != NULL && d.hit_pages != NULL && d.hit_spans != NULL && d.bytes != NULL)
        error = make_all(&d, o, missed);
    mem_free(d.hit_blocks);
    mem_free(d.hit_pages);
    mem_free(d.hit_spans);
    mem_free(d.bytes);
    return error;
}
