/*
 * message.c: see message.h.
 *
 *   item     PC ─┬─ subnode 0x692: table of recipients
 *                ├─ subnode 0x671: table of attachments, whose row ids name
 *                └─ subnodes of type 5 ── PC; 3701 is the data, or names the subnode of the
 *                                         attachment that is an embedded item, or storage
 *
 * Embedded items are read with a stack of frames. A frame holds an item and which of its
 * attachments is next; while an embedded item is at hand, the damage of the one above waits in its
 * frame.
 */
#include "scanner/ost/message.h"

#include "io/err.h"
#include "scanner/ost/limits.h"
#include "scanner/ost/props.h"
#include "scanner/ost/take.h"

enum {
    NID_RECIPIENTS = 0x692,
    NID_ATTACHMENTS = 0x671,
    NID_TYPE_MASK = 0x1F,
    NID_TYPE_ATTACHMENT = 0x05,
    PID_ATTACH_DATA = 0x3701,
    PID_ATTACH_METHOD = 0x3705,
    METHOD_EMBEDDED = 5,
};

struct frame {
    struct ost_item *item;
    struct ost_subnodes subnodes;
    struct ost_damages damages; /* while an embedded item is at hand */
    const uint32_t *nids;       /* of the attachments */
    struct ost_attachment *attachments;
    size_t count, next;
};

struct stack {
    const struct ost_message_reader *message;
    struct ost_reading *reading;
    unsigned depth;
    struct frame frames[OST_LIMIT_EMBEDDED_DEPTH + 1];
};

static struct frame *top(struct stack *s)
{
    return &s->frames[s->depth];
}

/* Recipients */

static int read_recipients(struct stack *s, struct frame *f)
{
    struct ost_reading *r = s->reading;
    const struct ost_subnode *node = ost_subnodes_find(&f->subnodes, NID_RECIPIENTS);
    struct ost_small_table table;
    struct ost_props *list;
    struct bytes row;
    size_t rows = 0, count = 0;
    int rc;

    if (!node)
        return 0;
    rc = ost_small_table_open(r, *node, &table);
    if (rc == ERR_DAMAGED || (!rc && table.lost))
        ost_reading_damage(r, F_table_failed, "recipients");
    if (rc)
        return rc == ERR_DAMAGED ? 0 : rc;
    for (size_t leaf = 0, n = 0; ost_small_table_next(&table, &leaf, &n, &row);)
        rows++;
    if (rows > OST_LIMIT_RECIPIENTS)
        return ERR_LIMIT;
    list = ost_take(r->arena, rows, sizeof *list, &rc);
    for (size_t leaf = 0, n = 0; !rc && ost_small_table_next(&table, &leaf, &n, &row);)
        rc = ost_small_table_row(r, s->message->names, &table, row, &list[count++]);
    f->item->recipients = list;
    f->item->recipient_count = count;
    return rc;
}

/* Attachments */

/* Where their table cannot be relied on: all subnodes of that type. */
static size_t nids_of_subnodes(const struct ost_subnodes *subnodes, uint32_t *nids)
{
    size_t count = 0;

    for (size_t i = 0; i < subnodes->count; i++)
        if ((subnodes->list[i].nid & NID_TYPE_MASK) == NID_TYPE_ATTACHMENT)
            nids[count++] = subnodes->list[i].nid;
    return count;
}

static size_t nids_of_rows(const struct ost_small_table *table, uint32_t *nids)
{
    struct bytes row;
    size_t count = 0;

    for (size_t leaf = 0, n = 0; ost_small_table_next(table, &leaf, &n, &row);) {
        uint32_t nid = ost_table_row_id(&table->table, row);

        if (nid)
            nids[count++] = nid;
    }
    return count;
}

static size_t count_rows(const struct ost_small_table *table)
{
    struct bytes row;
    size_t rows = 0;

    for (size_t leaf = 0, n = 0; ost_small_table_next(table, &leaf, &n, &row);)
        rows++;
    return rows;
}

/* Lists the attachments of the item, not read yet. */
static int list_attachments(struct stack *s, struct frame *f)
{
    struct ost_reading *r = s->reading;
    const struct ost_subnode *node = ost_subnodes_find(&f->subnodes, NID_ATTACHMENTS);
    struct ost_small_table table;
    bool broken;
    size_t most;
    uint32_t *nids;
    int rc;

    if (!node)
        return 0;
    rc = ost_small_table_open(r, *node, &table);
    if (rc && rc != ERR_DAMAGED)
        return rc;
    broken = rc || table.lost;
    if (broken)
        ost_reading_damage(r, F_table_failed, "attachments");
    most = broken ? f->subnodes.count : count_rows(&table);
    if (most > OST_LIMIT_ATTACHMENTS)
        return ERR_LIMIT;
    rc = 0;
    nids = ost_take(r->arena, most, sizeof *nids, &rc);
    if (!nids)
        return rc;
    f->nids = nids;
    f->count = broken ? nids_of_subnodes(&f->subnodes, nids) : nids_of_rows(&table, nids);
    f->attachments = ost_take(r->arena, f->count, sizeof *f->attachments, &rc);
    f->item->attachments = f->attachments;
    return rc;
}

/* Bytes on their way to the hasher. */
struct digesting {
    const struct ost_hasher *hasher;
    void *state; /* NULL: without a hasher, or there is the digest */
    uint64_t bytes;
    struct ost_digest digest; /* of one that was digested before */
};

static void digest_part(void *ctx, struct bytes part)
{
    struct digesting *d = ctx;

    d->bytes += part.size;
    if (d->state && part.size)
        d->hasher->update(d->state, part.data, part.size);
}

/* Streams the value of a root, or what was not digested before. */
static int stream_value(struct stack *s, uint64_t root, struct digesting *d, bool *whole)
{
    const struct ost_digests *before = s->reading->digests;
    struct ost_digested had;
    size_t leaves = 0;

    if (d->state && before && before->take(before->ctx, root, &had)) {
        d->hasher->abort(d->state);
        d->state = had.state;
        d->hasher = had.hasher;
        d->bytes = had.bytes;
        d->digest = had.digest;
        *whole = had.whole;
        if (had.whole)
            return 0;
        leaves = had.leaves;
    }
    return ost_reading_stream(s->reading, root, leaves, d, digest_part, whole);
}

/* Streams what `e` stands for. *whole: all of it was there. */
static int stream_data(struct stack *s, const struct ost_object *object,
                       const struct ost_pc_entry *e, struct digesting *d, bool *whole)
{
    const struct ost_subnode *data = NULL;
    uint32_t nid = e->subnode, size;

    *whole = false;
    if (e->state == OST_PC_VALUE && e->prop.type != OST_OBJECT) {
        digest_part(d, e->prop.value);
        *whole = true;
        return 0;
    }
    if (e->state == OST_PC_SUBNODE || ost_object_ref(e->prop.value, &nid, &size))
        data = ost_subnodes_find(&object->subnodes, nid);
    return data ? stream_value(s, data->data, d, whole) : 0;
}

static int read_data(struct stack *s, const struct ost_object *object, struct ost_attachment *a)
{
    const struct ost_hasher *hasher = s->message->hasher;
    struct digesting d = {.hasher = hasher};
    bool whole;
    int rc;

    if (hasher) {
        d.state = hasher->begin(hasher->ctx);
        if (!d.state)
            return ERR_NOMEM;
    }
    rc = stream_data(s, object, object->data, &d, &whole);
    if (d.state && !rc && whole)
        d.hasher->end(d.state, &d.digest);
    else if (d.state)
        d.hasher->abort(d.state);
    a->data_digest = d.digest;
    a->has_data = true;
    a->data_bytes = d.bytes;
    if (!rc && !whole)
        ost_reading_damage_of(s->reading, F_attachment_failed, a->nid, "its data");
    return rc;
}

/* Items */

/* Whether there is text that only the right code page can tell. */
static bool needs_codepage(struct ost_props props)
{
    for (size_t i = 0; i < props.count; i++) {
        const struct ost_prop *p = &props.list[i];

        if ((p->type & ~OST_MULTI) != OST_STRING8)
            continue;
        for (size_t k = 0; k < p->value.size; k++)
            if (p->value.data[k] >= 0x80)
                return true;
    }
    return false;
}

/* Text in the code page of a damaged store is no more whole than the store, whose damage was told.
 */
static void doubt_codepage(struct ost_reading *r, const struct ost_item *item)
{
    bool needed = needs_codepage(item->props);

    if (ost_props_codepage(item->props, 0))
        return;
    for (size_t i = 0; i < item->recipient_count; i++)
        needed = needed || needs_codepage(item->recipients[i]);
    if (needed)
        ost_reading_mark(r, F_property_failed);
}

static int open_item(struct stack *s, struct ost_subnode roots)
{
    struct ost_reading *r = s->reading;
    struct frame *f = top(s);
    struct ost_object object;
    int rc = 0;

    *f = (struct frame){0};
    r->damages = (struct ost_damages){0};
    f->item = ost_take(r->arena, 1, sizeof *f->item, &rc);
    if (!f->item)
        return rc;
    rc = ost_object_read(r, s->message->names, roots, 0, &object);
    if (rc)
        return rc;
    *f->item = (struct ost_item){
        .nid = roots.nid,
        .codepage = ost_props_codepage(object.props, s->message->codepage),
        .props = object.props,
    };
    f->subnodes = object.subnodes;
    rc = read_recipients(s, f);
    if (!rc && s->message->codepage_suspect)
        doubt_codepage(r, f->item);
    return rc ? rc : list_attachments(s, f);
}

static void close_item(struct stack *s)
{
    struct ost_item *item = top(s)->item;

    item->attachment_count = top(s)->next;
    item->damage = s->reading->damages.list;
    item->damage_count = s->reading->damages.count;
}

/* Goes down into an attachment's item, or notes that it cannot. */
static int push(struct stack *s, const struct ost_object *object, struct ost_attachment *a)
{
    struct ost_reading *r = s->reading;
    const struct ost_subnode *node = NULL;
    uint32_t nid, size;
    int rc = ERR_DAMAGED;

    if (s->depth == OST_LIMIT_EMBEDDED_DEPTH) {
        a->truncated_depth = true;
        ost_reading_damage(r, F_embedded_depth, NULL);
        return 0;
    }
    if (object->data->state == OST_PC_VALUE &&
        ost_object_ref(object->data->prop.value, &nid, &size))
        node = ost_subnodes_find(&object->subnodes, nid);
    if (node) {
        top(s)->damages = r->damages;
        s->depth++;
        rc = open_item(s, *node);
        if (rc) {
            s->depth--;
            r->damages = top(s)->damages;
        }
    }
    if (rc == ERR_DAMAGED)
        ost_reading_damage_of(r, F_attachment_failed, a->nid, "its item");
    return rc == ERR_DAMAGED ? 0 : rc;
}

/* The item on top goes to the attachment that holds it. */
static void pop(struct stack *s)
{
    struct ost_item *item = top(s)->item;
    struct frame *above;

    close_item(s);
    s->depth--;
    above = top(s);
    above->attachments[above->next - 1].embedded = item;
    s->reading->damages = above->damages;
    if (item->damage_count)
        ost_reading_mark(s->reading, F_item_partial);
}

static int next_attachment(struct stack *s)
{
    struct ost_reading *r = s->reading;
    struct frame *f = top(s);
    struct ost_attachment *a = &f->attachments[f->next];
    const struct ost_subnode *node = ost_subnodes_find(&f->subnodes, f->nids[f->next]);
    struct ost_object object = {0};
    int rc = ERR_DAMAGED;

    *a = (struct ost_attachment){.nid = f->nids[f->next], .method = -1};
    f->next++;
    if (node)
        rc = ost_object_read(r, s->message->names, *node, PID_ATTACH_DATA, &object);
    if (rc == ERR_DAMAGED) {
        ost_reading_damage_of(r, F_attachment_failed, a->nid, NULL);
        return 0;
    }
    if (rc)
        return rc;
    a->props = object.props;
    a->method = (int32_t)ost_props_u32(object.props, PID_ATTACH_METHOD, UINT32_MAX);
    if (!object.data)
        return 0;
    if (object.data->prop.type == OST_OBJECT && a->method == METHOD_EMBEDDED)
        return push(s, &object, a);
    return read_data(s, &object, a);
}

int ost_message_read(const struct ost_message_reader *m, struct ost_subnode roots,
                     struct ost_item *out)
{
    struct stack s; /* frames are made as they are come to */
    int rc;

    s.message = m;
    s.reading = m->reading;
    s.depth = 0;
    rc = open_item(&s, roots);

    while (!rc) {
        if (top(&s)->next < top(&s)->count)
            rc = next_attachment(&s);
        else if (s.depth)
            pop(&s);
        else
            break;
    }
    if (rc)
        return rc;
    close_item(&s);
    *out = *s.frames[0].item;
    return 0;
}
