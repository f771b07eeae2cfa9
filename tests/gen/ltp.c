#include "tests/gen/ltp.h"

#include <assert.h>
#include <string.h>

#include "io/bytes.h"
#include "io/err.h"

/*
 * A property context's heap: item 1 the B-tree's header, item 2 (and on) its leaves, then the
 * values, first to last in a PST and last to first in an OST, so that the order of bytes differs
 * while the content is one.
 */

enum { RECORD = 8, RECORDS_BYTES = BAG_MAX * RECORD };

void ltp_init(struct ltp *w, struct image *img)
{
    *w = (struct ltp){.img = img};
    encoder_init(&w->encoder, img->variant->wide);
    heap_init(&w->heap, img);
}

void ltp_done(struct ltp *w)
{
    encoder_done(&w->encoder);
    heap_done(&w->heap);
    buf_done(&w->text);
}

uint16_t ltp_type(const struct ltp *w, uint16_t type)
{
    if (!w->encoder.wide && (type & 0xFFF) == T_TEXT)
        return (uint16_t)(type - 1);
    return type;
}

static void append_text(struct ltp *w, uint32_t codepage, const char *text, size_t size)
{
    if (!buf_reserve(&w->text, 2 * size)) {
        image_fail(w->img, ERR_NOMEM);
        return;
    }
    int64_t n = encode_text(&w->encoder, codepage, text, size, w->text.data + w->text.size);
    if (n < 0)
        image_fail(w->img, (int)n);
    else
        w->text.size += (size_t)n;
}

/* u32 count, u32 offsets[count], strings. */
static void append_strings(struct ltp *w, const struct prop *p, uint32_t codepage)
{
    const char *text = p->data, *end = text + p->size;
    uint32_t count = 0;
    for (const char *s = text; s < end; s += strlen(s) + 1)
        count++;
    uint8_t word[4];
    put_le32(word, count);
    buf_append(&w->text, word, 4);
    for (uint32_t i = 0; i < count; i++)
        buf_append(&w->text, word, 4);
    for (uint32_t i = 0; i < count && !w->text.failed; i++, text += strlen(text) + 1) {
        put_le32(w->text.data + 4 + 4 * (size_t)i, (uint32_t)w->text.size);
        append_text(w, codepage, text, strlen(text));
    }
}

const uint8_t *ltp_value(struct ltp *w, const struct prop *p, uint32_t codepage, size_t *size)
{
    uint32_t fixed = prop_fixed_size(p->type);
    buf_reset(&w->text);
    if (fixed > 0) {
        uint8_t word[8];
        put_le64(word, p->fixed);
        buf_append(&w->text, word, fixed);
    } else if (p->type == T_TEXT) {
        append_text(w, codepage, p->data, p->size);
    } else if (p->type == T_MULTI_TEXT) {
        append_strings(w, p, codepage);
    } else {
        *size = p->size;
        return p->data;
    }
    if (w->text.failed)
        image_fail(w->img, ERR_NOMEM);
    *size = w->text.failed ? 0 : w->text.size;
    return w->text.data;
}

/* The four bytes that stand for a value in a property context. */
static uint32_t put_value(struct ltp *w, const struct prop *p, uint32_t codepage,
                          struct subnodes *subs)
{
    uint32_t fixed = prop_fixed_size(p->type);
    if (fixed > 0 && fixed <= 4)
        return (uint32_t)p->fixed;
    uint32_t nid = 0;
    if (p->written) {
        nid = image_nid(w->img, 0x1F);
        subnodes_add(w->img, subs, nid, p->fixed, 0);
        return nid;
    }
    size_t size;
    const uint8_t *value = ltp_value(w, p, codepage, &size);
    if (size == 0)
        return 0;
    if (size <= w->img->variant->value_max)
        return heap_add(&w->heap, value, (uint32_t)size);
    nid = image_nid(w->img, 0x1F);
    subnodes_add(w->img, subs, nid, data_write(w->img, value, size), 0);
    return nid;
}

static enum heap_flaw heap_flaw_of(enum object_flaw flaw)
{
    switch (flaw) {
    case OBJECT_HEAP_SIGNATURE:
        return HEAP_FLAW_SIGNATURE;
    case OBJECT_HEAP_CLIENT:
        return HEAP_FLAW_CLIENT;
    case OBJECT_HEAP_MAP:
        return HEAP_FLAW_MAP;
    case OBJECT_HEAP_ROOT:
        return HEAP_FLAW_ROOT;
    default:
        return HEAP_SOUND;
    }
}

static void spoil_records(uint8_t *records, size_t count, enum object_flaw flaw)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *r = records + i * RECORD;
        uint16_t type = le16(r + 2);
        uint32_t value = le32(r + 4);
        uint32_t fixed = prop_fixed_size(type);
        bool points = (fixed == 0 || fixed > 4) && value != 0;
        if (le16(r) < 0x0037)
            continue; /* the message class among them: without it there is no item to speak of */
        if (flaw == OBJECT_VALUE_TYPE) {
            put_le16(r + 2, 0x0ABC);
            return;
        }
        if (flaw == OBJECT_VALUE_HID && points && (value & 0x1F) == 0) {
            put_le32(r + 4, value | 0xFFE0);
            return;
        }
        if (flaw == OBJECT_VALUE_SUBNODE && points && (value & 0x1F) != 0) {
            put_le32(r + 4, 0x3FFFFFF << 5 | 0x1F);
            return;
        }
    }
}

/* Reserves header and leaves, all in the first block. Returns the leaves' HIDs in `leaves`. */
static size_t reserve_leaves(struct ltp *w, size_t count, uint32_t *header, uint32_t *leaves)
{
    struct heap *h = &w->heap;
    size_t fit = w->img->variant->heap_item_max / RECORD, n = 0;
    heap_alloc(h, RECORD, header);
    for (size_t i = 0; i < count; i += fit) {
        size_t part = count - i < fit ? count - i : fit;
        heap_alloc(h, (uint32_t)(part * RECORD), &leaves[n++]);
    }
    assert(h->current == &h->first);
    return n;
}

static void fill_leaves(struct ltp *w, const uint8_t *records, size_t count, uint32_t header,
                        const uint32_t *leaves, size_t leaf_count)
{
    size_t fit = w->img->variant->heap_item_max / RECORD;
    uint8_t index[8 * 6];
    uint32_t root = leaf_count > 0 ? leaves[0] : 0;
    for (size_t i = 0; i < leaf_count; i++) {
        size_t part = count - i * fit < fit ? count - i * fit : fit;
        memcpy(heap_patch(&w->heap, leaves[i]), records + i * fit * RECORD, part * RECORD);
        memcpy(index + 6 * i, records + i * fit * RECORD, 2);
        put_le32(index + 6 * i + 2, leaves[i]);
    }
    if (leaf_count > 1)
        root = heap_add(&w->heap, index, (uint32_t)(6 * leaf_count));
    if (image_error(w->img) != 0)
        return;
    uint8_t *p = heap_patch(&w->heap, header);
    p[0] = w->flaw == OBJECT_BTH_HEADER ? 0x5B : 0xB5;
    p[1] = 2;
    p[2] = 6;
    p[3] = leaf_count > 1;
    put_le32(p + 4, root);
}

uint64_t pc_write(struct ltp *w, const struct bag *bag, uint32_t codepage, struct subnodes *subs)
{
    uint8_t records[RECORDS_BYTES];
    uint32_t header = 0, leaves[8];
    bool forward = w->img->options.content == GEN_PST;
    if (bag->failed)
        image_fail(w->img, ERR_NOMEM);
    if (image_error(w->img) != 0)
        return 0;
    heap_begin(&w->heap, HEAP_PROPERTIES);
    size_t leaf_count = reserve_leaves(w, bag->count, &header, leaves);
    for (size_t k = 0; k < bag->count; k++) {
        size_t i = forward ? k : bag->count - 1 - k;
        const struct prop *p = &bag->list[i];
        put_le16(records + i * RECORD, p->id);
        put_le16(records + i * RECORD + 2, ltp_type(w, p->type));
        put_le32(records + i * RECORD + 4, put_value(w, p, codepage, subs));
    }
    if (image_error(w->img) != 0)
        return 0;
    spoil_records(records, bag->count, w->flaw);
    fill_leaves(w, records, bag->count, header, leaves, leaf_count);
    w->heap.flaw = heap_flaw_of(w->flaw);
    w->flaw = OBJECT_SOUND;
    return heap_finish(&w->heap, header);
}
