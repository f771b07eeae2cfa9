/*
 * dup_item.c: see dup_item.h. One pass over the line; each key leads to what is to be done with its
 * value. Of keys that repeat the last one counts.
 */
#include "index/dup_item.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "index/json_read.h"
#include "index/view.h"
#include "io/err.h"

void dup_item_done(struct dup_item *i)
{
    buf_done(&i->attachments);
}

uint32_t dup_mark_of(struct bytes value)
{
    uint32_t mark = (uint32_t)XXH3_64bits(value.data, value.size);

    return mark ? mark : 1;
}

bool dup_digest_parse(struct bytes text, struct ost_digest *out)
{
    static const struct {
        const char *prefix;
        uint8_t size;
    } kinds[] = {{"xxh3:", 16}, {"sha256:", 32}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].prefix);

        if (text.size != n + 2u * kinds[i].size || memcmp(text.data, kinds[i].prefix, n) != 0)
            continue;
        *out = (struct ost_digest){.size = kinds[i].size};
        return hex_decode((const char *)text.data + n, kinds[i].size, out->bytes);
    }
    return false;
}

/* What is done with the value of a key. */
enum action {
    TAKE_NID,
    TAKE_FOLDER,
    TAKE_ASSOC,
    TAKE_ORPHAN,
    TAKE_PARTIAL,
    TAKE_RECOVERED,
    TAKE_FAILED,
    TAKE_KIND,
    TAKE_MIH,
    TAKE_SIZE,
    TAKE_CLASS,
    TAKE_SEARCH_KEY,
    TAKE_BCC,
    TAKE_ATTACHMENTS,
    TAKE_DIGEST,
    TAKE_EXACT,
    TAKE_CORE,
    TAKE_STATE,
    TAKE_BODY,
    TAKE_TEXT,
    TAKE_HTML,
    TAKE_RTF,
    TAKE_NAME,
};

struct rule {
    const char *key;
    size_t size;
    enum action action;
};

#define RULE(key, action)                                                                          \
    {                                                                                              \
        key, sizeof key - 1, action                                                                \
    }
#define LAST_RULE                                                                                  \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

static const struct rule item_rules[] = {
    RULE("nid", TAKE_NID),
    RULE("folder", TAKE_FOLDER),
    RULE("assoc", TAKE_ASSOC),
    RULE("orphan", TAKE_ORPHAN),
    RULE("kind", TAKE_KIND),
    RULE("class", TAKE_CLASS),
    RULE("mih", TAKE_MIH),
    RULE("search_key", TAKE_SEARCH_KEY),
    RULE("size", TAKE_SIZE),
    RULE("bcc", TAKE_BCC),
    RULE("attachments", TAKE_ATTACHMENTS),
    RULE("digest", TAKE_DIGEST),
    RULE("partial", TAKE_PARTIAL),
    RULE("recovered", TAKE_RECOVERED),
    RULE("maybe_stale", TAKE_RECOVERED),
    RULE("failed", TAKE_FAILED),
    LAST_RULE,
};
static const struct rule digest_rules[] = {
    RULE("exact", TAKE_EXACT),
    RULE("core", TAKE_CORE),
    RULE("body", TAKE_BODY),
    RULE("state", TAKE_STATE),
    LAST_RULE,
};
static const struct rule body_rules[] = {
    RULE("text", TAKE_TEXT),
    RULE("html", TAKE_HTML),
    RULE("rtf", TAKE_RTF),
    LAST_RULE,
};
static const struct rule attachment_rules[] = {
    RULE("nid", TAKE_NID),
    RULE("name", TAKE_NAME),
    RULE("size", TAKE_SIZE),
    RULE("digest", TAKE_EXACT),
    LAST_RULE,
};

static const struct rule *rule_of(const struct rule *rules, const struct json_token *key)
{
    for (; rules->key; rules++)
        if (key->escaped ? json_token_is(key, rules->key)
                         : key->text.size == rules->size &&
                               memcmp(key->text.data, rules->key, rules->size) == 0)
            return rules;
    return NULL;
}

struct parse {
    struct json_reader json;
    struct dup_item *item;
    struct ost_digest core;
    bool has_nid, failed, partial, recovered;
};

/* Handles the members of the object just opened, each with a rule by `take`. */
static int members(struct parse *p, const struct rule *rules,
                   int (*take)(struct parse *p, enum action action, const struct json_token *value,
                               void *into),
                   void *into)
{
    struct json_token key, value;
    int got;

    while ((got = json_read_next(&p->json, &key)) == 1 && key.kind == JSON_KEY) {
        const struct rule *rule = rule_of(rules, &key);

        got = json_read_next(&p->json, &value);
        if (got == 1)
            got =
                rule ? take(p, rule->action, &value, into) : json_read_skip(&p->json, &value, NULL);
        if (got)
            return got < 0 ? got : ERR_DAMAGED;
    }
    return got < 0 ? got : 0;
}

static int u32_value(const struct json_token *value, uint32_t *out)
{
    uint64_t v;

    if (!json_token_u64(value, &v) || v > UINT32_MAX)
        return ERR_DAMAGED;
    *out = (uint32_t)v;
    return 0;
}

static int digest_value(const struct json_token *value, struct ost_digest *out)
{
    return value->kind == JSON_STRING && dup_digest_parse(value->text, out) ? 0 : ERR_DAMAGED;
}

static int mark_value(struct parse *p, enum dup_mark mark, const struct json_token *value)
{
    struct bytes whole;
    int code = json_read_skip(&p->json, value, &whole);

    if (!code)
        p->item->entry.marks[mark] = dup_mark_of(whole);
    return code;
}

static int kind_value(const struct json_token *value, uint8_t *out)
{
    for (unsigned kind = 0; kind < IDX_KINDS; kind++) {
        if (json_token_is(value, idx_kind_name((enum idx_kind)kind))) {
            *out = (uint8_t)kind;
            break;
        }
    }
    return value->kind == JSON_STRING ? 0 : ERR_DAMAGED;
}

/* As stored it is signed; what is below 0 tells nothing. */
static int size_value(const struct json_token *value, struct dup_entry *e)
{
    int64_t v;

    if (!json_token_i64(value, &v))
        return ERR_DAMAGED;
    e->has_size = v >= 0;
    e->size_bytes = v >= 0 ? (uint64_t)v : 0;
    return 0;
}

static int flag_value(const struct json_token *value, bool *out)
{
    if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
        return ERR_DAMAGED;
    *out = value->kind == JSON_TRUE;
    return 0;
}

static int take_body(struct parse *p, enum action action, const struct json_token *value,
                     void *into)
{
    (void)into;
    return mark_value(p,
                      action == TAKE_TEXT   ? MARK_TEXT
                      : action == TAKE_HTML ? MARK_HTML
                                            : MARK_RTF,
                      value);
}

static int take_digest(struct parse *p, enum action action, const struct json_token *value,
                       void *into)
{
    switch (action) {
    case TAKE_EXACT:
        return digest_value(value, &p->item->entry.exact);
    case TAKE_CORE:
        return digest_value(value, &p->core);
    case TAKE_STATE:
        return mark_value(p, MARK_STATE, value);
    default:
        return value->kind == JSON_OBJECT ? members(p, body_rules, take_body, into) : ERR_DAMAGED;
    }
}

static int take_attachment(struct parse *p, enum action action, const struct json_token *value,
                           void *into)
{
    struct dup_attachment *a = into;
    struct bytes whole;
    int code;

    switch (action) {
    case TAKE_NID:
        return u32_value(value, &a->nid);
    case TAKE_SIZE:
        return json_token_u64(value, &a->size_bytes) ? 0 : ERR_DAMAGED;
    case TAKE_EXACT:
        return digest_value(value, &a->digest);
    default:
        code = json_read_skip(&p->json, value, &whole);
        if (!code)
            a->name = dup_mark_of(whole);
        return code;
    }
}

static int attachments(struct parse *p)
{
    struct json_token value;
    int got;

    while ((got = json_read_next(&p->json, &value)) == 1 && value.kind == JSON_OBJECT) {
        struct dup_attachment a = {0};
        int code = members(p, attachment_rules, take_attachment, &a);

        if (code)
            return code;
        buf_append(&p->item->attachments, &a, sizeof a);
    }
    if (got == 1 && value.kind != JSON_CLOSE_ARRAY)
        return ERR_DAMAGED;
    return got < 0 ? got : p->item->attachments.failed ? ERR_NOMEM : 0;
}

static int take_item(struct parse *p, enum action action, const struct json_token *value,
                     void *into)
{
    struct dup_entry *e = &p->item->entry;

    switch (action) {
    case TAKE_NID:
        p->has_nid = true;
        return u32_value(value, &e->nid);
    case TAKE_FOLDER:
        e->has_folder = true;
        return u32_value(value, &e->folder);
    case TAKE_ASSOC:
        return flag_value(value, &p->item->assoc);
    case TAKE_ORPHAN:
        return flag_value(value, &e->orphan);
    case TAKE_PARTIAL:
        return flag_value(value, &p->partial);
    case TAKE_RECOVERED:
        return flag_value(value, &p->recovered);
    case TAKE_FAILED:
        return flag_value(value, &p->failed);
    case TAKE_KIND:
        return kind_value(value, &e->kind);
    case TAKE_MIH:
        e->has_mih = value->kind == JSON_STRING && value->text.size == 2 * sizeof e->mih &&
                     hex_decode((const char *)value->text.data, sizeof e->mih, e->mih);
        return e->has_mih ? 0 : ERR_DAMAGED;
    case TAKE_SIZE:
        return size_value(value, e);
    case TAKE_CLASS:
        return mark_value(p, MARK_CLASS, value);
    case TAKE_SEARCH_KEY:
        return mark_value(p, MARK_SEARCH_KEY, value);
    case TAKE_BCC:
        return mark_value(p, MARK_BCC, value);
    case TAKE_ATTACHMENTS:
        return value->kind == JSON_ARRAY ? attachments(p) : ERR_DAMAGED;
    default:
        return value->kind == JSON_OBJECT ? members(p, digest_rules, take_digest, into)
                                          : ERR_DAMAGED;
    }
}

static enum dup_fate fate_of(const struct parse *p)
{
    if (p->failed)
        return FATE_FAILED;
    if (p->partial)
        return FATE_PARTIAL;
    if (p->recovered)
        return FATE_RECOVERED;
    return p->item->entry.exact.size ? FATE_INDEXED : FATE_UNDIGESTED;
}

int dup_item_parse(struct bytes line, struct dup_item *out)
{
    struct parse p = {.item = out};
    struct dup_entry *e = &out->entry;
    struct json_token token;
    int got;

    buf_reset(&out->attachments);
    out->assoc = false;
    *e = (struct dup_entry){.of = DUP_ITEM, .kind = IDX_KINDS};
    json_read_start(&p.json, line);
    got = json_read_next(&p.json, &token);
    if (got == 1)
        got = token.kind == JSON_OBJECT ? members(&p, item_rules, take_item, NULL) : ERR_DAMAGED;
    if (!got)
        got = json_read_next(&p.json, &token);
    if (got)
        return got == ERR_NOMEM ? got : ERR_DAMAGED;
    if (!p.has_nid)
        return ERR_DAMAGED;
    out->fate = fate_of(&p);
    out->attachment_count = out->attachments.size / sizeof(struct dup_attachment);
    e->by_core = p.core.size > 0;
    e->joint = e->by_core ? p.core : e->exact;
    return 0;
}

static uint32_t mark_at(const struct buf *line, struct idx_place place)
{
    return place.end ? dup_mark_of((struct bytes){line->data + place.at, place.end - place.at}) : 0;
}

static void attachments_of(const struct ost_item *item, const struct idx_item_places *places,
                           const struct buf *line, struct dup_item *out)
{
    for (size_t i = 0; i < places->attachments; i++) {
        const struct ost_attachment *a = &item->attachments[i];
        struct dup_attachment made = {0};

        made.digest = a->data_digest;
        made.size_bytes = a->has_data ? a->data_bytes : 0;
        made.nid = a->nid;
        made.name = mark_at(line, places->names[i]);
        buf_append(&out->attachments, &made, sizeof made);
    }
    out->attachment_count = out->attachments.size / sizeof(struct dup_attachment);
}

static enum dup_fate fate_of_item(const struct ost_item *item, const struct idx_digests *digests)
{
    if (item->damage_count)
        return FATE_PARTIAL;
    if (item->recovered)
        return FATE_RECOVERED;
    return digests->exact.size ? FATE_INDEXED : FATE_UNDIGESTED;
}

bool dup_item_of(const struct ost_item *item, const struct idx_view *view,
                 const struct idx_digests *digests, const struct idx_item_places *places,
                 const struct buf *line, struct dup_item *out)
{
    struct dup_entry *e = &out->entry;

    if (places->attachments > IDX_NAMES_PLACED)
        return false;
    out->fate = fate_of_item(item, digests);
    out->assoc = item->assoc;
    *e = (struct dup_entry){
        .of = DUP_ITEM,
        .by_core = digests->core.size > 0,
        .joint = digests->core.size ? digests->core : digests->exact,
        .exact = digests->exact,
        .has_mih = digests->has_mih,
        .nid = item->nid,
        .has_folder = item->folder != 0,
        .folder = item->folder,
        .orphan = item->orphan,
        .has_size = view->has_size && view->size >= 0,
        .kind = (uint8_t)view->kind,
    };
    if (e->has_size)
        e->size_bytes = (uint64_t)view->size;
    if (e->has_mih)
        memcpy(e->mih, digests->mih, sizeof e->mih);
    e->marks[MARK_CLASS] = mark_at(line, places->message_class);
    e->marks[MARK_TEXT] = mark_at(line, places->text);
    e->marks[MARK_HTML] = mark_at(line, places->html);
    e->marks[MARK_RTF] = mark_at(line, places->rtf);
    e->marks[MARK_BCC] = mark_at(line, places->bcc);
    e->marks[MARK_SEARCH_KEY] = mark_at(line, places->search_key);
    e->marks[MARK_STATE] = mark_at(line, places->state);
    buf_reset(&out->attachments);
    attachments_of(item, places, line, out);
    return !out->attachments.failed;
}

int dup_stored_text(struct bytes record, const char *key, struct buf *out)
{
    char hex[64];
    struct json_token token;
    struct bytes value;
    int got;

    buf_reset(out);
    snprintf(hex, sizeof hex, "%s_hex", key);
    got = json_find(record, hex, &value);
    if (got == 1) {
        if (!json_scalar(value, &token) || token.kind != JSON_STRING || token.text.size % 2 ||
            !buf_reserve(out, token.text.size / 2))
            return out->failed ? ERR_NOMEM : ERR_DAMAGED;
        out->size = token.text.size / 2;
        return hex_decode((const char *)token.text.data, out->size, out->data) ? 1 : ERR_DAMAGED;
    }
    if (!got)
        got = json_find(record, key, &value);
    if (got != 1)
        return got;
    if (!json_scalar(value, &token) || token.kind != JSON_STRING)
        return ERR_DAMAGED;
    json_token_text(&token, out);
    return out->failed ? ERR_NOMEM : 1;
}
