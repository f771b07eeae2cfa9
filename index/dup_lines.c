/* dup_lines.c: see dup_lines.h. */
#include "index/dup_lines.h"

#include <string.h>

#include "index/json_read.h"
#include "io/err.h"

static int put(struct dup_lines *l)
{
    json_end_record(&l->json);
    return l->line.failed ? ERR_NOMEM : l->write(l->ctx, l->line.data, l->line.size);
}

static void start(struct dup_lines *l, const char *type)
{
    buf_reset(&l->line);
    json_record(&l->json, &l->line, type);
}

static void stored(struct dup_lines *l, const char *key, struct bytes text)
{
    json_stored(&l->json, key, text, true, (struct bytes){0}, DUP_TEXT_MOST);
}

int dup_record_text(struct bytes record, const char *key, struct buf *out)
{
    struct json_token token;
    struct bytes value;

    buf_reset(out);
    if (json_find(record, key, &value) == 1 && json_scalar(value, &token) &&
        token.kind == JSON_STRING)
        json_token_text(&token, out);
    return out->failed ? ERR_NOMEM : 0;
}

int dup_attachment_name(struct bytes record, uint32_t part, struct buf *out)
{
    struct json_reader r;
    struct json_token token;
    struct bytes list, object;

    buf_reset(out);
    if (json_find(record, "attachments", &list) != 1)
        return 0;
    json_read_start(&r, list);
    if (json_read_next(&r, &token) != 1 || token.kind != JSON_ARRAY)
        return 0;
    for (uint32_t i = 0; json_read_next(&r, &token) == 1 && token.kind == JSON_OBJECT; i++) {
        if (json_read_skip(&r, &token, &object) != 0)
            return 0;
        if (i == part)
            return dup_record_text(object, "name", out);
    }
    return 0;
}

static int text_of(struct dup_lines *l, struct bytes record, const char *key)
{
    int code = dup_record_text(record, key, &l->text);

    if (!code && l->text.size)
        stored(l, key, (struct bytes){l->text.data, l->text.size});
    return code;
}

static void path(struct dup_lines *l, const char *key, const struct buf *text)
{
    json_text(&l->json, key, text->data, text->size);
}

static const char *file_name(const char *manifest)
{
    const char *slash = strrchr(manifest, '/');

    return slash ? slash + 1 : manifest;
}

static int on_image(void *ctx, const struct dup_image *image)
{
    struct dup_lines *l = ctx;
    uint64_t left_out = 0;
    const char *name = file_name(image->manifest);

    for (int i = FATE_INDEXED + 1; i < DUP_FATES; i++)
        left_out += image->fates[i];
    l->images++;
    start(l, "image");
    path(l, "path", &image->path);
    json_text(&l->json, "manifest", name, strlen(name));
    json_u64(&l->json, "size", image->size_bytes);
    json_u64(&l->json, "items", image->fates[FATE_INDEXED]);
    json_u64(&l->json, "left_out", left_out);
    json_u64(&l->json, "assoc", image->assoc);
    json_digest(&l->json, "digest", &image->digest);
    if (image->state == DUP_INCOMPLETE)
        json_bool(&l->json, "incomplete", true);
    return put(l);
}

static int group_text(struct dup_lines *l, const struct dup_group *g)
{
    int code = 0;

    if (g->of == DUP_ATTACHMENT) {
        code = dup_attachment_name(g->record, g->representative.place.part, &l->text);
        if (!code && l->text.size)
            stored(l, "name", (struct bytes){l->text.data, l->text.size});
    }
    code = code ? code : text_of(l, g->record, "subject");
    code = code ? code : text_of(l, g->record, "message_id");
    return code ? code : text_of(l, g->record, "submitted");
}

static int on_group(void *ctx, const struct dup_group *g)
{
    struct dup_lines *l = ctx;
    struct json *j = &l->json;
    int code;

    l->groups++;
    l->members = 0;
    start(l, "group");
    json_u64(j, "n", g->n);
    json_cstr(j, "of", dup_of_name(g->of));
    json_u64(j, "count", g->count);
    json_u64(j, "images", g->images);
    json_u64(j, "bytes", g->bytes);
    json_u64(j, "exact", g->exact);
    json_u64(j, "exact_bytes", g->exact_bytes);
    if (g->candidate)
        json_bool(j, "candidate", true);
    if (g->of != DUP_IMAGE && g->representative.kind < IDX_KINDS)
        json_cstr(j, "kind", idx_kind_name((enum idx_kind)g->representative.kind));
    code = g->record.size ? group_text(l, g) : 0;
    json_digest(j, g->representative.by_core ? "core" : "digest", &g->representative.joint);
    json_array(j, "members");
    return code;
}

static void member_place(struct dup_lines *l, const struct dup_member *m)
{
    const struct dup_entry *e = m->entry;
    struct json *j = &l->json;

    path(l, "image", &m->image->path);
    if (e->of == DUP_IMAGE)
        return;
    if (e->has_folder)
        json_u64(j, "folder", e->folder);
    if (m->folder_path.data)
        json_text(j, "folder_path", m->folder_path.data, m->folder_path.size);
    json_u64(j, "nid", e->nid);
    if (e->of == DUP_ATTACHMENT)
        json_u64(j, "attachment", e->attachment_nid);
    if (e->orphan)
        json_bool(j, "orphan", true);
}

/* The line at hand is full: what follows goes into one of its own. */
static int continue_group(struct dup_lines *l, const struct dup_group *g)
{
    int code;

    json_close_array(&l->json);
    code = put(l);
    l->more++;
    l->members = 0;
    start(l, "members");
    json_u64(&l->json, "n", g->n);
    json_array(&l->json, "members");
    return code;
}

static int on_member(void *ctx, const struct dup_group *g, const struct dup_member *m)
{
    struct dup_lines *l = ctx;
    struct json *j = &l->json;
    int code = 0;

    if (l->members == DUP_MEMBERS_MOST || l->line.size >= DUP_LINE_BYTES)
        code = continue_group(l, g);
    l->members++;
    json_object(j, NULL);
    member_place(l, m);
    if (m->entry->has_size)
        json_u64(j, "size", m->entry->size_bytes);
    if (m->rank != RANK_REPRESENTATIVE)
        json_cstr(j, "tier", m->rank == RANK_EXACT ? "exact" : "core");
    if (m->entry->by_core)
        json_digest(j, "exact", &m->entry->exact);
    if (m->differences) {
        json_array(j, "differs");
        for (unsigned i = 0; i < DUP_DIFFERENCES; i++)
            if (m->differences >> i & 1)
                json_cstr(j, NULL, dup_difference_name(i));
        json_close_array(j);
    }
    json_close_object(j);
    return code ? code : l->line.failed ? ERR_NOMEM : 0;
}

static int on_group_end(void *ctx, const struct dup_group *g)
{
    struct dup_lines *l = ctx;

    (void)g;
    json_close_array(&l->json);
    return put(l);
}

static int on_pair(void *ctx, const struct dup_pair *pair)
{
    struct dup_lines *l = ctx;

    l->pairs++;
    start(l, "pair");
    path(l, "kept", &pair->kept->path);
    path(l, "image", &pair->image->path);
    json_u64(&l->json, "duplicates", pair->duplicates);
    json_u64(&l->json, "bytes", pair->bytes);
    return put(l);
}

static int on_folder(void *ctx, const struct dup_image *image, const struct dup_folder *folder,
                     struct bytes folder_path)
{
    struct dup_lines *l = ctx;

    l->folders++;
    start(l, "folder");
    path(l, "image", &image->path);
    json_u64(&l->json, "folder", folder->nid);
    if (folder_path.data)
        json_text(&l->json, "folder_path", folder_path.data, folder_path.size);
    json_u64(&l->json, "duplicates", folder->duplicates);
    json_u64(&l->json, "bytes", folder->bytes);
    return put(l);
}

static void tally(struct json *j, const struct dup_tally *t)
{
    json_u64(j, "groups", t->groups);
    json_u64(j, "duplicates", t->duplicates);
    json_u64(j, "exact", t->exact);
    json_u64(j, "bytes", t->bytes);
    json_u64(j, "exact_bytes", t->exact_bytes);
}

static int kinds(struct dup_lines *l, const struct dup_totals *t, uint64_t *count)
{
    int code = 0;

    for (unsigned k = 0; !code && k <= IDX_KINDS; k++) {
        if (!t->kinds[k].groups)
            continue;
        ++*count;
        start(l, "kind");
        if (k < IDX_KINDS)
            json_cstr(&l->json, "kind", idx_kind_name((enum idx_kind)k));
        tally(&l->json, &t->kinds[k]);
        code = put(l);
    }
    return code;
}

static int on_totals(void *ctx, const struct dup_totals *t)
{
    static const char *const fates[DUP_FATES] = {"items", "failed", "partial", "recovered",
                                                 "undigested"};
    static const char *const names[DUP_OFS] = {"of_images", "of_items", "of_attachments"};
    struct dup_lines *l = ctx;
    struct json *j = &l->json;
    uint64_t kind_lines = 0;
    int code = kinds(l, t, &kind_lines);

    if (code)
        return code;
    start(l, "end");
    json_object(j, "counts");
    json_u64(j, "image", l->images);
    json_u64(j, "group", l->groups);
    json_u64(j, "members", l->more);
    json_u64(j, "pair", l->pairs);
    json_u64(j, "folder", l->folders);
    json_u64(j, "kind", kind_lines);
    json_close_object(j);
    json_u64(j, "images", t->images);
    json_u64(j, "incomplete", t->incomplete);
    json_u64(j, "unreadable", t->unreadable);
    for (int i = 0; i < DUP_FATES; i++)
        json_u64(j, fates[i], t->fates[i]);
    json_u64(j, "assoc", t->assoc);
    for (int i = 0; i < DUP_OFS; i++) {
        json_object(j, names[i]);
        tally(j, &t->of[i]);
        json_close_object(j);
    }
    json_bool(j, "complete", !t->incomplete && !t->unreadable);
    return put(l);
}

int dup_lines_init(struct dup_lines *l, const char *tool,
                   int (*write)(void *ctx, const void *line, size_t size), void *ctx)
{
    *l = (struct dup_lines){.write = write, .ctx = ctx};
    start(l, "duplicates");
    json_u64(&l->json, "schema", DUP_SCHEMA);
    json_cstr(&l->json, "tool", tool);
    return put(l);
}

void dup_lines_done(struct dup_lines *l)
{
    buf_done(&l->line);
    buf_done(&l->text);
}

struct dup_sink dup_lines_sink(struct dup_lines *l)
{
    return (struct dup_sink){
        .ctx = l,
        .wants_records = true,
        .wants_paths = true,
        .image = on_image,
        .group = on_group,
        .member = on_member,
        .group_end = on_group_end,
        .pair = on_pair,
        .folder = on_folder,
        .totals = on_totals,
    };
}
