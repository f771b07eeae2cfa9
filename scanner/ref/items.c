/*
 * items.c: see reader.h: items with their recipients, attachments and embedded items.
 *
 * Embedded items are read with a stack of their own, never by recursion. A frame of the stack holds
 * an item and the attachment of it that is being read; an embedded item's libpff handle lives no
 * longer than its attachment's, so frames are closed from the top.
 *
 * Where libpff is not to be trusted:
 * - It looks for an embedded item among all nodes of the image first and in the attachment second.
 *   Where a node has the same id it would hand out a stranger, so that item counts as not read.
 * - An item without a message class is a folder to it, and it gives out neither recipients nor
 *   attachments: partial.
 * - The list of attachments ends at the first that it cannot find; asked again it gives the part
 *   before that.
 * - A value in a compressed block list (4k images, above 65,512 bytes) comes out empty without an
 *   error. For attachments that shows in their stored size.
 */
#include "scanner/ref/reader.h"

#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"

enum {
    PROP_ATTACH_SIZE = 0x0E20,
    PROP_DATA = 0x3701,
    PROP_METHOD = 0x3705,
    METHOD_EMBEDDED = 5,
    PIECE = 64 * 1024,
    BLOCK_DATA_MAX = 65512,
};

struct damage {
    bool property, table, attachment, depth, embedded;
};

struct frame {
    libpff_item_t *item;       /* the frame's own, but for the first's, which is the tree's */
    libpff_item_t *attachment; /* the one at hand, or NULL */
    struct damage damage;
    int attachments, next;
};

struct stack {
    struct reader *reader;
    unsigned depth;
    struct frame frames[OST_LIMIT_EMBEDDED_DEPTH + 1];
};

static struct frame *top(struct stack *s)
{
    return &s->frames[s->depth];
}

/* Recipients */

static int send_recipients(struct reader *r, struct frame *f)
{
    libpff_item_t *table = NULL;
    char why[WIRE_TEXT_MAX + 1];
    int found = libpff_message_get_recipients(f->item, &table, NULL), sets = 0, code = 0;

    if (found == 1)
        sets = entries_sets(table, why);
    if (found < 0 || sets < 0 || sets > OST_LIMIT_RECIPIENTS)
        f->damage.table = true;
    for (int i = 0; i < sets && i < OST_LIMIT_RECIPIENTS && code != ERR_NOMEM; i++) {
        code = entries_load(&r->entries, table, i, why);
        if (code) {
            f->damage.table = true;
            continue;
        }
        wire_begin(r->wire, WIRE_RECIPIENT);
        code = reader_send_entries(r, true, 0, &f->damage.property);
        wire_end(r->wire, true);
    }
    if (table)
        libpff_item_free(&table, NULL);
    return code == ERR_NOMEM ? code : 0;
}

static void count_attachments(struct frame *f)
{
    if (libpff_message_get_number_of_attachments(f->item, &f->attachments, NULL) == 1)
        return;
    f->damage.attachment = true;
    if (libpff_message_get_number_of_attachments(f->item, &f->attachments, NULL) != 1)
        f->attachments = 0;
}

/* Items */

static void send_row(struct reader *r, const struct tree_node *node)
{
    struct ost_prop prop = {0};
    size_t at = 0;

    while (rows_next(&r->rows, node, &at, &prop.id, &prop.type, &prop.value))
        if (!entries_find(&r->entries, prop.id))
            wire_prop(r->wire, WIRE_ROW, &prop);
}

/* The item's entries are loaded. node: of a top-level item, else NULL. */
static int open_item(struct stack *s, libpff_item_t *item, const struct ost_item *head,
                     const struct tree_node *node)
{
    struct reader *r = s->reader;
    struct frame *f = top(s);
    int code;

    *f = (struct frame){.item = item};
    wire_item(r->wire, head);
    code = reader_send_entries(r, false, 0, &f->damage.property);
    if (code)
        return code;
    if (node)
        send_row(r, node);
    code = send_recipients(r, f);
    if (!code)
        count_attachments(f);
    f->damage.attachment |= f->attachments > OST_LIMIT_ATTACHMENTS;
    return code;
}

static void close_item(struct stack *s)
{
    struct wire *w = s->reader->wire;
    const struct damage *d = &top(s)->damage;

    if (d->property)
        wire_damage(w, F_property_failed);
    if (d->table)
        wire_damage(w, F_table_failed);
    if (d->attachment)
        wire_damage(w, F_attachment_failed);
    if (d->depth)
        wire_damage(w, F_embedded_depth);
    if (d->embedded)
        wire_damage(w, F_item_partial);
    wire_end(w, true);
}

static bool any(const struct damage *d)
{
    return d->property || d->table || d->attachment || d->depth || d->embedded;
}

/* Attachments */

static ssize_t read_piece(libpff_item_t *attachment, const struct entry *data, uint8_t *piece)
{
    if (data->type == OST_OBJECT)
        return libpff_attachment_data_read_buffer(attachment, piece, PIECE, NULL);
    return libpff_record_entry_read_buffer(data->record, piece, PIECE, NULL);
}

/* False: not all of it. `stored`: what the attachment says of its size with properties. */
static bool send_data(struct reader *r, libpff_item_t *attachment, const struct entry *data,
                      uint32_t stored)
{
    uint8_t piece[PIECE];
    size64_t size = 0;
    uint64_t sent = 0;
    ssize_t n = 0;
    bool whole;

    wire_begin(r->wire, WIRE_DATA);
    whole = libpff_attachment_get_data_size(attachment, &size, NULL) == 1;
    while (whole && sent < size) {
        n = read_piece(attachment, data, piece);
        if (n <= 0 || n > PIECE)
            break;
        wire_chunk(r->wire, (struct bytes){piece, (size_t)n});
        sent += (uint64_t)n;
    }
    whole = whole && sent == size && (size || stored < BLOCK_DATA_MAX);
    wire_end(r->wire, whole);
    return whole;
}

/* True when libpff would hand out a node of the image in place of the attachment's own item. */
static bool ambiguous(const struct reader *r, const struct entry *data)
{
    uint8_t object[8];
    size_t size = 0;

    return libpff_record_entry_get_data_size(data->record, &size, NULL) != 1 ||
           size != sizeof object ||
           libpff_record_entry_get_data(data->record, object, sizeof object, NULL) != 1 ||
           tree_find(&r->tree, le32(object));
}

/* The embedded item with its entries loaded, or NULL. */
static int open_embedded(struct stack *s, const struct entry *data, libpff_item_t **out)
{
    struct reader *r = s->reader;
    libpff_item_t *item = NULL;
    char why[WIRE_TEXT_MAX + 1];
    int code;

    if (ambiguous(r, data) || libpff_attachment_get_item(top(s)->attachment, &item, NULL) != 1)
        return ERR_DAMAGED;
    code = entries_load_object(&r->entries, item, why);
    if (code)
        libpff_item_free(&item, NULL);
    else
        *out = item;
    return code;
}

/* Goes down into the attachment's item, or notes that it cannot. */
static int push_embedded(struct stack *s, const struct entry *data)
{
    struct ost_item head = {0};
    libpff_item_t *item;
    int code = open_embedded(s, data, &item);

    if (code == ERR_DAMAGED) {
        top(s)->damage.attachment = true;
        return 0;
    }
    if (code)
        return code;
    if (libpff_item_get_identifier(item, &head.nid, NULL) != 1)
        head.nid = 0;
    head.codepage = reader_codepage(s->reader);
    s->depth++;
    return open_item(s, item, &head, NULL);
}

static void close_attachment(struct stack *s)
{
    wire_end(s->reader->wire, true);
    libpff_item_free(&top(s)->attachment, NULL);
    top(s)->attachment = NULL;
}

/* Begins the next attachment; leaves it open only when its item was pushed. */
static int next_attachment(struct stack *s)
{
    struct reader *r = s->reader;
    struct frame *f = top(s);
    const struct entry *data;
    uint32_t nid = 0, method = UINT32_MAX, stored = 0;
    char why[WIRE_TEXT_MAX + 1];
    bool embedded, too_deep;
    int code;

    if (libpff_message_get_attachment(f->item, f->next++, &f->attachment, NULL) != 1 ||
        !f->attachment) {
        f->damage.attachment = true;
        return 0;
    }
    if (libpff_item_get_identifier(f->attachment, &nid, NULL) != 1)
        f->damage.attachment = true;
    code = entries_load_object(&r->entries, f->attachment, why);
    if (code == ERR_NOMEM)
        return code;
    f->damage.attachment |= code != 0;
    entries_i32(&r->entries, PROP_METHOD, &method);
    entries_i32(&r->entries, PROP_ATTACH_SIZE, &stored);
    data = entries_find(&r->entries, PROP_DATA);
    embedded = data && data->type == OST_OBJECT && method == METHOD_EMBEDDED;
    too_deep = embedded && s->depth == OST_LIMIT_EMBEDDED_DEPTH;
    f->damage.depth |= too_deep;
    wire_attachment(r->wire, nid, (int32_t)method, too_deep);
    code = reader_send_entries(r, false, PROP_DATA, &f->damage.property);
    if (!code && embedded && !too_deep)
        code = push_embedded(s, data);
    else if (!code && data && !embedded)
        f->damage.attachment |= !send_data(r, f->attachment, data, stored);
    if (!code && top(s) == f)
        close_attachment(s);
    return code;
}

/* Closes the item on top; the attachment that held it goes with it. */
static void pop(struct stack *s)
{
    bool damaged = any(&top(s)->damage);

    close_item(s);
    libpff_item_free(&top(s)->item, NULL);
    s->depth--;
    top(s)->damage.embedded |= damaged;
    close_attachment(s);
}

static void abandon(struct stack *s)
{
    for (;; s->depth--) {
        if (top(s)->attachment)
            libpff_item_free(&top(s)->attachment, NULL);
        if (!s->depth)
            return;
        libpff_item_free(&top(s)->item, NULL);
    }
}

static bool is_orphan(const struct reader *r, const struct tree_node *node)
{
    const struct tree_node *folder = tree_find(&r->tree, node->parent);

    if (!folder || !nid_is_folder(folder->nid))
        return true;
    if ((node->nid & 0x1F) == NID_MESSAGE ? folder->has_rows : folder->has_assoc_rows)
        return !node->listed;
    return false;
}

static int send_stack(struct stack *s, struct tree_node *node, const struct ost_item *head)
{
    int code = open_item(s, node->item, head, node);

    while (!code) {
        if (top(s)->next < top(s)->attachments && top(s)->next < OST_LIMIT_ATTACHMENTS)
            code = next_attachment(s);
        else if (s->depth)
            pop(s);
        else
            break;
    }
    if (code)
        abandon(s);
    else
        close_item(s);
    return code;
}

int reader_send_item(struct reader *r, struct tree_node *node)
{
    struct stack stack = {.reader = r};
    struct ost_item head = {
        .nid = node->nid,
        .folder = node->parent,
        .assoc = (node->nid & 0x1F) == NID_ASSOC_MESSAGE,
        .orphan = is_orphan(r, node),
    };
    char why[WIRE_TEXT_MAX + 1];
    int code = entries_load_object(&r->entries, node->item, why);

    head.codepage = reader_codepage(r);
    if (code == ERR_DAMAGED) {
        wire_failed(r->wire, head.nid, head.folder, head.assoc, why);
        code = 0;
    } else if (!code) {
        code = send_stack(&stack, node, &head);
    }
    tree_release(node);
    return code;
}
