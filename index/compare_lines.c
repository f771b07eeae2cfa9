/* compare_lines.c: see compare_lines.h. */
#include "index/compare_lines.h"

#include <string.h>

#include "index/compare_answer.h"
#include "io/err.h"

enum { SCHEMA = 1 };

static void start(struct cmp_lines *l, const char *type)
{
    buf_reset(&l->line);
    json_record(&l->json, &l->line, type);
}

static int put(struct cmp_lines *l)
{
    json_end_record(&l->json);
    return l->line.failed ? ERR_NOMEM : l->write(l->ctx, l->line.data, l->line.size);
}

int cmp_lines_init(struct cmp_lines *l, const char *tool,
                   int (*write)(void *ctx, const void *line, size_t size), void *ctx)
{
    *l = (struct cmp_lines){.write = write, .ctx = ctx};
    start(l, "comparison");
    json_u64(&l->json, "schema", SCHEMA);
    json_cstr(&l->json, "tool", tool);
    return put(l);
}

void cmp_lines_done(struct cmp_lines *l)
{
    buf_done(&l->line);
    buf_done(&l->path);
    buf_done(&l->other);
}

static void text(struct json *j, const char *key, struct bytes value)
{
    if (value.data)
        json_text(j, key, value.data, value.size);
}

static void window(struct json *j, const struct cmp_window *w)
{
    json_object(j, "window");
    json_cstr(j, "basis", cmp_window_name(w->basis));
    if (w->basis != CMP_WINDOW_ALL && w->basis != CMP_WINDOW_NONE)
        json_time(j, "from", w->from, 0, 0);
    json_close_object(j);
}

static void names(struct json *j, const char *key, unsigned bits, unsigned count,
                  const char *(*name)(unsigned bit))
{
    if (!bits)
        return;
    json_array(j, key);
    for (unsigned i = 0; i < count; i++)
        if (bits >> i & 1)
            json_cstr(j, NULL, name(i));
    json_close_array(j);
}

static const char *key_name(unsigned bit)
{
    return cmp_key_name((enum cmp_key)bit);
}

static const char *part_name(unsigned bit)
{
    return cmp_part_name((enum cmp_part)bit);
}

static const char *support_name(unsigned bit)
{
    return bit ? "source_key" : "mid";
}

static void side(struct json *j, const char *key, const struct cmp_side *s)
{
    json_object(j, key);
    if (s->image_path.size)
        text(j, "path", (struct bytes){s->image_path.data, s->image_path.size});
    json_cstr(j, "file", s->path);
    json_cstr(j, "input", cmp_input_name(s->input));
    if (s->store_name.size)
        text(j, "store_name", (struct bytes){s->store_name.data, s->store_name.size});
    json_u64(j, "items", s->items);
    json_u64(j, "assoc", s->assoc);
    if (s->removed)
        json_u64(j, "removed", s->removed);
    if (s->refused)
        json_u64(j, "refused", s->refused);
    if (s->incomplete) {
        json_bool(j, "incomplete", true);
        json_cstr(j, "reason", s->why);
    }
    json_close_object(j);
}

static int on_begin(void *ctx, const struct cmp_result *r)
{
    struct cmp_lines *l = ctx;
    struct json *j = &l->json;

    start(l, "image");
    side(j, "image", r->image);
    side(j, "server", r->server);
    names(j, "keys", r->keys, CMP_KEYS, key_name);
    window(j, &r->window);
    if (r->before_after)
        json_bool(j, "before_after", true);
    return put(l);
}

static void tally(struct json *j, const struct cmp_tally *t)
{
    bool any = false;

    json_u64(j, "ost", t->image);
    json_u64(j, "server", t->server);
    json_u64(j, "found", t->found);
    json_u64(j, "found_server", t->found_server);
    for (unsigned o = 0; o < CMP_OUTCOMES; o++)
        json_u64(j, cmp_outcome_name((enum cmp_outcome)o), t->outcomes[o]);
    for (unsigned w = CMP_WHY_NONE + 1; w < CMP_WHYS; w++)
        any |= t->whys[w] > 0;
    if (any) {
        json_object(j, "why");
        for (unsigned w = CMP_WHY_NONE + 1; w < CMP_WHYS; w++)
            if (t->whys[w])
                json_u64(j, cmp_why_name((enum cmp_why)w), t->whys[w]);
        json_close_object(j);
    }
    if (t->only_image_bytes)
        json_u64(j, "only_ost_bytes", t->only_image_bytes);
    if (t->only_server_bytes)
        json_u64(j, "only_server_bytes", t->only_server_bytes);
    if (t->only_image_copies)
        json_u64(j, "only_ost_copies", t->only_image_copies);
    if (t->only_server_later)
        json_u64(j, "only_server_later", t->only_server_later);
    if (t->altered)
        json_u64(j, "altered", t->altered);
}

static void path(struct cmp_lines *l, const struct cmp_result *r, const char *key,
                 const struct cmp_folder_result *f, bool server)
{
    if (f->number == CMP_NO_FOLDER)
        return;
    buf_reset(&l->path);
    cmp_folder_path(r, f, server, &l->path);
    json_text(&l->json, key, l->path.size ? (const char *)l->path.data : "", l->path.size);
    l->line.failed |= l->path.failed;
}

static int on_folder(void *ctx, const struct cmp_result *r, const struct cmp_folder_result *f)
{
    struct cmp_lines *l = ctx;
    struct json *j = &l->json;

    start(l, "folder");
    path(l, r, "path", f, false);
    if (f->image && f->server) {
        buf_reset(&l->other);
        cmp_folder_path(r, f, true, &l->other);
        if (l->other.size != l->path.size ||
            (l->path.size && memcmp(l->other.data, l->path.data, l->path.size) != 0))
            text(j, "server_path", (struct bytes){l->other.data, l->other.size});
    }
    if (f->image)
        json_u64(j, "nid", f->image->nid);
    json_cstr(j, "role", f->image ? f->image->role : f->server ? f->server->role : NULL);
    if (!f->image || !f->server)
        json_cstr(j, "only_in", f->image ? "ost" : f->server ? "server" : NULL);
    window(j, &f->window);
    tally(j, &f->tally);
    if (f->has_count) {
        json_u64(j, "server_count", f->count);
        if (f->and_hidden)
            json_bool(j, "count_has_hidden", true);
        if (f->surplus)
            json_u64(j, "surplus", (uint64_t)f->surplus);
        if (f->deficit)
            json_u64(j, "deficit", (uint64_t)f->deficit);
    }
    return put(l);
}

/* What the reader of its side kept for people, spliced in: `{"subject":…}` without its braces. */
static void detail(struct cmp_lines *l, struct bytes object)
{
    if (object.size <= 2)
        return;
    buf_putc(&l->line, ',');
    buf_append(&l->line, object.data + 1, object.size - 2);
}

static int on_item(void *ctx, const struct cmp_result *r, const struct cmp_item_result *i)
{
    static const struct {
        enum cmp_flag flag;
        const char *name;
    } flags[] = {{CMP_PARTIAL, "partial"}, {CMP_RECOVERED, "recovered"}, {CMP_ORPHAN, "orphan"}};
    struct cmp_lines *l = ctx;
    struct json *j = &l->json;

    start(l, "item");
    json_cstr(j, "result", cmp_outcome_name(i->outcome));
    json_cstr(j, "why", i->why ? cmp_why_name(i->why) : NULL);
    if (i->folder)
        path(l, r, "folder", i->folder, false);
    if (i->other)
        path(l, r, "server_folder", i->other, true);
    if (i->image)
        json_u64(j, "nid", i->image->nid);
    if (i->server && i->server->nid)
        json_u64(j, "server_nid", i->server->nid);
    if (i->has_counterpart)
        json_cstr(j, "by", cmp_key_name(i->by));
    names(j, "differs", i->differs, CMP_PARTS, part_name);
    names(j, "contradicts", i->contradicts, CMP_KEYS, key_name);
    names(j, "supports", i->supports, 2, support_name);
    for (size_t f = 0; i->image && f < sizeof flags / sizeof *flags; f++)
        if (i->image->flags & flags[f].flag)
            json_bool(j, flags[f].name, true);
    if (i->copy)
        json_bool(j, "copy_on_server", true);
    json_u64(j, "size", (i->image ? i->image : i->server)->size_bytes);
    detail(l, i->detail);
    return put(l);
}

static int on_statement(void *ctx, const char *word, const char *sentence)
{
    struct json *j = ctx;

    json_object(j, NULL);
    json_cstr(j, "word", word);
    json_cstr(j, "text", sentence);
    json_close_object(j);
    return 0;
}

static int on_end(void *ctx, const struct cmp_result *r)
{
    struct cmp_lines *l = ctx;
    struct json *j = &l->json;
    int code;

    start(l, "total");
    tally(j, &r->total);
    json_bool(j, "different", r->different);
    json_bool(j, "whole", r->whole);
    json_array(j, "statements");
    code = cmp_answer(r, on_statement, j);
    json_close_array(j);
    return code ? code : put(l);
}

struct cmp_sink cmp_lines_sink(struct cmp_lines *l, bool wants_same)
{
    return (struct cmp_sink){.ctx = l,
                             .wants_same = wants_same,
                             .begin = on_begin,
                             .folder = on_folder,
                             .item = on_item,
                             .end = on_end};
}

int cmp_lines_unmatched(struct cmp_lines *l, const char *image, const char *server)
{
    start(l, "unmatched");
    json_cstr(&l->json, "image", image);
    json_cstr(&l->json, "server", server);
    return put(l);
}

int cmp_lines_end(struct cmp_lines *l, uint64_t images, uint64_t different, bool complete)
{
    start(l, "end");
    json_u64(&l->json, "images", images);
    json_u64(&l->json, "different", different);
    json_bool(&l->json, "complete", complete);
    return put(l);
}
