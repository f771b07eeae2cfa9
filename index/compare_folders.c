/* compare_folders.c: see compare_folders.h. Folders of the image stand in a hash table by (number
 * of the parent, name); those of the server's are settled from the top down. */
#include "index/compare_folders.h"

#include <string.h>
#include <strings.h>

#include "index/compare_value.h"
#include "io/err.h"
#include "io/mem.h"

/* Above all folders of a mailbox that it shows. */
enum { TOP = CMP_NO_FOLDER - 1, UNSETTLED = CMP_NO_FOLDER };

struct named {
    uint64_t hash;
    uint32_t index;
};

enum { ROLES = 64 };

struct unify {
    struct cmp_side *image, *server;
    uint32_t roles[ROLES]; /* of the image: the first folder of each role */
    size_t role_count;
    struct named *slots;
    size_t slot_count;
    uint32_t *settled; /* of the server's: unified, TOP, or UNSETTLED */
    uint32_t next;
    struct cmp_values values;
};

static uint64_t name_hash(struct unify *u, uint32_t parent, const char *name, int *code)
{
    struct bytes text = cmp_normal(&u->values, bytes_text(name), true, code);

    return cmp_mark_of(text) ^ (parent + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15);
}

/* The image's number for a parent: TOP for the top folder and where there is none. */
static uint32_t parent_of(const struct cmp_side *s, uint32_t index)
{
    const uint32_t parent = s->folders[index].parent;

    if (parent == CMP_NO_FOLDER || parent == index || s->folders[parent].kind == CMP_FOLDER_TOP)
        return TOP;
    return parent;
}

static int index_image(struct unify *u)
{
    const struct cmp_side *s = u->image;
    int code = 0;

    u->slot_count = 64;
    while (u->slot_count < s->folder_count * 2)
        u->slot_count *= 2;
    u->slots = mem_zalloc(u->slot_count * sizeof *u->slots);
    if (!u->slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->folder_count; i++) {
        size_t at;

        s->folders[i].unified = i;
        if (!s->folders[i].name)
            continue;
        uint64_t hash = name_hash(u, parent_of(s, i), s->folders[i].name, &code);

        at = hash & (u->slot_count - 1);
        while (u->slots[at].hash)
            at = (at + 1) & (u->slot_count - 1);
        u->slots[at] = (struct named){hash, i};
    }
    return code;
}

static uint32_t by_name(struct unify *u, uint32_t parent, const char *name, int *code)
{
    const uint64_t hash = name_hash(u, parent, name, code);
    size_t at = hash & (u->slot_count - 1);

    while (u->slots[at].hash) {
        const uint32_t index = u->slots[at].index;

        if (u->slots[at].hash == hash && u->image->folders[index].kind != CMP_FOLDER_TOP)
            return index;
        at = (at + 1) & (u->slot_count - 1);
    }
    return CMP_NO_FOLDER;
}

static uint32_t by_role(const struct unify *u, const char *role)
{
    for (size_t i = 0; role && i < u->role_count; i++)
        if (strcmp(u->image->folders[u->roles[i]].role, role) == 0)
            return u->roles[i];
    return CMP_NO_FOLDER;
}

static void index_roles(struct unify *u)
{
    for (uint32_t i = 0; i < u->image->folder_count && u->role_count < ROLES; i++) {
        const char *role = u->image->folders[i].role;

        if (role && by_role(u, role) == CMP_NO_FOLDER)
            u->roles[u->role_count++] = i;
    }
}

/* What an input that does not tell roles calls them in English. */
static const char *role_of_name(const char *name)
{
    static const struct {
        const char *name, *role;
    } names[] = {{"Inbox", "inbox"},
                 {"Outbox", "outbox"},
                 {"Sent Items", "sent"},
                 {"Deleted Items", "deleted"},
                 {"Drafts", "drafts"},
                 {"Junk Email", "junk"},
                 {"Junk E-mail", "junk"},
                 {"Calendar", "calendar"},
                 {"Contacts", "contacts"},
                 {"Tasks", "tasks"},
                 {"Notes", "notes"},
                 {"Journal", "journal"},
                 {"Sync Issues", "sync_issues"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i].name) == 0)
            return names[i].role;
    return NULL;
}

static bool has_top(const struct cmp_side *s)
{
    for (size_t i = 0; i < s->folder_count; i++)
        if (s->folders[i].kind == CMP_FOLDER_TOP)
            return true;
    return false;
}

/* Of a folder whose parent is settled. */
static int settle(struct unify *u, uint32_t index, uint32_t parent)
{
    struct cmp_folder *f = &u->server->folders[index];
    uint32_t found = CMP_NO_FOLDER;
    int code = 0;

    if (f->kind == CMP_FOLDER_TOP ||
        (f->parent == index && u->server->input == CMP_INPUT_MANIFEST)) {
        u->settled[index] = TOP;
        f->unified = CMP_NO_FOLDER;
        found = f->kind == CMP_FOLDER_TOP ? by_role(u, "ipm_subtree") : CMP_NO_FOLDER;
        if (found != CMP_NO_FOLDER)
            f->unified = found;
        else if (f->kind == CMP_FOLDER_TOP)
            f->unified = u->next++;
        return 0;
    }
    if (f->kind == CMP_FOLDER_PLAIN)
        found = by_role(u, f->role);
    if (found == CMP_NO_FOLDER && f->name && f->kind == CMP_FOLDER_PLAIN &&
        (parent == TOP || parent < u->image->folder_count))
        found = by_name(u, parent, f->name, &code);
    if (found == CMP_NO_FOLDER && f->name && f->kind == CMP_FOLDER_PLAIN && parent == TOP &&
        u->server->input != CMP_INPUT_MANIFEST)
        found = by_role(u, role_of_name(f->name));
    if (found == CMP_NO_FOLDER && f->name)
        found = u->next++;
    u->settled[index] = found == CMP_NO_FOLDER ? TOP : found;
    f->unified = found;
    return code;
}

/* Settles the folders above first. What stands in a circle hangs from the top. */
static int settle_chain(struct unify *u, uint32_t index)
{
    uint32_t chain[CMP_FOLDER_DEPTH], parent = TOP;
    size_t depth = 0;

    while (index != CMP_NO_FOLDER && u->settled[index] == UNSETTLED && depth < CMP_FOLDER_DEPTH) {
        const uint32_t up = u->server->folders[index].parent;

        chain[depth++] = index;
        index = up == index ? CMP_NO_FOLDER : up;
    }
    if (index != CMP_NO_FOLDER && u->settled[index] != UNSETTLED)
        parent = u->settled[index];
    while (depth) {
        const uint32_t at = chain[--depth];
        int code = u->settled[at] == UNSETTLED ? settle(u, at, parent) : 0;

        if (code)
            return code;
        parent = u->settled[at];
    }
    return 0;
}

/* A manifest whose engine could not tell the top: its root is as good. */
static void choose_tops(struct unify *u)
{
    struct cmp_side *const sides[] = {u->image, u->server};

    for (int i = 0; i < 2; i++) {
        uint32_t root = 0;

        while (root < sides[i]->folder_count &&
               (!sides[i]->folders[root].role || strcmp(sides[i]->folders[root].role, "root") != 0))
            root++;
        if (root == sides[i]->folder_count)
            continue;
        if (sides[i]->input == CMP_INPUT_MANIFEST && !has_top(sides[i]))
            sides[i]->folders[root].kind = CMP_FOLDER_TOP;
    }
}

int cmp_unify(struct cmp_side *image, struct cmp_side *server, size_t *count)
{
    struct unify u = {.image = image, .server = server, .next = (uint32_t)image->folder_count};
    const size_t n = server->folder_count + 1;
    int code;

    choose_tops(&u);
    index_roles(&u);
    code = index_image(&u);
    u.settled = mem_alloc_array(n, sizeof *u.settled);
    if (!u.settled)
        code = ERR_NOMEM;
    if (!code)
        memset(u.settled, 0xFF, n * sizeof *u.settled);
    for (uint32_t i = 0; !code && i < server->folder_count; i++)
        code = settle_chain(&u, i);
    *count = u.next;
    mem_free(u.slots);
    mem_free(u.settled);
    cmp_values_done(&u.values);
    return code;
}
