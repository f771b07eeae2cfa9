/* view.c: see view.h. */
#include "index/view.h"

#include <string.h>
#include <strings.h>

#include "io/err.h"

static const char *const kind_names[IDX_KINDS] = {
    [KIND_MAIL] = "mail",         [KIND_APPOINTMENT] = "appointment",
    [KIND_MEETING] = "meeting",   [KIND_CONTACT] = "contact",
    [KIND_DISTLIST] = "distlist", [KIND_PERSON] = "person",
    [KIND_TASK] = "task",         [KIND_JOURNAL] = "journal",
    [KIND_NOTE] = "note",         [KIND_POST] = "post",
    [KIND_REPORT] = "report",     [KIND_DOCUMENT] = "document",
    [KIND_SHARING] = "sharing",   [KIND_OTHER] = "other",
};

const char *idx_kind_name(enum idx_kind kind)
{
    return kind_names[kind];
}

enum idx_kind idx_kind_of_class(const char *message_class)
{
    static const struct {
        const char *class_name;
        enum idx_kind kind;
    } classes[] = {
        {"IPM.Note", KIND_MAIL},
        {"IPM.Appointment", KIND_APPOINTMENT},
        {"IPM.Schedule.Meeting", KIND_MEETING},
        {"IPM.Contact", KIND_CONTACT},
        {"IPM.DistList", KIND_DISTLIST},
        {"IPM.AbchPerson", KIND_PERSON},
        {"IPM.Task", KIND_TASK},
        {"IPM.TaskRequest", KIND_TASK},
        {"IPM.Activity", KIND_JOURNAL},
        {"IPM.StickyNote", KIND_NOTE},
        {"IPM.Post", KIND_POST},
        {"IPM.Document", KIND_DOCUMENT},
        {"IPM.Sharing", KIND_SHARING},
        {"REPORT", KIND_REPORT},
    };

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        size_t n = strlen(classes[i].class_name);

        if (!strncasecmp(message_class, classes[i].class_name, n) &&
            (message_class[n] == '\0' || message_class[n] == '.'))
            return classes[i].kind;
    }
    return KIND_OTHER;
}

/* Longer than every class that tells a kind; what follows cannot matter. */
enum { CLASS_HEAD = 32 };

enum idx_kind idx_kind_of_item(const struct ost_item *item)
{
    const struct ost_prop *p = ost_props_find(item->props, 0x001A, OST_UNICODE);
    char head[CLASS_HEAD];
    size_t step, n = 0;

    if (!p)
        return KIND_OTHER;
    step = (p->type & ~0x2000) == OST_UNICODE ? 2 : 1;
    for (size_t i = 0; i + step <= p->value.size && n < CLASS_HEAD - 1; i += step) {
        unsigned c = step == 2 ? le16(p->value.data + i) : p->value.data[i];

        head[n++] = c < 0x80 ? (char)c : '?';
    }
    head[n] = '\0';
    return idx_kind_of_class(head);
}

struct bytes idx_subject_text(struct bytes stored, bool utf16)
{
    size_t marker = utf16 ? 4 : 2;
    bool marked;

    if (stored.size < marker)
        return stored;
    marked = utf16 ? le16(stored.data) == 1 : stored.data[0] == 1;
    return marked ? (struct bytes){stored.data + marker, stored.size - marker} : stored;
}

/* What the functions below share while one view is made. A failed allocation stays noted. */
struct maker {
    struct idx_text *text;
    struct arena *arena;
    uint32_t codepage;
    bool failed;
};

static bool is_text(const struct ost_prop *p)
{
    unsigned type = p->type & ~0x2000U;

    return type == OST_UNICODE || type == OST_STRING8;
}

/* Text that is UTF-16 and short needs no scratch: it is written where it stays. */
enum { SHORT_BYTES = 4096 };

static const char *convert_short(struct maker *m, struct bytes utf16, size_t *size, bool *whole)
{
    struct buf room = {.capacity = utf16.size / 2 * 3};

    room.data = arena_alloc(m->arena, room.capacity);
    if (!room.data)
        return NULL;
    idx_text_utf16(utf16, &room, whole);
    *size = room.size;
    return (const char *)room.data;
}

static const char *convert(struct maker *m, const struct ost_prop *p, size_t *size, bool *whole)
{
    struct buf *scratch = idx_text_scratch(m->text);

    idx_text_prop(m->text, p, m->codepage, scratch, whole);
    *size = scratch->size;
    return scratch->failed ? NULL : arena_copy(m->arena, scratch->data, scratch->size);
}

static struct idx_str text_of(struct maker *m, const struct ost_prop *p)
{
    struct idx_str s = {.whole = true, .raw = p->value};
    bool utf16 = (p->type & ~0x2000) == OST_UNICODE;
    struct ost_prop content = *p;

    if (p->id == 0x0037)
        content.value = idx_subject_text(content.value, utf16);
    content.value = idx_text_trim(content.value, utf16);
    s.data = utf16 && content.value.size <= SHORT_BYTES
                 ? convert_short(m, content.value, &s.size, &s.whole)
                 : convert(m, &content, &s.size, &s.whole);
    if (!s.data)
        m->failed = true;
    return s;
}

static struct idx_str string(struct maker *m, struct ost_props props, uint16_t id)
{
    const struct ost_prop *p = ost_props_find(props, id, 0);

    return p && is_text(p) ? text_of(m, p) : (struct idx_str){0};
}

/* The first of the properties that is there and not empty, else the first that is there. */
static struct idx_str first_string(struct maker *m, struct ost_props props, const uint16_t *ids,
                                   size_t count)
{
    struct idx_str found = {0};

    for (size_t i = 0; i < count; i++) {
        struct idx_str s = string(m, props, ids[i]);

        if (s.size)
            return s;
        if (!found.data)
            found = s;
    }
    return found;
}

static struct idx_address address(struct maker *m, struct ost_props props, uint16_t name,
                                  uint16_t smtp, uint16_t stored)
{
    const uint16_t ids[] = {smtp, stored};

    return (struct idx_address){.name = string(m, props, name),
                                .address = first_string(m, props, ids, 2)};
}

static const struct ost_prop *own_or_row(const struct ost_item *item, uint16_t id, uint16_t type)
{
    const struct ost_prop *p = ost_props_find(item->props, id, type);

    return p ? p : ost_props_find(item->row, id, type);
}

static struct bytes binary(const struct ost_item *item, uint16_t id)
{
    const struct ost_prop *p = own_or_row(item, id, OST_BINARY);

    return p ? p->value : (struct bytes){0};
}

static bool fixed(const struct ost_item *item, uint16_t id, uint16_t type, size_t size,
                  struct bytes *out)
{
    const struct ost_prop *p = own_or_row(item, id, type);

    if (!p || p->value.size != size)
        return false;
    *out = p->value;
    return true;
}

static struct idx_time time_of(const struct ost_item *item, uint16_t id)
{
    struct bytes b;

    return fixed(item, id, OST_TIME, 8, &b) ? (struct idx_time){true, le64(b.data)}
                                            : (struct idx_time){0};
}

static void numbers(const struct ost_item *item, struct idx_view *v)
{
    struct bytes b;

    v->search_key = binary(item, 0x300B);
    v->change_key = binary(item, 0x65E2);
    v->pcl = binary(item, 0x65E3);
    v->submitted = time_of(item, 0x0039);
    v->delivered = time_of(item, 0x0E06);
    v->created = time_of(item, 0x3007);
    v->modified = time_of(item, 0x3008);
    if (fixed(item, 0x67F4, OST_I64, 8, &b)) {
        v->has_mid = true;
        v->mid = le64(b.data);
    }
    if (fixed(item, 0x0E08, OST_I32, 4, &b)) {
        v->has_size = true;
        v->size = (int32_t)le32(b.data);
    } else if (fixed(item, 0x0E08, OST_I64, 8, &b)) {
        v->has_size = true;
        v->size = (int64_t)le64(b.data);
    }
    if (fixed(item, 0x0E07, OST_I32, 4, &b)) {
        v->has_flags = true;
        v->flags = le32(b.data);
    }
}

/* 1 To, 2 Cc, 3 Bcc, 0 anything else. The upper bits are flags of a resent message. */
static unsigned recipient_type(struct ost_props recipient)
{
    const struct ost_prop *p = ost_props_find(recipient, 0x0C15, OST_I32);
    uint32_t type = p && p->value.size == 4 ? le32(p->value.data) & 0x0F : 0;

    return type <= 3 ? type : 0;
}

static void recipients(struct maker *m, const struct ost_item *item, struct idx_view *v)
{
    size_t counts[4] = {0}, next[4];
    struct idx_address *all;

    for (size_t i = 0; i < item->recipient_count; i++)
        counts[recipient_type(item->recipients[i])]++;
    all = arena_alloc_array(m->arena, item->recipient_count - counts[0], sizeof *all);
    if (!all) {
        m->failed = true;
        return;
    }
    next[1] = 0;
    next[2] = counts[1];
    next[3] = counts[1] + counts[2];
    for (size_t i = 0; i < item->recipient_count && !m->failed; i++) {
        unsigned type = recipient_type(item->recipients[i]);

        if (type)
            all[next[type]++] = address(m, item->recipients[i], 0x3001, 0x39FE, 0x3003);
    }
    v->to = all;
    v->to_count = counts[1];
    v->cc = all + counts[1];
    v->cc_count = counts[2];
    v->bcc = all + counts[1] + counts[2];
    v->bcc_count = counts[3];
}

static void attachments(struct maker *m, const struct ost_item *item, struct idx_view *v)
{
    static const uint16_t names[] = {0x3707, 0x3704, 0x3001};
    struct idx_str *all = arena_alloc_array(m->arena, item->attachment_count, sizeof *all);

    if (!all) {
        m->failed = true;
        return;
    }
    for (size_t i = 0; i < item->attachment_count && !m->failed; i++)
        all[i] = first_string(m, item->attachments[i].props, names, 3);
    v->attachment_names = all;
}

int idx_view_make(struct idx_text *text, struct arena *arena, const struct ost_item *item,
                  struct idx_view *view)
{
    struct maker m = {.text = text, .arena = arena, .codepage = item->codepage};
    struct idx_view v = {.kind = idx_kind_of_item(item)};

    numbers(item, &v);
    v.message_class = string(&m, item->props, 0x001A);
    v.subject = string(&m, item->props, 0x0037);
    v.message_id = string(&m, item->props, 0x1035);
    v.from = address(&m, item->props, 0x0C1A, 0x5D01, 0x0C1F);
    if (!v.from.name.size && !v.from.address.size)
        v.from = address(&m, item->props, 0x0042, 0x5D02, 0x0065);
    recipients(&m, item, &v);
    attachments(&m, item, &v);
    if (m.failed)
        return ERR_NOMEM;
    *view = v;
    return 0;
}
