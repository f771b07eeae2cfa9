/*
 * property.h: what the property table says of a property, core families included.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_PROPERTY_H
#define INDEX_PROPERTY_H

#include <stdint.h>

#include "index/view.h"
#include "scanner/ost/item.h"

/* Beside the bits of enum idx_class: for which kinds the property is an entry of `core`. */
enum idx_family {
    IDX_FAMILY_MAIL = 0x10,
    IDX_FAMILY_CONTACT = 0x20,
    IDX_FAMILY_APPOINTMENT = 0x40,
    IDX_FAMILY_TASK = 0x80,
    IDX_FAMILY_JOURNAL = 0x100,
    IDX_FAMILY_NOTE = 0x200,
    IDX_FAMILY_ALL = 0x3F0,
};

enum idx_family idx_family_of_kind(enum idx_kind kind);

/* Bits of enum idx_class and enum idx_family, as the table has them. */
unsigned idx_property_rule(uint16_t id, const struct ost_name *name);

/* The same of a property without a name: a row for each id below 0x8000, from which on they have
 * names. */
enum { IDX_TAGS = 0x8000 };
extern const uint16_t idx_tag_rules[IDX_TAGS];

/* The sets of names that the table or the digests know. */
enum idx_set {
    IDX_SET_PUBLIC,
    IDX_SET_INTERNET_HEADERS,
    IDX_SET_MEETING,
    IDX_SET_COMMON,
    IDX_SET_APPOINTMENT,
    IDX_SET_TASK,
    IDX_SET_ADDRESS,
    IDX_SET_LOG,
    IDX_SET_NOTE,
    IDX_SET_CALENDARASSISTANT,
    IDX_SET_AIRSYNC,
    IDX_SET_XMLEXTRACTED,
    IDX_SETS,
    IDX_SET_OTHER = IDX_SETS
};

enum idx_set idx_set_of(const struct ost_name *name);

/* GUIDs as stored, in the order of enum idx_set. */
extern const uint8_t idx_set_guids[IDX_SETS][16];

#endif
