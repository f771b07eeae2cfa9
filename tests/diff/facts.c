/*
 * facts.c: see facts.h.
 *
 *   a value: type(2) │ has a name(1) │ GUID(16) is text(1) number(4) size(4) text │ bytes
 *
 * What is no property has type 0, no name, and its value as text.
 */
#include "tests/diff/facts.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"

enum { HEAD = 3, NAME = 25, PID_NAME = 0x3001, PID_RECIPIENT_TYPE = 0x0C15 };

/* Begins a fact at the present path and the key's last part; its value is appended after it. */
static struct fact *begin(struct facts *f, uint32_t nid, const char *key)
{
    if (f->count == f->capacity) {
        f->capacity = f->capacity ? f->capacity * 2 : 4096;
        f->list = realloc(f->list, f->capacity * sizeof *f->list);
        assert_non_null(f->list);
    }
    f->list[f->count] = (struct fact){.nid = nid, .key = f->bytes.size};
    buf_append(&f->bytes, f->path.data, f->path.size);
    buf_append(&f->bytes, key, strlen(key) + 1);
    return &f->list[f->count++];
}

static void end(struct facts *f, struct fact *fact)
{
    assert_false(f->bytes.failed);
    fact->size = (uint32_t)(f->bytes.size - fact->key - strlen(fact_key(f, f->count - 1)) - 1);
}

static void put_text(struct facts *f, uint32_t nid, const char *key, const char *text)
{
    static const uint8_t head[HEAD];
    struct fact *fact = begin(f, nid, key);

    buf_append(&f->bytes, head, HEAD);
    buf_puts(&f->bytes, text);
    end(f, fact);
}

static void put_number(struct facts *f, uint32_t nid, const char *key, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIx64, number);
    put_text(f, nid, key, text);
}

static void put_name(struct facts *f, const struct ost_name *name)
{
    uint8_t numbers[9] = {name->is_text};

    put_le32(numbers + 1, name->is_text ? 0 : name->number);
    put_le32(numbers + 5, name->is_text ? (uint32_t)name->text.size : 0);
    buf_append(&f->bytes, name->guid, sizeof name->guid);
    buf_append(&f->bytes, numbers, sizeof numbers);
    if (name->is_text)
        buf_append(&f->bytes, name->text.data, name->text.size);
}

static void put_props(struct facts *f, uint32_t nid, struct ost_props props)
{
    for (size_t i = 0; i < props.count; i++) {
        const struct ost_prop *p = &props.list[i];
        uint8_t head[HEAD];
        char key[8];
        struct fact *fact;

        assert_true(p->id > 0 && (i == 0 || p->id > props.list[i - 1].id));
        snprintf(key, sizeof key, "%04x", p->id);
        fact = begin(f, nid, key);
        put_le16(head, p->type);
        head[2] = p->name != NULL;
        buf_append(&f->bytes, head, HEAD);
        if (p->name)
            put_name(f, p->name);
        buf_append(&f->bytes, p->value.data, p->value.size);
        end(f, fact);
    }
    f->counts.props += props.count;
}

static void put_digest(struct facts *f, uint32_t nid, const char *key, const struct ost_digest *d)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * sizeof d->bytes + 1];

    if (!d->size)
        return;
    for (unsigned i = 0; i < d->size; i++) {
        text[2 * i] = digits[d->bytes[i] >> 4];
        text[2 * i + 1] = digits[d->bytes[i] & 0xF];
    }
    text[2 * d->size] = '\0';
    put_text(f, nid, key, text);
    f->counts.digests++;
}

/* Goes one step down the path; returns where it was. */
static size_t enter(struct facts *f, const char *what, size_t number)
{
    size_t before = f->path.size;

    if (number == SIZE_MAX)
        buf_printf(&f->path, "%s ", what);
    else
        buf_printf(&f->path, "%s %zu ", what, number);
    assert_false(f->path.failed);
    return before;
}

static void leave(struct facts *f, size_t before)
{
    f->path.size = before;
}

static void put_damage(struct facts *f, uint32_t nid, const struct ost_item *item)
{
    for (size_t i = 0; i < item->damage_count; i++) {
        const char *name = finding_info((enum finding_code)item->damage[i].code)->name;
        bool told = false;

        for (size_t k = 0; k < i; k++)
            told |= item->damage[k].code == item->damage[i].code;
        size_t before = enter(f, "damage", SIZE_MAX);

        if (!told)
            put_text(f, nid, name, "");
        leave(f, before);
    }
}

static void put_parts(struct facts *f, uint32_t nid, const struct ost_item *item);

static void put_attachment(struct facts *f, uint32_t nid, const struct ost_attachment *a, size_t i)
{
    size_t before = enter(f, "attachment", i);

    put_number(f, nid, "nid", a->nid);
    put_number(f, nid, "method", (uint32_t)a->method);
    put_number(f, nid, "too deep", a->truncated_depth);
    put_props(f, nid, a->props);
    if (a->has_data) {
        put_number(f, nid, "data size", a->data_bytes);
        put_digest(f, nid, "data", &a->data_digest);
    }
    f->counts.attachments++;
    f->counts.data_bytes += a->data_bytes;
    if (a->embedded) {
        size_t above = enter(f, "item", SIZE_MAX);

        put_number(f, nid, "nid", a->embedded->nid);
        put_parts(f, nid, a->embedded);
        f->counts.embedded++;
        leave(f, above);
    }
    leave(f, before);
}

/* Of an item or an embedded one; the recursion is bounded by the engines' depth. */
static void put_parts(struct facts *f, uint32_t nid, const struct ost_item *item)
{
    put_number(f, nid, "codepage", item->codepage);
    put_number(f, nid, "recipients", item->recipient_count);
    put_number(f, nid, "attachments", item->attachment_count);
    put_props(f, nid, item->props);
    put_damage(f, nid, item);
    for (size_t i = 0; i < item->recipient_count; i++) {
        size_t before = enter(f, "recipient", i);

        put_props(f, nid, item->recipients[i]);
        leave(f, before);
    }
    f->counts.recipients += item->recipient_count;
    for (size_t i = 0; i < item->attachment_count; i++)
        put_attachment(f, nid, &item->attachments[i], i);
}

static void put_digests(struct facts *f, const struct ost_item *item, const char *what)
{
    struct idx_digests d = digest_of(&f->bench, item);
    struct ost_digest mih = {.size = d.has_mih ? 16 : 0};
    size_t before = enter(f, what, SIZE_MAX);

    memcpy(mih.bytes, d.mih, 16);
    put_digest(f, item->nid, "mih", &mih);
    put_digest(f, item->nid, "exact", &d.exact);
    put_digest(f, item->nid, "core", &d.core);
    put_digest(f, item->nid, "state", &d.state);
    put_digest(f, item->nid, "text", &d.body_text);
    put_digest(f, item->nid, "html", &d.body_html);
    put_digest(f, item->nid, "rtf", &d.body_rtf);
    for (size_t i = 0; i < item->attachment_count; i++) {
        size_t above = enter(f, "embedded", i);

        put_digest(f, item->nid, "exact", &d.embedded[i]);
        leave(f, above);
    }
    leave(f, before);
}

static bool is_zero(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i])
            return false;
    return true;
}

/* Of the item without what is_zero of its recipients, in so far as there is such. */
static void put_masked_digests(struct facts *f, const struct ost_item *item)
{
    struct ost_props *recipients = calloc(item->recipient_count + 1, sizeof *recipients);
    struct ost_item masked = *item;
    size_t left_out = 0;

    assert_non_null(recipients);
    masked.recipients = recipients;
    for (size_t i = 0; i < item->recipient_count; i++) {
        struct ost_props props = item->recipients[i];
        struct ost_prop *list = calloc(props.count + 1, sizeof *list);

        assert_non_null(list);
        recipients[i].list = list;
        for (size_t k = 0; k < props.count; k++)
            if (props.list[k].id == PID_RECIPIENT_TYPE || !is_zero(props.list[k].value))
                list[recipients[i].count++] = props.list[k];
        left_out += props.count - recipients[i].count;
    }
    if (left_out)
        put_digests(f, &masked, FACT_MASKED);
    for (size_t i = 0; i < item->recipient_count; i++)
        free((void *)(uintptr_t)recipients[i].list);
    free(recipients);
}

static int on_image(void *ctx, const struct ost_image *image)
{
    struct facts *f = ctx;

    put_number(f, 0, "content", image->content);
    put_number(f, 0, "format", image->format);
    put_number(f, 0, "crypt", image->crypt);
    put_number(f, 0, "version", image->version);
    put_number(f, 0, "unique", image->unique);
    put_number(f, 0, "codepage", image->codepage);
    put_text(f, 0, "account", image->account);
    put_props(f, 0, image->store);
    return 0;
}

static int on_folder(void *ctx, const struct ost_folder *folder)
{
    const struct ost_prop *name = ost_props_find(folder->props, PID_NAME, OST_UNICODE);
    struct facts *f = ctx;

    f->counts.folders++;
    put_number(f, folder->nid, "parent", folder->parent);
    put_number(f, folder->nid, "codepage", folder->codepage);
    put_text(f, folder->nid, "role", folder->role ? folder->role : "-");
    put_number(f, folder->nid, "has a name", name != NULL);
    if (folder->has_rows)
        put_number(f, folder->nid, "rows", folder->rows);
    if (folder->has_assoc_rows)
        put_number(f, folder->nid, "assoc rows", folder->assoc_rows);
    put_number(f, folder->nid, "items", folder->items);
    put_number(f, folder->nid, "assoc", folder->assoc);
    put_props(f, folder->nid, folder->props);
    return 0;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct facts *f = ctx;
    size_t before;

    *(item->assoc ? &f->counts.assoc : &f->counts.items) += 1;
    f->counts.partial += item->damage_count > 0;
    put_number(f, item->nid, "parent", item->folder);
    put_number(f, item->nid, "associated", item->assoc);
    put_number(f, item->nid, "orphan", item->orphan);
    put_parts(f, item->nid, item);
    before = enter(f, "row", SIZE_MAX);
    put_props(f, item->nid, item->row);
    leave(f, before);
    put_digests(f, item, "digest");
    put_masked_digests(f, item);
    return 0;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct facts *f = ctx;

    (void)assoc;
    f->counts.failed++;
    put_number(f, nid, FACT_FAILED, folder);
    return 0;
}

static int on_finding(void *ctx, const struct finding *finding)
{
    struct facts *f = ctx;

    f->codes[finding->code]++;
    return 0;
}

void facts_init(struct facts *f)
{
    *f = (struct facts){.sink = {f, on_image, on_folder, on_item, on_failed, on_finding, NULL},
                        .hasher = idx_hasher(IDX_XXH3)};
    digest_bench_init(&f->bench, IDX_XXH3);
}

void facts_done(struct facts *f)
{
    digest_bench_done(&f->bench);
    buf_done(&f->bytes);
    buf_done(&f->path);
    free(f->list);
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct fact *x = a, *y = b;
    const char *base = ctx;

    if (x->nid != y->nid)
        return x->nid < y->nid ? -1 : 1;
    return strcmp(base + x->key, base + y->key);
}

void facts_seal(struct facts *f)
{
    if (f->count)
        qsort_r(f->list, f->count, sizeof *f->list, compare, f->bytes.data);
    for (size_t i = 1; i < f->count; i++)
        assert_true(compare(&f->list[i - 1], &f->list[i], f->bytes.data) < 0);
}

const char *fact_key(const struct facts *f, size_t i)
{
    return (const char *)f->bytes.data + f->list[i].key;
}

struct bytes fact_value(const struct facts *f, size_t i)
{
    const char *key = fact_key(f, i);

    return (struct bytes){(const uint8_t *)key + strlen(key) + 1, f->list[i].size};
}

struct bytes fact_find(const struct facts *f, uint32_t nid, const char *key)
{
    size_t low = 0, high = f->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t at = f->list[middle].nid;

        if (at < nid || (at == nid && strcmp(fact_key(f, middle), key) < 0))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == f->count || f->list[low].nid != nid || strcmp(fact_key(f, low), key) != 0)
        return (struct bytes){0};
    return fact_value(f, low);
}

bool fact_is_of_form(const struct facts *f, size_t i)
{
    const char *key = fact_key(f, i);

    return f->list[i].nid == 0 && (strcmp(key, "crypt") == 0 || strcmp(key, "0e08") == 0);
}

uint16_t fact_type(struct bytes value)
{
    return le16(value.data);
}

struct bytes fact_bytes(struct bytes value)
{
    size_t head = HEAD;

    if (value.data[2])
        head += NAME + le32(value.data + HEAD + 21);
    return (struct bytes){value.data + head, value.size - head};
}
