/*
 * property.c: see property.h.
 *
 * The rows of property_table.h, for tagged properties one by one (a range of initialisers, which
 * both compilers know), for named ones as they stand, to be searched by halves.
 */
#include "index/property.h"

#include <string.h>

#include "index/digest.h"

/* PS_… and PSETID_… of [MS-OXPROPS]. Those of Outlook differ in their first four bytes. */
#define OUTLOOK_SET(a, b, c)                                                                       \
    {                                                                                              \
        a, b, c, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46                                       \
    }

const uint8_t idx_set_guids[IDX_SETS][16] = {
    [IDX_SET_PUBLIC] = OUTLOOK_SET(0x29, 0x03, 0x02),
    [IDX_SET_INTERNET_HEADERS] = OUTLOOK_SET(0x86, 0x03, 0x02),
    [IDX_SET_MEETING] = {0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA, 0x00, 0xAA,
                         0x00, 0x3F, 0x13, 0x05},
    [IDX_SET_COMMON] = OUTLOOK_SET(0x08, 0x20, 0x06),
    [IDX_SET_APPOINTMENT] = OUTLOOK_SET(0x02, 0x20, 0x06),
    [IDX_SET_TASK] = OUTLOOK_SET(0x03, 0x20, 0x06),
    [IDX_SET_ADDRESS] = OUTLOOK_SET(0x04, 0x20, 0x06),
    [IDX_SET_LOG] = OUTLOOK_SET(0x0A, 0x20, 0x06),
    [IDX_SET_NOTE] = OUTLOOK_SET(0x0E, 0x20, 0x06),
    [IDX_SET_CALENDARASSISTANT] = {0x07, 0x0E, 0x00, 0x11, 0x1B, 0xB5, 0xD6, 0x40, 0xAF, 0x21, 0xCA,
                                   0xA8, 0x5E, 0xDA, 0xB1, 0xD0},
    [IDX_SET_AIRSYNC] = {0x49, 0x55, 0x03, 0x71, 0x39, 0x07, 0xCB, 0x4D, 0x91, 0x63, 0x00, 0xF0,
                         0x58, 0x0D, 0xBB, 0xDF},
    [IDX_SET_XMLEXTRACTED] = {0x08, 0x96, 0x23, 0x23, 0x5D, 0x68, 0x32, 0x47, 0x9C, 0x55, 0x4C,
                              0x95, 0xCB, 0x4E, 0x8E, 0x33},
};

enum {
    EXACT = IDX_IN_EXACT,
    CORE = IDX_IN_CORE,
    BODY = IDX_IN_BODY,
    STATE = IDX_IN_STATE,
    F_ALL = IDX_FAMILY_ALL,
    F_CONTACT = IDX_FAMILY_CONTACT,
    F_APPOINTMENT = IDX_FAMILY_APPOINTMENT,
    F_TASK = IDX_FAMILY_TASK,
    F_JOURNAL = IDX_FAMILY_JOURNAL,
    F_NOTE = IDX_FAMILY_NOTE,
};

#define LID(set, first, last, classes, family)
#define TEXT(set, name, classes)
#define SET(set, classes)
#define TAG(first, last, classes, family) [first... last] = (classes) | (family),
const uint16_t idx_tag_rules[IDX_TAGS] = {
#include "index/property_table.h"
};
#undef TAG
#undef LID
#undef TEXT
#undef SET

struct row {
    uint32_t first, last;
    uint16_t rule;
};

struct lid_row {
    enum idx_set set;
    struct row row;
};

#define TAG(first, last, classes, family)
#define LID(set, first, last, classes, family) {IDX_SET_##set, {first, last, (classes) | (family)}},
#define TEXT(set, name, classes)
#define SET(set, classes) {IDX_SET_##set, {0, UINT32_MAX, classes}},
static const struct lid_row lids[] = {
#include "index/property_table.h"
};
#undef LID
#undef TEXT
#undef SET

struct text_row {
    enum idx_set set;
    const char *text; /* NULL: every text of the set */
    unsigned rule;
};

#define LID(set, first, last, classes, family)
#define TEXT(set, name, classes) {IDX_SET_##set, name, classes},
#define SET(set, classes)        {IDX_SET_##set, NULL, classes},
static const struct text_row texts[] = {
#include "index/property_table.h"
};

/* The first two bytes tell the sets apart, so that whole GUIDs are compared once. */
enum idx_set idx_set_of(const struct ost_name *name)
{
    uint16_t head = le16(name->guid);
    int set = 0;

    while (set < IDX_SETS && le16(idx_set_guids[set]) != head)
        set++;
    if (set < IDX_SETS && memcmp(name->guid, idx_set_guids[set], 16))
        set = IDX_SETS;
    return (enum idx_set)set;
}

enum idx_family idx_family_of_kind(enum idx_kind kind)
{
    switch (kind) {
    case KIND_APPOINTMENT:
        return IDX_FAMILY_APPOINTMENT;
    case KIND_CONTACT:
    case KIND_DISTLIST:
    case KIND_PERSON:
        return IDX_FAMILY_CONTACT;
    case KIND_TASK:
        return IDX_FAMILY_TASK;
    case KIND_JOURNAL:
        return IDX_FAMILY_JOURNAL;
    case KIND_NOTE:
        return IDX_FAMILY_NOTE;
    default:
        return IDX_FAMILY_MAIL;
    }
}

/* Rows are in the order of their sets and numbers; a number between two rows is of no row. */
static unsigned lid_rule(enum idx_set set, uint32_t number)
{
    size_t low = 0, high = sizeof lids / sizeof *lids;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct lid_row *r = &lids[middle];

        if (r->set < set || (r->set == set && r->row.last < number))
            low = middle + 1;
        else if (r->set > set || r->row.first > number)
            high = middle;
        else
            return r->row.rule;
    }
    return IDX_IN_EXACT;
}

static bool same_text(struct bytes utf16, const char *ascii)
{
    size_t n = strlen(ascii);

    if (utf16.size != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (le16(utf16.data + 2 * i) != (unsigned char)ascii[i])
            return false;
    }
    return true;
}

static unsigned text_rule(enum idx_set set, struct bytes text)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].set == set && (!texts[i].text || same_text(text, texts[i].text)))
            return texts[i].rule;
    }
    return IDX_IN_EXACT;
}

unsigned idx_property_rule(uint16_t id, const struct ost_name *name)
{
    enum idx_set set;

    if (!name)
        return id < IDX_TAGS ? idx_tag_rules[id] : 0;
    set = idx_set_of(name);
    if (set == IDX_SET_OTHER)
        return IDX_IN_EXACT;
    return name->is_text ? text_rule(set, name->text) : lid_rule(set, name->number);
}

unsigned idx_property_class(uint16_t id, const struct ost_name *name)
{
    return idx_property_rule(id, name) & (EXACT | CORE | BODY | STATE);
}
