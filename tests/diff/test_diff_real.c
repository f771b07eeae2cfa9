/*
 * test_diff_real.c: real images, read by both engines: the same folders, items, properties, names,
 * recipients, attachments, embedded items and digests, but for what exceptions_real.tsv lists.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/diff/exceptions.h"
#include "tests/support/samples.h"

#define EXCEPTIONS "tests/diff/exceptions_real.tsv"

static void compare(struct judge *j, const char *name, const char *path)
{
    struct facts native, libpff;

    facts_init(&native);
    facts_init(&libpff);
    if (compare_run(path, OSTSCAN_EXE, &native, &libpff))
        judge_image(j, name, path, &native, &libpff, NULL);
    facts_done(&native);
    facts_done(&libpff);
}

static void both_engines_say_the_same(void **state)
{
    static const char *const samples[] = {SAMPLE_OST, SAMPLE_OST2, SAMPLE_ENRON};
    const char *corpus = corpus_path(".");
    struct dirent **names = NULL;
    int count = corpus ? scandir(corpus, &names, NULL, alphasort) : 0;
    unsigned here = 0;
    struct judge j;

    (void)state;
    judge_init(&j, EXCEPTIONS);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const char *path = sample_path(samples[i]);

        here += path != NULL;
        if (path)
            compare(&j, samples[i], path);
    }
    for (int i = 0; i < count; i++) {
        const char *end = strrchr(names[i]->d_name, '.');

        if (end && (strcmp(end, ".pst") == 0 || strcmp(end, ".ost") == 0))
            compare(&j, names[i]->d_name, corpus_path(names[i]->d_name));
        free(names[i]);
    }
    free(names);
    if (!j.images) {
        judge_done(&j);
        sample_or_skip(SAMPLE_OST);
    }
    judge_conclude(&j, corpus && here == 3);
    judge_done(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_engines_say_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
