/* compare_value.c: see compare_value.h. */
#include "index/compare_value.h"

#include <string.h>

#include "index/compare_side.h"
#include "index/hash.h"
#include "index/json_read.h"
#include "index/text.h"
#include "index/times.h"
#include "io/err.h"

void cmp_values_done(struct cmp_values *v)
{
    buf_done(&v->text);
    buf_done(&v->normal);
    buf_done(&v->part);
}

bool cmp_is_true(struct bytes value)
{
    return value.size == 4 && memcmp(value.data, "true", 4) == 0;
}

bool cmp_is_text(struct bytes value, const char *text)
{
    struct json_token t;

    return value.data && json_scalar(value, &t) && t.kind == JSON_STRING && json_token_is(&t, text);
}

bool cmp_u64(struct bytes value, uint64_t *out)
{
    struct json_token t;

    return value.data && json_scalar(value, &t) && json_token_u64(&t, out);
}

bool cmp_time(struct bytes value, int64_t *seconds)
{
    return value.size > 2 && value.data[0] == '"' &&
           idx_time_parse((struct bytes){value.data + 1, value.size - 2}, seconds);
}

bool cmp_fixed_hex(struct bytes value, uint8_t *out, size_t n)
{
    return value.size == 2 * n + 2 && value.data[0] == '"' &&
           hex_decode((const char *)value.data + 1, n, out);
}

int cmp_string(struct cmp_values *v, struct bytes value)
{
    struct json_token t;

    buf_reset(&v->text);
    if (!value.data || !json_scalar(value, &t) || t.kind != JSON_STRING)
        return 0;
    json_token_text(&t, &v->text);
    return v->text.failed ? ERR_NOMEM : 1;
}

int cmp_hex(struct cmp_values *v, struct bytes value)
{
    size_t n = value.size >= 2 ? (value.size - 2) / 2 : 0;

    buf_reset(&v->text);
    if (!value.data)
        return 0;
    if (!buf_reserve(&v->text, n))
        return ERR_NOMEM;
    if (!cmp_fixed_hex(value, v->text.data, n))
        return ERR_DAMAGED;
    v->text.size = n;
    return 1;
}

struct bytes cmp_text_of(const struct cmp_values *v)
{
    return (struct bytes){v->text.data, v->text.size};
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

struct bytes cmp_normal(struct cmp_values *v, struct bytes text, bool lower, int *code)
{
    while (text.size && is_space(text.data[0]))
        text = (struct bytes){text.data + 1, text.size - 1};
    while (text.size && is_space(text.data[text.size - 1]))
        text.size--;
    buf_reset(&v->normal);
    idx_text_nfc(text, &v->normal);
    if (v->normal.failed)
        *code = ERR_NOMEM;
    for (size_t i = 0; lower && i < v->normal.size; i++)
        if (v->normal.data[i] >= 'A' && v->normal.data[i] <= 'Z')
            v->normal.data[i] |= 0x20;
    return (struct bytes){v->normal.data, v->normal.size};
}

int cmp_mark_text(struct cmp_values *v, struct cmp_entry *e, enum cmp_mark mark, struct bytes value,
                  bool lower)
{
    int code = cmp_string(v, value);
    struct bytes text;

    if (code < 0)
        return code;
    code = 0;
    text = cmp_normal(v, cmp_text_of(v), lower, &code);
    cmp_entry_mark(e, mark, text.size ? cmp_mark_of(text) : 0);
    return code;
}

static int sum_person(struct cmp_values *v, struct bytes object, unsigned type, uint64_t *sum)
{
    static const char *const names[] = {"address", "name"};
    struct bytes who[2], text;
    int code = json_pick(object, names, 2, who), got;

    if (code)
        return ERR_DAMAGED;
    got = cmp_string(v, who[0]);
    if (got == 1 && !v->text.size)
        got = 0;
    if (!got)
        got = cmp_string(v, who[1]);
    if (got < 0)
        return got;
    text = cmp_normal(v, cmp_text_of(v), true, &code);
    if (text.size)
        *sum += cmp_mark_of(text) * (2 * (uint64_t)type + 1);
    return code;
}

/* Calls `each` for the elements of an array, or for the one object there is. */
static int for_each(struct cmp_values *v, struct bytes value, unsigned type, uint64_t *sum,
                    int (*each)(struct cmp_values *v, struct bytes object, unsigned type,
                                uint64_t *sum))
{
    struct json_reader r;
    struct json_token t;
    struct bytes object;
    int got;

    if (!value.data)
        return 0;
    json_read_start(&r, value);
    got = json_read_next(&r, &t);
    if (got == 1 && t.kind == JSON_OBJECT)
        return each(v, value, type, sum);
    if (got != 1 || t.kind != JSON_ARRAY)
        return ERR_DAMAGED;
    while ((got = json_read_next(&r, &t)) == 1 && t.kind == JSON_OBJECT) {
        int code = json_read_skip(&r, &t, &object);

        if (!code)
            code = each(v, object, type, sum);
        if (code)
            return code;
    }
    return got == 1 && t.kind == JSON_CLOSE_ARRAY ? 0 : ERR_DAMAGED;
}

int cmp_sum_people(struct cmp_values *v, struct bytes value, unsigned type, uint64_t *sum)
{
    return for_each(v, value, type, sum, sum_person);
}

static int sum_attachment(struct cmp_values *v, struct bytes object, unsigned type, uint64_t *sum)
{
    static const char *const names[] = {"name", "size", "digest", "embedded", "method"};
    struct bytes part[5], name;
    int code = json_pick(object, names, 5, part);

    (void)type;
    if (code)
        return ERR_DAMAGED;
    code = cmp_string(v, part[0]);
    if (code < 0)
        return code;
    code = 0;
    name = cmp_normal(v, cmp_text_of(v), false, &code);
    buf_reset(&v->part);
    buf_append(&v->part, name.data, name.size);
    for (unsigned i = 1; i < 5; i++) {
        buf_putc(&v->part, '\0');
        buf_append(&v->part, part[i].data, part[i].size);
    }
    if (v->part.failed)
        return ERR_NOMEM;
    *sum += cmp_mark_of((struct bytes){v->part.data, v->part.size});
    return code;
}

int cmp_sum_attachments(struct cmp_values *v, struct bytes value, uint64_t *sum)
{
    return for_each(v, value, 0, sum, sum_attachment);
}

int cmp_detail(struct cmp_values *v, struct json *j, const char *key, struct bytes value)
{
    int got = cmp_string(v, value);

    if (got == 1)
        json_stored(j, key, cmp_text_of(v), true, (struct bytes){0}, CMP_DETAIL_TEXT);
    return got < 0 ? got : 0;
}

int cmp_mih_of(struct cmp_entry *e, struct bytes id)
{
    uint8_t mih[16];
    int code;

    while (id.size && is_space(id.data[0]))
        id = (struct bytes){id.data + 1, id.size - 1};
    while (id.size && is_space(id.data[id.size - 1]))
        id.size--;
    if (!id.size)
        return 0;
    code = idx_md5(id.data, id.size, mih);
    if (!code)
        cmp_entry_key(e, CMP_KEY_MIH, mih);
    return code;
}
