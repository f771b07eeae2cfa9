/*
 * itemprint.c: see itemprint.h.
 *
 * Every field goes into the checksum with its size before it, so no two lists of fields read alike.
 * Embedded items are gone through with a stack: attachments of the innermost first.
 */
#include "scanner/app/itemprint.h"

#include "index/hash.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"

enum { BLOCK_DATA_MAX = 65512 }; /* of 4k images */

struct itemprint_maker {
    enum ost_format format;
    struct idx_hash *hash;
};

int itemprint_create(enum ost_format format, struct itemprint_maker **out)
{
    struct itemprint_maker *m = mem_zalloc(sizeof *m);
    int err;

    if (!m)
        return ERR_NOMEM;
    m->format = format;
    err = idx_hash_create(IDX_XXH3, &m->hash);
    if (err)
        mem_free(m);
    else
        *out = m;
    return err;
}

void itemprint_destroy(struct itemprint_maker *m)
{
    if (!m)
        return;
    idx_hash_destroy(m->hash);
    mem_free(m);
}

static void number(struct itemprint_maker *m, uint64_t value)
{
    uint8_t bytes[8];

    put_le64(bytes, value);
    idx_hash_update(m->hash, bytes, sizeof bytes);
}

static void bytes(struct itemprint_maker *m, struct bytes value)
{
    number(m, value.size);
    if (value.size)
        idx_hash_update(m->hash, value.data, value.size);
}

static bool is_zero(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i])
            return false;
    return true;
}

static bool is_untold(const struct itemprint_maker *m, struct bytes value, bool cells)
{
    if (cells && is_zero(value))
        return true;
    return m->format == OST_FORMAT_UNICODE4K && (!value.size || value.size > BLOCK_DATA_MAX);
}

static void props(struct itemprint_maker *m, struct ost_props list, bool cells)
{
    for (size_t i = 0; i < list.count; i++) {
        const struct ost_prop *p = &list.list[i];

        if (is_untold(m, p->value, cells))
            continue;
        number(m, (uint64_t)p->id << 16 | p->type);
        if (p->name) {
            idx_hash_update(m->hash, p->name->guid, sizeof p->name->guid);
            number(m, p->name->is_text ? UINT64_MAX : p->name->number);
            bytes(m, p->name->is_text ? p->name->text : (struct bytes){0});
        }
        bytes(m, p->value);
    }
    number(m, UINT64_MAX);
}

static void recipients(struct itemprint_maker *m, const struct ost_item *item)
{
    number(m, item->recipient_count);
    for (size_t i = 0; i < item->recipient_count; i++)
        props(m, item->recipients[i], true);
}

static void attachment(struct itemprint_maker *m, const struct ost_attachment *a)
{
    number(m, a->nid);
    number(m, (uint32_t)a->method);
    props(m, a->props, false);
    number(m, a->has_data ? a->data_bytes : UINT64_MAX);
    bytes(m, (struct bytes){a->data_digest.bytes, a->data_digest.size});
    number(m, a->embedded != NULL);
}

static void attachments(struct itemprint_maker *m, const struct ost_item *item)
{
    struct {
        const struct ost_item *item;
        size_t next;
    } stack[OST_LIMIT_EMBEDDED_DEPTH + 1] = {{item, 0}};
    unsigned depth = 0;

    number(m, item->attachment_count);
    for (;;) {
        const struct ost_attachment *a;

        if (stack[depth].next == stack[depth].item->attachment_count) {
            if (!depth--)
                return;
            continue;
        }
        a = &stack[depth].item->attachments[stack[depth].next++];
        attachment(m, a);
        if (!a->embedded || depth == OST_LIMIT_EMBEDDED_DEPTH)
            continue;
        stack[++depth].item = a->embedded;
        stack[depth].next = 0;
        number(m, a->embedded->codepage);
        props(m, a->embedded->props, false);
        recipients(m, a->embedded);
        number(m, a->embedded->attachment_count);
    }
}

static uint64_t finish(struct itemprint_maker *m)
{
    struct ost_digest digest;

    idx_hash_final(m->hash, &digest);
    idx_hash_reset(m->hash);
    return le64(digest.bytes);
}

void itemprint_make(struct itemprint_maker *m, const struct ost_item *item, struct itemprint *out)
{
    idx_hash_reset(m->hash);
    number(m, item->codepage);
    props(m, item->props, false);
    out->part[PRINT_PROPERTIES] = finish(m);
    props(m, item->row, false);
    out->part[PRINT_ROW] = finish(m);
    recipients(m, item);
    out->part[PRINT_RECIPIENTS] = finish(m);
    attachments(m, item);
    out->part[PRINT_ATTACHMENTS] = finish(m);
}
