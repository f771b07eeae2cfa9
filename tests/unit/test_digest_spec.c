/* test_digest_spec.c: DIGESTS.md is what the code does: its table, row by row, and its vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/property.h"
#include "tests/support/digests.h"
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
    struct digest_bench b;

    assert_non_null(start);
    digest_bench_init(&b, algorithm);
    for (char *line = strtok_r(start, "\n", &r.save); line; line = strtok_r(NULL, "\n", &r.save)) {
        if (!strncmp(line, "vector ", 7)) {
            m = read_item(&r);
            d = digest_of(&b, maker_item(m));
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
    digest_bench_done(&b);
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

static void change_one(struct digest_bench *b, const struct md_row *row, uint32_t number)
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
            after = digest_of(b, maker_item(m));
        else
            before = digest_of(b, maker_item(m));
        maker_destroy(m);
    }
    if (digest_difference(&before, &after) != promised(row, id))
        print_error("property %04X, set %d\n", number, row->set);
    assert_int_equal(digest_difference(&before, &after), promised(row, id));
}

static void each_property_changes_its_digests(void **state)
{
    static struct md_row rows[MD_ROWS];
    size_t count = parse_table(rows);
    struct digest_bench b;

    (void)state;
    digest_bench_init(&b, IDX_XXH3);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].any)
            rows[i].first = 0x15;
        if (rows[i].any)
            rows[i].last = 0x15;
        change_one(&b, &rows[i], rows[i].first);
        if (rows[i].last != rows[i].first)
            change_one(&b, &rows[i], rows[i].last);
    }
    digest_bench_done(&b);
}

static void task_fields_are_state_elsewhere(void **state)
{
    struct md_row row = {.set = IDX_SET_TASK, .classes = D_STATE, .core = "-"};
    struct digest_bench b;

    (void)state;
    digest_bench_init(&b, IDX_XXH3);
    change_one(&b, &row, 0x8104);
    change_one(&b, &row, 0x811C);
    digest_bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_the_code_s),
        cmocka_unit_test(named_by_text),
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(each_property_changes_its_digests),
        cmocka_unit_test(task_fields_are_state_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
