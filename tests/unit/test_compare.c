/*
 * test_compare.c: outcomes of items that are made by hand, one rule of COMPARE.md a test.
 *
 * An item is written as one string: "folder key=value …". Keys: c (change), s (search), m (MIH),
 * o (core), x (exact); marks: subj, rcpt, body, att, state; date (days), flags. What is not there
 * the item has not; marks are known of all but those of the side `shallow`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "index/compare.h"
#include "index/compare_answer.h"
#include "io/err.h"
#include "io/mem.h"

static uint32_t folder(struct cmp_side *s, const char *name)
{
    uint32_t top, index;

    assert_int_equal(cmp_side_folder(s, bytes_text("top"), &top), 0);
    s->folders[top].kind = CMP_FOLDER_TOP;
    s->folders[top].listed = true;
    assert_int_equal(cmp_side_folder(s, bytes_text(name), &index), 0);
    if (!s->folders[index].name) {
        assert_int_equal(cmp_set_text(&s->folders[index].name, bytes_text(name)), 0);
        s->folders[index].parent = top;
        s->folders[index].listed = true;
    }
    return index;
}

static struct cmp_side *side(bool on_server, enum cmp_input input)
{
    struct cmp_side *s;

    assert_int_equal(cmp_side_create(on_server, NULL, 1 << 20, &s), 0);
    s->input = input;
    assert_int_equal(cmp_set_text(&s->path, bytes_text("x")), 0);
    return s;
}

static void set(struct cmp_entry *e, const char *key, const char *value)
{
    static const char letters[] = "csmox";
    static const struct {
        const char *name;
        enum cmp_mark mark;
    } marks[] = {{"subj", CMP_MARK_SUBJECT},    {"rcpt", CMP_MARK_RECIPIENTS},
                 {"body", CMP_MARK_TEXT},       {"html", CMP_MARK_HTML},
                 {"att", CMP_MARK_ATTACHMENTS}, {"state", CMP_MARK_STATE}};

    if (!key[1]) {
        cmp_entry_key_of(e, (enum cmp_key)(strchr(letters, *key) - letters), bytes_text(value));
        return;
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(key, marks[i].name) == 0) {
            e->mark[marks[i].mark] = cmp_mark_of(bytes_text(value));
            return;
        }
    if (strcmp(key, "date") == 0) {
        e->has_date = true;
        e->date = atoll(value) * 86400;
    } else {
        assert_string_equal(key, "flags");
        e->flags = (uint16_t)atoi(value);
    }
}

static void add(struct cmp_side *s, const char *text)
{
    char copy[512], *rest, *word, detail[64];
    struct cmp_entry e;

    memset(&e, 0, sizeof e);
    snprintf(copy, sizeof copy, "%s", text);
    word = strtok_r(copy, " ", &rest);
    e.folder = *word == '-' ? CMP_NO_FOLDER : folder(s, word);
    if (s->input == CMP_INPUT_MANIFEST)
        e.known = UINT16_MAX;
    while ((word = strtok_r(NULL, " ", &rest))) {
        char *equals = strchr(word, '=');

        *equals = '\0';
        set(&e, word, equals + 1);
    }
    e.nid = (uint32_t)s->items + 1;
    snprintf(detail, sizeof detail, "{\"subject\":\"%u\"}", e.nid);
    assert_int_equal(cmp_side_add(s, &e, bytes_text(detail)), 0);
}

/* What the sinks heard: items as "outcome[:why] nid-nid[ moved][ parts]". */
struct heard {
    struct buf items, words;
    struct cmp_result result;
    struct cmp_tally total;
};

static int on_item(void *ctx, const struct cmp_result *r, const struct cmp_item_result *i)
{
    struct heard *h = ctx;

    (void)r;
    buf_printf(&h->items, "%s%s%s %u-%u", cmp_outcome_name(i->outcome), i->why ? ":" : "",
               i->why ? cmp_why_name(i->why) : "", i->image ? i->image->nid : 0,
               i->server ? i->server->nid : 0);
    for (unsigned p = 0; p < CMP_PARTS; p++)
        if (i->differs >> p & 1)
            buf_printf(&h->items, " %s", cmp_part_name((enum cmp_part)p));
    buf_puts(&h->items, i->copy ? " copy\n" : "\n");
    return 0;
}

static int on_word(void *ctx, const char *word, const char *text)
{
    struct heard *h = ctx;

    assert_true(*text);
    assert_null(strstr(text, "delete it"));
    assert_null(strstr(text, "safe"));
    buf_printf(&h->words, "%s ", word);
    return 0;
}

static int on_end(void *ctx, const struct cmp_result *r)
{
    struct heard *h = ctx;

    h->result = *r;
    h->total = r->total;
    return cmp_answer(r, on_word, h);
}

static void run(struct cmp_side *image, struct cmp_side *server, const struct cmp_window *window,
                struct heard *h)
{
    const struct cmp_sink sink = {.ctx = h, .wants_same = true, .item = on_item, .end = on_end};
    struct cmp_options options = {.memory_bytes = 1 << 22, .window_given = window != NULL};
    struct fault fault = {0};

    *h = (struct heard){0};
    if (window)
        options.window = *window;
    assert_int_equal(cmp_compare(image, server, &options, &sink, 1, &fault), 0);
    assert_false(h->items.failed || h->words.failed);
    buf_putc(&h->items, '\0');
    buf_putc(&h->words, '\0');
}

static void done(struct cmp_side *image, struct cmp_side *server, struct heard *h)
{
    cmp_side_destroy(image);
    cmp_side_destroy(server);
    buf_done(&h->items);
    buf_done(&h->words);
}

static void fill(struct cmp_side *s, const char *const *items)
{
    while (*items)
        add(s, *items++);
}

/* Items of both sides, NULL-terminated lists, as two PSTs' manifests. */
static void expect(const char *const *here, const char *const *there, const char *wanted)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
    struct heard h;

    fill(image, here);
    fill(server, there);
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data, wanted);
    done(image, server, &h);
}

#define L(...)                                                                                     \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void change_key_proves_the_state(void **state)
{
    (void)state;
    expect(L("A c=1 s=1 x=1"), L("A c=1 s=1 x=1"), "same 1-1\n");
    expect(L("A c=1 s=1 x=1"), L("B c=1 s=1 x=1"), "moved 1-1\n");
    /* Properties that a store rewrites; what a person sees; both under one change key. */
    expect(L("A c=1 x=1"), L("A c=1 x=2"), "same 1-1\n");
    expect(L("A c=1 x=1 subj=a"), L("A c=1 x=2 subj=b"), "content_differs 1-1 headers\n");
    expect(L("A c=1 s=1 x=1 state=r"), L("A c=2 s=1 x=1 state=u"),
           "state_differs 1-1 state change_key\n");
    expect(L("A c=1 s=1 x=1"), L("A c=2 s=1 x=1"), "same 1-1 change_key\n");
    expect(L("A s=1 x=1"), L("A s=1 x=1"), "same 1-1\n");
}

static void parts_are_named(void **state)
{
    (void)state;
    expect(L("A s=1 x=1 subj=a rcpt=a body=a att=a"), L("A s=1 x=2 subj=b rcpt=b body=b att=b"),
           "content_differs 1-1 headers recipients body attachments\n");
    expect(L("A s=1 x=1 m=1"), L("A s=1 x=2 m=1"), "content_differs 1-1 properties\n");
    /* Forms of a body that only one side has are held against nothing; no body at all is. */
    expect(L("A s=1 x=1 body=a"), L("A s=1 x=2 html=b"), "content_differs 1-1 properties\n");
    expect(L("A s=1 x=1 body=a"), L("A s=1 x=2 body=a html=b"), "content_differs 1-1 properties\n");
    expect(L("A s=1 x=1 body=a"), L("A s=1 x=2"), "content_differs 1-1 body\n");
}

static void header_only_needs_the_change_key(void **state)
{
    (void)state;
    expect(L("A c=1 x=1"), L("A c=1 x=2 body=b att=a"), "header_only 1-1 body attachments\n");
    expect(L("A s=1 x=1"), L("A s=1 x=2 body=b"), "content_differs 1-1 body\n");
    expect(L("A c=1 x=1 body=b"), L("A c=1 x=2"), "content_differs 1-1 body\n");
}

static void keys_in_turn(void **state)
{
    (void)state;
    expect(L("A m=1 x=1"), L("A m=1 x=1"), "same 1-1\n");
    expect(L("A o=1 x=1"), L("A o=1 x=1"), "same 1-1\n");
    expect(L("A s=1 m=1 x=1"), L("A s=2 m=1 x=1"), "same 1-1\n");
    expect(L("A s=1 m=1 x=1"), L("A s=2 m=2 x=2"), "only_ost 1-0\nonly_server 0-1\n");
    /* Different Message-IDs are never joined by core, nor by a search key. */
    expect(L("A o=1 m=1 x=1"), L("A o=1 m=2 x=2"), "only_ost 1-0\nonly_server 0-1\n");
    expect(L("A s=1 m=1 x=1"), L("A s=1 m=2 x=2"), "ambiguous 1-0\nambiguous 0-1\n");
    expect(L("A o=1 m=1 x=1"), L("A o=1 x=1"), "same 1-1\n");
}

static void copies_and_ambiguity(void **state)
{
    (void)state;
    /* Copies stand for each other, those in the same folder first. */
    expect(L("A s=1 x=1", "B s=1 x=1"), L("B s=1 x=1", "A s=1 x=1"), "same 1-2\nsame 2-1\n");
    expect(L("A s=1 x=1", "B s=1 x=1"), L("B s=1 x=1"), "only_ost 1-0 copy\nsame 2-1\n");
    expect(L("A s=1 x=1", "A s=1 x=1"), L("B s=1 x=1", "A s=1 x=1"), "same 1-2\nmoved 2-1\n");
    /* Of several with one search key core decides, then the Message-ID, then what is left over. */
    expect(L("A s=1 o=1 x=1", "A s=1 o=2 x=2"), L("A s=1 o=2 x=3", "A s=1 o=1 x=4"),
           "content_differs 1-2 properties\ncontent_differs 2-1 properties\n");
    expect(L("A s=1 m=1 x=1", "A s=1 m=2 x=2"), L("A s=1 m=2 x=3", "A s=1 m=1 x=4"),
           "content_differs 1-2 properties\ncontent_differs 2-1 properties\n");
    expect(L("A s=1 o=1 x=1", "A s=1 o=2 x=2"), L("A s=1 o=1 x=4", "A s=1 o=3 x=3"),
           "content_differs 1-1 properties\ncontent_differs 2-2 properties\n");
    expect(L("A s=1 x=1", "A s=1 x=2"), L("A s=1 x=3", "A s=1 x=4"),
           "ambiguous 1-0\nambiguous 2-0\nambiguous 0-1\nambiguous 0-2\n");
    expect(L("A s=1 x=1", "A s=1 x=2"), L("A s=1 x=3"),
           "ambiguous 1-0\nambiguous 2-0\nambiguous 0-1\n");
    /* One side alone is no tie. */
    expect(L("A s=1 x=1", "A s=1 x=2"), L("A s=2 x=3"),
           "only_ost 1-0\nonly_ost 2-0\nonly_server 0-1\n");
    /* A tie by one key that another resolves is none. */
    expect(L("A s=1 x=1 m=1", "A s=1 x=2 m=2"), L("A s=2 x=3 m=1", "A s=3 x=4 m=2"),
           "content_differs 1-1 properties\ncontent_differs 2-2 properties\n");
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    expect(L("A flags=1", "A s=9 x=9"), L("A s=1", "A s=9 x=9"),
           "same 2-2\nonly_server 0-1\nnot_comparable:unreadable 1-0\n");
    expect(L("A s=1 flags=2 body=a"), L("A s=1 x=1 body=b"), "not_comparable:partial 1-1 body\n");
    expect(L("A c=1 s=1 flags=2"), L("A c=1 s=1 x=1 body=b"), "same 1-1 body\n");
    expect(L("A s=1 flags=2"), L("A s=2"), "only_ost 1-0\nonly_server 0-1\n");
    expect(L("A s=1 flags=8"), L("A s=2"), "only_server 0-1\nnot_comparable:stale 1-0\n");
    expect(L("A s=1 flags=4"), L("A s=2"), "only_ost 1-0\nonly_server 0-1\n");
    expect(L("A x=1", "A s=1"), L("A s=2"),
           "only_ost 2-0\nonly_server 0-1\nnot_comparable:no_key 1-0\n");
    /* By its change key alone an item cannot be called missing: it changes. */
    expect(L("A c=1"), L("A c=2"), "not_comparable:no_key 1-0\nnot_comparable:no_key 0-1\n");
}

static void window_of_an_ost(void **state)
{
    const struct cmp_window all = {CMP_WINDOW_ALL, 0}, given = {CMP_WINDOW_GIVEN, 50 * 86400};
    const struct cmp_window *const windows[] = {NULL, &all, &given};
    const char *const wanted[] = {
        /* A holds items from day 100 on; B none, so the oldest of all mail counts. */
        "same 1-1\noutside_window 0-2\nonly_server 0-3\noutside_window 0-4\n"
        "not_comparable:no_date 0-5\nonly_server 0-6\n",
        "same 1-1\nonly_server 0-2\nonly_server 0-3\nonly_server 0-4\nonly_server 0-5\n"
        "only_server 0-6\n",
        "same 1-1\nonly_server 0-2\nonly_server 0-3\noutside_window 0-4\n"
        "not_comparable:no_date 0-5\nonly_server 0-6\n"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
        struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
        struct heard h;

        image->is_ost = true;
        add(image, "A s=1 x=1 date=100");
        folder(image, "B");
        fill(server, L("A s=1 x=1 date=100", "A s=2 date=99", "A s=3 date=100", "A s=4 date=20",
                       "A s=5", "B s=6 date=101"));
        run(image, server, windows[i], &h);
        /* Sorted by outcome within a folder. */
        if (i == 0)
            assert_string_equal((const char *)h.items.data,
                                "same 1-1\nonly_server 0-3\noutside_window 0-2\n"
                                "outside_window 0-4\nnot_comparable:no_date 0-5\n"
                                "only_server 0-6\n");
        else if (i == 1)
            assert_string_equal((const char *)h.items.data, wanted[1]);
        else
            assert_string_equal((const char *)h.items.data, wanted[2]);
        assert_non_null(strstr((const char *)h.words.data, i == 1 ? "matched " : "window "));
        done(image, server, &h);
    }
}

static void an_ost_that_shows_no_window(void **state)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
    struct heard h;

    (void)state;
    image->is_ost = true;
    add(image, "A s=9"); /* no date */
    add(server, "A s=1 date=5");
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data, "only_ost 1-0\nnot_comparable:no_window 0-1\n");
    done(image, server, &h);
}

/* ---- inputs that say less ---- */

static void a_list_that_says_little(void **state)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_EDISCOVERY);
    struct heard h;

    (void)state;
    fill(image, L("A m=1 x=1", "A m=2 x=1", "A m=3 x=1", "B m=4 x=1", "A s=5 x=1"));
    fill(server, L("A m=1", "C m=2", "A m=9"));
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data,
                        "moved 2-2\nonly_ost 3-0\nonly_server 0-3\nnot_comparable:shallow 1-1\n"
                        "not_comparable:no_key 5-0\nnot_comparable:not_listed 4-0\n");
    assert_false(h.result.whole);
    assert_int_equal(h.total.found, 2);
    done(image, server, &h);
}

static void a_side_that_is_not_whole(void **state)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
    struct heard h;

    (void)state;
    add(image, "A s=1 x=1");
    add(server, "A s=2 x=2");
    cmp_side_incomplete(server, "cut short");
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data,
                        "only_server 0-1\nnot_comparable:server_incomplete 1-0\n");
    assert_non_null(strstr((const char *)h.words.data, "server_incomplete "));
    assert_null(strstr((const char *)h.words.data, "nothing_only_ost"));
    done(image, server, &h);
    image = side(false, CMP_INPUT_MANIFEST);
    server = side(true, CMP_INPUT_MANIFEST);
    add(image, "A s=1 x=1");
    add(server, "A s=2 x=2");
    cmp_side_incomplete(image, "cut short");
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data,
                        "only_ost 1-0\nnot_comparable:image_incomplete 0-1\n");
    done(image, server, &h);
}

static void counts_alone(void **state)
{
    const struct cmp_window all = {CMP_WINDOW_ALL, 0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
        struct cmp_side *server = side(true, CMP_INPUT_STATISTICS);
        static const char *const names[] = {"A", "B", "C"};
        static const uint64_t counts[] = {1, 5, 1};
        struct heard h;

        image->is_ost = true;
        fill(image, L("A s=1 date=1", "A s=2 date=1", "B s=3 date=1", "C s=4 date=1"));
        for (int f = 0; f < 3; f++) {
            uint32_t index = folder(server, names[f]);

            server->folders[index].has_count = true;
            server->folders[index].count = counts[f];
        }
        run(image, server, i ? &all : NULL, &h);
        assert_string_equal((const char *)h.items.data, "");
        assert_int_equal(h.total.outcomes[CMP_NOT_COMPARABLE], 4);
        assert_int_equal(h.total.outcomes[CMP_ONLY_OST] + h.total.outcomes[CMP_ONLY_SERVER], 0);
        assert_int_equal(h.result.folders_surplus, 1);
        assert_int_equal(h.result.folders_deficit, i);
        assert_true(h.result.different);
        assert_false(h.result.whole);
        assert_non_null(strstr((const char *)h.words.data, "counts_only "));
        assert_null(strstr((const char *)h.words.data, "only_ost"));
        done(image, server, &h);
    }
}

static void digests_of_other_rules(void **state)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
    struct heard h;

    (void)state;
    add(image, "A s=1 x=1 o=1 body=a state=a");
    add(server, "A s=1 x=2 o=2 body=b state=b");
    image->digest_size = 16;
    server->digest_size = 32;
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data, "not_comparable:shallow 1-1\n");
    assert_true(h.result.digests_differ);
    done(image, server, &h);
}

/* ---- before and after ---- */

static void cause(const char *const *old, const char *const *rebuilt, uint64_t corrupt,
                  const char *word)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
    struct heard h;

    image->is_ost = server->is_ost = true;
    image->has_time = server->has_time = true;
    image->time = 100 * 86400;
    server->time = 110 * 86400;
    image->corrupt = corrupt;
    fill(image, old);
    fill(server, rebuilt);
    run(image, server, NULL, &h);
    if (!strstr((const char *)h.words.data, word))
        fail_msg("%s instead of %s", (const char *)h.words.data, word);
    done(image, server, &h);
}

static void before_and_after(void **state)
{
    (void)state;
    /* The rebuilt one has what the old one should have held. */
    cause(L("A s=1 x=1 date=10"), L("A s=1 x=1 date=10", "A s=2 x=2 date=50"), 0, "cause_ost ");
    /* What came after the old one was last used tells nothing. */
    cause(L("A s=1 x=1 date=10"), L("A s=1 x=1 date=10", "A s=2 x=2 date=105"), 0,
          "cause_unproven ");
    cause(L("A s=1 c=1 x=1 body=a date=10"), L("A s=1 c=1 x=2 body=b date=10"), 0, "cause_ost ");
    cause(L("A s=1 c=1 x=1 body=a date=10"), L("A s=1 c=2 x=2 body=b date=10"), 0,
          "cause_unproven ");
    cause(L("A s=1 x=1 date=10"), L("A s=1 x=1 date=10"), 3, "cause_ost ");
    cause(L("A s=1 x=1 date=10"), L("A s=1 x=1 date=10"), 0, "cause_not_ost ");
    cause(L("A s=1 x=1 date=10", "A s=2 x=2 date=20"), L("A s=1 x=1 date=10"), 0, "keep_old ");
    cause(L("A s=1 x=1 date=10"), L("A c=1 date=10"), 0, "cause_unknown ");
    /* The rebuilt one holds a window too: what is older there is not called local. */
    cause(L("A s=1 x=1 date=10", "A s=2 x=2 date=5"), L("A s=1 x=1 date=10"), 0, "cause_unproven ");
}

/* ---- folders ---- */

static void folders_by_role_and_name(void **state)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
    struct heard h;

    (void)state;
    add(image, "Inbox s=1 x=1");
    add(image, "kunde s=2 x=2");
    add(server, "Posteingang s=1 x=1");
    add(server, "KUNDE s=2 x=2");
    assert_int_equal(
        cmp_set_text(&image->folders[folder(image, "Inbox")].role, bytes_text("inbox")), 0);
    assert_int_equal(
        cmp_set_text(&server->folders[folder(server, "Posteingang")].role, bytes_text("inbox")), 0);
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data, "same 1-1\nsame 2-2\n");
    assert_true(h.result.whole);
    assert_false(h.result.different);
    assert_non_null(strstr((const char *)h.words.data, "nothing_only_ost "));
    done(image, server, &h);
}

/* A circle of parents, and a chain deeper than any limit, end. */
static void hostile_folders(void **state)
{
    struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
    struct cmp_side *server = side(true, CMP_INPUT_GRAPH);
    uint32_t a, b, before = CMP_NO_FOLDER;
    struct heard h;

    (void)state;
    add(image, "A m=1 x=1");
    add(server, "A m=1");
    a = folder(server, "x");
    b = folder(server, "y");
    server->folders[a].parent = b;
    server->folders[b].parent = a;
    for (int i = 0; i < 3000; i++) {
        char name[32];

        snprintf(name, sizeof name, "deep%d", i);
        a = folder(server, name);
        if (before != CMP_NO_FOLDER)
            server->folders[before].parent = a;
        before = a;
    }
    run(image, server, NULL, &h);
    assert_string_equal((const char *)h.items.data, "not_comparable:shallow 1-1\n");
    done(image, server, &h);
}

/* Memory changes nothing but where the records wait. */
static void little_memory(void **state)
{
    struct buf texts[2] = {BUF_INIT, BUF_INIT};

    (void)state;
    for (int round = 0; round < 2; round++) {
        struct cmp_side *image, *server;
        struct heard h = {0};
        const struct cmp_sink sink = {.ctx = &h, .item = on_item, .end = on_end};
        const struct cmp_options options = {.memory_bytes = round ? 1 << 16 : 1 << 26};
        struct fault fault = {0};

        assert_int_equal(cmp_side_create(false, NULL, round ? 4096 : 1 << 26, &image), 0);
        assert_int_equal(cmp_side_create(true, NULL, round ? 4096 : 1 << 26, &server), 0);
        assert_int_equal(cmp_set_text(&image->path, bytes_text("x")), 0);
        assert_int_equal(cmp_set_text(&server->path, bytes_text("x")), 0);
        for (int i = 0; i < 3000; i++) {
            char text[128];

            snprintf(text, sizeof text, "F%d s=%d x=%d m=%d", i % 7, i, i % 3, i / 2);
            if (i % 5)
                add(image, text);
            snprintf(text, sizeof text, "F%d s=%d x=%d m=%d", i % 7, i + 1, i % 4, i / 2);
            if (i % 3)
                add(server, text);
        }
        assert_int_equal(cmp_compare(image, server, &options, &sink, 1, &fault), 0);
        texts[round] = h.items;
        buf_done(&h.words);
        cmp_side_destroy(image);
        cmp_side_destroy(server);
    }
    assert_true(texts[0].size > 10000);
    assert_int_equal(texts[0].size, texts[1].size);
    assert_memory_equal(texts[0].data, texts[1].data, texts[0].size);
    buf_done(&texts[0]);
    buf_done(&texts[1]);
}

static void allocations_fail(void **state)
{
    int code = ERR_NOMEM;

    (void)state;
    for (uint64_t n = 1; code; n++) {
        struct cmp_side *image = side(false, CMP_INPUT_MANIFEST);
        struct cmp_side *server = side(true, CMP_INPUT_MANIFEST);
        struct heard h = {0};
        const struct cmp_sink sink = {.ctx = &h, .item = on_item, .end = on_end};
        const struct cmp_options options = {.memory_bytes = 1 << 20};
        struct fault fault = {0};

        fill(image, L("A s=1 x=1", "A s=1 x=2", "B m=1 o=1"));
        fill(server, L("A s=1 x=1", "A s=1 x=3", "B m=1 o=2"));
        mem_test_fail(n, 0);
        code = cmp_compare(image, server, &options, &sink, 1, &fault);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
        if (h.items.failed || h.words.failed)
            code = ERR_NOMEM;
        done(image, server, &h);
        assert_true(n < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(change_key_proves_the_state),
        cmocka_unit_test(parts_are_named),
        cmocka_unit_test(header_only_needs_the_change_key),
        cmocka_unit_test(keys_in_turn),
        cmocka_unit_test(copies_and_ambiguity),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(window_of_an_ost),
        cmocka_unit_test(an_ost_that_shows_no_window),
        cmocka_unit_test(a_list_that_says_little),
        cmocka_unit_test(a_side_that_is_not_whole),
        cmocka_unit_test(counts_alone),
        cmocka_unit_test(digests_of_other_rules),
        cmocka_unit_test(before_and_after),
        cmocka_unit_test(folders_by_role_and_name),
        cmocka_unit_test(hostile_folders),
        cmocka_unit_test(little_memory),
        cmocka_unit_test(allocations_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
