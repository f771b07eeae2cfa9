/* codepage.c: see codepage.h. Two tables: Internet encodings, and primary languages of locales. */
#include "scanner/ost/codepage.h"

#include <stdbool.h>
#include <stddef.h>

struct pair {
    uint16_t key, page;
};

/* ISO, KOI8, EUC and ISO-2022 encodings, and the Windows page of the same script. */
static const struct pair internet_pages[] = {
    {20866, 1251}, {20932, 932},  {20936, 936},  {20949, 949},  {21866, 1251}, {28591, 1252},
    {28592, 1250}, {28593, 1254}, {28594, 1257}, {28595, 1251}, {28596, 1256}, {28597, 1253},
    {28598, 1255}, {28599, 1254}, {28603, 1257}, {28605, 1252}, {38598, 1255}, {50220, 932},
    {50221, 932},  {50222, 932},  {50225, 949},  {50227, 936},  {51932, 932},  {51936, 936},
    {51949, 949},  {52936, 936},  {54936, 936},
};

/* Primary language ids ([MS-LCID]) whose page is not 1252; those with two scripts are below. */
static const struct pair locale_pages[] = {
    {0x01, 1256}, {0x02, 1251}, {0x05, 1250}, {0x08, 1253}, {0x0D, 1255}, {0x0E, 1250},
    {0x11, 932},  {0x12, 949},  {0x15, 1250}, {0x18, 1250}, {0x19, 1251}, {0x1B, 1250},
    {0x1C, 1250}, {0x1E, 874},  {0x1F, 1254}, {0x20, 1256}, {0x22, 1251}, {0x23, 1251},
    {0x24, 1250}, {0x25, 1257}, {0x26, 1257}, {0x27, 1257}, {0x29, 1256}, {0x2A, 1258},
    {0x2F, 1251}, {0x3F, 1251}, {0x40, 1251}, {0x44, 1251},
};

static uint32_t look_up(const struct pair *table, size_t count, uint32_t key)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].key == key)
            return table[i].page;
    return 0;
}

static bool is_windows(uint32_t page)
{
    return page == 874 || page == 932 || page == 936 || page == 949 || page == 950 ||
           (page >= 1250 && page <= 1258);
}

static uint32_t page_of_locale(uint32_t locale)
{
    uint32_t language = locale & 0x3FF, page;

    if (!locale)
        return 0;
    if (language == 0x04) /* Chinese: Taiwan, Hong Kong and Macau write the traditional script */
        return locale == 0x0404 || locale == 0x0C04 || locale == 0x1404 ? 950 : 936;
    if (language == 0x1A) /* Serbian in Cyrillic; Croatian, Bosnian, Serbian in Latin */
        return locale == 0x0C1A || locale == 0x1C1A || locale == 0x201A ? 1251 : 1250;
    page = look_up(locale_pages, sizeof locale_pages / sizeof *locale_pages, language);
    return page ? page : 1252;
}

uint32_t ost_codepage(uint32_t message, uint32_t internet, uint32_t locale)
{
    uint32_t page;

    if (message && message != 1200 && message != 1201)
        return message;
    if (is_windows(internet))
        return internet;
    page = look_up(internet_pages, sizeof internet_pages / sizeof *internet_pages, internet);
    return page ? page : page_of_locale(locale);
}
