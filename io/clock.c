/*
 * clock.c: see clock.h. The calendar is worked out by hand, because gmtime_r refuses years that do
 * not fit an int and a file may hold any 64-bit time. Days are counted from 0000-03-01, so that the
 * leap day ends a year and each 400 years (146,097 days) are alike.
 */
#include "io/clock.h"

#include <assert.h>
#include <stdio.h>
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

/* 0 to 99 */
static char *put_two(char *to, uint32_t value)
{
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
    return to + 2;
}

static char *put_year(char *to, int64_t year)
{
    if (year >= 1 && year <= 9999)
        return put_two(put_two(to, (uint32_t)year / 100), (uint32_t)year % 100);
    return to + sprintf(to, "%+05lld", (long long)year);
}

/* Decimals up to the last that is not zero; the dot goes with the last of them. */
static char *put_fraction(char *to, uint32_t nanoseconds, unsigned digits)
{
    char *first = to + 1, *end = first + digits;

    if (!nanoseconds)
        return to;
    *to = '.';
    for (unsigned i = 9; i > 0; i--, nanoseconds /= 10)
        first[i - 1] = (char)('0' + nanoseconds % 10);
    while (end > first && end[-1] == '0')
        end--;
    return end > first ? end : to;
}

size_t clock_format(int64_t seconds, uint32_t nanoseconds, unsigned digits,
                    char out[CLOCK_TEXT_SIZE])
{
    int64_t days = floor_div(seconds, DAY_SECONDS);
    int of_day = (int)(seconds % DAY_SECONDS);
    uint32_t time = (uint32_t)(of_day < 0 ? of_day + DAY_SECONDS : of_day);
    struct date d = date_of(days);
    char *at = put_year(out, d.year);

    assert(nanoseconds < 1000000000 && digits <= 9);
    *at++ = '-';
    at = put_two(at, (uint32_t)d.month);
    *at++ = '-';
    at = put_two(at, (uint32_t)d.day);
    *at++ = 'T';
    at = put_two(at, time / 3600);
    *at++ = ':';
    at = put_two(at, time / 60 % 60);
    *at++ = ':';
    at = put_two(at, time % 60);
    at = put_fraction(at, nanoseconds, digits);
    *at++ = 'Z';
    *at = '\0';
    assert(at - out < CLOCK_TEXT_SIZE);
    return (size_t)(at - out);
}
