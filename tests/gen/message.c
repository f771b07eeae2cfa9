#define XXH_STATIC_LINKING_ONLY
#include <string.h>
#include <xxhash.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/gen/lzfu.h"
#include "tests/gen/store.h"
#include "tests/gen/stream.h"

/*
 * An item is a node with a property context and subnodes: 692 recipients, 671 attachments, one of
 * type 5 for each attachment, 1F for long values. An embedded item is the same, as a subnode of
 * its attachment. What only a contents row holds (change keys; in an OST the time of change) goes
 * into the bag `row`.
 */

enum { NID_RECIPIENTS = 0x692, NID_ATTACHMENTS = 0x671 };
enum { STREAMED = 1 << 20 };

void store_mid(struct store *s, uint8_t mid[8], uint16_t replica, uint64_t counter)
{
    (void)s;
    put_le16(mid, replica);
    for (int i = 0; i < 6; i++)
        mid[2 + i] = (uint8_t)(counter >> (40 - 8 * i));
}

/* Server form: GUID and six bytes; client form: GUID and four. */
uint8_t store_change_key(struct store *s, uint8_t key[22], bool server, uint64_t counter)
{
    int bytes = server ? 6 : 4;
    memcpy(key, server ? s->replica : s->client, 16);
    for (int i = 0; i < bytes; i++)
        key[16 + i] = (uint8_t)(counter >> (8 * (bytes - 1 - i)));
    return (uint8_t)(16 + bytes);
}

static void set_fixed(struct table *t, size_t column, uint64_t value)
{
    struct prop p = {.type = (uint16_t)t->columns->tags[column], .fixed = value};
    table_cell(t, column, &p, 0);
}

static void set_text(struct store *s, struct table *t, size_t column, const char *text,
                     uint32_t codepage)
{
    (void)s;
    struct prop p = {.type = T_TEXT, .data = text, .size = (uint32_t)strlen(text)};
    table_cell(t, column, &p, codepage);
}

static void recipient_row(struct store *s, struct table *t, const struct recipient *to,
                          uint32_t codepage, struct bag *ids)
{
    const struct person *p = &to->person;
    ids->count = 0;
    make_entry_id(ids, 0x0FFF, p);
    make_search_key(ids, 0x300B, p);
    if (ids->failed)
        return;
    set_fixed(t, 2, 1);
    set_text(s, t, 3, p->dn != NULL ? "EX" : "SMTP", codepage);
    set_text(s, t, 4, p->dn != NULL ? p->dn : p->smtp, codepage);
    table_cell(t, 5, &ids->list[0], codepage);
    set_text(s, t, 6, p->name, codepage);
    set_fixed(t, 7, to->type);
    table_cell(t, 8, &ids->list[1], codepage);
    table_cell(t, 9, &ids->list[0], codepage);
    set_fixed(t, 10, 6);
    set_fixed(t, 11, 0);
    set_fixed(t, 12, 1);
    set_text(s, t, 13, p->name, codepage);
    set_text(s, t, 14, p->smtp, codepage);
}

static void write_recipients(struct store *s, const struct item *it, struct subnodes *subs)
{
    uint64_t data, sub;
    if (it->recipient_count == 0)
        return;
    struct table t;
    struct bag ids;
    bag_init(&ids, &s->item_arena, 4);
    table_begin(&t, &s->ltp, &s->columns[COLUMNS_RECIPIENTS], false);
    for (size_t i = 0; i < it->recipient_count; i++) {
        table_row(&t, (uint32_t)i);
        recipient_row(s, &t, &it->recipients[i], it->language->codepage, &ids);
        table_row_end(&t);
    }
    if (ids.failed)
        image_fail(s->img, ERR_NOMEM);
    table_finish(&t, &data, &sub);
    table_done(&t);
    subnodes_add(s->img, subs, NID_RECIPIENTS, data, sub);
}

/* Data of an attachment, made as it is written; root of its data tree. */
static uint64_t write_stream(struct store *s, struct attachment *a)
{
    struct stream stream;
    XXH3_state_t hash;
    XXH128_canonical_t digest;
    struct data_tree tree;
    uint32_t max = s->img->variant->block_max;
    uint8_t *leaf = mem_alloc(max);
    if (leaf == NULL) {
        image_fail(s->img, ERR_NOMEM);
        return 0;
    }
    stream_init(&stream, a->stream);
    XXH3_128bits_reset(&hash);
    data_tree_init(&tree, s->img);
    for (uint64_t at = 0; at < a->size && image_error(s->img) == 0; at += max) {
        size_t n = a->size - at < max ? (size_t)(a->size - at) : max;
        stream_read(&stream, leaf, n);
        XXH3_128bits_update(&hash, leaf, n);
        data_tree_add(&tree, image_put_data(s->img, leaf, n), n);
    }
    uint64_t root = data_tree_finish(&tree);
    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&hash));
    memcpy(a->digest, digest.digest, sizeof a->digest);
    data_tree_done(&tree);
    mem_free(leaf);
    return root;
}

static void attachment_data(struct store *s, struct attachment *a, struct bag *b)
{
    if (a->size > s->img->variant->value_max) {
        bag_written(b, 0x3701, T_BIN, write_stream(s, a), (uint32_t)a->size);
        return;
    }
    uint8_t small[1024];
    struct stream stream;
    stream_init(&stream, a->stream);
    stream_read(&stream, small, (size_t)a->size);
    XXH128_canonical_t digest;
    XXH128_canonicalFromHash(&digest, XXH3_128bits(small, (size_t)a->size));
    memcpy(a->digest, digest.digest, sizeof a->digest);
    bag_data(b, 0x3701, T_BIN, small, (size_t)a->size);
}

struct body {
    uint64_t data, sub;
};

static struct body write_body(struct store *s, struct item *it, const struct item_flaws *flaws);

/* 3701 of an embedded item or of a storage: {nid, size} of a subnode. */
static void attachment_object(struct store *s, struct attachment *a, struct bag *b,
                              struct subnodes *subs)
{
    static const struct item_flaws sound;
    uint8_t object[8];
    struct body body = {0};
    uint32_t nid, size = (uint32_t)a->size;
    if (a->embedded != NULL) {
        body = write_body(s, a->embedded, &sound);
        nid = image_nid(s->img, 0x04);
        size = 4096;
    } else {
        body.data = write_stream(s, a);
        nid = image_nid(s->img, 0x1F);
    }
    subnodes_add(s->img, subs, nid, body.data, body.sub);
    put_le32(object, nid);
    put_le32(object + 4, size);
    bag_data(b, 0x3701, T_OBJECT, object, sizeof object);
}

static const char *extension_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot : "";
}

static uint32_t attachment_size(const struct attachment *a)
{
    return (uint32_t)(a->size > 0xFFFF0000u ? 0xFFFF0000u : a->size) + 262;
}

static void attachment_props(struct store *s, const struct item *it, struct attachment *a,
                             struct bag *b, struct subnodes *subs)
{
    bag_i32(b, 0x0E20, attachment_size(a));
    bag_text(b, 0x3001, a->name);
    bag_text(b, 0x3703, extension_of(a->name));
    bag_text(b, 0x3704, a->name);
    bag_text(b, 0x3707, a->name);
    bag_i32(b, 0x3705, a->method);
    bag_i32(b, 0x370B, UINT32_MAX);
    bag_time(b, 0x3007, it->created);
    bag_time(b, 0x3008, it->created);
    bag_i32(b, 0x3714, a->inline_image ? 4 : 0);
    if (a->mime != NULL)
        bag_text(b, 0x370E, a->mime);
    if (a->inline_image)
        bag_text(b, 0x3712, "image001.jpg@01D78FB6.DD3FEB3A");
    if (a->path != NULL)
        bag_text(b, 0x370D, a->path);
    if (a->embedded != NULL || a->method == 6)
        attachment_object(s, a, b, subs);
    else if (a->path == NULL)
        attachment_data(s, a, b);
}

static uint32_t write_attachment(struct store *s, struct item *it, struct attachment *a,
                                 struct table *t, struct subnodes *subs)
{
    struct subnodes own = {0};
    uint32_t codepage = it->language->codepage;
    struct bag b;
    uint32_t nid = image_nid(s->img, 0x05);
    bag_init(&b, &s->item_arena, 24);
    attachment_props(s, it, a, &b, &own);
    bag_sort(&b);
    uint64_t data = pc_write(&s->ltp, &b, codepage, &own);
    subnodes_add(s->img, subs, nid, data, subnodes_write(s->img, &own));
    subnodes_done(&own);
    table_row(t, nid);
    set_fixed(t, 2, UINT32_MAX);
    set_fixed(t, 3, attachment_size(a));
    set_fixed(t, 4, a->method);
    set_text(s, t, 5, a->name, codepage);
    set_text(s, t, 6, a->name, codepage);
    if (a->mime != NULL)
        set_text(s, t, 7, a->mime, codepage);
    set_fixed(t, 8, a->inline_image ? 4 : 0);
    table_row_end(t);
    return nid;
}

static void write_attachments(struct store *s, struct item *it, struct subnodes *subs)
{
    if (it->attachment_count == 0)
        return;
    struct table t;
    uint64_t data, sub;
    table_begin(&t, &s->ltp, &s->columns[COLUMNS_ATTACHMENTS], false);
    for (size_t i = 0; i < it->attachment_count; i++)
        it->attachments[i].nid = write_attachment(s, it, &it->attachments[i], &t, subs);
    table_finish(&t, &data, &sub);
    table_done(&t);
    subnodes_add(s->img, subs, NID_ATTACHMENTS, data, sub);
}

/* LZFu in an OST; in a PST every other one stored: the same RTF in another dress. */
static void rtf_prop(struct store *s, struct item *it)
{
    struct buf packed = BUF_INIT;
    if (it->rtf == NULL)
        return;
    if (s->content == GEN_PST && it->plan.content % 2 == 0)
        lzfu_store(it->rtf, it->rtf_size, &packed);
    else
        lzfu_compress(it->rtf, it->rtf_size, &packed);
    if (packed.failed)
        image_fail(s->img, ERR_NOMEM);
    else
        bag_data(&it->bag, 0x1009, T_BIN, packed.data, packed.size);
    bag_bool(&it->bag, 0x0E1F, true);
    buf_done(&packed);
}

static uint32_t item_size(const struct item *it)
{
    uint64_t size = 1000;
    for (size_t i = 0; i < it->bag.count; i++)
        size += it->bag.list[i].size + 8;
    for (size_t i = 0; i < it->attachment_count; i++)
        size += attachment_size(&it->attachments[i]);
    return size > 0x7FFFFFFF ? 0x7FFFFFFF : (uint32_t)size;
}

/* Recipients, attachments, properties, subnode tree; the bag ends sorted, with local ids. */
static struct body write_body(struct store *s, struct item *it, const struct item_flaws *flaws)
{
    struct subnodes subs = {0};
    struct body body;
    write_recipients(s, it, &subs);
    write_attachments(s, it, &subs);
    rtf_prop(s, it);
    bag_remove(&it->bag, 0x3013);
    bag_i32(&it->bag, 0x0E07, it->flags);
    bag_i32(&it->bag, 0x0E08, item_size(it));
    bag_bool(&it->bag, 0x0E1B, it->attachment_count > 0);
    bag_time(&it->bag, 0x3007, it->created);
    if (s->content == GEN_PST)
        bag_time(&it->bag, 0x3008, it->modified);
    name_map_apply(&s->names, &it->bag);
    bag_sort(&it->bag);
    s->ltp.flaw = flaws->object;
    body.data = pc_write(&s->ltp, &it->bag, it->language->codepage, &subs);
    body.sub = subnodes_write_flawed(s->img, &subs, flaws->subnode);
    subnodes_done(&subs);
    return body;
}

/* Made of the position, so that both sides of a comparison have the same for the same state. */
static void change_key(struct store *s, const struct item *it, struct written_item *w)
{
    struct rng r = rng_of(s->seed, 6, it->plan.content);
    bool local = rng_chance(&r, 10);
    if (it->plan.key != KEY_USUAL)
        local = it->plan.key == KEY_CLIENT;
    uint64_t number = 0x500 + it->plan.position + (it->plan.changed_here ? 0x1000000u : 0);
    if (it->plan.key != KEY_NONE && (s->content == GEN_OST || s->server))
        w->change_key_size = store_change_key(s, w->change_key, !local, number);
}

static void change_props(struct bag *b, const struct written_item *w)
{
    uint8_t list[23];
    if (w->change_key_size == 0)
        return;
    list[0] = w->change_key_size;
    memcpy(list + 1, w->change_key, w->change_key_size);
    bag_data(b, 0x65E2, T_BIN, w->change_key, w->change_key_size);
    bag_data(b, 0x65E3, T_BIN, list, w->change_key_size + 1u);
}

/* What only the contents row has. */
static void row_props(struct store *s, const struct item *it, const struct written_item *w)
{
    struct bag *row = &s->row;
    uint8_t conversation[16];
    struct rng r = rng_of(s->seed, 20, it->plan.content);
    bag_init(row, &s->item_arena, 16);
    rng_fill(&r, conversation, sizeof conversation);
    bag_i32(row, 0x0E17, 0);
    bag_i32(row, 0x0E38, 4);
    bag_data(row, 0x3013, T_BIN, conversation, sizeof conversation);
    if (s->content == GEN_PST)
        return; /* in order already */
    bag_time(row, 0x3008, it->modified);
    change_props(row, w);
    bag_i32(row, 0x6612, w->change_key_size == 20 && rng_chance(&r, 50));
    bag_fixed(row, 0x6628, T_I64, 0x1FCD + w->nid);
    bag_bool(row, 0x67F5, it->plan.features & FEATURE_HEADER_ONLY);
    bag_sort(row);
}

static void fill_row(struct store *s, struct table *t, const struct item *it)
{
    const struct table_columns *c = t->columns;
    for (size_t i = 2; i < c->count; i++) {
        uint16_t id = (uint16_t)(c->tags[i] >> 16);
        const struct prop *p = bag_find(&it->bag, id);
        if (p == NULL)
            p = bag_find(&s->row, id);
        if (p != NULL && ltp_type(&s->ltp, p->type) == (uint16_t)c->tags[i])
            table_cell(t, i, p, it->language->codepage);
    }
}

static struct table *table_of(struct store *s, struct folder *f, bool assoc)
{
    struct table *t = f->tables[assoc];
    if (t != NULL)
        return t;
    enum column_set set = assoc             ? COLUMNS_ASSOC
                          : f->mail_columns ? COLUMNS_CONTENTS_MAIL
                                            : COLUMNS_CONTENTS;
    bool side = !assoc && s->content == GEN_OST && s->img->variant->format == GEN_UNICODE4K;
    t = mem_alloc(sizeof *t);
    if (t == NULL) {
        image_fail(s->img, ERR_NOMEM);
        return NULL;
    }
    table_begin(t, &s->ltp, &s->columns[set], side);
    f->tables[assoc] = t;
    return t;
}

/* `rows`: how many name it, one in a sound store. */
static void add_rows(struct store *s, struct folder *f, struct item *it, struct written_item *w,
                     unsigned rows)
{
    row_props(s, it, w);
    f->items += !it->assoc;
    f->assoc += it->assoc;
    f->unread += !it->assoc && (it->flags & 1) == 0;
    struct table *t = rows > 0 ? table_of(s, f, it->assoc) : NULL;
    if (t == NULL)
        return;
    image_owner(s->img, (f->nid & ~0x1Fu) | (it->assoc ? 0x0F : 0x0E));
    for (; rows > 0; rows--) {
        table_row(t, w->nid);
        fill_row(s, t, it);
        table_row_end(t);
    }
    size_t a = it->assoc;
    struct mid_entry *grown =
        image_grow(s->img, f->mids[a], &f->mid_capacities[a], f->mid_counts[a] + 1, sizeof *grown);
    if (grown == NULL)
        return;
    f->mids[a] = grown;
    struct mid_entry *m = &grown[f->mid_counts[a]++];
    memcpy(m->mid, w->mid, 8);
    m->nid = w->nid;
}

static enum hold_order some_order(struct image *img)
{
    uint32_t n = rng_below(&img->rng, 100);
    return n < 80 ? HOLD_AS_IS : n < 95 ? HOLD_REVERSED : HOLD_SHUFFLED;
}

static struct body write_node(struct store *s, struct folder *f, struct item *it,
                              const struct item_flaws *flaws, struct written_item *w)
{
    w->nid = image_nid(s->img, it->assoc ? 0x08 : 0x04);
    w->folder = f->nid;
    store_mid(s, w->mid, 1, s->mid_next++);
    change_key(s, it, w);
    if (s->content == GEN_OST)
        bag_fixed(&it->bag, 0x67F4, T_I64, le64(w->mid));
    else if (s->server)
        change_props(&it->bag, w);
    image_owner(s->img, w->nid);
    image_hold(s->img);
    struct body body = write_body(s, it, flaws);
    image_release(s->img, some_order(s->img));
    image_node(s->img, w->nid, body.data, body.sub, flaws->no_parent ? 0x1FFFE2 : f->nid);
    const struct prop *size = bag_find(&it->bag, 0x0E08);
    w->size = size != NULL ? (uint32_t)size->fixed : 0;
    return body;
}

void store_item(struct store *s, size_t folder, struct item *it, const struct item_flaws *flaws,
                struct written_item *out)
{
    struct folder *f = &s->folders[folder];
    struct written_item w = {0};
    write_node(s, f, it, flaws, &w);
    add_rows(s, f, it, &w, flaws->no_row ? 0 : flaws->two_rows ? 2 : 1);
    if (rng_of(s->seed, 7, it->plan.content).state % 16 == 0 && !it->assoc) {
        uint32_t *grown =
            image_grow(s->img, s->found, &s->found_capacity, s->found_count + 1, sizeof *grown);
        if (grown != NULL && s->found_count < 1000) {
            s->found = grown;
            s->found[s->found_count++] = w.nid;
        }
    }
    *out = w;
}

uint32_t store_deleted_item(struct store *s, size_t folder, struct item *it)
{
    static const struct item_flaws sound;
    struct written_item w = {0};
    struct snapshot mark = image_mark(s->img);
    write_node(s, &s->folders[folder], it, &sound, &w);
    image_drop(s->img, mark);
    return w.nid;
}

uint32_t store_ghost_row(struct store *s, size_t folder)
{
    struct table *t = table_of(s, &s->folders[folder], false);
    uint32_t nid = image_nid(s->img, 0x04);
    if (t == NULL)
        return nid;
    image_owner(s->img, (s->folders[folder].nid & ~0x1Fu) | 0x0E);
    table_row(t, nid);
    table_fixed(t, 0x0E070003, 1);
    table_row_end(t);
    return nid;
}
