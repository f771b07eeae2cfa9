/* test_finding.c: the list of findings and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/finding.h"

static void every_code_has_its_own_name(void **state)
{
    (void)state;
    for (unsigned a = 0; a < FINDING_CODES; a++) {
        const char *name = finding_info((enum finding_code)a)->name;

        assert_true(strlen(name) > 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(name, finding_info((enum finding_code)b)->name);
    }
    assert_string_equal(finding_info(F_file_truncated)->name, "file_truncated");
}

static void every_text_is_a_clause(void **state)
{
    (void)state;
    for (unsigned a = 0; a < FINDING_CODES; a++) {
        const char *text = finding_info((enum finding_code)a)->text;

        assert_true(strlen(text) > 10);
        assert_int_not_equal(text[strlen(text) - 1], '.');
        assert_null(strchr(text, '\n'));
    }
}

/* Tags joined by commas, each one of the five; true when one of them is a real file's. */
static bool rests_on_real_files(const char *evidence)
{
    bool real = false;

    for (const char *tag = evidence;; tag++) {
        size_t length = strcspn(tag, ",");

        if (length == 2 && (strncmp(tag, "R4", 2) == 0 || strncmp(tag, "R5", 2) == 0))
            real = true;
        else
            assert_true(strncmp(tag, "SRC", length) == 0 || strncmp(tag, "SYN", length) == 0 ||
                        strncmp(tag, "-", length) == 0);
        assert_true(length > 0);
        tag += length;
        if (!*tag)
            return real;
    }
}

static void corrupt_rests_on_real_files(void **state)
{
    unsigned corrupt = 0;

    (void)state;
    for (unsigned a = 0; a < FINDING_CODES; a++) {
        const struct finding_info *info = finding_info((enum finding_code)a);
        bool real = rests_on_real_files(info->evidence);

        if (info->severity == SEVERITY_CORRUPT) {
            assert_true(real);
            corrupt++;
        }
    }
    assert_true(corrupt > 0);
}

static void names_of_layers_and_severities(void **state)
{
    (void)state;
    assert_string_equal(finding_layer_name(LAYER_IO), "io");
    assert_string_equal(finding_layer_name(LAYER_BTREE), "btree");
    assert_string_equal(finding_layer_name(LAYER_ITEM), "item");
    assert_string_equal(finding_severity_name(SEVERITY_INFO), "info");
    assert_string_equal(finding_severity_name(SEVERITY_CORRUPT), "corrupt");
}

static void new_finding_has_nothing_but_its_code(void **state)
{
    struct finding f = finding_of(F_file_trailing);

    (void)state;
    assert_int_equal(f.code, F_file_trailing);
    assert_int_equal(f.severity, SEVERITY_INFO);
    assert_false(f.has_offset || f.has_bid || f.has_nid || f.has_expected || f.has_actual);
    assert_int_equal(f.item_count + f.folder_count, 0);
    assert_null(f.detail);
}

static void absent_numbers_come_last(void **state)
{
    struct finding a = finding_of(F_magic_wrong), b = a;

    (void)state;
    a.has_offset = true;
    a.offset = UINT64_MAX;
    assert_true(finding_compare(&a, &b) < 0);
    assert_true(finding_compare(&b, &a) > 0);
    b = a;
    b.offset = 0;
    b.code = F_version_unknown; /* a later name, an earlier offset */
    assert_true(finding_compare(&b, &a) < 0);
    b.offset = a.offset;
    assert_true(finding_compare(&a, &b) < 0);
    b.code = F_client_unknown; /* a later code, an earlier name */
    assert_true(finding_compare(&b, &a) < 0);
}

enum { FIELDS = 6, VALUES = 3, SAMPLES = 729 }; /* VALUES to the power of FIELDS */

/* The finding whose fields are the digits of n: 0 absent, else a small number. */
static struct finding sample(unsigned n)
{
    static const enum finding_code codes[VALUES] = {F_magic_wrong, F_client_unknown,
                                                    F_version_unknown};
    unsigned digit[FIELDS];
    struct finding f;

    for (unsigned i = 0; i < FIELDS; i++, n /= VALUES)
        digit[i] = n % VALUES;
    f = finding_of(codes[digit[0]]);
    f.has_offset = digit[1] > 0;
    f.offset = digit[1];
    f.has_bid = digit[2] > 0;
    f.bid = digit[2];
    f.has_nid = digit[3] > 0;
    f.nid = digit[3];
    f.has_expected = digit[4] > 0;
    f.expected = digit[4];
    f.has_actual = digit[5] > 0;
    f.actual = digit[5];
    return f;
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

/* Different samples differ, order is antisymmetric, and transitive over a spread of triples. */
static void order_is_strict(void **state)
{
    static signed char order[SAMPLES][SAMPLES];
    static struct finding all[SAMPLES];

    (void)state;
    for (unsigned a = 0; a < SAMPLES; a++)
        all[a] = sample(a);
    for (unsigned a = 0; a < SAMPLES; a++)
        for (unsigned b = 0; b < SAMPLES; b++)
            order[a][b] = (signed char)sign(finding_compare(&all[a], &all[b]));
    for (unsigned a = 0; a < SAMPLES; a++)
        for (unsigned b = 0; b < SAMPLES; b++) {
            assert_int_equal(order[a][b], -order[b][a]);
            assert_int_equal(order[a][b] == 0, a == b);
            for (unsigned c = (a + b) % 7; c < SAMPLES; c += 7)
                if (order[a][b] < 0 && order[b][c] < 0)
                    assert_int_equal(order[a][c], -1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_own_name),
        cmocka_unit_test(every_text_is_a_clause),
        cmocka_unit_test(corrupt_rests_on_real_files),
        cmocka_unit_test(names_of_layers_and_severities),
        cmocka_unit_test(new_finding_has_nothing_but_its_code),
        cmocka_unit_test(absent_numbers_come_last),
        cmocka_unit_test(order_is_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
