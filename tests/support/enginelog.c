/* enginelog.c: see enginelog.h. */
#include "tests/support/enginelog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/engine_native.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/pc.h"

enum { MEMORY = 64 << 20, STATES = 4 };

/* One hash state at a time is what an engine needs. */
static struct state {
    uint64_t sum;
    bool used;
} states[STATES];

static uint64_t mix(uint64_t sum, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const uint8_t *)data)[i]) * 0x100000001B3u;
    return sum;
}

static void *hash_begin(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < STATES; i++) {
        if (states[i].used)
            continue;
        states[i] = (struct state){.sum = 1, .used = true};
        return &states[i];
    }
    return NULL;
}

static void hash_update(void *state, const void *data, size_t size)
{
    struct state *s = state;

    s->sum = mix(s->sum, data, size);
}

static void hash_end(void *state, struct ost_digest *out)
{
    struct state *s = state;

    *out = (struct ost_digest){.size = 16};
    put_le64(out->bytes, s->sum);
    s->used = false;
}

static void hash_abort(void *state)
{
    ((struct state *)state)->used = false;
}

const struct ost_hasher enginelog_hasher = {NULL, hash_begin, hash_update, hash_end, hash_abort};

static int called(struct enginelog *l)
{
    return ++l->calls == l->fail_at ? l->fail_code : 0;
}

static uint64_t mix_props(struct ost_props props, uint64_t sum)
{
    for (size_t i = 0; i < props.count; i++) {
        const struct ost_prop *p = &props.list[i];
        unsigned width = ost_type_width(p->type);

        assert_true(p->id > 0 && (i == 0 || p->id > props.list[i - 1].id));
        assert_true(p->value.size <= OST_LIMIT_VALUE_BYTES);
        assert_true(!width || p->value.size == width || (width >= 8 && p->value.size == 0));
        assert_true(!p->name || p->id >= 0x8000);
        sum = mix(sum, &p->id, sizeof p->id);
        sum = mix(sum, &p->type, sizeof p->type);
        sum = mix(sum, p->value.data, p->value.size);
        if (p->name)
            sum = mix(mix(sum, p->name->guid, 16), p->name->text.data, p->name->text.size);
    }
    return sum;
}

static int on_image(void *ctx, const struct ost_image *image)
{
    struct enginelog *l = ctx;

    assert_int_equal(l->images++, 0);
    assert_int_equal(l->folders + l->items + l->assoc + l->failed, 0);
    l->account = image->account;
    if (!l->terse)
        buf_printf(&l->text, "image %016llx\n",
                   (unsigned long long)mix_props(image->store, image->codepage));
    return called(l);
}

static int on_folder(void *ctx, const struct ost_folder *f)
{
    struct enginelog *l = ctx;

    assert_int_equal(l->images, 1);
    assert_int_equal(l->items + l->assoc + l->failed, 0);
    l->folders++;
    if (!l->terse)
        buf_printf(
            &l->text, "folder %x in %x %s rows %d %llu %d %llu items %llu %llu %016llx\n", f->nid,
            f->parent, f->role ? f->role : "-", f->has_rows, (unsigned long long)f->rows,
            f->has_assoc_rows, (unsigned long long)f->assoc_rows, (unsigned long long)f->items,
            (unsigned long long)f->assoc, (unsigned long long)mix_props(f->props, f->codepage));
    return called(l);
}

/* The checksum of an item and those within it; recursion is bounded by the engine's depth. */
static uint64_t mix_item(struct enginelog *l, const struct ost_item *item, unsigned depth)
{
    uint64_t sum = mix_props(item->row, mix_props(item->props, item->codepage));

    assert_true(depth <= OST_LIMIT_EMBEDDED_DEPTH);
    assert_true(item->recipient_count <= OST_LIMIT_RECIPIENTS);
    assert_true(item->attachment_count <= OST_LIMIT_ATTACHMENTS);
    assert_true(item->damage_count <= OST_LIMIT_DAMAGE);
    l->recipients += (unsigned)item->recipient_count;
    l->attachments += (unsigned)item->attachment_count;
    l->embedded += depth > 0;
    for (size_t i = 0; i < item->recipient_count; i++)
        sum = mix_props(item->recipients[i], sum);
    for (size_t i = 0; i < item->attachment_count; i++) {
        const struct ost_attachment *a = &item->attachments[i];

        assert_null(ost_props_find(a->props, 0x3701, 0));
        assert_true(a->data_digest.size == 0 || a->has_data);
        l->data_bytes += a->data_bytes;
        sum = mix_props(a->props, sum + a->nid);
        sum = mix(sum, a->data_digest.bytes, a->data_digest.size);
        if (a->embedded)
            sum = mix_item(l, a->embedded, depth + 1) + sum * 31;
    }
    for (size_t i = 0; i < item->damage_count; i++)
        sum = sum * 31 + item->damage[i].code;
    return sum;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct enginelog *l = ctx;
    unsigned number = l->items + l->assoc;
    uint64_t sum;

    if (number < 200 && number % 50 == 0)
        l->allocations_at_item[number / 50] = mem_test_count();
    assert_int_equal(l->images, 1);
    l->items += !item->assoc;
    l->assoc += item->assoc;
    l->orphans += item->orphan;
    l->partial += item->damage_count > 0;
    l->row_items += item->row.count > 0;
    sum = mix_item(l, item, 0);
    if (!l->terse)
        buf_printf(&l->text, "item %x in %x at %llx%s%s %016llx\n", item->nid, item->folder,
                   (unsigned long long)item->order, item->assoc ? " assoc" : "",
                   item->orphan ? " orphan" : "", (unsigned long long)sum);
    return called(l);
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct enginelog *l = ctx;

    (void)assoc;
    assert_true(l->codes[F_item_failed] > l->failed); /* a finding went before it */
    l->failed++;
    if (!l->terse)
        buf_printf(&l->text, "failed %x in %x\n", nid, folder);
    return called(l);
}

static int on_finding(void *ctx, const struct finding *f)
{
    struct enginelog *l = ctx;

    l->findings++;
    l->codes[f->code]++;
    l->corrupt += f->severity == SEVERITY_CORRUPT;
    return called(l);
}

void enginelog_init(struct enginelog *l)
{
    *l = (struct enginelog){
        .sink = {l, on_image, on_folder, on_item, on_failed, on_finding, NULL},
    };
}

void enginelog_done(struct enginelog *l)
{
    buf_done(&l->text);
    for (unsigned i = 0; i < STATES; i++)
        assert_false(states[i].used);
}

int enginelog_run(struct enginelog *l, struct io_source *source, const struct ost_header *header)
{
    struct engine_job job = {.header = header, .memory_bytes = MEMORY, .hasher = &enginelog_hasher};

    return native_run_source(&job, &l->sink, source);
}
