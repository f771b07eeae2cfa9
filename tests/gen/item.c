#include "tests/gen/item.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "io/bytes.h"
#include "io/mem.h"
#include "tests/gen/encode.h"

/* 2021-01-01 00:00:00 UTC as a FILETIME; items lie in the three years before and the two after. */
#define TIME_MIDDLE 132539328000000000u
#define TIME_SECOND 10000000u
#define TIME_DAY    (86400u * (uint64_t)TIME_SECOND)

const char *item_kind_name(enum item_kind kind)
{
    static const char *const names[ITEM_KINDS] = {
        "mail", "appointment", "meeting",  "contact", "distlist", "task",  "note", "journal",
        "post", "report",      "document", "sharing", "person",   "other", "other"};
    return names[kind];
}

const char *item_change_name(enum item_change change)
{
    static const char *const names[CHANGE_COUNT] = {"none",
                                                    "subject",
                                                    "sender",
                                                    "to",
                                                    "cc",
                                                    "submitted",
                                                    "body",
                                                    "attachment_name",
                                                    "attachment_data",
                                                    "message_id",
                                                    "state",
                                                    "named",
                                                    "class",
                                                    "bcc",
                                                    "search_key",
                                                    "no_message_id"};
    return names[change];
}

char *make_string(struct maker *m, struct item *it)
{
    const char *text = buf_cstr(&m->scratch);
    char *copy = text == NULL ? NULL : arena_copy(it->bag.arena, text, m->scratch.size + 1);
    buf_reset(&m->scratch);
    if (copy == NULL)
        it->bag.failed = true;
    return copy;
}

/* Entry id of a one-off or Exchange recipient ([MS-OXCDATA] 2.2.5). */
void make_entry_id(struct bag *bag, uint16_t id, const struct person *p)
{
    static const uint8_t one_off[24] = {0,    0,    0,    0,    0x81, 0x2B, 0x1F, 0xA4,
                                        0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD,
                                        0x01, 0x0F, 0x54, 0x02, 0,    0,    0x01, 0x80};
    static const uint8_t exchange[28] = {0,    0,    0,    0,    0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42,
                                         0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F, 0xE1, 0x82,
                                         1,    0,    0,    0,    0,    0,    0,    0};
    uint8_t out[1024];
    size_t n;
    if (p->dn != NULL) {
        memcpy(out, exchange, sizeof exchange);
        n = sizeof exchange + strlen(p->dn) + 1;
        memcpy(out + sizeof exchange, p->dn, strlen(p->dn) + 1);
    } else {
        memcpy(out, one_off, sizeof one_off);
        n = sizeof one_off;
        n += encode_utf16(p->name, strlen(p->name) + 1, out + n);
        n += encode_utf16("SMTP", 5, out + n);
        n += encode_utf16(p->smtp, strlen(p->smtp) + 1, out + n);
    }
    bag_data(bag, id, T_BIN, out, n);
}

void make_search_key(struct bag *bag, uint16_t id, const struct person *p)
{
    char out[256];
    int n = snprintf(out, sizeof out, "%s:%s", p->dn != NULL ? "EX" : "SMTP",
                     p->dn != NULL ? p->dn : p->smtp);
    for (int i = 0; i < n; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
    bag_data(bag, id, T_BIN, out, (size_t)n + 1);
}

/* Sender and represented sender. */
void make_person_props(struct item *it, const struct person *p)
{
    struct bag *b = &it->bag;
    const char *type = p->dn != NULL ? "EX" : "SMTP";
    const char *address = p->dn != NULL ? p->dn : p->smtp;
    it->sender = *p;
    it->has_sender = true;
    make_search_key(b, 0x003B, p);
    make_entry_id(b, 0x0041, p);
    bag_text(b, 0x0042, p->name);
    bag_text(b, 0x0064, type);
    bag_text(b, 0x0065, address);
    make_entry_id(b, 0x0C19, p);
    bag_text(b, 0x0C1A, p->name);
    make_search_key(b, 0x0C1D, p);
    bag_text(b, 0x0C1E, type);
    bag_text(b, 0x0C1F, address);
    bag_text(b, 0x4038, p->name);
    bag_text(b, 0x4039, p->name);
    bag_text(b, 0x5D01, p->smtp);
    bag_text(b, 0x5D02, p->smtp);
}

/* 0037 with its prefix marker: U+0001, then the prefix's length + 1 as a character. */
void make_subject(struct item *it, const char *prefix, const char *subject)
{
    char marked[700], plain[600];
    size_t chars = 0;
    for (const char *p = prefix; *p != 0; p++)
        chars += (*p & 0xC0) != 0x80;
    snprintf(plain, sizeof plain, "%s%s", prefix, subject);
    snprintf(marked, sizeof marked, "\x01%c%s", (char)(chars + 1), plain);
    it->subject = arena_strdup(it->bag.arena, plain);
    bag_text(&it->bag, 0x0037, marked);
    bag_text(&it->bag, 0x003D, prefix);
    bag_text(&it->bag, 0x0070, subject);
    bag_text(&it->bag, 0x0E1D, subject);
}

void make_bodies(struct maker *m, struct item *it, struct rng *r, size_t text_bytes,
                 size_t html_bytes, size_t rtf_bytes)
{
    struct bag *b = &it->bag;
    const char *changed = it->plan.change == CHANGE_BODY ? "(changed)" : "";
    if (text_bytes > 0) {
        text_prose(m->corpus, r, it->language, &m->scratch, text_bytes, "\r\n");
        buf_puts(&m->scratch, changed);
        it->text = make_string(m, it);
        if (it->text != NULL)
            bag_own(b, 0x1000, T_TEXT, it->text, strlen(it->text));
    }
    if (html_bytes > 0) {
        text_html(m->corpus, r, it->language, &m->scratch, html_bytes);
        buf_puts(&m->scratch, changed);
        it->html_size = m->scratch.size;
        it->html = (const uint8_t *)make_string(m, it);
        bag_own(b, 0x1013, T_BIN, it->html, it->html_size);
    }
    if (rtf_bytes > 0) {
        text_rtf(m->corpus, r, it->language, &m->scratch, rtf_bytes);
        buf_puts(&m->scratch, changed);
        it->rtf_size = m->scratch.size;
        it->rtf = (const uint8_t *)make_string(m, it);
    }
    if (text_bytes + html_bytes + rtf_bytes > 0)
        bag_i32(b, 0x1016, html_bytes > 0 ? 3 : rtf_bytes > 0 ? 2 : 1);
}

struct attachment *make_attachment_slot(struct item *it)
{
    size_t capacity = 1;
    while (capacity < it->attachment_count)
        capacity *= 2;
    if (it->attachment_count == 0 || it->attachment_count == capacity) {
        struct attachment *grown =
            arena_alloc_array(it->bag.arena, capacity * 2, sizeof *it->attachments);
        if (grown == NULL) {
            it->bag.failed = true;
            return NULL;
        }
        if (it->attachment_count > 0)
            memcpy(grown, it->attachments, it->attachment_count * sizeof *grown);
        it->attachments = grown;
    }
    struct attachment *a = &it->attachments[it->attachment_count++];
    *a = (struct attachment){.method = 1};
    return a;
}

void make_attachment(struct maker *m, struct item *it, struct rng *r, uint64_t size)
{
    static const struct {
        const char *extension, *mime;
    } types[] = {
        {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {"pdf", "application/pdf"},
        {"txt", "text/plain"},
        {"csv", "text/csv"},
        {"jpg", "image/jpeg"},
        {"zip", "application/zip"},
        {"log", "text/plain"},
        {"bin", NULL}};
    uint32_t type = rng_below(r, 8);
    struct attachment *a = make_attachment_slot(it);
    if (a == NULL)
        return;
    text_title(r, it->language, &m->scratch, 2);
    if (it->plan.change == CHANGE_ATTACHMENT_NAME)
        buf_puts(&m->scratch, " copy");
    buf_printf(&m->scratch, "-%u.%s", rng_below(r, 1000), types[type].extension);
    a->name = make_string(m, it);
    a->mime = types[type].mime;
    a->inline_image = type == 4 && rng_chance(r, 50);
    a->size = size;
    a->stream = rng_next(r) << 1 | (type == 2 || type == 3 || type == 6);
    if (it->plan.change == CHANGE_ATTACHMENT_DATA)
        a->stream ^= (uint64_t)1 << 40;
}

static void common_times(struct item *it, struct rng *r)
{
    uint64_t middle = TIME_MIDDLE - (it->plan.old ? 3650 * TIME_DAY : 0);
    uint64_t sent = middle - 3 * 365 * TIME_DAY + rng_below(r, 5 * 365) * TIME_DAY;
    sent += rng_below(r, 86400) * (uint64_t)TIME_SECOND;
    it->submitted = sent;
    it->delivered = sent + rng_between(r, 1, 90) * (uint64_t)TIME_SECOND;
    it->created = it->delivered + rng_below(r, 1000) * 10000u + 7;
    it->modified = it->created + rng_below(r, 30 * 86400) * (uint64_t)TIME_SECOND + 1234567;
    if (it->plan.change == CHANGE_SUBMIT)
        it->submitted += 3600u * (uint64_t)TIME_SECOND;
}

/* From a stream of their own: an item of which only the headers were fetched has the same. */
static void common_props(struct maker *m, struct item *it)
{
    struct bag *b = &it->bag;
    struct rng own = rng_of(m->seed, 19, it->plan.content), *r = &own;
    rng_fill(r, it->search_key, sizeof it->search_key);
    if (it->plan.change == CHANGE_SEARCH_KEY)
        it->search_key[15] ^= 1;
    if (it->plan.change == CHANGE_CLASS) {
        buf_printf(&m->scratch, "%s.Custom", it->class);
        it->class = make_string(m, it);
    }
    bool read = rng_chance(r, 70);
    uint32_t importance = rng_chance(r, 8) ? 2 : 1;
    if (it->plan.change == CHANGE_STATE) {
        read = !read;
        importance = 0;
    }
    it->flags = read | (it->plan.unsent ? 0x08 : 0);
    bag_text(b, 0x001A, it->class);
    bag_i32(b, 0x0017, importance);
    bag_i32(b, 0x0026, importance - 1);
    bag_i32(b, 0x0036, 0);
    bag_bool(b, 0x0029, false);
    bag_i32(b, 0x1080, UINT32_MAX);
    bag_data(b, 0x300B, T_BIN, it->search_key, 16);
    bag_i32(b, 0x3FF1, it->language->lcid);
    bag_i32(b, 0x3FFD, it->language->codepage);
}

/* Values that readers stumble over, all legal. */
static void odd_values(struct item *it, struct rng *r)
{
    static const char keywords[] = "Red\0Blue category\0\0long";
    struct bag *b = &it->bag;
    uint8_t numbers[40], list[200];
    rng_fill(r, numbers, sizeof numbers);
    bag_data(b, 0x6801, T_BIN, "", 0);
    bag_data(b, NAMED + N_file_under, T_TEXT, "", 0);
    bag_data(b, NAMED + N_provider_list, T_MULTI_I32, numbers, sizeof numbers);
    bag_data(b, NAMED + N_keywords, T_MULTI_TEXT, keywords, sizeof keywords);
    bag_data(b, 0x68F0, T_GUID, numbers, 16);
    bag_fixed(b, 0x68F1, T_F64, 0x400921FB54442D18u);
    bag_fixed(b, 0x68F2, T_I16, 0x8001);
    bag_fixed(b, 0x68F3, T_I64, rng_next(r));
    put_le32(list, 2);
    put_le32(list + 4, 12);
    put_le32(list + 8, 30);
    memcpy(list + 12, numbers, 40);
    bag_data(b, 0x68F4, T_MULTI_BIN, list, 52);
}

static void many_values(struct item *it, struct rng *r)
{
    static uint8_t value[1200];
    for (uint16_t i = 0; i < it->plan.number && i < NAMED_EXTRA; i++) {
        rng_fill(r, value, sizeof value);
        bag_data(&it->bag, (uint16_t)(NAMED + N_EXTRA + i), T_BIN, value, sizeof value);
    }
}

static void many_props(struct maker *m, struct item *it, struct rng *r)
{
    for (uint16_t i = 0; i < NAMED_EXTRA; i++) {
        text_title(r, it->language, &m->scratch, 2);
        const char *text = make_string(m, it);
        if (text != NULL)
            bag_own(&it->bag, (uint16_t)(NAMED + N_EXTRA + i), T_TEXT, text, strlen(text));
    }
}

static void embed(struct maker *m, struct item *it, struct rng *r)
{
    struct plan inner = {.content = it->plan.content ^ (it->plan.number << 48) ^ 0x5EED,
                         .kind = it->plan.number % 3 == 2 ? ITEM_APPOINTMENT : ITEM_MAIL,
                         .language = (it->plan.language + 3) % LANGUAGE_COUNT};
    if (it->plan.number > 1) {
        inner.features = FEATURE_EMBEDDED;
        inner.number = it->plan.number - 1;
    }
    if (rng_chance(r, 50))
        make_attachment(m, it, r, rng_between(r, 10, 3000));
    struct item *made = item_make(m, it->bag.arena, &inner);
    struct attachment *a = made == NULL ? NULL : make_attachment_slot(it);
    if (a == NULL) {
        it->bag.failed = true;
        return;
    }
    a->method = 5;
    a->embedded = made;
    a->name = made->subject != NULL ? made->subject : "item";
}

/* By reference (2 to 4) and OLE (6); what has no data has a path. */
static void references(struct maker *m, struct item *it, struct rng *r)
{
    for (uint32_t method = 2; method <= 4; method++) {
        struct attachment *a = make_attachment_slot(it);
        if (a == NULL)
            return;
        a->method = method;
        a->name = "linked.xlsx";
        a->path = "\\\\server\\share\\linked.xlsx";
    }
    make_attachment(m, it, r, 5000);
    if (it->attachment_count > 0)
        it->attachments[it->attachment_count - 1].method = 6;
}

struct item *item_make(struct maker *m, struct arena *arena, const struct plan *plan)
{
    struct item *it = arena_alloc(arena, sizeof *it);
    if (it == NULL)
        return NULL;
    struct rng r = rng_of(m->seed, 5, plan->content);
    memset(it, 0, offsetof(struct item, bag));
    bag_init(&it->bag, arena, 160);
    it->plan = *plan;
    it->language = &languages[plan->language];
    common_times(it, &r);
    if (plan->kind == ITEM_MAIL || plan->kind == ITEM_POST || plan->kind == ITEM_REPORT ||
        plan->kind == ITEM_MEETING || plan->kind == ITEM_SHARING)
        make_mail(m, it, &r);
    else
        make_other(m, it, &r);
    common_props(m, it);
    if (plan->features & FEATURE_ODD_VALUES)
        odd_values(it, &r);
    if (plan->features & FEATURE_MANY_PROPS)
        many_props(m, it, &r);
    if (plan->features & FEATURE_MANY_VALUES)
        many_values(it, &r);
    for (uint64_t i = 0; (plan->features & FEATURE_ATTACHMENTS) && i < plan->number; i++)
        make_attachment(m, it, &r, rng_between(&r, 0, 400));
    if (plan->features & FEATURE_BIG_ATTACHMENT)
        make_attachment(m, it, &r, plan->number);
    if (plan->features & FEATURE_REFERENCES)
        references(m, it, &r);
    if (plan->features & FEATURE_EMBEDDED)
        embed(m, it, &r);
    if (it->attachment_count > 0)
        it->flags |= 0x10;
    return it->bag.failed || m->scratch.failed ? NULL : it;
}
