/* fields.c: see fields.h. */
#include "index/fields.h"

#include <inttypes.h>
#include <string.h>

#include "index/json_read.h"
#include "io/err.h"

enum { KEY_MAX = 64 };

int idx_fields_parse(struct bytes line, struct idx_fields *out)
{
    struct json_reader r;
    struct json_token t;
    struct bytes value;
    size_t count = 0;
    int got;

    json_read_start(&r, line);
    got = json_read_next(&r, &t);
    if (got == 1 && t.kind != JSON_OBJECT)
        return ERR_DAMAGED;
    while (got == 1 && (got = json_read_next(&r, &t)) == 1 && t.kind == JSON_KEY) {
        int code = json_read_skip(&r, &t, &value);

        if (code)
            return code;
        if (count == IDX_FIELDS)
            continue;
        out->keys[count] = t.text;
        out->values[count++] = value;
    }
    if (got == 1)
        got = json_read_next(&r, &t);
    if (got)
        return got < 0 ? got : ERR_DAMAGED;
    out->count = count;
    return 0;
}

/* `path` up to its end or the first of `stops`, as a key; false: too long for one. */
static bool first_key(const char *path, const char *stops, char key[KEY_MAX], size_t *length)
{
    *length = strcspn(path, stops);
    if (*length >= KEY_MAX)
        return false;
    memcpy(key, path, *length);
    key[*length] = '\0';
    return true;
}

bool idx_fields_get(const struct idx_fields *f, const char *path, struct bytes *value)
{
    char key[KEY_MAX];
    size_t length, i;
    struct bytes at;

    if (!first_key(path, ".", key, &length))
        return false;
    for (i = 0; i < f->count; i++)
        if (f->keys[i].size == length && memcmp(f->keys[i].data, key, length) == 0)
            break;
    if (i == f->count)
        return false;
    at = f->values[i];
    while (path[length]) {
        path += length + 1;
        if (!first_key(path, ".", key, &length) || json_find(at, key, &at) != 1)
            return false;
    }
    *value = at;
    return true;
}

static void scalar(struct bytes value, struct buf *out)
{
    struct json_token t;

    if (!json_scalar(value, &t))
        buf_append(out, value.data, value.size);
    else if (t.kind == JSON_STRING)
        json_token_text(&t, out);
    else
        buf_append(out, t.text.data, t.text.size);
}

static bool member(struct bytes object, const char *key, struct buf *out)
{
    struct bytes value;

    if (json_find(object, key, &value) != 1)
        return false;
    scalar(value, out);
    return true;
}

static void person(struct bytes object, struct buf *out)
{
    struct bytes address;
    bool named = member(object, "name", out);

    if (json_find(object, "address", &address) != 1)
        return;
    if (named)
        buf_puts(out, " <");
    scalar(address, out);
    if (named)
        buf_putc(out, '>');
}

static void element(struct bytes value, enum idx_form form, const char *of, struct buf *out)
{
    if (form == FORM_PEOPLE)
        person(value, out);
    else if (!of)
        scalar(value, out);
    else
        member(value, of, out);
}

/* Calls element for each of an array (for a single object: for that) and counts them. */
static uint64_t elements(struct bytes list, enum idx_form form, const char *of, struct buf *out)
{
    struct json_reader r;
    struct json_token t;
    struct bytes value;
    uint64_t n = 0;

    json_read_start(&r, list);
    if (json_read_next(&r, &t) != 1)
        return 0;
    if (t.kind != JSON_ARRAY) {
        element(list, form, of, out);
        return 1;
    }
    while (json_read_next(&r, &t) == 1 && t.kind != JSON_CLOSE_ARRAY) {
        if (json_read_skip(&r, &t, &value))
            break;
        if (form != FORM_COUNT) {
            if (n)
                buf_puts(out, "; ");
            element(value, form, of, out);
        }
        n++;
    }
    return n;
}

static void count(const struct idx_fields *f, const char *key, struct bytes list, struct buf *out)
{
    char more_key[KEY_MAX + 8];
    struct bytes text;
    struct json_token t;
    uint64_t more = 0;

    strcpy(more_key, key);
    strcat(more_key, "_more");
    if (idx_fields_get(f, more_key, &text) && json_scalar(text, &t))
        json_token_u64(&t, &more);
    buf_printf(out, "%" PRIu64, elements(list, FORM_COUNT, NULL, out) + more);
}

static void hex(struct bytes value, struct buf *out)
{
    struct json_token t;
    uint64_t number;

    if (json_scalar(value, &t) && json_token_u64(&t, &number))
        buf_printf(out, "0x%" PRIx64, number);
}

static void minute(struct bytes value, struct buf *out)
{
    const size_t minutes = sizeof "2021-03-04T05:06" - 1;
    struct json_token t;

    if (!json_scalar(value, &t) || t.text.size < minutes || t.text.data[10] != 'T') {
        scalar(value, out);
        return;
    }
    buf_append(out, t.text.data, 10);
    buf_putc(out, ' ');
    buf_append(out, t.text.data + 11, minutes - 11);
}

static void marks(const struct idx_fields *f, struct buf *out)
{
    static const char *const names[] = {"assoc", "orphan", "recovered", "partial", "failed"};
    const size_t start = out->size;
    struct bytes value;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!idx_fields_get(f, names[i], &value) || value.data[0] != 't')
            continue;
        if (out->size > start)
            buf_putc(out, ' ');
        buf_puts(out, names[i]);
    }
}

static bool pick(const struct idx_fields *f, const char *path, char key[KEY_MAX],
                 struct bytes *value)
{
    size_t length;

    for (;; path += length + 1) {
        if (first_key(path, "|", key, &length) && idx_fields_get(f, key, value))
            return true;
        if (!path[length])
            return false;
    }
}

void idx_fields_text(const struct idx_fields *f, const char *path, enum idx_form form,
                     const char *of, struct buf *out)
{
    char key[KEY_MAX];
    struct bytes value;

    if (form == FORM_MARKS) {
        marks(f, out);
        return;
    }
    if (!pick(f, path, key, &value))
        return;
    switch (form) {
    case FORM_LIST:
    case FORM_PEOPLE:
        elements(value, form, of, out);
        break;
    case FORM_COUNT:
        count(f, key, value, out);
        break;
    case FORM_HEX:
        hex(value, out);
        break;
    case FORM_MINUTE:
        minute(value, out);
        break;
    case FORM_WHO:
        if (!member(value, "name", out))
            member(value, "address", out);
        break;
    default:
        scalar(value, out);
        break;
    }
}
