/*
 * maker.h: neutral items made by hand, for tests of what reads them.
 *
 * Each value is an allocation of its exact size, so that a sanitizer sees a read beyond it.
 * Failures fail the running test. Properties are kept in ascending order.
 */
#ifndef TESTS_SUPPORT_MAKER_H
#define TESTS_SUPPORT_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/arena.h"
#include "scanner/ost/item.h"

enum { MAKER_PROPS = 512, MAKER_PARTS = 64 };

struct maker_props {
    struct arena *arena;
    struct ost_prop list[MAKER_PROPS];
    size_t count;
};

struct maker {
    struct arena arena;
    struct maker_props props;
    struct maker_props *recipients[MAKER_PARTS];
    struct maker_props *attachments[MAKER_PARTS];
    struct ost_attachment attachment[MAKER_PARTS];
    size_t recipient_count, attachment_count;
    struct ost_item item;
};

struct maker *maker_create(void);
void maker_destroy(struct maker *m);

/* What `maker_prop` added, to be looked at or changed until the next one is added. A second value
 * of the same id takes the first one's place. */
struct ost_prop *maker_prop(struct maker_props *p, uint16_t id, uint16_t type, const void *value,
                            size_t size);
struct ost_prop *maker_text(struct maker_props *p, uint16_t id, const char *ascii);  /* Unicode */
struct ost_prop *maker_ascii(struct maker_props *p, uint16_t id, const char *bytes); /* string8 */
struct ost_prop *maker_u32(struct maker_props *p, uint16_t id, uint32_t value);
struct ost_prop *maker_u64(struct maker_props *p, uint16_t id, uint16_t type, uint64_t value);
/* Names for a property just added. */
void maker_lid(struct maker_props *p, struct ost_prop *prop, const uint8_t guid[16],
               uint32_t number);
void maker_name(struct maker_props *p, struct ost_prop *prop, const uint8_t guid[16],
                const char *ascii);

struct maker_props *maker_recipient(struct maker *m);
struct maker_props *maker_attachment(struct maker *m, int32_t method);

/* The item as made so far; valid until anything is added. */
const struct ost_item *maker_item(struct maker *m);

#endif
