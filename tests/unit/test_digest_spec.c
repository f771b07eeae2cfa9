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

/*
 * What a change of one property must do is read from DIGESTS.md alone: the row that governs it, and
 * the table of families (which kinds, and what stands behind the entries). Only which field of a
 * core a property is that the table calls `field` stands in sentences there, and so here.
 */

static const struct {
    const char *kind, *class;
} kinds[] = {
    {"mail", "IPM.Note"},
    {"appointment", "IPM.Appointment"},
    {"meeting", "IPM.Schedule.Meeting.Request"},
    {"contact", "IPM.Contact"},
    {"distlist", "IPM.DistList"},
    {"person", "IPM.AbchPerson"},
    {"task", "IPM.Task"},
    {"journal", "IPM.Activity"},
    {"note", "IPM.StickyNote"},
    {"post", "IPM.Post"},
    {"report", "REPORT.IPM.Note.NDR"},
    {"document", "IPM.Document"},
    {"sharing", "IPM.Sharing"},
    {"other", "IPM.Anything"},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

enum where { IN_ITEM, IN_RECIPIENT, IN_ATTACHMENT };

static const struct {
    int set;
    uint32_t number;
    enum where where;
    const char *part; /* as the families' table names it */
} fields[] = {
    {-1, 0x0039, IN_ITEM, "submit time"},
    {-1, 0x0042, IN_ITEM, "sender"},
    {-1, 0x0065, IN_ITEM, "sender"},
    {-1, 0x0C1A, IN_ITEM, "sender"},
    {-1, 0x0C1F, IN_ITEM, "sender"},
    {-1, 0x5D01, IN_ITEM, "sender"},
    {-1, 0x5D02, IN_ITEM, "sender"},
    {-1, 0x1000, IN_ITEM, "body"},
    {-1, 0x1009, IN_ITEM, "body"},
    {-1, 0x1013, IN_ITEM, "body"},
    {IDX_SET_MEETING, 0x0003, IN_ITEM, "global object id"},
    {IDX_SET_MEETING, 0x0023, IN_ITEM, "global object id"},
    {IDX_SET_ADDRESS, 0x8083, IN_ITEM, "list(e-mail addresses)"},
    {IDX_SET_ADDRESS, 0x8093, IN_ITEM, "list(e-mail addresses)"},
    {IDX_SET_ADDRESS, 0x80A3, IN_ITEM, "list(e-mail addresses)"},
    {-1, 0x3001, IN_RECIPIENT, "list(To)"},
    {-1, 0x3003, IN_RECIPIENT, "list(To)"},
    {-1, 0x39FE, IN_RECIPIENT, "list(To)"},
    {-1, 0x0C15, IN_RECIPIENT, "list(To)"},
    {-1, 0x3001, IN_ATTACHMENT, "list(attachments)"},
    {-1, 0x3704, IN_ATTACHMENT, "list(attachments)"},
    {-1, 0x3707, IN_ATTACHMENT, "list(attachments)"},
    {-1, 0x3701, IN_ATTACHMENT, "list(attachments)"}, /* no property of the neutral item's */
};

enum { FIELDS = sizeof fields / sizeof *fields };

static const char *field_of(const struct md_row *row, uint32_t number, enum where where)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].set == row->set && fields[i].number == number && fields[i].where == where)
            return fields[i].part;
    return NULL;
}

/* A line of the families' table: of a list of families each has the kind that stands beside it. */
static bool family_in(const char *line, const char *kind, char *family, size_t room, char *parts)
{
    char families[96], list[96], copy[96], *save = NULL, *at;
    size_t place = 0, i = 0;

    if (sscanf(line, "| %95[^|]| %95[^|]| %199[^|]|", families, list, parts) != 3)
        return false;
    for (at = strtok_r(list, ", ", &save); at && strcmp(at, kind); at = strtok_r(NULL, ", ", &save))
        place++;
    if (!at)
        return false;
    snprintf(copy, sizeof copy, "%s", families);
    save = NULL;
    at = strtok_r(copy, ", ", &save);
    for (; strchr(families, ',') && i < place && at; i++)
        at = strtok_r(NULL, ", ", &save);
    assert_non_null(at);
    snprintf(family, room, "%s", at);
    return true;
}

struct family {
    char name[32];
    char parts[200];
};

static void read_families(struct family out[KINDS])
{
    char *md = read_digests_md();

    for (size_t k = 0; k < KINDS; k++) {
        const char *line = strstr(md, "\n| family | kinds |");

        assert_non_null(line);
        do {
            line = strchr(line + 1, '\n');
            assert_true(line && line[1] == '|');
        } while (
            !family_in(line + 1, kinds[k].kind, out[k].name, sizeof out[k].name, out[k].parts));
    }
    free(md);
}

/* A part of a core by its whole name: "body" is none of "global object id, body and more". */
static bool has_part(const struct family *f, const char *part)
{
    const char *at = strstr(f->parts, part);
    size_t n = strlen(part);

    return at && (at == f->parts || at[-1] == ' ') && (at[n] == ',' || at[n] == ' ' || !at[n]);
}

/* What governs a property. text: it is named by that. */
static const struct md_row *governing(const struct md_row *rows, size_t count, int set,
                                      uint32_t number, const char *text)
{
    const struct md_row *rest = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct md_row *row = &rows[i];

        if (row->set == -2 && set != -1)
            rest = row;
        if (row->set != set)
            continue;
        if (row->any || (text && row->is_text && !strcmp(row->text, text)) ||
            (!text && !row->is_text && number >= row->first && number <= row->last))
            return row;
    }
    assert_non_null(rest);
    return rest;
}

/* One change: a property of an item of some kind. */
struct change {
    int set;
    uint32_t number;
    const char *text; /* NULL: by number */
    enum where where;
    size_t kind;
};

static unsigned promised(const struct md_row *row, const struct change *c,
                         const struct family *family)
{
    unsigned classes = row->classes;
    const char *field = field_of(row, c->number, c->where);
    bool tag = c->set == -1;
    unsigned core = 0;

    if (c->where == IN_ITEM && tag && c->number == 0x001A)
        return D_EXACT | D_CORE; /* it is another kind's */
    /* the rule of rows that are in state and in others */
    if (classes & D_STATE && classes != D_STATE)
        classes = strcmp(family->name, "task") ? D_STATE : classes & ~(unsigned)D_STATE;
    if (c->where == IN_RECIPIENT) {
        bool counts = tag && (field || c->number == 0x3002);

        return (counts ? D_EXACT : 0) | (field && has_part(family, field) ? D_CORE : 0);
    }
    if (classes & D_CORE)
        core = !strcmp(row->core, "all") || !strcmp(row->core, family->name) ||
                       (field && has_part(family, field))
                   ? D_CORE
                   : 0;
    /* an attachment is a field whole; 3001 is nothing but a name there */
    if (c->where == IN_ATTACHMENT)
        return (row->classes & D_EXACT) | (field && has_part(family, field) ? D_CORE : 0);
    classes = (classes & ~(unsigned)D_CORE) | core;
    return tag && c->number == 0x1035 ? classes | D_MIH : classes;
}

static void set_value(struct maker_props *p, uint16_t id, int version)
{
    static const uint16_t texts[] = {0x0037, 0x0042, 0x0065, 0x0C1A, 0x0C1F, 0x1000, 0x1035, 0x3001,
                                     0x3002, 0x3003, 0x3704, 0x3707, 0x39FE, 0x5D01, 0x5D02};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] == id) {
            maker_text(p, id, version ? "one" : "two");
            return;
        }
    if (id == 0x001A)
        maker_text(p, id, version ? "IPM.Post" : "IPM.Note");
    else if (id == 0x0039)
        maker_u64(p, id, OST_TIME, version ? 50000000 : 10000000);
    else if (id == 0x0E69)
        maker_prop(p, id, OST_BOOL, version ? "\1" : "\0", 1);
    else if (id == 0x1009 || id == 0x1013)
        maker_prop(p, id, OST_BINARY, version ? "one" : "two", 3);
    else
        maker_u32(p, id, version ? 1 : 2);
}

/* E-mail addresses are texts; any other named property may be of any type. */
static void set_named(struct maker_props *p, const struct change *c, int version)
{
    uint16_t id = 0x8123;
    bool text = c->set == IDX_SET_ADDRESS && !c->text &&
                (c->number == 0x8083 || c->number == 0x8093 || c->number == 0x80A3);
    struct ost_prop *prop =
        text ? maker_text(p, id, version ? "one" : "two") : maker_u32(p, id, version ? 1 : 2);
    const uint8_t *guid = c->set < 0 ? unknown_set : idx_set_guids[c->set];

    if (c->text)
        maker_name(p, prop, guid, c->text);
    else
        maker_lid(p, prop, guid, c->number);
}

/* An item with an attachment, enough for a core of every kind, in which nothing else stands. */
static struct maker *changed(const struct change *c, int version)
{
    struct maker *m = maker_create();
    struct maker_props *attachment, *to;

    maker_text(&m->props, 0x001A, kinds[c->kind].class);
    attachment = maker_attachment(m, 1);
    maker_u32(attachment, 0x370B, 1);
    to = c->where == IN_ITEM ? &m->props : c->where == IN_ATTACHMENT ? attachment : NULL;
    if (!to) {
        to = maker_recipient(m);
        maker_u32(to, 0x0C15, 1);
        if (c->set == -1 && c->number == 0x0C15)
            maker_text(to, 0x3001, "name");
    }
    if (c->set == -1)
        set_value(to, (uint16_t)c->number, version);
    else
        set_named(to, c, version);
    return m;
}

static void check_change(struct digest_bench *b, const struct md_row *rows, size_t count,
                         const struct family *families, struct change c)
{
    const struct md_row *row = governing(rows, count, c.set, c.number, c.text);

    for (c.kind = 0; c.kind < KINDS; c.kind++) {
        unsigned expected = promised(row, &c, &families[c.kind]), got;
        struct idx_digests digests[2];

        for (int version = 0; version < 2; version++) {
            struct maker *m = changed(&c, version);

            digests[version] = digest_of(b, maker_item(m));
            assert_true(digests[version].core.size > 0);
            maker_destroy(m);
        }
        got = digest_difference(&digests[0], &digests[1]);
        if (got != expected)
            print_error("property %04X %s of set %d, place %d, in a %s: changes %x, not %x\n",
                        c.number, c.text ? c.text : "", c.set, c.where, kinds[c.kind].kind, got,
                        expected);
        assert_int_equal(got, expected);
    }
}

struct spec {
    struct digest_bench bench;
    struct md_row rows[MD_ROWS];
    size_t count;
    struct family families[KINDS];
};

static void spec_init(struct spec *s)
{
    s->count = parse_table(s->rows);
    read_families(s->families);
    digest_bench_init(&s->bench, IDX_XXH3);
}

/* In its middle, at both ends and beyond them. */
static void try_row(struct spec *s, const struct md_row *row, enum where where)
{
    uint32_t last = row->set == -1 ? 0x7FFF : UINT32_MAX;
    uint32_t numbers[5] = {row->first, row->last, (row->first + row->last) / 2,
                           row->first ? row->first - 1 : 0,
                           row->last < last ? row->last + 1 : last};

    if (row->any)
        numbers[0] = numbers[1] = numbers[2] = numbers[3] = 0x15, numbers[4] = 0xFFFFFFFF;
    for (unsigned i = 0; i < 5; i++) {
        struct change c = {.set = row->set, .number = numbers[i], .where = where};

        /* what stands in a record's head, and what is not among an attachment's properties */
        if (where == IN_ATTACHMENT && row->set == -1 && (c.number == 0x3701 || c.number == 0x3705))
            continue;
        /* a property has an id */
        if (row->set == -1 && !c.number)
            continue;
        check_change(&s->bench, s->rows, s->count, s->families, c);
    }
}

static void each_property_changes_its_digests(void **state)
{
    static struct spec s;

    (void)state;
    spec_init(&s);
    for (size_t i = 0; i < s.count; i++) {
        const struct md_row *row = &s.rows[i];

        if (!strcmp(row->core, "field") && row->first != 0x001A) {
            bool known = false;

            for (unsigned where = IN_ITEM; where <= IN_ATTACHMENT; where++)
                known = known || field_of(row, row->first, (enum where)where);
            assert_true(known);
        }
        for (unsigned where = IN_ITEM; !row->is_text && where <= IN_ATTACHMENT; where++)
            try_row(&s, row, (enum where)where);
    }
    digest_bench_done(&s.bench);
}

static void each_name_changes_its_digests(void **state)
{
    static struct spec s;
    unsigned names = 0;

    (void)state;
    spec_init(&s);
    for (size_t i = 0; i < s.count; i++) {
        const struct md_row *row = &s.rows[i];
        char longer[80], shorter[80];

        if (!row->is_text)
            continue;
        names++;
        snprintf(longer, sizeof longer, "%sx", row->text);
        snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(row->text) - 1, row->text);
        for (unsigned k = 0; k < 3; k++)
            for (int set = 0; set < IDX_SETS; set++) {
                const char *text = k == 0 ? row->text : k == 1 ? longer : shorter;

                check_change(&s.bench, s.rows, s.count, s.families,
                             (struct change){.set = set, .text = text});
            }
    }
    assert_true(names > 0);
    digest_bench_done(&s.bench);
}

/* Another class of the same kind is other content, and still the same item. */
static void a_class_counts_in_core_as_its_kind(void **state)
{
    struct digest_bench b;

    (void)state;
    digest_bench_init(&b, IDX_XXH3);
    for (size_t k = 0; k < KINDS; k++) {
        struct change c = {.set = -1, .number = 0x3004, .kind = k};
        struct idx_digests before, after;
        struct maker *m = changed(&c, 0);
        char class[64];

        before = digest_of(&b, maker_item(m));
        snprintf(class, sizeof class, "%s.Special", kinds[k].class);
        maker_text(&m->props, 0x001A, class);
        after = digest_of(&b, maker_item(m));
        assert_int_equal(digest_difference(&before, &after), D_EXACT);
        maker_destroy(m);
    }
    digest_bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_the_code_s),
        cmocka_unit_test(named_by_text),
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(each_property_changes_its_digests),
        cmocka_unit_test(each_name_changes_its_digests),
        cmocka_unit_test(a_class_counts_in_core_as_its_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
