/*
 * digest.c: see digest.h; what is hashed is specified in DIGESTS.md.
 *
 *     entries   of the item's properties: of exact, core and state at once, for a property has one
 *               form wherever it enters
 *     lists     records of recipients, attachments, addresses …
 *
 * A digest then is: header, the entries or records that belong to it in the order of their bytes,
 * through one hash state. All entries are written before that state is used for the digest itself,
 * because long values borrow it.
 *
 * Embedded items come before the item that holds them: an explicit stack of at most
 * OST_LIMIT_EMBEDDED_DEPTH items, each with the digests of what it embeds so far.
 */
#include "index/digest.h"

#include <string.h>

#include "index/digester.h"
#include "index/property.h"
#include "index/rtf.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"

int idx_digester_create(enum idx_algorithm algorithm, struct idx_digester **out)
{
    struct idx_digester *d = mem_zalloc(sizeof *d);
    int rc;

    if (!d)
        return ERR_NOMEM;
    rc = idx_text_create(&d->text);
    if (!rc)
        rc = idx_hash_create(algorithm, &d->hash);
    if (!rc)
        rc = idx_hash_create(IDX_MD5, &d->md5);
    if (rc) {
        idx_digester_destroy(d);
        return rc;
    }
    d->canon = (struct idx_canon){d->text, d->hash};
    *out = d;
    return 0;
}

void idx_digester_destroy(struct idx_digester *d)
{
    if (!d)
        return;
    idx_parts_done(&d->entries);
    idx_parts_done(&d->lists);
    buf_done(&d->scratch);
    idx_hash_destroy(d->hash);
    idx_hash_destroy(d->md5);
    idx_text_destroy(d->text);
    mem_free(d);
}

/* ---- feeding the hash ---- */

static void feed_u64(struct idx_digester *d, uint64_t value)
{
    uint8_t bytes[8];

    put_le64(bytes, value);
    idx_hash_update(d->hash, bytes, sizeof bytes);
}

void idx_feed_domain(struct idx_digester *d, const char *domain)
{
    idx_hash_reset(d->hash);
    idx_hash_update(d->hash, domain, strlen(domain) + 1);
}

void idx_feed_entries(struct idx_digester *d, unsigned mask)
{
    const struct idx_parts *s = &d->entries;
    uint64_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        count += (s->list[i].rule & mask) != 0;
    feed_u64(d, count);
    for (size_t i = 0; i < s->count; i++) {
        if (s->list[i].rule & mask)
            idx_hash_update(d->hash, s->bytes.data + s->list[i].offset, s->list[i].size);
    }
}

void idx_feed_list(struct idx_digester *d, size_t first, size_t last)
{
    feed_u64(d, last - first);
    for (size_t i = first; i < last; i++) {
        const struct idx_part *s = &d->lists.list[i];

        feed_u64(d, s->size);
        idx_hash_update(d->hash, d->lists.bytes.data + s->offset, s->size);
    }
}

/* ---- bodies ---- */

/* The normalised bytes of a body: true. False: they are not well-formed, the stored ones count. */
static bool normal_body(struct idx_digester *d, enum body body, const struct ost_prop *p,
                        uint32_t codepage)
{
    unsigned type = p->type & ~0x2000U;
    bool is_text = type == OST_UNICODE || type == OST_STRING8;
    int rc;

    if (is_text && body != BODY_RTF)
        return idx_canon_normal(&d->canon, &d->scratch, p, codepage);
    if (body == BODY_TEXT || type != OST_BINARY)
        return false;
    if (body == BODY_HTML) {
        buf_append(&d->scratch, p->value.data, p->value.size);
        return true;
    }
    if (!p->value.size)
        return true;
    rc = idx_rtf_decompress(p->value, OST_LIMIT_VALUE_BYTES, &d->scratch);
    return !rc;
}

static void digest_bodies(struct idx_digester *d, const struct ost_item *item)
{
    static const struct {
        uint16_t id;
        const char *domain;
    } forms[BODIES] = {
        [BODY_TEXT] = {0x1000, "ostscan.body.text.1"},
        [BODY_HTML] = {0x1013, "ostscan.body.html.1"},
        [BODY_RTF] = {0x1009, "ostscan.body.rtf.1"},
    };

    d->has_body = false;
    for (int i = 0; i < BODIES; i++) {
        const struct ost_prop *p = ost_props_find(item->props, forms[i].id, 0);
        uint8_t form;

        d->bodies[i] = (struct ost_digest){0};
        if (!p)
            continue;
        idx_buf_trim(&d->scratch);
        form = normal_body(d, (enum body)i, p, item->codepage) ? IDX_FORM_BYTES : IDX_FORM_BAD;
        if (form == IDX_FORM_BAD && !d->scratch.failed) {
            buf_reset(&d->scratch);
            buf_append(&d->scratch, p->value.data, p->value.size);
        }
        if (d->scratch.failed) {
            d->entries.bytes.failed = true;
            return;
        }
        idx_feed_domain(d, forms[i].domain);
        idx_hash_update(d->hash, &form, 1);
        idx_hash_update(d->hash, d->scratch.data, d->scratch.size);
        idx_hash_final(d->hash, &d->bodies[i]);
        d->has_body = d->has_body || d->scratch.size;
    }
}

/* ---- entries of an item ---- */

static void put_body_entry(struct idx_digester *d, const struct ost_prop *p, enum body body)
{
    struct ost_prop key = *p;

    key.type = body == BODY_TEXT ? OST_UNICODE : OST_BINARY;
    idx_canon_key(&d->canon, &d->entries.bytes, &key);
    idx_canon_digest(&d->entries.bytes, &d->bodies[body]);
}

/* Message flags and 0E69 come down to one entry of one bit, under the id of the flags. */
static void put_read_entry(struct idx_digester *d, bool read)
{
    const uint8_t bit = read;
    struct ost_prop p = {.id = 0x0E07, .type = OST_BOOL, .value = {&bit, 1}};

    idx_canon_entry(&d->canon, &d->entries.bytes, &p, 0);
}

static void put_entry(struct idx_digester *d, const struct ost_item *item, const struct ost_prop *p)
{
    struct ost_prop subject = *p;

    switch (p->id) {
    case 0x0037:
        subject.value = idx_subject_text(p->value, (p->type & ~0x2000) == OST_UNICODE);
        idx_canon_entry(&d->canon, &d->entries.bytes, &subject, item->codepage);
        break;
    case 0x0E07:
        if (p->value.size == 4)
            put_read_entry(d, le32(p->value.data) & 1);
        break;
    case 0x0E69:
        if (p->value.size == 1 && !ost_props_find(item->props, 0x0E07, 0))
            put_read_entry(d, p->value.data[0]);
        break;
    case 0x1000:
        put_body_entry(d, p, BODY_TEXT);
        break;
    case 0x1009:
        put_body_entry(d, p, BODY_RTF);
        break;
    case 0x1013:
        put_body_entry(d, p, BODY_HTML);
        break;
    default:
        idx_canon_entry(&d->canon, &d->entries.bytes, p, item->codepage);
    }
}

static void item_entries(struct idx_digester *d, const struct ost_item *item)
{
    bool task = idx_kind_of_item(item) == KIND_TASK;

    for (size_t i = 0; i < item->props.count; i++) {
        const struct ost_prop *p = &item->props.list[i];
        unsigned rule = idx_property_rule(p->id, p->name);
        size_t at = d->entries.bytes.size;

        if (rule & IDX_IN_STATE && rule != IDX_IN_STATE)
            rule = task ? rule & ~(unsigned)IDX_IN_STATE : IDX_IN_STATE;
        if (!rule)
            continue;
        put_entry(d, item, p);
        if (d->entries.bytes.size > at)
            idx_parts_add(&d->entries, at, rule);
    }
    idx_parts_sort(&d->entries, 0);
}

/* ---- records of recipients and attachments ---- */

/* What identifies a recipient wherever it stands; the rest is of the store and its address book. */
static const uint16_t recipient_ids[] = {0x3001, 0x3002, 0x3003, 0x39FE};

static void recipient_record(struct idx_digester *d, const struct ost_item *item,
                             struct ost_props recipient)
{
    const struct ost_prop *type = ost_props_find(recipient, 0x0C15, OST_I32);
    size_t at = d->lists.bytes.size;

    if (type && type->value.size == 4)
        idx_canon_u64(&d->lists.bytes, le32(type->value.data) & 0x0F);
    else
        idx_canon_u64(&d->lists.bytes, UINT64_MAX);
    for (size_t i = 0; i < sizeof recipient_ids / sizeof *recipient_ids; i++) {
        const struct ost_prop *p = ost_props_find(recipient, recipient_ids[i], 0);

        if (p)
            idx_canon_entry(&d->canon, &d->lists.bytes, p, item->codepage);
    }
    idx_parts_add(&d->lists, at, 0);
}

void idx_put_name(struct idx_digester *d, const struct ost_item *item, struct ost_props props)
{
    static const uint16_t ids[] = {0x3707, 0x3704, 0x3001};
    const struct ost_prop *p = NULL;

    for (size_t i = 0; i < sizeof ids / sizeof *ids && (!p || !p->value.size); i++)
        p = ost_props_find(props, ids[i], OST_UNICODE);
    if (!p) {
        idx_canon_form(&d->lists.bytes, IDX_FORM_ABSENT);
        return;
    }
    d->scratch.size = 0;
    if (!idx_canon_normal(&d->canon, &d->scratch, p, item->codepage))
        buf_append(&d->scratch, p->value.data, p->value.size);
    idx_canon_bytes(&d->canon, &d->lists.bytes, (struct bytes){d->scratch.data, d->scratch.size});
}

void idx_put_content(struct idx_digester *d, const struct ost_attachment *a,
                     const struct ost_digest *embedded)
{
    if (!a->has_data) {
        idx_canon_form(&d->lists.bytes, IDX_FORM_ABSENT);
    } else if (!a->data_digest.size) {
        idx_canon_form(&d->lists.bytes, IDX_FORM_UNREADABLE);
        idx_canon_u64(&d->lists.bytes, a->data_bytes);
    } else {
        idx_canon_form(&d->lists.bytes, IDX_FORM_LONG);
        idx_canon_u64(&d->lists.bytes, a->data_bytes);
        buf_append(&d->lists.bytes, a->data_digest.bytes, a->data_digest.size);
    }
    if (a->truncated_depth || (a->embedded && !embedded->size))
        idx_canon_form(&d->lists.bytes, IDX_FORM_TOO_DEEP);
    else
        idx_canon_digest(&d->lists.bytes, embedded);
}

/* Of these an attachment's record holds what they come down to, or nothing (DIGESTS.md). */
static bool in_record_head(uint16_t id)
{
    return id == 0x3001 || id == 0x3701 || id == 0x3704 || id == 0x3705 || id == 0x3707;
}

static void attachment_record(struct idx_digester *d, const struct ost_item *item,
                              const struct ost_attachment *a, const struct ost_digest *embedded)
{
    size_t at = d->lists.bytes.size, entry_at = d->entries.bytes.size, first = d->entries.count;

    idx_canon_u64(&d->lists.bytes, a->method < 0 ? UINT64_MAX : (uint64_t)a->method);
    idx_put_name(d, item, a->props);
    idx_put_content(d, a, embedded);
    for (size_t i = 0; i < a->props.count; i++) {
        const struct ost_prop *p = &a->props.list[i];
        size_t from = d->entries.bytes.size;

        if (in_record_head(p->id) || !(idx_property_rule(p->id, p->name) & IDX_IN_EXACT))
            continue;
        idx_canon_entry(&d->canon, &d->entries.bytes, p, item->codepage);
        idx_parts_add(&d->entries, from, 0);
    }
    idx_parts_sort(&d->entries, first);
    idx_canon_u64(&d->lists.bytes, d->entries.count - first);
    for (size_t i = first; i < d->entries.count; i++) {
        const struct idx_part *s = &d->entries.list[i];

        buf_append(&d->lists.bytes, d->entries.bytes.data + s->offset, s->size);
    }
    d->entries.count = first;
    d->entries.bytes.size = entry_at;
    idx_parts_add(&d->lists, at, 0);
}

/* ---- the digests ---- */

bool idx_digester_failed(const struct idx_digester *d)
{
    return d->entries.bytes.failed || d->lists.bytes.failed || d->scratch.failed;
}

/* Leaves the item's own entries behind, for core and state. */
static int digest_exact(struct idx_digester *d, const struct ost_item *item,
                        const struct ost_digest *embedded, struct ost_digest *out)
{
    size_t recipients;

    idx_parts_reset(&d->entries);
    idx_parts_reset(&d->lists);
    idx_buf_trim(&d->scratch);
    digest_bodies(d, item);
    item_entries(d, item);
    for (size_t i = 0; i < item->recipient_count && !idx_digester_failed(d); i++)
        recipient_record(d, item, item->recipients[i]);
    idx_parts_sort(&d->lists, 0);
    recipients = d->lists.count;
    for (size_t i = 0; i < item->attachment_count && !idx_digester_failed(d); i++)
        attachment_record(d, item, &item->attachments[i], &embedded[i]);
    idx_parts_sort(&d->lists, recipients);
    if (idx_digester_failed(d))
        return ERR_NOMEM;
    idx_feed_domain(d, "ostscan.exact.1");
    idx_feed_entries(d, IDX_IN_EXACT);
    idx_feed_list(d, 0, recipients);
    idx_feed_list(d, recipients, d->lists.count);
    idx_hash_final(d->hash, out);
    return 0;
}

static void digest_state(struct idx_digester *d, struct ost_digest *out)
{
    idx_feed_domain(d, "ostscan.state.1");
    idx_feed_entries(d, IDX_IN_STATE);
    idx_hash_final(d->hash, out);
}

/* ---- embedded items ---- */

struct frame {
    const struct ost_item *item;
    struct ost_digest *digests; /* one an attachment */
    size_t next;
};

static int push(struct arena *arena, struct frame *frame, const struct ost_item *item)
{
    *frame = (struct frame){.item = item};
    frame->digests = arena_alloc_array(arena, item->attachment_count, sizeof *frame->digests);
    if (!frame->digests)
        return ERR_NOMEM;
    if (item->attachment_count)
        memset(frame->digests, 0, item->attachment_count * sizeof *frame->digests);
    return 0;
}

/* The exact digests of what `item` embeds, deepest first. */
static int digest_embedded(struct idx_digester *d, struct arena *arena, const struct ost_item *item,
                           const struct ost_digest **out)
{
    struct frame stack[OST_LIMIT_EMBEDDED_DEPTH + 1];
    size_t depth = 0;
    int rc = push(arena, &stack[0], item);

    while (!rc) {
        struct frame *top = &stack[depth];
        const struct ost_item *below = NULL;

        if (top->next < top->item->attachment_count) {
            below = top->item->attachments[top->next].embedded;
            if (!below || depth == OST_LIMIT_EMBEDDED_DEPTH) {
                top->next++;
                continue;
            }
            rc = push(arena, &stack[++depth], below);
            continue;
        }
        if (!depth)
            break;
        depth--;
        rc = digest_exact(d, top->item, top->digests, &stack[depth].digests[stack[depth].next]);
        stack[depth].next++;
    }
    if (rc)
        return rc;
    *out = stack[0].digests;
    return 0;
}

/* ---- all of an item ---- */

int idx_digest_item(struct idx_digester *d, struct arena *arena, const struct ost_item *item,
                    const struct idx_view *view, struct idx_digests *out)
{
    struct idx_digests all = {0};
    struct bytes id = idx_message_id(view);
    struct ost_digest mih;
    int rc;

    rc = digest_embedded(d, arena, item, &all.embedded);
    if (rc)
        return rc;
    rc = digest_exact(d, item, all.embedded, &all.exact);
    if (rc)
        return rc;
    digest_state(d, &all.state);
    all.body_text = d->bodies[BODY_TEXT];
    all.body_html = d->bodies[BODY_HTML];
    all.body_rtf = d->bodies[BODY_RTF];
    rc = idx_digest_core(d, item, view, all.embedded, &all.core);
    if (rc)
        return rc;
    if (id.size) {
        idx_hash_reset(d->md5);
        idx_hash_update(d->md5, id.data, id.size);
        idx_hash_final(d->md5, &mih);
        memcpy(all.mih, mih.bytes, sizeof all.mih);
        all.has_mih = true;
    }
    *out = all;
    return 0;
}
