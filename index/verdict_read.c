/* verdict_read.c: see verdict_read.h. */
#include "index/verdict_read.h"

#include <stdlib.h>
#include <string.h>

#include "index/json_read.h"
#include "index/times.h"
#include "io/err.h"

enum { NAME_MAX_SIZE = 64, ELEMENTS_MOST = 1 << 20 };

bool chk_remedy_of(const char *name, enum chk_remedy *out)
{
    for (int i = 0; i <= REMEDY_UNKNOWN; i++)
        if (strcmp(name, chk_remedy_name((enum chk_remedy)i)) == 0) {
            *out = (enum chk_remedy)i;
            return true;
        }
    return false;
}

bool chk_export_of(const char *name, enum chk_export *out)
{
    for (int i = 0; i <= EXPORT_NOTHING_FOUND; i++)
        if (strcmp(name, chk_export_name((enum chk_export)i)) == 0) {
            *out = (enum chk_export)i;
            return true;
        }
    return false;
}

/* What a member says; absent and of another kind alike are nothing. */
static uint64_t number(struct bytes object, const char *key)
{
    struct json_token token;
    struct bytes value;
    uint64_t out = 0;

    if (json_find(object, key, &value) != 1 || !json_scalar(value, &token) ||
        !json_token_u64(&token, &out))
        return 0;
    return out;
}

static bool word(struct bytes object, const char *key, char out[NAME_MAX_SIZE])
{
    struct json_token token;
    struct bytes value;

    out[0] = '\0';
    if (json_find(object, key, &value) != 1 || !json_scalar(value, &token) ||
        token.kind != JSON_STRING || token.text.size >= NAME_MAX_SIZE)
        return false;
    memcpy(out, token.text.data, token.text.size);
    out[token.text.size] = '\0';
    return true;
}

static char *text(struct bytes object, const char *key, struct arena *arena)
{
    struct buf scratch = BUF_INIT;
    struct json_token token;
    struct bytes value;
    char *out = NULL;

    if (json_find(object, key, &value) != 1 || !json_scalar(value, &token) ||
        token.kind != JSON_STRING)
        return NULL;
    json_token_text(&token, &scratch);
    if (buf_cstr(&scratch))
        out = arena_strdup(arena, (const char *)scratch.data);
    buf_done(&scratch);
    return out;
}

/* Calls `element` with each value of the list that is that member; absent: with none. */
static int each(struct bytes object, const char *key, int (*element)(void *ctx, struct bytes value),
                void *ctx)
{
    struct json_reader r;
    struct json_token token;
    struct bytes list, value;
    int code = json_find(object, key, &list);

    if (code <= 0)
        return code;
    json_read_start(&r, list);
    if (json_read_next(&r, &token) != 1 || token.kind != JSON_ARRAY)
        return ERR_DAMAGED;
    while ((code = json_read_next(&r, &token)) == 1 && token.kind != JSON_CLOSE_ARRAY) {
        code = json_read_skip(&r, &token, &value);
        if (!code)
            code = element(ctx, value);
        if (code)
            return code;
    }
    return code < 0 ? code : 0;
}

static int count_one(void *ctx, struct bytes value)
{
    size_t *count = ctx;

    (void)value;
    return ++*count > ELEMENTS_MOST ? ERR_DAMAGED : 0;
}

/* Room for the list's elements, zeroed: *count is how many it has. */
static int room_for(struct bytes object, const char *key, size_t size, struct arena *arena,
                    void **out, size_t *count)
{
    int code;

    *count = 0;
    code = each(object, key, count_one, count);
    if (code)
        return code;
    *out = arena_alloc_array(arena, *count, size);
    if (!*out)
        return ERR_NOMEM;
    memset(*out, 0, *count * size);
    return 0;
}

struct nid_list {
    uint32_t *list;
    size_t count;
};

static int take_nid(void *ctx, struct bytes value)
{
    struct nid_list *n = ctx;
    struct json_token token;
    uint64_t nid;

    if (!json_scalar(value, &token) || !json_token_u64(&token, &nid) || nid > UINT32_MAX)
        return ERR_DAMAGED;
    n->list[n->count++] = (uint32_t)nid;
    return 0;
}

static int nids(struct bytes object, const char *key, struct arena *arena, const uint32_t **out,
                size_t *count)
{
    struct nid_list n = {0};
    void *list;
    int code = room_for(object, key, sizeof *n.list, arena, &list, count);

    if (code)
        return code;
    n.list = list;
    *out = n.list;
    return each(object, key, take_nid, &n);
}

static int take_code(void *ctx, struct bytes value)
{
    struct chk_reason *r = ctx;
    struct json_token token;

    if (!json_scalar(value, &token) || token.kind != JSON_STRING)
        return ERR_DAMAGED;
    for (unsigned code = 0; code < FINDING_CODES; code++)
        if (json_token_is(&token, finding_info((enum finding_code)code)->name) &&
            r->code_count < CHK_REASON_CODES)
            r->codes[r->code_count++] = (enum finding_code)code;
    return 0;
}

struct errors {
    struct chk_sync_error *list;
    size_t count;
};

/* To the second; 0 where there is none. */
static uint64_t filetime(struct bytes object, const char *key)
{
    static const int64_t to_1970 = INT64_C(11644473600);
    char text_of_it[NAME_MAX_SIZE];
    int64_t seconds;

    if (!word(object, key, text_of_it) || !idx_time_parse(bytes_text(text_of_it), &seconds) ||
        seconds < -to_1970)
        return 0;
    return (uint64_t)(seconds + to_1970) * 10000000;
}

static int take_error(void *ctx, struct bytes value)
{
    struct errors *e = ctx;
    struct chk_sync_error *out = &e->list[e->count++];
    char code[NAME_MAX_SIZE];

    if (!word(value, "code", code))
        return ERR_DAMAGED;
    out->code = (uint32_t)strtoul(code, NULL, 16);
    out->folder = (uint32_t)number(value, "folder");
    out->count = number(value, "count");
    out->first = filetime(value, "first");
    out->last = filetime(value, "last");
    return 0;
}

static int errors_of(struct bytes object, struct arena *arena, struct chk_reason *r)
{
    struct errors e = {0};
    void *list;
    int code =
        room_for(object, "errors", sizeof(struct chk_sync_error), arena, &list, &r->error_count);

    if (code)
        return code;
    e.list = list;
    r->errors = e.list;
    return each(object, "errors", take_error, &e);
}

struct lists {
    struct arena *arena;
    struct chk_reason *reasons;
    struct chk_folder_state *folders;
    size_t reason_count, folder_count;
};

static enum chk_concern concern_of(struct bytes object)
{
    char name[NAME_MAX_SIZE];

    if (!word(object, "about", name))
        return CONCERN_REMEDY;
    return strcmp(name, chk_concern_name(CONCERN_SYNC)) == 0 ? CONCERN_SYNC : CONCERN_EXPORT;
}

static enum chk_strength strength_of(struct bytes object)
{
    char name[NAME_MAX_SIZE];

    if (!word(object, "strength", name))
        return STRENGTH_NONE;
    return strcmp(name, chk_strength_name(STRENGTH_STRONG)) == 0 ? STRENGTH_STRONG : STRENGTH_WEAK;
}

static int take_reason(void *ctx, struct bytes value)
{
    struct lists *l = ctx;
    struct chk_reason *r = &l->reasons[l->reason_count++];
    int code;

    r->text = text(value, "text", l->arena);
    if (!r->text)
        return ERR_DAMAGED;
    r->about = concern_of(value);
    r->strength = strength_of(value);
    r->count = number(value, "count");
    code = each(value, "codes", take_code, r);
    if (!code)
        code = nids(value, "items", l->arena, &r->items, &r->item_count);
    if (!code)
        code = nids(value, "folders", l->arena, &r->folders, &r->folder_count);
    return code ? code : errors_of(value, l->arena, r);
}

static bool download_of(struct bytes object, struct chk_download *out)
{
    struct bytes value;

    if (json_find(object, "download", &value) != 1)
        return false;
    out->items = number(value, "items");
    out->bytes = number(value, "bytes");
    out->unsized = number(value, "unsized");
    return true;
}

static int take_folder(void *ctx, struct bytes value)
{
    struct lists *l = ctx;
    struct chk_folder_state *f = &l->folders[l->folder_count++];
    char remedy[NAME_MAX_SIZE];

    if (!word(value, "remedy", remedy) || !chk_remedy_of(remedy, &f->remedy))
        return ERR_DAMAGED;
    f->nid = (uint32_t)number(value, "nid");
    f->failed = number(value, "failed");
    f->orphaned = number(value, "orphaned");
    f->unaccounted = number(value, "unaccounted");
    f->rows_without_item = number(value, "rows_without_item");
    download_of(value, &f->download);
    return 0;
}

static void coverage_of(struct bytes line, struct chk_coverage *out)
{
    struct bytes value, member;

    if (json_find(line, "coverage", &value) != 1)
        return;
    *out = (struct chk_coverage){
        .has_allocated = json_find(value, "allocated", &member) == 1,
        .allocated_bytes = number(value, "allocated"),
        .verified_bytes = number(value, "verified"),
        .items_expected = number(value, "items_expected"),
        .items_read = number(value, "items_read"),
        .items_failed = number(value, "items_failed"),
        .items_orphaned = number(value, "items_orphaned"),
        .rows = number(value, "rows"),
        .rows_without_item = number(value, "rows_without_item"),
    };
}

int idx_verdict_read(struct bytes line, struct arena *arena, struct chk_verdict *out)
{
    struct lists l = {.arena = arena};
    char remedy[NAME_MAX_SIZE], export_first[NAME_MAX_SIZE];
    void *list;
    int code;

    *out = (struct chk_verdict){0};
    if (!word(line, "remedy", remedy) || !chk_remedy_of(remedy, &out->remedy) ||
        !word(line, "export_first", export_first) ||
        !chk_export_of(export_first, &out->export_first))
        return ERR_DAMAGED;
    code = room_for(line, "reasons", sizeof *l.reasons, arena, &list, &out->reason_count);
    if (!code) {
        out->reasons = l.reasons = list;
        code = each(line, "reasons", take_reason, &l);
    }
    if (!code)
        code = room_for(line, "folders", sizeof *l.folders, arena, &list, &out->folder_count);
    if (!code) {
        out->folders = l.folders = list;
        code = each(line, "folders", take_folder, &l);
    }
    coverage_of(line, &out->coverage);
    out->has_download = download_of(line, &out->download);
    /* No verdict is nested as deep as JSON may be. */
    return code == ERR_LIMIT ? ERR_DAMAGED : code;
}
