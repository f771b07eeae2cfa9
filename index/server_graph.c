/* server_graph.c: see server_graph.h. */
#include "index/server_graph.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "index/base64.h"
#include "index/compare_value.h"
#include "index/json_read.h"
#include "index/json_split.h"
#include "index/text_input.h"
#include "io/err.h"

enum { NESTED_MOST = 1 << 16 };

struct graph {
    struct cmp_side *side;
    struct cmp_values values;
    struct buf detail, binary;
    struct buf waiting; /* struct bytes: folders within the folder at hand */
    uint64_t taken;
    bool more; /* the last page names another */
};

enum field {
    F_ID,
    F_ODATA_TYPE,
    F_REMOVED,
    F_ERROR,
    F_DISPLAY_NAME,
    F_PARENT,
    F_TOTAL,
    F_CHILDREN_COUNT,
    F_CHILDREN,
    F_WELL_KNOWN,
    F_FOLDER_BYTES,
    F_MESSAGE_ID,
    F_SUBJECT,
    F_RECEIVED,
    F_SENT,
    F_CREATED,
    F_MODIFIED,
    F_READ,
    F_SIZE,
    F_TYPE,
    F_EXTENDED,
    F_CHANGE_KEY,
    FIELDS
};

static const char *const field_names[FIELDS] = {
    "id",
    "@odata.type",
    "@removed",
    "error",
    "displayName",
    "parentFolderId",
    "totalItemCount",
    "childFolderCount",
    "childFolders",
    "wellKnownName",
    "sizeInBytes",
    "internetMessageId",
    "subject",
    "receivedDateTime",
    "sentDateTime",
    "createdDateTime",
    "lastModifiedDateTime",
    "isRead",
    "size",
    "type",
    "singleValueExtendedProperties",
    "changeKey",
};

static void refuse(struct graph *g, const char *what)
{
    g->side->refused++;
    cmp_side_incomplete(g->side, "object %llu: %s", (unsigned long long)g->taken, what);
}

static int folder_by_id(struct graph *g, struct bytes id, uint32_t *index)
{
    int got = cmp_string(&g->values, id);

    *index = CMP_NO_FOLDER;
    if (got != 1)
        return got;
    return cmp_side_folder(g->side, cmp_text_of(&g->values), index);
}

static const char *role_of(struct bytes name)
{
    static const struct {
        const char *name, *role;
    } roles[] = {{"inbox", "inbox"},
                 {"outbox", "outbox"},
                 {"sentitems", "sent"},
                 {"deleteditems", "deleted"},
                 {"drafts", "drafts"},
                 {"junkemail", "junk"},
                 {"archive", "archive"},
                 {"calendar", "calendar"},
                 {"contacts", "contacts"},
                 {"tasks", "tasks"},
                 {"notes", "notes"},
                 {"journal", "journal"},
                 {"syncissues", "sync_issues"},
                 {"conflicts", "conflicts"},
                 {"localfailures", "local_failures"},
                 {"serverfailures", "server_failures"}};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (cmp_is_text(name, roles[i].name))
            return roles[i].role;
    return NULL;
}

static enum cmp_folder_kind kind_of(struct graph *g, const struct bytes v[FIELDS])
{
    if (cmp_is_text(v[F_WELL_KNOWN], "msgfolderroot") ||
        cmp_is_text(v[F_DISPLAY_NAME], "Top of Information Store"))
        return CMP_FOLDER_TOP;
    if (cmp_string(&g->values, v[F_WELL_KNOWN]) == 1 && g->values.text.size >= 16 &&
        memcmp(g->values.text.data, "recoverableitems", 16) == 0)
        return CMP_FOLDER_RECOVERABLE;
    return cmp_is_text(v[F_DISPLAY_NAME], "Recoverable Items") ? CMP_FOLDER_RECOVERABLE
                                                               : CMP_FOLDER_PLAIN;
}

static int children(struct graph *g, struct bytes list)
{
    struct json_reader r;
    struct json_token t;
    struct bytes object;

    if (!list.data)
        return 0;
    json_read_start(&r, list);
    if (json_read_next(&r, &t) != 1 || t.kind != JSON_ARRAY)
        return 0;
    while (json_read_next(&r, &t) == 1 && t.kind == JSON_OBJECT &&
           json_read_skip(&r, &t, &object) == 0 && g->waiting.size < NESTED_MOST * sizeof object)
        buf_append(&g->waiting, &object, sizeof object);
    return g->waiting.failed ? ERR_NOMEM : 0;
}

static int take_folder(struct graph *g, const struct bytes v[FIELDS])
{
    const char *role = role_of(v[F_WELL_KNOWN]);
    uint32_t index, parent = CMP_NO_FOLDER;
    struct cmp_folder *f;
    int code = folder_by_id(g, v[F_ID], &index);

    if (!code && v[F_PARENT].data)
        code = folder_by_id(g, v[F_PARENT], &parent);
    if (code)
        return code;
    if (index == CMP_NO_FOLDER) {
        refuse(g, "a folder without `id`");
        return 0;
    }
    f = &g->side->folders[index];
    f->listed = true;
    f->parent = parent == index ? CMP_NO_FOLDER : parent;
    f->kind = kind_of(g, v);
    f->has_count = cmp_u64(v[F_TOTAL], &f->count);
    cmp_u64(v[F_FOLDER_BYTES], &f->count_bytes);
    code = cmp_string(&g->values, v[F_DISPLAY_NAME]);
    if (code == 1)
        code = cmp_set_text(&f->name, cmp_text_of(&g->values));
    if (!code && role)
        code = cmp_set_text(&f->role, bytes_text(role));
    return code ? code : children(g, v[F_CHILDREN]);
}

/* "Binary 0x300B": the type's name and the number, in any writing of either. 0: no such id. */
static uint16_t property_of(const struct cmp_values *v, const char *type)
{
    char text[32], *end;
    const size_t n = strlen(type);
    unsigned long number;

    if (v->text.size >= sizeof text || v->text.size <= n)
        return 0;
    memcpy(text, v->text.data, v->text.size);
    text[v->text.size] = '\0';
    if (strncasecmp(text, type, n) != 0 || text[n] != ' ' || text[n + 1] < '0' || text[n + 1] > '9')
        return 0;
    number = strtoul(text + n + 1, &end, text[n + 2] == 'x' || text[n + 2] == 'X' ? 16 : 10);
    return *end || number > UINT16_MAX ? 0 : (uint16_t)number;
}

static int binary(struct graph *g, struct cmp_entry *e, uint16_t id, struct bytes value)
{
    int got = cmp_string(&g->values, value);
    struct bytes data;

    if (got != 1)
        return got;
    if (!base64_decode(cmp_text_of(&g->values), &g->binary)) {
        if (g->binary.failed)
            return ERR_NOMEM;
        refuse(g, "the value of a binary property is not in base 64");
        return 0;
    }
    data = (struct bytes){g->binary.data, g->binary.size};
    if (id == 0x300B)
        cmp_entry_key_of(e, CMP_KEY_SEARCH, data);
    else if (id == 0x65E2)
        cmp_entry_key_of(e, CMP_KEY_CHANGE, data);
    else if (data.size == 22)
        for (unsigned i = 16; i < 22; i++)
            e->source = e->source << 8 | data.data[i];
    return 0;
}

static int extended_property(struct graph *g, struct cmp_entry *e, struct bytes object)
{
    static const char *const names[] = {"id", "value"};
    struct bytes v[2];
    uint16_t id;
    int got;

    if (json_pick(object, names, 2, v) != 0)
        return 0;
    got = cmp_string(&g->values, v[0]);
    if (got != 1)
        return got;
    id = property_of(&g->values, "Binary");
    if (id == 0x300B || id == 0x65E0 || id == 0x65E2)
        return binary(g, e, id, v[1]);
    if (property_of(&g->values, "String") != 0x1035)
        return 0;
    got = cmp_string(&g->values, v[1]);
    return got == 1 ? cmp_mih_of(e, cmp_text_of(&g->values)) : got;
}

static int extended(struct graph *g, struct cmp_entry *e, struct bytes list)
{
    struct json_reader r;
    struct json_token t;
    struct bytes object;

    if (!list.data)
        return 0;
    json_read_start(&r, list);
    if (json_read_next(&r, &t) != 1 || t.kind != JSON_ARRAY)
        return 0;
    while (json_read_next(&r, &t) == 1 && t.kind == JSON_OBJECT &&
           json_read_skip(&r, &t, &object) == 0) {
        int code = extended_property(g, e, object);

        if (code)
            return code;
    }
    return 0;
}

static int marks(struct graph *g, struct cmp_entry *e, const struct bytes v[FIELDS])
{
    static const enum field order[] = {F_RECEIVED, F_SENT, F_CREATED, F_MODIFIED};
    uint64_t size;
    int code = 0;

    for (size_t i = 0; !e->has_date && i < sizeof order / sizeof *order; i++)
        e->has_date = cmp_time(v[order[i]], &e->date);
    if (cmp_u64(v[F_SIZE], &size))
        e->size_bytes = size;
    if (v[F_SUBJECT].data)
        code = cmp_mark_text(&g->values, e, CMP_MARK_SUBJECT, v[F_SUBJECT], false);
    if (!code && v[F_TYPE].data)
        code = cmp_mark_text(&g->values, e, CMP_MARK_CLASS, v[F_TYPE], true);
    if (v[F_READ].data)
        cmp_entry_mark(e, CMP_MARK_READ, 1 + cmp_is_true(v[F_READ]));
    return code;
}

static int detail(struct graph *g, const struct bytes v[FIELDS])
{
    struct json j;
    int code;

    buf_reset(&g->detail);
    json_start(&j, &g->detail);
    json_object(&j, NULL);
    code = cmp_detail(&g->values, &j, "subject", v[F_SUBJECT]);
    if (!code)
        code = cmp_detail(&g->values, &j, "message_id", v[F_MESSAGE_ID]);
    if (!code)
        code = cmp_detail(&g->values, &j, "delivered", v[F_RECEIVED]);
    if (!code)
        code = cmp_detail(&g->values, &j, "id", v[F_ID]);
    json_close_object(&j);
    return code ? code : g->detail.failed ? ERR_NOMEM : 0;
}

static int take_item(struct graph *g, const struct bytes v[FIELDS])
{
    struct cmp_entry e;
    int code;

    memset(&e, 0, sizeof e);
    e.folder = CMP_NO_FOLDER;
    code = folder_by_id(g, v[F_PARENT], &e.folder);
    if (!code)
        code = extended(g, &e, v[F_EXTENDED]);
    if (!code && cmp_string(&g->values, v[F_MESSAGE_ID]) == 1)
        code = cmp_mih_of(&e, cmp_text_of(&g->values));
    if (!code)
        code = marks(g, &e, v);
    if (!code)
        code = detail(g, v);
    return code ? code : cmp_side_add(g->side, &e, (struct bytes){g->detail.data, g->detail.size});
}

static bool is_item(const struct bytes v[FIELDS])
{
    return v[F_ID].data && (v[F_MESSAGE_ID].data || v[F_EXTENDED].data || v[F_RECEIVED].data ||
                            v[F_SUBJECT].data || v[F_CHANGE_KEY].data || v[F_MODIFIED].data);
}

static int take(struct graph *g, struct bytes text)
{
    struct bytes v[FIELDS];

    g->taken++;
    if (json_pick(text, field_names, FIELDS, v) != 0) {
        refuse(g, "it is not well-formed JSON");
        return 0;
    }
    if (v[F_REMOVED].data) {
        g->side->removed++;
        return 0;
    }
    if (v[F_DISPLAY_NAME].data && (v[F_TOTAL].data || v[F_CHILDREN_COUNT].data))
        return take_folder(g, v);
    if (is_item(v))
        return take_item(g, v);
    refuse(g, v[F_ERROR].data ? "an error message in place of an answer"
                              : "neither an item nor a folder");
    return 0;
}

static int on_object(void *ctx, struct bytes text)
{
    struct graph *g = ctx;
    int code = take(g, text);

    while (!code && g->waiting.size) {
        struct bytes inner;

        g->waiting.size -= sizeof inner;
        memcpy(&inner, g->waiting.data + g->waiting.size, sizeof inner);
        code = take(g, inner);
    }
    return code;
}

static int on_envelope(void *ctx, bool more)
{
    ((struct graph *)ctx)->more = more;
    return 0;
}

static int on_other(void *ctx)
{
    struct graph *g = ctx;

    g->taken++;
    refuse(g, "an element that is no object");
    return 0;
}

/* The items of a folder are all there only where as many came as it says it has. */
static void check_counts(struct cmp_side *side)
{
    uint64_t stated = 0;

    for (size_t i = 0; i < side->folder_count; i++)
        if (side->folders[i].has_count)
            stated += side->folders[i].count;
    if (!side->items && stated)
        side->input = CMP_INPUT_STATISTICS; /* folders alone: counts */
}

static int split(struct graph *g, struct io_source *source)
{
    const struct json_split_sink sink = {g, on_object, on_envelope, on_other};
    struct text_input in = {0};
    struct json_split s;
    struct bytes piece;
    int code = text_input_init(&in, source), got = 0;

    json_split_init(&s, &sink);
    while (!code && (got = text_input_next(&in, &piece)) == 1)
        code = json_split_take(&s, piece);
    if (!code)
        code = got < 0 ? got : json_split_end(&s);
    if (code == ERR_DAMAGED || code == ERR_LIMIT) {
        cmp_side_incomplete(g->side, "byte %llu of its text: %s", (unsigned long long)s.at,
                            code == ERR_LIMIT ? "an object is too large or too deep"
                            : got == 1        ? "this is no JSON"
                                              : "it ends within a value");
        code = g->side->items || g->side->folder_count ? 0 : ERR_DAMAGED;
    }
    json_split_done(&s);
    text_input_done(&in);
    return code;
}

int server_graph_read(struct cmp_side *side, struct io_source *source)
{
    struct graph g = {.side = side};
    int code;

    side->input = CMP_INPUT_GRAPH;
    code = split(&g, source);
    if (!code && g.more)
        cmp_side_incomplete(side, "its last page names another that is not in the file");
    if (!code && g.taken && !side->items && !side->folder_count && !side->removed)
        code = ERR_DAMAGED;
    if (!code)
        check_counts(side);
    cmp_values_done(&g.values);
    buf_done(&g.detail);
    buf_done(&g.binary);
    buf_done(&g.waiting);
    return code;
}
