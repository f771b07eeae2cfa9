#include "tests/gen/truth.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "io/bytes.h"
#include "io/err.h"

enum { FLUSH_BYTES = 1 << 20 };

static const char *const formats[] = {"ansi", "unicode", "unicode4k"};
static const char *const crypts[] = {"none", "permute", "cyclic"};
static const char *const contents[] = {"ost", "pst"};
static const char *const sides[] = {"none", "ost", "server"};

struct buf *truth_line(struct truth *t)
{
    return &t->out;
}

static void flush(struct truth *t)
{
    if (t->error == 0 && t->out.failed)
        t->error = ERR_NOMEM;
    if (t->error == 0 && fwrite(t->out.data, 1, t->out.size, t->file) != t->out.size)
        t->error = err_from_errno(errno);
    buf_reset(&t->out);
}

void truth_line_end(struct truth *t)
{
    buf_putc(&t->out, '\n');
    if (t->out.size >= FLUSH_BYTES || t->out.failed)
        flush(t);
}

void truth_string(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    const char *plain = text;
    for (const char *p = text;; p++) {
        uint8_t c = (uint8_t)*p;
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, plain, (size_t)(p - plain));
        plain = p + 1;
        if (c == 0)
            break;
        if (c >= 0x20)
            buf_printf(out, "\\%c", c);
        else
            buf_printf(out, "\\u%04x", c);
    }
    buf_putc(out, '"');
}

static void field_string(struct buf *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buf_puts(out, ",\"");
    buf_puts(out, name);
    buf_puts(out, "\":");
    truth_string(out, text);
}

static void field_number(struct buf *out, const char *name, uint64_t value)
{
    char digits[24];
    char *p = digits + sizeof digits;
    *--p = 0;
    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    buf_puts(out, ",\"");
    buf_puts(out, name);
    buf_puts(out, "\":");
    buf_puts(out, p);
}

static void field_hex(struct buf *out, const char *name, const uint8_t *data, size_t size)
{
    char hex[65];
    hex_encode(data, size, hex);
    buf_puts(out, ",\"");
    buf_puts(out, name);
    buf_puts(out, "\":\"");
    buf_puts(out, hex);
    buf_putc(out, '"');
}

static void field_digest(struct buf *out, const char *name, const void *data, size_t size)
{
    XXH128_canonical_t c;
    if (data == NULL)
        return;
    XXH128_canonicalFromHash(&c, XXH3_128bits(data, size));
    field_hex(out, name, c.digest, sizeof c.digest);
}

int truth_open(struct truth *t, const struct gen_options *o)
{
    *t = (struct truth){.level = o->truth};
    if (o->truth == TRUTH_NONE)
        return 0;
    struct buf name = BUF_INIT;
    buf_printf(&name, "%s.truth.jsonl", o->image.path);
    const char *path = buf_cstr(&name);
    t->file = path == NULL ? NULL : fopen(path, "we");
    int error = path == NULL ? ERR_NOMEM : t->file == NULL ? err_from_errno(errno) : 0;
    buf_done(&name);
    if (error != 0)
        return error;
    struct buf *out = truth_line(t);
    buf_printf(out, "{\"type\":\"truth\",\"schema\":1,\"format\":\"%s\",\"crypt\":\"%s\"",
               formats[o->image.format], crypts[o->image.crypt]);
    buf_printf(out, ",\"content\":\"%s\",\"compress\":%s,\"profile\":\"%s\",\"side\":\"%s\"",
               contents[o->image.content], o->image.compress ? "true" : "false", o->profile->name,
               sides[o->side]);
    field_number(out, "seed", o->seed);
    field_number(out, "fragment", o->image.fragment_percent);
    field_number(out, "duplicates", o->duplicates_percent);
    field_number(out, "drift", o->drift_percent);
    buf_putc(out, '}');
    truth_line_end(t);
    return 0;
}

int truth_close(struct truth *t)
{
    if (t->file == NULL)
        return 0;
    flush(t);
    buf_done(&t->out);
    if (fclose(t->file) != 0 && t->error == 0)
        t->error = err_from_errno(errno);
    t->file = NULL;
    return t->error;
}

static void put_person(struct buf *out, const char *name, const struct person *p)
{
    buf_printf(out, ",\"%s\":{\"name\":", name);
    truth_string(out, p->name);
    buf_puts(out, ",\"smtp\":");
    truth_string(out, p->smtp);
    field_string(out, "dn", p->dn);
    buf_putc(out, '}');
}

static void put_recipients(struct buf *out, const struct item *it)
{
    buf_puts(out, ",\"recipients\":[");
    for (size_t i = 0; i < it->recipient_count; i++) {
        const struct recipient *to = &it->recipients[i];
        buf_puts(out, i > 0 ? ",{\"type\":" : "{\"type\":");
        buf_putc(out, (char)('0' + to->type));
        put_person(out, "person", &to->person);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static void put_content(struct buf *out, const struct item *it);

static void put_attachments(struct buf *out, const struct item *it)
{
    buf_puts(out, ",\"attachments\":[");
    for (size_t i = 0; i < it->attachment_count; i++) {
        const struct attachment *a = &it->attachments[i];
        buf_puts(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        truth_string(out, a->name);
        field_number(out, "method", a->method);
        field_number(out, "nid", a->nid);
        if (a->embedded != NULL) {
            buf_puts(out, ",\"embedded\":{\"embedded\":true");
            put_content(out, a->embedded);
            buf_putc(out, '}');
        } else if (a->path == NULL) {
            field_number(out, "size", a->size);
            field_hex(out, "digest", a->digest, sizeof a->digest);
        }
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

/* What does not depend on the image: the inputs of digests. */
static void put_content(struct buf *out, const struct item *it)
{
    field_string(out, "kind", item_kind_name(it->plan.kind));
    field_string(out, "class", it->class);
    field_string(out, "subject", it->subject);
    field_string(out, "message_id", it->message_id);
    field_string(out, "language", it->language->tag);
    field_number(out, "codepage", it->language->codepage);
    field_hex(out, "search_key", it->search_key, sizeof it->search_key);
    const struct prop *submitted = bag_find(&it->bag, 0x0039);
    const struct prop *delivered = bag_find(&it->bag, 0x0E06);
    if (submitted != NULL)
        field_number(out, "submitted", submitted->fixed);
    if (delivered != NULL)
        field_number(out, "delivered", delivered->fixed);
    field_number(out, "created", it->created);
    field_number(out, "modified", it->modified);
    field_number(out, "flags", it->flags);
    field_number(out, "properties", it->bag.count);
    if (it->has_sender)
        put_person(out, "from", &it->sender);
    field_digest(out, "text", it->text, it->text != NULL ? strlen(it->text) : 0);
    field_digest(out, "html", it->html, it->html_size);
    field_digest(out, "rtf", it->rtf, it->rtf_size);
    put_recipients(out, it);
    put_attachments(out, it);
}

void truth_item(struct truth *t, const struct item *it, const struct written_item *w,
                const struct truth_item *about)
{
    if (t->file == NULL)
        return;
    struct buf *out = truth_line(t);
    buf_puts(out, "{\"type\":\"item\"");
    field_number(out, "nid", w->nid);
    field_number(out, "folder", w->folder);
    buf_puts(out, it->assoc ? ",\"assoc\":true" : ",\"assoc\":false");
    field_number(out, "position", about->position);
    field_number(out, "content", it->plan.content);
    if (about->copy_of != 0)
        field_number(out, "copy_of", about->copy_of);
    if (it->plan.change != CHANGE_NONE)
        field_string(out, "change", item_change_name(it->plan.change));
    field_string(out, "fate", about->fate);
    field_string(out, "flaw", about->flaw);
    field_string(out, "local", about->local);
    if (about->lossy)
        buf_puts(out, ",\"lossy\":true");
    field_number(out, "size", w->size);
    if (bag_find(&it->bag, 0x67F4) != NULL)
        field_hex(out, "mid", w->mid, 8);
    if (w->change_key_size > 0)
        field_hex(out, "change_key", w->change_key, w->change_key_size);
    put_content(out, it);
    buf_putc(out, '}');
    truth_line_end(t);
}

void truth_absent(struct truth *t, uint64_t position, uint64_t content, const char *fate)
{
    if (t->file == NULL)
        return;
    struct buf *out = truth_line(t);
    buf_puts(out, "{\"type\":\"absent\"");
    field_number(out, "position", position);
    field_number(out, "content", content);
    field_string(out, "fate", fate);
    buf_putc(out, '}');
    truth_line_end(t);
}

void truth_deleted(struct truth *t, uint32_t nid)
{
    if (t->file == NULL)
        return;
    struct buf *out = truth_line(t);
    buf_puts(out, "{\"type\":\"deleted\"");
    field_number(out, "nid", nid);
    buf_putc(out, '}');
    truth_line_end(t);
}

void truth_folders(struct truth *t, const struct store *s)
{
    for (size_t i = 0; t->file != NULL && i < s->folder_count; i++) {
        const struct folder *f = &s->folders[i];
        struct buf *out = truth_line(t);
        buf_puts(out, "{\"type\":\"folder\"");
        field_number(out, "nid", f->nid);
        field_number(out, "parent", f->parent_nid);
        field_string(out, "name", f->name);
        field_string(out, "class", f->class);
        field_string(out, "role", store_role_name(f->role));
        buf_puts(out, f->search ? ",\"search\":true" : ",\"search\":false");
        field_number(out, "items", f->items);
        field_number(out, "assoc", f->assoc);
        field_number(out, "unread", f->unread);
        field_number(out, "found", f->role == ROLE_TODO ? s->found_count : 0);
        buf_putc(out, '}');
        truth_line_end(t);
    }
}

void truth_end(struct truth *t, const struct gen_summary *summary)
{
    if (t->file == NULL)
        return;
    struct buf *out = truth_line(t);
    buf_puts(out, "{\"type\":\"end\"");
    field_number(out, "items", summary->items);
    field_number(out, "assoc", summary->assoc);
    field_number(out, "folders", summary->folders);
    field_number(out, "bytes", summary->bytes);
    field_number(out, "allocated", summary->allocated);
    field_number(out, "blocks", summary->blocks);
    field_number(out, "nodes", summary->nodes);
    buf_puts(out, ",\"complete\":true}");
    truth_line_end(t);
}
