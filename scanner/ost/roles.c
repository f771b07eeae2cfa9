/*
 * roles.c: see roles.h.
 *
 * Where it is written which folder is which, in the order in which it is believed:
 *
 *   the root folder     its own parent
 *   store (0x21)        35E0, 35E2 … 35E7, in PSTs; OSTs lack them
 *   receive folder      the inbox
 *   inbox               36D0 … 36D9, 36E4, 35FF
 *   root folder         the same, kept there too in PSTs
 *   OST, local ids      folders that the OST makes for itself have a 67F4 of replica 0 and a fixed
 *                       counter (the same in all OSTs at hand, 512-byte and 4096-byte pages)
 *
 * Where no receive folder is known the inbox is the one folder below the root that carries
 * properties of the third kind, or the OST's local one.
 *
 * The entry ids are of two forms:
 *
 *   PST   0 u32 flags | 4 store uid[16] | 20 u32 nid
 *   OST   0 u32 flags | 4 provider uid[16] | 20 u16 type | 22 replica guid[16] | 38 counter[6] | 44
 * 0
 *
 * The OST form names a folder by the counter in its 67F4 (u16 replica id, counter[6]); the guid is
 * translated to a replica id in node 0x801, which is not needed: a counter that only one folder
 * with a server's replica id has is that folder, and of two neither is taken.
 * A PST form with another store's uid occurs in files that were copied; it counts when the folder
 * is of the class that goes with the role.
 */
#include "scanner/ost/roles.h"

#include <string.h>

#include "scanner/ost/header.h"

enum {
    NID_TYPE_MASK = 0x1F,
    NID_SEARCH_FOLDER = 0x03,
    ENTRY_NID_SIZE = 24,
    ENTRY_SERVER_SIZE = 46,
    ENTRY_UID = 4,
    ENTRY_NID = 20,
    ENTRY_TYPE = 20,
    ENTRY_COUNTER = 38,
    ENTRY_TYPE_PRIVATE = 1,
    MID_COUNTER = 2,
    COUNTER_SIZE = 6,
    UID_SIZE = 16,
    PID_RECORD_KEY = 0x0FF9,
    PID_CONTAINER_CLASS = 0x3613,
    PID_MID = 0x67F4,
    PID_REN_IDS = 0x36D8,
    PID_REN_IDS_EX = 0x36D9,
    PID_FREEBUSY_IDS = 0x36E4,
    REN_EX_ELEMENT_ENTRY_ID = 1,
};

struct tree {
    struct ost_folder *folders;
    size_t count;
    struct bytes store_uid;
};

struct place {
    uint16_t id; /* property; with `at` an element of it */
    uint16_t at; /* index into a multi-value, or persist id of 36D9 */
    const char *role;
    const char *class; /* ASCII; the folder's class starts with it */
};

static const struct place in_store[] = {
    {0x35E0, 0, "ipm_subtree", NULL}, {0x35E2, 0, "outbox", NULL},
    {0x35E3, 0, "deleted", NULL},     {0x35E4, 0, "sent", NULL},
    {0x35E5, 0, "views", NULL},       {0x35E6, 0, "common_views", NULL},
    {0x35E7, 0, "finder", NULL},
};

static const struct place in_inbox[] = {
    {0x36D0, 0, "calendar", "IPF.Appointment"},
    {0x36D1, 0, "contacts", "IPF.Contact"},
    {0x36D2, 0, "journal", "IPF.Journal"},
    {0x36D3, 0, "notes", "IPF.StickyNote"},
    {0x36D4, 0, "tasks", "IPF.Task"},
    {0x36D5, 0, "reminders", "Outlook.Reminder"},
    {0x36D6, 0, "reminders", "Outlook.Reminder"},
    {0x36D7, 0, "drafts", "IPF.Note"},
    {0x35FF, 0, "archive", "IPF.Note"},
    {PID_REN_IDS, 0, "conflicts", "IPF.Note"},
    {PID_REN_IDS, 1, "sync_issues", "IPF.Note"},
    {PID_REN_IDS, 2, "local_failures", "IPF.Note"},
    {PID_REN_IDS, 3, "server_failures", "IPF.Note"},
    {PID_REN_IDS, 4, "junk", "IPF.Note"},
    {PID_REN_IDS_EX, 0x8001, "rss_feeds", "IPF.Note.OutlookHomepage"},
    {PID_REN_IDS_EX, 0x8002, "tracked_mail", "IPF.Note"},
    {PID_REN_IDS_EX, 0x8004, "todo_search", "IPF.Task"},
    {PID_REN_IDS_EX, 0x8006, "conversation_actions", "IPF.Configuration"},
    {PID_REN_IDS_EX, 0x8007, "quick_steps", "IPF.Configuration"},
    {PID_REN_IDS_EX, 0x8008, "suggested_contacts", "IPF.Contact"},
    {PID_REN_IDS_EX, 0x8009, "contact_search", "IPF"},
    {PID_REN_IDS_EX, 0x800A, "im_contacts", "IPF.Contact"},
    {PID_REN_IDS_EX, 0x800B, "quick_contacts", "IPF.Contact"},
    {PID_FREEBUSY_IDS, 3, "freebusy", NULL},
};

/* Counters of replica 0, parents before children: each counts only below its proper parent. */
static const struct local {
    uint8_t counter, parent;
    const char *role;
} locals[] = {
    {0x06, 0x05, "common_views"}, {0x07, 0x05, "finder"},      {0x08, 0x05, "shortcuts"},
    {0x09, 0x05, "views"},        {0x0A, 0x05, "ipm_subtree"}, {0x0B, 0x0A, "deleted"},
    {0x0C, 0x0A, "inbox"},        {0x0D, 0x0A, "outbox"},      {0x0E, 0x0A, "sent"},
};

static bool is_root(const struct ost_folder *f)
{
    return f->parent == f->nid;
}

static struct ost_folder *by_nid(const struct tree *t, uint32_t nid)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->folders[i].nid == nid)
            return &t->folders[i];
    return NULL;
}

/* The 8 bytes of a folder's 67F4, or NULL. */
static const uint8_t *mid_of(const struct ost_folder *f)
{
    const struct ost_prop *mid = ost_props_find(f->props, PID_MID, OST_I64);

    return mid && mid->value.size == 8 ? mid->value.data : NULL;
}

static struct ost_folder *by_server_counter(const struct tree *t, const uint8_t *counter)
{
    struct ost_folder *found = NULL;

    for (size_t i = 0; i < t->count; i++) {
        const uint8_t *mid = mid_of(&t->folders[i]);

        if (!mid || le16(mid) == 0 || memcmp(mid + MID_COUNTER, counter, COUNTER_SIZE) != 0)
            continue;
        if (found)
            return NULL;
        found = &t->folders[i];
    }
    return found;
}

static struct ost_folder *by_local_counter(const struct tree *t, uint8_t counter)
{
    const uint8_t wanted[8] = {[7] = counter};

    for (size_t i = 0; i < t->count; i++) {
        const uint8_t *mid = mid_of(&t->folders[i]);

        if (mid && memcmp(mid, wanted, sizeof wanted) == 0)
            return &t->folders[i];
    }
    return NULL;
}

static unsigned upper(unsigned c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

/* True when the folder's container class begins with `prefix`, ASCII case aside. */
static bool is_of_class(const struct ost_folder *f, const char *prefix)
{
    const struct ost_prop *p = ost_props_find(f->props, PID_CONTAINER_CLASS, OST_UNICODE);
    size_t length = strlen(prefix), width = p && p->type == OST_UNICODE ? 2 : 1;

    if (!p || p->value.size < length * width)
        return false;
    for (size_t i = 0; i < length; i++) {
        const uint8_t *at = p->value.data + i * width;

        if (upper(width == 2 ? le16(at) : *at) != upper((unsigned char)prefix[i]))
            return false;
    }
    return true;
}

static bool is_other_store(const struct tree *t, struct bytes id)
{
    return t->store_uid.size == UID_SIZE &&
           memcmp(id.data + ENTRY_UID, t->store_uid.data, UID_SIZE) != 0;
}

static struct ost_folder *by_entry_id(const struct tree *t, struct bytes id, const char *class)
{
    struct ost_folder *f = NULL;

    if (id.size == ENTRY_NID_SIZE)
        f = by_nid(t, le32(id.data + ENTRY_NID));
    if (f && is_other_store(t, id) && !(class && is_of_class(f, class)))
        return NULL;
    if (id.size == ENTRY_SERVER_SIZE && le16(id.data + ENTRY_TYPE) == ENTRY_TYPE_PRIVATE)
        f = by_server_counter(t, id.data + ENTRY_COUNTER);
    return f;
}

/* Element `index` of a PtypMultipleBinary value; empty when there is none. */
static struct bytes multi_at(struct bytes value, uint16_t index)
{
    struct bytes out = {0};
    uint32_t count = value.size >= 4 ? le32(value.data) : 0;
    size_t begin, end;

    if (index >= count || !range_fits(4, 4 * (uint64_t)count, value.size))
        return out;
    begin = le32(value.data + 4 + 4 * (size_t)index);
    end = index + 1u < count ? le32(value.data + 8 + 4 * (size_t)index) : value.size;
    if (begin <= end)
        bytes_slice(value, begin, end - begin, &out);
    return out;
}

/*
 * The entry id in block `wanted` of 36D9: blocks of u16 persist id, u16 size, elements; elements of
 * u16 element id, u16 size, data. Empty when there is none.
 */
static struct bytes persisted(struct bytes value, uint16_t wanted)
{
    struct bytes block, data;

    for (size_t at = 0; range_fits(at, 4, value.size); at += 4 + block.size) {
        if (!bytes_slice(value, at + 4, le16(value.data + at + 2), &block))
            break;
        if (le16(value.data + at) != wanted)
            continue;
        for (size_t in = 0; range_fits(in, 4, block.size); in += 4 + data.size) {
            if (!bytes_slice(block, in + 4, le16(block.data + in + 2), &data))
                break;
            if (le16(block.data + in) == REN_EX_ELEMENT_ENTRY_ID)
                return data;
        }
    }
    return (struct bytes){0};
}

static struct bytes entry_id_at(struct ost_props props, const struct place *place)
{
    bool multi = place->id == PID_REN_IDS || place->id == PID_FREEBUSY_IDS;
    const struct ost_prop *p =
        ost_props_find(props, place->id, multi ? OST_BINARY | OST_MULTI : OST_BINARY);

    if (!p)
        return (struct bytes){0};
    if (multi)
        return multi_at(p->value, place->at);
    return place->id == PID_REN_IDS_EX ? persisted(p->value, place->at) : p->value;
}

static bool is_taken(const struct tree *t, const char *role)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->folders[i].role && strcmp(t->folders[i].role, role) == 0)
            return true;
    return false;
}

static void give(const struct tree *t, struct ost_folder *f, const char *role)
{
    if (f && !f->role && !is_taken(t, role))
        f->role = role;
}

static void give_places(const struct tree *t, struct ost_props props, const struct place *places,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bytes id = entry_id_at(props, &places[i]);

        if (id.size)
            give(t, by_entry_id(t, id, places[i].class), places[i].role);
    }
}

static bool carries_places(const struct ost_folder *f)
{
    for (size_t i = 0; i < sizeof in_inbox / sizeof *in_inbox; i++)
        if (entry_id_at(f->props, &in_inbox[i]).size)
            return true;
    return false;
}

static struct ost_folder *find_inbox(const struct tree *t, uint32_t receive_folder)
{
    struct ost_folder *found = receive_folder ? by_nid(t, receive_folder) : NULL;

    if (found)
        return found;
    for (size_t i = 0; i < t->count; i++) {
        struct ost_folder *f = &t->folders[i];

        if (is_root(f) || f->role || !carries_places(f))
            continue;
        if (found)
            return NULL;
        found = f;
    }
    return found;
}

static void give_locals(const struct tree *t)
{
    for (size_t i = 0; i < sizeof locals / sizeof *locals; i++) {
        struct ost_folder *f = by_local_counter(t, locals[i].counter);
        const struct ost_folder *parent = by_local_counter(t, locals[i].parent);

        if (f && parent && f->parent == parent->nid)
            give(t, f, locals[i].role);
    }
}

void ost_roles_assign(const struct ost_image *image, uint32_t receive_folder,
                      struct ost_folder *folders, size_t count)
{
    const struct ost_prop *uid = ost_props_find(image->store, PID_RECORD_KEY, OST_BINARY);
    struct tree t = {folders, count, uid ? uid->value : (struct bytes){0}};
    struct ost_folder *root = NULL, *inbox;

    for (size_t i = 0; i < count; i++) {
        folders[i].role = NULL;
        if (is_root(&folders[i]) && !root)
            root = &folders[i];
    }
    give(&t, root, "root");
    give_places(&t, image->store, in_store, sizeof in_store / sizeof *in_store);
    inbox = find_inbox(&t, receive_folder);
    give(&t, inbox, "inbox");
    if (inbox)
        give_places(&t, inbox->props, in_inbox, sizeof in_inbox / sizeof *in_inbox);
    if (root)
        give_places(&t, root->props, in_inbox, sizeof in_inbox / sizeof *in_inbox);
    if (image->content == OST_CONTENT_OST)
        give_locals(&t);
    for (size_t i = 0; i < count; i++)
        if (!folders[i].role && (folders[i].nid & NID_TYPE_MASK) == NID_SEARCH_FOLDER)
            folders[i].role = "search";
}
