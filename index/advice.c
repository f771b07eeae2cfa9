/*
 * advice.c: see advice.h.
 *
 * The verdict stands behind the items that it names, so these are read in a second pass, and only
 * where there are any.
 */
#include "index/advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/json_read.h"
#include "index/manifest.h"
#include "index/verdict_read.h"
#include "io/mem.h"
#include "io/sort.h"

enum { CANCEL_EVERY = 1024 };

void advice_init(struct advice *a)
{
    *a = (struct advice){.path = "", .store_name = "", .content = "", .account = ""};
    arena_init(&a->arena, ADVICE_BYTES);
}

void advice_done(struct advice *a)
{
    idx_folders_destroy(a->folders);
    arena_done(&a->arena);
    *a = (struct advice){0};
}

static bool u64_of(struct bytes line, const char *key, uint64_t *out)
{
    struct json_token token;
    struct bytes value;

    return json_find(line, key, &value) == 1 && json_scalar(value, &token) &&
           json_token_u64(&token, out);
}

/* The text of a string member, in the arena; "" where there is none. NULL: out of memory. */
static const char *text_of(struct advice *a, struct bytes line, const char *key)
{
    struct buf text = BUF_INIT;
    struct json_token token;
    struct bytes value;
    const char *out = "";

    if (json_find(line, key, &value) == 1 && json_scalar(value, &token) &&
        token.kind == JSON_STRING) {
        json_token_text(&token, &text);
        out = buf_cstr(&text) ? arena_strdup(&a->arena, (const char *)text.data) : NULL;
    }
    buf_done(&text);
    return out;
}

static int take_image(struct advice *a, struct bytes line)
{
    a->path = text_of(a, line, "path");
    a->content = text_of(a, line, "content");
    a->account = text_of(a, line, "account");
    a->store_name = text_of(a, line, "store_name");
    return a->path && a->content && a->account && a->store_name ? 0 : ERR_NOMEM;
}

static int take_folder(struct advice *a, struct bytes line)
{
    struct buf name = BUF_INIT;
    struct json_token token;
    struct bytes value;
    uint64_t nid, parent = 0;
    int code = 0;

    if (!u64_of(line, "nid", &nid) || nid > UINT32_MAX)
        return 0;
    u64_of(line, "parent", &parent);
    if (json_find(line, "name", &value) == 1 && json_scalar(value, &token) &&
        token.kind == JSON_STRING)
        json_token_text(&token, &name);
    if (name.failed)
        code = ERR_NOMEM;
    else
        code = idx_folders_add(a->folders, (uint32_t)nid, (uint32_t)parent,
                               (struct bytes){name.data, name.size});
    buf_done(&name);
    return code;
}

static void take_finding(struct advice *a, struct bytes line)
{
    struct json_token token;
    struct bytes value;

    a->corrupt += json_find(line, "severity", &value) == 1 && json_scalar(value, &token) &&
                  json_token_is(&token, "corrupt");
}

static int take(struct advice *a, enum idx_record type, struct bytes line, bool names)
{
    switch (type) {
    case RECORD_IMAGE:
        return take_image(a, line);
    case RECORD_FOLDER:
        return names ? take_folder(a, line) : 0;
    case RECORD_FINDING:
        take_finding(a, line);
        return 0;
    case RECORD_VERDICT:
        a->has_verdict = true;
        return idx_verdict_read(line, &a->arena, &a->verdict);
    default:
        return 0;
    }
}

static bool is_cancelled(const atomic_bool *cancel)
{
    return cancel && atomic_load(cancel);
}

/* What an incomplete manifest says may be another's: nothing rests on it. */
static void distrust(struct advice *a, const char *why)
{
    snprintf(a->incomplete, sizeof a->incomplete, "%s", why && *why ? why : "it ends early");
    a->has_verdict = false;
    a->verdict = (struct chk_verdict){.remedy = REMEDY_UNKNOWN};
}

static int read_lines(struct advice *a, struct idx_manifest_reader *reader, bool names,
                      const atomic_bool *cancel)
{
    enum idx_manifest_state state = MANIFEST_COMPLETE;
    enum idx_record type;
    struct bytes line;
    uint64_t lines = 0;
    int got;

    while ((got = idx_manifest_next(reader, &type, &line, &state)) == 1) {
        int code = take(a, type, line, names);

        if (code == ERR_NOMEM)
            return code;
        if (code) {
            distrust(a, "a record is none that this program knows");
            return 0;
        }
        if (++lines % CANCEL_EVERY == 0 && is_cancelled(cancel))
            return ERR_CANCELLED;
    }
    if (got < 0)
        return got;
    if (state != MANIFEST_COMPLETE && lines == 0)
        return ERR_DAMAGED;
    if (state != MANIFEST_COMPLETE)
        distrust(a, idx_manifest_reason(reader));
    else if (!a->has_verdict)
        distrust(a, "it has no verdict");
    return 0;
}

static int compare_items(const void *a, const void *b)
{
    uint32_t x = ((const struct advice_item *)a)->nid, y = ((const struct advice_item *)b)->nid;

    return (x > y) - (x < y);
}

/* A place for every item that a reason names. */
static int place_items(struct advice *a)
{
    const struct chk_verdict *v = &a->verdict;
    size_t most = 0, kept = 0;

    for (size_t i = 0; i < v->reason_count; i++)
        most += v->reasons[i].item_count;
    a->items = arena_alloc_array(&a->arena, most, sizeof *a->items);
    if (!a->items)
        return ERR_NOMEM;
    for (size_t i = 0; i < v->reason_count; i++)
        for (size_t k = 0; k < v->reasons[i].item_count; k++)
            a->items[kept++] = (struct advice_item){
                .nid = v->reasons[i].items[k], .subject = "", .date = "", .from = ""};
    io_sort(a->items, kept, sizeof *a->items, compare_items);
    for (size_t i = 0; i < kept; i++)
        if (!a->item_count || a->items[a->item_count - 1].nid != a->items[i].nid)
            a->items[a->item_count++] = a->items[i];
    return 0;
}

static struct advice_item *find_item(const struct advice *a, uint32_t nid)
{
    struct advice_item key = {.nid = nid};

    if (!a->item_count)
        return NULL;
    return bsearch(&key, a->items, a->item_count, sizeof key, compare_items);
}

const struct advice_item *advice_item_of(const struct advice *a, uint32_t nid)
{
    return find_item(a, nid);
}

static int take_item(struct advice *a, struct bytes line)
{
    static const char *const dates[] = {"delivered", "submitted", "created", "modified"};
    struct advice_item *item;
    struct bytes from;
    uint64_t nid, folder = 0;

    if (!u64_of(line, "nid", &nid) || nid > UINT32_MAX || !(item = find_item(a, (uint32_t)nid)))
        return 0;
    u64_of(line, "folder", &folder);
    item->folder = (uint32_t)folder;
    item->subject = text_of(a, line, "subject");
    for (size_t i = 0; item->date && !*item->date && i < sizeof dates / sizeof *dates; i++)
        item->date = text_of(a, line, dates[i]);
    if (json_find(line, "from", &from) == 1) {
        item->from = text_of(a, from, "name");
        if (item->from && !*item->from)
            item->from = text_of(a, from, "address");
    }
    return item->subject && item->date && item->from ? 0 : ERR_NOMEM;
}

static int read_items(struct advice *a, const char *manifest, const atomic_bool *cancel,
                      struct fault *fault)
{
    struct idx_manifest_reader *reader = NULL;
    enum idx_manifest_state state = MANIFEST_COMPLETE;
    enum idx_record type = RECORD_SCAN;
    struct bytes line;
    uint64_t lines = 0;
    int got, code = idx_manifest_open(manifest, &reader, fault);

    while (!code && type <= RECORD_ITEM &&
           (got = idx_manifest_next(reader, &type, &line, &state)) != 0) {
        code = got < 0 ? got : type == RECORD_ITEM ? take_item(a, line) : 0;
        if (!code && ++lines % CANCEL_EVERY == 0 && is_cancelled(cancel))
            code = ERR_CANCELLED;
    }
    idx_manifest_close(reader);
    return code;
}

int advice_name_items(struct advice *a, const atomic_bool *cancel)
{
    struct fault fault = {0};
    int code;

    a->item_count = 0;
    code = place_items(a);
    return !code && a->item_count ? read_items(a, a->manifest, cancel, &fault) : code;
}

int advice_read(struct advice *a, const char *manifest, bool names, const atomic_bool *cancel,
                struct fault *fault)
{
    struct idx_manifest_reader *reader = NULL;
    int code = idx_manifest_open(manifest, &reader, fault);

    if (code)
        return code;
    a->manifest = arena_strdup(&a->arena, manifest);
    a->verdict.remedy = REMEDY_UNKNOWN;
    code = a->manifest ? 0 : ERR_NOMEM;
    if (!code && names)
        code = idx_folders_create(&a->folders);
    if (!code)
        code = read_lines(a, reader, names, cancel);
    idx_manifest_close(reader);
    if (!code && names && a->has_verdict)
        code = advice_name_items(a, cancel);
    return code;
}

uint64_t advice_local_items(const struct advice *a)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < a->verdict.reason_count; i++)
        if (a->verdict.reasons[i].strength == STRENGTH_STRONG)
            sum += a->verdict.reasons[i].count;
    return sum;
}
