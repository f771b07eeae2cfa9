/* transcript.c: see transcript.h. Also asserts what every engine promises of properties. */
#include "tests/support/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ref/wire.h"

static void put_hex(struct transcript *t, struct bytes b)
{
    for (size_t i = 0; i < b.size; i++)
        buf_printf(&t->text, "%02x", b.data[i]);
}

static void put_name(struct transcript *t, const struct ost_name *name)
{
    buf_puts(&t->text, " {");
    put_hex(t, (struct bytes){name->guid, sizeof name->guid});
    buf_printf(&t->text, " %d %" PRIu32 " ", name->is_text, name->number);
    put_hex(t, name->text);
    buf_puts(&t->text, "}");
}

static void put_props(struct transcript *t, const char *what, struct ost_props props)
{
    for (size_t i = 0; i < props.count; i++) {
        const struct ost_prop *p = &props.list[i];

        assert_true(p->id && (!i || p->id > p[-1].id));
        assert_true(wire_width_fits(p->type, p->value.size));
        if (t->silent)
            continue;
        buf_printf(&t->text, "%s %04x %04x ", what, p->id, p->type);
        put_hex(t, p->value);
        if (p->name)
            put_name(t, p->name);
        buf_putc(&t->text, '\n');
    }
}

static void put_attachment(struct transcript *t, const struct ost_attachment *a)
{
    buf_printf(&t->text, "attachment %x %d %d %" PRIu64 " %d ", a->nid, a->method, a->has_data,
               a->data_bytes, a->truncated_depth);
    put_hex(t, (struct bytes){a->data_digest.bytes, a->data_digest.size});
    buf_putc(&t->text, '\n');
    put_props(t, "  property", a->props);
    t->attachments++;
    t->data_bytes += a->data_bytes;
    t->embedded += a->embedded != NULL;
    if (a->embedded)
        transcript_item(t, a->embedded);
}

void transcript_item(struct transcript *t, const struct ost_item *item)
{
    buf_printf(&t->text, "item %x %x %d %d %" PRIu32 "\n", item->nid, item->folder, item->assoc,
               item->orphan, item->codepage);
    put_props(t, "property", item->props);
    put_props(t, "row", item->row);
    t->row_props += item->row.count;
    t->recipients += item->recipient_count;
    for (size_t i = 0; i < item->recipient_count; i++) {
        buf_puts(&t->text, "recipient\n");
        put_props(t, "  property", item->recipients[i]);
    }
    for (size_t i = 0; i < item->attachment_count; i++)
        put_attachment(t, &item->attachments[i]);
    for (size_t i = 0; i < item->damage_count; i++)
        buf_printf(&t->text, "damage %s\n",
                   finding_info((enum finding_code)item->damage[i].code)->name);
    buf_puts(&t->text, "end\n");
    if (t->silent)
        buf_reset(&t->text);
}

static int on_image(void *ctx, const struct ost_image *image)
{
    struct transcript *t = ctx;

    t->images++;
    t->account = image->account;
    buf_printf(&t->text, "image %" PRIu64 " %" PRIu32 " %s\n", image->nodes, image->codepage,
               image->account);
    put_props(t, "property", image->store);
    return t->result;
}

static int on_folder(void *ctx, const struct ost_folder *f)
{
    struct transcript *t = ctx;

    t->folders++;
    buf_printf(&t->text, "folder %x %x %s %d/%" PRIu64 " %d/%" PRIu64 " %" PRIu64 "/%" PRIu64 "\n",
               f->nid, f->parent, f->role ? f->role : "-", f->has_rows, f->rows, f->has_assoc_rows,
               f->assoc_rows, f->items, f->assoc);
    put_props(t, "property", f->props);
    return t->result;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct transcript *t = ctx;

    if (item->assoc)
        t->assoc++;
    else
        t->items++;
    t->partial += item->damage_count > 0;
    t->orphans += item->orphan;
    transcript_item(t, item);
    return t->result;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct transcript *t = ctx;

    t->failed++;
    buf_printf(&t->text, "failed %x %x %d\n", nid, folder, assoc);
    return t->result;
}

static int on_finding(void *ctx, const struct finding *f)
{
    struct transcript *t = ctx;

    t->findings++;
    t->by_code[f->code]++;
    buf_printf(&t->text, "finding %s %x %s", finding_info(f->code)->name, f->nid,
               f->detail ? f->detail : "-");
    if (f->has_expected)
        buf_printf(&t->text, " (%" PRIu64 " expected, %" PRIu64 " actual)", f->expected, f->actual);
    buf_putc(&t->text, '\n');
    return t->result;
}

static void on_progress(void *ctx, uint64_t bytes)
{
    ((struct transcript *)ctx)->progress = bytes;
}

struct engine_sink transcript_sink(struct transcript *t)
{
    return (struct engine_sink){t,         on_image,   on_folder,  on_item,
                                on_failed, on_finding, on_progress};
}

void transcript_done(struct transcript *t)
{
    buf_done(&t->text);
}

struct sums {
    uint64_t sum, count;
};

static void *sum_begin(void *ctx)
{
    (void)ctx;
    return mem_zalloc(sizeof(struct sums));
}

static void sum_update(void *state, const void *data, size_t size)
{
    struct sums *s = state;

    s->count += size;
    for (size_t i = 0; i < size; i++)
        s->sum = s->sum * 31 + ((const uint8_t *)data)[i];
}

static void sum_end(void *state, struct ost_digest *out)
{
    struct sums *s = state;

    put_le64(out->bytes, s->sum);
    put_le64(out->bytes + 8, s->count);
    out->size = 16;
    mem_free(s);
}

struct ost_hasher transcript_hasher(void)
{
    return (struct ost_hasher){NULL, sum_begin, sum_update, sum_end, mem_free};
}
