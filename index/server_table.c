/* server_table.c: see server_table.h. */
#include "index/server_table.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "index/compare_value.h"
#include "index/csv_read.h"
#include "index/times.h"
#include "io/err.h"

enum column {
    COL_PATH, /* of a folder in statistics */
    COL_VISIBLE,
    COL_ITEMS,
    COL_TYPE,
    COL_FOLDER_SIZE,
    COL_IDENTITY,
    COL_MESSAGE_ID,
    COL_SUBJECT,
    COL_SENDER,
    COL_RECEIVED,
    COL_SENT,
    COL_ORIGINAL_PATH,
    COL_SIZE,
    COL_CLASS,
    COL_LOCATION,
    COL_IMAGE,
    COL_SERVER,
    COLUMNS
};

/* Names in lower case with nothing but letters and digits; the first column of a kind wins. */
static const struct alias {
    const char *name;
    enum column column;
} aliases[] = {
    {"folderpath", COL_PATH},
    {"visibleitemsinfolder", COL_VISIBLE},
    {"itemsinfolder", COL_ITEMS},
    {"foldertype", COL_TYPE},
    {"foldersize", COL_FOLDER_SIZE},
    {"identity", COL_IDENTITY},
    {"internetmessageid", COL_MESSAGE_ID},
    {"messageid", COL_MESSAGE_ID},
    {"subjecttitle", COL_SUBJECT},
    {"subject", COL_SUBJECT},
    {"title", COL_SUBJECT},
    {"senderauthor", COL_SENDER},
    {"sender", COL_SENDER},
    {"from", COL_SENDER},
    {"author", COL_SENDER},
    {"received", COL_RECEIVED},
    {"receiveddate", COL_RECEIVED},
    {"datereceived", COL_RECEIVED},
    {"receivedtime", COL_RECEIVED},
    {"date", COL_RECEIVED},
    {"sent", COL_SENT},
    {"sentdate", COL_SENT},
    {"datesent", COL_SENT},
    {"originalpath", COL_ORIGINAL_PATH},
    {"path", COL_ORIGINAL_PATH},
    {"size", COL_SIZE},
    {"nativesize", COL_SIZE},
    {"sizebytes", COL_SIZE},
    {"itemclass", COL_CLASS},
    {"messageclass", COL_CLASS},
    {"location", COL_LOCATION},
    {"locationname", COL_LOCATION},
    {"mailbox", COL_LOCATION},
    {"image", COL_IMAGE},
    {"server", COL_SERVER},
};

/* Which field of a row a column is; its number + 1, 0: there is none. */
struct header {
    size_t at[COLUMNS];
    enum server_table kind;
    const char *missing;
};

struct table {
    struct cmp_side *side;
    struct header header;
    struct buf path, detail;
    int (*pair)(void *ctx, struct bytes image, struct bytes server);
    void *ctx;
};

static bool alias_is(const struct alias *a, struct bytes field)
{
    const char *p = a->name;

    for (size_t i = 0; i < field.size; i++) {
        if (!isalnum(field.data[i]))
            continue;
        if (!*p || tolower(field.data[i]) != *p++)
            return false;
    }
    return !*p;
}

static void kind_of(struct header *h)
{
    if (h->at[COL_PATH]) {
        h->kind = TABLE_STATISTICS;
        if (!h->at[COL_VISIBLE] && !h->at[COL_ITEMS])
            h->missing = "VisibleItemsInFolder or ItemsInFolder";
    } else if (h->at[COL_MESSAGE_ID] && (h->at[COL_ORIGINAL_PATH] || h->at[COL_SUBJECT])) {
        h->kind = TABLE_EDISCOVERY;
    } else if (h->at[COL_VISIBLE] || h->at[COL_ITEMS]) {
        h->kind = TABLE_STATISTICS;
        h->missing = "FolderPath";
    } else if (h->at[COL_ORIGINAL_PATH] && h->at[COL_SUBJECT]) {
        h->kind = TABLE_EDISCOVERY;
        h->missing = "Internet message ID";
    } else if (h->at[COL_IMAGE] && h->at[COL_SERVER]) {
        h->kind = TABLE_MAPPING;
    }
}

static void read_header(struct header *h, const struct csv_row *row)
{
    *h = (struct header){0};
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        for (size_t f = 0; f < row->count && !h->at[aliases[i].column]; f++)
            if (alias_is(&aliases[i], row->fields[f]))
                h->at[aliases[i].column] = f + 1;
    kind_of(h);
}

static struct bytes field(const struct table *t, const struct csv_row *row, enum column column)
{
    const size_t at = t->header.at[column];

    return at && at <= row->count ? row->fields[at - 1] : (struct bytes){(const uint8_t *)"", 0};
}

/* Digits, separators between them passed over: "1,024", "1.024", "1 024". */
static bool number(struct bytes text, uint64_t *out)
{
    uint64_t value = 0;
    bool any = false;

    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];

        if (isdigit(c)) {
            any = true;
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
                return false;
        } else if (c != ',' && c != '.' && c != ' ' && c != '\'' && c < 0x80) {
            return false;
        }
    }
    *out = value;
    return any;
}

/* "1 KB (1,024 bytes)" or a number. */
static bool size_of(struct bytes text, uint64_t *out)
{
    const uint8_t *open = text.size ? memchr(text.data, '(', text.size) : NULL;
    const uint8_t *end = text.data + text.size, *p;

    if (!open)
        return number(text, out);
    for (p = ++open; p < end && !isalpha(*p) && *p != ')';)
        p++;
    return number((struct bytes){open, (size_t)(p - open)}, out);
}

static bool is_text(struct bytes text, const char *wanted)
{
    return text.size == strlen(wanted) &&
           strncasecmp((const char *)text.data, wanted, text.size) == 0;
}

static bool begins(struct bytes text, const char *wanted)
{
    size_t n = strlen(wanted);

    return text.size >= n && strncasecmp((const char *)text.data, wanted, n) == 0;
}

static const char *role_of(struct bytes type)
{
    static const struct {
        const char *type, *role;
    } roles[] = {{"Inbox", "inbox"},
                 {"Outbox", "outbox"},
                 {"SentItems", "sent"},
                 {"DeletedItems", "deleted"},
                 {"Drafts", "drafts"},
                 {"JunkEmail", "junk"},
                 {"Calendar", "calendar"},
                 {"Contacts", "contacts"},
                 {"Tasks", "tasks"},
                 {"Notes", "notes"},
                 {"Journal", "journal"},
                 {"SyncIssues", "sync_issues"},
                 {"Conflicts", "conflicts"},
                 {"LocalFailures", "local_failures"},
                 {"ServerFailures", "server_failures"}};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (is_text(type, roles[i].type))
            return roles[i].role;
    return NULL;
}

/* The next part of a path; false at its end. */
static bool next_part(struct bytes *path, char separator, struct bytes *part)
{
    const uint8_t *end;

    while (path->size && *path->data == (uint8_t)separator)
        *path = (struct bytes){path->data + 1, path->size - 1};
    if (!path->size)
        return false;
    end = memchr(path->data, separator, path->size);
    *part = (struct bytes){path->data, end ? (size_t)(end - path->data) : path->size};
    *path = (struct bytes){path->data + part->size, path->size - part->size};
    return true;
}

/* Exchange writes U+F8FF for a slash within a name. */
static int set_name(struct cmp_folder *f, struct bytes part)
{
    struct buf name = BUF_INIT;
    int code;

    for (size_t i = 0; i < part.size; i++) {
        if (part.size - i >= 3 && memcmp(part.data + i, "\xEF\xA3\xBF", 3) == 0) {
            buf_putc(&name, '/');
            i += 2;
        } else {
            buf_putc(&name, (char)part.data[i]);
        }
    }
    code = name.failed ? ERR_NOMEM : cmp_set_text(&f->name, (struct bytes){name.data, name.size});
    buf_done(&name);
    return code;
}

/* The folder of a path and those above it; CMP_NO_FOLDER for an empty path. */
static int folder_of_path(struct table *t, struct bytes path, char separator,
                          enum cmp_folder_kind kind, uint32_t *index)
{
    struct bytes part;
    unsigned depth = 0;

    *index = CMP_NO_FOLDER;
    buf_reset(&t->path);
    buf_printf(&t->path, "%d", kind);
    while (next_part(&path, separator, &part) && depth++ < CMP_FOLDER_DEPTH) {
        const uint32_t parent = *index;
        int code;

        buf_putc(&t->path, '\0');
        buf_append(&t->path, part.data, part.size);
        if (t->path.failed)
            return ERR_NOMEM;
        code = cmp_side_folder(t->side, (struct bytes){t->path.data, t->path.size}, index);
        if (code || *index == CMP_NO_FOLDER)
            return code;
        if (t->side->folders[*index].name)
            continue;
        t->side->folders[*index].parent = parent;
        t->side->folders[*index].kind = kind;
        code = set_name(&t->side->folders[*index], part);
        if (code)
            return code;
    }
    return 0;
}

/* A table of several mailboxes would compare one with all. */
static int same_mailbox(struct table *t, struct bytes name)
{
    struct cmp_side *side = t->side;

    if (!name.size)
        return 0;
    if (!side->store_name.size) {
        buf_append(&side->store_name, name.data, name.size);
        return side->store_name.failed ? ERR_NOMEM : 0;
    }
    if (side->store_name.size == name.size &&
        strncasecmp((const char *)side->store_name.data, (const char *)name.data, name.size) == 0)
        return 0;
    cmp_side_incomplete(side, "it holds several mailboxes: one file for each is needed");
    return ERR_DAMAGED;
}

static void refuse(struct table *t, const struct csv_row *row, const char *what)
{
    t->side->refused++;
    cmp_side_incomplete(t->side, "row %llu: %s", (unsigned long long)row->number, what);
}

static int statistics_row(struct table *t, const struct csv_row *row)
{
    struct bytes path = field(t, row, COL_PATH), type = field(t, row, COL_TYPE);
    struct bytes identity = field(t, row, COL_IDENTITY), count = field(t, row, COL_VISIBLE);
    const uint8_t *slash = identity.size ? memchr(identity.data, '\\', identity.size) : NULL;
    const bool recoverable = begins(type, "RecoverableItems") || begins(path, "/Recoverable Items");
    const char *role = role_of(type);
    struct cmp_folder *f;
    uint64_t items;
    uint32_t index;
    int code;

    code =
        slash ? same_mailbox(t, (struct bytes){identity.data, (size_t)(slash - identity.data)}) : 0;
    if (code)
        return code;
    if (is_text(type, "Root") || is_text(path, "/Top of Information Store"))
        return 0;
    if (!count.size)
        count = field(t, row, COL_ITEMS);
    if (!path.size || !number(count, &items)) {
        refuse(t, row, path.size ? "its number of items is no number" : "it has no FolderPath");
        return 0;
    }
    code = folder_of_path(t, path, '/', recoverable ? CMP_FOLDER_RECOVERABLE : CMP_FOLDER_PLAIN,
                          &index);
    if (code || index == CMP_NO_FOLDER)
        return code;
    f = &t->side->folders[index];
    if (f->has_count) {
        refuse(t, row, "a folder for the second time");
        return 0;
    }
    f->listed = f->has_count = true;
    f->and_hidden = !field(t, row, COL_VISIBLE).size;
    f->count = items;
    size_of(field(t, row, COL_FOLDER_SIZE), &f->count_bytes);
    return role ? cmp_set_text(&f->role, bytes_text(role)) : 0;
}

static bool holds(struct bytes text, const char *word)
{
    const size_t n = strlen(word);

    for (size_t i = 0; i + n <= text.size; i++)
        if (strncasecmp((const char *)text.data + i, word, n) == 0)
            return true;
    return false;
}

/* What stands before the folders of the mailbox goes: "user@contoso.com, Primary,
 * …\user@contoso.com (Primary)\Top of Information Store\Inbox". So does an item's own file name. */
static int folder_of_item(struct table *t, struct bytes path, uint32_t *index)
{
    const char separator = path.size && memchr(path.data, '\\', path.size) ? '\\' : '/';
    enum cmp_folder_kind kind = CMP_FOLDER_PLAIN;
    struct bytes rest = path, part, last = path, folders = {0};

    *index = CMP_NO_FOLDER;
    while (next_part(&rest, separator, &part)) {
        if (!folders.data && is_text(part, "Top of Information Store"))
            folders = rest;
        if (!folders.data && (is_text(part, "Recoverable Items"))) {
            folders = (struct bytes){part.data, (size_t)(path.data + path.size - part.data)};
            kind = CMP_FOLDER_RECOVERABLE;
        }
        if (!folders.data && holds(part, "archive") && holds(path, "@"))
            kind = CMP_FOLDER_ARCHIVE;
        last = part;
    }
    if (!folders.data) {
        folders = path;
        rest = path;
        while (next_part(&rest, separator, &part) && memchr(part.data, '@', part.size))
            folders = rest;
        if (kind == CMP_FOLDER_ARCHIVE && folders.data == path.data)
            kind = CMP_FOLDER_PLAIN;
    }
    if (last.size > 4 && last.data >= folders.data &&
        (holds((struct bytes){last.data + last.size - 4, 4}, ".msg") ||
         holds((struct bytes){last.data + last.size - 4, 4}, ".eml")))
        folders.size = (size_t)(last.data - folders.data);
    return folder_of_path(t, folders, separator, kind, index);
}

static void detail_text(struct json *j, const char *key, struct bytes text)
{
    if (text.size)
        json_stored(j, key, text, true, (struct bytes){0}, CMP_DETAIL_TEXT);
}

static int detail(struct table *t, const struct csv_row *row)
{
    struct json j;

    buf_reset(&t->detail);
    json_start(&j, &t->detail);
    json_object(&j, NULL);
    detail_text(&j, "subject", field(t, row, COL_SUBJECT));
    detail_text(&j, "message_id", field(t, row, COL_MESSAGE_ID));
    detail_text(&j, "delivered", field(t, row, COL_RECEIVED));
    json_close_object(&j);
    return t->detail.failed ? ERR_NOMEM : 0;
}

/* Some tools leave out the angle brackets, which are part of what is hashed. */
static int message_id(struct table *t, struct cmp_entry *e, struct bytes id)
{
    if (!id.size || id.data[0] == '<')
        return cmp_mih_of(e, id);
    buf_reset(&t->path);
    buf_printf(&t->path, "<%.*s>", (int)(id.size < 4096 ? id.size : 4096), (const char *)id.data);
    return t->path.failed ? ERR_NOMEM : cmp_mih_of(e, (struct bytes){t->path.data, t->path.size});
}

/* Its subject is for people: some tools cut or mend it, so it is no evidence of a difference. */
static int item_row(struct table *t, const struct csv_row *row)
{
    struct bytes path = field(t, row, COL_ORIGINAL_PATH);
    struct cmp_entry e;
    int code = same_mailbox(t, field(t, row, COL_LOCATION));

    memset(&e, 0, sizeof e);
    e.folder = CMP_NO_FOLDER;
    if (code)
        return code;
    if (row->count < 2) {
        refuse(t, row, "it has one field alone");
        return 0;
    }
    code = message_id(t, &e, field(t, row, COL_MESSAGE_ID));
    if (!code && path.size)
        code = folder_of_item(t, path, &e.folder);
    e.has_date = idx_time_parse(field(t, row, COL_RECEIVED), &e.date) ||
                 idx_time_parse(field(t, row, COL_SENT), &e.date);
    size_of(field(t, row, COL_SIZE), &e.size_bytes);
    if (!code)
        code = detail(t, row);
    return code ? code : cmp_side_add(t->side, &e, (struct bytes){t->detail.data, t->detail.size});
}

static int on_row(void *ctx, const struct csv_row *row)
{
    struct table *t = ctx;

    if (row->number == 1) {
        read_header(&t->header, row);
        if (!t->pair && !t->side)
            return ERR_EXISTS; /* the header was all that is wanted */
        return 0;
    }
    switch (t->header.kind) {
    case TABLE_STATISTICS:
        return statistics_row(t, row);
    case TABLE_EDISCOVERY:
        return item_row(t, row);
    case TABLE_MAPPING:
        return t->pair ? t->pair(t->ctx, field(t, row, COL_IMAGE), field(t, row, COL_SERVER)) : 0;
    default:
        return ERR_DAMAGED;
    }
}

static void table_done(struct table *t)
{
    buf_done(&t->path);
    buf_done(&t->detail);
}

int server_table_kind(struct io_source *source, enum server_table *kind, const char **missing)
{
    struct table t = {0};
    int code = csv_read(source, on_row, &t);

    *kind = t.header.kind;
    if (missing)
        *missing = t.header.missing;
    return code == ERR_EXISTS ? 0 : code ? code : ERR_DAMAGED;
}

int server_table_read(struct cmp_side *side, struct io_source *source, enum server_table kind)
{
    struct table t = {.side = side};
    int code;

    side->input = kind == TABLE_STATISTICS ? CMP_INPUT_STATISTICS : CMP_INPUT_EDISCOVERY;
    code = csv_read(source, on_row, &t);
    table_done(&t);
    if ((code == ERR_DAMAGED || code == ERR_LIMIT) && t.header.kind == kind && !side->incomplete) {
        cmp_side_incomplete(side, "%s",
                            code == ERR_LIMIT ? "a row of it is larger than 16 MiB"
                                              : "it ends within quotes");
        return 0;
    }
    return code;
}

int server_table_mapping(struct io_source *source,
                         int (*pair)(void *ctx, struct bytes image, struct bytes server), void *ctx)
{
    struct table t = {.pair = pair, .ctx = ctx};
    int code = csv_read(source, on_row, &t);

    table_done(&t);
    return code;
}
