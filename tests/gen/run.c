#include "tests/gen/run.h"

#include <stdio.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"
#include "tests/gen/damage.h"
#include "tests/gen/truth.h"

/*
 * Position p in the order of writing holds content p + 1, or, where duplicates are planted, that
 * of an earlier position. What a position holds is a function of (seed, p) alone: the other side
 * of a comparison, another format or another target holds the same.
 */

enum {
    ANSI_ROWS_MAX = 60000,
    DELETED_EVERY = 41,
    LOCAL_ITEMS = 3,
    CHECKPOINT_EVERY = 150,
    LIBPFF_NODES = 19500
};

struct run {
    const struct gen_options *o;
    struct image *img;
    struct store *store;
    struct corpus *corpus;
    struct maker maker;
    size_t user_folders[128];
    size_t user_folder_count;
    struct truth truth;
    struct damage_quota quota;
    uint64_t written, assoc;
};

/* What became of a position on the two sides of a comparison. */
enum fate {
    FATE_SAME,
    FATE_MOVED,
    FATE_STATE,
    FATE_CONTENT,
    FATE_ONLY_OST,
    FATE_ONLY_SERVER,
    FATE_HEADER_ONLY,
    FATE_OUTSIDE_WINDOW,
    FATES,
};

static const char *const fate_names[FATES] = {
    "same",     "moved",       "state_differs", "content_differs",
    "only_ost", "only_server", "header_only",   "outside_window"};

static struct plan original_plan(const struct gen_options *o, uint64_t position)
{
    const struct profile *p = o->profile;
    struct plan plan = {0};
    if (position < p->script_count) {
        plan = p->script[position];
    } else {
        struct rng r = rng_of(o->seed, 11, position);
        uint32_t n = rng_below(&r, 100);
        uint32_t kind = 0;
        for (; n >= p->weights[kind]; kind++)
            n -= p->weights[kind];
        plan.kind = kind;
        plan.language = rng_chance(&r, 55) ? 0 : rng_below(&r, LANGUAGE_COUNT);
        plan.features = o->bare ? FEATURE_BARE : 0;
    }
    if (position == 0 && o->attachment_bytes > 0) {
        plan.kind = ITEM_MAIL;
        plan.features = FEATURE_BIG_ATTACHMENT;
        plan.number = o->attachment_bytes;
    }
    plan.content = position + 1;
    return plan;
}

static bool is_copy(const struct gen_options *o, uint64_t position)
{
    if (position < o->profile->script_count || position == 0)
        return false;
    struct rng r = rng_of(o->seed, 12, position);
    return rng_chance(&r, o->duplicates_percent);
}

/* What stands at a position: an original, a copy, or a copy with one change. */
static struct plan plan_of(const struct gen_options *o, uint64_t position)
{
    struct rng r = rng_of(o->seed, 14, position);
    uint64_t source = position;
    enum item_change change = CHANGE_NONE;
    if (is_copy(o, position) && rng_chance(&r, 40))
        change = 1 + rng_below(&r, CHANGE_COUNT - 1);
    while (is_copy(o, source)) {
        struct rng q = rng_of(o->seed, 15, source);
        source = rng_next(&q) % source;
    }
    struct plan plan = original_plan(o, source);
    plan.change = change;
    plan.position = position;
    return plan;
}

static enum fate fate_of(const struct gen_options *o, uint64_t position)
{
    struct rng r = rng_of(o->seed, 18, position);
    if (o->side == SIDE_NONE || is_copy(o, position) || !rng_chance(&r, o->drift_percent))
        return FATE_SAME;
    return 1 + rng_below(&r, FATES - 1);
}

/* Makes the plan that of this side. false: the item is not on it. */
static bool apply_fate(const struct gen_options *o, enum fate fate, struct plan *plan)
{
    bool server = o->side == SIDE_SERVER;
    struct rng r = rng_of(o->seed, 21, plan->position);
    if (fate == FATE_OUTSIDE_WINDOW)
        plan->old = true;
    if (fate == FATE_HEADER_ONLY && !server && plan->kind == ITEM_MAIL)
        plan->features = FEATURE_HEADER_ONLY;
    if (server && (fate == FATE_STATE || fate == FATE_CONTENT)) {
        plan->changed_here = true;
        plan->change = fate == FATE_STATE ? CHANGE_STATE : CHANGE_SUBJECT + rng_below(&r, 6);
    }
    return server ? fate != FATE_ONLY_OST : fate != FATE_ONLY_SERVER && fate != FATE_OUTSIDE_WINDOW;
}

static size_t user_folder(struct run *run, struct rng *r)
{
    if (run->user_folder_count == 0)
        return store_role(run->store, ROLE_INBOX);
    return run->user_folders[rng_below(r, (uint32_t)run->user_folder_count)];
}

static enum role mail_role(struct rng *r)
{
    uint32_t n = rng_below(r, 100);
    return n < 40   ? ROLE_INBOX
           : n < 60 ? ROLE_SENT
           : n < 65 ? ROLE_DELETED
           : n < 67 ? ROLE_DRAFTS
           : n < 68 ? ROLE_JUNK
           : n < 69 ? ROLE_OUTBOX
                    : ROLE_NONE;
}

static size_t folder_of(struct run *run, const struct plan *plan, enum fate fate)
{
    struct store *s = run->store;
    struct rng r = rng_of(run->o->seed, 16, plan->position);
    if (fate == FATE_MOVED && run->o->side == SIDE_SERVER && plan->kind == ITEM_MAIL)
        return store_role(s, ROLE_JUNK);
    enum role role = ROLE_NONE;
    if (run->o->one_folder)
        return store_role(s, ROLE_INBOX);
    if (plan->features & FEATURE_SYNC_LOG)
        return store_role(s, run->o->synced ? ROLE_INBOX : ROLE_SYNC_ISSUES);
    switch (plan->kind) {
    case ITEM_APPOINTMENT:
        role = ROLE_CALENDAR;
        break;
    case ITEM_CONTACT:
    case ITEM_DISTLIST:
    case ITEM_PERSON:
        role = ROLE_CONTACTS;
        break;
    case ITEM_TASK:
        role = ROLE_TASKS;
        break;
    case ITEM_NOTE:
        role = ROLE_NOTES;
        break;
    case ITEM_JOURNAL:
        role = ROLE_JOURNAL;
        break;
    case ITEM_CONFIG:
    case ITEM_VIEW:
        role = rng_chance(&r, 50) ? ROLE_INBOX : ROLE_CALENDAR;
        break;
    default:
        role = mail_role(&r);
        break;
    }
    if (role == ROLE_OUTBOX && run->o->synced)
        role = ROLE_DRAFTS;
    return role == ROLE_NONE ? user_folder(run, &r) : store_role(s, role);
}

/* ANSI tables number their rows with 16 bits: a full folder goes on in another. */
static size_t folder_with_room(struct run *run, size_t folder)
{
    struct store *s = run->store;
    if (run->img->variant->row_index_width > 2)
        return folder;
    while (s->folders[folder].items >= ANSI_ROWS_MAX) {
        size_t next = 0;
        for (size_t i = folder + 1; i < s->folder_count && next == 0; i++) {
            if (s->folders[i].parent == folder && s->folders[i].role == ROLE_NONE &&
                strcmp(s->folders[i].name, "more") == 0)
                next = i;
        }
        folder = next != 0 ? next : store_folder(s, folder, ROLE_NONE, "more", "IPF.Note", 0);
    }
    return folder;
}

static void make_user_folders(struct run *run)
{
    static const char *const stems[] = {"Project",       "Kunde", "Équipe",
                                        "Team 50% / Q3", "資料",  "Archive"};
    const struct profile *p = run->o->profile;
    struct store *s = run->store;
    size_t ipm = store_role(s, ROLE_IPM), parent = ipm;
    uint32_t depth = 0;
    for (uint32_t i = 0; i < p->user_folders && i < 128; i++) {
        char name[64];
        const char *stem = stems[i % 6];
        if (s->codepage == 1252 && strcmp(stem, "資料") == 0 && !run->img->variant->wide)
            stem = "Daten";
        if (s->codepage == 932 && strcmp(stem, "Équipe") == 0 && !run->img->variant->wide)
            stem = "Equipe";
        snprintf(name, sizeof name, "%s %u", stem, i + 1);
        size_t f = store_folder(s, parent, ROLE_NONE, name, "IPF.Note", 0);
        run->user_folders[run->user_folder_count++] = f;
        depth++;
        parent = depth < p->folder_depth ? f : ipm;
        if (parent == ipm)
            depth = 0;
    }
}

const char *gen_local_name(enum gen_local local)
{
    static const char *const local_names[LOCALS] = {"failures", "conflicts",  "unsent", "outbox",
                                                    "folder",   "client-key", "no-key", "logs"};
    return local_names[local];
}

static struct plan local_plan(enum gen_local local, uint64_t number)
{
    static const enum item_key keys[LOCALS] = {
        [LOCAL_FAILURES] = KEY_CLIENT, [LOCAL_CONFLICTS] = KEY_CLIENT,
        [LOCAL_UNSENT] = KEY_CLIENT,   [LOCAL_OUTBOX] = KEY_CLIENT,
        [LOCAL_FOLDER] = KEY_CLIENT,   [LOCAL_CLIENT_KEY] = KEY_CLIENT,
        [LOCAL_NO_KEY] = KEY_NONE,     [LOCAL_LOGS] = KEY_CLIENT};
    struct plan plan = {.content = (number + 1) ^ ((uint64_t)1 << 59),
                        .kind = ITEM_MAIL,
                        .key = keys[local],
                        .unsent = local == LOCAL_UNSENT};
    if (local == LOCAL_LOGS) {
        plan.features = FEATURE_SYNC_LOG;
        plan.number = number;
    }
    plan.position = number;
    return plan;
}

static size_t local_folder(struct store *s, enum gen_local local)
{
    size_t folder;
    switch (local) {
    case LOCAL_FAILURES:
        return store_role(s, ROLE_LOCAL_FAILURES);
    case LOCAL_CONFLICTS:
        return store_role(s, ROLE_CONFLICTS);
    case LOCAL_UNSENT:
    case LOCAL_OUTBOX:
        return store_role(s, ROLE_OUTBOX);
    case LOCAL_LOGS:
        return store_role(s, ROLE_SYNC_ISSUES);
    case LOCAL_FOLDER:
        folder = store_folder(s, store_role(s, ROLE_IPM), ROLE_NONE, "Local", "IPF.Note", 0);
        store_mid(s, s->folders[folder].mid, 0, 0x100);
        return folder;
    default:
        return store_role(s, ROLE_INBOX);
    }
}

static void write_local(struct run *run, enum gen_local local)
{
    static const struct item_flaws sound;
    struct store *s = run->store;
    size_t folder = local_folder(s, local);
    for (uint64_t i = 0; i < LOCAL_ITEMS && image_error(run->img) == 0; i++) {
        struct plan plan = local_plan(local, (uint64_t)local * LOCAL_ITEMS + i);
        struct truth_item about = {.local = gen_local_name(local)};
        struct written_item w = {0};
        arena_reset(&s->item_arena);
        struct item *it = item_make(&run->maker, &s->item_arena, &plan);
        if (it == NULL) {
            image_fail(run->img, ERR_NOMEM);
            return;
        }
        store_item(s, folder, it, &sound, &w);
        about.position = UINT32_MAX + plan.position;
        truth_item(&run->truth, it, &w, &about);
        run->written++;
    }
}

static void write_position(struct run *run, uint64_t position)
{
    struct store *s = run->store;
    struct plan plan = plan_of(run->o, position);
    enum fate fate = fate_of(run->o, position);
    if (run->o->synced)
        plan.key = KEY_SERVER;
    const char *fate_name = run->o->side == SIDE_NONE ? NULL : fate_names[fate];
    if (!apply_fate(run->o, fate, &plan)) {
        truth_absent(&run->truth, position, plan.content, fate_name);
        return;
    }
    arena_reset(&s->item_arena);
    struct item *it = item_make(&run->maker, &s->item_arena, &plan);
    if (it == NULL) {
        image_fail(run->img, ERR_NOMEM);
        return;
    }
    struct item_flaws flaws;
    struct written_item w = {0};
    struct rng r = rng_of(run->o->seed, 22, position);
    enum damage_kind flaw = damage_flaws(&run->quota, it, &r, &flaws);
    size_t folder = folder_with_room(run, folder_of(run, &plan, fate));
    uint64_t replaced = s->ltp.encoder.replaced;
    store_item(s, folder, it, &flaws, &w);
    struct truth_item about = {.position = position,
                               .fate = fate_name,
                               .flaw = flaw < DAMAGE_KINDS ? damage_name(flaw) : NULL,
                               .lossy = s->ltp.encoder.replaced > replaced,
                               .copy_of = plan.content != position + 1 ? plan.content : 0};
    truth_item(&run->truth, it, &w, &about);
    if (flaw < DAMAGE_KINDS)
        damage_written(&run->truth, flaw, w.nid, w.folder);
    run->written++;
    run->assoc += it->assoc;
}

/* An item that was there once: its bytes lie in free space, and stale pages name it. */
static void write_deleted(struct run *run, uint64_t position)
{
    struct plan plan = {.content = position ^ ((uint64_t)1 << 60), .kind = ITEM_MAIL};
    struct store *s = run->store;
    arena_reset(&s->item_arena);
    struct item *it = item_make(&run->maker, &s->item_arena, &plan);
    if (it != NULL)
        truth_deleted(&run->truth, store_deleted_item(s, store_role(s, ROLE_INBOX), it));
    image_checkpoint(run->img);
}

static bool enough(const struct run *run, uint64_t position)
{
    const struct gen_options *o = run->o;
    if (o->libpff_safe && run->img->node_count >= LIBPFF_NODES)
        return true;
    if (o->size_bytes > 0)
        return image_bytes(run->img) + o->size_bytes / 256 >= o->size_bytes;
    return position >= (o->items > 0 ? o->items : o->profile->items);
}

static void write_items(struct run *run)
{
    for (uint64_t p = 0; !enough(run, p) && image_error(run->img) == 0; p++) {
        write_position(run, p);
        if (p % DELETED_EVERY == DELETED_EVERY - 1 && p < 100 * DELETED_EVERY)
            write_deleted(run, p);
        else if (p % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1)
            image_checkpoint(run->img);
    }
    for (unsigned local = 0; local < LOCALS; local++)
        if (run->o->locals & 1u << local)
            write_local(run, (enum gen_local)local);
    for (uint32_t i = 0; i < run->quota.left[DAMAGE_row_ghost]; i++) {
        size_t inbox = store_role(run->store, ROLE_INBOX);
        damage_written(&run->truth, DAMAGE_row_ghost, store_ghost_row(run->store, inbox),
                       run->store->folders[inbox].nid);
    }
    run->quota.left[DAMAGE_row_ghost] = 0;
}

static int prepare(struct run *run)
{
    const struct gen_options *o = run->o;
    const struct profile *p = o->profile;
    struct image_options io = o->image;
    if (io.format == GEN_UNICODE4K && io.xblock_children_max == 0)
        io.xblock_children_max = p->xblock_children_4k;
    io.plain_internal = o->libpff_safe;
    run->maker = (struct maker){.seed = o->seed,
                                .mail_html_bytes = p->html_bytes,
                                .mail_text_bytes = p->text_bytes,
                                .attach_percent = p->attach_percent,
                                .attach_min = p->attach_min,
                                .attach_max = p->attach_max};
    damage_quota_init(&run->quota, o);
    int error = corpus_create(&run->corpus);
    if (error == 0)
        error = image_create(&io, &run->img);
    if (error == 0)
        error = truth_open(&run->truth, o);
    if (error == 0)
        error = store_create(run->img, o->seed, &run->store);
    if (error != 0)
        return error;
    run->maker.corpus = run->corpus;
    run->store->exchange = o->exchange;
    run->store->server = o->side == SIDE_SERVER;
    return 0;
}

static void summarise(const struct run *run, struct gen_summary *out)
{
    const struct image *img = run->img;
    uint64_t end = space_file_end(&img->space);
    *out = (struct gen_summary){
        .items = run->written,
        .assoc = run->assoc,
        .folders = run->store->folder_count,
        .bytes = end,
        .allocated = end - img->variant->amap_first - space_free_bytes(&img->space),
    };
    for (size_t i = 0; i < img->block_count; i++)
        out->blocks += img->blocks[i].state == BLOCK_LIVE;
    for (size_t i = 0; i < img->node_count; i++)
        out->nodes += !img->nodes[i].deleted;
}

/* A kind wanted while writing for which no item came. */
static int check_quota(const struct run *run, unsigned *missed)
{
    for (unsigned kind = 0; kind <= DAMAGE_WRITTEN_LAST; kind++) {
        if (run->quota.left[kind] > 0) {
            *missed = kind;
            return ERR_UNSUPPORTED;
        }
    }
    return 0;
}

int gen_run(const struct gen_options *o, struct gen_summary *summary, unsigned *missed)
{
    struct run run = {.o = o};
    int error = prepare(&run);
    if (error != 0)
        goto out;
    store_folders(run.store);
    make_user_folders(&run);
    write_items(&run);
    store_oddities(run.store);
    store_finish(run.store);
    error = image_finish(run.img);
    if (error != 0)
        goto out;
    truth_folders(&run.truth, run.store);
    truth_structures(&run.truth, run.img);
    summarise(&run, summary);
    enum damage_kind kind = DAMAGE_KINDS;
    error = check_quota(&run, missed);
    if (error == 0) {
        error = damage_file(run.img, &run.truth, o, &kind);
        *missed = kind;
    }
    truth_end(&run.truth, summary);
out:;
    int failed = truth_close(&run.truth);
    buf_done(&run.maker.scratch);
    store_destroy(run.store);
    image_destroy(run.img);
    corpus_destroy(run.corpus);
    return error != 0 ? error : failed;
}
