/* test_times.c: times as other programs write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "index/times.h"

static void expect(const char *text, int64_t seconds)
{
    int64_t got = -1;

    if (!idx_time_parse(bytes_text(text), &got))
        fail_msg("%s is a time", text);
    if (got != seconds)
        fail_msg("%s: %lld", text, (long long)got);
}

static void refuse(const char *text)
{
    int64_t got;

    if (idx_time_parse(bytes_text(text), &got))
        fail_msg("%s is no time", text);
}

static void rfc_3339(void **state)
{
    (void)state;
    expect("1970-01-01T00:00:00Z", 0);
    expect("2019-07-17T15:54:40Z", 1563378880);
    expect("2019-07-17T15:54:40.1234567Z", 1563378880);
    expect("2019-07-17T17:54:40+02:00", 1563378880);
    expect("2019-07-17T10:24:40-0530", 1563378880);
    expect("2019-07-17 15:54:40", 1563378880);
    expect("2019-07-17T15:54Z", 1563378840);
    expect("2019-07-17", 1563321600);
    expect("1601-01-01T00:00:00Z", -11644473600);
    expect("2024-02-29T00:00:00Z", 1709164800);
    expect("9999-12-31T23:59:59Z", 253402300799);
}

static void windows(void **state)
{
    (void)state;
    expect("7/17/2019 3:54:40 PM", 1563378880);
    expect("7/8/2019 12:00:00 AM", 1562544000);
    expect("7/8/2019 12:00:00\xE2\x80\xAFPM", 1562587200);
    expect("17/7/2019 15:54:40", 1563378880);
    expect("7/17/2019", 1563321600);
    expect("7/7/2019", 1562457600);
}

static void no_time(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "2019",
                                      "2019-13-01",
                                      "2019-02-29",
                                      "2019-00-10",
                                      "2019-07-17T25:00:00Z",
                                      "2019-07-17T15:54:40Zx",
                                      "2019-07-17T15:54:40+99:00",
                                      "+60056-05-28T00:00:00Z",
                                      "7/8/2019",          /* July or August? */
                                      "7/8/2019 15:00:00", /* the same */
                                      "13/13/2019",
                                      "7/17/2019 13:00 PM",
                                      "99999999999999999999",
                                      "1/2/3/4"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i]);
}

static void dates_go_round(void **state)
{
    (void)state;
    for (int64_t days = -200000; days < 3000000; days += 37) {
        int64_t year;
        unsigned month, day;

        idx_date_of(days, &year, &month, &day);
        assert_true(month >= 1 && month <= 12 && day >= 1 && day <= 31);
        assert_int_equal(idx_days_of(year, month, day), days);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_3339),
        cmocka_unit_test(windows),
        cmocka_unit_test(no_time),
        cmocka_unit_test(dates_go_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
