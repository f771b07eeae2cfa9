/*
 * compare.c: see compare.h. The join finds counterparts; here each item gets its outcome, which is
 * counted, and what is not simply the same is kept for the sinks, sorted by folder and outcome.
 *
 * All pairs are told before the first single: by then it is known which folders of the image the
 * server's input covers at all.
 */
#include "index/compare.h"

#include <assert.h>
#include <string.h>

#include "index/compare_folders.h"
#include "index/sorter.h"
#include "io/mem.h"

const char *cmp_outcome_name(enum cmp_outcome outcome)
{
    static const char *const names[CMP_OUTCOMES] = {
        "same",        "moved",          "state_differs", "content_differs", "only_ost",
        "only_server", "outside_window", "header_only",   "ambiguous",       "not_comparable"};

    return names[outcome];
}

static const struct {
    const char *name, *text;
} whys[CMP_WHYS] = {
    {"", ""},
    {"unreadable", "could not be read"},
    {"partial", "could not be read whole"},
    {"stale", "may be a remainder of a deleted item"},
    {"counts_only", "the server's input has counts alone"},
    {"shallow", "found, but the server's input does not say enough to compare it"},
    {"no_key", "no key that the other side has too"},
    {"not_listed", "the server's input does not list its folder"},
    {"server_incomplete", "the server's input is not complete"},
    {"image_incomplete", "the image's manifest is not complete"},
    {"hidden_folder", "in a folder that no mailbox shows"},
    {"recoverable_items", "in Recoverable Items, which Outlook does not hold"},
    {"archive", "in an archive mailbox"},
    {"no_date", "no date, so it may lie outside the window"},
    {"no_window", "nothing shows which window the image holds"},
};

const char *cmp_why_name(enum cmp_why why)
{
    return whys[why].name;
}

const char *cmp_why_text(enum cmp_why why)
{
    return whys[why].text;
}

const char *cmp_window_name(enum cmp_window_basis basis)
{
    static const char *const names[] = {"all", "given", "folder", "store", "unknown"};

    return names[basis];
}

/* What is kept of an outcome: folder, outcome, side and place, big-endian, then this. */
struct kept {
    struct cmp_entry image, server;
    uint32_t other;
    unsigned differs, contradicts, supports;
    uint8_t why, by;
    bool has_image, has_server, moved, copy, later, same_state;
};

enum { KEPT_ORDER = 4 + 1 + 1 + 8, KEPT = KEPT_ORDER + sizeof(struct kept) };

struct compare {
    struct cmp_side *image, *server;
    const struct cmp_options *options;
    struct cmp_folder_result *folders;
    struct cmp_result result;
    struct cmp_folder_result nowhere; /* items of no known folder */
    bool *covered;                    /* folders of which the server's items are listed */
    struct sorter *kept;
    bool wants_same;
    uint64_t hidden; /* items of the image in hidden folders */
    int64_t mail_oldest, server_mail_oldest;
    bool has_mail_oldest, has_server_mail_oldest;
};

static uint32_t unified(const struct cmp_side *s, const struct cmp_entry *e)
{
    return e->folder == CMP_NO_FOLDER ? CMP_NO_FOLDER : s->folders[e->folder].unified;
}

static struct cmp_folder_result *folder_at(struct compare *c, uint32_t number)
{
    return number == CMP_NO_FOLDER ? &c->nowhere : &c->folders[number];
}

static bool is_mail(const struct cmp_folder *f)
{
    return !f->class || strncmp(f->class, "IPF.Note", 8) == 0;
}

/* The oldest item of all mail folders: what a folder without items is held against. */
static bool oldest_mail(const struct cmp_side *s, int64_t *oldest)
{
    bool has = false;

    for (size_t i = 0; i < s->folder_count; i++) {
        const struct cmp_folder *f = &s->folders[i];

        if (!f->has_oldest || !is_mail(f) || (has && f->oldest >= *oldest))
            continue;
        has = true;
        *oldest = f->oldest;
    }
    return has;
}

static struct cmp_window window_of(const struct cmp_side *s, const struct cmp_folder *f,
                                   bool has_mail_oldest, int64_t mail_oldest)
{
    if (!s->is_ost)
        return (struct cmp_window){CMP_WINDOW_ALL, 0};
    if (f && f->has_oldest)
        return (struct cmp_window){CMP_WINDOW_FOLDER, f->oldest};
    if (has_mail_oldest)
        return (struct cmp_window){CMP_WINDOW_STORE, mail_oldest};
    return (struct cmp_window){CMP_WINDOW_NONE, 0};
}

static struct cmp_window image_window(const struct compare *c, const struct cmp_folder *f)
{
    if (c->options->window_given)
        return c->options->window;
    return window_of(c->image, f, c->has_mail_oldest, c->mail_oldest);
}

/* Whether what is missing in a store of that window would have to be there. */
static enum cmp_outcome missing(const struct cmp_window *w, const struct cmp_entry *e,
                                enum cmp_outcome only, enum cmp_why *why)
{
    switch (w->basis) {
    case CMP_WINDOW_ALL:
        return only;
    case CMP_WINDOW_NONE:
        *why = CMP_WHY_NO_WINDOW;
        return CMP_NOT_COMPARABLE;
    default:
        break;
    }
    if (!e->has_date) {
        *why = CMP_WHY_NO_DATE;
        return CMP_NOT_COMPARABLE;
    }
    return e->date < w->from ? CMP_OUTSIDE_WINDOW : only;
}

/* ---- folders ---- */

void cmp_folder_path(const struct cmp_result *r, const struct cmp_folder_result *f, bool server,
                     struct buf *out)
{
    if (f->image && !server)
        cmp_side_path(r->image, (uint32_t)(f->image - r->image->folders), out);
    else if (f->server)
        cmp_side_path(r->server, (uint32_t)(f->server - r->server->folders), out);
}

/* Not below the top, though there is one, but below the root all the same: what belongs to a folder
 * that is lost is not hidden. */
static bool is_hidden(const struct cmp_side *s, bool has_top, uint32_t index)
{
    for (unsigned depth = 0; has_top && depth < CMP_FOLDER_DEPTH; depth++) {
        const struct cmp_folder *f = &s->folders[index];

        if (!f->listed || f->kind == CMP_FOLDER_TOP || f->parent == CMP_NO_FOLDER)
            return false;
        if (f->parent == index)
            return true;
        index = f->parent;
    }
    return false;
}

static bool has_top(const struct cmp_side *s)
{
    for (size_t i = 0; i < s->folder_count; i++)
        if (s->folders[i].kind == CMP_FOLDER_TOP)
            return s->input == CMP_INPUT_MANIFEST;
    return false;
}

static void fill_folders(struct compare *c)
{
    const bool image_top = has_top(c->image), server_top = has_top(c->server);

    for (uint32_t i = 0; i < c->image->folder_count; i++) {
        c->folders[i].image = &c->image->folders[i];
        c->folders[i].hidden = is_hidden(c->image, image_top, i);
    }
    for (uint32_t i = 0; i < c->server->folder_count; i++) {
        const struct cmp_folder *f = &c->server->folders[i];
        struct cmp_folder_result *r;

        if (f->unified == CMP_NO_FOLDER)
            continue;
        r = &c->folders[f->unified];
        if (!r->server || (!r->server->listed && f->listed))
            r->server = f;
        if (!r->image)
            r->hidden = is_hidden(c->server, server_top, i);
        r->has_count |= f->has_count;
        r->and_hidden |= f->and_hidden;
        r->count += f->has_count ? f->count : 0;
    }
}

static int make_folders(struct compare *c)
{
    const size_t n = c->result.folder_count;

    c->folders = mem_zalloc((n + 1) * sizeof *c->folders);
    c->covered = mem_zalloc((n + 1) * sizeof *c->covered);
    if (!c->folders || !c->covered)
        return ERR_NOMEM;
    fill_folders(c);
    for (uint32_t i = 0; i < n; i++) {
        c->folders[i].number = i;
        c->folders[i].window = image_window(c, c->folders[i].image);
    }
    c->nowhere.number = CMP_NO_FOLDER;
    c->nowhere.window = c->result.window = image_window(c, NULL);
    return 0;
}

/* Which folders' items the server's input lists: all of a whole store's; of a list of items, those
 * it names an item in, unless it says that there are more. */
static void cover_listed(struct compare *c)
{
    for (size_t i = 0; i < c->server->folder_count; i++) {
        const struct cmp_folder *f = &c->server->folders[i];

        if (f->unified == CMP_NO_FOLDER || c->server->input == CMP_INPUT_STATISTICS)
            continue;
        if (f->has_count && !f->and_hidden)
            c->covered[f->unified] |= f->items >= f->count;
        else
            c->covered[f->unified] |= f->items > 0;
    }
    if (c->server->input == CMP_INPUT_MANIFEST)
        for (size_t i = 0; i < c->result.folder_count; i++)
            c->covered[i] = true;
}

/* ---- outcomes ---- */

static void count(struct cmp_tally *t, enum cmp_outcome outcome, const struct kept *k)
{
    t->outcomes[outcome]++;
    t->whys[k->why]++;
    t->found += k->has_image && k->has_server;
    t->image += k->has_image;
    if (outcome == CMP_ONLY_OST) {
        t->only_image_bytes += k->image.size_bytes;
        t->only_image_copies += k->copy;
    }
    if (outcome == CMP_ONLY_SERVER) {
        t->only_server_bytes += k->server.size_bytes;
        t->only_server_later += k->later;
    }
    t->altered += outcome == CMP_CONTENT_DIFFERS && k->same_state;
}

static int settle(struct compare *c, uint32_t number, enum cmp_outcome outcome, struct kept *k)
{
    struct cmp_folder_result *f = folder_at(c, number);
    uint8_t record[KEPT];

    c->hidden += k->has_image && k->why == CMP_WHY_HIDDEN;
    count(&f->tally, outcome, k);
    count(&c->result.total, outcome, k);
    if (k->has_server) {
        /* The server's items are counted where the server has them. */
        struct cmp_folder_result *own = folder_at(c, unified(c->server, &k->server));

        own->tally.server++;
        own->tally.found_server += k->has_image;
        c->result.total.server++;
        c->result.total.found_server += k->has_image;
    }
    if (outcome == CMP_SAME && !k->differs && !c->wants_same)
        return 0;
    if (k->why == CMP_WHY_COUNTS_ONLY)
        return 0; /* all items of all folders: the counts say it */
    put_le32(record, __builtin_bswap32(number));
    record[4] = (uint8_t)outcome;
    record[5] = !k->has_image;
    put_le64(record + 6, __builtin_bswap64(k->has_image ? k->image.ordinal : k->server.ordinal));
    memcpy(record + KEPT_ORDER, k, sizeof *k);
    return sorter_add(c->kept, 0, record);
}

static bool is_readable(const struct cmp_entry *e)
{
    return !(e->flags & (CMP_FAILED | CMP_PARTIAL));
}

/* Outlook was told to fetch headers alone: the state is the server's, what is in it is not here. */
static bool is_header_only(const struct cmp_entry *image, const struct cmp_entry *server)
{
    return cmp_keys_equal(image, server, CMP_KEY_CHANGE) && cmp_entry_bodiless(image) &&
           !image->mark[CMP_MARK_ATTACHMENTS] && server->known >> CMP_MARK_TEXT & 1 &&
           (!cmp_entry_bodiless(server) || server->mark[CMP_MARK_ATTACHMENTS]);
}

enum {
    CONTENT = 1u << CMP_PART_HEADERS | 1u << CMP_PART_RECIPIENTS | 1u << CMP_PART_BODY |
              1u << CMP_PART_ATTACHMENTS,
    OTHER = 1u << CMP_PART_OTHER,
    STATE = 1u << CMP_PART_STATE,
    CHANGED = 1u << CMP_PART_CHANGE_KEY,
};

/* What is proven of a pair. An equal change key proves the same state, so properties that a store
 * rewrites count for nothing then; what a person would see differ does. */
static enum cmp_outcome outcome_of(const struct cmp_entry *image, const struct cmp_entry *server,
                                   struct kept *k)
{
    const bool same_state = cmp_keys_equal(image, server, CMP_KEY_CHANGE);

    if (!is_readable(image) || !is_readable(server)) {
        if (same_state)
            return k->moved ? CMP_MOVED : CMP_SAME;
        k->why = CMP_WHY_PARTIAL;
        return CMP_NOT_COMPARABLE;
    }
    if (is_header_only(image, server))
        return CMP_HEADER_ONLY;
    if (same_state)
        k->differs &= ~(unsigned)OTHER;
    if (k->differs & (CONTENT | OTHER))
        return CMP_CONTENT_DIFFERS;
    if (k->differs & STATE)
        return CMP_STATE_DIFFERS;
    if (same_state || cmp_keys_equal(image, server, CMP_KEY_EXACT))
        return k->moved ? CMP_MOVED : CMP_SAME;
    if (k->differs & CHANGED)
        return CMP_STATE_DIFFERS;
    if (k->moved)
        return CMP_MOVED;
    k->why = CMP_WHY_SHALLOW;
    return CMP_NOT_COMPARABLE;
}

static int on_pair(void *ctx, const struct cmp_entry *image, const struct cmp_entry *server,
                   enum cmp_key by)
{
    struct compare *c = ctx;
    const uint32_t here = unified(c->image, image), there = unified(c->server, server);
    struct kept k;

    memset(&k, 0, sizeof k);
    k.image = *image;
    k.server = *server;
    k.has_image = k.has_server = true;
    k.by = (uint8_t)by;
    k.moved = here != CMP_NO_FOLDER && there != CMP_NO_FOLDER && here != there;
    k.other = there;
    k.same_state = cmp_keys_equal(image, server, CMP_KEY_CHANGE);
    k.differs = cmp_entry_differences(image, server);
    for (unsigned key = 0; key < CMP_KEY_CORE; key++)
        k.contradicts |= (unsigned)cmp_keys_contradict(image, server, key) << key;
    k.supports = (image->mid && image->mid == server->mid ? 1u : 0) |
                 (image->mid && image->mid == server->source ? 2u : 0);
    if (here != CMP_NO_FOLDER && there == CMP_NO_FOLDER)
        c->covered[here] = true; /* a list that does not name its folders */
    return settle(c, here, outcome_of(image, server, &k), &k);
}

/* Whether the two sides have a key in common by which this item could have been found. */
static bool could_be_found(const struct compare *c, const struct cmp_entry *e)
{
    const unsigned lasting = 1u << CMP_KEY_SEARCH | 1u << CMP_KEY_MIH | 1u << CMP_KEY_CORE;

    return e->keys & c->result.keys & lasting;
}

static enum cmp_outcome image_alone(struct compare *c, const struct cmp_entry *e, uint32_t number,
                                    struct kept *k)
{
    const struct cmp_folder_result *f = folder_at(c, number);
    struct cmp_window theirs;
    enum cmp_outcome outcome;
    enum cmp_why why = CMP_WHY_NONE;

    if (c->server->input == CMP_INPUT_STATISTICS)
        k->why = CMP_WHY_COUNTS_ONLY;
    else if (e->flags & CMP_FAILED)
        k->why = CMP_WHY_UNREADABLE;
    else if (e->flags & CMP_STALE)
        k->why = CMP_WHY_STALE;
    else if (!could_be_found(c, e))
        k->why = CMP_WHY_NO_KEY;
    else if (e->flags & CMP_TIED)
        return CMP_AMBIGUOUS;
    else if (c->server->incomplete)
        k->why = CMP_WHY_SERVER_INCOMPLETE;
    else if (f->hidden && !f->server)
        k->why = CMP_WHY_HIDDEN;
    else if (number == CMP_NO_FOLDER ? c->server->input != CMP_INPUT_MANIFEST : !c->covered[number])
        k->why = CMP_WHY_NOT_LISTED;
    if (k->why)
        return CMP_NOT_COMPARABLE;
    theirs = window_of(c->server, f->server, c->has_server_mail_oldest, c->server_mail_oldest);
    outcome = missing(&theirs, e, CMP_ONLY_OST, &why);
    k->why = (uint8_t)why;
    return outcome;
}

static enum cmp_outcome server_alone(struct compare *c, const struct cmp_entry *e, uint32_t number,
                                     enum cmp_why *why)
{
    const struct cmp_folder_result *f = folder_at(c, number);
    const enum cmp_folder_kind kind = f->server ? f->server->kind : CMP_FOLDER_PLAIN;

    if (kind == CMP_FOLDER_RECOVERABLE)
        *why = CMP_WHY_RECOVERABLE;
    else if (kind == CMP_FOLDER_ARCHIVE)
        *why = CMP_WHY_ARCHIVE;
    else if (e->flags & CMP_FAILED)
        *why = CMP_WHY_UNREADABLE;
    else if (e->flags & CMP_STALE)
        *why = CMP_WHY_STALE;
    else if (!could_be_found(c, e))
        *why = CMP_WHY_NO_KEY;
    else if (e->flags & CMP_TIED)
        return CMP_AMBIGUOUS;
    else if (c->image->incomplete)
        *why = CMP_WHY_IMAGE_INCOMPLETE;
    else if (f->hidden && !f->image)
        *why = CMP_WHY_HIDDEN;
    if (*why)
        return CMP_NOT_COMPARABLE;
    return missing(&f->window, e, CMP_ONLY_SERVER, why);
}

static int on_single(void *ctx, const struct cmp_entry *e)
{
    struct compare *c = ctx;
    const uint32_t number = unified(e->on_server ? c->server : c->image, e);
    enum cmp_outcome outcome;
    enum cmp_why why = CMP_WHY_NONE;
    struct kept k;

    memset(&k, 0, sizeof k);
    k.other = CMP_NO_FOLDER;
    if (e->on_server) {
        k.server = *e;
        k.has_server = true;
        k.later = e->has_date && c->image->has_time && e->date > c->image->time;
        outcome = server_alone(c, e, number, &why);
        k.why = (uint8_t)why;
    } else {
        k.image = *e;
        k.has_image = true;
        outcome = image_alone(c, e, number, &k);
        k.copy = outcome == CMP_ONLY_OST && e->flags & CMP_COPIED;
    }
    return settle(c, number, outcome, &k);
}

/* ---- totals ---- */

/* Counts say that something differs only where the window does not explain it: more in the image
 * than on the server, or less where the image holds everything. Associated items, which some counts
 * include, explain a surplus on the server's side alone. */
static void judge_counts(struct compare *c)
{
    struct cmp_result *r = &c->result;

    for (size_t i = 0; i < r->folder_count; i++) {
        struct cmp_folder_result *f = &c->folders[i];
        const uint64_t here = f->tally.image;

        if (!f->has_count || (f->server && f->server->kind == CMP_FOLDER_RECOVERABLE))
            continue;
        if (here > f->count)
            f->surplus = (int64_t)(here - f->count);
        else if (here < f->count && !f->and_hidden && f->window.basis == CMP_WINDOW_ALL &&
                 !c->image->incomplete)
            f->deficit = (int64_t)(f->count - here);
        r->folders_surplus += f->surplus > 0;
        r->folders_deficit += f->deficit > 0;
    }
}

static void sum_up(struct compare *c)
{
    static const enum cmp_outcome different[] = {CMP_MOVED, CMP_STATE_DIFFERS, CMP_ONLY_OST,
                                                 CMP_CONTENT_DIFFERS, CMP_ONLY_SERVER};
    struct cmp_result *r = &c->result;

    r->items_compared = c->server->input != CMP_INPUT_STATISTICS && r->keys;
    for (size_t i = 0; i < sizeof different / sizeof *different; i++)
        r->different |= r->total.outcomes[different[i]] > 0;
    if (c->server->input == CMP_INPUT_STATISTICS)
        judge_counts(c);
    r->different |= r->folders_surplus || r->folders_deficit;
    r->whole = r->items_compared && !c->image->incomplete && !c->server->incomplete &&
               r->total.found + r->total.outcomes[CMP_ONLY_OST] + c->hidden == r->total.image;
    r->before_after = c->image->is_ost && c->server->is_ost;
}

/* ---- telling ---- */

static int tell_item(struct compare *c, const uint8_t *record, const struct cmp_sink *sinks,
                     size_t sink_count, struct buf *detail)
{
    const uint32_t number = __builtin_bswap32(le32(record));
    struct cmp_item_result item = {.outcome = record[4]};
    struct kept k;
    const struct cmp_entry *of;
    const struct cmp_side *side;
    int code;

    memcpy(&k, record + KEPT_ORDER, sizeof k);
    of = k.has_image ? &k.image : &k.server;
    side = k.has_image ? c->image : c->server;
    buf_reset(detail);
    if (!buf_reserve(detail, of->detail_size))
        return ERR_NOMEM;
    detail->size = of->detail_size;
    code = of->detail_size ? io_spill_read(side->details, of->detail_at, detail->data, detail->size)
                           : 0;
    item.folder = number == CMP_NO_FOLDER ? NULL : &c->folders[number];
    item.why = k.why;
    item.by = k.by;
    item.has_counterpart = k.has_image && k.has_server;
    item.moved = k.moved;
    item.other = k.moved ? &c->folders[k.other] : NULL;
    item.copy = k.copy;
    item.differs = k.differs;
    item.contradicts = k.contradicts;
    item.supports = k.supports;
    item.image = k.has_image ? &k.image : NULL;
    item.server = k.has_server ? &k.server : NULL;
    item.detail = (struct bytes){detail->data, detail->size};
    for (size_t i = 0; !code && i < sink_count; i++)
        code = sinks[i].item && (item.outcome != CMP_SAME || item.differs || sinks[i].wants_same)
                   ? sinks[i].item(sinks[i].ctx, &c->result, &item)
                   : 0;
    return code;
}

static int tell_items(struct compare *c, const struct cmp_sink *sinks, size_t sink_count)
{
    struct buf detail = BUF_INIT;
    const uint8_t *record;
    int got, code = sorter_start(c->kept);

    while (!code && (got = sorter_next(c->kept, &record)) != 0)
        code = got < 0 ? got : tell_item(c, record, sinks, sink_count, &detail);
    buf_done(&detail);
    return code;
}

static bool is_told(const struct cmp_folder_result *f)
{
    return f->tally.image || f->tally.server || f->has_count || f->tally.outcomes[CMP_ONLY_SERVER];
}

static int tell(struct compare *c, const struct cmp_sink *sinks, size_t sink_count)
{
    const struct cmp_result *r = &c->result;
    int code = 0;

    for (size_t s = 0; !code && s < sink_count; s++)
        code = sinks[s].begin ? sinks[s].begin(sinks[s].ctx, r) : 0;
    for (size_t i = 0; !code && i <= r->folder_count; i++) {
        const struct cmp_folder_result *f = i < r->folder_count ? &c->folders[i] : &c->nowhere;

        for (size_t s = 0; !code && is_told(f) && s < sink_count; s++)
            code = sinks[s].folder ? sinks[s].folder(sinks[s].ctx, r, f) : 0;
    }
    if (!code)
        code = tell_items(c, sinks, sink_count);
    for (size_t s = 0; !code && s < sink_count; s++)
        code = sinks[s].end ? sinks[s].end(sinks[s].ctx, r) : 0;
    return code;
}

/* Digests of different rules agree in nothing and differ in nothing. */
static void drop_digests(const struct cmp_side *s, const struct cmp_side *other,
                         struct cmp_join_options *join, bool *differ)
{
    if (!s->digest_size || !other->digest_size ||
        (s->digest_size == other->digest_size && s->digest_version == other->digest_version &&
         !s->mixed_digests && !other->mixed_digests))
        return;
    *differ = true;
    join->keys &= (uint16_t) ~(1u << CMP_KEY_CORE | 1u << CMP_KEY_EXACT);
    join->marks &= (uint16_t) ~(1u << CMP_MARK_TEXT | 1u << CMP_MARK_HTML | 1u << CMP_MARK_RTF |
                                1u << CMP_MARK_ATTACHMENTS | 1u << CMP_MARK_STATE);
}

static int run(struct compare *c, struct fault *fault)
{
    const struct sorter_options kept = {KEPT, c->options->memory_bytes / 8, 1,
                                        c->options->temp_dir};
    const struct cmp_join_sink sink = {c, on_pair, on_single};
    struct cmp_join_options join = {.memory_bytes = c->options->memory_bytes / 2,
                                    .temp_dir = c->options->temp_dir,
                                    .cancel = c->options->cancel,
                                    .keys = c->image->keys & c->server->keys,
                                    .marks = UINT16_MAX};
    int code = cmp_unify(c->image, c->server, &c->result.folder_count);

    drop_digests(c->image, c->server, &join, &c->result.digests_differ);
    c->result.keys = join.keys;
    c->has_mail_oldest = oldest_mail(c->image, &c->mail_oldest);
    c->has_server_mail_oldest = oldest_mail(c->server, &c->server_mail_oldest);
    if (!code)
        code = make_folders(c);
    if (!code)
        code = sorter_create(&kept, &c->kept);
    if (code)
        return code;
    cover_listed(c);
    code = cmp_join(c->image, c->server, &join, &sink, fault);
    if (code)
        return code;
    c->result.folders = c->folders;
    sum_up(c);
    return 0;
}

int cmp_compare(struct cmp_side *image, struct cmp_side *server, const struct cmp_options *options,
                const struct cmp_sink *sinks, size_t sink_count, struct fault *fault)
{
    struct compare c = {.image = image,
                        .server = server,
                        .options = options,
                        .result = {.image = image, .server = server}};
    int code;

    for (size_t i = 0; i < sink_count; i++)
        c.wants_same |= sinks[i].wants_same;
    code = run(&c, fault);
    if (!code)
        code = tell(&c, sinks, sink_count);
    if (c.kept && sorter_fault(c.kept)->code)
        *fault = *sorter_fault(c.kept);
    sorter_destroy(c.kept);
    mem_free(c.folders);
    mem_free(c.covered);
    return code;
}
