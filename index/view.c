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

/* What a view takes from an item's own properties; ids ascend. */
enum own {
    OWN_CLASS,
    OWN_SUBJECT,
    OWN_SUBMITTED,
    OWN_FOR_NAME,
    OWN_FOR_ADDRESS,
    OWN_SENDER_NAME,
    OWN_SENDER_ADDRESS,
    OWN_DELIVERED,
    OWN_FLAGS,
    OWN_SIZE,
    OWN_MESSAGE_ID,
    OWN_CREATED,
    OWN_MODIFIED,
    OWN_SEARCH_KEY,
    OWN_SENDER_SMTP,
    OWN_FOR_SMTP,
    OWN_CHANGE_KEY,
    OWN_PCL,
    OWN_MID,
    OWNS
};

static const uint16_t own_ids[OWNS] = {
    [OWN_CLASS] = 0x001A,
    [OWN_SUBJECT] = 0x0037,
    [OWN_SUBMITTED] = 0x0039,
    [OWN_FOR_NAME] = 0x0042,
    [OWN_FOR_ADDRESS] = 0x0065,
    [OWN_SENDER_NAME] = 0x0C1A,
    [OWN_SENDER_ADDRESS] = 0x0C1F,
    [OWN_DELIVERED] = 0x0E06,
    [OWN_FLAGS] = 0x0E07,
    [OWN_SIZE] = 0x0E08,
    [OWN_MESSAGE_ID] = 0x1035,
    [OWN_CREATED] = 0x3007,
    [OWN_MODIFIED] = 0x3008,
    [OWN_SEARCH_KEY] = 0x300B,
    [OWN_SENDER_SMTP] = 0x5D01,
    [OWN_FOR_SMTP] = 0x5D02,
    [OWN_CHANGE_KEY] = 0x65E2,
    [OWN_PCL] = 0x65E3,
    [OWN_MID] = 0x67F4,
};

/* What the functions below share while one view is made. A failed allocation stays noted. */
struct maker {
    struct idx_text *text;
    struct arena *arena;
    const struct ost_item *item;
    const struct ost_prop *own[OWNS];
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

    idx_text_prop(m->text, p, m->item->codepage, scratch, whole);
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

static struct idx_str string(struct maker *m, const struct ost_prop *p)
{
    return p && is_text(p) ? text_of(m, p) : (struct idx_str){0};
}

/* The first of the properties that is there and not empty, else the first that is there. */
static struct idx_str first_string(struct maker *m, const struct ost_prop *const *props,
                                   size_t count)
{
    struct idx_str found = {0};

    for (size_t i = 0; i < count; i++) {
        struct idx_str s = string(m, props[i]);

        if (s.size)
            return s;
        if (!found.data)
            found = s;
    }
    return found;
}

static struct idx_address address(struct maker *m, const struct ost_prop *name,
                                  const struct ost_prop *smtp, const struct ost_prop *stored)
{
    const struct ost_prop *const addresses[] = {smtp, stored};

    return (struct idx_address){.name = string(m, name), .address = first_string(m, addresses, 2)};
}

static const struct ost_prop *own_or_row(const struct maker *m, enum own own, uint16_t type)
{
    const struct ost_prop *p = m->own[own];

    return ost_prop_is(p, type) ? p : ost_props_find(m->item->row, own_ids[own], type);
}

static struct bytes binary(const struct maker *m, enum own own)
{
    const struct ost_prop *p = own_or_row(m, own, OST_BINARY);

    return p ? p->value : (struct bytes){0};
}

static bool fixed(const struct maker *m, enum own own, uint16_t type, size_t size,
                  struct bytes *out)
{
    const struct ost_prop *p = own_or_row(m, own, type);

    if (!p || p->value.size != size)
        return false;
    *out = p->value;
    return true;
}

static struct idx_time time_of(const struct maker *m, enum own own)
{
    struct bytes b;

    return fixed(m, own, OST_TIME, 8, &b) ? (struct idx_time){true, le64(b.data)}
                                          : (struct idx_time){0};
}

static void numbers(const struct maker *m, struct idx_view *v)
{
    struct bytes b;

    v->search_key = binary(m, OWN_SEARCH_KEY);
    v->change_key = binary(m, OWN_CHANGE_KEY);
    v->pcl = binary(m, OWN_PCL);
    v->submitted = time_of(m, OWN_SUBMITTED);
    v->delivered = time_of(m, OWN_DELIVERED);
    v->created = time_of(m, OWN_CREATED);
    v->modified = time_of(m, OWN_MODIFIED);
    if (fixed(m, OWN_MID, OST_I64, 8, &b)) {
        v->has_mid = true;
        v->mid = le64(b.data);
    }
    if (fixed(m, OWN_SIZE, OST_I32, 4, &b)) {
        v->has_size = true;
        v->size = (int32_t)le32(b.data);
    } else if (fixed(m, OWN_SIZE, OST_I64, 8, &b)) {
        v->has_size = true;
        v->size = (int64_t)le64(b.data);
    }
    if (fixed(m, OWN_FLAGS, OST_I32, 4, &b)) {
        v->has_flags = true;
        v->flags = le32(b.data);
    }
}

/* What a view takes from a recipient; ids ascend. */
enum { TO_TYPE, TO_NAME, TO_ADDRESS, TO_SMTP, TOS };
static const uint16_t to_ids[TOS] = {0x0C15, 0x3001, 0x3003, 0x39FE};

struct recipient {
    const struct ost_prop *props[TOS];
    unsigned type;
};

/* 1 To, 2 Cc, 3 Bcc, 0 anything else. The upper bits are flags of a resent message. */
static unsigned recipient_type(const struct ost_prop *p)
{
    uint32_t type = ost_prop_is(p, OST_I32) && p->value.size == 4 ? le32(p->value.data) & 0x0F : 0;

    return type <= 3 ? type : 0;
}

static void recipients(struct maker *m, struct idx_view *v)
{
    size_t count = m->item->recipient_count, counts[4] = {0}, next[4];
    struct recipient *list = arena_alloc_array(m->arena, count, sizeof *list);
    struct idx_address *all;

    for (size_t i = 0; list && i < count; i++) {
        ost_props_pick(m->item->recipients[i], to_ids, TOS, list[i].props);
        list[i].type = recipient_type(list[i].props[TO_TYPE]);
        counts[list[i].type]++;
    }
    all = arena_alloc_array(m->arena, count - counts[0], sizeof *all);
    if (!list || !all) {
        m->failed = true;
        return;
    }
    next[1] = 0;
    next[2] = counts[1];
    next[3] = counts[1] + counts[2];
    for (size_t i = 0; i < count && !m->failed; i++) {
        const struct ost_prop *const *p = list[i].props;

        if (list[i].type)
            all[next[list[i].type]++] = address(m, p[TO_NAME], p[TO_SMTP], p[TO_ADDRESS]);
    }
    v->to = all;
    v->to_count = counts[1];
    v->cc = all + counts[1];
    v->cc_count = counts[2];
    v->bcc = all + counts[1] + counts[2];
    v->bcc_count = counts[3];
}

static void attachments(struct maker *m, struct idx_view *v)
{
    const struct ost_item *item = m->item;
    struct idx_str *all = arena_alloc_array(m->arena, item->attachment_count, sizeof *all);

    if (!all) {
        m->failed = true;
        return;
    }
    for (size_t i = 0; i < item->attachment_count && !m->failed; i++) {
        struct ost_props props = item->attachments[i].props;
        const struct ost_prop *const names[] = {ost_props_find(props, 0x3707, 0),
                                                ost_props_find(props, 0x3704, 0),
                                                ost_props_find(props, 0x3001, 0)};

        all[i] = first_string(m, names, sizeof names / sizeof *names);
    }
    v->attachment_names = all;
}

int idx_view_make(struct idx_text *text, struct arena *arena, const struct ost_item *item,
                  struct idx_view *view)
{
    struct maker m = {.text = text, .arena = arena, .item = item};
    struct idx_view v = {.kind = idx_kind_of_item(item)};

    ost_props_pick(item->props, own_ids, OWNS, m.own);
    numbers(&m, &v);
    v.message_class = string(&m, m.own[OWN_CLASS]);
    v.subject = string(&m, m.own[OWN_SUBJECT]);
    v.message_id = string(&m, m.own[OWN_MESSAGE_ID]);
    v.from = address(&m, m.own[OWN_SENDER_NAME], m.own[OWN_SENDER_SMTP], m.own[OWN_SENDER_ADDRESS]);
    if (!v.from.name.size && !v.from.address.size)
        v.from = address(&m, m.own[OWN_FOR_NAME], m.own[OWN_FOR_SMTP], m.own[OWN_FOR_ADDRESS]);
    recipients(&m, &v);
    attachments(&m, &v);
    if (m.failed)
        return ERR_NOMEM;
    *view = v;
    return 0;
}
