/* test_clock.c: the calendar, its ends, and how many decimals are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "io/clock.h"

static void times_are_written_as_rfc_3339(void **state)
{
    static const struct {
        int64_t seconds;
        uint32_t ns;
        unsigned digits;
        const char *text;
    } rows[] = {
        {0, 0, 9, "1970-01-01T00:00:00Z"},
        {1614837967, 500000000, 9, "2021-03-04T06:06:07.5Z"},
        {1614837967, 500000000, 0, "2021-03-04T06:06:07Z"},
        {1614837967, 123456789, 9, "2021-03-04T06:06:07.123456789Z"},
        {1614837967, 123456700, 9, "2021-03-04T06:06:07.1234567Z"},
        {1614837967, 123456789, 7, "2021-03-04T06:06:07.1234567Z"},
        {1614837967, 1, 7, "2021-03-04T06:06:07Z"},
        {1614837967, 999999999, 3, "2021-03-04T06:06:07.999Z"},
        {-1, 999999999, 9, "1969-12-31T23:59:59.999999999Z"},
        {951782400, 0, 0, "2000-02-29T00:00:00Z"},
        {951868799, 0, 0, "2000-02-29T23:59:59Z"},
        {951868800, 0, 0, "2000-03-01T00:00:00Z"},
        {-2203891200, 0, 0, "1900-03-01T00:00:00Z"},
        {-2203891201, 0, 0, "1900-02-28T23:59:59Z"},
        {-11644473600, 0, 9, "1601-01-01T00:00:00Z"}, /* FILETIME 0 */
        {253402300799, 0, 9, "9999-12-31T23:59:59Z"},
        {253402300800, 0, 9, "+10000-01-01T00:00:00Z"},
        {-62135596800, 0, 9, "0001-01-01T00:00:00Z"},
        {-62135596801, 0, 9, "+0000-12-31T23:59:59Z"},
        {-62167219201, 0, 9, "-0001-12-31T23:59:59Z"},
        {INT64_MAX, 999999999, 9, "+292277026596-12-04T15:30:07.999999999Z"},
        {INT64_MIN, 0, 9, "-292277022657-01-27T08:29:52Z"},
    };
    char text[CLOCK_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        clock_format(rows[i].seconds, rows[i].ns, rows[i].digits, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void every_day_agrees_with_the_c_library(void **state)
{
    char text[CLOCK_TEXT_SIZE], expected[64];

    (void)state;
    for (int64_t day = -719162; day < 2932896; day += 17) { /* 0001-01-01 to 9999-12-31 */
        time_t t = (time_t)(day * 86400 + 3723);
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT01:02:03Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday);
        clock_format(t, 0, 9, text);
        assert_string_equal(text, expected);
    }
}

static void clocks_run(void **state)
{
    uint64_t before = clock_monotonic_ns();
    struct timespec pause = {.tv_nsec = 2000000};
    int64_t now = clock_real_ns() / 1000000000;

    (void)state;
    nanosleep(&pause, NULL);
    assert_true(clock_monotonic_ns() - before >= 2000000);
    assert_true(time(NULL) - now <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_as_rfc_3339),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(clocks_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
