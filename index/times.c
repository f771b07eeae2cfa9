/* times.c: see times.h. */
#include "index/times.h"

#include <ctype.h>

struct cursor {
    const uint8_t *at, *end;
};

static bool digits(struct cursor *c, unsigned least, unsigned most, unsigned *out)
{
    unsigned n = 0, value = 0;

    while (c->at < c->end && n < most && isdigit(*c->at)) {
        value = value * 10 + (unsigned)(*c->at++ - '0');
        n++;
    }
    *out = value;
    return n >= least;
}

static bool sign(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != (uint8_t)wanted)
        return false;
    c->at++;
    return true;
}

/* Years count from March, so that the leap day is the last of one. */
int64_t idx_days_of(int64_t year, unsigned month, unsigned day)
{
    const int64_t y = year - (month <= 2);
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t in_era = y - era * 400;
    const int64_t in_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

void idx_date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    const int64_t z = days + 719468;
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t in_era = z - era * 146097;
    const int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    const int64_t m = (5 * in_year + 2) / 153;

    *day = (unsigned)(in_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

static bool date_of(unsigned year, unsigned month, unsigned day, int64_t *days)
{
    int64_t y;
    unsigned m, d;

    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *days = idx_days_of(year, month, day);
    idx_date_of(*days, &y, &m, &d);
    return d == day;
}

static void spaces(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
        c->at++;
}

/* "AM" and "PM", also behind the narrow space that newer Windows writes. */
static bool half_of_day(struct cursor *c, unsigned *hour)
{
    spaces(c);
    if (c->end - c->at >= 3 && c->at[0] == 0xE2 && c->at[1] == 0x80 && c->at[2] == 0xAF)
        c->at += 3;
    if (c->end - c->at != 2 || (c->at[1] | 0x20) != 'm' || *hour < 1 || *hour > 12)
        return false;
    if ((c->at[0] | 0x20) != 'a' && (c->at[0] | 0x20) != 'p')
        return false;
    *hour = *hour % 12 + ((c->at[0] | 0x20) == 'p' ? 12 : 0);
    c->at = c->end;
    return true;
}

static bool zone(struct cursor *c, int64_t *offset)
{
    unsigned hours, minutes;
    bool west;

    *offset = 0;
    spaces(c);
    if (c->at == c->end)
        return true;
    if (*c->at == 'Z' || *c->at == 'z')
        return ++c->at == c->end;
    west = *c->at == '-';
    if (!west && *c->at != '+')
        return false;
    c->at++;
    if (!digits(c, 2, 2, &hours) || (sign(c, ':'), !digits(c, 2, 2, &minutes)) || hours > 14 ||
        minutes > 59)
        return false;
    *offset = (int64_t)(hours * 60 + minutes) * (west ? -60 : 60);
    return c->at == c->end;
}

static bool clock_of(struct cursor *c, unsigned *hour, int64_t *rest)
{
    unsigned minute, second = 0, none;

    if (!digits(c, 1, 2, hour) || !sign(c, ':') || !digits(c, 2, 2, &minute))
        return false;
    if (sign(c, ':') && !digits(c, 2, 2, &second))
        return false;
    if (sign(c, '.') && !digits(c, 1, 9, &none))
        return false;
    *rest = (int64_t)minute * 60 + second;
    return *hour < 24 && minute < 60 && second < 61;
}

/* A slash between numbers: the US form where AM or PM stands behind it, or where only one order of
 * day and month is possible. */
static bool slashed(struct cursor *c, unsigned first, int64_t *seconds)
{
    unsigned second, year, hour = 0;
    int64_t days, rest = 0;
    bool us = false;

    if (!digits(c, 1, 2, &second) || !sign(c, '/') || !digits(c, 4, 4, &year))
        return false;
    spaces(c);
    if (c->at < c->end) {
        if (!clock_of(c, &hour, &rest))
            return false;
        us = half_of_day(c, &hour);
        spaces(c);
        if (c->at != c->end)
            return false;
    }
    if (!us && first <= 12 && second <= 12 && first != second)
        return false;
    if (!us && first > 12) {
        unsigned swap = first;

        first = second;
        second = swap;
    }
    if (!date_of(year, first, second, &days))
        return false;
    *seconds = days * 86400 + (int64_t)hour * 3600 + rest;
    return true;
}

bool idx_time_parse(struct bytes text, int64_t *seconds)
{
    struct cursor c = {text.data, text.size ? text.data + text.size : text.data};
    unsigned year, month, day, hour = 0;
    int64_t days, rest = 0, offset = 0;

    if (!text.size || !digits(&c, 1, 4, &year))
        return false;
    if (sign(&c, '/'))
        return year <= 31 && slashed(&c, year, seconds);
    if (year < 1000 || !sign(&c, '-') || !digits(&c, 2, 2, &month) || !sign(&c, '-') ||
        !digits(&c, 2, 2, &day) || !date_of(year, month, day, &days))
        return false;
    if (c.at < c.end) {
        if (!sign(&c, 'T') && !sign(&c, 't') && !sign(&c, ' '))
            return false;
        if (!clock_of(&c, &hour, &rest) || !zone(&c, &offset))
            return false;
    }
    *seconds = days * 86400 + (int64_t)hour * 3600 + rest - offset;
    return true;
}
