/*
 * signs.c: see signs.h.
 *
 * Where an item is kept follows from its folder's role, which roles.h finds by properties, never by
 * name. Change keys stand in contents rows alone; the server's have 22 bytes, and those of clients
 * another length (seen on real OSTs; what it means was not checked against a server). Associated
 * items are settings of clients and views, of which every healthy OST has some of client form: no
 * sign is taken from them.
 */
#include "scanner/check/signs.h"

#include <string.h>

#include "scanner/check/tally.h"

enum { SERVER_KEY_SIZE = 22, MSGFLAG_UNSENT = 0x08 };

static const struct sign {
    enum chk_strength strength;
    const char *text;
} signs[SIGNS] = {
    [SIGN_LOCAL_FAILURES] = {STRENGTH_STRONG,
                             "items in Local Failures, which could not be put on the server"},
    [SIGN_CONFLICTS] = {STRENGTH_STRONG,
                        "items in Conflicts, versions that differ from the server's"},
    [SIGN_UNSENT] = {STRENGTH_STRONG, "unsent items in the Outbox"},
    [SIGN_OUTBOX] = {STRENGTH_WEAK, "items in the Outbox that are not flagged as unsent"},
    [SIGN_LOCAL_FOLDER] = {STRENGTH_WEAK,
                           "items in folders that may be kept on this computer only"},
    [SIGN_CLIENT_KEY] = {STRENGTH_WEAK,
                         "items whose last change may not have reached the server (change keys of "
                         "client form)"},
    [SIGN_NO_KEY] = {STRENGTH_WEAK, "items that may never have reached the server (no change key)"},
};

enum chk_strength tally_sign_strength(enum tally_sign sign)
{
    return signs[sign].strength;
}

const char *tally_sign_text(enum tally_sign sign)
{
    return signs[sign].text;
}

static enum tally_place place_of(const struct chk_folder_place *place, bool in_mailbox)
{
    static const struct {
        const char *role;
        enum tally_place place;
    } places[] = {
        {"outbox", PLACE_OUTBOX},
        {"sync_issues", PLACE_LOGS},
        {"conflicts", PLACE_CONFLICTS},
        {"local_failures", PLACE_LOCAL_FAILURES},
        {"server_failures", PLACE_SERVER_FAILURES},
    };

    for (size_t i = 0; place->role && i < sizeof places / sizeof *places; i++)
        if (strcmp(place->role, places[i].role) == 0)
            return places[i].place;
    /* OSTs give such ids to folders of theirs that the server has under another: all have roles. */
    return in_mailbox && !place->role && place->local_id ? PLACE_LOCAL : PLACE_SERVED;
}

int chk_tally_place(struct chk_tally *t, const struct chk_folder_place *place)
{
    struct tally_folder *f;
    bool in_mailbox;
    int err = tally_folder_of(t, place->parent, &f);

    if (err)
        return err;
    in_mailbox = f->in_mailbox;
    err = tally_folder_of(t, place->nid, &f);
    if (err)
        return err;
    f->place = place_of(place, in_mailbox);
    f->in_mailbox = in_mailbox || (place->role && strcmp(place->role, "ipm_subtree") == 0);
    return 0;
}

static void note(struct tally_signs *s, enum tally_sign sign, const struct chk_item_marks *marks)
{
    s->counts[sign]++;
    tally_nids_add(&s->items[sign], marks->nid);
    tally_nids_add(&s->folders[sign], marks->folder);
}

static void note_signs(struct tally_signs *s, enum tally_place place,
                       const struct chk_item_marks *marks)
{
    switch (place) {
    case PLACE_LOCAL_FAILURES:
        note(s, SIGN_LOCAL_FAILURES, marks);
        return;
    case PLACE_CONFLICTS:
        note(s, SIGN_CONFLICTS, marks);
        return;
    case PLACE_OUTBOX:
        note(s, marks->has_flags && marks->flags & MSGFLAG_UNSENT ? SIGN_UNSENT : SIGN_OUTBOX,
             marks);
        return;
    case PLACE_LOCAL:
        note(s, SIGN_LOCAL_FOLDER, marks);
        return;
    case PLACE_LOGS:
    case PLACE_SERVER_FAILURES:
        return;
    case PLACE_SERVED:
        break;
    }
    if (!marks->has_row)
        return;
    if (!marks->change_key_size)
        note(s, SIGN_NO_KEY, marks);
    else if (marks->change_key_size != SERVER_KEY_SIZE)
        note(s, SIGN_CLIENT_KEY, marks);
}

int chk_tally_marks(struct chk_tally *t, const struct chk_item_marks *marks)
{
    struct tally_folder *f;
    int err = tally_folder_of(t, marks->folder, &f);

    if (err)
        return err;
    if (!marks->has_size)
        f->download.unsized++;
    else if (marks->size_bytes <= UINT64_MAX - f->download.bytes)
        f->download.bytes += marks->size_bytes;
    if (!marks->assoc)
        note_signs(&t->signs, f->place, marks);
    return 0;
}

/* Where the pair of folder and code stands, or belongs. */
static size_t error_place(const struct tally_signs *s, uint32_t code, uint32_t folder)
{
    size_t i = 0;

    while (i < s->error_count && (s->errors[i].folder < folder ||
                                  (s->errors[i].folder == folder && s->errors[i].code < code)))
        i++;
    return i;
}

void chk_tally_sync_error(struct chk_tally *t, uint32_t log, uint32_t code, uint32_t folder,
                          uint64_t filetime)
{
    struct tally_signs *s = &t->signs;
    size_t i = error_place(s, code, folder);
    struct chk_sync_error *e = &s->errors[i];
    bool known = i < s->error_count && e->folder == folder && e->code == code;

    s->error_total++;
    tally_nids_least(&s->logs, log);
    if (!known) {
        /* The first by folder and code are kept, in whatever order they come: one that gave way to
         * them never comes back. */
        if (i == CHK_SYNC_ERRORS)
            return;
        s->error_count -= s->error_count == CHK_SYNC_ERRORS;
        memmove(e + 1, e, (s->error_count - i) * sizeof *e);
        s->error_count++;
        *e = (struct chk_sync_error){.code = code, .folder = folder};
    }
    e->count++;
    if (!filetime)
        return;
    if (!e->first || filetime < e->first)
        e->first = filetime;
    if (filetime > e->last)
        e->last = filetime;
}
