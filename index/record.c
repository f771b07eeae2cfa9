/*
 * record.c: see record.h.
 *
 * A record's longest line: eight values of IDX_FIELD_MAX, each up to six bytes a byte as escaped
 * text and two as hex (16 MiB), three address lists and the attachments, each at most
 * IDX_LIST_BYTES_MAX and one element of two values beyond (4 times 12 MiB). So 64 MiB hold it.
 */
#include "index/record.h"

#include <inttypes.h>
#include <stdio.h>

#include "index/json.h"
#include "index/manifest.h"

enum { TAG_DISPLAY_NAME = 0x3001, TAG_CONTAINER_CLASS = 0x3613 };

static void flag(struct json *j, const char *key, bool value)
{
    if (value)
        json_bool(j, key, true);
}

static inline void str(struct json *j, const char *key, const struct idx_str *s)
{
    json_stored(j, key, (struct bytes){(const uint8_t *)s->data, s->size}, s->whole, s->raw,
                IDX_FIELD_MAX);
}

static inline void time_of(struct json *j, const char *key, struct idx_time t)
{
    if (t.has)
        json_filetime(j, key, t.filetime);
}

/* A string property; absent where the object does not have it. */
static void text_prop(struct json *j, const char *key, struct idx_text *text,
                      struct ost_props props, uint16_t id, uint32_t codepage)
{
    const struct ost_prop *prop = ost_props_find(props, id, OST_UNICODE);
    struct buf decoded = BUF_INIT;
    bool whole = true;

    if (!prop)
        return;
    idx_text_prop(text, prop, codepage, &decoded, &whole);
    if (decoded.failed || !buf_reserve(&decoded, 1))
        j->out->failed = true;
    else
        json_stored(j, key, (struct bytes){decoded.data, decoded.size}, whole, prop->value,
                    IDX_FIELD_MAX);
    buf_done(&decoded);
}

/* The first nids, and how many there are beyond. */
static void nids(struct json *j, const char *key, const char *key_more, const uint32_t *list,
                 size_t count)
{
    const size_t shown = count < IDX_AFFECTED_MAX ? count : IDX_AFFECTED_MAX;

    if (!count)
        return;
    json_array(j, key);
    for (size_t i = 0; i < shown; i++)
        json_u64(j, NULL, list[i]);
    json_close_array(j);
    if (shown < count)
        json_u64(j, key_more, count - shown);
}

void idx_record_scan(struct buf *out, const struct idx_scan_record *r)
{
    struct json j;

    json_record(&j, out, idx_record_name(RECORD_SCAN));
    json_u64(&j, "schema", IDX_MANIFEST_SCHEMA);
    json_u64(&j, "digest_version", IDX_DIGEST_VERSION);
    json_cstr(&j, "tool", r->tool);
    json_cstr(&j, "engine", r->engine);
    json_cstr(&j, "io", r->io);
    json_time_ns(&j, "started", r->started_ns);
    json_array(&j, "options");
    for (size_t i = 0; i < r->option_count; i++)
        json_cstr(&j, NULL, r->options[i]);
    json_close_array(&j);
    json_end_record(&j);
}

/* What the header says of the kind of file; fields that could not be read are absent. */
static void kind_of_image(struct json *j, const struct ost_header *h)
{
    json_cstr(j, "content", ost_content_name(h->content));
    json_cstr(j, "format", ost_format_name(h->format));
    if (h->version)
        json_u64(j, "version", h->version);
    if (h->format == OST_FORMAT_UNKNOWN)
        return;
    json_cstr(j, "crypt", ost_crypt_name(h->crypt));
    json_u64(j, "unique", h->unique);
}

void idx_record_image(struct buf *out, struct idx_text *text, const struct idx_image_record *r)
{
    const struct ost_image *image = r->image;
    struct json j;

    json_record(&j, out, idx_record_name(RECORD_IMAGE));
    json_cstr(&j, "path", r->path);
    json_u64(&j, "size", r->size_bytes);
    json_time_ns(&j, "mtime", r->mtime_ns);
    if (r->header)
        kind_of_image(&j, r->header);
    if (image) {
        text_prop(&j, "store_name", text, image->store, TAG_DISPLAY_NAME, image->codepage);
        json_cstr(&j, "account", image->account);
        if (image->has_blocks)
            json_u64(&j, "blocks", image->blocks);
        if (image->has_nodes)
            json_u64(&j, "nodes", image->nodes);
        if (image->has_allocated)
            json_u64(&j, "allocated", image->allocated_bytes);
    }
    json_end_record(&j);
}

void idx_record_folder(struct buf *out, struct idx_text *text, const struct ost_folder *folder,
                       const void *path, size_t path_size)
{
    struct json j;

    json_record(&j, out, idx_record_name(RECORD_FOLDER));
    json_u64(&j, "nid", folder->nid);
    if (folder->parent)
        json_u64(&j, "parent", folder->parent);
    if (path_size)
        json_text(&j, "path", path, path_size);
    text_prop(&j, "name", text, folder->props, TAG_DISPLAY_NAME, folder->codepage);
    text_prop(&j, "class", text, folder->props, TAG_CONTAINER_CLASS, folder->codepage);
    json_cstr(&j, "role", folder->role);
    if (folder->has_rows)
        json_u64(&j, "rows", folder->rows);
    if (folder->has_assoc_rows)
        json_u64(&j, "assoc_rows", folder->assoc_rows);
    json_u64(&j, "items", folder->items);
    json_u64(&j, "assoc", folder->assoc);
    json_end_record(&j);
}

static void address_members(struct json *j, const struct idx_address *a)
{
    str(j, "name", &a->name);
    str(j, "address", &a->address);
    json_close_object(j);
}

/* True once a list that began at `from` has taken its share of the line. */
static bool list_is_full(const struct json *j, size_t from)
{
    return j->out->size - from > IDX_LIST_BYTES_MAX;
}

/* What was written last, unless nothing was since `from`. */
static struct idx_place last_value(const struct json *j, size_t from)
{
    return j->out->size > from ? (struct idx_place){j->value_at, j->value_end}
                               : (struct idx_place){0};
}

static struct idx_place addresses(struct json *j, const char *key, const char *key_more,
                                  const struct idx_address *list, size_t count)
{
    const size_t from = j->out->size;
    struct idx_place place = {0};
    size_t i;

    if (!count)
        return place;
    json_array(j, key);
    place.at = j->out->size - 1;
    for (i = 0; i < count && !list_is_full(j, from); i++) {
        json_object(j, NULL);
        address_members(j, &list[i]);
    }
    json_close_array(j);
    place.end = j->out->size;
    if (i < count)
        json_u64(j, key_more, count - i);
    return place;
}

/* The place of its name. */
static struct idx_place attachment(struct json *j, const struct ost_attachment *a,
                                   const struct idx_str *name, const struct ost_digest *embedded)
{
    struct idx_place place;
    size_t from;

    json_object(j, NULL);
    if (a->nid)
        json_u64(j, "nid", a->nid);
    from = j->out->size;
    str(j, "name", name);
    place = last_value(j, from);
    if (a->method >= 0)
        json_i64(j, "method", a->method);
    if (a->has_data)
        json_u64(j, "size", a->data_bytes);
    json_digest(j, "digest", &a->data_digest);
    json_digest(j, "embedded", embedded);
    json_close_object(j);
    return place;
}

static void attachments(struct json *j, const struct ost_item *item, const struct idx_view *view,
                        const struct idx_digests *digests, struct idx_item_places *places)
{
    const size_t from = j->out->size;
    size_t i;

    places->attachments = 0;
    if (!item->attachment_count)
        return;
    json_array(j, "attachments");
    for (i = 0; i < item->attachment_count && !list_is_full(j, from); i++) {
        struct idx_place name =
            attachment(j, &item->attachments[i], &view->attachment_names[i], &digests->embedded[i]);

        if (i < IDX_NAMES_PLACED)
            places->names[i] = name;
    }
    places->attachments = i;
    json_close_array(j);
    if (i < item->attachment_count)
        json_u64(j, "attachments_more", item->attachment_count - i);
}

static struct idx_place digest(struct json *j, const char *key, const struct ost_digest *d)
{
    const size_t from = j->out->size;

    json_digest(j, key, d);
    return last_value(j, from);
}

static void digest_object(struct json *j, const struct idx_digests *d,
                          struct idx_item_places *places)
{
    const bool body = d->body_text.size || d->body_html.size || d->body_rtf.size;

    places->text = places->html = places->rtf = places->state = (struct idx_place){0};
    if (!body && !d->exact.size && !d->core.size && !d->state.size)
        return;
    json_object(j, "digest");
    json_digest(j, "exact", &d->exact);
    json_digest(j, "core", &d->core);
    if (body) {
        json_object(j, "body");
        places->text = digest(j, "text", &d->body_text);
        places->html = digest(j, "html", &d->body_html);
        places->rtf = digest(j, "rtf", &d->body_rtf);
        json_close_object(j);
    }
    places->state = digest(j, "state", &d->state);
    json_close_object(j);
}

static void damage(struct json *j, const struct ost_item *item)
{
    size_t i;

    if (!item->damage_count)
        return;
    json_bool(j, "partial", true);
    json_array(j, "damage");
    for (i = 0; i < item->damage_count && i < IDX_AFFECTED_MAX; i++) {
        const struct ost_damage *d = &item->damage[i];

        json_object(j, NULL);
        json_cstr(j, "code", finding_info((enum finding_code)d->code)->name);
        if (d->has_bid)
            json_u64(j, "bid", d->bid);
        if (d->has_offset)
            json_u64(j, "offset", d->offset);
        json_close_object(j);
    }
    json_close_array(j);
    if (i < item->damage_count)
        json_u64(j, "damage_more", item->damage_count - i);
}

static void start_item(struct json *j, struct buf *out, uint32_t nid, uint32_t folder, bool assoc)
{
    json_record(j, out, idx_record_name(RECORD_ITEM));
    json_u64(j, "nid", nid);
    if (folder)
        json_u64(j, "folder", folder);
    flag(j, "assoc", assoc);
}

/* What identifies the item and dates it. */
static void identity(struct json *j, const struct idx_view *v, const struct idx_digests *digests,
                     struct idx_item_places *places)
{
    uint8_t mid[8];
    size_t from;

    json_cstr(j, "kind", idx_kind_name(v->kind));
    from = j->out->size;
    str(j, "class", &v->message_class);
    places->message_class = last_value(j, from);
    str(j, "subject", &v->subject);
    str(j, "message_id", &v->message_id);
    if (digests->has_mih)
        json_hex(j, "mih", digests->mih, sizeof digests->mih);
    from = j->out->size;
    json_stored_hex(j, "search_key", v->search_key, IDX_FIELD_MAX);
    places->search_key = last_value(j, from);
    if (v->has_mid) {
        put_le64(mid, __builtin_bswap64(v->mid));
        json_hex(j, "mid", mid, sizeof mid);
    }
    json_stored_hex(j, "change_key", v->change_key, IDX_FIELD_MAX);
    json_stored_hex(j, "pcl", v->pcl, IDX_FIELD_MAX);
    time_of(j, "submitted", v->submitted);
    time_of(j, "delivered", v->delivered);
    time_of(j, "created", v->created);
    time_of(j, "modified", v->modified);
    if (v->has_size)
        json_i64(j, "size", v->size);
    if (v->has_flags)
        json_u64(j, "flags", v->flags);
}

void idx_record_item(struct buf *out, const struct ost_item *item, const struct idx_view *view,
                     const struct idx_digests *digests, struct idx_item_places *places)
{
    struct idx_item_places unwanted;
    struct json j;

    if (!places)
        places = &unwanted;
    start_item(&j, out, item->nid, item->folder, item->assoc);
    flag(&j, "orphan", item->orphan);
    identity(&j, view, digests, places);
    if (view->from.name.data || view->from.address.data) {
        json_object(&j, "from");
        address_members(&j, &view->from);
    }
    addresses(&j, "to", "to_more", view->to, view->to_count);
    addresses(&j, "cc", "cc_more", view->cc, view->cc_count);
    places->bcc = addresses(&j, "bcc", "bcc_more", view->bcc, view->bcc_count);
    attachments(&j, item, view, digests, places);
    digest_object(&j, digests, places);
    damage(&j, item);
    flag(&j, "recovered", item->recovered);
    json_end_record(&j);
}

void idx_record_failed_item(struct buf *out, uint32_t nid, uint32_t folder, bool assoc)
{
    struct json j;

    start_item(&j, out, nid, folder, assoc);
    json_bool(&j, "failed", true);
    json_end_record(&j);
}

static void finding_text(struct json *j, const struct finding *f)
{
    const struct finding_info *info = finding_info(f->code);
    struct buf text = BUF_INIT;

    if (!f->detail) {
        json_cstr(j, "text", info->text);
        return;
    }
    buf_puts(&text, info->text);
    buf_puts(&text, ": ");
    buf_puts(&text, f->detail);
    if (text.failed)
        j->out->failed = true;
    else
        json_stored(j, "text", (struct bytes){text.data, text.size}, true, (struct bytes){0},
                    IDX_FIELD_MAX);
    buf_done(&text);
}

void idx_record_finding(struct buf *out, uint64_t n, uint64_t count, const struct finding *f)
{
    const struct finding_info *info = finding_info(f->code);
    struct json j;

    json_record(&j, out, idx_record_name(RECORD_FINDING));
    json_u64(&j, "n", n);
    if (count != 1)
        json_u64(&j, "count", count);
    json_cstr(&j, "code", info->name);
    json_cstr(&j, "layer", finding_layer_name(info->layer));
    json_cstr(&j, "severity", finding_severity_name(f->severity));
    if (f->has_offset)
        json_u64(&j, "offset", f->offset);
    if (f->has_offset && f->length)
        json_u64(&j, "length", f->length);
    if (f->has_bid)
        json_u64(&j, "bid", f->bid);
    if (f->has_nid)
        json_u64(&j, "nid", f->nid);
    if (f->has_expected)
        json_u64(&j, "expected", f->expected);
    if (f->has_actual)
        json_u64(&j, "actual", f->actual);
    nids(&j, "items", "items_more", f->items, f->item_count);
    nids(&j, "folders", "folders_more", f->folders, f->folder_count);
    finding_text(&j, f);
    json_end_record(&j);
}

static void download(struct json *j, const struct chk_download *d)
{
    json_object(j, "download");
    json_u64(j, "items", d->items);
    json_u64(j, "bytes", d->bytes);
    if (d->unsized)
        json_u64(j, "unsized", d->unsized);
    json_close_object(j);
}

static void folder_states(struct json *j, const struct chk_verdict *v)
{
    const size_t from = j->out->size;
    size_t i;

    if (!v->folder_count)
        return;
    json_array(j, "folders");
    for (i = 0; i < v->folder_count && !list_is_full(j, from); i++) {
        const struct chk_folder_state *f = &v->folders[i];

        json_object(j, NULL);
        json_u64(j, "nid", f->nid);
        json_u64(j, "failed", f->failed);
        json_u64(j, "orphaned", f->orphaned);
        json_u64(j, "unaccounted", f->unaccounted);
        json_u64(j, "rows_without_item", f->rows_without_item);
        json_cstr(j, "remedy", chk_remedy_name(f->remedy));
        if (v->has_download)
            download(j, &f->download);
        json_close_object(j);
    }
    json_close_array(j);
    if (i < v->folder_count)
        json_u64(j, "folders_more", v->folder_count - i);
}

static void sync_errors(struct json *j, const struct chk_reason *r)
{
    if (!r->error_count)
        return;
    json_array(j, "errors");
    for (size_t i = 0; i < r->error_count; i++) {
        const struct chk_sync_error *e = &r->errors[i];
        char code[16];

        snprintf(code, sizeof code, "0x%08" PRIx32, e->code);
        json_object(j, NULL);
        json_cstr(j, "code", code);
        if (e->folder)
            json_u64(j, "folder", e->folder);
        json_u64(j, "count", e->count);
        if (e->first) {
            json_filetime(j, "first", e->first);
            json_filetime(j, "last", e->last);
        }
        json_close_object(j);
    }
    json_close_array(j);
}

static void reason(struct json *j, const struct chk_reason *r)
{
    json_object(j, NULL);
    json_cstr(j, "text", r->text);
    if (r->about != CONCERN_REMEDY)
        json_cstr(j, "about", chk_concern_name(r->about));
    if (r->strength != STRENGTH_NONE)
        json_cstr(j, "strength", chk_strength_name(r->strength));
    if (r->count)
        json_u64(j, "count", r->count);
    if (r->code_count) {
        json_array(j, "codes");
        for (size_t i = 0; i < r->code_count; i++)
            json_cstr(j, NULL, finding_info(r->codes[i])->name);
        json_close_array(j);
    }
    nids(j, "items", "items_more", r->items, r->item_count);
    nids(j, "folders", "folders_more", r->folders, r->folder_count);
    sync_errors(j, r);
    json_close_object(j);
}

static void coverage(struct json *j, const struct chk_coverage *c)
{
    json_object(j, "coverage");
    if (c->has_allocated)
        json_u64(j, "allocated", c->allocated_bytes);
    json_u64(j, "verified", c->verified_bytes);
    json_u64(j, "items_expected", c->items_expected);
    json_u64(j, "items_read", c->items_read);
    json_u64(j, "items_failed", c->items_failed);
    json_u64(j, "items_orphaned", c->items_orphaned);
    json_u64(j, "rows", c->rows);
    json_u64(j, "rows_without_item", c->rows_without_item);
    json_close_object(j);
}

void idx_record_verdict(struct buf *out, const struct chk_verdict *v)
{
    struct json j;

    json_record(&j, out, idx_record_name(RECORD_VERDICT));
    json_cstr(&j, "remedy", chk_remedy_name(v->remedy));
    folder_states(&j, v);
    json_cstr(&j, "export_first", chk_export_name(v->export_first));
    json_array(&j, "reasons");
    for (size_t i = 0; i < v->reason_count; i++)
        reason(&j, &v->reasons[i]);
    json_close_array(&j);
    coverage(&j, &v->coverage);
    if (v->has_download)
        download(&j, &v->download);
    json_end_record(&j);
}
