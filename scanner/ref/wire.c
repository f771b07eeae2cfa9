/*
 * wire.c: see wire.h. The grammar, each name a frame:
 *
 *   stream     = *(FINDING | PROGRESS) [ image *folder *( item | FAILED ) ] DONE
 *   image      = IMAGE *PROP END                    FINDING and PROGRESS may stand between any two
 *   folder     = FOLDER *PROP END                   of these, never inside one
 *   item       = ITEM *PROP *ROW *recipient *attachment *DAMAGE END
 *   recipient  = RECIPIENT *PROP END
 *   attachment = ATTACHMENT *PROP [ DATA *CHUNK END | item ] END
 *
 * Properties ascend by id; items and failures ascend by nid, and there are as many of both as IMAGE
 * announced; a folder comes after its parent and once. ROW stands in top-level items only.
 *
 * There are no counts before lists: the reader has no size to believe, and the writer need not know
 * how many of a thing libpff will be able to read before it begins.
 */
#include "scanner/ref/wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io/err.h"

bool wire_width_fits(uint16_t type, size_t size)
{
    switch (type) {
    case OST_BOOL:
        return size == 1;
    case OST_I16:
        return size == 2;
    case OST_I32:
    case OST_F32:
    case OST_ERROR:
        return size == 4;
    case OST_F64:
    case OST_CURRENCY:
    case OST_APPTIME:
    case OST_I64:
    case OST_TIME:
        return size == 8 || size == 0;
    case OST_GUID:
        return size == 16 || size == 0;
    default:
        return true;
    }
}

void wire_init(struct wire *w, int fd)
{
    *w = (struct wire){.fd = fd};
}

void wire_done(struct wire *w)
{
    buf_done(&w->out);
}

static void write_all(struct wire *w, const uint8_t *data, size_t size)
{
    while (!w->error && size) {
        ssize_t n = write(w->fd, data, size);

        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            w->error = ERR_CHILD;
        }
    }
}

int wire_flush(struct wire *w)
{
    if (!w->error && w->out.failed)
        w->error = ERR_NOMEM;
    write_all(w, w->out.data, w->out.size);
    buf_reset(&w->out);
    return w->error;
}

enum { FLUSH_AT = 256 * 1024 };

static void head(struct wire *w, enum wire_kind kind, size_t length)
{
    uint8_t bytes[WIRE_HEAD];

    if (w->out.size >= FLUSH_AT)
        wire_flush(w);
    bytes[0] = (uint8_t)kind;
    put_le32(bytes + 1, (uint32_t)length);
    buf_append(&w->out, bytes, sizeof bytes);
}

/* Values and data: large ones go out without a copy. */
static void put_bytes(struct wire *w, struct bytes data)
{
    if (data.size < FLUSH_AT) {
        buf_append(&w->out, data.data, data.size);
        return;
    }
    wire_flush(w);
    write_all(w, data.data, data.size);
}

static void u8(struct wire *w, uint8_t v)
{
    buf_append(&w->out, &v, 1);
}

static void u16(struct wire *w, uint16_t v)
{
    uint8_t bytes[2];

    put_le16(bytes, v);
    buf_append(&w->out, bytes, sizeof bytes);
}

static void u32(struct wire *w, uint32_t v)
{
    uint8_t bytes[4];

    put_le32(bytes, v);
    buf_append(&w->out, bytes, sizeof bytes);
}

static void u64(struct wire *w, uint64_t v)
{
    uint8_t bytes[8];

    put_le64(bytes, v);
    buf_append(&w->out, bytes, sizeof bytes);
}

static size_t text_size(const char *text)
{
    return text ? strnlen(text, WIRE_TEXT_MAX) : 0;
}

static void put_text(struct wire *w, const char *text)
{
    size_t size = text_size(text);

    for (size_t i = 0; i < size; i++)
        u8(w, text[i] >= ' ' && text[i] <= '~' ? (uint8_t)text[i] : '?');
}

void wire_image(struct wire *w, uint64_t nodes, uint64_t messages, uint32_t codepage,
                uint32_t receive_folder)
{
    head(w, WIRE_IMAGE, 8 + 8 + 4 + 4);
    u64(w, nodes);
    u64(w, messages);
    u32(w, codepage);
    u32(w, receive_folder);
}

void wire_folder(struct wire *w, const struct ost_folder *folder)
{
    unsigned flags = (folder->has_rows ? WIRE_FLAG_ROWS : 0U) |
                     (folder->has_assoc_rows ? WIRE_FLAG_ASSOC_ROWS : 0U);

    head(w, WIRE_FOLDER, 4 * 3 + 1 + 8 * 4);
    u32(w, folder->nid);
    u32(w, folder->parent);
    u32(w, folder->codepage);
    u8(w, (uint8_t)flags);
    u64(w, folder->rows);
    u64(w, folder->assoc_rows);
    u64(w, folder->items);
    u64(w, folder->assoc);
}

void wire_item(struct wire *w, const struct ost_item *item)
{
    unsigned flags = (item->assoc ? WIRE_FLAG_ASSOC : 0U) | (item->orphan ? WIRE_FLAG_ORPHAN : 0U);

    head(w, WIRE_ITEM, 4 * 3 + 1);
    u32(w, item->nid);
    u32(w, item->folder);
    u32(w, item->codepage);
    u8(w, (uint8_t)flags);
}

static void put_name(struct wire *w, const struct ost_name *name)
{
    u8(w, name->is_text ? WIRE_NAME_TEXT : WIRE_NAME_NUMBER);
    buf_append(&w->out, name->guid, sizeof name->guid);
    if (!name->is_text) {
        u32(w, name->number);
        return;
    }
    u32(w, (uint32_t)name->text.size);
    buf_append(&w->out, name->text.data, name->text.size);
}

void wire_prop(struct wire *w, enum wire_kind kind, const struct ost_prop *prop)
{
    const struct ost_name *name = prop->name;
    size_t name_size = !name ? 0 : 16 + 4 + (name->is_text ? name->text.size : 0);

    head(w, kind, 2 + 2 + 1 + name_size + prop->value.size);
    u16(w, prop->id);
    u16(w, prop->type);
    if (name)
        put_name(w, name);
    else
        u8(w, WIRE_NAME_NONE);
    put_bytes(w, prop->value);
}

void wire_attachment(struct wire *w, uint32_t nid, int32_t method, bool too_deep)
{
    head(w, WIRE_ATTACHMENT, 4 + 4 + 1);
    u32(w, nid);
    u32(w, (uint32_t)method);
    u8(w, too_deep ? WIRE_FLAG_DEPTH : 0);
}

void wire_begin(struct wire *w, enum wire_kind kind)
{
    head(w, kind, 0);
}

void wire_chunk(struct wire *w, struct bytes data)
{
    while (data.size) {
        size_t part = data.size < WIRE_CHUNK_MAX ? data.size : WIRE_CHUNK_MAX;

        head(w, WIRE_CHUNK, part);
        put_bytes(w, (struct bytes){data.data, part});
        data.data += part;
        data.size -= part;
    }
}

void wire_damage(struct wire *w, enum finding_code code)
{
    head(w, WIRE_DAMAGE, 2);
    u16(w, (uint16_t)code);
}

void wire_end(struct wire *w, bool whole)
{
    head(w, WIRE_END, 1);
    u8(w, whole);
}

void wire_failed(struct wire *w, uint32_t nid, uint32_t folder, bool assoc, const char *why)
{
    head(w, WIRE_FAILED, 4 + 4 + 1 + text_size(why));
    u32(w, nid);
    u32(w, folder);
    u8(w, assoc ? WIRE_FLAG_ASSOC : 0);
    put_text(w, why);
}

void wire_finding(struct wire *w, const struct finding *finding)
{
    head(w, WIRE_FINDING, 2 + 4 * 2 + 8 * 2 + text_size(finding->detail));
    u16(w, (uint16_t)finding->code);
    u32(w, finding->has_nid ? finding->nid : 0);
    u32(w, finding->folder_count ? finding->folders[0] : 0);
    u64(w, finding->has_offset ? finding->offset : 0);
    u64(w, finding->has_offset ? finding->length : 0);
    put_text(w, finding->detail);
}

void wire_progress(struct wire *w, uint64_t bytes)
{
    head(w, WIRE_PROGRESS, 8);
    u64(w, bytes);
}

void wire_finish(struct wire *w)
{
    head(w, WIRE_DONE, 0);
}
