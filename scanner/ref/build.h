/*
 * build.h: neutral objects under construction, out of the payloads of the wire's frames.
 *
 * Lists grow node by node in an arena and become arrays when their owner ends, because no count in
 * the stream is believed. When the arena's limit is reached `too_large` is set: from then on
 * nothing is kept, calls do nothing, and the caller says what was lost.
 *
 * Every int result: 0; ERR_NOMEM; ERR_DAMAGED with `violation` naming the rule that was broken.
 * Threads: one.
 */
#ifndef SCANNER_REF_BUILD_H
#define SCANNER_REF_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/arena.h"
#include "io/bytes.h"
#include "scanner/ost/item.h"
#include "scanner/ost/limits.h"

struct build_props {
    struct build_prop *first, *last;
    size_t count;
};

/* An item, with the recipient or attachment at hand. */
struct build_level {
    struct ost_item item;
    struct build_props props, row;
    struct build_recipient *recipients, **recipients_end;
    struct build_attachment *attachments, **attachments_end;
    struct build_damage *damage, **damage_end;
    unsigned phase; /* the caller's: how far the item's parts have come */
    struct ost_attachment attachment;
    struct build_props attachment_props;
    bool attachment_closed; /* it has its data or its item: nothing may follow */
};

struct build {
    struct arena arena;
    const char *violation;
    bool too_large, too_deep;
    bool out_of_memory;
    unsigned depth;
    struct build_level levels[OST_LIMIT_EMBEDDED_DEPTH + 1];
};

void build_init(struct build *b, uint64_t limit_bytes);
void build_done(struct build *b);
void build_reset(struct build *b, bool keep_memory); /* for the next top-level object */

int build_violate(struct build *b, const char *rule); /* ERR_DAMAGED */

/* Arena memory; NULL when too_large or out_of_memory is (now) set. */
void *build_take(struct build *b, size_t size);
int build_state(const struct build *b); /* ERR_NOMEM when out_of_memory, else 0 */

/* payload: of WIRE_PROP or WIRE_ROW, in the arena. */
int build_prop(struct build *b, struct build_props *list, struct bytes payload);
/* The list as an array, empty when it does not fit; the list is empty again. */
struct ost_props build_flatten(struct build *b, struct build_props *list);

struct build_level *build_level(struct build *b);

/* Begins an item; `embedded`: in the attachment at hand, one level down. */
int build_item(struct build *b, const struct ost_item *head, bool embedded);
int build_add_recipient(struct build *b, struct build_props *props);
int build_add_attachment(struct build *b); /* the one at hand */
int build_add_damage(struct build *b, uint16_t code);

/* Ends the item at hand. Embedded: it goes to its attachment, and the level above is at hand
 * again. Top-level: it stands complete in levels[0].item. */
int build_end_item(struct build *b);

#endif
