/*
 * clock.c: see clock.h. The calendar is worked out by hand, because gmtime_r refuses years that do
 * not fit an int and a file may hold any 64-bit time. Days are counted from 0000-03-01, so that the
 * leap day ends a year and each 400 years (146,097 days) are alike.
 */
#include "io/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097, DAYS_TO_1970 = 719468 };

struct date {
    int64_t year;
    int month;
    int day;
};

uint64_t clock_monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

int64_t clock_real_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static struct date date_of(int64_t days_since_1970)
{
    int64_t days = days_since_1970 + DAYS_TO_1970;
    int64_t era = floor_div(days, ERA_DAYS);
    int of_era = (int)(days - era * ERA_DAYS);
    int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153; /* from March */
    struct date d;

    d.day = of_year - (153 * month + 2) / 5 + 1;
    d.month = month < 10 ? month + 3 : month - 9;
    d.year = era * 400 + year + (d.month <= 2);
    return d;
}

void clock_format(int64_t seconds, uint32_t nanoseconds, unsigned digits, char out[CLOCK_TEXT_SIZE])
{
    int64_t days = floor_div(seconds, DAY_SECONDS);
    int of_day = (int)(seconds % DAY_SECONDS);
    int time = of_day < 0 ? of_day + DAY_SECONDS : of_day;
    struct date d = date_of(days);
    const char *year_format = d.year >= 1 && d.year <= 9999 ? "%04lld" : "%+05lld";
    char year[24], fraction[11], text[96];
    int length;

    assert(nanoseconds < 1000000000 && digits <= 9);
    snprintf(year, sizeof year, year_format, (long long)d.year);
    snprintf(fraction, sizeof fraction, ".%09u", nanoseconds);
    for (size_t n = digits + 1;; n--) {
        fraction[n] = '\0';
        if (fraction[n - 1] != '0')
            break;
    }
    if (!fraction[1])
        fraction[0] = '\0';
    length = snprintf(text, sizeof text, "%s-%02d-%02dT%02d:%02d:%02d%sZ", year, d.month, d.day,
                      time / 3600, time / 60 % 60, time % 60, fraction);
    assert(length < CLOCK_TEXT_SIZE);
    memcpy(out, text, (size_t)length + 1);
}
