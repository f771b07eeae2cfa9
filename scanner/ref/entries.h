/*
 * entries.h: the properties of one of libpff's record sets, sorted, and their values.
 *
 * A record set is an object's properties (PC) or a row of a table. Entries borrow from their item.
 * libpff's getters by type compare a named property's number without its GUID, so nothing here asks
 * by type: the list is walked.
 */
#ifndef SCANNER_REF_ENTRIES_H
#define SCANNER_REF_ENTRIES_H

#include <libpff.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"
#include "io/bytes.h"

struct entry {
    libpff_record_entry_t *record;
    uint16_t id;
    uint16_t type;
    uint32_t place; /* in the record set */
};

struct entries {
    struct entry *list; /* ascending by id, each id once: the first that the image holds */
    size_t count, capacity;
};

#define ENTRIES_INIT ((struct entries){0})

/*
 * Fills e from record set `set` of the item. Property id 0 is left out. ERR_DAMAGED: libpff cannot
 * read the object (*why, WIRE_TEXT_MAX + 1 bytes, gets its reason); ERR_NOMEM.
 */
int entries_load(struct entries *e, libpff_item_t *item, int set, char *why);
void entries_done(struct entries *e);

const struct entry *entries_find(const struct entries *e, uint16_t id); /* or NULL */

/* The value's bytes as stored, in `into`. ERR_DAMAGED (too large, wrong width, unreadable);
 * ERR_NOMEM. */
int entry_value(const struct entry *entry, struct buf *into, struct bytes *value);

/* Nothing but zero bytes, or nothing at all: what libpff makes of a table's absent cell. */
bool value_is_zero(struct bytes value);

/* The value of a 32-bit integer property; false when there is none. */
bool entries_i32(const struct entries *e, uint16_t id, uint32_t *value);

/* The same for an object that is no table: its only record set, or none when it has no property. */
int entries_load_object(struct entries *e, libpff_item_t *item, char *why);

/* How many record sets the item has; reads it. -1 when libpff cannot (*why as above). */
int entries_sets(libpff_item_t *item, char *why);

/* libpff's reason, of which its deepest cause: "unsupported value type", printable and cut to
 * WIRE_TEXT_MAX. Frees the error. */
void entries_reason(libpff_error_t **error, char *why);

#endif
