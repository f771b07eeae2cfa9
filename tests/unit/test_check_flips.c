/*
 * test_check_flips.c: single-bit flips in real images. One in a byte that a check covers gives a
 * finding of severity corrupt at that structure and nothing corrupt elsewhere; one in any other
 * byte gives none.
 *
 * OSTSCAN_FLIPS is the number of flips for each image and each of the two sorts; OSTSCAN_FLIP_IMAGE
 * names another image to do the same with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "tests/support/images.h"
#include "tests/support/places.h"
#include "tests/support/samples.h"

enum { FLIPS = 300 };

struct flips {
    struct ndbfile file;
    struct places places;
    uint8_t *data;
    size_t size;
    uint64_t random;
    unsigned count;
};

static struct images_check check;
static unsigned reached[PLACES_COVERED];

static uint64_t next_random(struct flips *w, uint64_t below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % below;
}

static void open_image(struct flips *w, const char *path)
{
    const char *count = getenv("OSTSCAN_FLIPS");

    *w = (struct flips){.size = SIZE_MAX, .random = 0x9E3779B97F4A7C15, .count = FLIPS};
    if (count)
        w->count = (unsigned)strtoul(count, NULL, 10);
    ndbfile_open(&w->file, path);
    w->data = images_copy(&w->file, &w->size);
    places_init(&w->places, &w->file);
    images_check(w->data, w->size, NULL, &check);
    assert_int_equal(check.rc, 0);
    assert_int_equal(check.result.corrupt, 0);
}

static void close_image(struct flips *w)
{
    places_done(&w->places);
    mem_free(w->data);
    ndbfile_close(&w->file);
}

static void judge(const struct place *p, enum place_kind kind, uint64_t at, unsigned bit)
{
    bool covered = kind < PLACES_COVERED;
    size_t here = covered ? images_corrupt_at(&check, p->start, p->structure) : 0;
    bool good = check.rc == 0 && check.result.corrupt == here && (here > 0) == covered;

    for (size_t i = 0; i < check.count && i < IMAGES_FINDINGS; i++)
        if (check.findings[i].f.severity == SEVERITY_CORRUPT)
            good = good && place_allows(kind, check.findings[i].f.code);
    if (good)
        return;
    print_message("bit %u of byte %#llx, %s at %#llx\n", bit, (unsigned long long)at,
                  place_names[kind], (unsigned long long)p->start);
    images_print(&check);
    fail();
}

static void flip_one(struct flips *w, enum place_kind kind)
{
    const struct place *p = &w->places.list[kind][next_random(w, w->places.count[kind])];
    uint64_t at = p->offset + next_random(w, p->length);
    unsigned bit = (unsigned)next_random(w, 8);

    w->data[at] ^= (uint8_t)(1u << bit);
    images_check(w->data, w->size, NULL, &check);
    judge(p, kind, at, bit);
    w->data[at] ^= (uint8_t)(1u << bit);
}

static void flip_image(const char *path)
{
    struct flips w;

    open_image(&w, path);
    for (unsigned kind = 0; kind < PLACES_COVERED; kind++)
        for (unsigned i = 0; i < w.count / PLACES_COVERED + 1 && w.places.count[kind]; i++)
            flip_one(&w, (enum place_kind)kind);
    for (unsigned kind = PLACES_COVERED; kind < PLACE_KINDS; kind++)
        for (unsigned i = 0;
             i < w.count / (PLACE_KINDS - PLACES_COVERED) + 1 && w.places.count[kind]; i++)
            flip_one(&w, (enum place_kind)kind);
    for (unsigned kind = 0; kind < PLACES_COVERED; kind++)
        reached[kind] += w.places.count[kind] > 0;
    close_image(&w);
}

static void unicode4k(void **state)
{
    (void)state;
    flip_image(sample_or_skip(SAMPLE_OST2));
}

static void unicode(void **state)
{
    (void)state;
    flip_image(sample_or_skip(SAMPLE_ENRON));
}

static void ansi(void **state)
{
    (void)state;
    flip_image(corpus_or_skip("hiraoka-cp932-ansi.pst"));
}

static void unicode_with_nested_trees(void **state)
{
    (void)state;
    flip_image(corpus_or_skip("hiraoka-msg-in-msg-in-msg.pst"));
}

static void another_image(void **state)
{
    const char *path = getenv("OSTSCAN_FLIP_IMAGE");

    (void)state;
    if (!path)
        skip();
    flip_image(path);
}

/* Runs last: each structure was among those flipped, in every image that is large enough. */
static void every_structure_was_reached(void **state)
{
    (void)state;
    if (!sample_path(SAMPLE_OST2) || !sample_path(SAMPLE_ENRON))
        skip();
    for (unsigned kind = 0; kind < PLACES_COVERED; kind++)
        assert_true(reached[kind] >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unicode4k),     cmocka_unit_test(unicode),
        cmocka_unit_test(ansi),          cmocka_unit_test(unicode_with_nested_trees),
        cmocka_unit_test(another_image), cmocka_unit_test(every_structure_was_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
