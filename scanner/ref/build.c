/* build.c: see build.h. */
#include "scanner/ref/build.h"

#include <string.h>

#include "io/err.h"
#include "scanner/finding.h"
#include "scanner/ref/wire.h"

struct build_prop {
    struct build_prop *next;
    struct ost_prop prop;
};

struct build_recipient {
    struct build_recipient *next;
    struct ost_props props;
};

struct build_attachment {
    struct build_attachment *next;
    struct ost_attachment attachment;
};

struct build_damage {
    struct build_damage *next;
    struct ost_damage damage;
};

void build_init(struct build *b, uint64_t limit_bytes)
{
    arena_init(&b->arena, limit_bytes < SIZE_MAX ? (size_t)limit_bytes : SIZE_MAX);
}

void build_done(struct build *b)
{
    arena_done(&b->arena);
}

void build_reset(struct build *b, bool keep_memory)
{
    if (!keep_memory)
        arena_reset(&b->arena);
    b->too_large = false;
    b->too_deep = false;
}

int build_violate(struct build *b, const char *rule)
{
    b->violation = rule;
    return ERR_DAMAGED;
}

void *build_take(struct build *b, size_t size)
{
    void *p = b->too_large || b->out_of_memory ? NULL : arena_alloc(&b->arena, size);

    if (p || b->too_large || b->out_of_memory)
        return p;
    if (((size + 15) & ~(size_t)15) > b->arena.limit_bytes - b->arena.used_bytes)
        b->too_large = true;
    else
        b->out_of_memory = true;
    return NULL;
}

int build_state(const struct build *b)
{
    return b->out_of_memory ? ERR_NOMEM : 0;
}

/* Properties */

static int parse_name(struct build *b, struct bytes rest, struct ost_prop *prop)
{
    struct ost_name *name;
    uint8_t kind = rest.data[0];
    uint32_t number;

    prop->value = (struct bytes){rest.data + 1, rest.size - 1};
    if (kind == WIRE_NAME_NONE)
        return 0;
    if (kind >= WIRE_NAMES || prop->id < 0x8000 || prop->value.size < 20)
        return build_violate(b, "a property's name is malformed");
    name = build_take(b, sizeof *name);
    if (!name)
        return build_state(b);
    *name = (struct ost_name){.is_text = kind == WIRE_NAME_TEXT};
    memcpy(name->guid, prop->value.data, sizeof name->guid);
    number = le32(prop->value.data + 16);
    prop->value.data += 20;
    prop->value.size -= 20;
    if (name->is_text) {
        if (number > WIRE_NAME_MAX || number % 2 || number > prop->value.size)
            return build_violate(b, "a property's name has a wrong size");
        name->text = (struct bytes){prop->value.data, number};
        prop->value.data += number;
        prop->value.size -= number;
    } else {
        name->number = number;
    }
    prop->name = name;
    return 0;
}

int build_prop(struct build *b, struct build_props *list, struct bytes payload)
{
    struct build_prop *node = build_take(b, sizeof *node);
    int code;

    if (!node)
        return build_state(b);
    *node = (struct build_prop){.prop = {.id = le16(payload.data), .type = le16(payload.data + 2)}};
    if (!node->prop.id || (list->last && node->prop.id <= list->last->prop.id))
        return build_violate(b, "property ids do not ascend");
    code = parse_name(b, (struct bytes){payload.data + 4, payload.size - 4}, &node->prop);
    if (code || b->too_large)
        return code;
    if (node->prop.value.size > OST_LIMIT_VALUE_BYTES)
        return build_violate(b, "a property's value is too large");
    if (!wire_width_fits(node->prop.type, node->prop.value.size))
        return build_violate(b, "a property's value does not have its type's width");
    if (list->last)
        list->last->next = node;
    else
        list->first = node;
    list->last = node;
    list->count++;
    return 0;
}

struct ost_props build_flatten(struct build *b, struct build_props *list)
{
    struct ost_prop *array = build_take(b, list->count * sizeof *array);
    struct ost_props props = {array, 0};

    for (struct build_prop *node = list->first; node && array; node = node->next)
        array[props.count++] = node->prop;
    *list = (struct build_props){0};
    return props;
}

/* Items */

struct build_level *build_level(struct build *b)
{
    return &b->levels[b->depth];
}

int build_item(struct build *b, const struct ost_item *head, bool embedded)
{
    struct build_level *l = build_level(b);

    if (embedded && l->attachment_closed)
        return build_violate(b, "an attachment with two contents");
    if (embedded && b->depth == OST_LIMIT_EMBEDDED_DEPTH)
        return build_violate(b, "items embedded too deep");
    if (embedded) {
        l->attachment_closed = true;
        b->depth++;
    }
    l = build_level(b);
    *l = (struct build_level){.item = *head};
    l->recipients_end = &l->recipients;
    l->attachments_end = &l->attachments;
    l->damage_end = &l->damage;
    return 0;
}

int build_add_recipient(struct build *b, struct build_props *props)
{
    struct build_level *l = build_level(b);
    struct build_recipient *node;

    if (l->item.recipient_count == OST_LIMIT_RECIPIENTS)
        return build_violate(b, "too many recipients");
    node = build_take(b, sizeof *node);
    if (!node)
        return build_state(b);
    *node = (struct build_recipient){.props = build_flatten(b, props)};
    *l->recipients_end = node;
    l->recipients_end = &node->next;
    l->item.recipient_count++;
    return build_state(b);
}

int build_add_attachment(struct build *b)
{
    struct build_level *l = build_level(b);
    struct build_attachment *node;

    if (l->item.attachment_count == OST_LIMIT_ATTACHMENTS)
        return build_violate(b, "too many attachments");
    l->attachment.props = build_flatten(b, &l->attachment_props);
    node = build_take(b, sizeof *node);
    if (!node)
        return build_state(b);
    *node = (struct build_attachment){.attachment = l->attachment};
    *l->attachments_end = node;
    l->attachments_end = &node->next;
    l->item.attachment_count++;
    return 0;
}

int build_add_damage(struct build *b, uint16_t code)
{
    struct build_level *l = build_level(b);
    struct build_damage *node;

    if (code >= FINDING_CODES)
        return build_violate(b, "a damage code that does not exist");
    node = build_take(b, sizeof *node);
    if (!node)
        return build_state(b);
    *node = (struct build_damage){.damage = {.code = code}};
    *l->damage_end = node;
    l->damage_end = &node->next;
    l->item.damage_count++;
    return 0;
}

/* Turns the level's lists into the item's arrays. */
static void complete(struct build *b, struct build_level *l)
{
    struct ost_props *recipients = build_take(b, l->item.recipient_count * sizeof *recipients);
    struct ost_attachment *attachments =
        build_take(b, l->item.attachment_count * sizeof *attachments);
    struct ost_damage *damage = build_take(b, l->item.damage_count * sizeof *damage);

    l->item.props = build_flatten(b, &l->props);
    l->item.row = build_flatten(b, &l->row);
    if (b->too_large || b->out_of_memory)
        return;
    l->item.recipients = recipients;
    for (struct build_recipient *n = l->recipients; n; n = n->next)
        *recipients++ = n->props;
    l->item.attachments = attachments;
    for (struct build_attachment *n = l->attachments; n; n = n->next)
        *attachments++ = n->attachment;
    l->item.damage = damage;
    for (struct build_damage *n = l->damage; n; n = n->next)
        *damage++ = n->damage;
}

int build_end_item(struct build *b)
{
    struct build_level *l = build_level(b);
    struct ost_item *embedded;

    complete(b, l);
    if (!b->depth)
        return build_state(b);
    b->depth--;
    embedded = build_take(b, sizeof *embedded);
    if (!embedded)
        return build_state(b);
    *embedded = l->item;
    build_level(b)->attachment.embedded = embedded;
    return 0;
}
