#include <string.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/gen/store.h"

/*
 * A folder with NID f is a node with a property context; its tables are nodes of the same index:
 * 0D hierarchy, 0E contents (10 for a search folder), 0F associated, in an OST also 14 and 15, the
 * indexes of MIDs. Empty tables share the blocks of their template.
 *
 * An OST keeps the NIDs of its first folders (2002, 2022, ... 2242) in every real file; a PST
 * counts from 8022.
 */

static const char *const names[ROLE_COUNT][4] = {
    [ROLE_INBOX] = {"Inbox", "Posteingang", "Boîte de réception", "受信トレイ"},
    [ROLE_OUTBOX] = {"Outbox", "Postausgang", "Boîte d'envoi", "送信トレイ"},
    [ROLE_SENT] = {"Sent Items", "Gesendete Elemente", "Éléments envoyés", "送信済みアイテム"},
    [ROLE_DELETED] = {"Deleted Items", "Gelöschte Elemente", "Éléments supprimés",
                      "削除済みアイテム"},
    [ROLE_DRAFTS] = {"Drafts", "Entwürfe", "Brouillons", "下書き"},
    [ROLE_CALENDAR] = {"Calendar", "Kalender", "Calendrier", "予定表"},
    [ROLE_CONTACTS] = {"Contacts", "Kontakte", "Contacts", "連絡先"},
    [ROLE_TASKS] = {"Tasks", "Aufgaben", "Tâches", "タスク"},
    [ROLE_NOTES] = {"Notes", "Notizen", "Notes", "メモ"},
    [ROLE_JOURNAL] = {"Journal", "Journal", "Journal", "履歴"},
    [ROLE_SYNC_ISSUES] = {"Sync Issues", "Synchronisierungsprobleme",
                          "Problèmes de synchronisation", "同期の問題"},
    [ROLE_CONFLICTS] = {"Conflicts", "Konflikte", "Conflits", "競合"},
    [ROLE_LOCAL_FAILURES] = {"Local Failures", "Lokale Fehler", "Échecs locaux", "ローカルの失敗"},
    [ROLE_SERVER_FAILURES] = {"Server Failures", "Serverfehler", "Échecs du serveur",
                              "サーバーの失敗"},
    [ROLE_JUNK] = {"Junk Email", "Junk-E-Mail", "Courrier indésirable", "迷惑メール"},
};

const char *store_role_name(enum role role)
{
    static const char *const roles[ROLE_COUNT] = {
        [ROLE_INBOX] = "inbox",
        [ROLE_OUTBOX] = "outbox",
        [ROLE_SENT] = "sent",
        [ROLE_DELETED] = "deleted",
        [ROLE_DRAFTS] = "drafts",
        [ROLE_CALENDAR] = "calendar",
        [ROLE_CONTACTS] = "contacts",
        [ROLE_TASKS] = "tasks",
        [ROLE_NOTES] = "notes",
        [ROLE_JOURNAL] = "journal",
        [ROLE_SYNC_ISSUES] = "sync_issues",
        [ROLE_CONFLICTS] = "conflicts",
        [ROLE_LOCAL_FAILURES] = "local_failures",
        [ROLE_SERVER_FAILURES] = "server_failures",
        [ROLE_JUNK] = "junk",
        [ROLE_REMINDERS] = "search",
        [ROLE_TODO] = "search",
    };
    return roles[role];
}

size_t store_role(const struct store *s, enum role role)
{
    return s->by_role[role] > 0 ? s->by_role[role] - 1 : 0;
}

size_t store_folder(struct store *s, size_t parent, enum role role, const char *name,
                    const char *class, uint32_t nid)
{
    struct folder *grown = image_grow(s->img, s->folders, &s->folder_capacity, s->folder_count + 1,
                                      sizeof *s->folders);
    if (grown == NULL)
        return 0;
    s->folders = grown;
    bool search = role == ROLE_REMINDERS || role == ROLE_TODO;
    if (nid == 0)
        nid = image_nid(s->img, search ? 0x03 : 0x02);
    size_t index = s->folder_count++;
    struct folder *f = &s->folders[index];
    *f = (struct folder){.nid = nid,
                         .parent = parent,
                         .parent_nid = index == 0 ? nid : s->folders[parent].nid,
                         .role = role,
                         .name = arena_strdup(&s->arena, name),
                         .class = class,
                         .created = 132500000000000000u + nid * 10000u,
                         .search = search,
                         .mail_columns = class != NULL && strcmp(class, "IPF.Note") == 0};
    if (nid >= 0x2002 && nid <= 0x2242)
        store_mid(s, f->mid, 0, (nid - 0x2002) / 0x20);
    else
        store_mid(s, f->mid, 1, s->mid_next++);
    if (role != ROLE_NONE && s->by_role[role] == 0)
        s->by_role[role] = index + 1;
    if (index > 0)
        s->folders[parent].children++;
    if (f->name == NULL)
        image_fail(s->img, ERR_NOMEM);
    return index;
}

static size_t special(struct store *s, size_t parent, enum role role, const char *class,
                      uint32_t nid)
{
    return store_folder(s, parent, role, names[role][s->locale], class, nid);
}

static size_t ost_top(struct store *s, size_t root)
{
    size_t public = store_folder(s, root, ROLE_NONE, "Root - Public", NULL, 0x2002);
    store_folder(s, public, ROLE_NONE, "IPM_SUBTREE", NULL, 0x2022);
    size_t other = store_folder(s, public, ROLE_NONE, "NON_IPM_SUBTREE", NULL, 0x2042);
    size_t forms = store_folder(s, other, ROLE_NONE, "EFORMS REGISTRY", NULL, 0x2062);
    store_folder(s, forms, ROLE_NONE, "Organization Forms", NULL, 0x2082);
    size_t mailbox = store_folder(s, root, ROLE_MAILBOX, "Root - Mailbox", NULL, 0x20A2);
    store_folder(s, mailbox, ROLE_COMMON_VIEWS, "Common Views", NULL, 0x20C2);
    size_t finder = store_folder(s, mailbox, ROLE_FINDER, "Finder", NULL, 0x20E2);
    store_folder(s, mailbox, ROLE_NONE, "Shortcuts", NULL, 0x2102);
    store_folder(s, mailbox, ROLE_VIEWS, "Views", NULL, 0x2122);
    size_t ipm = store_folder(s, mailbox, ROLE_IPM, "IPM_SUBTREE", NULL, 0x2142);
    special(s, ipm, ROLE_DELETED, "IPF.Note", 0x2162);
    special(s, ipm, ROLE_INBOX, "IPF.Note", 0x2182);
    special(s, ipm, ROLE_OUTBOX, "IPF.Note", 0x21A2);
    special(s, ipm, ROLE_SENT, "IPF.Note", 0x21C2);
    store_folder(s, finder, ROLE_REMINDERS, "Reminders", "Outlook.Reminder", 0);
    store_folder(s, finder, ROLE_TODO, "To-Do Search", "IPF.Task", 0);
    return ipm;
}

static size_t pst_top(struct store *s, size_t root)
{
    size_t ipm = store_folder(s, root, ROLE_IPM, "Top of Outlook data file", NULL, 0);
    store_folder(s, root, ROLE_FINDER, "Search Root", NULL, 0);
    special(s, ipm, ROLE_DELETED, NULL, 0);
    special(s, ipm, ROLE_INBOX, "IPF.Note", 0);
    special(s, ipm, ROLE_OUTBOX, "IPF.Note", 0);
    special(s, ipm, ROLE_SENT, "IPF.Note", 0);
    store_folder(s, root, ROLE_VIEWS, "IPM_VIEWS", NULL, 0);
    store_folder(s, root, ROLE_COMMON_VIEWS, "IPM_COMMON_VIEWS", NULL, 0);
    store_folder(s, root, ROLE_REMINDERS, "Reminders", "Outlook.Reminder", 0);
    store_folder(s, root, ROLE_TODO, "To-Do Search", "IPF.Task", 0);
    return ipm;
}

void store_folders(struct store *s)
{
    size_t root = store_folder(s, 0, ROLE_ROOT, "", NULL, 0x122);
    size_t ipm = s->content == GEN_OST ? ost_top(s, root) : pst_top(s, root);
    special(s, ipm, ROLE_CALENDAR, "IPF.Appointment", 0);
    special(s, ipm, ROLE_CONTACTS, "IPF.Contact", 0);
    special(s, ipm, ROLE_DRAFTS, "IPF.Note", 0);
    special(s, ipm, ROLE_JOURNAL, "IPF.Journal", 0);
    special(s, ipm, ROLE_JUNK, "IPF.Note", 0);
    special(s, ipm, ROLE_NOTES, "IPF.StickyNote", 0);
    special(s, ipm, ROLE_TASKS, "IPF.Task", 0);
    size_t sync = special(s, ipm, ROLE_SYNC_ISSUES, "IPF.Note", 0);
    special(s, sync, ROLE_CONFLICTS, "IPF.Note", 0);
    special(s, sync, ROLE_LOCAL_FAILURES, "IPF.Note", 0);
    special(s, sync, ROLE_SERVER_FAILURES, "IPF.Note", 0);
}

static void entry_prop(struct store *s, struct bag *b, uint16_t id, enum role role)
{
    uint8_t entry[46];
    if (s->by_role[role] == 0)
        return;
    uint32_t size = store_folder_entry_id(s, &s->folders[s->by_role[role] - 1], entry);
    bag_data(b, id, T_BIN, entry, size);
}

/* 36D8: entry ids of conflicts, sync issues, local and server failures, junk; then four bytes. */
static void additional_entry_ids(struct store *s, struct bag *b)
{
    static const enum role roles[5] = {ROLE_CONFLICTS, ROLE_SYNC_ISSUES, ROLE_LOCAL_FAILURES,
                                       ROLE_SERVER_FAILURES, ROLE_JUNK};
    uint8_t list[28 + 5 * 46 + 4];
    uint32_t at = 28;
    put_le32(list, 6);
    for (uint32_t i = 0; i < 5; i++) {
        put_le32(list + 4 + 4 * i, at);
        at += store_folder_entry_id(s, &s->folders[store_role(s, roles[i])], list + at);
    }
    put_le32(list + 24, at);
    put_le32(list + at, 0x56E2BDA3);
    bag_data(b, 0x36D8, T_MULTI_BIN, list, at + 4);
}

/* 36D9: blocks of {u16 kind, u16 size, u16 id, u16 size, entry id}, ended by a zero block. */
static void persist_data(struct store *s, struct bag *b)
{
    uint8_t list[8 + 46 + 8];
    uint32_t size = store_folder_entry_id(s, &s->folders[store_role(s, ROLE_TODO)], list + 8);
    put_le16(list, 0x8004);
    put_le16(list + 2, (uint16_t)(size + 4));
    put_le16(list + 4, 1);
    put_le16(list + 6, (uint16_t)size);
    memset(list + 8 + size, 0, 4);
    bag_data(b, 0x36D9, T_BIN, list, 12 + size);
}

static void special_props(struct store *s, struct bag *b)
{
    entry_prop(s, b, 0x36D0, ROLE_CALENDAR);
    entry_prop(s, b, 0x36D1, ROLE_CONTACTS);
    entry_prop(s, b, 0x36D2, ROLE_JOURNAL);
    entry_prop(s, b, 0x36D3, ROLE_NOTES);
    entry_prop(s, b, 0x36D4, ROLE_TASKS);
    entry_prop(s, b, 0x36D5, ROLE_REMINDERS);
    entry_prop(s, b, 0x36D7, ROLE_DRAFTS);
    additional_entry_ids(s, b);
    persist_data(s, b);
}

static void ost_folder_props(struct store *s, const struct folder *f, struct bag *b)
{
    uint8_t key[22], pcl[23];
    bag_data(b, 0x3004, T_TEXT, "", 0);
    bag_time(b, 0x3007, f->created);
    bag_time(b, 0x3008, f->created + 600000000u);
    bag_i32(b, 0x3617, f->assoc);
    bag_bool(b, 0x3FE4, false);
    bag_bool(b, 0x3FE5, false);
    bag_i32(b, 0x6638, (uint32_t)f->children);
    bag_i32(b, 0x6639, 1531);
    if (f->role == ROLE_ROOT)
        return;
    uint8_t size = store_change_key(s, key, f->role != ROLE_DELETED, s->change_next++);
    pcl[0] = size;
    memcpy(pcl + 1, key, size);
    bag_data(b, 0x65E2, T_BIN, key, size);
    bag_data(b, 0x65E3, T_BIN, pcl, size + 1u);
    bag_fixed(b, 0x67F4, T_I64, le64(f->mid));
}

static void write_folder_pc(struct store *s, struct folder *f)
{
    struct bag b;
    bag_init(&b, &s->item_arena, 40);
    bag_text(&b, 0x3001, f->name);
    bag_i32(&b, 0x3602, f->search ? (uint32_t)s->found_count : f->items);
    bag_i32(&b, 0x3603, f->unread);
    bag_bool(&b, 0x360A, f->children > 0);
    if (f->class != NULL)
        bag_text(&b, 0x3613, f->class);
    if (s->content == GEN_OST)
        ost_folder_props(s, f, &b);
    if (f->role == ROLE_INBOX || (s->content == GEN_PST && f->role == ROLE_ROOT))
        special_props(s, &b);
    store_pc_node(s, f->nid, &b, f->parent_nid);
}

/* A table node that shares the blocks of its template. */
static void share_template(struct store *s, uint32_t nid, uint32_t template)
{
    const struct template *t = store_template(s, template);
    image_node(s->img, nid, t->data, t->sub, 0);
}

static void hierarchy_row(struct store *s, struct table *t, const struct folder *f)
{
    struct prop name = {.type = T_TEXT, .data = f->name, .size = (uint32_t)strlen(f->name)};
    table_row(t, f->nid);
    table_cell(t, 2, &name, s->codepage);
    table_fixed(t, 0x36020003, f->search ? s->found_count : f->items);
    table_fixed(t, 0x36030003, f->unread);
    table_fixed(t, 0x360A000B, f->children > 0);
    table_fixed(t, 0x66380003, f->children);
    table_fixed(t, 0x67F40014, le64(f->mid));
    for (size_t i = 0; f->class != NULL && i < t->columns->count; i++) {
        struct prop class = {.type = T_TEXT, .data = f->class, .size = (uint32_t)strlen(f->class)};
        if (t->columns->tags[i] >> 16 == 0x3613)
            table_cell(t, i, &class, s->codepage);
    }
    table_row_end(t);
}

/* Children in ascending order of NID; child: an order of all folders by NID. */
static void write_hierarchy(struct store *s, const struct folder *f, const uint32_t *order)
{
    struct table t;
    uint64_t data, sub;
    uint32_t nid = (f->nid & ~0x1Fu) | 0x0D;
    if (f->children == 0) {
        share_template(s, nid, 0x60D);
        return;
    }
    image_owner(s->img, nid);
    table_begin(&t, &s->ltp, &s->columns[COLUMNS_HIERARCHY], false);
    for (size_t i = 0; i < s->folder_count; i++) {
        const struct folder *child = &s->folders[order[i]];
        if (child != f && child->parent_nid == f->nid)
            hierarchy_row(s, &t, child);
    }
    table_finish(&t, &data, &sub);
    table_done(&t);
    image_node(s->img, nid, data, sub, 0);
}

static void write_contents(struct store *s, struct folder *f, int assoc)
{
    uint32_t nid = (f->nid & ~0x1Fu) | (assoc ? 0x0F : 0x0E);
    struct table *t = f->tables[assoc];
    uint64_t data, sub;
    if (t == NULL) {
        share_template(s, nid, assoc ? 0x60F : 0x60E);
    } else {
        image_owner(s->img, nid);
        table_finish(t, &data, &sub);
        table_done(t);
        mem_free(t);
        f->tables[assoc] = NULL;
        image_node(s->img, nid, data, sub, 0);
    }
    if (s->content == GEN_PST)
        return;
    uint32_t index = (f->nid & ~0x1Fu) | (assoc ? 0x15 : 0x14);
    if (f->mid_counts[assoc] == 0)
        share_template(s, index, 0x614);
    else
        index_node(s, index, f->mids[assoc], f->mid_counts[assoc]);
}

/* Rows of a search folder name items of other folders (67F1: which). */
static void write_search(struct store *s, const struct folder *f)
{
    struct table t;
    struct bag b;
    uint64_t data, sub;
    uint32_t nid = (f->nid & ~0x1Fu) | 0x10;
    image_node(s->img, (f->nid & ~0x1Fu) | 0x06, 0, 0, 0);
    bag_init(&b, &s->item_arena, 8);
    bag_i32(&b, 0x660B, 0);
    store_pc_node(s, (f->nid & ~0x1Fu) | 0x07, &b, 0);
    if (f->role != ROLE_TODO || s->found_count == 0) {
        share_template(s, nid, 0x610);
        return;
    }
    image_owner(s->img, nid);
    table_begin(&t, &s->ltp, &s->columns[COLUMNS_SEARCH], false);
    for (size_t i = 0; i < s->found_count; i++) {
        table_row(&t, s->found[i]);
        table_fixed(&t, 0x67F10003, s->folders[store_role(s, ROLE_INBOX)].nid);
        table_fixed(&t, 0x0E070003, 1);
        table_row_end(&t);
    }
    table_finish(&t, &data, &sub);
    table_done(&t);
    image_node(s->img, nid, data, sub, 0);
}

static uint32_t *folders_by_nid(struct store *s)
{
    uint32_t *order = mem_alloc_array(s->folder_count + 1, sizeof *order);
    for (uint32_t i = 0; order != NULL && i < s->folder_count; i++) {
        uint32_t k = i;
        for (; k > 0 && s->folders[order[k - 1]].nid > s->folders[i].nid; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    return order;
}

void folders_finish(struct store *s)
{
    uint32_t *order = folders_by_nid(s);
    if (order == NULL)
        image_fail(s->img, ERR_NOMEM);
    for (size_t i = 0; i < s->folder_count && image_error(s->img) == 0; i++) {
        struct folder *f = &s->folders[i];
        write_folder_pc(s, f);
        write_hierarchy(s, f, order);
        if (f->search) {
            write_search(s, f);
            continue;
        }
        write_contents(s, f, 0);
        write_contents(s, f, 1);
    }
    mem_free(order);
}
