/*
 * fuzz_wire.c: any bytes as what the libpff child says. What the sink is given must keep the
 * engine's promises, whatever the child promised.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "io/err.h"
#include "scanner/ost/limits.h"
#include "scanner/ref/decode.h"
#include "scanner/ref/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 1 << 20, IMAGE_SIZE = 1 << 20 };

struct seen {
    unsigned images, items;
    uint32_t last;
};

static volatile uint8_t touched;

static void check_props(struct ost_props props)
{
    for (size_t i = 0; i < props.count; i++) {
        const struct ost_prop *p = &props.list[i];

        assert(p->id && (!i || p->id > p[-1].id));
        assert(wire_width_fits(p->type, p->value.size));
        assert(!p->name || p->id >= 0x8000);
        for (size_t k = 0; k < p->value.size; k++)
            touched ^= p->value.data[k];
    }
}

/* Bounded by the decoder's own depth, which the assertion holds it to. */
static void check_item(const struct ost_item *item, unsigned depth)
{
    assert(depth <= OST_LIMIT_EMBEDDED_DEPTH);
    check_props(item->props);
    check_props(item->row);
    for (size_t i = 0; i < item->recipient_count; i++)
        check_props(item->recipients[i]);
    for (size_t i = 0; i < item->attachment_count; i++) {
        check_props(item->attachments[i].props);
        assert(!item->attachments[i].has_data || !item->attachments[i].embedded);
        if (item->attachments[i].embedded)
            check_item(item->attachments[i].embedded, depth + 1);
    }
    for (size_t i = 0; i < item->damage_count; i++)
        assert(item->damage[i].code < FINDING_CODES);
}

static int on_image(void *ctx, const struct ost_image *image)
{
    struct seen *s = ctx;

    assert(!s->images++);
    check_props(image->store);
    return 0;
}

static int on_folder(void *ctx, const struct ost_folder *folder)
{
    struct seen *s = ctx;

    assert(s->images && !s->items);
    check_props(folder->props);
    return 0;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct seen *s = ctx;

    assert(s->images && item->nid > s->last);
    s->last = item->nid;
    s->items++;
    check_item(item, 0);
    return 0;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct seen *s = ctx;

    (void)folder, (void)assoc;
    assert(s->images && nid > s->last);
    s->last = nid;
    s->items++;
    return 0;
}

static int on_finding(void *ctx, const struct finding *finding)
{
    (void)ctx;
    assert(finding->code < FINDING_CODES);
    return 0;
}

static void *sum_begin(void *ctx)
{
    static uint8_t sum;

    (void)ctx;
    return &sum;
}

static void sum_update(void *state, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *(uint8_t *)state ^= ((const uint8_t *)data)[i];
}

static void sum_end(void *state, struct ost_digest *out)
{
    out->bytes[0] = *(uint8_t *)state;
    out->size = 16;
}

static void sum_abort(void *state)
{
    (void)state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ost_image image = {.account = "unknown"};
    static const struct ost_hasher hasher = {NULL, sum_begin, sum_update, sum_end, sum_abort};
    struct seen seen = {0};
    const struct engine_sink sink = {&seen,     on_image,   on_folder, on_item,
                                     on_failed, on_finding, NULL};
    const struct decoder_options options = {&image, &sink, &hasher, MEMORY, IMAGE_SIZE};
    struct decoder *decoder;
    int code = 0;

    if (decoder_create(&options, &decoder))
        return 0;
    for (size_t at = 0; at < size && !code; at += 61)
        code = decoder_feed(decoder, data + at, size - at < 61 ? size - at : 61);
    assert(!code || (code == ERR_DAMAGED && decoder_violation(decoder)));
    assert(decoder_delivered(decoder) <= decoder_announced(decoder));
    assert(decoder_end(decoder) == 0);
    assert(!decoder_finished(decoder) || decoder_delivered(decoder) == decoder_announced(decoder));
    decoder_destroy(decoder);
    return 0;
}
