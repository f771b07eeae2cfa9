/* maker.c: see maker.h. */
#include "tests/support/maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct maker *maker_create(void)
{
    struct maker *m = calloc(1, sizeof *m);

    assert_non_null(m);
    arena_init(&m->arena, 1 << 28);
    m->props.arena = &m->arena;
    m->item.codepage = 1252;
    m->item.nid = 0x200024;
    return m;
}

void maker_destroy(struct maker *m)
{
    for (size_t i = 0; i < m->props.count; i++)
        free((void *)(uintptr_t)m->props.list[i].value.data);
    for (size_t k = 0; k < m->recipient_count; k++) {
        for (size_t i = 0; i < m->recipients[k]->count; i++)
            free((void *)(uintptr_t)m->recipients[k]->list[i].value.data);
    }
    for (size_t k = 0; k < m->attachment_count; k++) {
        for (size_t i = 0; i < m->attachments[k]->count; i++)
            free((void *)(uintptr_t)m->attachments[k]->list[i].value.data);
    }
    arena_done(&m->arena);
    free(m);
}

/* From malloc, not from the arena: a sanitizer guards each one's end. */
static struct bytes copy(const void *data, size_t size)
{
    uint8_t *p = malloc(size ? size : 1);

    assert_non_null(p);
    if (size)
        memcpy(p, data, size);
    return (struct bytes){p, size};
}

struct ost_prop *maker_prop(struct maker_props *p, uint16_t id, uint16_t type, const void *value,
                            size_t size)
{
    size_t at = 0;

    while (at < p->count && p->list[at].id < id)
        at++;
    if (at < p->count && p->list[at].id == id) {
        free((void *)(uintptr_t)p->list[at].value.data);
    } else {
        assert_true(p->count < MAKER_PROPS);
        memmove(p->list + at + 1, p->list + at, (p->count - at) * sizeof *p->list);
        p->count++;
    }
    p->list[at] = (struct ost_prop){.id = id, .type = type, .value = copy(value, size)};
    return &p->list[at];
}

static struct bytes utf16(const char *ascii)
{
    size_t n = strlen(ascii);
    uint8_t *p = malloc(2 * n + 1);

    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        put_le16(p + 2 * i, (unsigned char)ascii[i]);
    return (struct bytes){p, 2 * n};
}

struct ost_prop *maker_text(struct maker_props *p, uint16_t id, const char *ascii)
{
    struct bytes text = utf16(ascii);
    struct ost_prop *prop = maker_prop(p, id, OST_UNICODE, text.data, text.size);

    free((void *)(uintptr_t)text.data);
    return prop;
}

struct ost_prop *maker_ascii(struct maker_props *p, uint16_t id, const char *bytes)
{
    return maker_prop(p, id, OST_STRING8, bytes, strlen(bytes));
}

struct ost_prop *maker_u32(struct maker_props *p, uint16_t id, uint32_t value)
{
    uint8_t bytes[4];

    put_le32(bytes, value);
    return maker_prop(p, id, OST_I32, bytes, sizeof bytes);
}

struct ost_prop *maker_u64(struct maker_props *p, uint16_t id, uint16_t type, uint64_t value)
{
    uint8_t bytes[8];

    put_le64(bytes, value);
    return maker_prop(p, id, type, bytes, sizeof bytes);
}

static struct ost_name *name(struct maker_props *p, struct ost_prop *prop, const uint8_t guid[16])
{
    struct ost_name *n = arena_alloc(p->arena, sizeof *n);

    assert_non_null(n);
    *n = (struct ost_name){0};
    memcpy(n->guid, guid, 16);
    prop->name = n;
    return n;
}

void maker_lid(struct maker_props *p, struct ost_prop *prop, const uint8_t guid[16],
               uint32_t number)
{
    name(p, prop, guid)->number = number;
}

void maker_name(struct maker_props *p, struct ost_prop *prop, const uint8_t guid[16],
                const char *ascii)
{
    struct ost_name *n = name(p, prop, guid);
    struct bytes text = utf16(ascii);

    n->is_text = true;
    n->text = (struct bytes){arena_copy(p->arena, text.data, text.size), text.size};
    free((void *)(uintptr_t)text.data);
}

static struct maker_props *part(struct maker *m, struct maker_props **parts, size_t *count)
{
    struct maker_props *p = arena_alloc(&m->arena, sizeof *p);

    assert_non_null(p);
    assert_true(*count < MAKER_PARTS);
    p->arena = &m->arena;
    p->count = 0;
    parts[(*count)++] = p;
    return p;
}

struct maker_props *maker_recipient(struct maker *m)
{
    return part(m, m->recipients, &m->recipient_count);
}

struct maker_props *maker_attachment(struct maker *m, int32_t method)
{
    m->attachment[m->attachment_count] = (struct ost_attachment){.method = method};
    return part(m, m->attachments, &m->attachment_count);
}

const struct ost_item *maker_item(struct maker *m)
{
    struct ost_props *recipients =
        arena_alloc_array(&m->arena, m->recipient_count, sizeof *recipients);

    assert_non_null(recipients);
    for (size_t i = 0; i < m->recipient_count; i++)
        recipients[i] = (struct ost_props){m->recipients[i]->list, m->recipients[i]->count};
    for (size_t i = 0; i < m->attachment_count; i++)
        m->attachment[i].props =
            (struct ost_props){m->attachments[i]->list, m->attachments[i]->count};
    m->item.props = (struct ost_props){m->props.list, m->props.count};
    m->item.recipients = recipients;
    m->item.recipient_count = m->recipient_count;
    m->item.attachments = m->attachment;
    m->item.attachment_count = m->attachment_count;
    return &m->item;
}
