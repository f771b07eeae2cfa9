/* test_digest.c: the fingerprints, against DIGESTS.md: its table and its vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/canon.h"
#include "index/digest.h"
#include "index/property.h"
#include "io/buf.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"
#include "tests/support/maker.h"

static const char *const set_names[IDX_SETS] = {
    [IDX_SET_PUBLIC] = "Public",
    [IDX_SET_INTERNET_HEADERS] = "InternetHeaders",
    [IDX_SET_MEETING] = "Meeting",
    [IDX_SET_COMMON] = "Common",
    [IDX_SET_APPOINTMENT] = "Appointment",
    [IDX_SET_TASK] = "Task",
    [IDX_SET_ADDRESS] = "Address",
    [IDX_SET_LOG] = "Log",
    [IDX_SET_NOTE] = "Note",
    [IDX_SET_CALENDARASSISTANT] = "CalendarAssistant",
    [IDX_SET_AIRSYNC] = "AirSync",
    [IDX_SET_XMLEXTRACTED] = "XmlExtracted",
};

static const uint8_t unknown_set[16] = {1, 2, 3};

static int set_by_name(const char *name, size_t size)
{
    for (int i = 0; i < IDX_SETS; i++) {
        if (strlen(set_names[i]) == size && !memcmp(set_names[i], name, size))
            return i;
    }
    return -1;
}

/* ---- one digester and its surroundings ---- */

struct bench {
    struct idx_text *text;
    struct idx_digester *digester;
    struct arena arena;
};

static void bench_init(struct bench *b, enum idx_algorithm algorithm)
{
    assert_int_equal(idx_text_create(&b->text), 0);
    assert_int_equal(idx_digester_create(algorithm, &b->digester), 0);
    arena_init(&b->arena, 1 << 28);
}

static void bench_done(struct bench *b)
{
    idx_text_destroy(b->text);
    idx_digester_destroy(b->digester);
    arena_done(&b->arena);
}

static int try_digest(struct bench *b, const struct ost_item *item, struct idx_digests *out)
{
    struct idx_view view;
    int rc = idx_view_make(b->text, &b->arena, item, &view);

    return rc ? rc : idx_digest_item(b->digester, &b->arena, item, &view, out);
}

static struct idx_digests digest(struct bench *b, const struct ost_item *item)
{
    struct idx_digests d;

    arena_reset(&b->arena);
    assert_int_equal(try_digest(b, item, &d), 0);
    return d;
}

static bool same(const struct ost_digest *a, const struct ost_digest *b)
{
    return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

enum { D_EXACT = 1, D_CORE = 2, D_BODY = 4, D_STATE = 8, D_MIH = 16 };

/* Which digests differ. */
static unsigned difference(const struct idx_digests *a, const struct idx_digests *b)
{
    unsigned d = 0;

    d |= same(&a->exact, &b->exact) ? 0 : D_EXACT;
    d |= same(&a->core, &b->core) ? 0 : D_CORE;
    d |= same(&a->state, &b->state) ? 0 : D_STATE;
    if (!same(&a->body_text, &b->body_text) || !same(&a->body_html, &b->body_html) ||
        !same(&a->body_rtf, &b->body_rtf))
        d |= D_BODY;
    if (a->has_mih != b->has_mih || (a->has_mih && memcmp(a->mih, b->mih, 16)))
        d |= D_MIH;
    return d;
}

/* ---- DIGESTS.md ---- */

static char *read_digests_md(void)
{
    FILE *f = fopen(SOURCE_DIR "/index/DIGESTS.md", "rb");
    char *text = calloc(1, 1 << 20);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 1000);
    fclose(f);
    return text;
}

struct md_row {
    int set; /* -1: tags; -2: any set */
    bool any, is_text;
    uint32_t first, last;
    char text[64];
    unsigned classes;
    char core[32];
};

enum { MD_ROWS = 512 };

static unsigned classes_of(const char *words)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words_known[] = {
        {"exact", D_EXACT}, {"core", D_CORE}, {"body", D_BODY}, {"state", D_STATE}, {"none", 0}};
    char copy[64], *save = NULL;
    unsigned bits = 0;

    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        size_t i = 0;

        while (i < 5 && strcmp(words_known[i].word, w))
            i++;
        assert_true(i < 5);
        bits |= words_known[i].bit;
    }
    return bits;
}

static bool parse_range(const char *s, struct md_row *row)
{
    unsigned first, last;
    int n = 0;

    if (sscanf(s, "%4X-%4X%n", &first, &last, &n) == 2 && n == 9 && !s[n]) {
        row->first = first;
        row->last = last;
        return true;
    }
    if (sscanf(s, "%4X%n", &first, &n) == 1 && n == 4 && !s[n]) {
        row->first = row->last = first;
        return true;
    }
    return false;
}

/* A row of the table, or false: another line. */
static bool parse_row(const char *line, struct md_row *row)
{
    char property[64], classes[64];
    const char *colon;

    memset(row, 0, sizeof *row);
    if (sscanf(line, "| %63[^ |] | %63[a-z ] | %31[^ |] |", property, classes, row->core) != 3)
        return false;
    if (classes[strlen(classes) - 1] == ' ')
        classes[strlen(classes) - 1] = '\0';
    colon = strchr(property, ':');
    row->set = -1;
    if (!colon && !parse_range(property, row))
        return false;
    row->classes = classes_of(classes);
    if (!colon)
        return true;
    row->set = property[0] == '*' ? -2 : set_by_name(property, (size_t)(colon - property));
    assert_int_not_equal(row->set, -1);
    row->any = !strcmp(colon + 1, "*");
    if (!row->any && !parse_range(colon + 1, row)) {
        row->is_text = true;
        snprintf(row->text, sizeof row->text, "%s", colon + 1);
    }
    return true;
}

static size_t parse_table(struct md_row *rows)
{
    char *md = read_digests_md(), *start = strstr(md, "\n## The table"), *save = NULL;
    size_t count = 0;

    assert_non_null(start);
    for (char *line = strtok_r(start, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        assert_true(count < MD_ROWS);
        if (parse_row(line, &rows[count]))
            count++;
    }
    free(md);
    assert_true(count > 150);
    return count;
}

static void table_is_the_code_s(void **state)
{
    static struct md_row rows[MD_ROWS];
    size_t count = parse_table(rows), used = 0;
    struct ost_name name = {0};

    (void)state;
    for (uint32_t id = 0; id < 0x10000; id++) {
        int found = 0;

        for (size_t i = 0; i < count; i++) {
            if (rows[i].set != -1 || id < rows[i].first || id > rows[i].last)
                continue;
            found++;
            assert_int_equal(idx_property_class((uint16_t)id, NULL), rows[i].classes);
        }
        assert_int_equal(found, 1);
    }
    for (int set = 0; set < IDX_SETS; set++) {
        memcpy(name.guid, idx_set_guids[set], 16);
        for (uint32_t number = 0; number < 0x10000; number++) {
            unsigned expected = D_EXACT;
            int found = 0;

            for (size_t i = 0; i < count; i++) {
                if (rows[i].set != set || rows[i].is_text ||
                    (!rows[i].any && (number < rows[i].first || number > rows[i].last)))
                    continue;
                found++;
                expected = rows[i].classes;
            }
            assert_true(found <= 1);
            used += (size_t)found;
            name.number = number;
            assert_int_equal(idx_property_class(0x8000, &name), expected);
        }
    }
    assert_true(used > 3 * 0x10000);
    memcpy(name.guid, unknown_set, 16);
    assert_int_equal(idx_property_class(0x8000, &name), D_EXACT);
}

static void named_by_text(void **state)
{
    struct maker *m = maker_create();
    struct ost_prop *p = maker_prop(&m->props, 0x8000, OST_BINARY, "", 0);

    (void)state;
    maker_name(&m->props, p, idx_set_guids[IDX_SET_PUBLIC], "Keywords");
    assert_int_equal(idx_property_class(0x8000, p->name), D_STATE);
    maker_name(&m->props, p, idx_set_guids[IDX_SET_PUBLIC], "Keyword");
    assert_int_equal(idx_property_class(0x8000, p->name), D_EXACT);
    maker_name(&m->props, p, idx_set_guids[IDX_SET_COMMON], "Keywords");
    assert_int_equal(idx_property_class(0x8000, p->name), D_EXACT);
    maker_name(&m->props, p, idx_set_guids[IDX_SET_AIRSYNC], "Keywords");
    assert_int_equal(idx_property_class(0x8000, p->name), 0);
    maker_destroy(m);
}

/* ---- the vectors ---- */

struct reader {
    char *save;
    enum idx_algorithm algorithm;
    struct maker *embedded[8];
    size_t embedded_count;
};

static struct bytes hex_value(const char *text, uint8_t *out, size_t room)
{
    size_t digits = 0;
    char clean[1024];

    for (; *text; text++) {
        if (*text != ' ')
            clean[digits++] = *text;
        assert_true(digits < sizeof clean);
    }
    assert_true(digits % 2 == 0 && digits / 2 <= room);
    assert_true(hex_decode(clean, digits / 2, out));
    return (struct bytes){out, digits / 2};
}

/* UTF-16LE of the UTF-8 of a vector: characters of the basic plane. */
static struct bytes text_value(const char *text, uint8_t *out)
{
    size_t n = 0;

    while (*text) {
        unsigned c = (unsigned char)*text++;

        if (c >= 0xC0) {
            assert_true(c < 0xE0);
            c = (c & 0x1F) << 6 | ((unsigned char)*text++ & 0x3F);
        }
        put_le16(out + 2 * n++, (uint16_t)c);
    }
    return (struct bytes){out, 2 * n};
}

static void read_prop(struct maker_props *to, char *line)
{
    uint8_t raw[2048];
    char tag[64], kind[8];
    unsigned id, type;
    struct bytes value;
    struct ost_prop *p;
    char *equals, *colon;
    int n = 0;

    assert_int_equal(sscanf(line, "prop %63s %4X %7s%n", tag, &type, kind, &n), 3);
    line += n;
    line += *line == ' ';
    if (!strcmp(kind, "hex"))
        value = hex_value(line, raw, sizeof raw);
    else if (!strcmp(kind, "text"))
        value = text_value(line, raw);
    else
        value = (struct bytes){(uint8_t *)line, strlen(line)};
    id = (unsigned)strtoul(tag, NULL, 16);
    p = maker_prop(to, (uint16_t)id, (uint16_t)type, value.data, value.size);
    equals = strchr(tag, '=');
    if (equals) {
        struct md_row row = {0};
        int set;

        colon = strchr(equals, ':');
        assert_non_null(colon);
        set = set_by_name(equals + 1, (size_t)(colon - equals - 1));
        assert_true(set >= 0);
        if (parse_range(colon + 1, &row))
            maker_lid(to, p, idx_set_guids[set], row.first);
        else
            maker_name(to, p, idx_set_guids[set], colon + 1);
    }
}

static struct maker *read_item(struct reader *r)
{
    struct maker *m = maker_create();
    struct maker_props *to = &m->props;
    struct ost_attachment *a = NULL;
    int method;

    for (;;) {
        char *line = strtok_r(NULL, "\n", &r->save);

        assert_non_null(line);
        if (!strcmp(line, "end"))
            return m;
        if (line[0] == '#' || !strncmp(line, "same ", 5))
            continue;
        if (sscanf(line, "codepage %u", &m->item.codepage) == 1)
            continue;
        if (!strcmp(line, "recipient")) {
            to = maker_recipient(m);
        } else if (sscanf(line, "attachment %d", &method) == 1) {
            to = maker_attachment(m, method);
            a = &m->attachment[m->attachment_count - 1];
        } else if (!strncmp(line, "data ", 5) && a) {
            a->has_data = true;
            a->data_bytes = strlen(line + 5);
            assert_int_equal(
                idx_hash_bytes(r->algorithm, line + 5, strlen(line + 5), &a->data_digest), 0);
        } else if (!strcmp(line, "embed") && a) {
            struct maker *inner = read_item(r);

            r->embedded[r->embedded_count++] = inner;
            a->embedded = maker_item(inner);
        } else {
            read_prop(to, line);
        }
    }
}

static void expect(const char *line, const struct idx_digests *d, const char *prefix,
                   unsigned *checked)
{
    char name[32], value[80], text[IDX_DIGEST_TEXT];
    const struct ost_digest *of;

    assert_int_equal(sscanf(line, "= %31s %79s", name, value), 2);
    if (!strcmp(name, "mih")) {
        hex_encode(d->mih, 16, text);
        assert_true(d->has_mih);
        assert_string_equal(text, value);
        return;
    }
    of = !strcmp(name, "exact")       ? &d->exact
         : !strcmp(name, "core")      ? &d->core
         : !strcmp(name, "state")     ? &d->state
         : !strcmp(name, "body.text") ? &d->body_text
         : !strcmp(name, "body.html") ? &d->body_html
         : !strcmp(name, "body.rtf")  ? &d->body_rtf
                                      : NULL;
    assert_non_null(of);
    if (!strcmp(value, "absent")) {
        assert_int_equal(of->size, 0);
        return;
    }
    if (strncmp(value, prefix, strlen(prefix)))
        return;
    assert_true(of->size > 0);
    idx_digest_text(of, text);
    assert_string_equal(text, value);
    ++*checked;
}

static void check_vectors(enum idx_algorithm algorithm, const char *prefix)
{
    char *md = read_digests_md(), *start = strstr(md, "\n## Test vectors");
    struct reader r = {.algorithm = algorithm};
    unsigned checked = 0, present = 0;
    struct idx_digests d = {0};
    struct maker *m = NULL;
    struct bench b;

    assert_non_null(start);
    bench_init(&b, algorithm);
    for (char *line = strtok_r(start, "\n", &r.save); line; line = strtok_r(NULL, "\n", &r.save)) {
        if (!strncmp(line, "vector ", 7)) {
            m = read_item(&r);
            d = digest(&b, maker_item(m));
            present += 2U + (d.core.size > 0) + (d.body_text.size > 0) + (d.body_html.size > 0) +
                       (d.body_rtf.size > 0);
            maker_destroy(m);
            while (r.embedded_count)
                maker_destroy(r.embedded[--r.embedded_count]);
        } else if (line[0] == '=') {
            expect(line, &d, prefix, &checked);
        }
    }
    assert_int_equal(checked, present);
    assert_true(checked >= 20);
    bench_done(&b);
    free(md);
}

static void vectors_hold(void **state)
{
    (void)state;
    check_vectors(IDX_XXH3, "xxh3:");
    check_vectors(IDX_SHA256, "sha256:");
}

/* ---- one property changed ---- */

static const char *class_for(const char *core)
{
    static const char *const families[][2] = {{"contact", "IPM.Contact"},
                                              {"appointment", "IPM.Appointment"},
                                              {"task", "IPM.Task"},
                                              {"journal", "IPM.Activity"},
                                              {"note", "IPM.StickyNote"}};

    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (!strcmp(core, families[i][0]))
            return families[i][1];
    }
    return "IPM.Note";
}

/* Enough for a core of every kind; nothing of it is in a row's way. */
static struct maker *plain_item(const char *message_class)
{
    struct maker *m = maker_create();
    struct maker_props *a;

    maker_text(&m->props, 0x001A, message_class);
    a = maker_attachment(m, 1);
    maker_u32(a, 0x370B, 1);
    return m;
}

static void set_value(struct maker_props *p, uint16_t id, int version)
{
    switch (id) {
    case 0x001A:
        maker_text(p, id, version ? "IPM.Post" : "IPM.Note");
        break;
    case 0x0039:
        maker_u64(p, id, OST_TIME, version ? 50000000 : 10000000);
        break;
    case 0x0E69:
        maker_prop(p, id, OST_BOOL, version ? "\1" : "\0", 1);
        break;
    case 0x1009:
    case 0x1013:
        maker_prop(p, id, OST_BINARY, version ? "one" : "two", 3);
        break;
    case 0x0037:
    case 0x0042:
    case 0x0065:
    case 0x0C1A:
    case 0x0C1F:
    case 0x1000:
    case 0x1035:
    case 0x5D01:
    case 0x5D02:
        maker_text(p, id, version ? "one" : "two");
        break;
    default:
        maker_u32(p, id, version ? 1 : 2);
    }
}

/* What a row promises of a change to an item of the kind that its core column names. */
static unsigned promised(const struct md_row *row, uint16_t id)
{
    unsigned classes = row->classes;
    bool direct = strcmp(row->core, "field") && strcmp(row->core, "-");

    if (classes & D_STATE && classes != D_STATE)
        classes &= ~(unsigned)D_STATE;
    if (classes & D_CORE && !direct) {
        /* Fields of recipients, attachments and addresses are tried where they stand. */
        static const uint16_t of_items[] = {0x001A, 0x0039, 0x0042, 0x0065, 0x0C1A, 0x0C1F,
                                            0x1000, 0x1009, 0x1013, 0x5D01, 0x5D02};
        bool found = false;

        for (size_t i = 0; i < sizeof of_items / sizeof *of_items; i++)
            found = found || of_items[i] == id;
        if (row->set != -1 || !found)
            classes &= ~(unsigned)D_CORE;
    }
    return id == 0x1035 ? classes | D_MIH : classes;
}

static void change_one(struct bench *b, const struct md_row *row, uint32_t number)
{
    uint16_t id = row->set == -1 ? (uint16_t)number : 0x8123;
    struct idx_digests before, after;

    for (int version = 0; version < 2; version++) {
        struct maker *m = plain_item(class_for(row->core));
        struct ost_prop *p;

        set_value(&m->props, id, version);
        for (size_t i = 0; row->set != -1 && i < m->props.count; i++) {
            p = &m->props.list[i];
            if (p->id != id)
                continue;
            if (row->is_text)
                maker_name(&m->props, p, idx_set_guids[row->set], row->text);
            else
                maker_lid(&m->props, p, row->set < 0 ? unknown_set : idx_set_guids[row->set],
                          number);
        }
        if (version)
            after = digest(b, maker_item(m));
        else
            before = digest(b, maker_item(m));
        maker_destroy(m);
    }
    if (difference(&before, &after) != promised(row, id))
        print_error("property %04X, set %d\n", number, row->set);
    assert_int_equal(difference(&before, &after), promised(row, id));
}

static void each_property_changes_its_digests(void **state)
{
    static struct md_row rows[MD_ROWS];
    size_t count = parse_table(rows);
    struct bench b;

    (void)state;
    bench_init(&b, IDX_XXH3);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].any)
            rows[i].first = 0x15;
        if (rows[i].any)
            rows[i].last = 0x15;
        change_one(&b, &rows[i], rows[i].first);
        if (rows[i].last != rows[i].first)
            change_one(&b, &rows[i], rows[i].last);
    }
    bench_done(&b);
}

static void task_fields_are_state_elsewhere(void **state)
{
    struct md_row row = {.set = IDX_SET_TASK, .classes = D_STATE, .core = "-"};
    struct bench b;

    (void)state;
    bench_init(&b, IDX_XXH3);
    change_one(&b, &row, 0x8104);
    change_one(&b, &row, 0x811C);
    bench_done(&b);
}

/* ---- fields of recipients, attachments and contacts ---- */

static struct maker *full_item(void)
{
    struct maker *m = maker_create();
    struct maker_props *p;

    maker_text(&m->props, 0x001A, "IPM.Note");
    maker_text(&m->props, 0x0037, "Subject");
    maker_u64(&m->props, 0x0039, OST_TIME, 132000000000000000);
    maker_text(&m->props, 0x0C1A, "Ann");
    maker_text(&m->props, 0x0C1F, "ann@example.org");
    p = maker_recipient(m);
    maker_u32(p, 0x0C15, 1);
    maker_text(p, 0x3001, "Bob");
    maker_text(p, 0x3002, "SMTP");
    maker_text(p, 0x3003, "bob@example.org");
    p = maker_recipient(m);
    maker_u32(p, 0x0C15, 1);
    maker_text(p, 0x3001, "Cy");
    p = maker_attachment(m, 1);
    maker_text(p, 0x3707, "a.txt");
    maker_text(p, 0x370E, "text/plain");
    m->attachment[0].has_data = true;
    m->attachment[0].data_bytes = 3;
    assert_int_equal(idx_hash_bytes(IDX_XXH3, "abc", 3, &m->attachment[0].data_digest), 0);
    maker_attachment(m, 5);
    return m;
}

typedef void edit(struct maker *m);

static unsigned effect(edit *change)
{
    struct maker *a = full_item(), *b = full_item();
    struct idx_digests before, after;
    struct bench bench;

    bench_init(&bench, IDX_XXH3);
    change(b);
    before = digest(&bench, maker_item(a));
    after = digest(&bench, maker_item(b));
    maker_destroy(a);
    maker_destroy(b);
    bench_done(&bench);
    return difference(&before, &after);
}

static void e_recipient_type(struct maker *m)
{
    maker_u32(m->recipients[0], 0x0C15, 2);
}
static void e_recipient_sent_again(struct maker *m)
{
    maker_u32(m->recipients[0], 0x0C15, 0x10000001);
}
static void e_recipient_bcc(struct maker *m)
{
    maker_u32(maker_recipient(m), 0x0C15, 3);
}
static void e_recipient_name(struct maker *m)
{
    maker_text(m->recipients[0], 0x3001, "Robert");
}
static void e_recipient_name_alone(struct maker *m)
{
    maker_text(m->recipients[1], 0x3001, "Cyrus");
}
static void e_recipient_type_text(struct maker *m)
{
    maker_text(m->recipients[0], 0x3002, "EX");
}
static void e_recipient_address(struct maker *m)
{
    maker_text(m->recipients[0], 0x3003, "bob@example.com");
}
static void e_recipient_address_case(struct maker *m)
{
    maker_text(m->recipients[0], 0x3003, "Bob@Example.ORG");
}
static void e_recipient_smtp(struct maker *m)
{
    maker_text(m->recipients[0], 0x39FE, "robert@example.org");
}
static void e_recipient_ids(struct maker *m)
{
    maker_u32(m->recipients[0], 0x0FFF, 7);
    maker_u32(m->recipients[0], 0x300B, 7);
    maker_u32(m->recipients[0], 0x3900, 7);
    maker_u32(m->recipients[0], 0x3A20, 7);
    maker_u32(m->recipients[0], 0x5FDF, 7);
}
static void e_recipients_swapped(struct maker *m)
{
    struct maker_props *p = m->recipients[0];

    m->recipients[0] = m->recipients[1];
    m->recipients[1] = p;
}
static void e_recipient_twice(struct maker *m)
{
    struct maker_props *p = maker_recipient(m);

    maker_u32(p, 0x0C15, 1);
    maker_text(p, 0x3001, "Cy");
}
static void e_attachments_swapped(struct maker *m)
{
    struct maker_props *p = m->attachments[0];
    struct ost_attachment a = m->attachment[0];

    m->attachments[0] = m->attachments[1];
    m->attachments[1] = p;
    m->attachment[0] = m->attachment[1];
    m->attachment[1] = a;
}
static void e_attachment_name(struct maker *m)
{
    maker_text(m->attachments[0], 0x3707, "b.txt");
}
static void e_attachment_other_names(struct maker *m)
{
    maker_text(m->attachments[0], 0x3704, "A~1.TXT");
    maker_text(m->attachments[0], 0x3001, "A");
    maker_text(m->attachments[0], 0x3703, ".txt");
}
static void e_attachment_short_name(struct maker *m)
{
    maker_text(m->attachments[1], 0x3704, "A.TXT");
}
static void e_attachment_display_name(struct maker *m)
{
    maker_text(m->attachments[1], 0x3001, "A");
}
static void e_attachment_method(struct maker *m)
{
    m->attachment[0].method = 6;
}
static void e_attachment_mime(struct maker *m)
{
    maker_text(m->attachments[0], 0x370E, "text/html");
}
static void e_attachment_store(struct maker *m)
{
    m->attachment[0].nid = 77;
    maker_u32(m->attachments[0], 0x0E20, 7);
    maker_u32(m->attachments[0], 0x0E21, 7);
    maker_u32(m->attachments[0], 0x3007, 7);
    maker_u32(m->attachments[0], 0x370B, 7);
    maker_u32(m->attachments[0], 0x7FFE, 7);
}
static void e_attachment_data(struct maker *m)
{
    m->attachment[0].data_digest.bytes[3] ^= 1;
}
static void e_attachment_size(struct maker *m)
{
    m->attachment[0].data_bytes = 4;
}
static void e_attachment_unreadable(struct maker *m)
{
    m->attachment[0].data_digest.size = 0;
}
static void e_attachment_empty(struct maker *m)
{
    m->attachment[1].has_data = true;
    assert_int_equal(idx_hash_bytes(IDX_XXH3, NULL, 0, &m->attachment[1].data_digest), 0);
}
static void e_attachment_too_deep(struct maker *m)
{
    m->attachment[1].truncated_depth = true;
}
static void e_sub_second(struct maker *m)
{
    maker_u64(&m->props, 0x0039, OST_TIME, 132000000000000001);
}
static void e_empty_for_absent(struct maker *m)
{
    maker_text(&m->props, 0x0004, "");
}
static void e_type(struct maker *m)
{
    maker_prop(&m->props, 0x0037, OST_BINARY, "S\0u\0b\0j\0e\0c\0t\0", 14);
}
static void e_type_2000(struct maker *m)
{
    maker_text(&m->props, 0x0037, "Subject")->type |= 0x2000;
}
static void e_terminator(struct maker *m)
{
    maker_prop(&m->props, 0x0037, OST_STRING8, "Subject\0", 8);
    maker_prop(m->attachments[0], 0x3707, OST_STRING8, "a.txt\0", 6);
    maker_prop(&m->props, 0x001A, OST_STRING8, "IPM.Note\0", 9);
}
static void e_representing(struct maker *m)
{
    maker_text(&m->props, 0x0065, "boss@example.org");
}
static void e_sender_smtp_case(struct maker *m)
{
    maker_text(&m->props, 0x5D01, "Ann@Example.org");
}

static void fields_change_their_digests(void **state)
{
    static const struct {
        edit *change;
        unsigned digests;
    } edits[] = {
        {e_recipient_type, D_EXACT | D_CORE},
        {e_recipient_sent_again, 0},
        {e_recipient_bcc, D_EXACT},
        {e_recipient_name, D_EXACT},
        {e_recipient_name_alone, D_EXACT | D_CORE},
        {e_recipient_type_text, D_EXACT},
        {e_recipient_address, D_EXACT | D_CORE},
        {e_recipient_address_case, D_EXACT},
        {e_recipient_smtp, D_EXACT | D_CORE},
        {e_recipient_ids, 0},
        {e_recipients_swapped, 0},
        {e_recipient_twice, D_EXACT | D_CORE},
        {e_attachments_swapped, 0},
        {e_attachment_name, D_EXACT | D_CORE},
        {e_attachment_other_names, 0},
        {e_attachment_short_name, D_EXACT | D_CORE},
        {e_attachment_display_name, D_EXACT | D_CORE},
        {e_attachment_method, D_EXACT},
        {e_attachment_mime, D_EXACT},
        {e_attachment_store, 0},
        {e_attachment_data, D_EXACT | D_CORE},
        {e_attachment_size, D_EXACT | D_CORE},
        {e_attachment_unreadable, D_EXACT | D_CORE},
        {e_attachment_empty, D_EXACT | D_CORE},
        {e_attachment_too_deep, D_EXACT | D_CORE},
        {e_sub_second, D_EXACT},
        {e_empty_for_absent, D_EXACT},
        {e_type, D_EXACT | D_CORE},
        {e_type_2000, 0},
        {e_terminator, 0},
        {e_representing, D_EXACT},
        {e_sender_smtp_case, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        unsigned found = effect(edits[i].change);

        if (found != edits[i].digests)
            print_error("edit %zu: %u, not %u\n", i, found, edits[i].digests);
        assert_int_equal(found, edits[i].digests);
    }
}

/* ---- the rest ---- */

static void long_values_enter_by_digest(void **state)
{
    static uint8_t value[IDX_LONG_BYTES + 1];
    struct idx_digests a, b, c;
    struct maker *m = maker_create();
    struct bench bench;

    (void)state;
    bench_init(&bench, IDX_XXH3);
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value - 1);
    a = digest(&bench, maker_item(m));
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value);
    b = digest(&bench, maker_item(m));
    value[sizeof value - 1] = 1;
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value);
    c = digest(&bench, maker_item(m));
    assert_int_equal(difference(&a, &b), D_EXACT);
    assert_int_equal(difference(&b, &c), D_EXACT);
    maker_destroy(m);
    bench_done(&bench);
}

/* The stream of `exact` for one long value, written out here by hand. */
static void long_form_is_as_specified(void **state)
{
    static uint8_t value[IDX_LONG_BYTES + 1];
    struct maker *m = maker_create();
    struct ost_digest inner, expected;
    struct buf s = BUF_INIT;
    struct idx_digests d;
    struct bench bench;

    (void)state;
    bench_init(&bench, IDX_XXH3);
    maker_prop(&m->props, 0x6800, OST_BINARY, value, sizeof value);
    d = digest(&bench, maker_item(m));
    assert_int_equal(idx_hash_bytes(IDX_XXH3, value, sizeof value, &inner), 0);
    buf_append(&s, "ostscan.exact.1", 16);
    buf_append(&s,
               "\1\0\0\0\0\0\0\0"
               "\1\x68\0"
               "\2\1"
               "\2",
               14);
    buf_append(&s, "\1\0\x10\0\0\0\0\0", 8);
    buf_append(&s, inner.bytes, inner.size);
    buf_append(&s, (uint8_t[16]){0}, 16);
    assert_int_equal(idx_hash_bytes(IDX_XXH3, s.data, s.size, &expected), 0);
    assert_true(same(&expected, &d.exact));
    buf_done(&s);
    maker_destroy(m);
    bench_done(&bench);
}

static void embedded_items_have_digests_of_their_own(void **state)
{
    enum { DEPTH = OST_LIMIT_EMBEDDED_DEPTH + 2 };
    struct maker *chain[DEPTH];
    struct idx_digests outer, inner, changed;
    struct bench bench;

    (void)state;
    bench_init(&bench, IDX_SHA256);
    for (int i = 0; i < DEPTH; i++) {
        chain[i] = maker_create();
        maker_text(&chain[i]->props, 0x001A, "IPM.Note");
        if (i) {
            maker_attachment(chain[i], 1);
            maker_attachment(chain[i], 5);
            chain[i]->attachment[1].embedded = maker_item(chain[i - 1]);
        }
    }
    outer = digest(&bench, maker_item(chain[3]));
    inner = digest(&bench, maker_item(chain[2]));
    outer = digest(&bench, maker_item(chain[3]));
    assert_int_equal(outer.embedded[0].size, 0);
    assert_true(same(&outer.embedded[1], &inner.exact));
    maker_text(&chain[0]->props, 0x0037, "deep down");
    maker_item(chain[0]);
    changed = digest(&bench, maker_item(chain[3]));
    assert_int_equal(difference(&outer, &changed), D_EXACT | D_CORE);
    /* below the bound nothing is looked at */
    outer = digest(&bench, maker_item(chain[DEPTH - 1]));
    maker_text(&chain[0]->props, 0x0037, "deeper");
    maker_item(chain[0]);
    changed = digest(&bench, maker_item(chain[DEPTH - 1]));
    assert_int_equal(difference(&outer, &changed), 0);
    for (int i = 0; i < DEPTH; i++)
        maker_destroy(chain[i]);
    bench_done(&bench);
}

static unsigned hostile_multi_value(const void *value, size_t size, uint16_t type)
{
    struct maker *m = maker_create();
    struct idx_digests before, after;
    struct bench bench;

    bench_init(&bench, IDX_XXH3);
    maker_prop(&m->props, 0x6800, OST_BINARY, value, size);
    before = digest(&bench, maker_item(m));
    maker_prop(&m->props, 0x6800, type, value, size);
    after = digest(&bench, maker_item(m));
    maker_destroy(m);
    bench_done(&bench);
    return difference(&before, &after);
}

static void hostile_multi_values_have_digests(void **state)
{
    static const uint8_t count_only[] = {0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t wrapping[] = {0xFF, 0xFF, 0xFF, 0x3F, 4, 0, 0, 0};
    static const uint8_t before_data[] = {1, 0, 0, 0, 0, 0, 0, 0, 'x'};
    static const uint8_t beyond[] = {1, 0, 0, 0, 10, 0, 0, 0, 'x'};
    static const uint8_t back[] = {2, 0, 0, 0, 14, 0, 0, 0, 12, 0, 0, 0, 'x', 0, 'y', 0};
    static const uint8_t none[] = {0, 0, 0, 0};

    (void)state;
    for (unsigned type = OST_MULTI; type < OST_MULTI + 0x120; type++) {
        assert_int_equal(hostile_multi_value(count_only, 4, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(count_only, 3, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(wrapping, 8, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(before_data, 9, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(beyond, 9, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(back, 16, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(none, 4, (uint16_t)type), D_EXACT);
        assert_int_equal(hostile_multi_value(none, 0, (uint16_t)type), D_EXACT);
    }
}

/* Of the item that varied_item made last. */
static struct maker *inner;

static struct maker *varied_item(void)
{
    struct maker *m = full_item();
    struct ost_prop *p;

    maker_prop(&m->props, 0x1000, OST_STRING8, "K\xF6rper", 6);
    maker_prop(&m->props, 0x1009, OST_BINARY, "\x0D\0\0\0\1\0\0\0MELA\0\0\0\0x", 17);
    maker_prop(&m->props, 0x3004, OST_UNICODE, "A\0\x0A\3", 4);
    maker_text(&m->props, 0x1035, "<a@b>");
    for (uint16_t i = 0; i < 100; i++) {
        p = maker_u32(&m->props, (uint16_t)(0x8100 - i), i);
        maker_lid(&m->props, p, unknown_set, i);
    }
    inner = full_item();
    m->attachment[1].embedded = maker_item(inner);
    return m;
}

static void destroy_varied(struct maker *m)
{
    maker_destroy(m);
    maker_destroy(inner);
}

static void failing_allocations(void **state)
{
    struct maker *m = varied_item();
    const struct ost_item *item = maker_item(m);
    struct idx_digests d, expected;
    struct bench b;
    int rc = ERR_NOMEM;

    (void)state;
    bench_init(&b, IDX_SHA256);
    expected = digest(&b, item);
    bench_done(&b);
    for (uint64_t nth = 1; rc; nth++) {
        b = (struct bench){0};
        arena_init(&b.arena, 1 << 24);
        mem_test_fail(nth, 0);
        rc = idx_text_create(&b.text);
        if (!rc)
            rc = idx_digester_create(IDX_SHA256, &b.digester);
        if (!rc)
            rc = try_digest(&b, item, &d);
        mem_test_fail(0, 0);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        else
            assert_int_equal(difference(&d, &expected), 0);
        /* what failed once works again with the same digester */
        if (rc && b.digester) {
            arena_reset(&b.arena);
            assert_int_equal(try_digest(&b, item, &d), 0);
            assert_int_equal(difference(&d, &expected), 0);
        }
        bench_done(&b);
        assert_true(nth < 200);
    }
    destroy_varied(m);
}

static void steady_work_allocates_nothing(void **state)
{
    struct maker *m = varied_item();
    const struct ost_item *item = maker_item(m);
    struct bench b;
    uint64_t before;

    (void)state;
    bench_init(&b, IDX_XXH3);
    digest(&b, item);
    before = mem_test_count();
    for (int i = 0; i < 10; i++)
        digest(&b, item);
    assert_int_equal(mem_test_count(), before);
    destroy_varied(m);
    bench_done(&b);
}

static void core_wants_enough(void **state)
{
    struct maker *m = maker_create();
    struct bench b;

    (void)state;
    bench_init(&b, IDX_XXH3);
    maker_text(&m->props, 0x001A, "IPM.Note");
    maker_text(&m->props, 0x0037, "Subject");
    maker_u64(&m->props, 0x0039, OST_TIME, 1);
    maker_text(&m->props, 0x1000, "");
    maker_text(&m->props, 0x1035, " \t");
    assert_int_equal(digest(&b, maker_item(m)).core.size, 0);
    assert_false(digest(&b, maker_item(m)).has_mih);
    maker_text(&m->props, 0x0C1A, "Ann");
    assert_int_equal(digest(&b, maker_item(m)).core.size, 16);
    maker_text(&m->props, 0x0C1A, "");
    maker_text(&m->props, 0x0042, "Ann");
    assert_int_equal(digest(&b, maker_item(m)).core.size, 16);
    maker_text(&m->props, 0x0042, "");
    assert_int_equal(digest(&b, maker_item(m)).core.size, 0);
    maker_text(&m->props, 0x1035, "<a@b>");
    assert_int_equal(digest(&b, maker_item(m)).core.size, 16);
    maker_text(&m->props, 0x1035, "");
    maker_text(&m->props, 0x1000, "x");
    assert_int_equal(digest(&b, maker_item(m)).core.size, 16);
    maker_destroy(m);
    bench_done(&b);
}

static void mih_is_edrm_s(void **state)
{
    static const char id[] = "<CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>";
    const char *const stored[] = {id, " <CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>\r\n"};
    char hex[33];
    struct bench b;

    (void)state;
    bench_init(&b, IDX_XXH3);
    for (size_t i = 0; i < 2; i++) {
        struct maker *m = maker_create();
        struct idx_digests d;

        maker_ascii(&m->props, 0x1035, stored[i]);
        d = digest(&b, maker_item(m));
        assert_true(d.has_mih);
        hex_encode(d.mih, 16, hex);
        assert_string_equal(hex, "1de319c276884bd0c9e2f1621ada26cc");
        maker_destroy(m);
    }
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_the_code_s),
        cmocka_unit_test(named_by_text),
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(each_property_changes_its_digests),
        cmocka_unit_test(task_fields_are_state_elsewhere),
        cmocka_unit_test(fields_change_their_digests),
        cmocka_unit_test(long_values_enter_by_digest),
        cmocka_unit_test(long_form_is_as_specified),
        cmocka_unit_test(embedded_items_have_digests_of_their_own),
        cmocka_unit_test(hostile_multi_values_have_digests),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(steady_work_allocates_nothing),
        cmocka_unit_test(core_wants_enough),
        cmocka_unit_test(mih_is_edrm_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
