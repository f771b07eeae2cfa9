/*
 * test_same_content.c: the same items, however they are stored, have the same digests.
 *
 * One content is written by ostgen in every form that images have: format, cipher, compression,
 * kind of file, fragmentation. Each image is scanned whole by the native engine, and item by item
 * (by its place in the order of writing, which decides the content) the digests must be those of
 * the first image. One exception: what the code page of an item in an ANSI image cannot hold is not
 * in it; the generator says of which items it had to write '?', and just those differ. The bodies'
 * and the attachments' digests are also held against those that the generator computed of what it
 * meant to write (DIGESTS.md: their form is simple enough for that).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "index/hash.h"
#include "index/json_read.h"
#include "io/mem.h"
#include "tests/gen/run.h"
#include "tests/support/scanned.h"
#include "tests/support/tempdir.h"

struct form {
    enum gen_format format;
    enum gen_crypt crypt;
    enum gen_content content;
    bool compress;
    uint32_t fragment;
};

/* An item of the truth: its line, and what the scan made of it. */
struct place {
    struct bytes truth;
    const struct scanned_item *item;
};

struct stored {
    struct scanned scanned;
    struct buf truth;
    struct place *places; /* by position; positions are 0 to count - 1 */
    size_t count;
};

/* Each format, cipher, compression and kind of file. */
static const struct form forms[] = {
    {GEN_UNICODE, GEN_CRYPT_NONE, GEN_PST, false, 0},
    {GEN_UNICODE, GEN_CRYPT_NONE, GEN_OST, false, 60},
    {GEN_UNICODE, GEN_CRYPT_PERMUTE, GEN_PST, false, 100},
    {GEN_UNICODE, GEN_CRYPT_PERMUTE, GEN_OST, false, 0},
    {GEN_UNICODE, GEN_CRYPT_CYCLIC, GEN_PST, false, 100},
    {GEN_UNICODE, GEN_CRYPT_CYCLIC, GEN_OST, false, 40},
    {GEN_UNICODE4K, GEN_CRYPT_NONE, GEN_PST, false, 0},
    {GEN_UNICODE4K, GEN_CRYPT_NONE, GEN_OST, false, 100},
    {GEN_UNICODE4K, GEN_CRYPT_NONE, GEN_PST, true, 0},
    {GEN_UNICODE4K, GEN_CRYPT_NONE, GEN_OST, true, 30},
    {GEN_UNICODE4K, GEN_CRYPT_PERMUTE, GEN_PST, false, 0},
    {GEN_UNICODE4K, GEN_CRYPT_PERMUTE, GEN_OST, false, 100},
    {GEN_UNICODE4K, GEN_CRYPT_PERMUTE, GEN_PST, true, 0},
    {GEN_UNICODE4K, GEN_CRYPT_PERMUTE, GEN_OST, true, 60},
    {GEN_UNICODE4K, GEN_CRYPT_CYCLIC, GEN_PST, false, 100},
    {GEN_UNICODE4K, GEN_CRYPT_CYCLIC, GEN_OST, false, 0},
    {GEN_UNICODE4K, GEN_CRYPT_CYCLIC, GEN_PST, true, 100},
    {GEN_UNICODE4K, GEN_CRYPT_CYCLIC, GEN_OST, true, 40},
    {GEN_ANSI, GEN_CRYPT_NONE, GEN_PST, false, 0},
    {GEN_ANSI, GEN_CRYPT_NONE, GEN_OST, false, 100},
    {GEN_ANSI, GEN_CRYPT_PERMUTE, GEN_PST, false, 0},
    {GEN_ANSI, GEN_CRYPT_PERMUTE, GEN_OST, false, 30},
    {GEN_ANSI, GEN_CRYPT_CYCLIC, GEN_PST, false, 0},
    {GEN_ANSI, GEN_CRYPT_CYCLIC, GEN_OST, false, 100},
};

static void read_truth(struct stored *image, const char *path)
{
    FILE *file = fopen(path, "re");
    size_t room = 0, at = 0;
    char *line = NULL;
    ssize_t size;

    assert_non_null(file);
    while ((size = getline(&line, &room, file)) > 0) {
        if (strncmp(line, "{\"type\":\"item\"", 14) != 0)
            continue;
        buf_append(&image->truth, line, (size_t)size);
        image->count++;
    }
    free(line);
    fclose(file);
    assert_false(image->truth.failed);
    image->places = mem_zalloc((image->count + 1) * sizeof *image->places);
    assert_non_null(image->places);
    for (size_t i = 0; i < image->count; i++) {
        const uint8_t *from = image->truth.data + at;
        const uint8_t *end = memchr(from, '\n', image->truth.size - at);
        struct bytes record = {from, (size_t)(end - from)};
        uint64_t position = scanned_number(record, "position");

        assert_true(position < image->count && !image->places[position].truth.data);
        image->places[position] = (struct place){
            record, scanned_find(&image->scanned, (uint32_t)scanned_number(record, "nid"))};
        at += record.size + 1;
    }
}

static void make(struct stored *image, const struct form *form, const char *profile, uint64_t items)
{
    const char *const extra[] = {"--engine", "native", "--memory", "64M", "--io", "pread", NULL};
    const char *dir = tempdir_make();
    struct gen_summary summary;
    struct scanned_run run;
    char path[4096], truth[4200];
    unsigned missed;
    struct gen_options o = {
        .image = {.path = path,
                  .format = form->format,
                  .crypt = form->crypt,
                  .content = form->content,
                  .compress = form->compress,
                  .seed = 9,
                  .fragment_percent = form->fragment},
        .profile = profile_find(profile),
        .seed = 9,
        .items = items,
        .truth = TRUTH_ITEMS,
    };

    *image = (struct stored){0};
    snprintf(path, sizeof path, "%s/image.ost", dir);
    snprintf(truth, sizeof truth, "%s.truth.jsonl", path);
    assert_int_equal(gen_run(&o, &summary, &missed), 0);
    run = scanned_run(path, dir, extra);
    assert_true(WIFEXITED(run.status) && WEXITSTATUS(run.status) == 0);
    assert_true(scanned_read(&image->scanned, dir));
    assert_int_equal(image->scanned.corrupt, 0);
    read_truth(image, truth);
    assert_int_equal(image->count, image->scanned.count);
    tempdir_remove(dir);
}

static void done(struct stored *image)
{
    scanned_done(&image->scanned);
    buf_done(&image->truth);
    mem_free(image->places);
}

static bool same(struct bytes a, struct bytes b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

/* The digests of attachments, in any order: nids and the order of a table are a store's own. */
static size_t attachment_digests(struct bytes list, struct bytes *out, size_t most)
{
    struct json_reader r;
    struct json_token token;
    struct bytes one;
    size_t count = 0;

    if (!list.size)
        return 0;
    json_read_start(&r, list);
    assert_int_equal(json_read_next(&r, &token), 1);
    while (json_read_next(&r, &token) == 1 && token.kind == JSON_OBJECT) {
        assert_int_equal(json_read_skip(&r, &token, &one), 0);
        assert_true(count < most);
        out[count] = scanned_member(one, "digest");
        if (!out[count].size)
            out[count] = scanned_member(one, "embedded");
        count++;
    }
    return count;
}

static int by_bytes(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = n ? memcmp(x->data, y->data, n) : 0;

    return order ? order : (x->size > y->size) - (x->size < y->size);
}

enum { ATTACHMENTS = 4096 };

static bool same_attachments(struct bytes a, struct bytes b)
{
    static struct bytes x[ATTACHMENTS], y[ATTACHMENTS];
    size_t count = attachment_digests(a, x, ATTACHMENTS);

    if (attachment_digests(b, y, ATTACHMENTS) != count)
        return false;
    qsort(x, count, sizeof *x, by_bytes);
    qsort(y, count, sizeof *y, by_bytes);
    for (size_t i = 0; i < count; i++)
        if (!same(x[i], y[i]))
            return false;
    return true;
}

static void tell(const char *what, const struct place *a, const struct place *b)
{
    print_error("%s differs:\n%.*s\n%.*s\n%.*s\n", what, (int)a->truth.size, a->truth.data,
                (int)a->item->line.size, a->item->line.data, (int)b->item->line.size,
                b->item->line.data);
}

/* What differs, or NULL. */
static const char *difference(const struct place *x, const struct place *y)
{
    static const char *const kinds[] = {"exact", "core", "body", "state"};

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (!same(scanned_member(x->item->digest, kinds[k]),
                  scanned_member(y->item->digest, kinds[k])))
            return kinds[k];
    return same_attachments(x->item->attachments, y->item->attachments) ? NULL : "attachments";
}

/* Items that differ, all of which had to. */
static size_t compare(const struct stored *a, const struct stored *b)
{
    size_t lossy = 0;

    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct place *x = &a->places[i], *y = &b->places[i];
        const char *differs;

        assert_true(x->item && y->item && !x->item->partial && !y->item->partial);
        assert_int_equal(scanned_member(x->truth, "lossy").size, 0);
        differs = difference(x, y);
        lossy += scanned_member(y->truth, "lossy").size > 0;
        if (!differs == !scanned_member(y->truth, "lossy").size)
            continue;
        tell(differs ? differs : "nothing", x, y);
        fail();
    }
    return lossy;
}

/* The truth alone */

static bool text_is(struct bytes json, char *out, size_t room)
{
    struct json_token token;

    if (!json_scalar(json, &token) || token.kind != JSON_STRING || token.text.size >= room)
        return false;
    memcpy(out, token.text.data, token.text.size);
    out[token.text.size] = '\0';
    return true;
}

/* Counts what could be compared; an attachment's digest is of its bytes alone, as the truth's. */
static size_t check_attachments(const struct place *p)
{
    static struct bytes wanted[ATTACHMENTS], got[ATTACHMENTS];
    size_t count = attachment_digests(scanned_member(p->truth, "attachments"), wanted, ATTACHMENTS);
    size_t have = attachment_digests(p->item->attachments, got, ATTACHMENTS), compared = 0;

    assert_int_equal(count, have);
    for (size_t i = 0; i < count; i++) {
        char hex[80];
        bool found = false;

        if (!text_is(wanted[i], hex, sizeof hex) || !hex[0])
            continue;
        for (size_t k = 0; k < have && !found; k++) {
            char digest[80];

            found = text_is(got[k], digest, sizeof digest) && !strcmp(digest + 5, hex);
        }
        assert_true(found);
        compared++;
    }
    return compared;
}

/* Two bodies of one content have one digest, two of different ones have two. What stands in the
 * truth is the digest without DIGESTS.md's domain, so that it is a name for the content alone. */
static size_t check_bodies(const struct stored *image, const char *form)
{
    size_t compared = 0;

    for (size_t i = 0; i < image->count; i++) {
        const struct place *x = &image->places[i];
        struct bytes truth = scanned_member(x->truth, form);
        struct bytes body = scanned_member(x->item->digest, "body");
        struct bytes digest = body.size ? scanned_member(body, form) : body;

        assert_int_equal(truth.size > 0, digest.size > 0);
        if (!truth.size)
            continue;
        compared++;
        for (size_t k = 0; k < i; k++) {
            const struct place *y = &image->places[k];
            struct bytes other = scanned_member(y->item->digest, "body");

            other = other.size ? scanned_member(other, form) : other;
            assert_int_equal(same(truth, scanned_member(y->truth, form)), same(digest, other));
        }
    }
    return compared;
}

static void stored_in_any_form(const char *profile, uint64_t items)
{
    struct stored first, other;
    size_t attachments = 0, lossy;

    make(&first, &forms[0], profile, items);
    for (size_t i = 0; i < first.count; i++)
        attachments += check_attachments(&first.places[i]);
    assert_true(attachments > 3);
    assert_true(check_bodies(&first, "text") > 10);
    assert_true(check_bodies(&first, "html") > 5);
    assert_true(check_bodies(&first, "rtf") > 0);
    for (size_t i = 1; i < sizeof forms / sizeof *forms; i++) {
        make(&other, &forms[i], profile, items);
        lossy = compare(&first, &other);
        print_message("form %zu of %s: %zu items, %zu with text that their code page lacks\n", i,
                      profile, other.count, lossy);
        assert_int_equal(lossy > 0, forms[i].format == GEN_ANSI);
        assert_true(lossy < other.count / 3);
        done(&other);
    }
    done(&first);
}

static void one_of_everything(void **state)
{
    (void)state;
    stored_in_any_form("tiny", 0);
}

static void many_of_all_kinds(void **state)
{
    (void)state;
    stored_in_any_form("mixed", 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_everything),
        cmocka_unit_test(many_of_all_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
