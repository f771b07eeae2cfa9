/*
 * test_diff_judge.c: that the comparison can fail: an exception too many, one too few, a wrong
 * count and a proof that does not hold are each noticed, and so is every kind of difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/diff/exceptions.h"
#include "tests/gen/run.h"
#include "tests/support/tempdir.h"

#define CELL_3900 "*\t*\trecipient * 3900\t%u\tzero\t-\tcell\tas libpff is\n"
#define CELL_67F2 "*\t*\trecipient * 67f2\t%u\tzero\t-\tcell\tas libpff is\n"

struct fixture {
    const char *folder;
    char image[128], list[128];
    struct facts native, libpff;
    unsigned cells_3900, cells_67f2; /* differences that there are */
};

static unsigned count_zero(const struct facts *f, const char *end)
{
    unsigned n = 0;

    for (size_t i = 0; i < f->count; i++) {
        const char *key = fact_key(f, i);
        struct bytes value = fact_bytes(fact_value(f, i));

        n += strncmp(key, "recipient", 9) == 0 && strcmp(key + strlen(key) - 4, end) == 0 &&
             value.size == 4 && le32(value.data) == 0;
    }
    return n;
}

static int set_up(void **state)
{
    static struct fixture f;
    struct gen_options o = {.image = {.format = GEN_UNICODE, .crypt = GEN_CRYPT_PERMUTE, .seed = 3},
                            .profile = profile_find("mail"),
                            .seed = 3,
                            .items = 8,
                            .truth = TRUTH_NONE};
    struct gen_summary summary;
    unsigned missed;

    f.folder = tempdir_make();
    snprintf(f.image, sizeof f.image, "%s/a.pst", f.folder);
    snprintf(f.list, sizeof f.list, "%s/list", f.folder);
    o.image.path = f.image;
    facts_init(&f.native);
    facts_init(&f.libpff);
    if (gen_run(&o, &summary, &missed) || !compare_run(f.image, OSTSCAN_EXE, &f.native, &f.libpff))
        return -1;
    f.cells_3900 = count_zero(&f.native, "3900");
    f.cells_67f2 = count_zero(&f.native, "67f2");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    facts_done(&f->native);
    facts_done(&f->libpff);
    tempdir_remove(f->folder);
    return 0;
}

/* How much is wrong by the list of those lines, with what the engines are taken to have said. */
static uint64_t judge(struct fixture *f, const char *list, const struct facts *native,
                      const struct facts *libpff)
{
    FILE *file = fopen(f->list, "we");
    struct judge j;
    uint64_t wrong;

    assert_non_null(file);
    fputs(list, file);
    assert_int_equal(fclose(file), 0);
    judge_init(&j, f->list);
    judge_image(&j, "a.pst", f->image, native, libpff, NULL);
    wrong = j.wrong;
    judge_done(&j);
    return wrong;
}

static const char *right_list(const struct fixture *f)
{
    static char list[512];

    snprintf(list, sizeof list, CELL_3900 CELL_67F2, f->cells_3900, f->cells_67f2);
    return list;
}

static void the_right_list_is_enough(void **state)
{
    struct fixture *f = *state;

    assert_true(f->cells_3900 > 0 && f->cells_67f2 > 0);
    assert_int_equal(judge(f, right_list(f), &f->native, &f->libpff), 0);
}

static void a_wrong_list_is_noticed(void **state)
{
    struct fixture *f = *state;
    char list[1024];

    snprintf(list, sizeof list, CELL_3900, f->cells_3900); /* one too few */
    assert_int_equal(judge(f, list, &f->native, &f->libpff), f->cells_67f2);
    snprintf(list, sizeof list, "%s*\t*\t3001\t1\t*\t*\tcell\tnone\n",
             right_list(f)); /* too many */
    assert_int_equal(judge(f, list, &f->native, &f->libpff), 1);
    snprintf(list, sizeof list, CELL_3900 CELL_67F2, f->cells_3900 + 1, f->cells_67f2);
    assert_int_equal(judge(f, list, &f->native, &f->libpff), 1);
    /* proofs that do not hold: there is no plain twin, no crash, another checksum, other bytes */
    static const char *const proofs[] = {"plain", "crash", "unopened", "masked", "block 4 0 00ff"};

    for (size_t i = 0; i < sizeof proofs / sizeof *proofs; i++) {
        snprintf(list, sizeof list, CELL_3900 "*\t*\trecipient * 67f2\t%u\tzero\t-\t%s\tnone\n",
                 f->cells_3900, f->cells_67f2, proofs[i]);
        assert_int_equal(judge(f, list, &f->native, &f->libpff), f->cells_67f2 + 1);
    }
}

/* Any one fact that an engine says otherwise, or not at all, is wrong. */
static void every_difference_is_noticed(void **state)
{
    struct fixture *f = *state;
    size_t step = f->native.count / 40 + 1, seen = 0;

    for (size_t i = 0; i < f->native.count; i += step) {
        struct fact whole = f->native.list[i];
        struct bytes value = fact_value(&f->native, i);
        uint8_t *last = (uint8_t *)(uintptr_t)value.data + value.size - 1;

        if (strncmp(fact_key(&f->native, i), "recipient", 9) == 0 ||
            strncmp(fact_key(&f->native, i), FACT_MASKED, 6) == 0)
            continue;
        *last ^= 1;
        assert_true(judge(f, right_list(f), &f->native, &f->libpff) > 0);
        *last ^= 1;
        f->native.list[i].size--;
        assert_true(judge(f, right_list(f), &f->native, &f->libpff) > 0);
        f->native.list[i] = whole;
        seen++;
    }
    assert_true(seen >= 20);
    f->native.count--;
    assert_true(judge(f, right_list(f), &f->native, &f->libpff) > 0);
    f->native.count++;
    f->libpff.count--;
    assert_true(judge(f, right_list(f), &f->native, &f->libpff) > 0);
    f->libpff.count++;
}

/* A recipient's cell that is handed out though it does not exist, or not though it does. */
static void cells_are_read_a_third_time(void **state)
{
    struct fixture *f = *state;
    struct cells witness;
    uint64_t total = 0;
    size_t at = 0;

    cells_open(&witness, f->image);
    assert_int_equal(cells_check(&witness, &f->native, &total), 0);
    assert_true(total > 50);
    while (strncmp(fact_key(&f->native, at), "recipient 0 ", 12) != 0)
        at++;
    struct fact whole = f->native.list[at];
    char *key = (char *)(uintptr_t)fact_key(&f->native, at);
    char first = key[12];

    key[12] = 'f';
    assert_int_equal(cells_check(&witness, &f->native, &total), 1);
    key[12] = first;
    /* without it */
    memmove(f->native.list + at, f->native.list + at + 1,
            (f->native.count - at - 1) * sizeof whole);
    f->native.count--;
    assert_int_equal(cells_check(&witness, &f->native, &total), 1);
    memmove(f->native.list + at + 1, f->native.list + at, (f->native.count - at) * sizeof whole);
    f->native.list[at] = whole;
    f->native.count++;
    assert_int_equal(cells_check(&witness, &f->native, &total), 0);
    cells_done(&witness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_list_is_enough),
        cmocka_unit_test(a_wrong_list_is_noticed),
        cmocka_unit_test(every_difference_is_noticed),
        cmocka_unit_test(cells_are_read_a_third_time),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
