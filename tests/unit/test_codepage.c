/* test_codepage.c: which code page an object's 8-bit text is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scanner/ost/codepage.h"

static void first_that_names_a_page_wins(void **state)
{
    (void)state;
    assert_int_equal(ost_codepage(1251, 50220, 0x0409), 1251);
    assert_int_equal(ost_codepage(0, 1250, 0x0411), 1250);
    assert_int_equal(ost_codepage(0, 50220, 0x0409), 932);
    assert_int_equal(ost_codepage(0, 20127, 0x0411), 932); /* ASCII names none */
    assert_int_equal(ost_codepage(0, 65001, 0x0419), 1251);
    assert_int_equal(ost_codepage(1200, 0, 0x0408), 1253);
    assert_int_equal(ost_codepage(0, 65001, 0), 0);
    assert_int_equal(ost_codepage(0, 0, 0), 0);
}

static void locales_of_two_scripts(void **state)
{
    (void)state;
    assert_int_equal(ost_codepage(0, 0, 0x0804), 936);  /* China */
    assert_int_equal(ost_codepage(0, 0, 0x0404), 950);  /* Taiwan */
    assert_int_equal(ost_codepage(0, 0, 0x041A), 1250); /* Croatian */
    assert_int_equal(ost_codepage(0, 0, 0x0C1A), 1251); /* Serbian, Cyrillic */
    assert_int_equal(ost_codepage(0, 0, 0x0407), 1252);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_that_names_a_page_wins),
        cmocka_unit_test(locales_of_two_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
