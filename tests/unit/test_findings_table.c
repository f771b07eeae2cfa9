/*
 * test_findings_table.c: tests/FINDINGS.md against the list of codes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/finding.h"

enum { LINE = 1024, COLUMNS = 6 };

struct row {
    char text[LINE];
    char *column[COLUMNS];
};

/* The cells of a line of the table; false: it is none. */
static bool split(const char *line, struct row *out)
{
    char *rest = out->text;

    if (strncmp(line, "| `", 3) != 0)
        return false;
    snprintf(out->text, sizeof out->text, "%s", line + 2);
    for (unsigned i = 0; i < COLUMNS; i++) {
        char *end = strstr(rest, " |");

        assert_non_null(end);
        *end = '\0';
        out->column[i] = rest;
        rest = end + 2 + (end[2] == ' ');
    }
    return true;
}

static void write_row(char *to, size_t size, enum finding_code code, const char *scanpst)
{
    const struct finding_info *info = finding_info(code);

    snprintf(to, size, "| `%s` | %s | %s | %s | %s | %s |\n", info->name,
             finding_layer_name(info->layer), finding_severity_name(info->severity), info->evidence,
             info->text, scanpst);
}

/* Each code has its row, in the order of the list; what the row must be is printed. */
static void table_holds_every_code(void **state)
{
    FILE *f = fopen(SOURCE_DIR "/tests/FINDINGS.md", "r");
    char line[LINE], wanted[2 * LINE];
    unsigned code = 0, wrong = 0;
    struct row row;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (!split(line, &row))
            continue;
        assert_true(code < FINDING_CODES);
        write_row(wanted, sizeof wanted, (enum finding_code)code, row.column[5]);
        if (strcmp(wanted, line) != 0) {
            print_message("is:    %swanted: %s", line, wanted);
            wrong++;
        }
        code++;
    }
    fclose(f);
    for (; code < FINDING_CODES; code++, wrong++) {
        write_row(wanted, sizeof wanted, (enum finding_code)code, "");
        print_message("wanted: %s", wanted);
    }
    assert_int_equal(wrong, 0);
}

static void unseen_statements_are_not_corrupt(void **state)
{
    (void)state;
    for (unsigned code = 0; code < FINDING_CODES; code++) {
        const struct finding_info *info = finding_info((enum finding_code)code);

        if (info->severity == SEVERITY_CORRUPT)
            assert_true(strstr(info->evidence, "R4") || strstr(info->evidence, "R5"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_holds_every_code),
        cmocka_unit_test(unseen_statements_are_not_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
