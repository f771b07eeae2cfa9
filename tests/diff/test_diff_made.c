/*
 * test_diff_made.c: images made by ostgen in every variant, read by both engines, as real ones are
 * in test_diff_real.c; exceptions_made.tsv lists where they may differ.
 *
 * And the variants against each other: whatever the cipher, and compressed or not, the native
 * engine says the same of an image, fact by fact, as of its twin without both.
 *
 * For run.sh: DIFF_SCALE=N makes images N times as large, DIFF_SEED=N others, DIFF_FRAGMENT and
 * DIFF_DUPLICATES=PERCENT set what ostgen's options of that name do.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/diff/exceptions.h"
#include "tests/gen/run.h"
#include "tests/support/tempdir.h"

#define EXCEPTIONS           "tests/diff/exceptions_made.tsv"
#define EXCEPTIONS_OF_OTHERS "tests/diff/exceptions_others.tsv"

enum { NAME = 64, PATH = 4096 };

static const char *const format_names[] = {
    [GEN_ANSI] = "ansi", [GEN_UNICODE] = "unicode", [GEN_UNICODE4K] = "unicode4k"};
static const char *const crypt_names[] = {"none", "permute", "cyclic"};
static const char *const compress_names[] = {"plain", "zlib", "force", "internal"};
static const char *const content_names[] = {[GEN_OST] = "ost", [GEN_PST] = "pst"};

/* COMPRESS_INTERNAL: the blocks of trees too, which libpff cannot read. */
enum { COMPRESS_FORCE = 2, COMPRESS_INTERNAL, COMPRESSIONS };

struct kind {
    const char *profile;
    uint64_t items;
    enum gen_format format;
    enum gen_content content;
    unsigned crypt, compress;
};

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void make(const struct kind *v, const char *path)
{
    struct gen_options o = {
        .image = {.path = path,
                  .format = v->format,
                  .crypt = (enum gen_crypt)v->crypt,
                  .content = v->content,
                  .compress = v->compress > 0,
                  .compress_always = v->compress == COMPRESS_FORCE,
                  .fragment_percent = (uint32_t)setting("DIFF_FRAGMENT", 0),
                  .seed = setting("DIFF_SEED", 1)},
        .profile = profile_find(v->profile),
        .seed = setting("DIFF_SEED", 1),
        .items = v->items * setting("DIFF_SCALE", 1),
        .duplicates_percent = (uint32_t)setting("DIFF_DUPLICATES", 0),
        .truth = TRUTH_NONE,
        .libpff_safe = v->compress != COMPRESS_INTERNAL,
    };
    struct gen_summary summary;
    unsigned missed;

    assert_int_equal(gen_run(&o, &summary, &missed), 0);
}

static bool is_plain(const struct kind *v)
{
    return !v->crypt && !v->compress;
}

/* Both lists are the same but for what is of the form. Returns how many are not. */
static uint64_t differ(const char *name, const struct facts *plain, const struct facts *facts)
{
    uint64_t count = 0;

    for (size_t i = 0; i < plain->count || i < facts->count; i++) {
        struct bytes a, b;

        if (i >= plain->count || i >= facts->count || plain->list[i].nid != facts->list[i].nid ||
            strcmp(fact_key(plain, i), fact_key(facts, i)) != 0) {
            print_message("%s: another list of facts than its plain twin's\n", name);
            return count + 1;
        }
        a = fact_value(plain, i);
        b = fact_value(facts, i);
        if (fact_is_of_form(plain, i) || (a.size == b.size && memcmp(a.data, b.data, a.size) == 0))
            continue;
        print_message("%s: %" PRIx32 " %s is not what its plain twin has\n", name,
                      plain->list[i].nid, fact_key(plain, i));
        count++;
    }
    return count;
}

/* By the native engine alone. */
static void compare_with_twin(struct judge *j, const char *name, const char *path,
                              const struct facts *plain)
{
    struct facts native;

    facts_init(&native);
    assert_true(compare_run(path, OSTSCAN_EXE, &native, NULL));
    j->wrong += differ(name, plain, &native);
    facts_done(&native);
}

static void compare_engines(struct judge *j, const char *name, const char *path, bool is_plain,
                            struct facts *plain)
{
    struct facts native, libpff;

    facts_init(&native);
    facts_init(&libpff);
    assert_true(compare_run(path, OSTSCAN_EXE, &native, &libpff));
    assert_int_equal(native.counts.failed, 0);
    judge_image(j, name, path, &native, &libpff, is_plain ? NULL : plain);
    facts_done(&libpff);
    if (is_plain) {
        *plain = native;
        return;
    }
    j->wrong += differ(name, plain, &native);
    facts_done(&native);
}

/* One image; *plain becomes its facts when it is the plain one, else is what they are held to. */
static void compare(struct judge *j, const char *folder, const struct kind *v, struct facts *plain)
{
    char name[NAME], path[PATH];

    snprintf(name, sizeof name, "%s-%s-%s-%s-%s", v->profile, format_names[v->format],
             content_names[v->content], compress_names[v->compress], crypt_names[v->crypt]);
    snprintf(path, sizeof path, "%s/%s.pst", folder, name);
    make(v, path);
    if (v->compress == COMPRESS_INTERNAL)
        compare_with_twin(j, name, path, plain);
    else
        compare_engines(j, name, path, is_plain(v), plain);
    unlink(path);
}

static void all_variants(struct judge *j, const char *profile, uint64_t items)
{
    const char *folder = tempdir_make();

    for (unsigned f = 0; f < 3; f++)
        for (unsigned content = 0; content < 2; content++) {
            struct kind v = {profile, items, (enum gen_format)f, (enum gen_content)content, 0, 0};
            struct facts plain = {0};

            for (v.compress = 0; v.compress < (f == GEN_UNICODE4K ? COMPRESSIONS : 1); v.compress++)
                for (v.crypt = 0; v.crypt < 3; v.crypt++)
                    compare(j, folder, &v, &plain);
            facts_done(&plain);
        }
    tempdir_remove(folder);
}

/* One judge for all profiles; what is wrong fails the profile's own test. */
static void compare_profile(struct judge *j, const char *profile, uint64_t items)
{
    uint64_t wrong = j->wrong;

    all_variants(j, profile, items);
    assert_int_equal(j->wrong, wrong);
}

static void one_of_everything(void **state)
{
    compare_profile(*state, "tiny", 43);
}

static void mixed_items(void **state)
{
    compare_profile(*state, "mixed", 60);
}

static void mails(void **state)
{
    compare_profile(*state, "mail", 40);
}

static void deep_and_large_ones(void **state)
{
    compare_profile(*state, "deep", 12);
}

static void every_exception_was_needed(void **state)
{
    judge_conclude(*state, true);
}

/* The listed exceptions are those of the images of the first seed and size. */
static int set_up(void **state)
{
    static struct judge judge;
    bool others = setting("DIFF_SEED", 1) != 1 || setting("DIFF_SCALE", 1) != 1 ||
                  setting("DIFF_FRAGMENT", 0) || setting("DIFF_DUPLICATES", 0);

    judge_init(&judge, others ? EXCEPTIONS_OF_OTHERS : EXCEPTIONS);
    *state = &judge;
    return 0;
}

static int tear_down(void **state)
{
    judge_done(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_everything),
        cmocka_unit_test(mixed_items),
        cmocka_unit_test(mails),
        cmocka_unit_test(deep_and_large_ones),
        cmocka_unit_test(every_exception_was_needed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
