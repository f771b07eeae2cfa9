/*
 * store.h: the messaging layer of an image that is being written: the store, its folders and
 * tables, and the items in them, as an OST or as a PST has them (FORMAT.md section 11).
 *
 * Errors are kept in the image. Threads: one.
 */
#ifndef TESTS_GEN_STORE_H
#define TESTS_GEN_STORE_H

#include "tests/gen/item.h"
#include "tests/gen/ltp.h"
#include "tests/gen/table.h"

enum role {
    ROLE_NONE,
    ROLE_ROOT, /* 0x122 */
    ROLE_MAILBOX,
    ROLE_IPM,
    ROLE_INBOX,
    ROLE_OUTBOX,
    ROLE_SENT,
    ROLE_DELETED,
    ROLE_DRAFTS,
    ROLE_CALENDAR,
    ROLE_CONTACTS,
    ROLE_TASKS,
    ROLE_NOTES,
    ROLE_JOURNAL,
    ROLE_SYNC_ISSUES,
    ROLE_CONFLICTS,
    ROLE_LOCAL_FAILURES,
    ROLE_SERVER_FAILURES,
    ROLE_JUNK,
    ROLE_VIEWS,
    ROLE_COMMON_VIEWS,
    ROLE_FINDER,
    ROLE_REMINDERS, /* a search folder */
    ROLE_TODO,      /* a search folder */
    ROLE_COUNT,
};

struct mid_entry {
    uint8_t mid[8];
    uint32_t nid;
};

struct folder {
    uint32_t nid, parent_nid;
    size_t parent;
    enum role role;
    const char *name, *class; /* class may be NULL */
    uint64_t created;
    uint8_t mid[8]; /* as stored; OST */
    bool search, mail_columns;
    uint32_t items, unread, assoc;
    struct table *tables[2]; /* contents, associated; NULL while empty */
    struct mid_entry *mids[2];
    size_t mid_counts[2], mid_capacities[2];
    size_t children;
};

enum column_set {
    COLUMNS_HIERARCHY,
    COLUMNS_CONTENTS,
    COLUMNS_CONTENTS_MAIL,
    COLUMNS_ASSOC,
    COLUMNS_SEARCH,
    COLUMNS_RECIPIENTS,
    COLUMNS_ATTACHMENTS,
    COLUMNS_RECEIVE,
    COLUMNS_OUTGOING,
    COLUMNS_OTHER,
    COLUMNS_FOLDER_STATES,
    COLUMN_SETS,
};

struct template
{
    uint32_t nid;
    uint64_t data, sub;
};

enum { TEMPLATES = 13 };

struct store {
    struct image *img;
    struct ltp ltp;
    struct name_map names;
    enum gen_content content;
    bool exchange; /* of an OST: it says whose account it is */
    bool server;   /* a mailbox export: change keys in the items */
    uint64_t seed;
    unsigned locale; /* 0 en, 1 de, 2 fr, 3 ja */
    uint32_t codepage;
    uint8_t provider[16], replica[16], client[16]; /* GUIDs: entry ids, change keys */
    struct table_columns columns[COLUMN_SETS];
    struct template templates[TEMPLATES];
    struct folder *folders;
    size_t folder_count, folder_capacity;
    size_t by_role[ROLE_COUNT]; /* index + 1 */
    uint64_t mid_next, change_next;
    struct arena arena; /* folder names and the like, kept to the end */
    struct arena item_arena;
    struct bag row;  /* of the contents row being written */
    uint32_t *found; /* message nids in the to-do search folder */
    size_t found_count, found_capacity;
};

/* Damage made while an item is written, with right checksums. */
struct item_flaws {
    enum object_flaw object;
    enum subnode_flaw subnode;
    bool no_row;    /* no contents row names it */
    bool two_rows;  /* two do */
    bool no_parent; /* its node names a folder that is not there */
};

/* What an item became in this image. */
struct written_item {
    uint32_t nid, folder;
    uint8_t mid[8];
    uint8_t change_key[22];
    uint8_t change_key_size;
    uint32_t size;
};

int store_create(struct image *img, uint64_t seed, struct store **out);
void store_destroy(struct store *s); /* NULL is allowed */

/* A folder; nid 0: the next one. Returns its index. class may be NULL. */
size_t store_folder(struct store *s, size_t parent, enum role role, const char *name,
                    const char *class, uint32_t nid);
/* The tree that every mailbox has. */
void store_folders(struct store *s);
size_t store_role(const struct store *s, enum role role);
const char *store_role_name(enum role role); /* as manifests name it; NULL none */

/* message.c: writes the item, and its row. A deleted one is gone at once, its bytes stay; its NID
 * comes back. */
void store_item(struct store *s, size_t folder, struct item *it, const struct item_flaws *flaws,
                struct written_item *out);
uint32_t store_deleted_item(struct store *s, size_t folder, struct item *it);

/* A contents row without a node: its NID. */
uint32_t store_ghost_row(struct store *s, size_t folder);
/* Blocks that nobody refers to, leaked space. */
void store_oddities(struct store *s);

/* Writes folders, tables, store and all other nodes. */
void store_finish(struct store *s);

/* Shared by store.c, folders.c and message.c. */
void store_mid(struct store *s, uint8_t mid[8], uint16_t replica, uint64_t counter);
uint8_t store_change_key(struct store *s, uint8_t key[22], bool server, uint64_t counter);
uint32_t store_folder_entry_id(const struct store *s, const struct folder *f, uint8_t out[46]);
const struct template *store_template(const struct store *s, uint32_t nid);
/* Writes a bag as a node's property context; bag sorted here. */
void store_pc_node(struct store *s, uint32_t nid, struct bag *bag, uint32_t parent);
void folders_finish(struct store *s);
void index_node(struct store *s, uint32_t nid, const struct mid_entry *list, size_t count);

#endif
