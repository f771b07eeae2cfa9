/*
 * fuzz_wire.c: any bytes as what the libpff child says. What the sink is given must keep the
 * engine's promises, whatever the child promised. Seeds are conversations that hold every kind of
 * frame; beside what libFuzzer does to their bytes, whole frames are left out, said twice and
 * moved, for a decoder that holds its child to a grammar is lost to most bytes after the first
 * wrong one.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "io/bytes.h"
#include "io/err.h"
#include "scanner/ost/limits.h"
#include "scanner/ref/decode.h"
#include "scanner/ref/wire.h"
#include "tests/fuzz/fuzz.h"

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

/* Seeds */

#define TEXT(s)                                                                                    \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }

static const struct ost_name number_name = {{1}, false, 0x8501, {NULL, 0}};
static const struct ost_name text_name = {{2}, true, 0, TEXT("k\0e\0y\0")};
static const struct ost_prop props[] = {
    {0x001A, OST_UNICODE, NULL, TEXT("I\0P\0M\0")}, {0x0E07, OST_I32, NULL, TEXT("\1\0\0\0")},
    {0x1000, OST_STRING8, NULL, TEXT("body")},      {0x3007, OST_TIME, NULL, TEXT("12345678")},
    {0x8000, OST_BOOL, &number_name, TEXT("\1\0")}, {0x8001, OST_BINARY, &text_name, TEXT("x")},
};

static void say_props(struct wire *w, enum wire_kind kind, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wire_prop(w, kind, &props[i]);
}

static void say_attachments(struct wire *w, unsigned depth)
{
    const struct ost_item inner = {.nid = 0x200024, .folder = 0x122};

    wire_attachment(w, 0x8025, 1, false);
    say_props(w, WIRE_PROP, 2);
    wire_begin(w, WIRE_DATA);
    wire_chunk(w, (struct bytes)TEXT("the data of it"));
    wire_end(w, depth % 2 == 0);
    wire_end(w, true);
    wire_attachment(w, 0x8045, 5, depth > 2);
    if (depth <= 2) {
        wire_item(w, &inner);
        say_props(w, WIRE_PROP, 3);
        say_attachments(w, depth + 1); /* three levels, no file's */
        wire_end(w, true);
    }
    wire_end(w, true);
}

static void say_item(struct wire *w, uint32_t nid)
{
    const struct ost_item item = {
        .nid = nid, .folder = 0x122, .orphan = nid % 3 == 0, .codepage = 1252};

    wire_item(w, &item);
    say_props(w, WIRE_PROP, sizeof props / sizeof *props);
    say_props(w, WIRE_ROW, 3);
    wire_begin(w, WIRE_RECIPIENT);
    say_props(w, WIRE_PROP, 2);
    wire_end(w, true);
    say_attachments(w, 0);
    wire_damage(w, F_property_failed);
    wire_end(w, true);
}

static void say_all(struct wire *w, unsigned seed)
{
    const struct ost_folder folder = {
        .nid = 0x122, .parent = 0x122, .items = 3, .rows = 3, .has_rows = true};
    struct finding finding = finding_of(seed % 2 ? F_table_failed : F_engine_unfiltered);

    finding.detail = seed % 3 ? "why" : NULL;
    if (seed % 2 == 0)
        wire_finding(w, &finding);
    wire_image(w, 10, 3, 1252, 0);
    say_props(w, WIRE_PROP, 1);
    wire_end(w, true);
    wire_folder(w, &folder);
    say_props(w, WIRE_PROP, 1);
    wire_end(w, true);
    say_item(w, 0x200024);
    wire_progress(w, 1000);
    wire_failed(w, 0x200044, 0x122, false, "it could not");
    if (seed % 2)
        wire_finding(w, &finding);
    say_item(w, 0x200064);
    wire_finish(w);
}

/* The frame at `at`, whole; 0: there is none. */
static size_t frame_at(const uint8_t *data, size_t size, size_t at)
{
    size_t length;

    if (at >= size || size - at < WIRE_HEAD)
        return 0;
    length = le32(data + at + 1);
    return length <= size - at - WIRE_HEAD ? WIRE_HEAD + length : 0;
}

/* One frame, chosen by `seed`, left out, said twice or put before the one ahead of it. */
static size_t change_frames(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    uint8_t kept[512];
    size_t at = 0, before = 0, n;

    for (unsigned i = seed % 64; i > 0 && (n = frame_at(data, size, at)); i--) {
        before = at;
        at += n;
    }
    n = frame_at(data, size, at);
    if (!n || n > sizeof kept)
        return LLVMFuzzerMutate(data, size, max);
    memcpy(kept, data + at, n);
    if (seed / 64 % 3 == 0) {
        memmove(data + at, data + at + n, size - at - n);
        return size - n;
    }
    if (seed / 64 % 3 == 1 && size + n <= max) {
        memmove(data + at + n, data + at, size - at);
        return size + n;
    }
    memmove(data + before + n, data + before, at - before);
    memcpy(data + before, kept, n);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct wire w;

    if (seed % 4 == 1)
        return change_frames(data, size, max, seed / 16);
    if (seed % 64)
        return LLVMFuzzerMutate(data, size, max);
    wire_init(&w, -1);
    say_all(&w, seed / 64);
    if (!w.out.failed && w.out.size <= max) {
        memcpy(data, w.out.data, w.out.size);
        size = w.out.size;
    }
    wire_done(&w);
    return size;
}
