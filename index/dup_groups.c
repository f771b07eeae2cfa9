/*
 * dup_groups.c: from entries to groups, and telling them; see dup_index.h.
 *
 *   entries by class ──▶ a class at a time: who is held against whom ──▶ members by group
 *   members by group ──▶ a group at a time, twice: counted, then told
 *
 * A class is what has one joint digest: `core`, or `exact` where an item has no core. Within it
 * entries with a Message-ID come first, in its order, so the entries of one Message-ID stand
 * together and their first one is the representative. Entries without a Message-ID come last: when
 * the class has one Message-ID only, they are held against its representative, else (none, or
 * several among which to choose would be a guess) against the first of themselves. One entry, the
 * representative at hand, is all that this has to remember.
 */
#include "index/dup_index.h"

#include <assert.h>
#include <string.h>

#include "index/dup_index_private.h"

enum { CANCEL_RECORDS = 4096 };

/* The class at hand. */
struct classes {
    struct dup_index *x;
    uint8_t alone[DUP_CLASSED]; /* its first entry */
    uint64_t entries;           /* of it so far */
    uint64_t ids;               /* Message-IDs met in it */
    struct dup_entry first;
    bool first_given; /* to the members */
};

static int give(struct dup_index *x, const struct dup_entry *e, const struct dup_entry *first,
                enum dup_rank rank)
{
    uint8_t record[DUP_GROUPED];

    dup_entry_grouped(e, &first->place, rank, record);
    return sorter_add(x->grouped, 0, record);
}

/* `e` is held against the representative at hand. */
static int join(struct classes *c, const struct dup_entry *e)
{
    const enum dup_rank rank =
        dup_digest_equal(&e->exact, &c->first.exact) ? RANK_EXACT : RANK_CORE;
    int code = c->first_given ? 0 : give(c->x, &c->first, &c->first, RANK_REPRESENTATIVE);

    c->first_given = true;
    return code ? code : give(c->x, e, &c->first, rank);
}

static void begin(struct classes *c, const struct dup_entry *e)
{
    c->first = *e;
    c->first_given = false;
}

/* The next entry of the class, where there are several. */
static int classify(struct classes *c, const struct dup_entry *e, bool is_first)
{
    if (is_first)
        c->ids = 0;
    if (e->has_mih) {
        if (c->ids && memcmp(e->mih, c->first.mih, sizeof e->mih) == 0)
            return join(c, e);
        c->ids++;
        begin(c, e);
        return 0;
    }
    if (!is_first && (!c->first.has_mih || (c->ids == 1 && e->by_core)))
        return join(c, e);
    begin(c, e);
    return 0;
}

/* Takes an entry as it is sorted. Most are alone in their class, so the first one is not looked at
 * before there is a second. */
static int take_entry(struct classes *c, const uint8_t *record)
{
    struct dup_entry e;
    int code = 0;

    if (!c->entries || memcmp(c->alone, record, DUP_KEY) != 0) {
        memcpy(c->alone, record, DUP_CLASSED);
        c->entries = 1;
        return 0;
    }
    if (c->entries++ == 1) {
        dup_entry_from_classed(c->alone, &e);
        code = classify(c, &e, true);
    }
    if (code)
        return code;
    dup_entry_from_classed(record, &e);
    return classify(c, &e, false);
}

static int make_groups(struct dup_index *x)
{
    struct classes c = {.x = x};
    const uint8_t *record;
    uint64_t n = 0;
    int code = sorter_start(x->classed), got = 0;

    while (!code && (got = sorter_next(x->classed, &record)) == 1) {
        code = take_entry(&c, record);
        if (++n % CANCEL_RECORDS == 0 && dup_index_cancelled(x))
            return ERR_CANCELLED;
    }
    if (code || got)
        return code ? code : got;
    return sorter_start(x->grouped);
}

/* Counts a member of the group that is being taken in; `last` is the exact digest before it. */
static int count_member(struct dup_index *x, struct dup_group *g, const uint8_t *record,
                        struct ost_digest *last)
{
    struct dup_entry e;
    const enum dup_rank rank = dup_entry_from_grouped(record, &e);

    if (rank == RANK_REPRESENTATIVE) {
        g->representative = e;
        g->of = e.of;
        g->candidate = e.joint.size == 16;
    } else {
        g->bytes = dup_add(g->bytes, e.size_bytes);
        if (dup_digest_equal(&e.exact, last)) {
            g->exact++;
            g->exact_bytes = dup_add(g->exact_bytes, e.size_bytes);
        }
    }
    *last = e.exact;
    g->count++;
    if (x->stamps[e.place.image] != (uint32_t)g->n) {
        x->stamps[e.place.image] = (uint32_t)g->n;
        g->images++;
    }
    return sorter_add(x->group, 0, record);
}

static void tally(struct dup_tally *t, const struct dup_group *g)
{
    t->groups++;
    t->duplicates += g->count - 1;
    t->exact += g->exact;
    t->bytes = dup_add(t->bytes, g->bytes);
    t->exact_bytes = dup_add(t->exact_bytes, g->exact_bytes);
}

/* The record of the representative, out of its manifest. */
static int fetch_record(struct dup_index *x, struct dup_group *g)
{
    const struct dup_place *place = &g->representative.place;
    const struct dup_image *image = x->images->list[place->image];
    enum idx_record type;
    struct bytes line;
    struct fault fault;
    int got;

    if (x->reader_image != place->image + 1) {
        idx_manifest_close(x->reader);
        x->reader = NULL;
        x->reader_image = place->image + 1;
        got = image->state == DUP_COMPLETE ? idx_manifest_open(image->manifest, &x->reader, &fault)
                                           : 0;
        if (got == ERR_NOMEM)
            return got;
    }
    if (!x->reader)
        return 0;
    got = idx_manifest_read_at(x->reader, place->offset, &type, &line);
    if (got == ERR_NOMEM)
        return got;
    if (got == 1 && type == RECORD_ITEM)
        g->record = line;
    return 0;
}

static int folder_path(struct dup_index *x, const struct dup_image *image,
                       const struct dup_folder *folder, struct bytes *out)
{
    struct io_spill *paths = x->lanes[image->lane].paths;
    int code;

    buf_reset(&x->path);
    *out = (struct bytes){0};
    if (!folder || !folder->has_path)
        return 0;
    if (!buf_reserve(&x->path, (size_t)folder->path_size + 1))
        return ERR_NOMEM;
    code = io_spill_read(paths, folder->path_at, x->path.data, folder->path_size);
    if (code)
        return code;
    *out = (struct bytes){x->path.data, folder->path_size};
    return 0;
}

static int tell_member(struct dup_index *x, const struct dup_group *g, const uint8_t *record)
{
    struct dup_entry e;
    struct dup_member m = {.entry = &e};
    struct dup_folder *folder = NULL;
    int code = 0;

    m.rank = dup_entry_from_grouped(record, &e);
    m.image = x->images->list[e.place.image];
    m.differences = dup_differences(&g->representative, &e);
    if (e.of != DUP_IMAGE && e.has_folder)
        folder = dup_image_folder(m.image, e.folder);
    if (x->wants_paths)
        code = folder_path(x, m.image, folder, &m.folder_path);
    for (size_t i = 0; !code && i < x->sink_count; i++)
        if (x->sinks[i].member)
            code = x->sinks[i].member(x->sinks[i].ctx, g, &m);
    if (code || e.of != DUP_ITEM || m.rank == RANK_REPRESENTATIVE)
        return code;
    if (folder) {
        folder->duplicates++;
        folder->bytes = dup_add(folder->bytes, e.size_bytes);
    }
    return dup_pairs_add(x->pairs, g->representative.place.image, e.place.image, e.size_bytes);
}

/* The group whose members are all in x->group. */
static int tell_group(struct dup_index *x, struct dup_group *g)
{
    const uint8_t *record;
    int code = sorter_start(x->group), got = 0;

    if (!code && x->wants_records && g->of != DUP_IMAGE)
        code = fetch_record(x, g);
    for (size_t i = 0; !code && i < x->sink_count; i++)
        if (x->sinks[i].group)
            code = x->sinks[i].group(x->sinks[i].ctx, g);
    while (!code && (got = sorter_next(x->group, &record)) == 1)
        code = tell_member(x, g, record);
    if (!code)
        code = got;
    for (size_t i = 0; !code && i < x->sink_count; i++)
        if (x->sinks[i].group_end)
            code = x->sinks[i].group_end(x->sinks[i].ctx, g);
    tally(&x->totals.of[g->of], g);
    if (g->of == DUP_ITEM)
        tally(&x->totals
                   .kinds[g->representative.kind < IDX_KINDS ? g->representative.kind : IDX_KINDS],
              g);
    return code ? code : sorter_reset(x->group);
}

static int tell_groups(struct dup_index *x)
{
    struct dup_group g = {0};
    struct ost_digest last = {0};
    uint8_t key[DUP_GROUP_KEY];
    const uint8_t *record;
    uint64_t n = 0;
    int code = 0, got = 0;

    while (!code && (got = sorter_next(x->grouped, &record)) == 1) {
        if (g.count && memcmp(key, record, sizeof key) != 0) {
            code = tell_group(x, &g);
            g = (struct dup_group){.n = g.n};
        }
        if (!g.count) {
            g.n++;
            memcpy(key, record, sizeof key);
        }
        if (!code)
            code = count_member(x, &g, record, &last);
        if (++n % CANCEL_RECORDS == 0 && dup_index_cancelled(x))
            return ERR_CANCELLED;
    }
    if (!code)
        code = got;
    if (!code && g.count)
        code = tell_group(x, &g);
    return code;
}

static int tell_images(struct dup_index *x)
{
    const char *redacted = NULL;
    uint8_t digest_size = 0;
    int code = 0;

    for (size_t n = 0; !code && n < x->images->count; n++) {
        const struct dup_image *image = x->images->list[n];

        x->totals.repeated += image->state == DUP_REPEATED;
        x->totals.unreadable += image->state == DUP_UNREADABLE;
        if (image->state != DUP_COMPLETE && image->state != DUP_INCOMPLETE)
            continue;
        x->totals.images++;
        x->totals.incomplete += image->state == DUP_INCOMPLETE;
        x->totals.assoc += image->assoc;
        for (int i = 0; i < DUP_FATES; i++)
            x->totals.fates[i] += image->fates[i];
        x->totals.mixed |= digest_size && image->digest_size && digest_size != image->digest_size;
        if (image->digest_size)
            digest_size = image->digest_size;
        x->totals.mixed_keys |= redacted && strcmp(redacted, image->redacted) != 0;
        redacted = image->redacted;
        for (size_t i = 0; !code && i < x->sink_count; i++)
            if (x->sinks[i].image)
                code = x->sinks[i].image(x->sinks[i].ctx, image);
    }
    return code;
}

static int tell_pairs(struct dup_index *x)
{
    struct dup_pair_sum sum;
    int code = dup_pairs_start(x->pairs), got = 0;

    while (!code && (got = dup_pairs_next(x->pairs, &sum)) == 1) {
        const struct dup_pair pair = {x->images->list[sum.kept], x->images->list[sum.image],
                                      sum.duplicates, sum.bytes};

        for (size_t i = 0; !code && i < x->sink_count; i++)
            if (x->sinks[i].pair)
                code = x->sinks[i].pair(x->sinks[i].ctx, &pair);
    }
    return code ? code : got;
}

static int tell_folders(struct dup_index *x, const struct dup_image *image)
{
    int code = 0;

    for (size_t f = 0; !code && f < image->folder_count; f++) {
        struct bytes path = {0};

        if (!image->folders[f].duplicates)
            continue;
        code = folder_path(x, image, &image->folders[f], &path);
        for (size_t i = 0; !code && i < x->sink_count; i++)
            if (x->sinks[i].folder)
                code = x->sinks[i].folder(x->sinks[i].ctx, image, &image->folders[f], path);
    }
    return code;
}

int dup_index_tell(struct dup_index *x, const struct dup_sink *sinks, size_t sink_count)
{
    int code;

    x->sinks = sinks;
    x->sink_count = sink_count;
    for (size_t i = 0; i < sink_count; i++) {
        x->wants_records |= sinks[i].wants_records;
        x->wants_paths |= sinks[i].wants_paths;
    }
    code = tell_images(x);
    if (!code)
        code = make_groups(x);
    if (!code)
        code = tell_groups(x);
    if (!code)
        code = tell_pairs(x);
    for (size_t n = 0; !code && n < x->images->count; n++)
        code = tell_folders(x, x->images->list[n]);
    for (size_t i = 0; !code && i < sink_count; i++)
        if (sinks[i].totals)
            code = sinks[i].totals(sinks[i].ctx, &x->totals);
    return code;
}
